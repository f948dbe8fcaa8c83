/* keys: where things stand in the state map.
 *
 *   "account/" key (32)         AccountRecord
 *   "dataset/" address (32)     DatasetRecord
 *   "dataset-number/" u64       address of the data set published n-th: no
 *                               call asks for it yet, but it is in the
 *                               state's root
 *   "task/" hash (32)           TaskRecord; a task's hash is that of the
 *                               transaction which submitted it
 *   "task-number/" u64          hash of the task submitted n-th, from 0
 *   "draws/" hash (32)          DrawsRecord of a running task
 *   "blob/" hash (32)           u64: how many tasks hold this theta or
 *                               momentum; the last one to let go deletes it
 *   "running"                   HashList: tasks that run, oldest first
 *   "opening"                   HashList: those whose open round still waits
 *                               for a roster
 *   "stakers/validator"         HashList: keys with such a stake, ascending
 *   "stakers/miner"             HashList: the same for miners
 *   "validators"                ValidatorSet that signs the next height
 *   "signers/" u64              ValidatorSet that signs an epoch, from 0;
 *                               kept as long as evidence of it is taken
 *   "unbonding/" u64            HashList: accounts of which a stake is free
 *                               behind the block of that height
 *   "closed/" hash (32)         ClosedRecord, by the hash of task and round
 *   "closed-until/" u64         HashList: those that go behind the block of
 *                               that height, or are looked at again later
 *   "challenge/" hash (32)      ChallengeRecord, by the submission's hash
 *   "challenge-number/" u64     submission of the n-th challenge, from 0
 *   "open-challenge/" u64       submission: the open ones, in no order
 *   "challenged/" name          submission: the last one of a closed round
 *   "challenges-task/" hash     HashList: open ones of a task
 *   "challenges-own/" key (32)  HashList: open ones by a challenger
 *   "supply"                    SupplyRecord
 *
 * Numbers in keys are big-endian, so that they sort. */
#ifndef POT_LEDGER_KEYS_H
#define POT_LEDGER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

#define KEYS_SIZE_MAX 64

struct state_key {
    uint8_t b[KEYS_SIZE_MAX];
    size_t size;
};

struct state_key keys_account(const struct public_key *account);
struct state_key keys_dataset(const struct hash *address);
struct state_key keys_dataset_number(uint64_t number);
struct state_key keys_task(const struct hash *task);
struct state_key keys_task_number(uint64_t number);
struct state_key keys_draws(const struct hash *task);
struct state_key keys_blob(const struct hash *hash);
/* keys_read_blob: whether that is the key of a blob's count, and whose. */
bool keys_read_blob(struct hash *out, const void *key, size_t key_size);
struct state_key keys_running(void);
struct state_key keys_opening(void);
struct state_key keys_stakers_validator(void);
struct state_key keys_stakers_miner(void);
struct state_key keys_validators(void);
struct state_key keys_signers(uint64_t epoch);
struct state_key keys_unbonding(uint64_t height);
struct state_key keys_closed(const struct hash *task, uint32_t round);
/* keys_closed_name: of a round in the lists "closed-until/"; keys_closed_named
 * is its key. */
void keys_closed_name(struct hash *out, const struct hash *task,
                      uint32_t round);
struct state_key keys_closed_named(const struct hash *name);
struct state_key keys_closed_until(uint64_t height);
/* The last challenge of the closed round of that name. */
struct state_key keys_challenged(const struct hash *name);
struct state_key keys_challenge(const struct hash *submission);
struct state_key keys_challenge_number(uint64_t number);
struct state_key keys_open_challenge(uint64_t place);
struct state_key keys_challenges_task(const struct hash *task);
struct state_key keys_challenges_own(const struct public_key *challenger);
struct state_key keys_supply(void);

#endif
