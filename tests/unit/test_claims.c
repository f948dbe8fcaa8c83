/* What peers claim, and for how long who fails is not believed. */
#include "config.h"

#include "p2p/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void claim(struct claims *claims, uint64_t peer_id, uint64_t height)
{
    const struct claim status = {.height = height};
    (void)claims_set(claims, peer_id, &status);
}

static void the_highest_believed_claim_counts(void **state)
{
    struct claims claims = {.distrust_ms = 10};
    (void)state;
    claims_add(&claims, 1);
    claims_add(&claims, 2);
    assert_int_equal(claims_highest(&claims, 0), 0);
    assert_null(claims_get(&claims, 1));
    claim(&claims, 1, 7);
    claim(&claims, 2, 9);
    claim(&claims, 3, 100); /* nobody */
    assert_int_equal(claims_get(&claims, 1)->height, 7);
    assert_int_equal(claims_highest(&claims, 0), 9);
    claims_distrust(&claims, 2, 0);
    assert_int_equal(claims_highest(&claims, 9), 7);
    assert_int_equal(claims_highest(&claims, 10), 9);
    claims_remove(&claims, 2);
    assert_int_equal(claims_highest(&claims, 10), 7);
    claims_fini(&claims);
}

/* From now on until when the peer's claims count for nothing. */
static uint64_t distrusted_for(struct claims *claims, uint64_t peer_id)
{
    uint64_t ms = 0;
    claims_distrust(claims, peer_id, 1000);
    while (claims_choose(claims, 1, 1000 + ms) != peer_id) {
        ms++;
    }
    return ms;
}

static void distrust_doubles_up_to_a_bound_and_ends_with_a_block(void **state)
{
    struct claims claims = {.distrust_ms = 10};
    (void)state;
    claims_add(&claims, 5);
    claim(&claims, 5, 1);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(distrusted_for(&claims, 5), 10 << i);
    }
    assert_int_equal(distrusted_for(&claims, 5), 1280);
    assert_int_equal(distrusted_for(&claims, 5), 1280);
    claims_credit(&claims, 5);
    assert_int_equal(distrusted_for(&claims, 5), 10);
    claims_fini(&claims);
}

static void everyone_high_enough_is_chosen_some_time(void **state)
{
    struct claims claims = {.distrust_ms = 10};
    unsigned chosen[4] = {0};
    (void)state;
    for (uint64_t id = 1; id <= 3; id++) {
        claims_add(&claims, id);
        claim(&claims, id, 10 * id);
    }
    for (unsigned i = 0; i < 200; i++) {
        chosen[claims_choose(&claims, 20, 0)]++;
    }
    assert_int_equal(chosen[0] + chosen[1], 0);
    assert_true(chosen[2] > 0 && chosen[3] > 0);
    assert_int_equal(claims_choose(&claims, 31, 0), 0);
    claims_fini(&claims);
}

static void who_has_pruned_a_height_is_not_chosen_for_it(void **state)
{
    struct claims claims = {.distrust_ms = 10};
    const struct claim pruned = {.height = 90, .lowest = 50};
    (void)state;
    claims_add(&claims, 1);
    assert_true(claims_set(&claims, 1, &pruned));
    assert_int_equal(claims_choose(&claims, 49, 0), 0);
    assert_int_equal(claims_next(&claims, 49, 0), 50);
    assert_int_equal(claims_choose(&claims, 50, 0), 1);
    assert_int_equal(claims_next(&claims, 50, 0), 0);
    claims_fini(&claims);
}

static void less_than_before_is_no_claim(void **state)
{
    struct claims claims = {.distrust_ms = 10};
    struct claim said = {.height = 90, .lowest = 50};
    (void)state;
    claims_add(&claims, 1);
    assert_true(claims_set(&claims, 1, &said));
    said.height = 89;
    assert_false(claims_set(&claims, 1, &said));
    said = (struct claim){.height = 91, .lowest = 49};
    assert_false(claims_set(&claims, 1, &said));
    assert_int_equal(claims_get(&claims, 1)->height, 90);
    claims_fini(&claims);
}

static void the_quick_are_asked_for_more_and_the_slow_for_less(void **state)
{
    struct claims claims = {.distrust_ms = 10};
    (void)state;
    claims_add(&claims, 1);
    claim(&claims, 1, 9);
    for (unsigned i = 0; i < CLAIMS_OPEN_MAX; i++) {
        assert_int_equal(claims_choose(&claims, 9, 0), 1);
        claims_asked(&claims, 1);
    }
    assert_int_equal(claims_choose(&claims, 9, 0), 0);
    uint32_t span = claims_span(&claims, 1);
    claims_answered(&claims, 1, 10, 10, 50);
    assert_int_equal(claims_span(&claims, 1), 2 * span);
    claims_answered(&claims, 1, 51, 10, 50);
    assert_int_equal(claims_span(&claims, 1), span);
    for (unsigned i = 0; i < 20; i++) {
        claims_asked(&claims, 1);
        claims_answered(&claims, 1, 10, 10, 50);
    }
    assert_int_equal(claims_span(&claims, 1), CLAIMS_SPAN_MAX);
    claims_distrust(&claims, 1, 0);
    assert_int_equal(claims_span(&claims, 1), 1);
    claims_fini(&claims);
}

static void what_is_ignored_counts_until_a_block_stands(void **state)
{
    struct claims claims = {.distrust_ms = 10};
    (void)state;
    claims_add(&claims, 1);
    assert_int_equal(claims_ignored(&claims, 1), 1);
    claims_distrust(&claims, 1, 0);
    assert_int_equal(claims_ignored(&claims, 1), 2);
    assert_int_equal(claims_ignored(&claims, 2), 0); /* nobody */
    claims_credit(&claims, 1);
    assert_int_equal(claims_ignored(&claims, 1), 1);
    claims_fini(&claims);
}

static void offer(struct claims *claims, uint64_t peer_id, uint64_t snapshot)
{
    const struct claim status = {.height = 1000, .snapshot = snapshot};
    claims_add(claims, peer_id);
    assert_true(claims_set(claims, peer_id, &status));
}

static void the_snapshot_that_most_offer_is_taken(void **state)
{
    struct claims claims = {.distrust_ms = 10};
    (void)state;
    assert_int_equal(claims_snapshot(&claims, UINT64_MAX, 0, 0), 0);
    offer(&claims, 1, 0);
    offer(&claims, 2, 400);
    assert_int_equal(claims_snapshot(&claims, UINT64_MAX, 0, 0), 400);
    offer(&claims, 3, 500);
    assert_int_equal(claims_snapshot(&claims, UINT64_MAX, 0, 0), 500);
    assert_int_equal(claims_snapshot(&claims, 499, 0, 0), 400);
    assert_int_equal(claims_snapshot(&claims, 399, 0, 0), 0);
    offer(&claims, 4, 400);
    offer(&claims, 5, 9000); /* alone with it */
    assert_int_equal(claims_snapshot(&claims, UINT64_MAX, 0, 0), 400);
    assert_int_equal(claims_snapshot(&claims, UINT64_MAX, 400, 0), 9000);
    claims_distrust(&claims, 2, 0);
    claims_distrust(&claims, 5, 0);
    assert_int_equal(claims_snapshot(&claims, UINT64_MAX, 0, 9), 500);
    claims_fini(&claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_believed_claim_counts),
        cmocka_unit_test(distrust_doubles_up_to_a_bound_and_ends_with_a_block),
        cmocka_unit_test(what_is_ignored_counts_until_a_block_stands),
        cmocka_unit_test(who_has_pruned_a_height_is_not_chosen_for_it),
        cmocka_unit_test(less_than_before_is_no_claim),
        cmocka_unit_test(the_quick_are_asked_for_more_and_the_slow_for_less),
        cmocka_unit_test(the_snapshot_that_most_offer_is_taken),
        cmocka_unit_test(everyone_high_enough_is_chosen_some_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
