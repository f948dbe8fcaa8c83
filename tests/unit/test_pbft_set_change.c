/* The validator set changes with a height, whatever goes on at it. */
#include "config.h"

#include "tests/unit/pbft_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Height 1 ends, and the next one is signed by so many. */
static void end_height(uint32_t count)
{
    bench.set.count = count;
    bench_committed(&bench, 1, 0, &block.digest);
}

static void propose_at(uint64_t view, struct bench_block *made)
{
    *made = bench_block(&bench, view, 9);
    assert_true(bench_pre_prepare(&bench, view, made));
    bench_checked(&bench, made, true);
    bench_persist(&bench);
}

static void a_view_change_ends_with_the_height_of_the_old_set(void **state)
{
    (void)state;
    struct bench_block next;
    backup_prepares();
    time_out();
    assert_true(pbft_status(bench.pbft).is_changing);
    end_height(4);
    bench.set.count = 3;
    bench_committed(&bench, 2, 0, &block.digest); /* the set shrinks there */
    bench.set.count = 4;
    bench_committed(&bench, 3, 0, &block.digest);
    struct pbft_status status = pbft_status(bench.pbft);
    assert_false(status.is_changing);
    assert_int_equal(status.height, 4);
    assert_int_equal(status.view, 0);
    assert_true(bench_send_view_change(&bench, 1, 1, NULL)); /* of height 4 */
    propose_at(0, &next);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
    bench_block_fini(&next);
}

/* The sender meant the old set's replica of that number. */
static void words_verified_with_the_old_set_count_no_more(void **state)
{
    (void)state;
    uint64_t set_id = pbft_status(bench.pbft).set_id;
    end_height(3);
    assert_int_not_equal(pbft_status(bench.pbft).set_id, set_id);
    bench.set.count = 4;
    bench_committed(&bench, 2, 0, &block.digest);
    assert_int_not_equal(pbft_status(bench.pbft).set_id, set_id);
}

static void who_left_the_set_is_silent(void **state)
{
    (void)state;
    struct bench_block next;
    backup_commits();
    end_height(3);
    assert_int_equal(pbft_status(bench.pbft).replica, PBFT_NO_REPLICA);
    next = bench_block(&bench, 0, 9);
    assert_true(bench_pre_prepare(&bench, 0, &next));
    assert_null(bench_find(&bench, PBFT_CHECK));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_null(bench_find(&bench, PBFT_BROADCAST));
    assert_true(bench_vote(&bench, commit, 0, 2, 0, &next.digest));
    assert_true(bench_vote(&bench, commit, 1, 2, 0, &next.digest));
    assert_non_null(bench_find(&bench, PBFT_COMMIT)); /* but it follows */
    bench_block_fini(&next);
}

static void a_record_of_the_old_set_says_nothing_in_the_new_one(void **state)
{
    (void)state;
    struct bench_block next;
    backup_prepares();
    bench.height = 1;
    bench.tip = block.digest;
    struct public_key first = bench.set.keys[0]; /* and the order changed */
    struct key *key = bench.keys[0];
    bench.set.keys[0] = bench.set.keys[3];
    bench.keys[0] = bench.keys[3];
    bench.set.keys[3] = first;
    bench.keys[3] = key;
    bench.self = 0;
    bench_restart(&bench);
    struct pbft_status status = pbft_status(bench.pbft);
    assert_int_equal(status.height, 2);
    assert_int_equal(status.replica, 0);
    assert_false(status.is_decided);
    next = bench_block(&bench, 0, 9);
    bench_work(&bench);
    bench_proposal(&bench, &next, 0);
    bench_checked(&bench, &next, true);
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PRE_PREPARE)));
    bench_block_fini(&next);
}

static void who_comes_back_with_an_old_record_begins_anew(void **state)
{
    (void)state;
    struct bench_block next;
    backup_commits();
    end_height(3); /* it left */
    bench_restart(&bench);
    assert_int_equal(pbft_status(bench.pbft).replica, PBFT_NO_REPLICA);
    bench.set.count = 4;
    bench_committed(&bench, 2, 0, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).replica, 3);
    propose_at(0, &next);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
    bench_block_fini(&next);
}

/* A record of a later height keeps it silent until the chain is there, also
 * when the set is another one by then. */
static void a_later_record_silences_over_a_change_of_the_set(void **state)
{
    (void)state;
    struct bench_block next;
    bench_committed(&bench, 1, 0, &block.digest);
    propose_at(0, &next); /* a vote at height 2 */
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
    bench.height = 0; /* the chain is lost, the record is not */
    memset(&bench.tip, 0, sizeof(bench.tip));
    bench_restart(&bench);
    bench.set.count = 4;
    struct bench_block first = bench_block(&bench, 0, 1);
    assert_true(bench_pre_prepare(&bench, 0, &first));
    assert_null(bench_find(&bench, PBFT_CHECK));
    bench_committed(&bench, 1, 0, &block.digest);
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_true(bench_has_sent(&bench, SENT(PREPARE))); /* the same again */
    bench_block_fini(&first);
    bench_block_fini(&next);
}

/* Views live across heights, and the primary is whoever the new set has in
 * the view's place. */
static void the_proposer_leaves_and_another_takes_its_view(void **state)
{
    (void)state;
    bench_committed(&bench, 1, 2, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).primary, 2);
    bench.set.count = 2;
    bench_committed(&bench, 2, 2, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).primary, 0);
    bench.set.count = 1;
    bench_committed(&bench, 3, 2, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).primary, 0);
    bench.set.count = 4;
    bench_committed(&bench, 4, 3, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).primary, 3);
    assert_int_equal(pbft_status(bench.pbft).replica, 3);
}

static void blocks_of_several_sets_may_come_at_once(void **state)
{
    (void)state;
    backup_prepares();
    for (uint32_t i = 1; i <= 8; i++) {
        bench.set.count = 1 + i % 4;
        bench_committed(&bench, i, i, &block.digest);
        struct pbft_status status = pbft_status(bench.pbft);
        assert_int_equal(status.height, i + 1);
        assert_int_equal(status.replica, i % 4 == 3 ? 3 : PBFT_NO_REPLICA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_view_change_ends_with_the_height_of_the_old_set, open_backup),
        CASE(words_verified_with_the_old_set_count_no_more, open_backup),
        CASE(who_left_the_set_is_silent, open_backup),
        CASE(a_record_of_the_old_set_says_nothing_in_the_new_one, open_backup),
        CASE(who_comes_back_with_an_old_record_begins_anew, open_backup),
        CASE(a_later_record_silences_over_a_change_of_the_set, open_backup),
        CASE(the_proposer_leaves_and_another_takes_its_view, open_backup),
        CASE(blocks_of_several_sets_may_come_at_once, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
