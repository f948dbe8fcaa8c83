/* A block is made and checked in the same order, the ledger's: round updates
 * by ascending task, transactions, the end of the block.  The write set that
 * results is kept beside the block, so that committing it executes nothing
 * again. */
#include "config.h"

#include "node/execution.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "node/blob_pool.h"
#include "node/datasets.h"
#include "node/verified.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "proto/state.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Room in a block for its header, the parent's certificate and tags. */
#define BLOCK_FRAME_BYTES (4096 + 80 * VALIDATORS_MAX)
/* Tag and length of a transaction in a block. */
#define TX_FRAME_BYTES 6

/* ---- the ledger's view */

static bool state_get(void *context, const void *key, size_t key_size,
                      struct buf *value)
{
    struct execution_context *c = context;
    return overlay_get(c->overlay, key, key_size, value);
}

static void state_put(void *context, const void *key, size_t key_size,
                      const void *value, size_t value_size)
{
    struct execution_context *c = context;
    overlay_put(c->overlay, key, key_size, value, value_size);
}

static void state_del(void *context, const void *key, size_t key_size)
{
    struct execution_context *c = context;
    overlay_del(c->overlay, key, key_size);
}

static bool blobs_get(void *context, const struct hash *hash, struct buf *value)
{
    struct execution_context *c = context;
    buf_clear(value);
    return blob_pool_get(c->env->pool, hash, value) ||
           overlay_blob_get(c->overlay, hash, value);
}

static void blobs_put(void *context, const struct hash *hash, const void *data,
                      size_t size)
{
    struct execution_context *c = context;
    overlay_blob_put(c->overlay, hash, data, size);
}

static void blobs_del(void *context, const struct hash *hash)
{
    struct execution_context *c = context;
    overlay_blob_del(c->overlay, hash);
}

static const struct dataset *find_dataset(void *context,
                                          const struct hash *address)
{
    struct execution_context *c = context;
    return datasets_find(c->env->datasets, address);
}

struct ledger_env execution_ledger_env(struct execution_context *context)
{
    return (struct ledger_env){
        .chain = context->env->chain,
        .state = {context, state_get, state_put, state_del},
        .blobs = {context, blobs_get, blobs_put, blobs_del},
        .datasets = {context, find_dataset},
    };
}

static bool tip_get(void *context, const void *key, size_t key_size,
                    struct buf *value)
{
    struct execution_tip_context *c = context;
    return store_state_get(c->store, key, key_size, value) == POT_OK;
}

struct state execution_tip_state(struct execution_tip_context *context)
{
    return (struct state){.context = context, .get = tip_get};
}

static enum pot_err read_block(struct store *store, uint64_t height,
                               struct block **out)
{
    struct buf data;
    buf_init(&data, BLOCK_BYTES_MAX);
    *out = NULL;
    enum pot_err err = store_get_block(store, height, &data);
    if (err == POT_OK) {
        err = block_open(out, data.data, data.size);
    }
    buf_fini(&data);
    return err;
}

enum pot_err execution_block_hash(struct store *store, uint64_t height,
                                  struct hash *out)
{
    struct block *block;
    enum pot_err err = read_block(store, height, &block);
    if (err == POT_OK) {
        *out = block->hash;
        block_free(block);
    }
    return err;
}

/* ---- making a block */

static void free_signed(Pot__Signed **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        codec_free(list[i]);
    }
    free(list);
}

void execution_request_free(struct execution_request *request)
{
    if (request == NULL) {
        return;
    }
    free_signed(request->txs, request->tx_count);
    for (size_t i = 0; i < request->round_count; i++) {
        struct execution_round *round = &request->rounds[i];
        free_signed(round->submissions, round->submission_count);
        free_signed(round->attestations, round->attestation_count);
    }
    free(request->rounds);
    free(request);
}

void executed_free(struct executed *executed)
{
    if (executed != NULL) {
        block_free(executed->block);
        overlay_free(executed->overlay);
        free(executed->data);
        free(executed);
    }
}

struct maker {
    const struct execution_request *request;
    struct ledger_env env;
    struct ledger_block block;
    Pot__Block *body;
    size_t bytes;
};

static void add_rounds(struct maker *m)
{
    const struct execution_request *r = m->request;
    m->body->round_updates =
        pot_calloc(r->round_count, sizeof(*m->body->round_updates));
    for (size_t i = 0; i < r->round_count; i++) {
        const struct execution_round *from = &r->rounds[i];
        const struct round_candidate candidate = {
            .task = from->task,
            .submissions = (const Pot__Signed *const *)from->submissions,
            .submission_count = from->submission_count,
            .attestations = (const Pot__Signed *const *)from->attestations,
            .attestation_count = from->attestation_count,
        };
        Pot__RoundUpdate *update = NULL;
        if (ledger_make_round(&m->env, &m->block, &candidate, &update) !=
            ROUND_ACCEPTED) {
            continue;
        }
        size_t size = pot__round_update__get_packed_size(update);
        const struct ledger_trust trust = {true, true};
        if (m->bytes + size > r->bytes_max ||
            ledger_apply_round(&m->env, &m->block, update, trust) !=
                ROUND_ACCEPTED) {
            codec_free(update);
            continue;
        }
        m->bytes += size + TX_FRAME_BYTES;
        m->body->round_updates[m->body->n_round_updates++] = update;
    }
}

static void add_txs(struct maker *m)
{
    const struct execution_request *r = m->request;
    uint64_t deadline = uv_hrtime() + r->work_max_ms * 1000000;
    m->body->txs = pot_calloc(r->tx_count, sizeof(*m->body->txs));
    for (size_t i = 0; i < r->tx_count && i < BLOCK_TXS_MAX; i++) {
        const Pot__Signed *tx = r->txs[i];
        size_t size = pot__signed__get_packed_size(tx) + TX_FRAME_BYTES;
        if (uv_hrtime() > deadline) {
            return;
        }
        if (m->bytes + size <= r->bytes_max &&
            ledger_apply_tx(&m->env, &m->block, tx, true) == TX_ACCEPTED) {
            m->bytes += size;
            m->body->txs[m->body->n_txs++] = signed_copy(tx);
        }
    }
}

static enum pot_err add_last_commit(struct maker *m, struct store *store)
{
    uint64_t parent = m->request->parent.height;
    if (parent == 0) {
        return POT_OK;
    }
    struct buf data;
    buf_init(&data, BLOCK_BYTES_MAX);
    enum pot_err err = store_get_certificate(store, parent, &data);
    if (err == POT_OK) {
        err = CODEC_DECODE(&m->body->last_commit, pot__commit_certificate,
                           data.data, data.size);
    }
    buf_fini(&data);
    return err;
}

static void next_validators_hash(struct hash *out, const struct state *state)
{
    struct public_key keys[VALIDATORS_MAX];
    size_t count = ledger_validators(state, keys);
    validators_hash(out, keys, count);
}

/* Keeps the set that signs the next height under a key (its hash; the first
 * one under the genesis's hash): so the set of every height can be told. */
static void keep_validators(const struct state *state, struct overlay *overlay,
                            const struct hash *key)
{
    struct public_key keys[VALIDATORS_MAX];
    ProtobufCBinaryData fields[VALIDATORS_MAX];
    size_t size;
    Pot__ValidatorSet set = POT__VALIDATOR_SET__INIT;
    set.n_public_keys = ledger_validators(state, keys);
    set.public_keys = fields;
    for (size_t i = 0; i < set.n_public_keys; i++) {
        fields[i] = codec_bytes(keys[i].b, PUBLIC_KEY_SIZE);
    }
    uint8_t *data = codec_encode(&size, &set);
    overlay_blob_put(overlay, key, data, size);
    free(data);
}

static enum pot_err parent_validators_hash(struct store *store, uint64_t height,
                                           struct hash *out)
{
    struct block *block;
    enum pot_err err = read_block(store, height, &block);
    if (err == POT_OK && !codec_hash(out, block->header->validators_hash)) {
        err = POT_ECORRUPT;
    }
    block_free(block);
    return err;
}

static void seal(struct maker *m, const struct hash *chain,
                 const struct hash *state_root, struct hash *hash)
{
    const struct execution_request *r = m->request;
    struct hash validators;
    next_validators_hash(&validators, &m->env.state);
    Pot__BlockHeader *header = pot_alloc(sizeof(*header));
    pot__block_header__init(header);
    header->version = PROTOCOL_VERSION;
    header->chain_id = codec_copy_bytes(chain->b, HASH_SIZE);
    header->height = m->block.height;
    header->view = r->view;
    header->time_ms = m->block.time_ms;
    header->parent_hash = codec_copy_bytes(r->parent.hash.b, HASH_SIZE);
    header->proposer = codec_copy_bytes(r->proposer.b, PUBLIC_KEY_SIZE);
    header->validators_hash = codec_copy_bytes(validators.b, HASH_SIZE);
    header->state_root = codec_copy_bytes(state_root->b, HASH_SIZE);
    block_seal(hash, m->body, header);
    codec_free(header);
}

static enum pot_err make(struct maker *m, const struct execution_env *env,
                         struct overlay *overlay)
{
    struct hash root;
    struct hash hash;
    m->bytes = BLOCK_FRAME_BYTES;
    enum pot_err err = add_last_commit(m, env->store);
    if (err != POT_OK) {
        return err;
    }
    add_rounds(m);
    add_txs(m);
    ledger_end_block(&m->env, &m->block);
    err = overlay_root(overlay, &root);
    if (err == POT_OK) {
        seal(m, &env->chain, &root, &hash);
    }
    return err;
}

enum pot_err execution_propose(struct executed **out,
                               const struct execution_env *env,
                               const struct execution_request *request)
{
    const struct chain_tip *parent = &request->parent;
    struct executed *made = pot_calloc(1, sizeof(*made));
    made->overlay = overlay_new(env->store);
    struct execution_context context = {env, made->overlay};
    struct maker m = {.request = request};
    m.env = execution_ledger_env(&context);
    m.block.height = parent->height + 1;
    m.block.time_ms = request->now_ms > parent->time_ms ? request->now_ms
                                                        : parent->time_ms + 1;
    m.block.proposer = request->proposer;
    m.body = pot_alloc(sizeof(*m.body));
    pot__block__init(m.body);
    enum pot_err err = make(&m, env, made->overlay);
    if (err == POT_OK) {
        made->data = codec_encode(&made->size, m.body);
        err = block_open(&made->block, made->data, made->size);
    }
    codec_free(m.body);
    if (err != POT_OK) {
        executed_free(made);
        made = NULL;
    }
    *out = made;
    return err;
}

/* ---- checking a block */

static bool signatures_hold(const struct execution_env *env,
                            const Pot__Block *body)
{
    bool hold = true;
    for (size_t i = 0; hold && i < body->n_txs; i++) {
        hold = verified_check(env->verified, SIGNED_TX, body->txs[i], NULL);
    }
    for (size_t i = 0; hold && i < body->n_round_updates; i++) {
        const Pot__RoundUpdate *u = body->round_updates[i];
        for (size_t j = 0; hold && j < u->n_submissions; j++) {
            hold = verified_check(env->verified, SIGNED_SUBMISSION,
                                  u->submissions[j], NULL);
        }
        for (size_t j = 0; hold && j < u->n_refused; j++) {
            hold = verified_check(env->verified, SIGNED_SUBMISSION,
                                  u->refused[j], NULL);
        }
        for (size_t j = 0; hold && j < u->n_attestations; j++) {
            hold = verified_check(env->verified, SIGNED_ATTESTATION,
                                  u->attestations[j], NULL);
        }
    }
    return hold;
}

/* The parent's certificate in the body: present from height 2 on, for the
 * parent's hash, by a quorum of those who signed the parent. */
static bool last_commit_holds(const struct execution_env *env,
                              const struct chain_tip *parent,
                              const struct block *block)
{
    struct validator_set set;
    const Pot__CommitCertificate *c = block->body->last_commit;
    if (parent->height == 0) {
        return c == NULL;
    }
    return c != NULL && c->height == parent->height &&
           codec_bytes_equal(c->digest, parent->hash.b, HASH_SIZE) &&
           execution_validators(env, parent->height, &set) == POT_OK &&
           certificate_verify(&set, &env->chain, c) == CERTIFICATE_VALID;
}

static bool time_holds(const struct ledger_env *env, const struct block *block,
                       uint64_t now_ms)
{
    Pot__SupplyRecord *supply = ledger_supply(&env->state);
    uint64_t ahead_max = supply->params->max_time_ahead_ms;
    codec_free(supply);
    return now_ms == 0 || block->header->time_ms <= now_ms ||
           block->header->time_ms - now_ms <= ahead_max;
}

static const char *execute(const struct execution_env *env,
                           const struct chain_tip *parent,
                           struct executed *made, uint64_t now_ms,
                           bool is_certified, char why[static 256])
{
    struct hash root;
    struct execution_context context = {env, made->overlay};
    const struct ledger_env ledger = execution_ledger_env(&context);
    const struct ledger_parent from = {parent->height, parent->time_ms,
                                       parent->hash};
    const struct ledger_trust trust = {is_certified, true};
    struct ledger_fault fault = {0};
    if (!is_certified && !time_holds(&ledger, made->block, now_ms)) {
        return "its time is too far ahead";
    }
    if (!is_certified && (!last_commit_holds(env, parent, made->block) ||
                          !signatures_hold(env, made->block->body))) {
        return "a signature in it is wrong";
    }
    enum block_verdict verdict =
        ledger_execute(&ledger, &from, made->block, made->size, trust, &fault);
    if (verdict != BLOCK_ACCEPTED) {
        const char *what = verdict == BLOCK_ROUND
                               ? round_verdict_text(fault.round)
                               : tx_verdict_text(fault.tx);
        bool has_fault = verdict == BLOCK_ROUND || verdict == BLOCK_TX;
        (void)snprintf(why, 256, "%s%s%s", block_verdict_text(verdict),
                       has_fault ? ": " : "", has_fault ? what : "");
        return why;
    }
    enum pot_err err = overlay_root(made->overlay, &root);
    if (err != POT_OK) {
        return err_text(err);
    }
    if (!codec_bytes_equal(made->block->header->state_root, root.b,
                           HASH_SIZE)) {
        return "another state root";
    }
    return NULL;
}

struct executed *execution_check(const struct execution_env *env,
                                 const struct chain_tip *parent,
                                 const void *data, size_t size, uint64_t now_ms,
                                 bool is_certified, char why[static 256])
{
    const char *fault = NULL;
    struct executed *made = pot_calloc(1, sizeof(*made));
    made->data = pot_memdup(data, size);
    made->size = size;
    enum pot_err err = block_open(&made->block, data, size);
    if (err != POT_OK) {
        fault = err_text(err);
    } else {
        made->overlay = overlay_new(env->store);
        fault = execute(env, parent, made, now_ms, is_certified, why);
    }
    if (fault != NULL) {
        if (fault != why) {
            (void)snprintf(why, 256, "%s", fault);
        }
        executed_free(made);
        return NULL;
    }
    return made;
}

/* ---- storing it */

static size_t count_rewards(const Pot__Block *body)
{
    size_t count = 0;
    for (size_t i = 0; i < body->n_round_updates; i++) {
        count += body->round_updates[i]->n_rewards +
                 body->round_updates[i]->n_slashes;
    }
    return count;
}

static void add_rewards(struct store_reward *out, size_t *count,
                        const Pot__RoundUpdate *update,
                        Pot__Reward *const *rewards, size_t reward_count)
{
    for (size_t i = 0; i < reward_count; i++) {
        struct store_reward *r = &out[(*count)++];
        bool is_right = codec_hash(&r->task, update->task) &&
                        codec_key(&r->to, rewards[i]->to);
        POT_ASSERT(is_right); /* the ledger took it */
        r->round = update->round;
        r->amount = rewards[i]->amount;
        r->reason = (uint32_t)rewards[i]->reason;
    }
}

/* The arrays behind a store_commit. */
struct commit_lists {
    struct hash *txs;
    struct store_reward *rewards;
    struct store_round *rounds;
};

static void lists_init(struct commit_lists *lists, struct store_commit *commit,
                       const Pot__Block *body)
{
    lists->txs = pot_calloc(body->n_txs, sizeof(*lists->txs));
    lists->rewards = pot_calloc(count_rewards(body), sizeof(*lists->rewards));
    lists->rounds = pot_calloc(body->n_round_updates, sizeof(*lists->rounds));
    for (size_t i = 0; i < body->n_txs; i++) {
        signed_hash(&lists->txs[i], SIGNED_TX, body->txs[i]);
    }
    for (size_t i = 0; i < body->n_round_updates; i++) {
        const Pot__RoundUpdate *u = body->round_updates[i];
        add_rewards(lists->rewards, &commit->reward_count, u, u->rewards,
                    u->n_rewards);
        add_rewards(lists->rewards, &commit->reward_count, u, u->slashes,
                    u->n_slashes);
        bool is_right = codec_hash(&lists->rounds[i].task, u->task);
        POT_ASSERT(is_right);
        lists->rounds[i].round = u->round;
    }
    commit->txs = lists->txs;
    commit->tx_count = body->n_txs;
    commit->rewards = lists->rewards;
    commit->rounds = lists->rounds;
    commit->round_count = body->n_round_updates;
}

static void lists_fini(struct commit_lists *lists)
{
    free(lists->txs);
    free(lists->rewards);
    free(lists->rounds);
}

/* The next height's set is kept when this block changes it. */
static enum pot_err keep_if_changed(const struct execution_env *env,
                                    const struct chain_tip *parent,
                                    const struct executed *executed)
{
    struct hash before = {{0}};
    struct hash after;
    struct execution_context context = {env, executed->overlay};
    const struct ledger_env ledger = execution_ledger_env(&context);
    if (parent->height > 0) {
        enum pot_err err =
            parent_validators_hash(env->store, parent->height, &before);
        if (err != POT_OK) {
            return err;
        }
    }
    next_validators_hash(&after, &ledger.state);
    if (!hash_equal(&before, &after)) {
        keep_validators(&ledger.state, executed->overlay, &after);
    }
    return POT_OK;
}

enum pot_err execution_commit(const struct execution_env *env,
                              const struct chain_tip *parent,
                              struct executed *executed,
                              const void *certificate, size_t certificate_size)
{
    const struct block *block = executed->block;
    struct commit_lists lists;
    struct store_commit commit = {
        .height = block->header->height,
        .parent = parent->hash,
        .hash = block->hash,
        .block = executed->data,
        .block_size = executed->size,
        .certificate = certificate,
        .certificate_size = certificate_size,
    };
    bool is_right = codec_hash(&commit.state_root, block->header->state_root);
    POT_ASSERT(is_right);
    enum pot_err err = keep_if_changed(env, parent, executed);
    if (err == POT_OK) {
        lists_init(&lists, &commit, block->body);
        err = store_commit(env->store, &commit, executed->overlay);
        lists_fini(&lists);
    }
    return err;
}

enum pot_err execution_genesis(const struct execution_env *env,
                               const Pot__Genesis *genesis)
{
    struct overlay *overlay = overlay_new(env->store);
    struct execution_context context = {env, overlay};
    const struct ledger_env ledger = execution_ledger_env(&context);
    struct store_commit commit = {.hash = env->genesis_hash};
    ledger_genesis(&ledger, genesis);
    keep_validators(&ledger.state, overlay, &env->genesis_hash);
    enum pot_err err = overlay_root(overlay, &commit.state_root);
    if (err == POT_OK) {
        err = store_commit(env->store, &commit, overlay);
    }
    overlay_free(overlay);
    return err;
}

/* The key under which the set that signs `height` is kept. */
static enum pot_err validators_key(const struct execution_env *env,
                                   uint64_t height, struct hash *out)
{
    if (height == 1) {
        *out = env->genesis_hash;
        return POT_OK;
    }
    return parent_validators_hash(env->store, height - 1, out);
}

static enum pot_err decode_validators(const struct buf *data,
                                      struct validator_set *out)
{
    Pot__ValidatorSet *set = NULL;
    enum pot_err err =
        CODEC_DECODE(&set, pot__validator_set, data->data, data->size);
    if (err == POT_OK && set->n_public_keys > VALIDATORS_MAX) {
        err = POT_ECORRUPT;
    }
    for (size_t i = 0; err == POT_OK && i < set->n_public_keys; i++) {
        if (!codec_key(&out->keys[i], set->public_keys[i])) {
            err = POT_ECORRUPT;
        }
    }
    if (err == POT_OK) {
        out->count = (uint32_t)set->n_public_keys;
    }
    codec_free(set);
    return err;
}

enum pot_err execution_validators(const struct execution_env *env,
                                  uint64_t height, struct validator_set *out)
{
    struct hash key;
    struct buf data;
    POT_ASSERT(height > 0);
    enum pot_err err = validators_key(env, height, &key);
    if (err != POT_OK) {
        return err;
    }
    buf_init(&data, BLOCK_BYTES_MAX);
    err = store_blob_get(env->store, &key, &data);
    if (err == POT_OK) {
        err = decode_validators(&data, out);
    }
    buf_fini(&data);
    return err;
}
