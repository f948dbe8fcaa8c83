#include "config.h"

#include "proto/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void what_is_added_comes_out_in_order(void **state)
{
    (void)state;
    struct buf batch;
    struct bytes_reader r;
    size_t size;
    buf_init(&batch, 1000);
    batch_add(&batch, "one", 3);
    batch_add(&batch, "second", 6);
    assert_int_equal(batch.size, 2 * BATCH_FRAME_BYTES + 9);
    assert_int_equal(batch_count(batch.data, batch.size, 2), 2);
    bytes_reader_init(&r, batch.data, batch.size);
    assert_memory_equal(batch_next(&r, &size), "one", 3);
    assert_int_equal(size, 3);
    assert_memory_equal(batch_next(&r, &size), "second", 6);
    assert_int_equal(size, 6);
    assert_null(batch_next(&r, &size));
    buf_fini(&batch);
}

static void too_many_are_none(void **state)
{
    (void)state;
    assert_int_equal(batch_count("\1\0\0\0a\1\0\0\0b", 10, 2), 2);
    assert_int_equal(batch_count("\1\0\0\0a\1\0\0\0b", 10, 1), 0);
}

static void a_broken_batch_is_none(void **state)
{
    (void)state;
    assert_int_equal(batch_count("", 0, 9), 0);
    assert_int_equal(batch_count("\1\0\0", 3, 9), 0);     /* a size */
    assert_int_equal(batch_count("\2\0\0\0a", 5, 9), 0);  /* cut off */
    assert_int_equal(batch_count("\1\0\0\0ab", 6, 9), 0); /* left over */
    assert_int_equal(batch_count("\1\0\0\0a\0\0\0\0", 9, 9),
                     0); /* of 0 bytes */
    assert_int_equal(batch_count("\377\377\377\377a", 5, 9), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_comes_out_in_order),
        cmocka_unit_test(too_many_are_none),
        cmocka_unit_test(a_broken_batch_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
