/* Whose words validators hear from itself: by its last group, for a while. */
#include "config.h"

#include "node/round/tellers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct tellers t;

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tellers_fini(&t);
    return 0;
}

static struct public_key key_of(unsigned i)
{
    return (struct public_key){{(uint8_t)i, (uint8_t)(i >> 8)}};
}

static void note(unsigned i, bool is_told, uint64_t now_ms)
{
    const struct public_key key = key_of(i);
    tellers_note(&t, &key, is_told, now_ms);
}

static bool has(unsigned i, uint64_t now_ms)
{
    const struct public_key key = key_of(i);
    return tellers_has(&t, &key, now_ms);
}

static void the_last_group_counts(void **state)
{
    (void)state;
    assert_false(has(1, 0));
    note(1, true, 0);
    note(2, false, 0);
    assert_true(has(1, 0));
    assert_false(has(2, 0));
    note(1, false, 0);
    note(2, true, 0);
    assert_false(has(1, 0));
    assert_true(has(2, 0));
}

static void it_counts_for_a_while(void **state)
{
    (void)state;
    note(1, true, 1000);
    assert_true(has(1, 1000 + TELLERS_MS - 1));
    assert_false(has(1, 1000 + TELLERS_MS));
    note(1, true, 5000);
    assert_true(has(1, 1000 + TELLERS_MS));
}

static void there_is_room_for_so_many_at_a_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TELLERS_MAX; i++) {
        note(i, true, i == 0 ? 0 : 1000);
    }
    note(TELLERS_MAX, true, 1000);
    assert_false(has(TELLERS_MAX, 1000));
    note(TELLERS_MAX, true, TELLERS_MS); /* the first one's time is over */
    assert_true(has(TELLERS_MAX, TELLERS_MS));
    assert_true(has(1, TELLERS_MS));
    note(1, true, TELLERS_MS); /* has its place */
    assert_true(has(1, TELLERS_MS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_group_counts),
        TEST(it_counts_for_a_while),
        TEST(there_is_room_for_so_many_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
