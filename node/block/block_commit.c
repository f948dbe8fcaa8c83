/* Storing a block: its write set, its lists for look-ups, the validator set
 * when it changes, and for a while the gradients that its rounds counted. */
#include "config.h"

#include "node/block/execution.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "node/block/execution_impl.h"
#include "node/hold/blob_pool.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "proto/state.pb-c.h"

#include <stdlib.h>

/* ---- the validator set */

/* Keeps the set that signs the next height under a key (its hash; the first
 * one under the genesis's hash): so the set of every height can be told. */
static void keep_validators(const struct state *state, struct overlay *overlay,
                            const struct hash *key)
{
    struct validator_set set;
    size_t size;
    ledger_validators(state, &set);
    uint8_t *data = validator_set_encode(&size, &set);
    overlay_blob_put(overlay, key, data, size);
    free(data);
}

static enum pot_err parent_validators_hash(struct store *store, uint64_t height,
                                           struct hash *out)
{
    struct block *block;
    enum pot_err err = stored_block(&block, store, height);
    if (err == POT_OK && !codec_hash(out, block->header->validators_hash)) {
        err = POT_ECORRUPT;
    }
    block_free(block);
    return err;
}

/* The next height's set is kept when this block changes it. */
static enum pot_err keep_if_changed(const struct holdings *env,
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
    execution_next_validators(&after, &ledger.state);
    if (!hash_equal(&before, &after)) {
        keep_validators(&ledger.state, executed->overlay, &after);
    }
    return POT_OK;
}

/* The key under which the set that signs `height` is kept. */
static enum pot_err validators_key(const struct holdings *env, uint64_t height,
                                   struct hash *out)
{
    if (height == 1) {
        *out = env->genesis_hash;
        return POT_OK;
    }
    return parent_validators_hash(env->store, height - 1, out);
}

enum pot_err execution_validators(const struct holdings *env, uint64_t height,
                                  struct validator_set *out)
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
    if (err == POT_OK &&
        validator_set_decode(out, data.data, data.size) != POT_OK) {
        err = POT_ECORRUPT;
    }
    buf_fini(&data);
    return err;
}
/* ---- gradients that were counted */

typedef void payload_fn(const struct holdings *env, struct overlay *overlay,
                        const struct hash *payload, size_t size);

static void keep_payload(const struct holdings *env, struct overlay *overlay,
                         const struct hash *payload, size_t size)
{
    struct buf data;
    buf_init(&data, size);
    if (blob_pool_get(env->pool, payload, &data)) {
        overlay_blob_put(overlay, payload, data.data, data.size);
    }
    buf_fini(&data);
}

static void drop_payload(const struct holdings *env, struct overlay *overlay,
                         const struct hash *payload, size_t size)
{
    (void)env;
    (void)size;
    overlay_blob_del(overlay, payload);
}

static void each_payload(const struct holdings *env, struct overlay *overlay,
                         const Pot__RoundUpdate *update, payload_fn *act)
{
    for (size_t i = 0; i < update->n_submissions; i++) {
        struct round_submission s;
        if (round_submission_open(&s, update->submissions[i]) == POT_OK) {
            act(env, overlay, &s.payload, s.body->payload_bytes);
            round_submission_close(&s);
        }
    }
}

/* The update that closed an earlier round, in its block; NULL: none. */
static const Pot__RoundUpdate *find_round(struct store *store,
                                          const struct hash *task,
                                          uint32_t number, struct block **block)
{
    struct store_round round;
    size_t count;
    *block = NULL;
    if (store_rounds(store, task, number, &round, 1, &count) != POT_OK ||
        count == 0 || round.round != number ||
        stored_block(block, store, round.height) != POT_OK) {
        return NULL;
    }
    return (*block)->body->round_updates[round.index];
}

/* Those of the latest rounds stay, for whoever wants to look at them. */
static void keep_payloads(const struct holdings *env,
                          const struct executed *executed)
{
    const Pot__Block *body = executed->block->body;
    for (size_t i = 0; i < body->n_round_updates && env->keep_rounds > 0; i++) {
        const Pot__RoundUpdate *update = body->round_updates[i];
        struct hash task;
        struct block *block = NULL;
        each_payload(env, executed->overlay, update, keep_payload);
        if (update->round >= env->keep_rounds &&
            codec_hash(&task, update->task)) {
            const Pot__RoundUpdate *old = find_round(
                env->store, &task, update->round - env->keep_rounds, &block);
            if (old != NULL) {
                each_payload(env, executed->overlay, old, drop_payload);
            }
        }
        block_free(block);
    }
}

/* ---- what a vote promises */

/* The blobs of a block's rounds, gathered for one write. */
struct holding {
    struct store_blob *blobs;
    struct buf *bytes; /* behind them */
    size_t count;
};

static size_t holding_max(const Pot__Block *body)
{
    size_t count = 0;
    for (size_t i = 0; i < body->n_round_updates; i++) {
        count += body->round_updates[i]->n_submissions + 1;
    }
    return count;
}

static void hold_blob(struct holding *h, const struct holdings *env,
                      struct overlay *overlay, const struct hash *hash,
                      size_t size)
{
    struct buf *data = &h->bytes[h->count];
    buf_init(data, size);
    if (blob_pool_get(env->pool, hash, data) ||
        overlay_blob_get(overlay, hash, data)) {
        h->blobs[h->count++] =
            (struct store_blob){*hash, data->data, data->size};
    } else {
        buf_fini(data);
    }
}

static void hold_round(struct holding *h, const struct holdings *env,
                       struct overlay *overlay, const Pot__RoundUpdate *update)
{
    struct hash aggregate;
    if (update->n_submissions > 0 &&
        codec_hash(&aggregate, update->aggregate_hash)) {
        hold_blob(h, env, overlay, &aggregate, update->aggregate_bytes);
    }
    for (size_t i = 0; i < update->n_submissions; i++) {
        struct round_submission s;
        if (round_submission_open(&s, update->submissions[i]) == POT_OK) {
            hold_blob(h, env, overlay, &s.payload, s.body->payload_bytes);
            round_submission_close(&s);
        }
    }
}

static void remember_held(struct executed *executed, const struct holding *h)
{
    executed->held = pot_calloc(h->count, sizeof(*executed->held));
    executed->held_count = h->count;
    for (size_t i = 0; i < h->count; i++) {
        executed->held[i] = h->blobs[i].hash;
    }
}

enum pot_err execution_hold(const struct holdings *env,
                            struct executed *executed)
{
    const Pot__Block *body = executed->block->body;
    size_t most = holding_max(body);
    if (most == 0) {
        return POT_OK;
    }
    struct holding h = {
        .blobs = pot_calloc(most, sizeof(*h.blobs)),
        .bytes = pot_calloc(most, sizeof(*h.bytes)),
    };
    for (size_t i = 0; i < body->n_round_updates; i++) {
        hold_round(&h, env, executed->overlay, body->round_updates[i]);
    }
    enum pot_err err = store_blobs_hold(env->store, h.blobs, h.count);
    if (err == POT_OK) {
        remember_held(executed, &h);
    }
    for (size_t i = 0; i < h.count; i++) {
        buf_fini(&h.bytes[i]);
    }
    free(h.bytes);
    free(h.blobs);
    return err;
}

/* ---- the commit */

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

enum pot_err execution_commit(const struct holdings *env,
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
        keep_payloads(env, executed);
        lists_init(&lists, &commit, block->body);
        err = store_commit(env->store, &commit, executed->overlay);
        lists_fini(&lists);
    }
    return err;
}

enum pot_err execution_genesis(const struct holdings *env,
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
