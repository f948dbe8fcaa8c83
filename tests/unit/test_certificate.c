#include "config.h"

#include "proto/certificate.h"

#include "base/alloc.h"
#include "proto/codec.h"
#include "proto/vote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N    4
#define MANY 31

static const struct hash chain = {{1}};
static const struct hash digest = {{9}};
static struct key *keys[MANY];
static struct validator_set set;

static int open_keys(void **state)
{
    (void)state;
    set.count = N;
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t seed[32] = {'c', (uint8_t)i};
        keys[i] = key_from_seed(seed);
        set.keys[i] = *key_public(keys[i]);
    }
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        key_free(keys[i]);
    }
    return 0;
}

static Pot__VoteSignature *sign(uint32_t signer, Pot__Phase phase,
                                uint64_t view)
{
    struct vote vote = {phase, 5, view, digest, signer};
    struct signature signature;
    Pot__VoteSignature *made = pot_alloc(sizeof(*made));
    pot__vote_signature__init(made);
    vote_sign(&signature, keys[signer], &chain, &vote);
    made->replica = signer;
    made->signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
    return made;
}

/* Height 5, view 2, signed by replicas 0 to count - 1. */
static Pot__CommitCertificate *make_commit(size_t count)
{
    Pot__CommitCertificate *c = pot_alloc(sizeof(*c));
    pot__commit_certificate__init(c);
    c->height = 5;
    c->view = 2;
    c->digest = codec_copy_bytes(digest.b, HASH_SIZE);
    c->signatures = pot_calloc(MANY, sizeof(*c->signatures));
    for (uint32_t i = 0; i < count; i++) {
        c->signatures[c->n_signatures++] = sign(i, POT__PHASE__PHASE_COMMIT, 2);
    }
    return c;
}

/* View 2's primary is 2; prepares of 0 and 1. */
static Pot__PreparedCertificate *make_prepared(void)
{
    Pot__PreparedCertificate *c = pot_alloc(sizeof(*c));
    pot__prepared_certificate__init(c);
    c->height = 5;
    c->view = 2;
    c->digest = codec_copy_bytes(digest.b, HASH_SIZE);
    c->pre_prepare = sign(2, POT__PHASE__PHASE_PRE_PREPARE, 2);
    c->prepares = pot_calloc(N, sizeof(*c->prepares));
    c->prepares[c->n_prepares++] = sign(0, POT__PHASE__PHASE_PREPARE, 2);
    c->prepares[c->n_prepares++] = sign(1, POT__PHASE__PHASE_PREPARE, 2);
    return c;
}

static void expect_commit(Pot__CommitCertificate *c,
                          enum certificate_verdict verdict)
{
    assert_string_equal(
        certificate_verdict_text(certificate_verify(&set, &chain, c)),
        certificate_verdict_text(verdict));
    codec_free(c);
}

static void expect_prepared(Pot__PreparedCertificate *c,
                            enum certificate_verdict verdict)
{
    assert_string_equal(
        certificate_verdict_text(prepared_verify(&set, &chain, c)),
        certificate_verdict_text(verdict));
    codec_free(c);
}

static void quorums_intersect_in_an_honest_replica(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= VALIDATORS_MAX; n++) {
        uint32_t f = validator_set_faults(n);
        uint32_t quorum = validator_set_quorum(n);
        assert_true(3 * f + 1 <= n && n < 3 * (f + 1) + 1);
        assert_true(2 * quorum >= n + f + 1);
        assert_true(2 * (quorum - 1) < n + f + 1);
        assert_true(quorum <= n - f);
    }
    assert_int_equal(validator_set_quorum(1), 1);
    assert_int_equal(validator_set_quorum(4), 3);
    assert_int_equal(validator_set_quorum(7), 5);
}

static void a_vote_signs_a_fixed_layout(void **state)
{
    (void)state;
    struct vote vote = {POT__PHASE__PHASE_COMMIT, 0x0102, 0x03, digest, 1};
    uint8_t bytes[49] = {3, 2, 1, 0, 0, 0, 0, 0, 0, 3};
    memcpy(bytes + 17, digest.b, HASH_SIZE);
    struct signature signature;
    struct signature expected;
    vote_sign(&signature, keys[1], &chain, &vote);
    key_sign(&expected, keys[1], "vote", &chain, bytes, sizeof(bytes));
    assert_memory_equal(signature.b, expected.b, SIGNATURE_SIZE);
    assert_true(vote_verify(&set, &chain, &vote, &signature));
}

static void a_vote_holds_for_its_own_words_only(void **state)
{
    (void)state;
    struct vote vote = {POT__PHASE__PHASE_COMMIT, 5, 2, digest, 1};
    struct signature signature;
    vote_sign(&signature, keys[1], &chain, &vote);
    struct vote wrong[6];
    for (size_t i = 0; i < 6; i++) {
        wrong[i] = vote;
    }
    wrong[0].phase = POT__PHASE__PHASE_PREPARE;
    wrong[1].height = 6;
    wrong[2].view = 3;
    wrong[3].digest.b[31] ^= 1;
    wrong[4].replica = 2;
    wrong[5].replica = N;
    for (size_t i = 0; i < 6; i++) {
        assert_false(vote_verify(&set, &chain, &wrong[i], &signature));
    }
    struct hash other_chain = {{2}};
    assert_false(vote_verify(&set, &other_chain, &vote, &signature));
}

static void a_quorum_of_commits_is_a_certificate(void **state)
{
    (void)state;
    expect_commit(make_commit(3), CERTIFICATE_VALID);
    expect_commit(make_commit(4), CERTIFICATE_VALID);
}

static void less_than_a_quorum_is_none(void **state)
{
    (void)state;
    expect_commit(make_commit(0), CERTIFICATE_TOO_FEW);
    expect_commit(make_commit(2), CERTIFICATE_TOO_FEW);
}

static void a_signer_counts_once(void **state)
{
    (void)state;
    Pot__CommitCertificate *c = make_commit(2);
    c->signatures[c->n_signatures++] = sign(1, POT__PHASE__PHASE_COMMIT, 2);
    expect_commit(c, CERTIFICATE_FORGED);
}

static void signers_stand_in_ascending_order(void **state)
{
    (void)state;
    Pot__CommitCertificate *c = make_commit(3);
    Pot__VoteSignature *first = c->signatures[0];
    c->signatures[0] = c->signatures[1];
    c->signatures[1] = first;
    expect_commit(c, CERTIFICATE_FORGED);
}

static void a_signer_outside_the_set_counts_for_nothing(void **state)
{
    (void)state;
    Pot__CommitCertificate *c = make_commit(3);
    c->signatures[2]->replica = N;
    expect_commit(c, CERTIFICATE_FORGED);
    c = make_commit(3);
    c->signatures[2]->replica = UINT32_MAX;
    expect_commit(c, CERTIFICATE_FORGED);
}

static void a_signature_under_anothers_name_is_refused(void **state)
{
    (void)state;
    Pot__CommitCertificate *c = make_commit(3);
    c->signatures[2]->replica = 3;
    expect_commit(c, CERTIFICATE_FORGED);
}

static void votes_of_another_phase_or_view_do_not_count(void **state)
{
    (void)state;
    Pot__CommitCertificate *c = make_commit(2);
    c->signatures[c->n_signatures++] = sign(2, POT__PHASE__PHASE_PREPARE, 2);
    expect_commit(c, CERTIFICATE_FORGED);
    c = make_commit(2);
    c->signatures[c->n_signatures++] = sign(2, POT__PHASE__PHASE_COMMIT, 3);
    expect_commit(c, CERTIFICATE_FORGED);
}

static void a_changed_field_breaks_a_certificate(void **state)
{
    (void)state;
    Pot__CommitCertificate *c = make_commit(3);
    c->height = 6;
    expect_commit(c, CERTIFICATE_FORGED);
    c = make_commit(3);
    c->view = 1;
    expect_commit(c, CERTIFICATE_FORGED);
    c = make_commit(3);
    c->digest.data[0] ^= 1;
    expect_commit(c, CERTIFICATE_FORGED);
    c = make_commit(3);
    c->signatures[1]->signature.data[63] ^= 1;
    expect_commit(c, CERTIFICATE_FORGED);
}

static void fields_of_wrong_sizes_are_malformed(void **state)
{
    (void)state;
    Pot__CommitCertificate *c = make_commit(3);
    c->digest.len = 31;
    expect_commit(c, CERTIFICATE_MALFORMED);
    c = make_commit(3);
    c->height = 0;
    expect_commit(c, CERTIFICATE_MALFORMED);
    c = make_commit(3);
    c->view = UINT64_MAX;
    expect_commit(c, CERTIFICATE_MALFORMED);
    c = make_commit(3);
    c->signatures[0]->signature.len = 63;
    expect_commit(c, CERTIFICATE_FORGED);
}

static void the_set_of_the_height_decides(void **state)
{
    (void)state;
    struct validator_set other = set;
    other.keys[0] = set.keys[1];
    other.keys[1] = set.keys[0];
    Pot__CommitCertificate *c = make_commit(3);
    assert_int_equal(certificate_verify(&other, &chain, c), CERTIFICATE_FORGED);
    codec_free(c);
}

static void a_prepared_certificate_holds(void **state)
{
    (void)state;
    expect_prepared(make_prepared(), CERTIFICATE_VALID);
}

static void a_prepared_certificate_needs_the_primary(void **state)
{
    (void)state;
    Pot__PreparedCertificate *c = make_prepared();
    codec_free(c->pre_prepare);
    c->pre_prepare = NULL;
    expect_prepared(c, CERTIFICATE_MALFORMED);
    c = make_prepared();
    codec_free(c->pre_prepare);
    c->pre_prepare = sign(3, POT__PHASE__PHASE_PRE_PREPARE, 2);
    expect_prepared(c, CERTIFICATE_FORGED);
    c = make_prepared();
    codec_free(c->pre_prepare);
    c->pre_prepare = sign(2, POT__PHASE__PHASE_PREPARE, 2);
    expect_prepared(c, CERTIFICATE_FORGED);
}

static void the_primary_does_not_count_twice(void **state)
{
    (void)state;
    Pot__PreparedCertificate *c = make_prepared();
    codec_free(c->prepares[1]);
    c->prepares[1] = sign(2, POT__PHASE__PHASE_PREPARE, 2);
    expect_prepared(c, CERTIFICATE_FORGED);
}

static void a_prepared_certificate_needs_a_quorum(void **state)
{
    (void)state;
    Pot__PreparedCertificate *c = make_prepared();
    codec_free(c->prepares[--c->n_prepares]);
    expect_prepared(c, CERTIFICATE_TOO_FEW);
}

static bool knows_all_but_5(void *context, const struct hash *id)
{
    const struct hash *unknown = context;
    return !hash_equal(id, unknown);
}

/* One after the other is wrong. */
static void each_of_many_signatures_counts(void **state)
{
    (void)state;
    uint32_t quorum = validator_set_quorum(MANY);
    set.count = MANY;
    expect_commit(make_commit(quorum), CERTIFICATE_VALID);
    for (uint32_t i = 0; i < quorum; i++) {
        Pot__CommitCertificate *c = make_commit(quorum);
        c->signatures[i]->signature.data[33] ^= 1;
        expect_commit(c, CERTIFICATE_FORGED);
    }
    Pot__CommitCertificate *c = make_commit(quorum);
    c->signatures[quorum - 1]->replica = MANY;
    expect_commit(c, CERTIFICATE_FORGED);
    set.count = N;
}

static void what_is_not_known_among_many_is_checked(void **state)
{
    (void)state;
    struct hash unknown;
    struct vote vote = {POT__PHASE__PHASE_COMMIT, 5, 2, digest, 5};
    uint32_t quorum = validator_set_quorum(MANY);
    set.count = MANY;
    for (unsigned is_wrong = 0; is_wrong < 2; is_wrong++) {
        struct signature signature;
        const struct known_votes known = {knows_all_but_5, &unknown};
        Pot__CommitCertificate *c = make_commit(quorum);
        c->signatures[6]->signature.data[33] ^= 1; /* known all the same */
        c->signatures[5]->signature.data[33] ^= (uint8_t)is_wrong;
        memcpy(signature.b, c->signatures[5]->signature.data, SIGNATURE_SIZE);
        vote_id(&unknown, &set.keys[5], &vote, &signature);
        assert_int_equal(
            certificate_proves_by(&set, &chain, c, 5, &digest, &known),
            is_wrong ? CERTIFICATE_FORGED : CERTIFICATE_VALID);
        codec_free(c);
    }
    set.count = N;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quorums_intersect_in_an_honest_replica),
        cmocka_unit_test(a_vote_signs_a_fixed_layout),
        cmocka_unit_test(a_vote_holds_for_its_own_words_only),
        cmocka_unit_test(a_quorum_of_commits_is_a_certificate),
        cmocka_unit_test(less_than_a_quorum_is_none),
        cmocka_unit_test(a_signer_counts_once),
        cmocka_unit_test(signers_stand_in_ascending_order),
        cmocka_unit_test(a_signer_outside_the_set_counts_for_nothing),
        cmocka_unit_test(a_signature_under_anothers_name_is_refused),
        cmocka_unit_test(votes_of_another_phase_or_view_do_not_count),
        cmocka_unit_test(a_changed_field_breaks_a_certificate),
        cmocka_unit_test(fields_of_wrong_sizes_are_malformed),
        cmocka_unit_test(the_set_of_the_height_decides),
        cmocka_unit_test(a_prepared_certificate_holds),
        cmocka_unit_test(a_prepared_certificate_needs_the_primary),
        cmocka_unit_test(the_primary_does_not_count_twice),
        cmocka_unit_test(a_prepared_certificate_needs_a_quorum),
        cmocka_unit_test(each_of_many_signatures_counts),
        cmocka_unit_test(what_is_not_known_among_many_is_checked),
    };
    return cmocka_run_group_tests(tests, open_keys, close_keys);
}
