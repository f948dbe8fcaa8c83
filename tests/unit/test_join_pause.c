/* How long a miner whose workers fail joins nothing. */
#include "config.h"

#include "node/round/join_pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void there_is_none_at_first(void **state)
{
    (void)state;
    struct join_pause pause = {0};
    assert_true(join_pause_is_over(&pause, 0));
}

static void it_begins_with_what_failed_last(void **state)
{
    (void)state;
    struct join_pause pause = {0};
    assert_true(join_pause_failed(&pause, 1000));
    assert_false(join_pause_failed(&pause, 3000)); /* of the same roster */
    assert_false(join_pause_is_over(&pause, 3000 + JOIN_PAUSE_MIN_MS - 1));
    assert_true(join_pause_is_over(&pause, 3000 + JOIN_PAUSE_MIN_MS));
}

static void each_join_in_vain_doubles_it(void **state)
{
    (void)state;
    struct join_pause pause = {0};
    uint64_t now = 0;
    uint64_t wait = JOIN_PAUSE_MIN_MS;
    assert_true(join_pause_failed(&pause, now));
    for (unsigned i = 0; i < 10; i++) {
        now += wait;
        wait = 2 * wait < JOIN_PAUSE_MAX_MS ? 2 * wait : JOIN_PAUSE_MAX_MS;
        assert_true(join_pause_is_over(&pause, now));
        join_pause_joined(&pause);
        assert_true(join_pause_failed(&pause, now));
        assert_false(join_pause_is_over(&pause, now + wait - 1));
    }
    assert_int_equal(wait, JOIN_PAUSE_MAX_MS);
}

static void a_job_that_is_done_ends_it(void **state)
{
    (void)state;
    struct join_pause pause = {0};
    (void)join_pause_failed(&pause, 0);
    join_pause_joined(&pause);
    (void)join_pause_failed(&pause, 0);
    join_pause_done(&pause);
    assert_true(join_pause_is_over(&pause, 0));
    assert_true(join_pause_failed(&pause, 0));
    assert_true(join_pause_is_over(&pause, JOIN_PAUSE_MIN_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_none_at_first),
        cmocka_unit_test(it_begins_with_what_failed_last),
        cmocka_unit_test(each_join_in_vain_doubles_it),
        cmocka_unit_test(a_job_that_is_done_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
