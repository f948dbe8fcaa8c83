#include "config.h"

#include "ledger/epoch.h"

#include "base/check.h"
#include "ledger/keys.h"
#include "ledger/record.h"
#include "proto/codec.h"

void epoch_store_validators(const struct state *state,
                            const struct validator_set *set)
{
    record_store_set(state, keys_validators(), set);
}

/* ---- who signed which epoch */

static uint64_t epoch_of(const Pot__GenesisParams *params, uint64_t height)
{
    POT_ASSERT(height > 0);
    return (height - 1) / params->epoch_blocks;
}

uint64_t epoch_last(const Pot__GenesisParams *params, uint64_t height)
{
    return (epoch_of(params, height) + 1) * params->epoch_blocks;
}

bool epoch_signers(const struct state *state, const Pot__GenesisParams *params,
                   uint64_t height, struct validator_set *out)
{
    return record_load_set(state, keys_signers(epoch_of(params, height)), out);
}

static void keep_signers(const struct state *state, uint64_t epoch)
{
    struct validator_set set;
    ledger_validators(state, &set);
    record_store_set(state, keys_signers(epoch), &set);
}

void epoch_begin(const struct state *state)
{
    keep_signers(state, 0);
}

/* At the end of an epoch one more is out of evidence's reach at most. */
static void drop_signers(const struct state *state,
                         const Pot__GenesisParams *params, uint64_t height)
{
    if (height <= params->evidence_blocks_max) {
        return;
    }
    uint64_t oldest = epoch_of(params, height - params->evidence_blocks_max);
    if (oldest > 0) {
        struct state_key key = keys_signers(oldest - 1);
        state->del(state->context, key.b, key.size);
    }
}

/* ---- the election */

static void take_in(struct validator_set *set, const struct state *state,
                    uint64_t stake_min, const struct public_key *key)
{
    struct account account;
    uint32_t index;
    if (set->count == VALIDATORS_MAX || validator_set_find(&index, set, key)) {
        return;
    }
    ledger_account(state, key, &account);
    if (!account.is_jailed && account.stake_validator > 0 &&
        account.stake_validator >= stake_min) {
        set->keys[set->count++] = *key;
    }
}

/* A set that would be empty stays as it is. */
static void elect(const struct state *state, uint64_t stake_min,
                  struct validator_set *next)
{
    struct validator_set old;
    next->count = 0;
    ledger_validators(state, &old);
    for (uint32_t i = 0; i < old.count; i++) {
        take_in(next, state, stake_min, &old.keys[i]);
    }
    Pot__HashList *stakers =
        ledger_stakers(state, POT__STAKE_ROLE__STAKE_VALIDATOR);
    for (size_t i = 0; i < stakers->n_hashes; i++) {
        struct public_key key;
        bool is_key = codec_key(&key, stakers->hashes[i]);
        POT_ASSERT(is_key);
        take_in(next, state, stake_min, &key);
    }
    codec_free(stakers);
    if (next->count == 0) {
        *next = old;
    }
}

uint64_t ledger_next_validators(const struct state *state, uint64_t height,
                                struct validator_set *out)
{
    Pot__SupplyRecord *supply = ledger_supply(state);
    uint64_t last = epoch_last(supply->params, height + 1);
    elect(state, supply->params->min_validator_stake, out);
    codec_free(supply);
    return last + 1;
}

void epoch_end(const struct ledger_env *env, uint64_t height)
{
    Pot__SupplyRecord *supply = ledger_supply(&env->state);
    const Pot__GenesisParams *params = supply->params;
    if (height == epoch_last(params, height)) {
        struct validator_set next;
        elect(&env->state, params->min_validator_stake, &next);
        epoch_store_validators(&env->state, &next);
        keep_signers(&env->state, epoch_of(params, height + 1));
        drop_signers(&env->state, params, height);
    }
    codec_free(supply);
}
