/* What strangers and faulty replicas may send: refused before the replica
 * sees it, or without effect when it does. */
#include "config.h"

#include "tests/unit/pbft_case.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash digest = {{5}};

static bool is_verified(const Pot__ConsensusMessage *message)
{
    return pbft_verify(&bench.set, &bench.chain, message);
}

/* Every kind with nothing in it, as a decoder may hand it out. */
static void messages_without_content_are_refused(void **state)
{
    (void)state;
    static const Pot__ConsensusMessage__KindCase kinds[] = {
        POT__CONSENSUS_MESSAGE__KIND__NOT_SET,
        SENT(PRE_PREPARE),
        SENT(PREPARE),
        SENT(COMMIT),
        SENT(VIEW_CHANGE),
        SENT(NEW_VIEW),
        SENT(BLOCK_REQUEST),
        SENT(BLOCK_REPLY),
        SENT(SUSPICION)};
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        message.kind_case = kinds[i];
        message.prepare = NULL;
        assert_false(is_verified(&message));
    }
    Pot__PrePrepare pre_prepare = POT__PRE_PREPARE__INIT;
    message.kind_case = SENT(PRE_PREPARE);
    message.pre_prepare = &pre_prepare;
    assert_false(is_verified(&message));
    Pot__Vote vote = POT__VOTE__INIT;
    message.kind_case = SENT(COMMIT);
    message.commit = &vote;
    assert_false(is_verified(&message));
    Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
    message.kind_case = SENT(VIEW_CHANGE);
    message.view_change = &change;
    assert_false(is_verified(&message));
    Pot__NewView new_view = POT__NEW_VIEW__INIT;
    message.kind_case = SENT(NEW_VIEW);
    message.new_view = &new_view;
    assert_false(is_verified(&message));
    Pot__Suspicion suspicion = POT__SUSPICION__INIT;
    message.kind_case = SENT(SUSPICION);
    message.suspicion = &suspicion;
    assert_false(is_verified(&message));
}

static bool is_vote_verified(Pot__ConsensusMessage__KindCase kind,
                             const struct vote *vote, uint32_t signer)
{
    struct signature signature;
    vote_sign(&signature, bench.keys[signer], &bench.chain, vote);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = kind;
    Pot__Vote inner = pbft_message_vote(vote, &signature);
    message.prepare = &inner;
    return is_verified(&message);
}

static void a_vote_is_its_signers_and_of_its_kind(void **state)
{
    (void)state;
    struct vote vote = {prepare, 1, 0, digest, 1};
    assert_true(is_vote_verified(SENT(PREPARE), &vote, 1));
    assert_false(is_vote_verified(SENT(PREPARE), &vote, 2));
    assert_false(is_vote_verified(SENT(COMMIT), &vote, 1));
    vote.phase = commit;
    assert_false(is_vote_verified(SENT(PREPARE), &vote, 1));
    assert_true(is_vote_verified(SENT(COMMIT), &vote, 1));
    vote.replica = 4;
    assert_false(is_vote_verified(SENT(COMMIT), &vote, 1));
    vote.replica = UINT32_MAX;
    assert_false(is_vote_verified(SENT(COMMIT), &vote, 1));
    vote = (struct vote){commit, 0, 0, digest, 1};
    assert_false(is_vote_verified(SENT(COMMIT), &vote, 1));
    vote = (struct vote){commit, 1, UINT64_MAX, digest, 1};
    assert_false(is_vote_verified(SENT(COMMIT), &vote, 1));
}

static void only_the_views_primary_pre_prepares(void **state)
{
    (void)state;
    struct vote vote = {POT__PHASE__PHASE_PRE_PREPARE, 1, 0, block.digest, 1};
    struct signature signature;
    size_t size;
    vote_sign(&signature, bench.keys[1], &bench.chain, &vote);
    uint8_t *bytes = pbft_message_encode_pre_prepare(&size, &vote, &signature,
                                                     block.data, block.size);
    assert_false(bench_message(&bench, 1, bytes, size));
    free(bytes);
}

static void a_view_changes_certificate_must_hold(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared = bench_prepared(&bench, 0, &digest);
    assert_true(bench_send_view_change(&bench, 0, 1, prepared));
    prepared->prepares[0]->signature.data[0] ^= 1;
    assert_false(bench_send_view_change(&bench, 0, 1, prepared));
    prepared->prepares[0]->signature.data[0] ^= 1;
    prepared->height = 2;
    assert_false(bench_send_view_change(&bench, 0, 1, prepared));
    prepared->height = 1;
    codec_free(prepared->prepares[--prepared->n_prepares]);
    assert_false(bench_send_view_change(&bench, 0, 1, prepared));
    codec_free(prepared);
}

static void nothing_is_prepared_in_the_view_changed_to(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared = bench_prepared(&bench, 2, &digest);
    assert_false(bench_send_view_change(&bench, 0, 1, prepared));
    assert_false(bench_send_view_change(&bench, 0, 2, prepared));
    assert_true(bench_send_view_change(&bench, 0, 3, prepared));
    codec_free(prepared);
}

static void a_new_view_is_proved_by_a_quorum(void **state)
{
    (void)state;
    Pot__ViewChange *changes[4];
    for (uint32_t i = 0; i < 4; i++) {
        changes[i] = bench_view_change(&bench, i, 1, NULL);
    }
    Pot__ViewChange *later = bench_view_change(&bench, 2, 2, NULL);
    Pot__ViewChange *twice[] = {changes[0], changes[1], changes[1]};
    Pot__ViewChange *unsorted[] = {changes[1], changes[0], changes[2]};
    Pot__ViewChange *mixed[] = {changes[0], changes[1], later};
    assert_false(bench_new_view(&bench, 1, changes, 2));
    assert_false(bench_new_view(&bench, 1, twice, 3));
    assert_false(bench_new_view(&bench, 1, unsorted, 3));
    assert_false(bench_new_view(&bench, 1, mixed, 3));
    assert_false(bench_new_view(&bench, 2, changes, 3));
    changes[3]->signature.data[5] ^= 1;
    assert_false(bench_new_view(&bench, 1, changes, 4));
    assert_int_equal(pbft_status(bench.pbft).view, 0);
    assert_true(bench_new_view(&bench, 1, changes, 3));
    assert_int_equal(pbft_status(bench.pbft).view, 1);
    for (uint32_t i = 0; i < 4; i++) {
        codec_free(changes[i]);
    }
    codec_free(later);
}

static void one_replica_ahead_proves_nothing(void **state)
{
    (void)state;
    for (uint64_t height = 2; height < 1 << 20; height *= 2) {
        assert_true(bench_vote(&bench, commit, 0, height, 0, &digest));
        assert_null(bench_find(&bench, PBFT_SYNC));
    }
    /* The second one counts for as far as it has come itself. */
    assert_true(bench_vote(&bench, commit, 1, 9, 0, &digest));
    const struct pbft_effect *sync = bench_find(&bench, PBFT_SYNC);
    assert_non_null(sync);
    assert_int_equal(sync->height, 8);
    assert_true(bench_vote(&bench, commit, 1, 9, 0, &digest));
    assert_null(bench_find(&bench, PBFT_SYNC));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_non_null(bench_find(&bench, PBFT_SYNC));
}

/* A message verified with another set would name the wrong signer. */
static void messages_of_an_older_set_are_ignored(void **state)
{
    (void)state;
    struct validator_set turned = bench.set;
    turned.keys[0] = bench.set.keys[1];
    turned.keys[1] = bench.set.keys[0];
    struct pbft_event committed = {.type = PBFT_COMMITTED};
    committed.u.committed.height = 1;
    committed.u.committed.digest = digest;
    committed.u.committed.validators = &turned;
    uint64_t old = pbft_status(bench.pbft).set_id;
    bench_step(&bench, &committed);
    assert_int_not_equal(pbft_status(bench.pbft).set_id, old);

    struct vote vote = {commit, 2, 0, {{9}}, 0};
    struct signature signature;
    vote_sign(&signature, bench.keys[0], &bench.chain, &vote);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = SENT(COMMIT);
    Pot__Vote inner = pbft_message_vote(&vote, &signature);
    message.commit = &inner;
    struct pbft_event event = {.type = PBFT_MESSAGE};
    event.u.message.message = &message;
    event.u.message.set_id = old;
    bench_step(&bench, &event);
    /* Replica 0 of the new set has not voted: a vote is no conflict. */
    vote.digest.b[0] = 8;
    vote_sign(&signature, bench.keys[1], &bench.chain, &vote);
    event.u.message.set_id = pbft_status(bench.pbft).set_id;
    assert_true(pbft_verify(&turned, &bench.chain, &message));
    bench_step(&bench, &event);
    assert_null(bench_find(&bench, PBFT_EVIDENCE));
}

static void requests_from_strangers_are_not_answered(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    size_t size;
    uint8_t *bytes = pbft_message_encode_block_request(&size, 1, &block.digest);
    assert_true(bench_message(&bench, PBFT_NO_REPLICA, bytes, size));
    assert_null(bench_find(&bench, PBFT_SEND));
    assert_true(bench_message(&bench, 4, bytes, size));
    assert_null(bench_find(&bench, PBFT_SEND));
    free(bytes);
}

static void blocks_nobody_asked_for_are_dropped(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes =
        pbft_message_encode_block_reply(&size, 1, block.data, block.size);
    assert_true(bench_message(&bench, 2, bytes, size));
    assert_int_equal(bench.effects.count, 0);
    free(bytes);
}

/* What an honest replica cannot have sent, and what it may have when it knows
 * other validators. */
static void a_breach_is_told_from_another_height(void **state)
{
    (void)state;
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    Pot__PrePrepare pre_prepare = POT__PRE_PREPARE__INIT;
    Pot__Vote vote = POT__VOTE__INIT;
    Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
    assert_true(pbft_is_breach(&message, 7));
    message.kind_case = SENT(PRE_PREPARE);
    assert_true(pbft_is_breach(&message, 7));
    message.pre_prepare = &pre_prepare;
    assert_true(pbft_is_breach(&message, 7));
    pre_prepare.vote = &vote;
    vote.height = 7;
    assert_true(pbft_is_breach(&message, 7));
    vote.height = 8;
    assert_false(pbft_is_breach(&message, 7));
    message.kind_case = SENT(VIEW_CHANGE);
    message.view_change = &change;
    assert_true(pbft_is_breach(&message, 7));
    change.height = 6;
    assert_false(pbft_is_breach(&message, 7));
}

static void signatures_are_counted_before_they_are_checked(void **state)
{
    (void)state;
    size_t size;
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
    change.prepared = prepared;
    uint8_t *bytes = pbft_message_encode_view_change(&size, &change);
    assert_in_range(pbft_signatures(bytes, size), 1 + prepared->n_prepares + 1,
                    2 * (1 + prepared->n_prepares + 1));
    free(bytes);
    bytes = pbft_message_encode_block_reply(&size, 1, block.data, block.size);
    assert_int_equal(pbft_signatures(bytes, size), 1);
    assert_int_equal(pbft_signatures(bytes, 0), 1);
    free(bytes);
    codec_free(prepared);
}

static void evidence_is_found_in_view_changes_too(void **state)
{
    (void)state;
    struct bench_block other = bench_block(&bench, 0, 2);
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &other.digest);
    assert_true(bench_pre_prepare(&bench, 0, &block));
    assert_true(bench_send_view_change(&bench, 1, 1, prepared));
    const struct pbft_effect *effect = bench_find(&bench, PBFT_EVIDENCE);
    assert_non_null(effect);
    assert_int_equal(effect->replica, 0);
    codec_free(prepared);
    bench_block_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(messages_without_content_are_refused, open_backup),
        CASE(a_vote_is_its_signers_and_of_its_kind, open_backup),
        CASE(only_the_views_primary_pre_prepares, open_backup),
        CASE(a_view_changes_certificate_must_hold, open_backup),
        CASE(nothing_is_prepared_in_the_view_changed_to, open_backup),
        CASE(a_new_view_is_proved_by_a_quorum, open_backup),
        CASE(one_replica_ahead_proves_nothing, open_backup),
        CASE(messages_of_an_older_set_are_ignored, open_backup),
        CASE(requests_from_strangers_are_not_answered, open_backup),
        CASE(blocks_nobody_asked_for_are_dropped, open_backup),
        CASE(evidence_is_found_in_view_changes_too, open_backup),
        CASE(a_breach_is_told_from_another_height, open_backup),
        CASE(signatures_are_counted_before_they_are_checked, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
