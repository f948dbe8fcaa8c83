/* settle: what a round comes to, from what was counted: one computation for
 * the primary that makes an update and for the replicas that check it. */
#ifndef POT_LEDGER_SETTLE_H
#define POT_LEDGER_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/evaluate.h"
#include "ledger/ledger.h"
#include "ledger/round_update.h"
#include "proto/model.h"
#include "proto/round.h"
#include "proto/spec.h"

struct settle_reward {
    struct public_key to;
    uint64_t amount;
    Pot__RewardFor reason;
};

/* An open round and what is known of it so far: settle_init fills the first
 * part, ledger/round_lists.h the second, settle_compute the third. */
struct settle {
    struct hash task_hash;
    Pot__TaskRecord *task;
    Pot__SupplyRecord *supply;
    struct model_shape shape;
    struct validator_set validators;
    Pot__DrawsRecord *draws;

    struct round_submission *counted; /* by ascending miner */
    size_t counted_count;
    struct round_submission *refused; /* by ascending miner */
    size_t refused_count;
    struct round_attestation *attestations; /* by ascending validator */
    size_t attestation_count;
    bool are_lists_borrowed; /* a candidate's: not settle_fini's to close */

    struct buf aggregate; /* empty, as the rest, when nothing is counted */
    struct hash aggregate_hash;
    int32_t *moments[SPEC_MOMENTS_MAX]; /* NULL: not kept */
    uint8_t *parameters;                /* theta(t+1), as a blob */
    struct hash parameters_hash;
    int64_t train_loss;
    bool is_evaluated;
    struct evaluation evaluation;
    struct settle_reward *rewards;
    size_t reward_count;
};

/* settle_init: loads the running task and the validators.
 * Errors: ROUND_TASK_UNKNOWN; settle_fini is right in any case. */
POT_MUST_USE enum round_verdict settle_init(struct settle *s,
                                            const struct ledger_env *env,
                                            const struct hash *task);
void settle_fini(struct settle *s);

/* settle_is_overdue: the round may close empty in this block: both
 * round_blocks_max and the task's round_timeout_ms are over. */
bool settle_is_overdue(const struct settle *s,
                       const struct ledger_block *block);

/* settle_is_hopeless: so many of the roster are refused that the rest is fewer
 * than min_submissions, and the members who are not refused are enough for a
 * roster: the round may close empty at once, for theirs.  In: the lists. */
bool settle_is_hopeless(const struct settle *s);

/* settle_compute: aggregate, theta, evaluation, rewards; nothing when nothing
 * is counted.  certified, when not NULL, is an update whose aggregate and
 * evaluation are taken as they are.
 *
 * Errors: ROUND_PAYLOAD_MISSING, ROUND_PAYLOAD_MALFORMED,
 *         ROUND_AGGREGATE_MISSING, ROUND_AGGREGATE,
 *         ROUND_PARAMETERS_MISSING, ROUND_DATASET_MISSING,
 *         ROUND_EVALUATION */
POT_MUST_USE enum round_verdict settle_compute(
    struct settle *s, const struct ledger_env *env,
    const struct ledger_block *block, const Pot__RoundUpdate *certified);

/* settle_write: all that the round changes in state and blobs. */
void settle_write(struct settle *s, const struct ledger_env *env,
                  const struct ledger_block *block);

#endif
