/* Who says that the chain stands still: none for whom it is not to be told. */
#include "config.h"

#include "node/api/api_progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define PATIENCE_MS 21000

static const struct api_progress validator = {
    .is_validator = true,
    .peers = 3,
    .stale_ms = PATIENCE_MS + 1,
    .patience_ms = PATIENCE_MS,
};

static const struct api_progress observer = {
    .peers = 1,
    .stale_ms = PATIENCE_MS + 1,
    .patience_ms = PATIENCE_MS,
};

static void whoever_waits_too_long_says_so(void **state)
{
    (void)state;
    assert_true(api_progress_is_stalled(&validator));
    assert_true(api_progress_is_stalled(&observer));
}

/* A block is due after the idle interval at the latest; the settings explain
 * more than that. */
static void an_idle_chain_is_not_stalled(void **state)
{
    struct api_progress idle = validator;
    (void)state;
    idle.stale_ms = PATIENCE_MS;
    assert_false(api_progress_is_stalled(&idle));
    idle = observer;
    idle.stale_ms = PATIENCE_MS;
    assert_false(api_progress_is_stalled(&idle));
}

/* It has old blocks to get: how the chain does it learns then. */
static void an_observer_that_is_behind_says_nothing(void **state)
{
    struct api_progress behind = observer;
    (void)state;
    behind.is_behind = true;
    assert_false(api_progress_is_stalled(&behind));
}

static void an_observer_that_is_alone_says_nothing(void **state)
{
    struct api_progress alone = observer;
    (void)state;
    alone.peers = 0;
    assert_false(api_progress_is_stalled(&alone));
}

static void a_validator_that_does_not_vote_says_why_instead(void **state)
{
    struct api_progress held = validator;
    (void)state;
    held.is_held = true;
    assert_false(api_progress_is_stalled(&held));
}

/* It is one of those that make the blocks. */
static void a_validator_that_is_alone_or_behind_says_it(void **state)
{
    struct api_progress alone = validator;
    (void)state;
    alone.peers = 0;
    alone.is_behind = true;
    assert_true(api_progress_is_stalled(&alone));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_waits_too_long_says_so),
        cmocka_unit_test(an_idle_chain_is_not_stalled),
        cmocka_unit_test(an_observer_that_is_behind_says_nothing),
        cmocka_unit_test(an_observer_that_is_alone_says_nothing),
        cmocka_unit_test(a_validator_that_does_not_vote_says_why_instead),
        cmocka_unit_test(a_validator_that_is_alone_or_behind_says_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
