/* Blobs in memory: what is held, and what makes room. */
#include "config.h"

#include "node/hold/blob_pool.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BYTES 100

static struct blob_pool *pool;

static int open_pool(void **state)
{
    (void)state;
    pool = blob_pool_new(3 * BYTES);
    return 0;
}

static int close_pool(void **state)
{
    (void)state;
    blob_pool_free(pool);
    return 0;
}

static struct hash name_of(uint8_t number)
{
    return (struct hash){{number}};
}

static bool put(uint8_t number)
{
    uint8_t data[BYTES];
    const struct hash hash = name_of(number);
    memset(data, number, sizeof(data));
    return blob_pool_put(pool, &hash, data, sizeof(data));
}

static bool has(uint8_t number)
{
    const struct hash hash = name_of(number);
    return blob_pool_has(pool, &hash, NULL);
}

static bool get(uint8_t number)
{
    struct buf out;
    const struct hash hash = name_of(number);
    buf_init(&out, BYTES);
    bool is_held = blob_pool_get(pool, &hash, &out);
    if (is_held) {
        assert_int_equal(out.size, BYTES);
        assert_int_equal(out.data[BYTES - 1], number);
    }
    buf_fini(&out);
    return is_held;
}

static void what_is_put_is_there_until_the_last_claim_goes(void **state)
{
    const struct hash one = name_of(1);
    (void)state;
    assert_false(get(1));
    assert_true(put(1));
    assert_true(get(1));
    assert_true(put(1)); /* once more is once */
    assert_int_equal(blob_pool_bytes(pool), BYTES);
    blob_pool_claim(pool, &one);
    blob_pool_claim(pool, &one);
    blob_pool_release(pool, &one);
    assert_true(has(1));
    blob_pool_release(pool, &one);
    assert_false(has(1));
    assert_int_equal(blob_pool_bytes(pool), 0);
    blob_pool_claim(pool, &one); /* before it is there */
    assert_true(put(1));
    blob_pool_release(pool, &one);
    assert_false(has(1));
}

static void a_part_is_read(void **state)
{
    struct buf out;
    uint64_t total = 0;
    const struct hash one = name_of(1);
    (void)state;
    buf_init(&out, BYTES);
    assert_false(blob_pool_read(pool, &one, 0, 10, &out, &total));
    (void)put(1);
    assert_true(blob_pool_read(pool, &one, BYTES - 4, 10, &out, &total));
    assert_int_equal(out.size, 4);
    assert_int_equal(total, BYTES);
    assert_true(blob_pool_read(pool, &one, UINT64_MAX, 10, &out, &total));
    assert_int_equal(out.size, 4);
    buf_fini(&out);
}

static void the_longest_unused_makes_room(void **state)
{
    (void)state;
    (void)put(1);
    (void)put(2);
    (void)put(3);
    assert_true(get(1));
    (void)put(2);
    assert_true(put(4));
    assert_false(has(3));
    assert_true(put(5));
    assert_false(has(1));
    assert_true(has(2) && has(4) && has(5));
    assert_int_equal(blob_pool_bytes(pool), 3 * BYTES);
}

static void what_is_larger_than_all_room_drives_nobody_out(void **state)
{
    static uint8_t data[3 * BYTES + 1];
    const struct hash nine = name_of(9);
    (void)state;
    (void)put(1);
    assert_false(blob_pool_put(pool, &nine, data, sizeof(data)));
    assert_true(has(1));
    assert_true(blob_pool_put(pool, &nine, data, sizeof(data) - 1));
    assert_false(has(1));
}

static void what_is_taken_is_kept_without_a_copy(void **state)
{
    const struct hash one = name_of(1);
    const struct hash nine = name_of(9);
    uint8_t *data = pot_calloc(1, BYTES);
    struct buf out;
    (void)state;
    data[0] = 7;
    blob_pool_take(pool, &one, data, BYTES);
    blob_pool_take(pool, &one, pot_calloc(1, BYTES), BYTES); /* is there */
    blob_pool_take(pool, &nine, pot_calloc(1, 3 * BYTES + 1), 3 * BYTES + 1);
    assert_false(has(9));
    buf_init(&out, BYTES);
    assert_true(blob_pool_get(pool, &one, &out));
    assert_int_equal(out.data[0], 7);
    assert_int_equal(blob_pool_bytes(pool), BYTES);
    buf_fini(&out);
}

static void what_nobody_uses_ages(void **state)
{
    (void)state;
    (void)put(1);
    (void)put(2);
    for (unsigned i = 0; i < 3; i++) {
        blob_pool_age(pool, 3);
        assert_true(get(2));
    }
    assert_true(has(1));
    blob_pool_age(pool, 3);
    assert_false(has(1));
    assert_true(has(2));
    assert_int_equal(blob_pool_bytes(pool), BYTES);
    for (unsigned i = 0; i < 4; i++) {
        blob_pool_age(pool, 3);
    }
    assert_int_equal(blob_pool_bytes(pool), 0);
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, open_pool, close_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_put_is_there_until_the_last_claim_goes),
        CASE(a_part_is_read),
        CASE(the_longest_unused_makes_room),
        CASE(what_is_larger_than_all_room_drives_nobody_out),
        CASE(what_is_taken_is_kept_without_a_copy),
        CASE(what_nobody_uses_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
