#include "config.h"

#include "ledger/epoch.h"

#include "base/check.h"
#include "ledger/record.h"
#include "proto/codec.h"

struct set {
    struct public_key keys[VALIDATORS_MAX];
    size_t count;
};

void epoch_store_validators(const struct state *state,
                            const struct public_key *keys, size_t count)
{
    ProtobufCBinaryData fields[VALIDATORS_MAX];
    Pot__ValidatorSet record = POT__VALIDATOR_SET__INIT;
    POT_ASSERT(count > 0 && count <= VALIDATORS_MAX);
    for (size_t i = 0; i < count; i++) {
        fields[i] = codec_bytes(keys[i].b, PUBLIC_KEY_SIZE);
    }
    record.n_public_keys = count;
    record.public_keys = fields;
    record_store(state, keys_validators(), &record);
}

static bool holds(const struct set *set, const struct public_key *key)
{
    for (size_t i = 0; i < set->count; i++) {
        if (public_key_equal(&set->keys[i], key)) {
            return true;
        }
    }
    return false;
}

static void take_in(struct set *set, const struct state *state,
                    uint64_t stake_min, const struct public_key *key)
{
    struct account account;
    if (set->count == VALIDATORS_MAX || holds(set, key)) {
        return;
    }
    ledger_account(state, key, &account);
    if (account.stake_validator > 0 && account.stake_validator >= stake_min) {
        set->keys[set->count++] = *key;
    }
}

static void elect(const struct state *state, uint64_t stake_min)
{
    struct set old;
    struct set next = {.count = 0};
    old.count = ledger_validators(state, old.keys);
    for (size_t i = 0; i < old.count; i++) {
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
        epoch_store_validators(state, next.keys, next.count);
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
