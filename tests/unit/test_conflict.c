/* Two chains that are both certified, met in block sync or side by side: who
 * signed both is accused. */
#include "config.h"

#include "node/block/conflict.h"

#include "base/alloc.h"
#include "node/block/catch_up.h"
#include "node/block/delivery.h"
#include "node/block/needs.h"
#include "proto/codec.h"
#include "proto/evidence.h"
#include "proto/validator_set.h"
#include "proto/vote.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct chain_fixture chain;
    struct needs *needs;
    struct delivery delivery;
    struct catch_up *catch_up;
    unsigned done;
    uint64_t height; /* of the last one */
    enum pot_err err;
    unsigned proofs;
    enum evidence_verdict verdict; /* of the last proof... */
    uint64_t accused_at;           /* ...and its height */
} f;

static void on_done(void *context, uint64_t height, enum pot_err err)
{
    (void)context;
    f.done++;
    f.height = height;
    f.err = err;
}

static void on_found(void *context, const void *data, size_t size)
{
    Pot__EvidenceBody *body;
    (void)context;
    assert_int_equal(CODEC_DECODE(&body, pot__evidence_body, data, size),
                     POT_OK);
    f.proofs++;
    f.verdict = evidence_check_body(&f.chain.holdings.chain, body);
    f.accused_at = body->height;
    codec_free(body);
}

static int set_up(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    chain_fixture_open(&f.chain);
    const struct needs_config needs = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
    };
    f.needs = needs_new(&needs);
    needs_stop(f.needs);
    f.delivery = (struct delivery){.chain = f.chain.chain, .needs = f.needs};
    const struct catch_up_config config = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
        .delivery = &f.delivery,
        .done = on_done,
        .found = on_found,
    };
    f.catch_up = catch_up_new(&config);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    catch_up_free(f.catch_up);
    needs_free(f.needs);
    chain_fixture_close(&f.chain);
    return 0;
}

/* The block as somebody else certified it. */
static void deliver(const struct chain_fixture *from,
                    struct shared_block *block)
{
    struct certified *c = chain_fixture_certify(from, block);
    catch_up_take(f.catch_up, block->block->header->height, block->data,
                  block->size, c->certificate_data, c->certificate_size);
    certified_free(c);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
}

static void one_chain_is_no_evidence(void **state)
{
    struct chain_fixture other;
    (void)state;
    chain_fixture_open(&other);
    for (uint64_t height = 1; height <= 12; height++) { /* an epoch ends */
        struct shared_block *block = chain_fixture_propose(
            &other, chain_fixture_pay(&other, height - 1, 5));
        assert_int_equal(chain_fixture_apply(&other, block), POT_OK);
        deliver(&other, block);
        assert_int_equal(f.done, height);
        assert_int_equal(f.err, POT_OK);
        assert_int_equal(chain_tip(f.chain.chain)->height, height);
    }
    assert_int_equal(f.proofs, 0);
    chain_fixture_close(&other);
}

/* The one validator signed two chains. */
static void a_second_chain_that_is_certified_is_evidence(void **state)
{
    struct chain_fixture other;
    (void)state;
    assert_int_equal(
        chain_fixture_apply(&f.chain, chain_fixture_propose(&f.chain, NULL)),
        POT_OK);
    chain_fixture_open(&other);
    assert_int_equal(chain_fixture_apply(
                         &other, chain_fixture_propose(
                                     &other, chain_fixture_pay(&other, 0, 5))),
                     POT_OK);
    deliver(&other, chain_fixture_propose(&other, NULL));
    assert_int_equal(f.proofs, 1);
    assert_int_equal(f.verdict, EVIDENCE_PROVES);
    assert_int_equal(f.accused_at, 1);
    assert_int_equal(f.done, 1);
    assert_int_not_equal(f.err, POT_OK);
    assert_int_equal(chain_tip(f.chain.chain)->height, 1);
    chain_fixture_close(&other);
}

/* ---- certificates side by side */

#define SIGNERS 4

static struct key *keys[SIGNERS];
static struct validator_set set;

static void make_set(void)
{
    set = (struct validator_set){.count = SIGNERS};
    for (uint8_t i = 0; i < SIGNERS; i++) {
        uint8_t seed[32] = {40, i};
        keys[i] = key_from_seed(seed);
        set.keys[i] = *key_public(keys[i]);
    }
}

/* Of the replicas from `first` on, three of them. */
static Pot__CommitCertificate *certificate(uint64_t view, uint8_t digest,
                                           uint32_t first)
{
    Pot__CommitCertificate *c = pot_alloc(sizeof(*c));
    pot__commit_certificate__init(c);
    const struct vote vote = {POT__PHASE__PHASE_COMMIT, 7, view, {{digest}}, 0};
    c->height = vote.height;
    c->view = view;
    c->digest = codec_copy_bytes(vote.digest.b, HASH_SIZE);
    c->signatures = pot_calloc(3, sizeof(*c->signatures));
    for (uint32_t i = first; i < first + 3; i++) {
        struct signature signature;
        Pot__VoteSignature *by = pot_alloc(sizeof(*by));
        pot__vote_signature__init(by);
        vote_sign(&signature, keys[i], &f.chain.holdings.chain, &vote);
        by->replica = i;
        by->signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
        c->signatures[c->n_signatures++] = by;
    }
    return c;
}

/* How many proofs come of the two, which are taken; all of them hold. */
static size_t proofs_of(Pot__CommitCertificate *a, Pot__CommitCertificate *b,
                        bool *is_found)
{
    struct conflict conflict;
    conflict_compare(&conflict, &set, a, b);
    for (size_t i = 0; i < conflict.count; i++) {
        on_found(NULL, conflict.proofs[i].data, conflict.proofs[i].size);
        assert_int_equal(f.verdict, EVIDENCE_PROVES);
    }
    size_t count = conflict.count;
    *is_found = conflict.is_found;
    conflict_fini(&conflict);
    codec_free(a);
    codec_free(b);
    return count;
}

static void who_stands_in_both_is_accused(void **state)
{
    bool is_found;
    (void)state;
    make_set();
    /* f + 1 of four. */
    assert_int_equal(
        proofs_of(certificate(0, 1, 0), certificate(0, 2, 1), &is_found), 2);
    assert_true(is_found);
    assert_int_equal(
        proofs_of(certificate(3, 1, 1), certificate(3, 2, 1), &is_found), 3);
    /* Of two views: nobody can tell from these alone. */
    assert_int_equal(
        proofs_of(certificate(0, 1, 0), certificate(1, 2, 1), &is_found), 0);
    assert_true(is_found);
    /* The same block, by others. */
    assert_int_equal(
        proofs_of(certificate(0, 1, 0), certificate(0, 1, 1), &is_found), 0);
    assert_false(is_found);
    for (size_t i = 0; i < SIGNERS; i++) {
        key_free(keys[i]);
    }
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_chain_is_no_evidence),
        CASE(a_second_chain_that_is_certified_is_evidence),
        CASE(who_stands_in_both_is_accused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
