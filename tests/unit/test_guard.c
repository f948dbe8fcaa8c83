/* The guard: when a validator votes, when it waits, and when it stops. */
#include "config.h"

#include "node/block/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SELF 0

static const struct hash chain = {{7}};

static struct {
    struct key *keys[VALIDATORS_MAX];
    struct validator_set set;
    struct guard guard;
    struct pbft_mark own;
} f;

static void begin(uint32_t n, bool has_record, uint64_t tip,
                  enum guard_state state)
{
    f.set.count = n;
    for (uint32_t i = 0; i < n; i++) {
        f.set.keys[i] = *key_public(f.keys[i]);
    }
    memset(&f.own, 0, sizeof(f.own));
    guard_init(&f.guard, &f.set.keys[SELF], &chain, has_record, state);
    guard_tip(&f.guard, tip, &f.set);
}

static int make_keys(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        uint8_t seed[32] = {(uint8_t)i, 1};
        f.keys[i] = key_from_seed(seed);
    }
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        key_free(f.keys[i]);
    }
    return 0;
}

static enum guard_verdict judge(void)
{
    return guard_judge(&f.guard, &f.own);
}

/* The word for a commit at a height, by self's key or another's. */
static bool show(uint64_t height, uint32_t signer)
{
    struct pbft_mark mark = {.height = height,
                             .rank = (uint32_t)POT__PHASE__PHASE_COMMIT};
    uint8_t bytes[49] = {(uint8_t)POT__PHASE__PHASE_COMMIT};
    struct signature signature;
    for (unsigned i = 0; i < 8; i++) {
        bytes[1 + i] = (uint8_t)(height >> 8 * i);
    }
    key_sign(&signature, f.keys[signer], "vote", &chain, bytes, sizeof(bytes));
    return guard_seen(&f.guard, &mark, &signature, &f.own);
}

static void a_quorum_at_our_height_lets_us_vote(void **state)
{
    (void)state;
    begin(4, true, 10, GUARD_ASKING);
    guard_answered(&f.guard, &f.set.keys[1], 10);
    assert_int_equal(judge(), GUARD_STAY);
    guard_answered(&f.guard, &f.set.keys[1], 9); /* the same one again */
    guard_answered(&f.guard, &f.set.keys[SELF], 10);
    assert_int_equal(judge(), GUARD_STAY);
    guard_answered(&f.guard, &f.set.keys[2], 11); /* beyond us */
    assert_int_equal(judge(), GUARD_STAY);
    guard_tip(&f.guard, 11, &f.set);
    assert_int_equal(judge(), GUARD_RELEASE);
    assert_int_equal(judge(), GUARD_STAY);
}

static void an_answer_counts_while_its_giver_is_connected(void **state)
{
    (void)state;
    begin(4, true, 10, GUARD_ASKING);
    guard_answered(&f.guard, &f.set.keys[1], 10);
    guard_lost(&f.guard, &f.set.keys[1]);
    guard_answered(&f.guard, &f.set.keys[2], 10);
    assert_int_equal(judge(), GUARD_STAY);
    guard_answered(&f.guard, &f.set.keys[1], 10);
    assert_int_equal(judge(), GUARD_RELEASE);
}

/* In every state, and of any number: f say so, and one more. */
static void who_is_elsewhere_by_more_than_can_lie_stops(void **state)
{
    static const enum guard_state states[] = {GUARD_ASKING, GUARD_RECOVERING,
                                              GUARD_CLEAR};
    (void)state;
    for (uint32_t n = 2; n <= 13; n++) {
        for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
            begin(n, true, 10, states[i]);
            for (uint32_t k = 1; k <= validator_set_faults(n); k++) {
                guard_elsewhere(&f.guard, &f.set.keys[k]);
                guard_elsewhere(&f.guard, &f.set.keys[k]);
                guard_elsewhere(&f.guard, &f.set.keys[SELF]);
                guard_elsewhere(&f.guard, key_public(f.keys[20]));
                assert_int_equal(judge(), GUARD_STAY);
            }
            guard_elsewhere(&f.guard, &f.set.keys[n - 1]);
            assert_int_equal(judge(), GUARD_DOUBLED);
        }
    }
}

static void a_liar_alone_neither_stops_us_nor_lets_us_go(void **state)
{
    (void)state;
    begin(5, true, 10, GUARD_ASKING);
    guard_answered(&f.guard, &f.set.keys[1], 10);
    guard_answered(&f.guard, &f.set.keys[2], 10);
    guard_lost(&f.guard, &f.set.keys[2]);
    guard_elsewhere(&f.guard, &f.set.keys[2]);
    assert_int_equal(judge(), GUARD_STAY);
    guard_answered(&f.guard, &f.set.keys[3], 10);
    assert_int_equal(judge(), GUARD_STAY); /* two of three */
    guard_answered(&f.guard, &f.set.keys[4], 10);
    assert_int_equal(judge(), GUARD_RELEASE);
}

/* The other one went: who said so lets us in, and answers. */
static void an_answer_takes_the_word_back(void **state)
{
    (void)state;
    begin(4, true, 10, GUARD_ASKING);
    guard_elsewhere(&f.guard, &f.set.keys[1]);
    guard_answered(&f.guard, &f.set.keys[1], 10);
    guard_elsewhere(&f.guard, &f.set.keys[2]);
    assert_int_equal(judge(), GUARD_STAY);
    guard_answered(&f.guard, &f.set.keys[3], 10);
    assert_int_equal(judge(), GUARD_RELEASE);
}

static void without_a_set_nobody_can_be_asked(void **state)
{
    (void)state;
    const struct guard guard = {.state = GUARD_RECOVERING};
    uint64_t height;
    assert_int_equal(guard_needed(&guard), 0);
    assert_int_equal(guard_count(&guard), 0);
    assert_false(guard_height(&height, &guard));
}

static void an_old_record_waits_until_the_chain_is_past_it(void **state)
{
    (void)state;
    begin(4, true, 10, GUARD_ASKING);
    f.own.height = 10;
    assert_false(show(11, 1)); /* not our signature */
    assert_int_equal(judge(), GUARD_STAY);
    assert_true(show(11, SELF));
    assert_int_equal(judge(), GUARD_RECOVER);
    assert_int_equal(guard_needed(&f.guard), 3);
    for (uint32_t k = 1; k <= 3; k++) {
        guard_answered(&f.guard, &f.set.keys[k], 10);
    }
    guard_tip(&f.guard, 13, &f.set);
    assert_int_equal(judge(), GUARD_STAY);
    guard_tip(&f.guard, 14, &f.set);
    assert_int_equal(judge(), GUARD_RELEASE);
}

static void the_height_to_wait_for_is_that_of_the_lowest_that_suffice(
    void **state)
{
    (void)state;
    uint64_t height;
    begin(5, false, 10, GUARD_ASKING);
    assert_int_equal(judge(), GUARD_RECOVER);
    uint32_t needed = guard_needed(&f.guard);
    assert_int_equal(needed, 3);
    for (uint32_t k = 1; k <= needed; k++) {
        assert_false(guard_height(&height, &f.guard));
        guard_answered(&f.guard, &f.set.keys[k], 20 + k);
    }
    assert_true(guard_height(&height, &f.guard));
    assert_int_equal(height, 23 + 4);
    guard_answered(&f.guard, &f.set.keys[4], 15);
    assert_true(guard_height(&height, &f.guard));
    assert_int_equal(height, 22 + 4);
    guard_tip(&f.guard, height - 1, &f.set);
    assert_int_equal(judge(), GUARD_STAY);
    guard_tip(&f.guard, height, &f.set);
    assert_int_equal(judge(), GUARD_RELEASE);
}

static void a_height_that_cannot_be_ends_no_silence(void **state)
{
    (void)state;
    begin(4, false, 10, GUARD_ASKING);
    assert_int_equal(judge(), GUARD_RECOVER);
    guard_answered(&f.guard, &f.set.keys[1], 10);
    guard_answered(&f.guard, &f.set.keys[2], 10);
    guard_answered(&f.guard, &f.set.keys[3], UINT64_MAX);
    guard_tip(&f.guard, 100, &f.set);
    assert_int_equal(judge(), GUARD_STAY);
}

static void a_signature_later_than_ours_can_be_is_anothers(void **state)
{
    (void)state;
    begin(4, false, 10, GUARD_ASKING);
    assert_int_equal(judge(), GUARD_RECOVER);
    for (uint32_t k = 1; k <= 3; k++) {
        guard_answered(&f.guard, &f.set.keys[k], 10);
    }
    assert_true(show(12, SELF)); /* what an earlier life may have signed */
    assert_int_equal(judge(), GUARD_STAY);
    assert_true(show(13, SELF));
    assert_int_equal(judge(), GUARD_DOUBLED);
}

static void who_votes_and_sees_its_key_ahead_stops(void **state)
{
    (void)state;
    begin(4, true, 10, GUARD_CLEAR);
    assert_true(show(11, SELF));
    assert_int_equal(judge(), GUARD_STAY); /* a word that is given */
    begin(4, true, 10, GUARD_ASKING);
    for (uint32_t k = 1; k <= 3; k++) {
        guard_answered(&f.guard, &f.set.keys[k], 10);
    }
    assert_int_equal(judge(), GUARD_RELEASE);
    assert_true(show(11, SELF));
    assert_int_equal(judge(), GUARD_DOUBLED);
}

static void another_set_is_asked_anew(void **state)
{
    (void)state;
    begin(4, true, 10, GUARD_ASKING);
    guard_answered(&f.guard, &f.set.keys[1], 10);
    guard_elsewhere(&f.guard, &f.set.keys[2]);
    f.set.count = 5;
    f.set.keys[4] = *key_public(f.keys[4]);
    guard_tip(&f.guard, 11, &f.set);
    assert_int_equal(guard_count(&f.guard), 0);
    guard_elsewhere(&f.guard, &f.set.keys[3]);
    assert_int_equal(judge(), GUARD_STAY);
}

static void who_recovers_says_so_until_it_does_not(void **state)
{
    (void)state;
    begin(4, true, 10, GUARD_CLEAR);
    assert_false(guard_is_recovering(&f.guard, &f.set.keys[1]));
    guard_recovers(&f.guard, &f.set.keys[1], true);
    guard_recovers(&f.guard, key_public(f.keys[5]), true); /* of no such one */
    assert_true(guard_is_recovering(&f.guard, &f.set.keys[1]));
    assert_false(guard_is_recovering(&f.guard, &f.set.keys[2]));
    assert_false(guard_is_recovering(&f.guard, key_public(f.keys[5])));
    guard_recovers(&f.guard, &f.set.keys[1], false);
    assert_false(guard_is_recovering(&f.guard, &f.set.keys[1]));
}

/* Who signed at a height had executed the one before, whatever its store
 * says now. */
static void who_lost_its_store_tells_where_it_stood(void **state)
{
    (void)state;
    const struct pbft_mark none = {0};
    const struct pbft_mark own = {.height = 101};
    begin(4, true, 0, GUARD_CLEAR);
    assert_int_equal(guard_told(&f.guard, &none), 0);
    assert_int_equal(guard_told(&f.guard, &own), 100);
    guard_tip(&f.guard, 99, &f.set);
    assert_int_equal(guard_told(&f.guard, &own), 100);
    guard_tip(&f.guard, 150, &f.set);
    assert_int_equal(guard_told(&f.guard, &own), 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quorum_at_our_height_lets_us_vote),
        cmocka_unit_test(an_answer_counts_while_its_giver_is_connected),
        cmocka_unit_test(who_is_elsewhere_by_more_than_can_lie_stops),
        cmocka_unit_test(a_liar_alone_neither_stops_us_nor_lets_us_go),
        cmocka_unit_test(an_answer_takes_the_word_back),
        cmocka_unit_test(without_a_set_nobody_can_be_asked),
        cmocka_unit_test(an_old_record_waits_until_the_chain_is_past_it),
        cmocka_unit_test(a_height_that_cannot_be_ends_no_silence),
        cmocka_unit_test(
            the_height_to_wait_for_is_that_of_the_lowest_that_suffice),
        cmocka_unit_test(a_signature_later_than_ours_can_be_is_anothers),
        cmocka_unit_test(who_votes_and_sees_its_key_ahead_stops),
        cmocka_unit_test(another_set_is_asked_anew),
        cmocka_unit_test(who_recovers_says_so_until_it_does_not),
        cmocka_unit_test(who_lost_its_store_tells_where_it_stood),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
