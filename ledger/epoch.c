#include "config.h"

#include "ledger/epoch.h"

#include "base/check.h"
#include "ledger/keys.h"
#include "proto/codec.h"

#include <stdlib.h>

void epoch_store_validators(const struct state *state,
                            const struct validator_set *set)
{
    size_t size;
    uint8_t *data = validator_set_encode(&size, set);
    struct state_key key = keys_validators();
    state->put(state->context, key.b, key.size, data, size);
    free(data);
}

static void take_in(struct validator_set *set, const struct state *state,
                    uint64_t stake_min, const struct public_key *key)
{
    struct account account;
    uint32_t index;
    if (set->count == VALIDATORS_MAX || validator_set_find(&index, set, key)) {
        return;
    }
    ledger_account(state, key, &account);
    if (account.stake_validator > 0 && account.stake_validator >= stake_min) {
        set->keys[set->count++] = *key;
    }
}

static void elect(const struct state *state, uint64_t stake_min)
{
    struct validator_set old;
    struct validator_set next = {.count = 0};
    ledger_validators(state, &old);
    for (uint32_t i = 0; i < old.count; i++) {
        take_in(&next, state, stake_min, &old.keys[i]);
    }
    Pot__HashList *stakers =
        ledger_stakers(state, POT__STAKE_ROLE__STAKE_VALIDATOR);
    for (size_t i = 0; i < stakers->n_hashes; i++) {
        struct public_key key;
        bool is_key = codec_key(&key, stakers->hashes[i]);
        POT_ASSERT(is_key);
        take_in(&next, state, stake_min, &key);
    }
    codec_free(stakers);
    if (next.count > 0) {
        epoch_store_validators(state, &next);
    }
}

void epoch_end(const struct ledger_env *env, uint64_t height)
{
    Pot__SupplyRecord *supply = ledger_supply(&env->state);
    uint64_t epoch_blocks = supply->params->epoch_blocks;
    if (epoch_blocks > 0 && height % epoch_blocks == 0) {
        elect(&env->state, supply->params->min_validator_stake);
    }
    codec_free(supply);
}
