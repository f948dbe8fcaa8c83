#include "config.h"

#include "proto/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ITEM_MAX (BATCH_ITEM_MIN + 10)

/* A batch of one item whose frame says `says` and which has `has` bytes. */
static size_t count_of(uint32_t says, size_t has)
{
    struct bytes_writer w;
    uint8_t batch[BATCH_FRAME_BYTES + ITEM_MAX] = {0};
    bytes_writer_init(&w, batch, BATCH_FRAME_BYTES);
    bytes_write_u32(&w, says);
    return batch_count(batch, BATCH_FRAME_BYTES + has, 9);
}

static void what_is_added_comes_out_in_order(void **state)
{
    (void)state;
    uint8_t one[BATCH_ITEM_MIN];
    uint8_t second[ITEM_MAX];
    struct buf batch;
    struct bytes_reader r;
    size_t size;
    memset(one, 1, sizeof(one));
    memset(second, 2, sizeof(second));
    buf_init(&batch, 1000);
    batch_add(&batch, one, sizeof(one));
    batch_add(&batch, second, sizeof(second));
    assert_int_equal(batch.size,
                     2 * BATCH_FRAME_BYTES + sizeof(one) + sizeof(second));
    assert_int_equal(batch_count(batch.data, batch.size, 2), 2);
    assert_int_equal(batch_count(batch.data, batch.size, 1), 0); /* too many */
    bytes_reader_init(&r, batch.data, batch.size);
    assert_memory_equal(batch_next(&r, &size), one, sizeof(one));
    assert_int_equal(size, sizeof(one));
    assert_memory_equal(batch_next(&r, &size), second, sizeof(second));
    assert_int_equal(size, sizeof(second));
    assert_null(batch_next(&r, &size));
    buf_fini(&batch);
}

static void a_broken_batch_is_none(void **state)
{
    (void)state;
    assert_int_equal(batch_count("", 0, 9), 0);
    assert_int_equal(batch_count("\1\0\0", 3, 9), 0); /* a size */
    assert_int_equal(count_of(BATCH_ITEM_MIN, BATCH_ITEM_MIN), 1);
    assert_int_equal(count_of(BATCH_ITEM_MIN + 1, BATCH_ITEM_MIN), 0);
    assert_int_equal(count_of(BATCH_ITEM_MIN, BATCH_ITEM_MIN + 1), 0);
    assert_int_equal(count_of(UINT32_MAX, BATCH_ITEM_MIN), 0);
}

static void what_is_too_short_to_be_signed_is_none(void **state)
{
    (void)state;
    assert_int_equal(count_of(0, 0), 0);
    assert_int_equal(count_of(1, 1), 0);
    assert_int_equal(count_of(BATCH_ITEM_MIN - 1, BATCH_ITEM_MIN - 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_comes_out_in_order),
        cmocka_unit_test(a_broken_batch_is_none),
        cmocka_unit_test(what_is_too_short_to_be_signed_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
