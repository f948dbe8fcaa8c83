/* Primaries that answer and yet serve badly: section "A slow or censoring
 * primary" of docs/protocol.md. */
#include "config.h"

#include "tests/unit/pbft_case.h"

#include "consensus/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const Pot__Cause slow = POT__CAUSE__CAUSE_SLOW;
static const Pot__Cause censor = POT__CAUSE__CAUSE_CENSOR;

static bool is_changing(void)
{
    return pbft_status(bench.pbft).is_changing;
}

static uint64_t changes(enum pbft_change why)
{
    return pbft_status(bench.pbft).view_changes[why];
}

static bool tells(Pot__Cause cause)
{
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(SUSPICION));
    bool is_told = sent != NULL && sent->suspicion->cause == cause &&
                   pbft_verify(&bench.set, &bench.chain, sent);
    codec_free(sent);
    return is_told;
}

/* Heights of view 0 with work, each block after lag_ms. */
static void live_heights(unsigned count, uint64_t lag_ms)
{
    for (unsigned i = 0; i < count; i++) {
        struct bench_block each = bench_block(&bench, 0, i);
        bench_work(&bench);
        bench.now_ms += lag_ms;
        assert_true(bench_pre_prepare(&bench, 0, &each));
        bench_committed(&bench, bench.height + 1, 0, &each.digest);
        bench_block_fini(&each);
    }
}

static void f_plus_one_suspicions_turn_the_view(void **state)
{
    (void)state;
    assert_true(bench_suspicion(&bench, 1, 1, 0, slow));
    assert_false(is_changing());
    assert_true(bench_suspicion(&bench, 2, 1, 0, censor));
    assert_true(is_changing());
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    assert_int_equal(changes(PBFT_CHANGE_JOINED), 1);
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(VIEW_CHANGE)));
}

/* However often, and of whatever height, f faulty ones say it. */
static void f_replicas_cannot_turn_the_view_by_claims(void **state)
{
    (void)state;
    for (uint64_t height = 1; height < 100; height++) {
        assert_true(bench_suspicion(&bench, 1, height, 0, slow));
        assert_true(bench_suspicion(&bench, 1, height, 0, censor));
        assert_false(is_changing());
    }
}

static void a_suspicion_is_of_its_view_alone(void **state)
{
    (void)state;
    assert_true(bench_suspicion(&bench, 1, 1, 3, slow));
    assert_true(bench_suspicion(&bench, 2, 1, 3, slow));
    assert_false(is_changing());
}

/* In a fast chain they are never at one height. */
static void suspicions_of_different_heights_add_up(void **state)
{
    (void)state;
    assert_true(bench_suspicion(&bench, 1, 9, 0, slow));
    live_heights(3, 0);
    assert_true(bench_suspicion(&bench, 2, 1, 0, slow));
    assert_true(is_changing());
}

static void a_suspicion_passes_and_is_not_replayed(void **state)
{
    (void)state;
    assert_true(bench_suspicion(&bench, 1, 5, 0, slow));
    bench.now_ms += 2 * BENCH_TIMEOUT;
    assert_true(bench_suspicion(&bench, 1, 5, 0, slow)); /* the same word */
    assert_true(bench_suspicion(&bench, 1, 4, 0, slow)); /* an older one */
    assert_true(bench_suspicion(&bench, 2, 5, 0, slow));
    assert_false(is_changing());
    assert_true(bench_suspicion(&bench, 1, 6, 0, slow));
    assert_true(is_changing());
}

static void only_its_signer_can_say_it(void **state)
{
    (void)state;
    size_t size;
    struct signature signature;
    Pot__Suspicion made = POT__SUSPICION__INIT;
    made.height = 1;
    made.cause = slow;
    made.replica = 2;
    pbft_message_sign_suspicion(&signature, bench.keys[1], &bench.chain, &made);
    made.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    uint8_t *bytes = pbft_message_encode_suspicion(&size, &made);
    assert_false(bench_message(&bench, 2, bytes, size));
    free(bytes);
    assert_false(bench_suspicion(&bench, 1, 1, 0, POT__CAUSE__CAUSE_NONE));
    assert_false(bench_suspicion(&bench, 1, 0, 0, slow));
    assert_false(bench_suspicion(&bench, 1, 1, UINT64_MAX, slow));
}

/* 0.9 of the time-out, for a hundred blocks if it could. */
static void a_primary_just_under_the_time_out_is_suspected(void **state)
{
    (void)state;
    live_heights(PACE_BLOCKS_MIN - 1, BENCH_TIMEOUT * 9 / 10);
    assert_false(tells(slow));
    live_heights(1, BENCH_TIMEOUT * 9 / 10);
    assert_true(tells(slow));
    assert_false(is_changing()); /* alone it stays, and votes */
    assert_true(bench_suspicion(&bench, 1, bench.height, 0, slow));
    assert_true(is_changing());
    assert_int_equal(changes(PBFT_CHANGE_SLOW), 1);
}

static void a_prompt_primary_is_not_suspected(void **state)
{
    (void)state;
    live_heights(100, BENCH_TIMEOUT / PACE_FLOOR_PART);
    assert_false(tells(slow));
    assert_true(bench_suspicion(&bench, 1, bench.height, 0, slow));
    assert_false(is_changing());
}

static void a_suspicion_is_said_again_as_long_as_it_stands(void **state)
{
    (void)state;
    live_heights(PACE_BLOCKS_MIN, BENCH_TIMEOUT * 9 / 10);
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_true(tells(slow));
    live_heights(PACE_BLOCKS, 0); /* it has mended its ways */
    assert_false(tells(slow));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_false(tells(slow));
}

static void the_callers_word_is_told_and_passes(void **state)
{
    (void)state;
    bench_suspect(&bench, 0);
    assert_true(tells(censor));
    assert_false(is_changing());
    bench.now_ms += 2 * BENCH_TIMEOUT;
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_false(tells(censor));
    bench_suspect(&bench, 0);
    assert_true(bench_suspicion(&bench, 1, 1, 0, censor));
    assert_true(is_changing());
    assert_int_equal(changes(PBFT_CHANGE_CENSOR), 1);
}

static void the_callers_word_of_a_view_gone_by_is_not_taken(void **state)
{
    (void)state;
    bench_suspect(&bench, 7);
    assert_false(tells(censor));
    time_out();
    bench_suspect(&bench, 0);
    bench_suspect(&bench, 1); /* it has not opened yet */
    assert_false(tells(censor));
}

static void the_primary_does_not_suspect_itself(void **state)
{
    (void)state;
    bench_suspect(&bench, 0);
    assert_false(tells(censor));
    assert_true(bench_suspicion(&bench, 1, 1, 0, slow));
    assert_true(bench_suspicion(&bench, 2, 1, 0, slow));
    assert_false(is_changing()); /* it is told by their view changes */
}

/* With n = 2 nobody is faulty, and one word is enough. */
static void without_faulty_ones_a_single_word_counts(void **state)
{
    (void)state;
    struct bench_block first = bench_block(&bench, 1, 1);
    bench_committed(&bench, 1, 1, &first.digest); /* replica 1 is primary */
    bench_suspect(&bench, 1);
    assert_true(is_changing());
    bench_block_fini(&first);
}

static void a_new_validator_set_forgets_suspicions(void **state)
{
    (void)state;
    assert_true(bench_suspicion(&bench, 1, 1, 0, slow));
    struct bench_block first = bench_block(&bench, 0, 1);
    struct public_key key = bench.set.keys[2];
    bench.set.keys[2] = bench.set.keys[1];
    bench.set.keys[1] = key;
    bench_committed(&bench, 1, 0, &first.digest);
    bench.set.keys[1] = bench.set.keys[2];
    bench.set.keys[2] = key;
    bench_committed(&bench, 2, 0, &first.digest);
    assert_true(bench_suspicion(&bench, 2, 3, 0, slow));
    assert_false(is_changing());
    bench_block_fini(&first);
}

/* ---- a process that stood still */

static void a_pause_drops_what_ran_out_meanwhile(void **state)
{
    (void)state;
    bench_work(&bench);
    bench.now_ms += 100 * BENCH_TIMEOUT;
    bench_timer(&bench, PBFT_TIMER_VIEW);
    /* The view's time begins anew, and the others are heard first. */
    assert_false(is_changing());
    assert_null(bench_find(&bench, PBFT_BROADCAST));
    assert_int_equal(bench_find_timer(&bench, PBFT_TIMER_VIEW)->delay_ms,
                     BENCH_TIMEOUT);
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
    bench_timer(&bench, PBFT_TIMER_VIEW);
    assert_true(is_changing());
}

static void a_primary_that_stood_still_proposes_later(void **state)
{
    (void)state;
    bench.now_ms += 100 * BENCH_TIMEOUT;
    bench_timer(&bench, PBFT_TIMER_PROPOSE);
    assert_null(bench_find(&bench, PBFT_PROPOSE));
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_PROPOSE));
    bench_timer(&bench, PBFT_TIMER_PROPOSE);
    assert_non_null(bench_find(&bench, PBFT_PROPOSE));
}

static void a_pause_of_its_own_is_no_lag_of_the_primary(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * PACE_BLOCKS; i++) {
        live_heights(1, 5 * BENCH_TIMEOUT);
        assert_false(tells(slow));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(f_plus_one_suspicions_turn_the_view, open_backup),
        CASE(f_replicas_cannot_turn_the_view_by_claims, open_backup),
        CASE(a_suspicion_is_of_its_view_alone, open_backup),
        CASE(suspicions_of_different_heights_add_up, open_backup),
        CASE(a_suspicion_passes_and_is_not_replayed, open_backup),
        CASE(only_its_signer_can_say_it, open_backup),
        CASE(a_primary_just_under_the_time_out_is_suspected, open_backup),
        CASE(a_prompt_primary_is_not_suspected, open_backup),
        CASE(a_suspicion_is_said_again_as_long_as_it_stands, open_backup),
        CASE(the_callers_word_is_told_and_passes, open_backup),
        CASE(the_callers_word_of_a_view_gone_by_is_not_taken, open_backup),
        CASE(the_primary_does_not_suspect_itself, open_primary),
        CASE(without_faulty_ones_a_single_word_counts, open_pair),
        CASE(a_new_validator_set_forgets_suspicions, open_backup),
        CASE(a_pause_drops_what_ran_out_meanwhile, open_backup),
        CASE(a_primary_that_stood_still_proposes_later, open_primary),
        CASE(a_pause_of_its_own_is_no_lag_of_the_primary, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
