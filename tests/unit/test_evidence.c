/* What proves that a validator contradicted itself, and what does not. */
#include "config.h"

#include "proto/codec.h"
#include "proto/evidence.h"
#include "tests/unit/evidence_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct hash chain;
static struct key *accused;
static struct key *other;
static struct key *finder;
static struct evidence_signer by;       /* the accused, at height 5 */
static struct evidence_signer by_other; /* another one there */

static const Pot__Phase pre_prepare = POT__PHASE__PHASE_PRE_PREPARE;
static const Pot__Phase prepare = POT__PHASE__PHASE_PREPARE;
static const Pot__Phase commit = POT__PHASE__PHASE_COMMIT;

static int open_keys(void **state)
{
    (void)state;
    uint8_t seed[32] = {1};
    accused = key_from_seed(seed);
    seed[0] = 2;
    other = key_from_seed(seed);
    seed[0] = 3;
    finder = key_from_seed(seed);
    hash_bytes(&chain, "chain-id", "test", 4);
    by = (struct evidence_signer){accused, &chain, 5};
    by_other = (struct evidence_signer){other, &chain, 5};
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    key_free(accused);
    key_free(other);
    key_free(finder);
    return 0;
}

/* Takes body. */
static enum evidence_verdict verdict_of(Pot__EvidenceBody *body)
{
    enum evidence_verdict alone = evidence_check_body(&chain, body);
    Pot__Signed *proof = evidence_proof(&chain, finder, body);
    enum evidence_verdict verdict = evidence_check(&chain, proof);
    codec_free(proof);
    assert_int_equal(verdict, alone);
    return verdict;
}

static enum evidence_verdict words(Pot__SignedWord *a, Pot__SignedWord *b)
{
    return verdict_of(evidence_body(&by, a, b));
}

static void two_votes_of_one_view_for_two_blocks_are_evidence(void **state)
{
    (void)state;
    const Pot__Phase phases[] = {pre_prepare, prepare, commit};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(words(evidence_vote(&by, phases[i], 2, 7),
                                   evidence_vote(&by, phases[k], 2, 8)),
                             EVIDENCE_PROVES);
        }
    }
}

static void votes_that_an_honest_validator_casts_are_none(void **state)
{
    (void)state;
    assert_int_equal(words(evidence_vote(&by, prepare, 2, 7),
                           evidence_vote(&by, commit, 2, 7)),
                     EVIDENCE_NO_CONFLICT);
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_vote(&by, commit, 3, 8)),
                     EVIDENCE_NO_CONFLICT);
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_vote(&by, commit, 2, 7)),
                     EVIDENCE_NO_CONFLICT);
}

static void words_of_another_key_chain_or_height_are_forged(void **state)
{
    (void)state;
    struct hash elsewhere;
    hash_bytes(&elsewhere, "chain-id", "else", 4);
    const struct evidence_signer far = {accused, &elsewhere, 5};
    const struct evidence_signer late = {accused, &chain, 6};
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_vote(&by_other, commit, 2, 8)),
                     EVIDENCE_FORGED);
    assert_int_equal(words(evidence_vote(&far, commit, 2, 7),
                           evidence_vote(&by, commit, 2, 8)),
                     EVIDENCE_FORGED);
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_vote(&late, commit, 2, 8)),
                     EVIDENCE_FORGED);
    assert_int_equal(words(evidence_change(&by, 2, 1, false),
                           evidence_change(&by_other, 2, -1, false)),
                     EVIDENCE_FORGED);
}

static void two_view_changes_that_show_different_things_are_evidence(
    void **state)
{
    (void)state;
    assert_int_equal(words(evidence_change(&by, 3, -1, false),
                           evidence_change(&by, 3, 1, false)),
                     EVIDENCE_PROVES);
    assert_int_equal(words(evidence_change(&by, 3, 0, false),
                           evidence_change(&by, 3, 1, false)),
                     EVIDENCE_PROVES);
    assert_int_equal(words(evidence_change(&by, 3, 0, false),
                           evidence_change(&by, 4, 1, false)),
                     EVIDENCE_NO_CONFLICT);
    assert_int_equal(words(evidence_change(&by, 3, 0, true),
                           evidence_change(&by, 3, 1, false)),
                     EVIDENCE_NO_CONFLICT); /* there is one encoding only */
}

static void a_commit_that_a_view_change_forgets_is_evidence(void **state)
{
    (void)state;
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_change(&by, 3, -1, true)),
                     EVIDENCE_PROVES);
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_change(&by, 4, 1, true)),
                     EVIDENCE_PROVES);
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_change(&by, 4, 2, true)),
                     EVIDENCE_NO_CONFLICT);
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_change(&by, 2, -1, true)),
                     EVIDENCE_NO_CONFLICT); /* it came before */
    assert_int_equal(words(evidence_vote(&by, prepare, 2, 7),
                           evidence_change(&by, 3, -1, true)),
                     EVIDENCE_NO_CONFLICT); /* prepared is not said */
}

/* Without the certificate nobody knows its view; with another one nobody
 * signed it. */
static void what_a_view_change_showed_must_be_in_the_evidence(void **state)
{
    (void)state;
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7),
                           evidence_change(&by, 4, 1, false)),
                     EVIDENCE_NO_CONFLICT);
    Pot__SignedWord *change = evidence_change(&by, 4, 2, true);
    change->prepared->view = 1;
    assert_int_equal(words(evidence_vote(&by, commit, 2, 7), change),
                     EVIDENCE_NO_CONFLICT);
}

static void the_words_stand_in_one_order(void **state)
{
    (void)state;
    Pot__EvidenceBody *body =
        evidence_body(&by, evidence_vote(&by, commit, 2, 7),
                      evidence_vote(&by, commit, 2, 8));
    Pot__SignedWord *first = body->first;
    body->first = body->second;
    body->second = first;
    assert_int_equal(verdict_of(body), EVIDENCE_ORDER);
    body = evidence_body(&by, evidence_vote(&by, commit, 2, 7),
                         evidence_change(&by, 3, -1, true));
    assert_int_equal(body->first->phase, commit);
    first = body->first;
    body->first = body->second;
    body->second = first;
    assert_int_equal(verdict_of(body), EVIDENCE_ORDER);
}

static void a_field_of_a_wrong_size_is_malformed(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        Pot__EvidenceBody *body =
            evidence_body(&by, evidence_vote(&by, commit, 2, 7),
                          evidence_vote(&by, commit, 2, 8));
        switch (i) {
        case 0:
            body->validator.len--;
            break;
        case 1:
            body->height = 0;
            break;
        case 2:
            codec_free(body->second);
            body->second = NULL;
            break;
        case 3:
            body->first->digest.len = 0;
            break;
        case 4:
            body->second->signature.len--;
            break;
        case 5:
            body->first->view = UINT64_MAX;
            break;
        default:
            body->first->phase = (Pot__Phase)7;
            break;
        }
        assert_int_equal(verdict_of(body), EVIDENCE_MALFORMED);
    }
}

static void a_finder_signs_what_it_found(void **state)
{
    (void)state;
    Pot__Signed *proof = evidence_of(&chain, accused, 5, finder);
    assert_int_equal(evidence_check(&chain, proof), EVIDENCE_PROVES);
    memcpy(proof->public_key.data, key_public(other)->b, PUBLIC_KEY_SIZE);
    assert_int_equal(evidence_check(&chain, proof), EVIDENCE_UNSIGNED);
    codec_free(proof);
}

static void bytes_that_are_no_evidence_are_malformed(void **state)
{
    (void)state;
    Pot__Signed *proof = evidence_of(&chain, accused, 5, finder);
    proof->body.len--;
    assert_null(evidence_decode(proof));
    assert_int_equal(evidence_check(&chain, proof), EVIDENCE_MALFORMED);
    proof->body.len++;
    Pot__EvidenceBody *body = evidence_decode(proof);
    assert_string_equal(evidence_kind(body), "votes");
    codec_free(body);
    codec_free(proof);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_votes_of_one_view_for_two_blocks_are_evidence),
        cmocka_unit_test(votes_that_an_honest_validator_casts_are_none),
        cmocka_unit_test(words_of_another_key_chain_or_height_are_forged),
        cmocka_unit_test(
            two_view_changes_that_show_different_things_are_evidence),
        cmocka_unit_test(a_commit_that_a_view_change_forgets_is_evidence),
        cmocka_unit_test(what_a_view_change_showed_must_be_in_the_evidence),
        cmocka_unit_test(the_words_stand_in_one_order),
        cmocka_unit_test(a_field_of_a_wrong_size_is_malformed),
        cmocka_unit_test(a_finder_signs_what_it_found),
        cmocka_unit_test(bytes_that_are_no_evidence_are_malformed),
    };
    return cmocka_run_group_tests(tests, open_keys, close_keys);
}
