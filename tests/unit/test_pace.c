/* When a primary is slow: lags, windows, and what others have shown. */
#include "config.h"

#include "consensus/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT 1000
#define FLOOR   (TIMEOUT / PACE_FLOOR_PART)

static struct pace pace;
static struct pace_rule rule; /* the primary of four */
static uint64_t now;

static int set_up(void **state)
{
    (void)state;
    memset(&pace, 0, sizeof(pace));
    rule = (struct pace_rule){0, 0, 1, TIMEOUT};
    now = 5000;
    return 0;
}

/* A height at which work is known at once, and its block comes after a lag
 * and takes check_ms to be checked. */
static void live_height(uint64_t lag_ms, uint64_t check_ms)
{
    pace_owe(&pace, now);
    now += lag_ms;
    pace_got(&pace, now);
    now += check_ms;
    pace_checked(&pace, now, 0);
    now += 3;
    pace_end(&pace, &rule, now);
}

/* One whose block comes at once and needs what only its primary has, which
 * hands it out as slowly as it can. */
static void live_dripping_height(uint64_t lacked_ms)
{
    pace_owe(&pace, now);
    pace_got(&pace, now);
    now += lacked_ms + 2;
    pace_checked(&pace, now, lacked_ms);
    now += 3;
    pace_end(&pace, &rule, now);
}

/* Windows of one lag; whether the primary is slow then. */
static bool live_windows(unsigned windows, uint64_t lag_ms)
{
    uint32_t end = pace.windows + windows;
    if (pace.view != rule.view) {
        end = windows;
    }
    do {
        live_height(lag_ms, 0);
    } while (pace.windows != end);
    return pace.is_slow;
}

static void to_view(uint64_t view)
{
    rule.view = view;
    rule.primary = (uint32_t)(view % 4);
}

static void anyone_may_take_a_twentieth_of_the_time_out(void **state)
{
    (void)state;
    assert_false(live_windows(100, FLOOR));
    to_view(1);
    assert_true(live_windows(1, FLOOR + 1));
}

/* Just under the time-out: four blocks show it. */
static void a_crawling_primary_is_slow_after_four_blocks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PACE_BLOCKS_MIN; i++) {
        assert_false(pace.is_slow);
        live_height(TIMEOUT * 9 / 10, 0);
    }
    assert_true(pace.is_slow);
}

static void one_hiccup_in_a_window_is_forgiven(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20 * PACE_BLOCKS; i++) {
        live_height(i % PACE_BLOCKS == 7 ? TIMEOUT / 2 : 2, 0);
        assert_false(pace.is_slow);
    }
}

static void a_large_block_takes_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * PACE_BLOCKS; i++) {
        live_height(TIMEOUT / 2, TIMEOUT / 4);
        assert_false(pace.is_slow);
    }
}

static void to_wait_for_what_a_block_lacks_is_no_work(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PACE_BLOCKS_MIN; i++) {
        assert_false(pace.is_slow);
        live_dripping_height(12 * TIMEOUT);
    }
    assert_true(pace.is_slow);
}

/* A large data set of somebody else's. */
static void to_lack_something_once_is_forgiven(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20 * PACE_BLOCKS; i++) {
        live_dripping_height(i % PACE_BLOCKS == 7 ? 12 * TIMEOUT : 2);
        assert_false(pace.is_slow);
    }
}

/* In a slow network f + 1 are tried, and then one stays: views do not turn
 * for ever. */
static void where_all_are_slow_none_is_slower(void **state)
{
    (void)state;
    assert_true(live_windows(1, 300));
    to_view(1);
    assert_true(live_windows(1, 310));
    to_view(2);
    assert_false(live_windows(PACE_STALE - 1, 320));
}

/* The whole network becomes slower: what was known of others is replaced by
 * f + 1 turns, as at the beginning. */
static void a_network_that_slows_down_settles_again(void **state)
{
    (void)state;
    unsigned changes = 0;
    for (uint64_t view = 0; view < 3; view++) {
        to_view(view);
        (void)live_windows(1, 80);
    }
    while (live_windows(1, 400)) {
        to_view(rule.view + 1);
        assert_true(++changes <= 3);
    }
    assert_false(live_windows(PACE_STALE - 2, 400));
}

static void who_wants_to_stay_is_at_most_twice_as_slow(void **state)
{
    (void)state;
    for (uint64_t view = 0; view < 2; view++) {
        to_view(view);
        (void)live_windows(1, 200);
    }
    to_view(2);
    assert_false(live_windows(1, 400));
    assert_true(live_windows(1, 401));
}

/* What others did long ago is no excuse for ever: the network may have become
 * faster since. */
static void what_others_did_grows_old(void **state)
{
    (void)state;
    for (uint64_t view = 0; view < 2; view++) {
        to_view(view);
        (void)live_windows(1, 400);
    }
    to_view(2);
    unsigned windows = 0;
    while (!live_windows(1, 500)) {
        windows++;
    }
    assert_int_equal(windows, PACE_STALE);
}

/* f fast primaries among slow ones are no yardstick: of the f + 1 last others
 * one is honest. */
static void one_fast_primary_does_not_unseat_the_rest_for_ever(void **state)
{
    (void)state;
    unsigned changes = 0;
    (void)live_windows(1, 1);
    to_view(1);
    while (live_windows(1, 300)) {
        to_view(rule.view + 1);
        assert_true(++changes <= 2);
    }
}

static void idle_and_uncounted_heights_say_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * PACE_BLOCKS; i++) {
        now += TIMEOUT;
        pace_got(&pace, now); /* nothing was asked for */
        pace_end(&pace, &rule, now);
        pace_owe(&pace, now); /* the view was left on the way */
        pace_skip(&pace);
        now += TIMEOUT;
        pace_got(&pace, now);
        pace_end(&pace, &rule, now);
    }
    assert_int_equal(pace.windows, 0);
    assert_int_equal(pace.blocks, 0);
}

/* Block first, work later: a quick primary must not look absent. */
static void a_block_before_the_work_is_no_lag(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PACE_BLOCKS; i++) {
        pace_got(&pace, now);
        now += TIMEOUT;
        pace_owe(&pace, now);
        pace_end(&pace, &rule, now);
    }
    assert_int_equal(pace.windows, 1);
    assert_false(pace.is_slow);
}

static void what_an_early_end_showed_is_kept(void **state)
{
    (void)state;
    live_height(400, 0);
    to_view(1);
    live_height(400, 0);
    to_view(2);
    live_height(0, 0); /* begins the view */
    assert_int_equal(pace_allowed_ms(&pace, &rule), 800);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        CASE(anyone_may_take_a_twentieth_of_the_time_out),
        CASE(a_crawling_primary_is_slow_after_four_blocks),
        CASE(one_hiccup_in_a_window_is_forgiven),
        CASE(a_large_block_takes_time),
        CASE(to_wait_for_what_a_block_lacks_is_no_work),
        CASE(to_lack_something_once_is_forgiven),
        CASE(where_all_are_slow_none_is_slower),
        CASE(a_network_that_slows_down_settles_again),
        CASE(who_wants_to_stay_is_at_most_twice_as_slow),
        CASE(what_others_did_grows_old),
        CASE(one_fast_primary_does_not_unseat_the_rest_for_ever),
        CASE(idle_and_uncounted_heights_say_nothing),
        CASE(a_block_before_the_work_is_no_lag),
        CASE(what_an_early_end_showed_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
