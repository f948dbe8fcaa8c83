/* tx: one transaction against the state. */
#ifndef POT_LEDGER_TX_H
#define POT_LEDGER_TX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "proto/chain.pb-c.h"

struct ledger_env;
struct ledger_block;

/* X(code, text): why a transaction is refused; the text is for people. */
#define TX_VERDICT_MAP(X)                                                      \
    X(TX_ACCEPTED, "accepted")                                                 \
    X(TX_MALFORMED, "malformed transaction")                                   \
    X(TX_TOO_LARGE, "transaction too large")                                   \
    X(TX_WRONG_CHAIN, "made for another chain")                                \
    X(TX_BAD_SIGNATURE, "wrong signature")                                     \
    X(TX_EXPIRED, "its expiry height has passed")                              \
    X(TX_NONCE_USED, "its nonce was used before")                              \
    X(TX_NONCE_AHEAD, "an earlier nonce is missing")                           \
    X(TX_NONCE_FAR, "its nonce is too far ahead of the account's")             \
    X(TX_FEE_LOW, "the fee is too low")                                        \
    X(TX_BALANCE_LOW, "the balance is too low")                                \
    X(TX_AMOUNT_ZERO, "the amount is zero")                                    \
    X(TX_STAKE_ROLE, "a stake is for a validator or a miner")                  \
    X(TX_STAKE_LOW, "the stake would be below the minimum")                    \
    X(TX_STAKE_SHORT, "there is less at stake than that")                      \
    X(TX_STAKE_BOUND, "the stake is bound: leave all tasks first")             \
    X(TX_STAKERS_FULL, "no room for another staker")                           \
    X(TX_LAST_VALIDATOR, "the last validator cannot leave")                    \
    X(TX_DATASET_MALFORMED, "the data set's description is malformed")         \
    X(TX_DATASET_KNOWN, "the data set is published already")                   \
    X(TX_DATASET_UNKNOWN, "a data set of the task is not published")           \
    X(TX_TASK_UNKNOWN, "there is no such task")                                \
    X(TX_TASK_ENDED, "the task has ended")                                     \
    X(TX_TASK_OWNER, "only the task's owner may do that")                      \
    X(TX_TASKS_FULL, "too many tasks are running")                             \
    X(TX_JOINED, "joined the task already")                                    \
    X(TX_NOT_JOINED, "has not joined the task")                                \
    X(TX_ROSTER_FULL, "the task has no room for another miner")                \
    X(TX_MINER_STAKE, "the miner's stake is too low for the task")             \
    X(TX_SPEC_NAME, "name: 1 to " LIMIT_TEXT(                                  \
                        TX_TEXT_MAX) " bytes without control characters")      \
    X(TX_SPEC_MODEL, "model: layers beyond the limits")                        \
    X(TX_SPEC_DATA, "data: the model does not fit the data sets")              \
    X(TX_SPEC_ACTIVATION, "activation: relu, tanh or sigmoid")                 \
    X(TX_SPEC_LOSS, "loss: softmax_cross_entropy for classes, or mse")         \
    X(TX_SPEC_OPTIMIZER,                                                       \
      "optimizer: learning_rate above 0 and below 16, "                        \
      "momentum and weight_decay below 1, a known schedule")                   \
    X(TX_SPEC_ROUNDS, "rounds: 1 to " LIMIT_TEXT(ROUNDS_MAX))                  \
    X(TX_SPEC_ROWS, "rows_per_miner: 1 to " LIMIT_TEXT(ROWS_PER_MINER_MAX))    \
    X(TX_SPEC_LOCAL_STEPS, "local_steps: only 1; more need exact numerics, "   \
                           "which this version does not have")                 \
    X(TX_SPEC_MIN_SUBMISSIONS,                                                 \
      "min_submissions: 1 to " LIMIT_TEXT(ROSTER_MAX))                         \
    X(TX_SPEC_AGGREGATION, "aggregation: only mean in this version")           \
    X(TX_SPEC_NUMERICS, "numerics: only blas in this version")                 \
    X(TX_SPEC_COMPRESSION, "compression: only int8 and int16 in this version") \
    X(TX_SPEC_AUDIT_RATE, "audit_rate: 0 to 1")                                \
    X(TX_SPEC_EVALUATION, "eval_every: at least 1, and test rows times "       \
                          "parameters within the limit")                       \
    X(TX_SPEC_TARGET, "target_accuracy: 0 to 1, for classes only")             \
    X(TX_SPEC_TIMEOUT,                                                         \
      "round_timeout_ms: " LIMIT_TEXT(ROUND_TIMEOUT_MS_MIN) " to " LIMIT_TEXT( \
          ROUND_TIMEOUT_MS_MAX))                                               \
    X(TX_SPEC_BUDGET, "budget: at least a base unit a round")

/* A transaction that waits for earlier ones waits for so many at most. */
#define TX_NONCES_AHEAD_MAX 1024

enum tx_verdict {
#define X(code, text) code,
    TX_VERDICT_MAP(X)
#undef X
};

/* ledger_check_tx: whether a block at this height could take it now; writes
 * nothing.  TX_NONCE_AHEAD comes only after all that does not depend on
 * earlier transactions was found right: its form, the signature, the rules
 * of its kind that need no state, and a fee that the sender could pay; so a
 * mempool may keep such a one. */
POT_MUST_USE enum tx_verdict ledger_check_tx(const struct ledger_env *env,
                                             uint64_t height,
                                             const Pot__Signed *tx,
                                             bool is_signature_checked);

/* ledger_apply_tx: executes it; state and blobs are written when it is
 * TX_ACCEPTED and untouched otherwise. */
POT_MUST_USE enum tx_verdict ledger_apply_tx(const struct ledger_env *env,
                                             const struct ledger_block *block,
                                             const Pot__Signed *tx,
                                             bool is_signature_checked);

/* tx_verdict_text: for people; static, never NULL.  tx_action_name: the
 * action of a body as TxBody calls it, "transfer"; "unknown" if it has none. */
const char *tx_verdict_text(enum tx_verdict verdict);
const char *tx_action_name(const Pot__TxBody *body);

#endif
