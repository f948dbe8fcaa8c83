/* The normal case: section 4.2 of Castro and Liskov (OSDI '99). */
#include "config.h"

#include "proto/certificate.h"
#include "proto/evidence.h"
#include "tests/unit/pbft_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_primary_proposes_at_once_when_there_is_work(void **state)
{
    (void)state;
    bench_work(&bench);
    const struct pbft_effect *propose = bench_find(&bench, PBFT_PROPOSE);
    assert_non_null(propose);
    assert_int_equal(propose->height, 1);
    assert_int_equal(propose->view, 0);
    bench_work(&bench);
    assert_null(bench_find(&bench, PBFT_PROPOSE));
}

static void without_work_the_primary_waits_for_the_idle_interval(void **state)
{
    (void)state;
    const struct pbft_effect *timer =
        bench_find_timer(&bench, PBFT_TIMER_PROPOSE);
    assert_int_equal(timer->delay_ms, BENCH_IDLE);
    bench_timer(&bench, PBFT_TIMER_PROPOSE);
    assert_non_null(bench_find(&bench, PBFT_PROPOSE));
}

static void a_block_that_cannot_be_built_is_asked_for_again(void **state)
{
    (void)state;
    bench_work(&bench);
    bench_proposal(&bench, NULL, 0);
    assert_null(bench_find(&bench, PBFT_CHECK));
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_PROPOSE));
    bench_timer(&bench, PBFT_TIMER_PROPOSE);
    assert_non_null(bench_find(&bench, PBFT_PROPOSE));
}

static void the_primary_checks_its_own_block_before_it_votes(void **state)
{
    (void)state;
    bench_work(&bench);
    bench_proposal(&bench, &block, 0);
    const struct pbft_effect *check = bench_find(&bench, PBFT_CHECK);
    assert_non_null(check);
    assert_true(hash_equal(&check->digest, &block.digest));
    assert_int_equal(check->size, block.size);
    bench_checked(&bench, &block, true);
    assert_non_null(bench_find(&bench, PBFT_PERSIST));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PRE_PREPARE)));
}

/* What the bytes are goes with the first effect that hands them over, and what
 * a proposer says they are is believed. */
static void a_block_is_opened_once(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    const struct pbft_effect *check = bench_find(&bench, PBFT_CHECK);
    assert_non_null(check);
    assert_non_null(check->opened);
    assert_true(hash_equal(&check->opened->hash, &block.digest));
    bench_checked(&bench, &block, true);
    bench_persist(&bench);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(bench_vote(&bench, commit, i, 1, 0, &block.digest));
    }
    const struct pbft_effect *decided = bench_find(&bench, PBFT_COMMIT);
    assert_non_null(decided);
    assert_int_equal(decided->size, block.size);
    assert_null(decided->opened);
}

static void the_primarys_own_block_is_not_opened(void **state)
{
    (void)state;
    struct block *opened;
    assert_int_equal(block_decode(&opened, block.data, block.size), POT_OK);
    struct pbft_event event = {.type = PBFT_PROPOSAL};
    event.u.proposal.height = 1;
    event.u.proposal.block = block.data;
    event.u.proposal.block_size = block.size;
    event.u.proposal.opened = opened;
    bench_work(&bench);
    bench_step(&bench, &event);
    const struct pbft_effect *check = bench_find(&bench, PBFT_CHECK);
    assert_non_null(check);
    assert_true(hash_equal(&check->digest, &block.digest));
    assert_int_equal(check->size, block.size);
    assert_memory_equal(check->bytes, block.data, block.size);
    assert_null(check->opened);
    block_free(opened);
}

/* "The primary ... multicasts a pre-prepare"; its prepare is that. */
static void the_primary_never_prepares(void **state)
{
    (void)state;
    primary_proposes();
    assert_false(bench_has_sent(&bench, SENT(PREPARE)));
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_null(bench_find(&bench, PBFT_PERSIST));
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_persist(&bench);
    assert_false(bench_has_sent(&bench, SENT(PREPARE)));
    assert_true(bench_has_sent(&bench, SENT(COMMIT)));
    /* Nor does a prepare in its name count. */
    assert_false(bench_vote(&bench, prepare, 0, 1, 0, &block.digest));
}

static void a_backup_prepares_only_what_the_ledger_finds_valid(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    assert_non_null(bench_find(&bench, PBFT_CHECK));
    assert_null(bench_find(&bench, PBFT_PERSIST));
    bench_checked(&bench, &block, false);
    bench_persist(&bench);
    assert_false(bench_has_sent(&bench, SENT(PREPARE)));
    assert_true(bench_has_sent(&bench, SENT(VIEW_CHANGE)));
}

static void nothing_is_sent_before_its_record_is_durable(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    bench_checked(&bench, &block, true);
    assert_non_null(bench_find(&bench, PBFT_PERSIST));
    assert_null(bench_find(&bench, PBFT_BROADCAST));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_null(bench_find(&bench, PBFT_BROADCAST));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
}

static void a_second_pre_prepare_is_evidence_and_no_proposal(void **state)
{
    (void)state;
    struct bench_block other = bench_block(&bench, 0, 2);
    assert_true(bench_pre_prepare(&bench, 0, &block));
    assert_true(bench_pre_prepare(&bench, 0, &other));
    const struct pbft_effect *effect = bench_find(&bench, PBFT_EVIDENCE);
    assert_non_null(effect);
    assert_null(bench_find(&bench, PBFT_CHECK));
    Pot__EvidenceBody *evidence;
    assert_int_equal(CODEC_DECODE(&evidence, pot__evidence_body, effect->bytes,
                                  effect->size),
                     POT_OK);
    assert_int_equal(evidence_check_body(&bench.chain, evidence),
                     EVIDENCE_PROVES);
    codec_free(evidence);
    bench_checked(&bench, &other, true);
    assert_null(bench_find(&bench, PBFT_PERSIST));
    bench_block_fini(&other);
}

static void prepared_takes_a_quorum_less_one_of_prepares(void **state)
{
    (void)state;
    backup_prepares();
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    assert_non_null(bench_find(&bench, PBFT_PERSIST));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(COMMIT)));
}

static void prepares_for_another_block_or_view_do_not_count(void **state)
{
    (void)state;
    struct hash other = {{5}};
    backup_prepares();
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &other));
    assert_true(bench_vote(&bench, prepare, 1, 1, 4, &block.digest));
    assert_null(bench_find(&bench, PBFT_PERSIST));
}

static void own_votes_count_only_once_durable(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    bench_checked(&bench, &block, true);
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_null(bench_find(&bench, PBFT_PERSIST));
    bench_persist(&bench);
    assert_non_null(bench_find(&bench, PBFT_PERSIST)); /* the commit */
}

static void a_quorum_of_commits_decides_exactly_once(void **state)
{
    (void)state;
    backup_prepares();
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_null(bench_find(&bench, PBFT_COMMIT));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    const struct pbft_effect *effect = bench_find(&bench, PBFT_COMMIT);
    assert_non_null(effect);
    assert_true(hash_equal(&effect->digest, &block.digest));
    Pot__CommitCertificate *certificate;
    assert_int_equal(CODEC_DECODE(&certificate, pot__commit_certificate,
                                  effect->certificate,
                                  effect->certificate_size),
                     POT_OK);
    assert_int_equal(certificate_verify(&bench.set, &bench.chain, certificate),
                     CERTIFICATE_VALID);
    codec_free(certificate);
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_null(bench_find(&bench, PBFT_COMMIT));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_null(bench_find(&bench, PBFT_COMMIT));
}

static void commits_of_different_views_do_not_add_up(void **state)
{
    (void)state;
    backup_prepares();
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 1, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 2, &block.digest));
    assert_null(bench_find(&bench, PBFT_COMMIT));
}

static void a_decided_block_that_is_missing_is_fetched(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_null(bench_find(&bench, PBFT_COMMIT));
    assert_true(bench_has_sent(&bench, SENT(BLOCK_REQUEST)));
    struct bench_block other = bench_block(&bench, 0, 2);
    size_t size;
    uint8_t *bytes =
        pbft_message_encode_block_reply(&size, 1, other.data, other.size);
    assert_true(bench_message(&bench, 1, bytes, size));
    assert_null(bench_find(&bench, PBFT_COMMIT)); /* not the one asked for */
    free(bytes);
    bytes = pbft_message_encode_block_reply(&size, 1, block.data, block.size);
    assert_true(bench_message(&bench, 1, bytes, size));
    const struct pbft_effect *decided = bench_find(&bench, PBFT_COMMIT);
    assert_non_null(decided);
    assert_non_null(decided->opened); /* nobody has checked it */
    assert_true(hash_equal(&decided->opened->hash, &block.digest));
    free(bytes);
    bench_block_fini(&other);
}

static void a_block_is_handed_to_whoever_asks(void **state)
{
    (void)state;
    size_t size;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    uint8_t *bytes = pbft_message_encode_block_request(&size, 1, &block.digest);
    assert_true(bench_message(&bench, 1, bytes, size));
    const struct pbft_effect *effect = bench_find(&bench, PBFT_SEND);
    assert_non_null(effect);
    assert_int_equal(effect->replica, 1);
    assert_true(bench_has_sent(&bench, SENT(BLOCK_REPLY)));
    assert_true(bench_message(&bench, 1, bytes, size));
    assert_null(bench_find(&bench, PBFT_SEND)); /* once a resend */
    free(bytes);
}

static void blocks_out_of_place_are_not_considered(void **state)
{
    (void)state;
    struct bench other = bench;
    struct bench_block wrong[4];
    other.tip.b[0] ^= 1;
    wrong[0] = bench_block(&other, 0, 1); /* another parent */
    other = bench;
    other.height = 5;
    wrong[1] = bench_block(&other, 0, 1);
    other = bench;
    other.chain.b[0] ^= 1;
    wrong[2] = bench_block(&other, 0, 1);
    other = bench;
    wrong[3] = bench_block(&other, 1, 1); /* of a later view */
    for (size_t i = 0; i < 4; i++) {
        bench_restart(&bench);
        assert_true(bench_pre_prepare(&bench, 0, &wrong[i]));
        assert_null(bench_find(&bench, PBFT_CHECK));
        bench_block_fini(&wrong[i]);
    }
}

static void a_block_under_anothers_digest_is_not_considered(void **state)
{
    (void)state;
    block.digest.b[0] ^= 1;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    assert_null(bench_find(&bench, PBFT_CHECK));
}

static void votes_are_sent_again_until_the_height_is_done(void **state)
{
    (void)state;
    backup_prepares();
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
    bench_committed(&bench, 1, 0, &block.digest);
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_null(bench_find(&bench, PBFT_BROADCAST));
}

static void the_block_is_sent_again_to_those_without_a_vote(void **state)
{
    (void)state;
    primary_proposes();
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    for (size_t i = 0; i < bench.effects.count; i++) {
        const struct pbft_effect *effect = &bench.effects.items[i];
        assert_true(effect->type != PBFT_SEND || effect->replica != 2);
    }
    assert_true(bench_has_sent(&bench, SENT(PRE_PREPARE)));
}

/* What was under way when a block came by sync must do nothing. */
static void answers_of_a_height_left_are_ignored(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    bench_committed(&bench, 1, 0, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).height, 2);
    bench.height = 0; /* the answer names height 1 */
    bench_checked(&bench, &block, true);
    assert_int_equal(bench.effects.count, 0);
    bench.height = 1;
    bench_committed(&bench, 1, 0, &block.digest); /* told twice */
    assert_int_equal(bench.effects.count, 0);
}

static void a_block_may_come_by_sync_while_one_is_decided(void **state)
{
    (void)state;
    backup_prepares();
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    struct hash later = {{8}};
    bench_committed(&bench, 3, 5, &later);
    assert_int_equal(pbft_status(bench.pbft).height, 4);
    assert_int_equal(pbft_status(bench.pbft).view, 5);
    assert_false(pbft_status(bench.pbft).is_decided);
}

static void messages_of_the_next_height_are_kept(void **state)
{
    (void)state;
    struct hash first = block.digest;
    struct bench next = bench;
    next.height = 1;
    next.tip = first;
    struct bench_block second = bench_block(&next, 0, 2);
    bench.height = 1; /* so that the pre-prepare is of height 2 */
    assert_true(bench_pre_prepare(&bench, 0, &second));
    assert_true(bench_vote(&bench, prepare, 2, 2, 0, &second.digest));
    assert_null(bench_find(&bench, PBFT_CHECK));
    bench_committed(&bench, 1, 0, &first);
    assert_non_null(bench_find(&bench, PBFT_CHECK));
    bench_checked(&bench, &second, true);
    bench_persist(&bench);
    assert_non_null(bench_find(&bench, PBFT_PERSIST)); /* it is prepared */
    bench_block_fini(&second);
}

static void one_replica_alone_commits(void **state)
{
    (void)state;
    bench_work(&bench);
    bench_proposal(&bench, &block, 0);
    bench_checked(&bench, &block, true);
    assert_null(bench_find(&bench, PBFT_COMMIT));
    bench_persist(&bench);
    assert_null(bench_find(&bench, PBFT_COMMIT));
    bench_persist(&bench);
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
}

static void two_replicas_need_each_other(void **state)
{
    (void)state;
    primary_proposes();
    assert_null(bench_find(&bench, PBFT_PERSIST));
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    bench_persist(&bench);
    assert_null(bench_find(&bench, PBFT_COMMIT));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
}

static void an_observer_commits_but_never_speaks(void **state)
{
    (void)state;
    pbft_free(bench.pbft);
    enum pot_err err;
    struct pbft_config config = bench_config(&bench);
    config.key = NULL;
    bench.pbft = pbft_new(&config, NULL, 0, &err);
    assert_non_null(bench.pbft);
    struct pbft_event start = {.type = PBFT_START};
    bench_step(&bench, &start);
    assert_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    assert_true(bench_pre_prepare(&bench, 0, &block));
    assert_null(bench_find(&bench, PBFT_CHECK));
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_null(bench_find(&bench, PBFT_COMMIT));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
    assert_null(bench_find(&bench, PBFT_PERSIST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_primary_proposes_at_once_when_there_is_work, open_primary),
        CASE(without_work_the_primary_waits_for_the_idle_interval,
             open_primary),
        CASE(a_block_that_cannot_be_built_is_asked_for_again, open_primary),
        CASE(the_primary_checks_its_own_block_before_it_votes, open_primary),
        CASE(a_block_is_opened_once, open_backup),
        CASE(the_primarys_own_block_is_not_opened, open_primary),
        CASE(the_primary_never_prepares, open_primary),
        CASE(a_backup_prepares_only_what_the_ledger_finds_valid, open_backup),
        CASE(nothing_is_sent_before_its_record_is_durable, open_backup),
        CASE(a_second_pre_prepare_is_evidence_and_no_proposal, open_backup),
        CASE(prepared_takes_a_quorum_less_one_of_prepares, open_backup),
        CASE(prepares_for_another_block_or_view_do_not_count, open_backup),
        CASE(own_votes_count_only_once_durable, open_backup),
        CASE(a_quorum_of_commits_decides_exactly_once, open_backup),
        CASE(commits_of_different_views_do_not_add_up, open_backup),
        CASE(a_decided_block_that_is_missing_is_fetched, open_backup),
        CASE(a_block_is_handed_to_whoever_asks, open_backup),
        CASE(blocks_out_of_place_are_not_considered, open_backup),
        CASE(a_block_under_anothers_digest_is_not_considered, open_backup),
        CASE(votes_are_sent_again_until_the_height_is_done, open_backup),
        CASE(the_block_is_sent_again_to_those_without_a_vote, open_primary),
        CASE(answers_of_a_height_left_are_ignored, open_backup),
        CASE(a_block_may_come_by_sync_while_one_is_decided, open_backup),
        CASE(messages_of_the_next_height_are_kept, open_backup),
        CASE(one_replica_alone_commits, open_alone),
        CASE(two_replicas_need_each_other, open_pair),
        CASE(an_observer_commits_but_never_speaks, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
