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
    assert_int_equal(count_told(t, 500 + NEWCOMERS_KNOWN_MS), 0);
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
    assert_int_equal(count_told(t, 5999), 0);
    assert_int_equal(count_told(t, 6000), 1);
    assert_int_equal(t->told, 9);
    assert_int_equal(count_told(t, 10000), 1);
}

/* How often one is told that comes again each period_ms, for ten minutes. */
static size_t told_with(struct table *t, uint64_t period_ms)
{
    size_t told = 0;
    for (uint64_t now_ms = 0; now_ms < 600000; now_ms += 100) {
        told += count_told(t, now_ms);
        if (now_ms % period_ms == 0) {
            come(t, 1, now_ms, now_ms);
        }
    }
    assert_int_equal(t->newcomers.count, 1);
    return told;
}

/* It is told ever more seldom, once a minute in the end, but not never. */
static void who_comes_again_and_again_puts_nothing_off(void **state)
{
    assert_in_range(told_with(*state, 100), 9, 11);
}

static void who_comes_and_goes_slowly_is_told_no_more_often(void **state)
{
    assert_in_range(told_with(*state, 20000), 9, 25);
}

static void who_stays_for_long_begins_anew(void **state)
{
    struct table *t = *state;
    (void)told_with(t, 100);
    assert_int_equal(count_told(t, 599900 + NEWCOMERS_KNOWN_MS), 1);
    assert_int_equal(count_told(t, 600000 + NEWCOMERS_KNOWN_MS), 0);
    assert_int_equal(t->newcomers.count, 0);
    come(t, 1, 3, 800000);
    assert_int_equal(count_told(t, 801000), 1);
}

static void there_is_room_for_so_many(void **state)
{
    struct table *t = *state;
    for (unsigned i = 0; i <= NEWCOMERS_MAX; i++) {
        come(t, i, i, 0);
    }
    assert_int_equal(count_told(t, 1000), NEWCOMERS_MAX);
    assert_int_equal(t->told, NEWCOMERS_MAX - 1);
    for (uint64_t now_ms = 2000; now_ms <= 20000; now_ms += 1000) {
        (void)count_told(t, now_ms);
    }
    come(t, NEWCOMERS_MAX, 4000, 20000); /* none of them is due any more */
    assert_int_equal(count_told(t, 21000), 1);
    assert_int_equal(t->told, 4000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_is_told_ever_more_seldom_and_no_more_in_the_end),
        TEST(each_is_told_in_its_own_time),
        TEST(who_comes_again_is_told_soon_once_more),
        TEST(who_comes_again_and_again_puts_nothing_off),
        TEST(who_comes_and_goes_slowly_is_told_no_more_often),
        TEST(who_stays_for_long_begins_anew),
        TEST(there_is_room_for_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
