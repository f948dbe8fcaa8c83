/* ledger: what blocks do to accounts, data sets, tasks and models.
 *
 * Deterministic: the same state and the same block give the same writes on
 * every machine; integers only.  It does no input or output of its own:
 * everything passes through struct ledger_env.
 *
 * Others include this header, slash.h, tx.h, round_update.h, submission.h,
 * state.h, parts.h, roster.h and parameters.h; the rest is the ledger's own
 * (tools/check-source).
 *
 * A block is executed as ledger_execute does it, and whoever makes one keeps
 * the same order: evidence, round updates by ascending task, transactions,
 * then ledger_end_block. */
#ifndef POT_LEDGER_LEDGER_H
#define POT_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "base/limits.h"
#include "ledger/round_update.h"
#include "ledger/slash.h"
#include "ledger/state.h"
#include "ledger/tx.h"
#include "proto/block.h"
#include "proto/chain.pb-c.h"
#include "proto/state.pb-c.h"
#include "proto/validator_set.h"

struct ledger_env {
    struct hash chain; /* what stands for the chain id in signatures */
    struct state state;
    struct blobs blobs;
    struct dataset_source datasets;
    struct part_source parts; /* spare payloads; what comes of it is the same */
    /* The chain's, which never change; NULL: they are read from the state for
     * each transaction. */
    const Pot__GenesisParams *params;
};

/* What execution may know of the block it is in. */
struct ledger_block {
    uint64_t height;
    uint64_t time_ms;
    struct public_key proposer;
};

/* ledger_genesis: writes the first state.  The genesis must be sound: sums
 * that fit, nobody twice, one validator at least. */
void ledger_genesis(const struct ledger_env *env, const Pot__Genesis *genesis);

/* ledger_end_block: rosters of the rounds that open, stakes that are free now,
 * closed rounds that can be challenged no more,
 * and the validator set of the next epoch. */
void ledger_end_block(const struct ledger_env *env,
                      const struct ledger_block *block);

/* ---- whole blocks */

#define BLOCK_VERDICT_MAP(X)                                                   \
    X(BLOCK_ACCEPTED, "accepted")                                              \
    X(BLOCK_WRONG_CHAIN, "made for another chain")                             \
    X(BLOCK_NOT_NEXT, "does not follow the last block")                        \
    X(BLOCK_TIME, "not later than the last block")                             \
    X(BLOCK_PROPOSER, "not proposed by a validator")                           \
    X(BLOCK_TOO_LARGE, "larger than the chain allows")                         \
    X(BLOCK_EVIDENCE, "evidence in it is refused")                             \
    X(BLOCK_ROUND_ORDER, "round updates not by ascending task")                \
    X(BLOCK_ROUND, "a round update is refused")                                \
    X(BLOCK_TX, "a transaction is refused")                                    \
    X(BLOCK_VALIDATORS, "another validator set follows")

enum block_verdict {
#define X(code, text) code,
    BLOCK_VERDICT_MAP(X)
#undef X
};

/* Which part of a refused block was at fault. */
struct ledger_fault {
    size_t index; /* of the evidence, round update or transaction */
    enum evidence_verdict evidence; /* BLOCK_EVIDENCE */
    enum round_verdict round;       /* BLOCK_ROUND */
    enum tx_verdict tx;             /* BLOCK_TX */
};

/* ledger_execute: the whole block on top of its parent.  The state root
 * is the caller's to compare.  Unless BLOCK_ACCEPTED, what was written to env
 * is worthless: throw the write set away.  size is that of the block's
 * encoding; fault may be NULL. */
POT_MUST_USE enum block_verdict ledger_execute(
    const struct ledger_env *env, const struct block_parent *parent,
    const struct block *block, size_t size, struct ledger_trust trust,
    struct ledger_fault *fault);

const char *block_verdict_text(enum block_verdict verdict);

/* ---- reading */

/* Stake that was withdrawn and is still bound. */
struct unbonding {
    uint64_t amount;
    uint64_t height; /* behind the block of this height it is free */
};

struct account {
    uint64_t balance;
    uint64_t nonce; /* of its next transaction */
    uint64_t stake_validator;
    uint64_t stake_miner;
    uint64_t stake_joined; /* what its tasks ask of it; never above it */
    uint64_t earned;
    uint64_t slashed;
    uint32_t tasks_joined;
    bool is_jailed;           /* not elected until it stakes again */
    uint64_t forgiven_height; /* nothing up to it is punished any more */
    /* Its miner stake is bound up to that height, and up to that time. */
    uint64_t answers_until;
    uint64_t answers_until_ms;
    uint64_t audits_drawn; /* of what it attested to */
    uint64_t audits_said;  /* of these */
    size_t unbonding_count;
    struct unbonding unbonding[UNBONDINGS_MAX]; /* by ascending height */
    char moniker[TX_TEXT_MAX + 1];
};

/* ledger_account: false, and *out all zero, for one never heard of. */
bool ledger_account(const struct state *state, const struct public_key *key,
                    struct account *out);

/* Records, fresh memory that codec_free releases; NULL when there is none.
 * Lists are never NULL, but may be empty. */
Pot__TaskRecord *ledger_task(const struct state *state,
                             const struct hash *task);
Pot__DatasetRecord *ledger_dataset(const struct state *state,
                                   const struct hash *address);
Pot__HashList *ledger_running(const struct state *state);
Pot__HashList *ledger_stakers(const struct state *state, Pot__StakeRole role);
/* ledger_draws: of a running task; never NULL. */
Pot__DrawsRecord *ledger_draws(const struct state *state,
                               const struct hash *task);
/* ledger_draw_fits: the attestation has a link, which follows from the one that
 * its validator has shown before, if any. */
bool ledger_draw_fits(const Pot__DrawsRecord *draws,
                      const struct round_attestation *attestation);
/* ledger_draw_contradicts: it accepts, with no word of an audit, what its link
 * has drawn: no update lists both. */
bool ledger_draw_contradicts(const Pot__TaskRecord *task,
                             const struct round_attestation *attestation,
                             const struct round_submission *submission);
/* Of an exact task, while it can be challenged or judged still. */
Pot__ClosedRecord *ledger_closed(const struct state *state,
                                 const struct hash *task, uint32_t round);
/* ledger_challenges_left: how many more can be open of a task, by one
 * challenger. */
size_t ledger_challenges_left(const struct state *state,
                              const struct hash *task,
                              const struct public_key *challenger);
/* ledger_is_counted: whether the closed round counts the submission. */
bool ledger_is_counted(const Pot__ClosedRecord *closed,
                       const struct hash *submission);
/* ledger_is_audited: somebody whose word the round lists says to have audited
 * it. */
bool ledger_is_audited(const Pot__ClosedRecord *closed,
                       const struct hash *submission);
Pot__ChallengeRecord *ledger_challenge(const struct state *state,
                                       const struct hash *submission);
/* ledger_challenge_name: what a word on an open challenge judges: the
 * submission, or once that is said to be a plant, proto/plant.h's name of it.
 */
void ledger_challenge_name(struct hash *out,
                           const Pot__ChallengeRecord *challenge);
/* ledger_is_plant: the secret proves that what is challenged was planted
 * (proto/plant.h). */
bool ledger_is_plant(const struct state *state,
                     const Pot__ChallengeRecord *challenge,
                     const struct hash *secret);
/* ledger_challenge_waits: it cannot be upheld in that block yet: its miner may
 * still say that it planted what is challenged. */
bool ledger_challenge_waits(const struct state *state,
                            const Pot__ChallengeRecord *challenge,
                            const struct ledger_block *block);
/* Submissions whose challenge is open, in no order. */
Pot__HashList *ledger_challenges(const struct state *state);

/* ledger_supply: the totals and the chain's parameters; never NULL.  Of a state
 * that cannot be read no totals, and the usual parameters. */
Pot__SupplyRecord *ledger_supply(const struct state *state);

/* ledger_task_number: the n-th task ever, from 0; false beyond
 * SupplyRecord's count. */
bool ledger_task_number(const struct state *state, uint64_t number,
                        struct hash *task);

/* ledger_challenge_number: the submission of the n-th challenge, the same. */
bool ledger_challenge_number(const struct state *state, uint64_t number,
                             struct hash *submission);

/* ledger_validators: the set that signs the next height.  Of a state that
 * cannot be read one validator, whose key nobody has. */
void ledger_validators(const struct state *state, struct validator_set *out);

/* ledger_next_validators: the set that the end of this epoch would elect from
 * the stakes as they are.  Returns the first height that it signs, of a state
 * whose tip has `height`. */
uint64_t ledger_next_validators(const struct state *state, uint64_t height,
                                struct validator_set *out);

/* ledger_is_blob_key: whether the state's key says that the state refers to a
 * blob (theta or momentum of a task), and to which. */
bool ledger_is_blob_key(struct hash *out, const void *key, size_t key_size);

#endif
