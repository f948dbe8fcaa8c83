/* What blocks are executed on, and checking them as a replica does before it
 * prepares.  The write set that results is kept beside the block, so that
 * committing it executes nothing again. */
#include "config.h"

#include "node/block/execution.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "node/block/execution_impl.h"
#include "node/hold/blob_pool.h"
#include "node/hold/datasets.h"
#include "node/hold/verified.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdio.h>
#include <stdlib.h>

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
    struct blob_pool *recent = c->env->recent;
    return blob_pool_get(c->env->pool, hash, value) ||
           (recent != NULL && blob_pool_get(recent, hash, value)) ||
           overlay_blob_get(c->overlay, hash, value);
}

static void blobs_put(void *context, const struct hash *hash, const void *data,
                      size_t size)
{
    struct execution_context *c = context;
    overlay_blob_put(c->overlay, hash, data, size);
    /* The next round reads it again: without the store and its checksum. */
    if (c->env->recent != NULL) {
        (void)blob_pool_put(c->env->recent, hash, data, size);
    }
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

void execution_next_validators(struct hash *out, const struct state *state)
{
    struct validator_set set;
    ledger_validators(state, &set);
    validator_set_hash(out, &set);
}

void executed_free(struct executed *executed)
{
    if (executed != NULL) {
        block_free(executed->block);
        overlay_free(executed->overlay);
        free(executed->held);
        free(executed->data);
        free(executed);
    }
}

/* ---- checking a block */

static bool signatures_hold(const struct holdings *env, const Pot__Block *body)
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
static bool last_commit_holds(const struct holdings *env,
                              const struct chain_tip *parent,
                              const struct block *block)
{
    struct validator_set set;
    const Pot__CommitCertificate *c = block->body->last_commit;
    if (parent->height == 0) {
        return c == NULL;
    }
    return c != NULL &&
           execution_validators(env, parent->height, &set) == POT_OK &&
           certificate_proves(&set, &env->chain, c, parent->height,
                              &parent->hash) == CERTIFICATE_VALID;
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

static const char *execute(const struct holdings *env,
                           const struct chain_tip *parent,
                           struct executed *made, uint64_t now_ms,
                           bool is_certified, char why[static 256])
{
    struct hash root;
    struct execution_context context = {env, made->overlay};
    const struct ledger_env ledger = execution_ledger_env(&context);
    const struct block_parent from = {parent->height, parent->time_ms,
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

struct executed *execution_check(const struct holdings *env,
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
