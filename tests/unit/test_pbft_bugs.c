/* Bugs that other implementations of BFT had, as docs/reliability.md lists
 * them: each case is named after its row.  B11 is in test_chain.c, B13 in
 * test_sign_state.c, and what of B12 is block sync's in test_sync.c. */
#include "config.h"

#include "tests/unit/pbft_case.h"

#include "base/alloc.h"
#include "proto/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash other_digest = {{7}};

static int open_seven(void **state)
{
    (void)state;
    bench_open(&bench, 7, 6);
    block = bench_block(&bench, 0, 1);
    return 0;
}

/* A vote of signer under the name of replica, over from's connection. */
static bool send_vote_as(Pot__Phase phase, uint32_t signer, uint32_t replica,
                         uint32_t from)
{
    size_t size;
    struct signature signature;
    struct vote vote = {phase, 1, 0, block.digest, replica};
    vote_sign(&signature, bench.keys[signer], &bench.chain, &vote);
    uint8_t *bytes = pbft_message_encode_vote(&size, &vote, &signature);
    bool is_taken = bench_message(&bench, from, bytes, size);
    free(bytes);
    return is_taken;
}

static void b1_a_vote_counts_for_its_signer_not_its_sender(void **state)
{
    (void)state;
    backup_commits(); /* its own commit is one */
    for (uint32_t from = 0; from < 4; from++) {
        assert_true(send_vote_as(commit, 2, 2, from));
        assert_false(send_vote_as(commit, 2, from == 2 ? 1 : from, from));
        assert_false(pbft_status(bench.pbft).is_decided);
    }
    assert_true(send_vote_as(commit, 2, 2, PBFT_NO_REPLICA));
    assert_false(pbft_status(bench.pbft).is_decided);
    assert_true(send_vote_as(commit, 1, 1, 2));
    assert_true(pbft_status(bench.pbft).is_decided);
}

/* ---- B2 */

/* One good message of every kind. */
static size_t every_kind(uint8_t **bytes, size_t *sizes)
{
    size_t count = 0;
    struct signature signature;
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    Pot__ViewChange *change = bench_view_change(&bench, 0, 1, prepared);
    Pot__ViewChange *changes[] = {change, bench_view_change(&bench, 1, 1, NULL),
                                  bench_view_change(&bench, 2, 1, NULL)};
    Pot__NewView view = POT__NEW_VIEW__INIT;
    Pot__Suspicion suspicion = POT__SUSPICION__INIT;
    struct vote vote = {POT__PHASE__PHASE_PRE_PREPARE, 1, 0, block.digest, 0};
    vote_sign(&signature, bench.keys[0], &bench.chain, &vote);
    bytes[count] = pbft_message_encode_pre_prepare(
        &sizes[count], &vote, &signature, block.data, block.size);
    count++;
    vote = (struct vote){prepare, 1, 0, block.digest, 1};
    vote_sign(&signature, bench.keys[1], &bench.chain, &vote);
    bytes[count] = pbft_message_encode_vote(&sizes[count], &vote, &signature);
    count++;
    bytes[count] = pbft_message_encode_view_change(&sizes[count], change);
    count++;
    view.height = 1;
    view.view = 1;
    view.replica = 1;
    view.n_view_changes = 3;
    view.view_changes = changes;
    pbft_message_sign_new_view(&signature, bench.keys[1], &bench.chain, &view);
    view.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    bytes[count] = pbft_message_encode_new_view(&sizes[count], &view);
    count++;
    bytes[count] =
        pbft_message_encode_block_request(&sizes[count], 1, &block.digest);
    count++;
    bytes[count] = pbft_message_encode_block_reply(&sizes[count], 1, block.data,
                                                   block.size);
    count++;
    suspicion.height = 1;
    suspicion.cause = POT__CAUSE__CAUSE_SLOW;
    suspicion.replica = 1;
    pbft_message_sign_suspicion(&signature, bench.keys[1], &bench.chain,
                                &suspicion);
    suspicion.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    bytes[count] = pbft_message_encode_suspicion(&sizes[count], &suspicion);
    count++;
    for (size_t i = 0; i < 3; i++) {
        codec_free(changes[i]);
    }
    codec_free(prepared);
    return count;
}

/* Cut anywhere, with any bit wrong, or as another kind than it is: refused or
 * without effect, and the replica goes on. */
static void b2_no_damaged_message_harms_the_replica(void **state)
{
    (void)state;
    uint8_t *bytes[8];
    size_t sizes[8];
    size_t count = every_kind(bytes, sizes);
    for (size_t i = 0; i < count; i++) {
        for (size_t cut = 0; cut < sizes[i]; cut++) {
            assert_false(bench_message(&bench, 1, bytes[i], cut));
        }
        for (size_t at = 0; at < sizes[i]; at++) {
            bytes[i][at] ^= (uint8_t)(1 << at % 8);
            (void)bench_message(&bench, 1, bytes[i], sizes[i]);
            bytes[i][at] ^= (uint8_t)(1 << at % 8);
        }
        for (uint8_t kind = 0; kind < 16; kind++) {
            uint8_t tag = bytes[i][0];
            bytes[i][0] = (uint8_t)(kind << 3 | 2);
            if (bytes[i][0] != tag) {
                (void)bench_message(&bench, 1, bytes[i], sizes[i]);
            }
            bytes[i][0] = tag;
        }
        free(bytes[i]);
    }
    assert_int_equal(pbft_status(bench.pbft).view, 0);
    backup_commits(); /* all the same */
}

/* Well signed, and yet not what the envelope says. */
static void b2_a_vote_in_another_kinds_envelope_is_refused(void **state)
{
    (void)state;
    struct signature signature;
    struct vote vote = {commit, 1, 0, block.digest, 1};
    vote_sign(&signature, bench.keys[1], &bench.chain, &vote);
    Pot__Vote inner = pbft_message_vote(&vote, &signature);
    Pot__PrePrepare outer = POT__PRE_PREPARE__INIT;
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = SENT(COMMIT);
    message.commit = &inner;
    assert_true(pbft_verify(&bench.set, &bench.chain, &message));
    message.kind_case = SENT(PREPARE);
    assert_false(pbft_verify(&bench.set, &bench.chain, &message));
    outer.vote = &inner;
    outer.block = codec_bytes(block.data, block.size);
    message.kind_case = SENT(PRE_PREPARE);
    message.pre_prepare = &outer;
    assert_false(pbft_verify(&bench.set, &bench.chain, &message));
}

/* ---- B3 */

static void b3_the_primary_votes_once_by_its_pre_prepare(void **state)
{
    (void)state;
    bench_work(&bench);
    bench_proposal(&bench, &block, 0);
    bench_checked(&bench, &block, true);
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PRE_PREPARE)));
    assert_false(bench_has_sent(&bench, SENT(PREPARE)));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_false(bench_has_sent(&bench, SENT(PREPARE)));
}

/* With n = 7 four others make a quorum with the backup: pre-prepare and
 * prepare of the primary are one of them. */
static void b3_a_backup_counts_the_primary_once(void **state)
{
    (void)state;
    backup_prepares();
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    assert_false(bench_vote(&bench, prepare, 0, 1, 0, &block.digest));
    assert_true(bench_pre_prepare(&bench, 0, &block));
    bench_persist(&bench);
    assert_false(bench_has_sent(&bench, SENT(COMMIT)));
    assert_true(bench_vote(&bench, prepare, 3, 1, 0, &block.digest));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(COMMIT)));
}

/* ---- B4 */

struct commits {
    struct vote votes[4];
    size_t count;
};

static enum certificate_verdict certify(const struct commits *commits)
{
    Pot__CommitCertificate made = POT__COMMIT_CERTIFICATE__INIT;
    Pot__VoteSignature items[4];
    Pot__VoteSignature *list[4];
    struct signature signatures[4];
    for (size_t i = 0; i < commits->count; i++) {
        const struct vote *vote = &commits->votes[i];
        vote_sign(&signatures[i], bench.keys[vote->replica], &bench.chain,
                  vote);
        pot__vote_signature__init(&items[i]);
        items[i].replica = vote->replica;
        items[i].signature = codec_bytes(signatures[i].b, SIGNATURE_SIZE);
        list[i] = &items[i];
    }
    made.height = 1;
    made.digest = codec_bytes(block.digest.b, HASH_SIZE);
    made.n_signatures = commits->count;
    made.signatures = list;
    return certificate_proves(&bench.set, &bench.chain, &made, 1,
                              &block.digest);
}

static void b4_a_certificate_is_of_one_vote_by_a_quorum(void **state)
{
    (void)state;
    const struct commits good = {.votes = {{commit, 1, 0, block.digest, 0},
                                           {commit, 1, 0, block.digest, 1},
                                           {commit, 1, 0, block.digest, 2}},
                                 .count = 3};
    assert_int_equal(certify(&good), CERTIFICATE_VALID);
    struct commits bad = good;
    bad.votes[2].replica = 1; /* the same one twice */
    assert_int_not_equal(certify(&bad), CERTIFICATE_VALID);
    bad = good;
    bad.votes[1].height = 2;
    assert_int_not_equal(certify(&bad), CERTIFICATE_VALID);
    bad = good;
    bad.votes[1].view = 1;
    assert_int_not_equal(certify(&bad), CERTIFICATE_VALID);
    bad = good;
    bad.votes[1].digest = other_digest;
    assert_int_not_equal(certify(&bad), CERTIFICATE_VALID);
    bad = good;
    bad.votes[1].phase = prepare;
    assert_int_not_equal(certify(&bad), CERTIFICATE_VALID);
    bad = good;
    bad.count = 2;
    assert_int_not_equal(certify(&bad), CERTIFICATE_VALID);
    /* Commits of two views make no certificate in the replica either. */
    backup_commits();
    assert_true(bench_vote(&bench, commit, 0, 1, 1, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 2, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_false(pbft_status(bench.pbft).is_decided);
}

/* ---- B5 */

static void b5_a_committed_block_ends_any_view_change(void **state)
{
    (void)state;
    for (uint64_t height = 1; height < 5; height++) {
        time_out();
        assert_true(pbft_status(bench.pbft).is_changing);
        const struct hash digest = {{(uint8_t)height}};
        bench_committed(&bench, height, 0, &digest);
        const struct pbft_status status = pbft_status(bench.pbft);
        assert_false(status.is_changing);
        assert_int_equal(status.height, height + 1);
        assert_true(status.is_view_timed);
        assert_non_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
        assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
    }
}

/* ---- B6 */

/* View changes that name different certificates, that come twice, or that
 * come when their view is open, make one new view and no other. */
static void b6_all_view_changes_held_open_one_view(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    time_out();
    assert_true(bench_send_view_change(&bench, 0, 1, NULL));
    assert_true(bench_send_view_change(&bench, 0, 1, prepared)); /* another */
    assert_false(bench_has_sent(&bench, SENT(NEW_VIEW)));
    assert_true(bench_send_view_change(&bench, 2, 1, prepared));
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(NEW_VIEW));
    assert_non_null(sent);
    assert_int_equal(sent->new_view->n_view_changes, 3);
    assert_true(pbft_verify(&bench.set, &bench.chain, sent));
    codec_free(sent);
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    assert_true(bench_send_view_change(&bench, 3, 1, NULL));
    const struct pbft_status status = pbft_status(bench.pbft);
    assert_int_equal(status.view, 1);
    assert_false(status.is_changing);
    codec_free(prepared);
}

static void b6_the_back_off_ends_at_its_cap(void **state)
{
    (void)state;
    for (uint64_t view = 1; view < 40; view++) {
        time_out();
        assert_int_equal(pbft_status(bench.pbft).view, view);
        assert_true(pbft_status(bench.pbft).timeout_ms <= BENCH_CAP);
        if (view % 4 != 3) { /* 3 would open its own view and propose */
            assert_true(bench_send_view_change(&bench, 0, view, NULL));
            assert_true(bench_send_view_change(&bench, 2, view, NULL));
            const struct pbft_effect *timer =
                bench_find_timer(&bench, PBFT_TIMER_VIEW);
            assert_non_null(timer);
            assert_true(timer->delay_ms <= BENCH_CAP);
        } else {
            assert_true(bench_send_view_change(&bench, 0, view, NULL));
            assert_true(bench_send_view_change(&bench, 2, view, NULL));
        }
    }
}

/* ---- B7 */

static unsigned count_effects(enum pbft_effect_type type)
{
    unsigned count = 0;
    for (size_t i = 0; i < bench.effects.count; i++) {
        count += bench.effects.items[i].type == type;
    }
    return count;
}

static void b7_a_height_is_delivered_once(void **state)
{
    (void)state;
    backup_commits();
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_int_equal(count_effects(PBFT_COMMIT), 1);
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_int_equal(count_effects(PBFT_COMMIT), 0);
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_int_equal(count_effects(PBFT_COMMIT), 0);
    /* Block sync and the own commit bring the same block. */
    bench_committed(&bench, 1, 0, &block.digest);
    assert_int_equal(pbft_status(bench.pbft).height, 2);
    bench_committed(&bench, 1, 0, &block.digest);
    assert_int_equal(bench.effects.count, 0);
    assert_int_equal(pbft_status(bench.pbft).height, 2);
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_int_equal(bench.effects.count, 0);
}

/* ---- B8 */

static void b8_a_decision_overtakes_what_is_in_flight(void **state)
{
    (void)state;
    bench_work(&bench);
    assert_non_null(bench_find(&bench, PBFT_PROPOSE)); /* under way */
    const struct hash digest = {{4}};
    bench_committed(&bench, 1, 0, &digest);
    struct pbft_event late = {.type = PBFT_PROPOSAL};
    late.u.proposal.height = 1;
    late.u.proposal.block = block.data;
    late.u.proposal.block_size = block.size;
    bench_step(&bench, &late);
    assert_int_equal(bench.effects.count, 0);
    bench_work(&bench);
    assert_non_null(bench_find(&bench, PBFT_PROPOSE)); /* not blocked */
    struct bench_block next = bench_block(&bench, 0, 2);
    bench_proposal(&bench, &next, 0);
    assert_non_null(bench_find(&bench, PBFT_CHECK)); /* under way */
    bench_committed(&bench, 2, 0, &digest);
    late = (struct pbft_event){.type = PBFT_CHECKED};
    late.u.checked.height = 2;
    late.u.checked.digest = next.digest;
    late.u.checked.is_valid = true;
    bench_step(&bench, &late);
    assert_int_equal(bench.effects.count, 0);
    bench_work(&bench);
    assert_non_null(bench_find(&bench, PBFT_PROPOSE));
    bench_block_fini(&next);
}

/* ---- B9 */

static void b9_the_view_is_the_certificates(void **state)
{
    (void)state;
    assert_true(bench_send_view_change(&bench, 0, 9, NULL));
    assert_true(bench_send_view_change(&bench, 2, 9, NULL));
    assert_int_equal(pbft_status(bench.pbft).view, 9);
    const struct hash digest = {{4}};
    bench_committed(&bench, 1, 2, &digest);
    assert_int_equal(pbft_status(bench.pbft).view, 2);
    assert_int_equal(pbft_status(bench.pbft).primary, 2);
}

/* The same block again, while the next height has its troubles: nothing of
 * them is forgotten. */
static void b9_a_block_told_twice_resets_nothing(void **state)
{
    (void)state;
    const struct hash digest = {{4}};
    bench_committed(&bench, 1, 0, &digest);
    time_out();
    const struct pbft_status before = pbft_status(bench.pbft);
    assert_int_equal(before.timeout_ms, 2 * BENCH_TIMEOUT);
    bench_committed(&bench, 1, 0, &digest);
    const struct pbft_status after = pbft_status(bench.pbft);
    assert_int_equal(after.view, before.view);
    assert_int_equal(after.timeout_ms, before.timeout_ms);
    assert_true(after.is_changing);
}

/* ---- B10 */

static void b10_a_primary_repeats_its_proposal_after_a_restart(void **state)
{
    (void)state;
    primary_proposes();
    bench_restart(&bench);
    assert_null(bench_find(&bench, PBFT_PROPOSE));
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    bench_work(&bench); /* a new batch changes nothing */
    assert_null(bench_find(&bench, PBFT_PROPOSE));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(PRE_PREPARE));
    assert_non_null(sent);
    assert_true(codec_bytes_equal(sent->pre_prepare->vote->digest,
                                  block.digest.b, HASH_SIZE));
    codec_free(sent);
    /* ...and its decision is not kept waiting by one. */
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_persist(&bench);
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
}

static void b10_timers_run_after_the_primary_changed(void **state)
{
    (void)state;
    for (uint64_t view = 1; view < 6; view++) {
        Pot__ViewChange *changes[3];
        if (view % 4 == 3) {
            continue; /* its own */
        }
        for (uint32_t i = 0; i < 3; i++) {
            changes[i] = bench_view_change(&bench, i, view, NULL);
        }
        assert_true(bench_new_view(&bench, view, changes, 3));
        assert_int_equal(pbft_status(bench.pbft).view, view);
        assert_true(pbft_status(bench.pbft).is_view_timed);
        assert_non_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
        for (size_t i = 0; i < 3; i++) {
            codec_free(changes[i]);
        }
    }
    bench_timer(&bench, PBFT_TIMER_VIEW);
    assert_true(pbft_status(bench.pbft).is_changing);
    bench_timer(&bench, PBFT_TIMER_RESEND); /* runs while changing */
    assert_non_null(bench_find_timer(&bench, PBFT_TIMER_RESEND));
}

/* ---- B12 */

static void b12_one_replicas_far_height_moves_nobody(void **state)
{
    (void)state;
    const uint64_t far = UINT64_C(1) << 40;
    for (uint64_t i = 0; i < 50; i++) {
        assert_true(bench_vote(&bench, commit, 2, far + i, 0, &other_digest));
        assert_int_equal(bench.effects.count, 0);
        assert_true(
            bench_vote(&bench, prepare, 2, far - i, 4 * i, &other_digest));
        assert_int_equal(bench.effects.count, 0);
    }
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_null(bench_find(&bench, PBFT_SYNC));
    backup_commits(); /* all the same */
    /* f + 1 say a height: one of them is honest, the least is true. */
    assert_true(bench_vote(&bench, commit, 1, 9, 0, &other_digest));
    assert_int_equal(bench_find(&bench, PBFT_SYNC)->height, 8);
}

/* ---- B14 */

/* What others say, however much, is not worth a sync of the disk; a height
 * costs a backup two: its prepare and its commit. */
static void b14_only_own_signatures_are_synced(void **state)
{
    (void)state;
    unsigned syncs = 0;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    syncs += count_effects(PBFT_PERSIST);
    for (unsigned round = 0; round < 10; round++) {
        for (uint32_t i = 1; i < 3; i++) {
            assert_true(bench_vote(&bench, prepare, i, 1, 0, &block.digest));
            syncs += count_effects(PBFT_PERSIST);
            assert_true(bench_vote(&bench, commit, i, 1, 0, &block.digest));
            syncs += count_effects(PBFT_PERSIST);
            assert_true(bench_vote(&bench, prepare, i, 2, 0, &other_digest));
            syncs += count_effects(PBFT_PERSIST);
        }
        assert_true(bench_send_view_change(&bench, 1, 1, NULL));
        syncs += count_effects(PBFT_PERSIST);
        bench_timer(&bench, PBFT_TIMER_RESEND);
        syncs += count_effects(PBFT_PERSIST);
    }
    assert_int_equal(syncs, 0);
    bench_checked(&bench, &block, true);
    syncs += count_effects(PBFT_PERSIST);
    bench_persist(&bench);
    syncs += count_effects(PBFT_PERSIST);
    bench_persist(&bench);
    syncs += count_effects(PBFT_PERSIST);
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
    assert_int_equal(syncs, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(b1_a_vote_counts_for_its_signer_not_its_sender, open_backup),
        CASE(b2_no_damaged_message_harms_the_replica, open_backup),
        CASE(b2_a_vote_in_another_kinds_envelope_is_refused, open_backup),
        CASE(b3_the_primary_votes_once_by_its_pre_prepare, open_primary),
        CASE(b3_a_backup_counts_the_primary_once, open_seven),
        CASE(b4_a_certificate_is_of_one_vote_by_a_quorum, open_backup),
        CASE(b5_a_committed_block_ends_any_view_change, open_backup),
        CASE(b6_all_view_changes_held_open_one_view, open_next_primary),
        CASE(b6_the_back_off_ends_at_its_cap, open_backup),
        CASE(b7_a_height_is_delivered_once, open_backup),
        CASE(b8_a_decision_overtakes_what_is_in_flight, open_primary),
        CASE(b9_the_view_is_the_certificates, open_backup),
        CASE(b9_a_block_told_twice_resets_nothing, open_backup),
        CASE(b10_a_primary_repeats_its_proposal_after_a_restart, open_primary),
        CASE(b10_timers_run_after_the_primary_changed, open_backup),
        CASE(b12_one_replicas_far_height_moves_nobody, open_backup),
        CASE(b14_only_own_signatures_are_synced, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
