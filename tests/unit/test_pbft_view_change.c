/* View changes: section 4.4, and what section 4.5.2 asks of timers. */
#include "config.h"

#include "tests/unit/pbft_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_time_out_sends_a_view_change(void **state)
{
    (void)state;
    bench_timer(&bench, PBFT_TIMER_VIEW);
    assert_null(bench_find(&bench, PBFT_BROADCAST)); /* not durable yet */
    bench_persist(&bench);
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(VIEW_CHANGE));
    assert_non_null(sent);
    assert_int_equal(sent->view_change->view, 1);
    assert_null(sent->view_change->prepared);
    codec_free(sent);
    assert_true(pbft_status(bench.pbft).is_changing);
}

static void a_view_change_carries_what_was_prepared(void **state)
{
    (void)state;
    backup_commits();
    time_out();
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(VIEW_CHANGE));
    assert_non_null(sent);
    assert_true(pbft_verify(&bench.set, &bench.chain, sent));
    const Pot__PreparedCertificate *prepared = sent->view_change->prepared;
    assert_non_null(prepared);
    assert_true(codec_bytes_equal(prepared->digest, block.digest.b, HASH_SIZE));
    codec_free(sent);
}

static void a_replica_that_left_a_view_votes_no_more_in_it(void **state)
{
    (void)state;
    time_out();
    assert_true(bench_pre_prepare(&bench, 0, &block));
    assert_null(bench_find(&bench, PBFT_CHECK));
    assert_null(bench_find(&bench, PBFT_PERSIST));
}

static void commits_of_a_view_that_was_left_still_decide(void **state)
{
    (void)state;
    backup_commits();
    time_out();
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
}

/* 4.5.2: "waits for 2f+1 view-change messages" before it starts the timer;
 * so halves of a network do not run away in views. */
static void the_timer_runs_once_a_quorum_wants_the_view(void **state)
{
    (void)state;
    time_out();
    bench_timer(&bench, PBFT_TIMER_VIEW);
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    assert_true(bench_send_view_change(&bench, 0, 1, NULL));
    assert_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    const struct pbft_effect *timer = bench_find_timer(&bench, PBFT_TIMER_VIEW);
    assert_non_null(timer);
    assert_int_equal(timer->delay_ms, 2 * BENCH_TIMEOUT);
    bench_timer(&bench, PBFT_TIMER_VIEW);
    assert_int_equal(pbft_status(bench.pbft).view, 2);
}

static void the_time_out_doubles_up_to_its_cap(void **state)
{
    (void)state;
    uint64_t expected = BENCH_TIMEOUT;
    for (uint64_t view = 1; view < 8; view++) {
        assert_int_equal(pbft_status(bench.pbft).timeout_ms, expected);
        time_out();
        /* View 3's new view would come from this replica itself. */
        assert_true(bench_send_view_change(&bench, 0, view, NULL));
        assert_true(bench_send_view_change(&bench, 2, view, NULL));
        expected = 2 * expected < BENCH_CAP ? 2 * expected : BENCH_CAP;
        assert_int_equal(pbft_status(bench.pbft).view, view);
    }
    struct hash digest = {{4}};
    bench_committed(&bench, 1, 7, &digest);
    assert_int_equal(pbft_status(bench.pbft).timeout_ms, BENCH_TIMEOUT);
}

/* 4.5.2: f+1 view changes for later views, and the smallest view of them. */
static void a_replica_joins_f_plus_one_others(void **state)
{
    (void)state;
    assert_true(bench_send_view_change(&bench, 1, 9, NULL));
    assert_int_equal(pbft_status(bench.pbft).view, 0);
    assert_true(bench_send_view_change(&bench, 2, 5, NULL));
    assert_int_equal(pbft_status(bench.pbft).view, 5);
    assert_true(pbft_status(bench.pbft).is_changing);
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(VIEW_CHANGE)));
}

static void one_replica_far_ahead_moves_nobody(void **state)
{
    (void)state;
    for (uint64_t view = 1; view < 100; view += 7) {
        assert_true(bench_send_view_change(&bench, 1, view << 20, NULL));
        assert_int_equal(pbft_status(bench.pbft).view, 0);
        assert_false(pbft_status(bench.pbft).is_changing);
    }
}

/* That one, and no other. */
static void a_primary_that_leaves_its_view_ends_it(void **state)
{
    (void)state;
    assert_true(bench_send_view_change(&bench, 0, 1 << 20, NULL));
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    assert_true(pbft_status(bench.pbft).is_changing);
    assert_true(bench_send_view_change(&bench, 0, 1 << 21, NULL));
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(VIEW_CHANGE)));
}

static void the_primary_opens_the_view_with_a_quorum(void **state)
{
    (void)state;
    time_out();
    assert_true(bench_send_view_change(&bench, 0, 1, NULL));
    assert_false(bench_has_sent(&bench, SENT(NEW_VIEW)));
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(NEW_VIEW));
    assert_non_null(sent);
    assert_true(pbft_verify(&bench.set, &bench.chain, sent));
    codec_free(sent);
    assert_non_null(bench_find(&bench, PBFT_PROPOSE));
    assert_false(pbft_status(bench.pbft).is_changing);
}

static void the_primary_proposes_its_prepared_block_again(void **state)
{
    (void)state;
    backup_commits();
    time_out();
    assert_true(bench_send_view_change(&bench, 0, 1, NULL));
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    assert_null(bench_find(&bench, PBFT_PROPOSE));
    bench_persist(&bench);
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(PRE_PREPARE));
    assert_non_null(sent);
    assert_int_equal(sent->pre_prepare->vote->view, 1);
    assert_true(codec_bytes_equal(sent->pre_prepare->vote->digest,
                                  block.digest.b, HASH_SIZE));
    codec_free(sent);
}

static void the_primary_fetches_a_block_others_prepared(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    time_out();
    assert_true(bench_send_view_change(&bench, 0, 1, NULL));
    assert_true(bench_send_view_change(&bench, 2, 1, prepared));
    assert_null(bench_find(&bench, PBFT_PROPOSE));
    /* Asked are its primary and who prepared it; replica 1 is this one. */
    uint32_t asked = 0;
    for (size_t i = 0; i < bench.effects.count; i++) {
        const struct pbft_effect *effect = &bench.effects.items[i];
        asked += effect->type == PBFT_SEND ? 1U << effect->replica : 0;
    }
    assert_int_equal(asked, 1U << 0 | 1U << 2);
    size_t size;
    uint8_t *bytes =
        pbft_message_encode_block_reply(&size, 1, block.data, block.size);
    assert_true(bench_message(&bench, 2, bytes, size));
    assert_non_null(bench_find(&bench, PBFT_CHECK));
    bench_checked(&bench, &block, true);
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PRE_PREPARE)));
    free(bytes);
    codec_free(prepared);
}

static void enter_view_one(const Pot__PreparedCertificate *prepared)
{
    Pot__ViewChange *changes[3];
    for (uint32_t i = 0; i < 3; i++) {
        changes[i] = bench_view_change(&bench, i, 1, i == 2 ? prepared : NULL);
    }
    assert_true(bench_new_view(&bench, 1, changes, 3));
    for (uint32_t i = 0; i < 3; i++) {
        codec_free(changes[i]);
    }
}

static void a_new_view_takes_along_who_has_not_timed_out(void **state)
{
    (void)state;
    enter_view_one(NULL);
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    assert_false(pbft_status(bench.pbft).is_changing);
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    struct bench_block fresh = bench_block(&bench, 1, 3);
    assert_true(bench_pre_prepare(&bench, 1, &fresh));
    assert_non_null(bench_find(&bench, PBFT_CHECK));
    bench_block_fini(&fresh);
}

static void the_primary_is_held_to_what_the_new_view_selects(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    struct bench_block fresh = bench_block(&bench, 1, 3);
    enter_view_one(prepared);
    assert_true(bench_pre_prepare(&bench, 1, &fresh));
    assert_null(bench_find(&bench, PBFT_CHECK));
    assert_true(bench_pre_prepare(&bench, 1, &block));
    assert_non_null(bench_find(&bench, PBFT_CHECK));
    bench_block_fini(&fresh);
    codec_free(prepared);
}

/* "chooses the prepared certificate of the highest view". */
static void of_two_prepared_blocks_the_later_one_is_selected(void **state)
{
    (void)state;
    struct bench_block later = bench_block(&bench, 1, 3);
    Pot__PreparedCertificate *old = bench_prepared(&bench, 0, &block.digest);
    Pot__PreparedCertificate *new = bench_prepared(&bench, 1, &later.digest);
    Pot__ViewChange *changes[] = {
        bench_view_change(&bench, 0, 2, new),
        bench_view_change(&bench, 1, 2, old),
        bench_view_change(&bench, 2, 2, NULL),
    };
    assert_true(bench_new_view(&bench, 2, changes, 3));
    assert_true(bench_pre_prepare(&bench, 2, &block));
    assert_null(bench_find(&bench, PBFT_CHECK));
    assert_true(bench_pre_prepare(&bench, 2, &later));
    assert_non_null(bench_find(&bench, PBFT_CHECK));
    for (size_t i = 0; i < 3; i++) {
        codec_free(changes[i]);
    }
    codec_free(old);
    codec_free(new);
    bench_block_fini(&later);
}

static void a_later_view_without_a_new_view_is_not_voted_in(void **state)
{
    (void)state;
    struct bench_block fresh = bench_block(&bench, 1, 3);
    assert_true(bench_pre_prepare(&bench, 1, &fresh));
    assert_null(bench_find(&bench, PBFT_CHECK));
    /* It came too soon; once the view is open it counts. */
    enter_view_one(NULL);
    assert_non_null(bench_find(&bench, PBFT_CHECK));
    bench_block_fini(&fresh);
}

static void who_asks_for_an_open_view_is_told_how_it_opened(void **state)
{
    (void)state;
    enter_view_one(NULL);
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    assert_true(bench_has_sent(&bench, SENT(NEW_VIEW)));
    assert_int_equal(bench_find(&bench, PBFT_SEND)->replica, 2);
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    assert_null(bench_find(&bench, PBFT_SEND)); /* once a resend */
}

static void a_repeated_new_view_does_not_wind_up_the_timer(void **state)
{
    (void)state;
    enter_view_one(NULL);
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    enter_view_one(NULL);
    assert_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    enter_view_one(prepared);
    assert_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    codec_free(prepared);
}

static void any_committed_block_ends_a_view_change(void **state)
{
    (void)state;
    time_out();
    struct hash digest = {{4}};
    bench_committed(&bench, 1, 0, &digest);
    struct pbft_status status = pbft_status(bench.pbft);
    assert_false(status.is_changing);
    assert_int_equal(status.height, 2);
    assert_int_equal(status.view, 0); /* the certificate's */
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
}

static void view_changes_are_sent_again(void **state)
{
    (void)state;
    time_out();
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_true(bench_has_sent(&bench, SENT(VIEW_CHANGE)));
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
}

static void a_timer_runs_in_every_state(void **state)
{
    (void)state;
    /* Normal, changing, open again, decided: resending goes on. */
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
    time_out();
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
    enter_view_one(NULL);
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(bench_vote(&bench, commit, i, 1, 1, &block.digest));
    }
    assert_true(pbft_status(bench.pbft).is_decided);
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
}

static void a_slow_check_of_ones_own_is_not_held_against_it(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    bench_timer(&bench, PBFT_TIMER_VIEW);
    assert_int_equal(pbft_status(bench.pbft).view, 0);
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    bench_checked(&bench, &block, true);
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    bench_timer(&bench, PBFT_TIMER_VIEW);
    assert_int_equal(pbft_status(bench.pbft).view, 1);
}

static void a_check_that_never_ends_does_not_stop_the_view(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    for (int i = 0; i < BENCH_CAP / BENCH_TIMEOUT; i++) {
        assert_int_equal(pbft_status(bench.pbft).view, 0);
        bench_timer(&bench, PBFT_TIMER_VIEW);
    }
    assert_int_equal(pbft_status(bench.pbft).view, 1);
}

/* An old timer that fires late must not end a younger view. */
static void stale_timers_are_ignored(void **state)
{
    (void)state;
    struct pbft_event event = {.type = PBFT_TIMER};
    event.u.timer.timer = PBFT_TIMER_VIEW;
    event.u.timer.generation = 1;
    assert_true(bench_pre_prepare(&bench, 0, &block)); /* generation 2 */
    bench_step(&bench, &event);
    assert_int_equal(bench.effects.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_time_out_sends_a_view_change, open_backup),
        CASE(a_view_change_carries_what_was_prepared, open_backup),
        CASE(a_replica_that_left_a_view_votes_no_more_in_it, open_backup),
        CASE(commits_of_a_view_that_was_left_still_decide, open_backup),
        CASE(the_timer_runs_once_a_quorum_wants_the_view, open_backup),
        CASE(the_time_out_doubles_up_to_its_cap, open_backup),
        CASE(a_replica_joins_f_plus_one_others, open_backup),
        CASE(one_replica_far_ahead_moves_nobody, open_backup),
        CASE(a_primary_that_leaves_its_view_ends_it, open_backup),
        CASE(the_primary_opens_the_view_with_a_quorum, open_next_primary),
        CASE(the_primary_proposes_its_prepared_block_again, open_next_primary),
        CASE(the_primary_fetches_a_block_others_prepared, open_next_primary),
        CASE(a_new_view_takes_along_who_has_not_timed_out, open_backup),
        CASE(the_primary_is_held_to_what_the_new_view_selects, open_backup),
        CASE(of_two_prepared_blocks_the_later_one_is_selected, open_backup),
        CASE(a_later_view_without_a_new_view_is_not_voted_in, open_backup),
        CASE(who_asks_for_an_open_view_is_told_how_it_opened, open_backup),
        CASE(a_repeated_new_view_does_not_wind_up_the_timer, open_backup),
        CASE(any_committed_block_ends_a_view_change, open_backup),
        CASE(view_changes_are_sent_again, open_backup),
        CASE(a_timer_runs_in_every_state, open_backup),
        CASE(a_slow_check_of_ones_own_is_not_held_against_it, open_backup),
        CASE(a_check_that_never_ends_does_not_stop_the_view, open_backup),
        CASE(stale_timers_are_ignored, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
