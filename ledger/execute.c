#include "config.h"

#include "base/check.h"
#include "ledger/challenge.h"
#include "ledger/epoch.h"
#include "ledger/ledger.h"
#include "ledger/task.h"
#include "ledger/unbond.h"
#include "proto/codec.h"

#include <string.h>

const char *block_verdict_text(enum block_verdict verdict)
{
    static const char *const texts[] = {
#define X(code, text) text,
        BLOCK_VERDICT_MAP(X)
#undef X
    };
    POT_ASSERT((size_t)verdict < sizeof(texts) / sizeof(*texts));
    return texts[verdict];
}

static bool is_validator(const struct state *state,
                         const struct public_key *key)
{
    struct validator_set set;
    uint32_t index;
    ledger_validators(state, &set);
    return validator_set_find(&index, &set, key);
}

static bool is_within_size(const struct state *state, size_t size)
{
    Pot__SupplyRecord *supply = ledger_supply(state);
    bool is_small = size <= supply->params->max_block_bytes;
    codec_free(supply);
    return is_small;
}

static enum block_verdict check_header(const struct ledger_env *env,
                                       const struct block_parent *parent,
                                       const struct block *block, size_t size)
{
    static const enum block_verdict verdicts[] = {
        [HEADER_FOLLOWS] = BLOCK_ACCEPTED, [HEADER_CHAIN] = BLOCK_WRONG_CHAIN,
        [HEADER_HEIGHT] = BLOCK_NOT_NEXT,  [HEADER_PARENT] = BLOCK_NOT_NEXT,
        [HEADER_TIME] = BLOCK_TIME,
    };
    const Pot__BlockHeader *header = block->header;
    struct public_key proposer;
    enum header_fault fault = header_follows(header, &env->chain, parent);
    if (fault != HEADER_FOLLOWS) {
        return verdicts[fault];
    }
    if (!codec_key(&proposer, header->proposer) ||
        !is_validator(&env->state, &proposer)) {
        return BLOCK_PROPOSER;
    }
    if (!is_within_size(&env->state, size)) {
        return BLOCK_TOO_LARGE;
    }
    return BLOCK_ACCEPTED;
}

static enum block_verdict apply_evidence(const struct ledger_env *env,
                                         const struct ledger_block *at,
                                         const Pot__Block *body,
                                         struct ledger_fault *fault)
{
    for (size_t i = 0; i < body->n_evidence; i++) {
        fault->index = i;
        fault->evidence = ledger_apply_evidence(env, at, body->evidence[i]);
        if (fault->evidence != EVIDENCE_PROVES) {
            return BLOCK_EVIDENCE;
        }
    }
    return BLOCK_ACCEPTED;
}

static bool is_ascending(const Pot__RoundUpdate *a, const Pot__RoundUpdate *b)
{
    return a->task.len == HASH_SIZE && b->task.len == HASH_SIZE &&
           memcmp(a->task.data, b->task.data, HASH_SIZE) < 0;
}

static enum block_verdict apply_rounds(const struct ledger_env *env,
                                       const struct ledger_block *at,
                                       const Pot__Block *body,
                                       struct ledger_trust trust,
                                       struct ledger_fault *fault)
{
    for (size_t i = 0; i < body->n_round_updates; i++) {
        Pot__RoundUpdate *const *updates = body->round_updates;
        fault->index = i;
        if (i > 0 && !is_ascending(updates[i - 1], updates[i])) {
            return BLOCK_ROUND_ORDER;
        }
        fault->round = ledger_apply_round(env, at, updates[i], trust);
        if (fault->round != ROUND_ACCEPTED) {
            return BLOCK_ROUND;
        }
    }
    return BLOCK_ACCEPTED;
}

static enum block_verdict apply_txs(const struct ledger_env *env,
                                    const struct ledger_block *at,
                                    const Pot__Block *body,
                                    struct ledger_trust trust,
                                    struct ledger_fault *fault)
{
    for (size_t i = 0; i < body->n_txs; i++) {
        fault->index = i;
        fault->tx = ledger_apply_tx(env, at, body->txs[i],
                                    trust.are_signatures_checked);
        if (fault->tx != TX_ACCEPTED) {
            return BLOCK_TX;
        }
    }
    return BLOCK_ACCEPTED;
}

static bool validators_follow(const struct state *state,
                              const Pot__BlockHeader *header)
{
    struct validator_set set;
    struct hash hash;
    ledger_validators(state, &set);
    validator_set_hash(&hash, &set);
    return codec_bytes_equal(header->validators_hash, hash.b, HASH_SIZE);
}

void ledger_end_block(const struct ledger_env *env,
                      const struct ledger_block *block)
{
    task_open_rounds(env, block);
    unbond_end(&env->state, block->height);
    challenge_end(env, block);
    epoch_end(env, block->height);
}

enum block_verdict ledger_execute(const struct ledger_env *env,
                                  const struct block_parent *parent,
                                  const struct block *block, size_t size,
                                  struct ledger_trust trust,
                                  struct ledger_fault *fault)
{
    struct ledger_fault unused;
    struct ledger_block at = {.height = block->header->height,
                              .time_ms = block->header->time_ms};
    fault = fault != NULL ? fault : &unused;
    *fault = (struct ledger_fault){0};
    enum block_verdict verdict = check_header(env, parent, block, size);
    if (verdict != BLOCK_ACCEPTED) {
        return verdict;
    }
    bool is_key = codec_key(&at.proposer, block->header->proposer);
    POT_ASSERT(is_key);
    verdict = apply_evidence(env, &at, block->body, fault);
    if (verdict == BLOCK_ACCEPTED) {
        verdict = apply_rounds(env, &at, block->body, trust, fault);
    }
    if (verdict == BLOCK_ACCEPTED) {
        verdict = apply_txs(env, &at, block->body, trust, fault);
    }
    if (verdict != BLOCK_ACCEPTED) {
        return verdict;
    }
    ledger_end_block(env, &at);
    return validators_follow(&env->state, block->header) ? BLOCK_ACCEPTED
                                                         : BLOCK_VALIDATORS;
}
