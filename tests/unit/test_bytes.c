#include "config.h"

#include "base/buf.h"
#include "base/bytes.h"
#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void integers_lie_little_endian(void **state)
{
    (void)state;
    uint8_t raw[27];
    char text[2 * sizeof(raw) + 1];
    struct bytes_writer w;
    struct bytes_reader r;
    bytes_writer_init(&w, raw, sizeof(raw));
    bytes_write_u8(&w, 1);
    bytes_write_u16(&w, 0x0203);
    bytes_write_u32(&w, 0x04050607);
    bytes_write_u64(&w, 0x08090a0b0c0d0e0f);
    bytes_write_u32(&w, UINT32_MAX - 1);
    bytes_write_i64(&w, -3);
    assert_false(w.is_overflown);
    assert_int_equal(w.offset, sizeof(raw));
    assert_string_equal(hex_format(text, raw, sizeof(raw)),
                        "010302070605040f0e0d0c0b0a0908"
                        "fefffffffdffffffffffffff");
    bytes_reader_init(&r, raw, sizeof(raw));
    assert_int_equal(bytes_read_u8(&r), 1);
    assert_int_equal(bytes_read_u16(&r), 0x0203);
    assert_int_equal(bytes_read_u32(&r), 0x04050607);
    assert_true(bytes_read_u64(&r) == 0x08090a0b0c0d0e0f);
    assert_int_equal(bytes_read_i32(&r), -2);
    assert_true(bytes_read_i64(&r) == -3);
    assert_true(bytes_is_done(&r));
}

static void a_short_read_sticks(void **state)
{
    (void)state;
    const uint8_t raw[3] = {1, 2, 3};
    struct bytes_reader r;
    bytes_reader_init(&r, raw, sizeof(raw));
    assert_int_equal(bytes_read_u32(&r), 0);
    assert_int_equal(bytes_read_u8(&r), 0);
    assert_true(r.is_short);
    assert_false(bytes_is_done(&r));
    assert_int_equal(bytes_left(&r), 0);
    assert_null(bytes_borrow(&r, 1));
}

static void an_overflowing_write_sticks(void **state)
{
    (void)state;
    uint8_t raw[4] = {9, 9, 9, 9};
    struct bytes_writer w;
    bytes_writer_init(&w, raw, 3);
    bytes_write_u32(&w, 1);
    bytes_write_u8(&w, 1);
    assert_true(w.is_overflown);
    assert_int_equal(w.offset, 0);
    assert_int_equal(raw[0], 9);
}

static void a_buffer_stops_at_its_maximum(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5);
    buf_append(&buf, "abc", 3);
    buf_append(&buf, "def", 3);
    assert_true(buf.is_overflown);
    buf_append(&buf, "g", 1);
    assert_int_equal(buf.size, 3);
    buf_clear(&buf);
    buf_printf(&buf, "%d", 12345);
    assert_false(buf.is_overflown);
    assert_memory_equal(buf.data, "12345", 5);
    buf_consume(&buf, 2);
    assert_string_equal(buf_text(&buf), "345");
    buf_fini(&buf);
}

static void long_formats_fit_too(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4096);
    buf_printf(&buf, "%01000d", 7);
    assert_int_equal(buf.size, 1000);
    assert_int_equal(buf.data[999], '7');
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_lie_little_endian),
        cmocka_unit_test(a_short_read_sticks),
        cmocka_unit_test(an_overflowing_write_sticks),
        cmocka_unit_test(a_buffer_stops_at_its_maximum),
        cmocka_unit_test(long_formats_fit_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
