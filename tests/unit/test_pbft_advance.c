/* The first vote of a height, which goes ahead of its record: the commit's of
 * the height before says that it may be out. */
#include "config.h"

#include "tests/unit/pbft_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bench_block next; /* view 0's, for height 2 */

static int close_both(void **state)
{
    bench_block_fini(&next);
    next = (struct bench_block){.data = NULL};
    return close_bench(state);
}

/* To height 2, with the commit at height 1 on the disk. */
static void begin_next(void)
{
    backup_commits();
    bench_committed(&bench, 1, 0, &block.digest);
    next = bench_block(&bench, 0, 9);
}

/* The step in which it is checked is that in which it is voted for. */
static void accept_next(void)
{
    assert_true(bench_pre_prepare(&bench, 0, &next));
    bench_checked(&bench, &next, true);
}

static struct pbft_mark mark_at(uint64_t height, uint64_t view,
                                Pot__Phase phase)
{
    return (struct pbft_mark){.height = height,
                              .view = view,
                              .rank = (uint32_t)phase,
                              .digest = next.digest};
}

/* ---- that it goes ahead */

static void a_prepare_after_a_commit_waits_for_no_record(void **state)
{
    (void)state;
    begin_next();
    accept_next();
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
    assert_null(bench_find(&bench, PBFT_PERSIST));
    assert_int_equal(pbft_status(bench.pbft).signed_last.height, 2);
}

static void a_proposal_after_a_commit_waits_for_no_record(void **state)
{
    (void)state;
    primary_proposes();
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_persist(&bench);
    bench_committed(&bench, 1, 0, &block.digest);
    next = bench_block(&bench, 0, 9);
    bench_work(&bench);
    bench_proposal(&bench, &next, 0);
    bench_checked(&bench, &next, true);
    assert_true(bench_has_sent(&bench, SENT(PRE_PREPARE)));
    assert_null(bench_find(&bench, PBFT_PERSIST));
}

static void a_block_costs_one_record(void **state)
{
    (void)state;
    begin_next();
    accept_next();
    assert_true(bench_vote(&bench, prepare, 2, 2, 0, &next.digest));
    assert_non_null(bench_find(&bench, PBFT_PERSIST));
    assert_false(bench_has_sent(&bench, SENT(COMMIT)));
    bench_restart(&bench); /* it has both votes */
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
    assert_int_equal(pbft_status(bench.pbft).view, 0);
}

/* All prepares were there before the own one: what was signed last is known
 * when both are. */
static void a_commit_may_come_with_the_prepare(void **state)
{
    (void)state;
    begin_next();
    assert_true(bench_vote(&bench, prepare, 1, 2, 0, &next.digest));
    assert_true(bench_vote(&bench, prepare, 2, 2, 0, &next.digest));
    accept_next();
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
    assert_non_null(bench_find(&bench, PBFT_PERSIST));
    assert_int_equal(pbft_status(bench.pbft).signed_last.rank, commit);
}

/* ---- that it does not */

static bool waits_for_its_record(void)
{
    return !bench_has_sent(&bench, SENT(PREPARE)) &&
           bench_find(&bench, PBFT_PERSIST) != NULL;
}

static void it_waits_while_the_commits_record_is_not_durable(void **state)
{
    (void)state;
    backup_prepares();
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_committed(&bench, 1, 0, &block.digest); /* others committed */
    next = bench_block(&bench, 0, 9);
    accept_next();
    assert_false(bench_has_sent(&bench, SENT(PREPARE)));
    assert_null(bench_find(&bench, PBFT_PERSIST));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
}

static void without_an_own_commit_it_has_a_record(void **state)
{
    (void)state;
    backup_prepares();
    bench_committed(&bench, 1, 0, &block.digest);
    next = bench_block(&bench, 0, 9);
    accept_next();
    assert_true(waits_for_its_record());
}

static void in_a_later_view_it_has_a_record(void **state)
{
    (void)state;
    Pot__ViewChange *changes[3];
    begin_next();
    time_out();
    for (uint32_t i = 0; i < 3; i++) {
        changes[i] = bench_view_change(&bench, i, 1, NULL);
    }
    assert_true(bench_new_view(&bench, 1, changes, 3));
    for (uint32_t i = 0; i < 3; i++) {
        codec_free(changes[i]);
    }
    bench_block_fini(&next);
    next = bench_block(&bench, 1, 9);
    assert_true(bench_pre_prepare(&bench, 1, &next));
    bench_checked(&bench, &next, true);
    assert_true(waits_for_its_record());
}

/* ---- a restart that does not know of it */

static void what_may_have_been_cast_is_cast_no_more(void **state)
{
    (void)state;
    begin_next();
    accept_next();
    bench_restart(&bench);
    struct bench_block other = bench_block(&bench, 0, 10);
    struct pbft_status status = pbft_status(bench.pbft);
    assert_int_equal(status.height, 2);
    assert_int_equal(status.start_view, 0);
    assert_int_equal(status.view, 1);
    assert_true(status.is_changing);
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(VIEW_CHANGE)));
    assert_true(bench_pre_prepare(&bench, 0, &other));
    assert_null(bench_find(&bench, PBFT_CHECK));
    bench_checked(&bench, &other, true);
    assert_null(bench_find(&bench, PBFT_PERSIST));
    assert_false(bench_has_sent(&bench, SENT(PREPARE)));
    bench_block_fini(&other);
}

static void the_others_go_on_without_it(void **state)
{
    (void)state;
    begin_next();
    bench_restart(&bench);
    assert_true(bench_pre_prepare(&bench, 0, &next));
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(bench_vote(&bench, commit, i, 2, 0, &next.digest));
    }
    bench_committed(&bench, 2, 0, &next.digest);
    bench_block_fini(&next);
    next = bench_block(&bench, 0, 10);
    accept_next();
    assert_non_null(bench_find(&bench, PBFT_PERSIST)); /* votes, as ever */
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
}

/* It lost block 1, too, and leaves the view in which it had committed to it:
 * the record of that has no commit, but still what may have come after. */
static void a_later_record_of_the_height_before_knows_it_too(void **state)
{
    (void)state;
    struct hash genesis = bench.tip;
    begin_next();
    accept_next();
    bench.height = 0;
    bench.tip = genesis;
    bench_restart(&bench);
    assert_int_equal(pbft_status(bench.pbft).height, 1);
    time_out();
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    bench_restart(&bench);
    bench_committed(&bench, 1, 0, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    assert_true(pbft_status(bench.pbft).is_changing);
}

static void a_block_of_a_later_view_frees_it(void **state)
{
    (void)state;
    struct hash genesis = bench.tip;
    begin_next();
    bench.height = 0;
    bench.tip = genesis;
    bench_restart(&bench);
    bench_committed(&bench, 1, 1, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    assert_false(pbft_status(bench.pbft).is_changing);
}

/* Others show it what it signed and forgot: no reason to think that its record
 * is old. */
static void a_forgotten_prepare_contradicts_nothing(void **state)
{
    (void)state;
    enum pot_err err;
    begin_next();
    accept_next();
    struct pbft_config config = bench_config(&bench);
    config.is_held = true;
    struct pbft *held =
        pbft_new(&config, bench.record, bench.record_size, &err);
    assert_non_null(held);
    struct pbft_mark own = pbft_status(held).signed_last;
    pbft_free(held);
    struct pbft_mark seen = mark_at(2, 0, prepare);
    assert_int_equal(own.height, 1);
    assert_false(pbft_mark_contradicts(&seen, &own));
    seen = mark_at(2, 0, POT__PHASE__PHASE_PRE_PREPARE);
    assert_false(pbft_mark_contradicts(&seen, &own));
    seen = mark_at(2, 0, commit);
    assert_true(pbft_mark_contradicts(&seen, &own));
    seen = mark_at(2, 1, prepare);
    assert_true(pbft_mark_contradicts(&seen, &own));
    seen = mark_at(3, 0, prepare);
    assert_true(pbft_mark_contradicts(&seen, &own));
}

/* A store a block behind: the view change that is said there knows it too. */
static void it_does_not_after_a_view_change_either(void **state)
{
    (void)state;
    struct hash genesis = bench.tip;
    begin_next();
    accept_next();
    bench.height = 0;
    bench.tip = genesis;
    bench_restart(&bench);
    time_out();
    struct pbft_mark own = pbft_status(bench.pbft).signed_last;
    struct pbft_mark seen = mark_at(2, 0, prepare);
    assert_int_equal(own.height, 1);
    assert_false(pbft_mark_contradicts(&seen, &own));
}

/* A signer that has signed the commit and a replica that has forgotten the
 * prepare would wait for each other for ever. */
static void where_a_signer_keeps_count_it_has_a_record(void **state)
{
    (void)state;
    enum pot_err err;
    pbft_free(bench.pbft);
    struct pbft_config config = bench_config(&bench);
    config.is_counted = true;
    bench.pbft = pbft_new(&config, NULL, 0, &err);
    assert_non_null(bench.pbft);
    struct pbft_event event = {.type = PBFT_START};
    bench_step(&bench, &event);
    begin_next();
    accept_next();
    assert_false(bench_has_sent(&bench, SENT(PREPARE)));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
}

#define CASE_OF(name, setup)                                                   \
    cmocka_unit_test_setup_teardown(name, setup, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_OF(a_prepare_after_a_commit_waits_for_no_record, open_backup),
        CASE_OF(a_proposal_after_a_commit_waits_for_no_record, open_primary),
        CASE_OF(a_block_costs_one_record, open_backup),
        CASE_OF(a_commit_may_come_with_the_prepare, open_backup),
        CASE_OF(it_waits_while_the_commits_record_is_not_durable, open_backup),
        CASE_OF(without_an_own_commit_it_has_a_record, open_backup),
        CASE_OF(in_a_later_view_it_has_a_record, open_backup),
        CASE_OF(what_may_have_been_cast_is_cast_no_more, open_backup),
        CASE_OF(the_others_go_on_without_it, open_backup),
        CASE_OF(a_later_record_of_the_height_before_knows_it_too, open_backup),
        CASE_OF(a_block_of_a_later_view_frees_it, open_backup),
        CASE_OF(a_forgotten_prepare_contradicts_nothing, open_backup),
        CASE_OF(it_does_not_after_a_view_change_either, open_backup),
        CASE_OF(where_a_signer_keeps_count_it_has_a_record, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
