/*   (nothing) --task_begin--> RUNNING --task_end--> COMPLETED, CANCELLED or
 *                             |     ^               FAILED
 *                             +-----+ a round closes: ledger_apply_round
 *
 * A round waits in the list "opening" from the block that closed the round
 * before it, until the end of a block finds a member: then its roster is
 * frozen and opened_height is that block's. */
#include "config.h"

#include "ledger/task.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/account.h"
#include "ledger/draws.h"
#include "ledger/list.h"
#include "ledger/parameters.h"
#include "ledger/plants.h"
#include "ledger/record.h"
#include "ledger/roster.h"
#include "ledger/task_blobs.h"
#include "proto/aggregation.h"
#include "proto/codec.h"
#include "proto/draw.h"
#include "proto/model.h"
#include "proto/round_room.h"

#include <stdlib.h>
#include <string.h>

void task_store(const struct ledger_env *env, const Pot__TaskRecord *task)
{
    struct hash hash;
    bool is_hash = codec_hash(&hash, task->task);
    POT_ASSERT(is_hash);
    record_store(&env->state, keys_task(&hash), task);
}

static void put_first_parameters(const struct ledger_env *env,
                                 struct hash *hash, const Pot__ModelSpec *model)
{
    struct model_shape shape;
    enum pot_err err = model_shape_from_spec(&shape, model);
    POT_ASSERT(err == POT_OK);
    int32_t *theta = parameters_start(&shape, model);
    uint8_t *bytes = parameters_encode(theta, shape.parameter_count);
    task_blobs_put(env, hash, bytes, 4 * shape.parameter_count);
    free(bytes);
    free(theta);
}

static void number_task(const struct state *state, const struct hash *hash)
{
    Pot__SupplyRecord *supply = ledger_supply(state);
    record_store_hash(state, keys_task_number(supply->tasks), hash);
    supply->tasks++;
    record_store(state, keys_supply(), supply);
    codec_free(supply);
}

void task_begin(const struct ledger_env *env, const struct ledger_block *block,
                const struct hash *hash, const struct public_key *owner,
                const Pot__SubmitTask *submit)
{
    struct hash parameters;
    put_first_parameters(env, &parameters, submit->spec->model);
    Pot__TaskRecord task = POT__TASK_RECORD__INIT;
    task.task = codec_bytes(hash->b, HASH_SIZE);
    task.spec = submit->spec;
    task.owner = codec_bytes(owner->b, PUBLIC_KEY_SIZE);
    task.status = POT__TASK_STATUS__TASK_RUNNING;
    task.parameters_hash = codec_bytes(parameters.b, HASH_SIZE);
    task.budget = submit->budget;
    task.escrow = submit->budget;
    task.started_height = block->height;
    task.opened_height = block->height;
    task.opened_ms = block->time_ms;
    task_store(env, &task);
    list_append(&env->state, keys_running(), hash->b);
    list_append(&env->state, keys_opening(), hash->b);
    number_task(&env->state, hash);
}

uint64_t task_stake(const struct ledger_env *env, const Pot__TaskRecord *task)
{
    if (env->params != NULL) {
        return spec_miner_stake(task->spec, env->params);
    }
    Pot__SupplyRecord *supply = ledger_supply(&env->state);
    uint64_t stake = spec_miner_stake(task->spec, supply->params);
    codec_free(supply);
    return stake;
}

static uint64_t block_bytes(const struct ledger_env *env)
{
    if (env->params != NULL) {
        return env->params->max_block_bytes;
    }
    Pot__SupplyRecord *supply = ledger_supply(&env->state);
    uint64_t bytes = supply->params->max_block_bytes;
    codec_free(supply);
    return bytes;
}

uint32_t task_roster_max(const struct ledger_env *env,
                         const Pot__TaskSpec *spec)
{
    struct validator_set set;
    ledger_validators(&env->state, &set);
    uint32_t rule = aggregation_roster_max(spec);
    uint32_t room = round_miners_max(block_bytes(env), set.count);
    return rule < room ? rule : room;
}

static void release_member(const struct ledger_env *env,
                           const Pot__RosterEntry *entry, uint64_t stake)
{
    struct public_key miner;
    struct account account;
    bool is_key = codec_key(&miner, entry->miner);
    POT_ASSERT(is_key);
    if (!ledger_account(&env->state, &miner, &account)) {
        return; /* the state cannot be read */
    }
    POT_ASSERT(account.tasks_joined > 0 && account.stake_joined >= stake);
    account.tasks_joined--;
    account.stake_joined -= stake;
    account_store(&env->state, &miner, &account);
}

void task_drop_member(const struct ledger_env *env, Pot__TaskRecord *task,
                      size_t index)
{
    struct roster members = roster_of_members(task);
    POT_ASSERT(index < members.count);
    plants_part(&env->state, task, members.entries[index]);
    release_member(env, members.entries[index], task_stake(env, task));
    roster_remove(&members, index);
    roster_set_members(task, members);
}

static void clear_rosters(const struct ledger_env *env, Pot__TaskRecord *task)
{
    struct roster members = roster_of_members(task);
    struct roster round = roster_of_round(task);
    uint64_t stake = task_stake(env, task);
    for (size_t i = 0; i < members.count; i++) {
        plants_part(&env->state, task, members.entries[i]);
        release_member(env, members.entries[i], stake);
    }
    roster_clear(&members);
    roster_clear(&round);
    roster_set_members(task, members);
    roster_set_round(task, round);
}

ProtobufCBinaryData *task_moment(Pot__TaskRecord *task, unsigned index)
{
    POT_ASSERT(index < SPEC_MOMENTS_MAX);
    return index == 0 ? &task->momentum_hash : &task->second_moment_hash;
}

static void drop_moments(const struct ledger_env *env, Pot__TaskRecord *task)
{
    for (unsigned i = 0; i < SPEC_MOMENTS_MAX; i++) {
        ProtobufCBinaryData *moment = task_moment(task, i);
        struct hash hash;
        if (moment->len > 0) {
            bool is_hash = codec_hash(&hash, *moment);
            POT_ASSERT(is_hash);
            task_blobs_drop(env, &hash);
            free(moment->data);
            *moment = codec_bytes(NULL, 0);
        }
    }
}

void task_end(const struct ledger_env *env, uint64_t height,
              Pot__TaskRecord *task, Pot__TaskStatus status, const char *reason)
{
    struct public_key owner;
    bool is_key = codec_key(&owner, task->owner);
    POT_ASSERT(is_key && task->task.len == HASH_SIZE);
    POT_ASSERT(task->status == POT__TASK_STATUS__TASK_RUNNING);
    POT_ASSERT(status != POT__TASK_STATUS__TASK_RUNNING);
    clear_rosters(env, task);
    drop_moments(env, task);
    if (task->escrow > 0) {
        account_credit(&env->state, &owner, task->escrow);
    }
    task->escrow = 0;
    task->status = status;
    if (task->reason[0] != '\0') {
        free(task->reason);
    }
    task->reason = pot_strdup(reason);
    task->ended_height = height;
    list_remove(&env->state, keys_running(), task->task.data);
    list_remove(&env->state, keys_opening(), task->task.data);
    draws_forget(&env->state, task);
    task_store(env, task);
}

/* The task's rate is that of honest validators together: f draw nothing. */
static uint32_t draw_rate(const struct state *state,
                          const Pot__TaskRecord *task)
{
    struct validator_set set;
    ledger_validators(state, &set);
    return draw_rate_of_one(task->spec->audit_rate_ppm,
                            set.count - validator_set_faults(set.count));
}

/* There are more members than a round takes, as validators have come since they
 * joined: they have turns. */
static void keep_turn(struct roster *ready, uint32_t round, size_t most)
{
    size_t count = ready->count;
    size_t first = most * (uint64_t)round % count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if ((i + count - first) % count < most) {
            ready->entries[kept++] = ready->entries[i];
        } else {
            codec_free(ready->entries[i]);
        }
    }
    ready->count = kept;
}

/* Freezes the roster once there are members enough to close the round, apart
 * from those who are accused and may still say that they planted: one frozen
 * with fewer could only wait until it is overdue. */
static bool open_round(const struct ledger_env *env, const struct hash *hash,
                       const struct ledger_block *block)
{
    Pot__TaskRecord *task = ledger_task(&env->state, hash);
    if (task == NULL) {
        return false; /* the state cannot be read */
    }
    POT_ASSERT(task->status == POT__TASK_STATUS__TASK_RUNNING);
    POT_ASSERT(task->n_roster == 0);
    struct roster ready = roster_copy(roster_of_members(task));
    plants_hold_back(&env->state, block, task, &ready);
    size_t most = task_roster_max(env, task->spec);
    if (ready.count > most) {
        keep_turn(&ready, task->round, most);
    }
    bool is_open =
        ready.count > 0 && ready.count >= task->spec->min_submissions;
    if (is_open) {
        roster_set_round(task, ready);
        task->opened_height = block->height;
        task->opened_ms = block->time_ms;
        task->draw_rate_ppm = draw_rate(&env->state, task);
        task_store(env, task);
    } else {
        roster_clear(&ready);
    }
    codec_free(task);
    return is_open;
}

void task_open_rounds(const struct ledger_env *env,
                      const struct ledger_block *block)
{
    Pot__HashList *opening =
        record_load(&env->state, keys_opening(), &pot__hash_list__descriptor);
    for (size_t i = 0; opening != NULL && i < opening->n_hashes; i++) {
        struct hash hash;
        bool is_hash = codec_hash(&hash, opening->hashes[i]);
        POT_ASSERT(is_hash);
        if (open_round(env, &hash, block)) {
            list_remove(&env->state, keys_opening(), hash.b);
        }
    }
    codec_free(opening);
}
