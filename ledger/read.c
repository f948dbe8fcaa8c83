/* What ledger/ledger.h gives to read, for the ledger and for others.  A state
 * that cannot be read answers that nothing is there: then what the genesis has
 * written is missing too, and something harmless stands for it. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/ledger.h"
#include "ledger/list.h"
#include "ledger/record.h"
#include "proto/codec.h"
#include "proto/genesis_params.h"

Pot__TaskRecord *ledger_task(const struct state *state, const struct hash *task)
{
    return record_load(state, keys_task(task), &pot__task_record__descriptor);
}

Pot__DatasetRecord *ledger_dataset(const struct state *state,
                                   const struct hash *address)
{
    return record_load(state, keys_dataset(address),
                       &pot__dataset_record__descriptor);
}

Pot__HashList *ledger_running(const struct state *state)
{
    return list_load(state, keys_running());
}

Pot__HashList *ledger_stakers(const struct state *state, Pot__StakeRole role)
{
    POT_ASSERT(role != POT__STAKE_ROLE__STAKE_NONE);
    return list_load(state, role == POT__STAKE_ROLE__STAKE_VALIDATOR
                                ? keys_stakers_validator()
                                : keys_stakers_miner());
}

Pot__SupplyRecord *ledger_supply(const struct state *state)
{
    Pot__SupplyRecord *supply =
        record_load(state, keys_supply(), &pot__supply_record__descriptor);
    if (supply == NULL) {
        supply = pot_alloc(sizeof(*supply));
        pot__supply_record__init(supply);
    }
    if (supply->params == NULL) {
        supply->params = pot_alloc(sizeof(*supply->params));
        genesis_params_default(supply->params);
    }
    return supply;
}

Pot__DrawsRecord *ledger_draws(const struct state *state,
                               const struct hash *task)
{
    Pot__DrawsRecord *draws =
        record_load(state, keys_draws(task), &pot__draws_record__descriptor);
    if (draws == NULL) {
        draws = pot_alloc(sizeof(*draws));
        pot__draws_record__init(draws);
    }
    return draws;
}

Pot__ClosedRecord *ledger_closed(const struct state *state,
                                 const struct hash *task, uint32_t round)
{
    return record_load(state, keys_closed(task, round),
                       &pot__closed_record__descriptor);
}

Pot__ChallengeRecord *ledger_challenge(const struct state *state,
                                       const struct hash *submission)
{
    return record_load(state, keys_challenge(submission),
                       &pot__challenge_record__descriptor);
}

Pot__HashList *ledger_challenges(const struct state *state)
{
    Pot__SupplyRecord *supply = ledger_supply(state);
    Pot__HashList *list = pot_alloc(sizeof(*list));
    pot__hash_list__init(list);
    list->hashes = pot_calloc(supply->challenges_open, sizeof(*list->hashes));
    for (uint64_t i = 0; i < supply->challenges_open; i++) {
        struct hash submission;
        if (record_load_hash(state, keys_open_challenge(i), &submission)) {
            list->hashes[list->n_hashes++] =
                codec_copy_bytes(submission.b, HASH_SIZE);
        }
    }
    codec_free(supply);
    return list;
}

bool ledger_challenge_number(const struct state *state, uint64_t number,
                             struct hash *submission)
{
    return record_load_hash(state, keys_challenge_number(number), submission);
}

bool ledger_task_number(const struct state *state, uint64_t number,
                        struct hash *task)
{
    return record_load_hash(state, keys_task_number(number), task);
}

void ledger_validators(const struct state *state, struct validator_set *out)
{
    if (!record_load_set(state, keys_validators(), out)) {
        *out = (struct validator_set){.count = 1};
    }
}

bool ledger_is_blob_key(struct hash *out, const void *key, size_t key_size)
{
    return keys_read_blob(out, key, key_size);
}
