/* Who has come is told alone what was said before: when, and how often. */
#include "config.h"

#include "node/round/newcomers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "node/round/again.h"

struct table {
    struct newcomers newcomers;
    uint64_t told; /* last, */
    size_t count;  /* of so many */
};

static int set_up(void **state)
{
    static struct table t;
    memset(&t, 0, sizeof(t));
    newcomers_init(&t.newcomers, 1000);
    *state = &t;
    return 0;
}

static int tear_down(void **state)
{
    struct table *t = *state;
    newcomers_fini(&t->newcomers);
    return 0;
}

static void come(struct table *t, unsigned who, uint64_t peer_id,
                 uint64_t now_ms)
{
    const struct public_key key = {{(uint8_t)who, (uint8_t)(who >> 8)}};
    newcomers_add(&t->newcomers, &key, peer_id, now_ms);
}

static void tell(void *context, uint64_t peer_id)
{
    struct table *t = context;
    t->told = peer_id;
    t->count++;
}

static size_t count_told(struct table *t, uint64_t now_ms)
{
    t->count = 0;
    newcomers_tick(&t->newcomers, now_ms, tell, t);
    return t->count;
}

/* Then it hears what all are told every AGAIN_MAX_MS. */
static void one_is_told_ever_more_seldom_and_no_more_in_the_end(void **state)
{
    struct table *t = *state;
    come(t, 1, 7, 500);
    assert_int_equal(count_told(t, 1499), 0);
    assert_int_equal(count_told(t, 1500), 1);
    assert_int_equal(t->told, 7);
    assert_int_equal(count_told(t, 3499), 0);
    assert_int_equal(count_told(t, 3500), 1);
    assert_int_equal(count_told(t, 7500), 1);
    assert_int_equal(count_told(t, 15499), 0);
    assert_int_equal(count_told(t, 15500), 1);
    assert_int_equal(count_told(t, 15500 + AGAIN_MAX_MS), 0);
    assert_int_equal(t->newcomers.count, 0);
}

static void each_is_told_in_its_own_time(void **state)
{
    struct table *t = *state;
    come(t, 1, 7, 0);
    come(t, 2, 8, 400);
    assert_int_equal(count_told(t, 1000), 1);
    assert_int_equal(t->told, 7);
    assert_int_equal(count_told(t, 1400), 1);
    assert_int_equal(t->told, 8);
    assert_int_equal(count_told(t, 3400), 2);
}

static void who_comes_again_is_told_soon_once_more(void **state)
{
    struct table *t = *state;
    come(t, 1, 7, 0);
    assert_int_equal(count_told(t, 1000), 1);
    assert_int_equal(count_told(t, 3000), 1);
    come(t, 1, 9, 4000);
    assert_int_equal(count_told(t, 4999), 0);
    assert_int_equal(count_told(t, 5000), 1);
    assert_int_equal(t->told, 9);
    assert_int_equal(count_told(t, 7000), 1);
}

/* It is neither told more often than it waits, nor never. */
static void who_comes_again_and_again_puts_nothing_off(void **state)
{
    struct table *t = *state;
    size_t told = 0;
    for (uint64_t now_ms = 0; now_ms <= 10000; now_ms += 100) {
        told += count_told(t, now_ms);
        come(t, 1, now_ms, now_ms);
    }
    assert_int_equal(told, 10);
    assert_int_equal(t->newcomers.count, 1);
}

static void there_is_room_for_so_many(void **state)
{
    struct table *t = *state;
    for (unsigned i = 0; i <= NEWCOMERS_MAX; i++) {
        come(t, i, i, 0);
    }
    assert_int_equal(count_told(t, 1000), NEWCOMERS_MAX);
    assert_int_equal(t->told, NEWCOMERS_MAX - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_is_told_ever_more_seldom_and_no_more_in_the_end),
        TEST(each_is_told_in_its_own_time),
        TEST(who_comes_again_is_told_soon_once_more),
        TEST(who_comes_again_and_again_puts_nothing_off),
        TEST(there_is_room_for_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
