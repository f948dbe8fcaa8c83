/* The first state: what the genesis says of accounts and stakes. */
#include "config.h"

#include "base/check.h"
#include "ledger/account.h"
#include "ledger/epoch.h"
#include "ledger/ledger.h"
#include "ledger/list.h"
#include "ledger/record.h"
#include "proto/codec.h"

#include <string.h>

static uint64_t add_to_supply(uint64_t supply, uint64_t units)
{
    POT_ASSERT(units <= UINT64_MAX - supply);
    return supply + units;
}

static struct public_key key_of(ProtobufCBinaryData field)
{
    struct public_key key;
    bool is_key = codec_key(&key, field);
    POT_ASSERT(is_key);
    return key;
}

static void add_stake(const struct state *state, const struct public_key *key,
                      const Pot__GenesisStake *stake)
{
    struct account account;
    bool is_validator = stake->role == POT__STAKE_ROLE__STAKE_VALIDATOR;
    ledger_account(state, key, &account);
    uint64_t *staked =
        is_validator ? &account.stake_validator : &account.stake_miner;
    POT_ASSERT(*staked == 0 && stake->amount > 0);
    *staked = stake->amount;
    size_t size = strlen(stake->moniker);
    POT_ASSERT(size <= TX_TEXT_MAX);
    if (size > 0) {
        memcpy(account.moniker, stake->moniker, size + 1);
    }
    account_store(state, key, &account);
    list_insert(state,
                is_validator ? keys_stakers_validator() : keys_stakers_miner(),
                key->b);
}

static uint64_t add_accounts(const struct state *state,
                             const Pot__Genesis *genesis)
{
    uint64_t supply = 0;
    for (size_t i = 0; i < genesis->n_accounts; i++) {
        struct public_key key = key_of(genesis->accounts[i]->address);
        supply = add_to_supply(supply, genesis->accounts[i]->balance);
        account_credit(state, &key, genesis->accounts[i]->balance);
    }
    return supply;
}

static uint64_t add_stakes(const struct state *state,
                           const Pot__Genesis *genesis, uint64_t supply)
{
    struct validator_set validators = {.count = 0};
    for (size_t i = 0; i < genesis->n_stakes; i++) {
        const Pot__GenesisStake *stake = genesis->stakes[i];
        struct public_key key = key_of(stake->address);
        supply = add_to_supply(supply, stake->amount);
        add_stake(state, &key, stake);
        if (stake->role == POT__STAKE_ROLE__STAKE_VALIDATOR) {
            POT_ASSERT(validators.count < VALIDATORS_MAX);
            validators.keys[validators.count++] = key;
        }
    }
    epoch_store_validators(state, &validators);
    epoch_begin(state);
    return supply;
}

void ledger_genesis(const struct ledger_env *env, const Pot__Genesis *genesis)
{
    Pot__SupplyRecord record = POT__SUPPLY_RECORD__INIT;
    uint64_t supply = add_accounts(&env->state, genesis);
    record.supply = add_stakes(&env->state, genesis, supply);
    record.params = genesis->params;
    record.chain_id = genesis->chain_id;
    POT_ASSERT(record.params != NULL);
    record_store(&env->state, keys_supply(), &record);
}
