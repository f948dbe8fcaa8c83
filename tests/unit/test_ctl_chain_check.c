#include "config.h"

#include "ctl/chain_check.h"

#include "base/alloc.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "proto/genesis.h"
#include "proto/genesis_params.h"
#include "proto/vote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 5

/* A chain of one validator set, or of the first `count` keys from a height
 * on: every block is signed by all of its set. */
struct world {
    struct key *keys[KEYS];
    struct validator_set set;
    struct validator_set next; /* named by the header made next */
    Pot__Genesis *genesis;
    struct chain_check chain;
    struct hash tip;
    uint64_t height;
};

struct made {
    uint8_t *header;
    size_t header_size;
    uint8_t *certificate;
    size_t certificate_size;
};

static void set_of(struct validator_set *set, struct world *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        set->keys[i] = *key_public(w->keys[i]);
    }
    set->count = count;
}

static void make_genesis(struct world *w, uint32_t count)
{
    w->genesis = pot_alloc(sizeof(*w->genesis));
    pot__genesis__init(w->genesis);
    w->genesis->chain_id = pot_strdup("pot-test");
    w->genesis->time_ms = 1000;
    w->genesis->params = pot_alloc(sizeof(*w->genesis->params));
    genesis_params_default(w->genesis->params);
    w->genesis->stakes = pot_calloc(count, sizeof(*w->genesis->stakes));
    for (uint32_t i = 0; i < count; i++) {
        Pot__GenesisStake *stake = pot_alloc(sizeof(*stake));
        pot__genesis_stake__init(stake);
        stake->address =
            codec_copy_bytes(key_public(w->keys[i])->b, PUBLIC_KEY_SIZE);
        stake->role = POT__STAKE_ROLE__STAKE_VALIDATOR;
        stake->amount = w->genesis->params->min_validator_stake;
        w->genesis->stakes[w->genesis->n_stakes++] = stake;
    }
}

static void world_init(struct world *w, uint32_t count)
{
    *w = (struct world){.height = 0};
    for (uint8_t i = 0; i < KEYS; i++) {
        uint8_t seed[32] = {i, 9};
        w->keys[i] = key_from_seed(seed);
    }
    make_genesis(w, count);
    set_of(&w->set, w, count);
    set_of(&w->next, w, count);
    genesis_hash(&w->tip, w->genesis);
    chain_check_init(&w->chain, w->genesis);
}

static void world_fini(struct world *w)
{
    for (size_t i = 0; i < KEYS; i++) {
        key_free(w->keys[i]);
    }
    codec_free(w->genesis);
}

static void sign(struct made *out, struct world *w, const struct hash *hash,
                 uint32_t signer_count)
{
    struct hash chain;
    struct signature signatures[KEYS];
    Pot__VoteSignature votes[KEYS];
    Pot__VoteSignature *list[KEYS];
    Pot__CommitCertificate certificate = POT__COMMIT_CERTIFICATE__INIT;
    chain_id_hash(&chain, w->genesis->chain_id);
    for (uint32_t i = 0; i < signer_count; i++) {
        struct vote vote = {.phase = POT__PHASE__PHASE_COMMIT,
                            .height = w->height + 1,
                            .digest = *hash,
                            .replica = i};
        vote_sign(&signatures[i], w->keys[i], &chain, &vote);
        pot__vote_signature__init(&votes[i]);
        votes[i].replica = i;
        votes[i].signature = codec_bytes(signatures[i].b, SIGNATURE_SIZE);
        list[i] = &votes[i];
    }
    certificate.height = w->height + 1;
    certificate.digest = codec_bytes(hash->b, HASH_SIZE);
    certificate.n_signatures = signer_count;
    certificate.signatures = list;
    out->certificate = codec_encode(&out->certificate_size, &certificate);
}

/* The next block, its time given, signed by the first signer_count. */
static struct made make(struct world *w, uint64_t time_ms,
                        uint32_t signer_count)
{
    struct made out = {0};
    struct hash chain;
    struct hash validators;
    struct hash zero = {{0}};
    struct hash hash;
    Pot__Block body = POT__BLOCK__INIT;
    Pot__BlockHeader header = POT__BLOCK_HEADER__INIT;
    chain_id_hash(&chain, w->genesis->chain_id);
    validator_set_hash(&validators, &w->next);
    header.version = PROTOCOL_VERSION;
    header.chain_id = codec_bytes(chain.b, HASH_SIZE);
    header.height = w->height + 1;
    header.time_ms = time_ms;
    header.parent_hash = codec_bytes(w->tip.b, HASH_SIZE);
    header.proposer = codec_bytes(w->set.keys[0].b, PUBLIC_KEY_SIZE);
    header.validators_hash = codec_bytes(validators.b, HASH_SIZE);
    header.state_root = codec_bytes(zero.b, HASH_SIZE);
    block_seal(&hash, &body, &header);
    out.header = pot_memdup(body.header.data, body.header.len);
    out.header_size = body.header.len;
    free(body.header.data);
    free(header.txs_root.data);
    free(header.round_updates_root.data);
    free(header.evidence_root.data);
    free(header.last_commit_hash.data);
    sign(&out, w, &hash, signer_count);
    w->tip = hash;
    return out;
}

static void made_fini(struct made *made)
{
    free(made->header);
    free(made->certificate);
}

static bool offer(struct world *w, const struct made *made)
{
    return chain_check_block(&w->chain, made->header, made->header_size,
                             made->certificate, made->certificate_size);
}

static void extend(struct world *w, uint64_t time_ms, uint32_t signer_count)
{
    struct made made = make(w, time_ms, signer_count);
    if (!offer(w, &made)) {
        fail_msg("height %u: %s", (unsigned)w->height + 1, w->chain.why);
    }
    w->height++;
    made_fini(&made);
}

static void a_signed_chain_passes(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 4);
    for (uint64_t i = 1; i <= 20; i++) {
        extend(&w, 1000 + i, i % 2 == 0 ? 3 : 4);
        assert_int_equal(w.chain.tip.height, i);
        assert_false(w.chain.needs_set);
    }
    assert_true(hash_equal(&w.chain.tip.hash, &w.tip));
    world_fini(&w);
}

static void refuse(struct world *w, const struct made *made, const char *why)
{
    struct chain_check before = w->chain;
    assert_false(offer(w, made));
    if (strstr(w->chain.why, why) == NULL) {
        fail_msg("\"%s\" instead of \"%s\"", w->chain.why, why);
    }
    assert_int_equal(w->chain.tip.height, before.tip.height);
    assert_true(hash_equal(&w->chain.tip.hash, &before.tip.hash));
}

static void too_few_signatures_are_refused(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 4);
    struct made made = make(&w, 2000, 2);
    refuse(&w, &made, "certificate");
    made_fini(&made);
    world_fini(&w);
}

static void changed_bytes_are_refused(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 4);
    struct made made = make(&w, 2000, 4);
    for (size_t i = 0; i < made.header_size; i++) {
        made.header[i] ^= 1;
        assert_false(offer(&w, &made));
        made.header[i] ^= 1;
    }
    for (size_t i = 0; i < made.certificate_size; i++) {
        made.certificate[i] ^= 1;
        /* A certificate's view is no part of what block sync needs, yet it
         * is signed. */
        assert_false(offer(&w, &made));
        made.certificate[i] ^= 1;
    }
    assert_int_equal(w.chain.tip.height, 0);
    assert_true(offer(&w, &made));
    made_fini(&made);
    world_fini(&w);
}

static void other_orders_are_refused(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 4);
    struct made first = make(&w, 2000, 4);
    assert_true(offer(&w, &first));
    refuse(&w, &first, "another height");
    w.height = 1;
    struct made early = make(&w, 2000, 4);
    refuse(&w, &early, "not later");
    genesis_hash(&w.tip, w.genesis);
    struct made fork = make(&w, 3000, 4);
    refuse(&w, &fork, "does not follow its parent");
    assert_false(chain_check_block(&w.chain, NULL, 0, NULL, 0));
    struct made alone = make(&w, 3000, 4);
    assert_false(
        chain_check_block(&w.chain, alone.header, alone.header_size, NULL, 0));
    made_fini(&first);
    made_fini(&early);
    made_fini(&fork);
    made_fini(&alone);
    world_fini(&w);
}

static void a_new_set_must_be_the_one_the_header_names(void **state)
{
    (void)state;
    struct world w;
    struct validator_set three = {.count = 0};
    world_init(&w, 4);
    set_of(&w.next, &w, 5);
    set_of(&three, &w, 3);
    extend(&w, 2000, 4);
    assert_true(w.chain.needs_set);
    assert_false(chain_check_set(&w.chain, &three));
    assert_int_equal(w.chain.tip.height, 0);
    world_fini(&w);

    world_init(&w, 4);
    set_of(&w.next, &w, 5);
    extend(&w, 2000, 4);
    assert_true(chain_check_set(&w.chain, &w.next));
    w.set = w.next;
    extend(&w, 3000, 5);
    assert_int_equal(w.chain.tip.height, 2);
    /* Five validators: three are no quorum any more. */
    struct made made = make(&w, 4000, 3);
    refuse(&w, &made, "certificate");
    made_fini(&made);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_chain_passes),
        cmocka_unit_test(too_few_signatures_are_refused),
        cmocka_unit_test(changed_bytes_are_refused),
        cmocka_unit_test(other_orders_are_refused),
        cmocka_unit_test(a_new_set_must_be_the_one_the_header_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
