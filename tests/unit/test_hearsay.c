/* How long a miner waits for blocks that others claim to have. */
#include "config.h"

#include "node/round/hearsay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BEGIN 1000

static void nobody_waits_at_the_tip(void **state)
{
    struct hearsay h = {0};
    (void)state;
    assert_false(hearsay_is_behind(&h, 7, 7, BEGIN));
    assert_false(hearsay_is_behind(&h, 7, 3, BEGIN + 1));
}

static void one_far_behind_waits_however_long_it_takes(void **state)
{
    struct hearsay h = {0};
    (void)state;
    assert_true(hearsay_is_behind(&h, 7, 9, BEGIN));
    assert_true(hearsay_is_behind(&h, 7, 9, BEGIN + 100 * HEARSAY_NEAR_MS));
}

static void one_block_is_waited_for_at_first(void **state)
{
    struct hearsay h = {0};
    (void)state;
    assert_true(hearsay_is_behind(&h, 7, 8, BEGIN));
    assert_true(hearsay_is_behind(&h, 7, 8, BEGIN + HEARSAY_NEAR_MS - 1));
    assert_false(hearsay_is_behind(&h, 7, 8, BEGIN + HEARSAY_NEAR_MS));
}

/* At each height somebody claims the next one. */
static void a_claim_at_every_height_keeps_nobody_waiting(void **state)
{
    struct hearsay h = {0};
    uint64_t now = BEGIN;
    uint64_t waited = 0;
    (void)state;
    for (uint64_t height = 7; height < 107; height++, now += 200) {
        waited += hearsay_is_behind(&h, height, height + 1, now) ? 200 : 0;
    }
    assert_int_equal(waited, HEARSAY_NEAR_MS);
}

static void who_falls_far_behind_waits_anew(void **state)
{
    struct hearsay h = {0};
    (void)state;
    assert_false(hearsay_is_behind(&h, 7, 7, BEGIN));
    assert_false(hearsay_is_behind(&h, 7, 8, BEGIN + HEARSAY_NEAR_MS));
    assert_true(hearsay_is_behind(&h, 7, 20, BEGIN + HEARSAY_NEAR_MS + 1));
    assert_true(hearsay_is_behind(&h, 19, 20, BEGIN + HEARSAY_NEAR_MS + 2));
    assert_false(
        hearsay_is_behind(&h, 19, 20, BEGIN + 2 * HEARSAY_NEAR_MS + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_waits_at_the_tip),
        cmocka_unit_test(one_far_behind_waits_however_long_it_takes),
        cmocka_unit_test(one_block_is_waited_for_at_first),
        cmocka_unit_test(a_claim_at_every_height_keeps_nobody_waiting),
        cmocka_unit_test(who_falls_far_behind_waits_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
