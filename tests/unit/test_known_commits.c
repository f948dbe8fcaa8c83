/* Whether a signature was checked again is told by one that is wrong: only
 * what is known passes with it. */
#include "config.h"

#include "node/block/known_commits.h"

#include "base/alloc.h"
#include "node/hold/verified.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/vote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N      4
#define HEIGHT 5
#define VIEW   2

static const struct hash chain = {{1}};
static const struct hash digest = {{2}};

static struct world {
    struct validator_set set;
    struct verified *verified;
    Pot__CommitCertificate *certificate; /* of replicas 0 to 2, the last one's
                                            signature wrong */
} w;

static Pot__VoteSignature *sign(const struct key *key, uint32_t replica)
{
    struct vote vote = {POT__PHASE__PHASE_COMMIT, HEIGHT, VIEW, digest,
                        replica};
    struct signature signature;
    Pot__VoteSignature *made = pot_alloc(sizeof(*made));
    pot__vote_signature__init(made);
    vote_sign(&signature, key, &chain, &vote);
    signature.b[0] ^= replica == 2;
    made->replica = replica;
    made->signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
    return made;
}

static int open_world(void **state)
{
    (void)state;
    w.set.count = N;
    w.verified = verified_new(&chain, 1);
    w.certificate = pot_alloc(sizeof(*w.certificate));
    pot__commit_certificate__init(w.certificate);
    w.certificate->height = HEIGHT;
    w.certificate->view = VIEW;
    w.certificate->digest = codec_copy_bytes(digest.b, HASH_SIZE);
    w.certificate->signatures =
        pot_calloc(N, sizeof(*w.certificate->signatures));
    for (uint32_t i = 0; i < N; i++) {
        struct key *key = key_generate();
        w.set.keys[i] = *key_public(key);
        if (i < 3) {
            w.certificate->signatures[w.certificate->n_signatures++] =
                sign(key, i);
        }
        key_free(key);
    }
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    codec_free(w.certificate);
    verified_free(w.verified);
    return 0;
}

static enum certificate_verdict judge(void)
{
    const struct known_votes known = {verified_has_vote, w.verified};
    return certificate_proves_by(&w.set, &chain, w.certificate, HEIGHT, &digest,
                                 &known);
}

/* As it would have come over the wire. */
static void add_last(Pot__Phase phase, uint64_t view)
{
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    Pot__Vote vote = POT__VOTE__INIT;
    const Pot__VoteSignature *last = w.certificate->signatures[2];
    vote.phase = phase;
    vote.height = HEIGHT;
    vote.view = view;
    vote.digest = w.certificate->digest;
    vote.replica = last->replica;
    vote.signature = last->signature;
    message.kind_case = phase == POT__PHASE__PHASE_COMMIT
                            ? POT__CONSENSUS_MESSAGE__KIND_COMMIT
                            : POT__CONSENSUS_MESSAGE__KIND_PREPARE;
    message.commit = &vote;
    known_commits_add(w.verified, &w.set, &message);
}

static void a_commit_that_is_not_known_is_checked(void **state)
{
    (void)state;
    assert_int_equal(judge(), CERTIFICATE_FORGED);
    add_last(POT__PHASE__PHASE_COMMIT, VIEW + 1);
    assert_int_equal(judge(), CERTIFICATE_FORGED);
    add_last(POT__PHASE__PHASE_PREPARE, VIEW);
    assert_int_equal(judge(), CERTIFICATE_FORGED);
}

static void a_commit_that_came_before_is_not_checked_again(void **state)
{
    (void)state;
    add_last(POT__PHASE__PHASE_COMMIT, VIEW);
    assert_int_equal(judge(), CERTIFICATE_VALID);
}

static void what_a_certificate_was_made_of_is_known(void **state)
{
    (void)state;
    known_commits_add_all(w.verified, &w.set, w.certificate);
    assert_int_equal(judge(), CERTIFICATE_VALID);
}

static void what_one_signed_is_not_known_of_another(void **state)
{
    (void)state;
    known_commits_add_all(w.verified, &w.set, w.certificate);
    w.set.keys[2] = w.set.keys[3];
    assert_int_equal(judge(), CERTIFICATE_FORGED);
}

static void known_commits_are_not_more_than_they_are(void **state)
{
    (void)state;
    known_commits_add_all(w.verified, &w.set, w.certificate);
    w.certificate->signatures[2]->signature.data[1] ^= 1;
    assert_int_equal(judge(), CERTIFICATE_FORGED);
    w.certificate->signatures[2]->signature.data[1] ^= 1;
    w.certificate->signatures[2]->replica = N;
    assert_int_equal(judge(), CERTIFICATE_FORGED);
    codec_free(w.certificate->signatures[2]);
    w.certificate->n_signatures = 2;
    assert_int_equal(judge(), CERTIFICATE_TOO_FEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_that_is_not_known_is_checked,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(
            a_commit_that_came_before_is_not_checked_again, open_world,
            close_world),
        cmocka_unit_test_setup_teardown(what_a_certificate_was_made_of_is_known,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(what_one_signed_is_not_known_of_another,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(
            known_commits_are_not_more_than_they_are, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
