/* task: what a task goes through: it begins, miners come and go, rounds
 * open, it ends. */
#ifndef POT_LEDGER_TASK_H
#define POT_LEDGER_TASK_H

#include "base/hash.h"
#include "ledger/ledger.h"
#include "proto/spec.h"

void task_store(const struct ledger_env *env, const Pot__TaskRecord *task);

/* task_begin: writes a new task's record under hash, that of the transaction
 * which submitted it, with its first theta; makes it
 * running and its first round wait for a roster.  The budget was taken from
 * the owner. */
void task_begin(const struct ledger_env *env, const struct ledger_block *block,
                const struct hash *hash, const struct public_key *owner,
                const Pot__SubmitTask *submit);

/* task_moment: the hash of the optimizer's moment, index < SPEC_MOMENTS_MAX;
 * empty: it is zero, or not kept. */
ProtobufCBinaryData *task_moment(Pot__TaskRecord *task, unsigned index);

/* task_stake: spec_miner_stake of the task on this chain. */
uint64_t task_stake(const struct ledger_env *env, const Pot__TaskRecord *task);

/* task_roster_max: so many miners may be in a round of such a task now: what
 * its rule takes and a block has room for, as many validators as there are. */
uint32_t task_roster_max(const struct ledger_env *env,
                         const Pot__TaskSpec *spec);

/* task_drop_member: the member at index leaves. */
void task_drop_member(const struct ledger_env *env, Pot__TaskRecord *task,
                      size_t index);

/* task_end: releases the members, gives the rest of the escrow back and
 * stores the record; status is not TASK_RUNNING, reason is static text. */
void task_end(const struct ledger_env *env, uint64_t height,
              Pot__TaskRecord *task, Pot__TaskStatus status,
              const char *reason);

/* task_open_rounds: at the end of a block, freezes the rosters of all rounds
 * that wait for one. */
void task_open_rounds(const struct ledger_env *env,
                      const struct ledger_block *block);

#endif
