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

/* Whether a later state may take what this one refuses. */
enum tx_finality { TX_FOR_NOW, TX_FOR_GOOD };

/* X(code, finality, text): why a transaction is refused; the text is for
 * people. */
#define TX_VERDICT_MAP(X)                                                      \
    X(TX_ACCEPTED, TX_FOR_NOW, "accepted")                                     \
    X(TX_MALFORMED, TX_FOR_GOOD, "malformed transaction")                      \
    X(TX_TOO_LARGE, TX_FOR_GOOD, "transaction too large")                      \
    X(TX_WRONG_CHAIN, TX_FOR_GOOD, "made for another chain")                   \
    X(TX_BAD_SIGNATURE, TX_FOR_GOOD, "wrong signature")                        \
    X(TX_EXPIRED, TX_FOR_GOOD, "its expiry height has passed")                 \
    X(TX_NONCE_USED, TX_FOR_GOOD, "its nonce was used before")                 \
    X(TX_NONCE_AHEAD, TX_FOR_NOW, "an earlier nonce is missing")               \
    X(TX_NONCE_FAR, TX_FOR_NOW, "its nonce is too far ahead of the account's") \
    X(TX_FEE_LOW, TX_FOR_GOOD, "the fee is too low")                           \
    X(TX_BALANCE_LOW, TX_FOR_NOW, "the balance is too low")                    \
    X(TX_AMOUNT_ZERO, TX_FOR_GOOD, "the amount is zero")                       \
    X(TX_STAKE_ROLE, TX_FOR_GOOD, "a stake is for a validator or a miner")     \
    X(TX_STAKE_LOW, TX_FOR_NOW, "the stake would be below the minimum")        \
    X(TX_STAKE_SHORT, TX_FOR_NOW, "there is less at stake than that")          \
    X(TX_STAKE_BOUND, TX_FOR_NOW, "the stake is bound: leave all tasks first") \
    X(TX_STAKERS_FULL, TX_FOR_NOW, "no room for another staker")               \
    X(TX_UNBONDING_FULL, TX_FOR_NOW,                                           \
      "too much is unbonding at once: wait until some of it is free")          \
    X(TX_LAST_VALIDATOR, TX_FOR_NOW, "the last validator cannot leave")        \
    X(TX_DATASET_MALFORMED, TX_FOR_GOOD,                                       \
      "the data set's description is malformed")                               \
    X(TX_DATASET_KNOWN, TX_FOR_GOOD, "the data set is published already")      \
    X(TX_DATASET_UNKNOWN, TX_FOR_NOW,                                          \
      "a data set of the task is not published")                               \
    X(TX_TASK_UNKNOWN, TX_FOR_NOW, "there is no such task")                    \
    X(TX_TASK_ENDED, TX_FOR_GOOD, "the task has ended")                        \
    X(TX_TASK_OWNER, TX_FOR_GOOD, "only the task's owner may do that")         \
    X(TX_TASKS_FULL, TX_FOR_NOW, "too many tasks are running")                 \
    X(TX_JOINED, TX_FOR_NOW, "joined the task already")                        \
    X(TX_NOT_JOINED, TX_FOR_NOW, "has not joined the task")                    \
    X(TX_ROSTER_FULL, TX_FOR_NOW, "the task has no room for another miner")    \
    X(TX_MINER_STAKE, TX_FOR_NOW,                                              \
      "the miner's stake is too low for the task beside those it has joined: " \
      "stake more, or leave one")                                              \
    X(TX_SUBMISSION_UNKNOWN, TX_FOR_NOW,                                       \
      "no such submission was counted in a round that can be challenged")      \
    X(TX_CHALLENGED, TX_FOR_GOOD, "the submission is challenged already")      \
    X(TX_CHALLENGER, TX_FOR_NOW,                                               \
      "only another one with a stake may do that: `potctl stake` first")       \
    X(TX_CHALLENGES_TASK, TX_FOR_NOW,                                          \
      "the task has " LIMIT_TEXT(                                              \
          CHALLENGES_TASK_MAX) " open challenges: wait until one is settled")  \
    X(TX_CHALLENGES_OWN, TX_FOR_NOW,                                           \
      "the sender has " LIMIT_TEXT(                                            \
          CHALLENGES_OWN_MAX) " open challenges: wait until one is settled")   \
    X(TX_CHALLENGE_UNKNOWN, TX_FOR_NOW, "no such challenge is open")           \
    X(TX_CHALLENGE_ENDED, TX_FOR_GOOD, "the challenge has ended")              \
    X(TX_CHALLENGE_WORDS, TX_FOR_NOW,                                          \
      "not the same word of a quorum of validators")                           \
    X(TX_CHALLENGE_WAITS, TX_FOR_NOW,                                          \
      "its miner may still say that the submission was planted")               \
    X(TX_PLANT, TX_FOR_GOOD,                                                   \
      "that does not say that the submission was planted")                     \
    X(TX_ANSWERS, TX_FOR_NOW,                                                  \
      "the stake is bound: what it was paid for can be challenged still")      \
    X(TX_SPEC_ROOM, TX_FOR_NOW,                                                \
      "min_submissions: more than a block of this chain has room for, with "   \
      "its validators' words on each")                                         \
    X(TX_SPEC_STAKE, TX_FOR_GOOD,                                              \
      "cheating would pay: raise miner_stake or audit_rate")                   \
    X(TX_SPEC_NAME, TX_FOR_GOOD,                                               \
      "name: 1 to " LIMIT_TEXT(                                                \
          TX_TEXT_MAX) " bytes without control characters")                    \
    X(TX_SPEC_MODEL, TX_FOR_GOOD, "model: layers beyond the limits")           \
    X(TX_SPEC_DATA, TX_FOR_GOOD, "data: the model does not fit the data sets") \
    X(TX_SPEC_ACTIVATION, TX_FOR_GOOD, "activation: relu, tanh or sigmoid")    \
    X(TX_SPEC_LOSS, TX_FOR_GOOD,                                               \
      "loss: softmax_cross_entropy for classes, or mse")                       \
    X(TX_SPEC_OPTIMIZER, TX_FOR_GOOD,                                          \
      "optimizer: a known kind with the keys it takes, rates in their "        \
      "range, a known schedule, warmup_rounds up to rounds")                   \
    X(TX_SPEC_ROUNDS, TX_FOR_GOOD, "rounds: 1 to " LIMIT_TEXT(ROUNDS_MAX))     \
    X(TX_SPEC_ROWS, TX_FOR_GOOD,                                               \
      "rows_per_miner: 1 to " LIMIT_TEXT(                                      \
          ROWS_PER_MINER_MAX) "; "                                             \
                              "shards_per_"                                    \
                              "round: up "                                     \
                              "to " LIMIT_TEXT(SHARDS_PER_ROUND_MAX))          \
    X(TX_SPEC_LOCAL_STEPS, TX_FOR_GOOD,                                        \
      "local_steps: 1, or up to " LIMIT_TEXT(                                  \
          LOCAL_STEPS_MAX) " with numerics exact, a local_rate, and "          \
                           "rows_per_miner a multiple of it")                  \
    X(TX_SPEC_GRADIENT_SIZE, TX_FOR_GOOD,                                      \
      "rows_per_miner times the model's parameters: at most " LIMIT_TEXT(      \
          GRADIENT_PRODUCTS_MAX) "; lower rows_per_miner or the layers")       \
    X(TX_SPEC_MIN_SUBMISSIONS, TX_FOR_GOOD,                                    \
      "min_submissions: 1 to " LIMIT_TEXT(ROSTER_MAX))                         \
    X(TX_SPEC_AGGREGATION, TX_FOR_GOOD,                                        \
      "aggregation: mean, trimmed_mean, median, krum, multi_krum, "            \
      "clipped_mean or centered_clipping")                                     \
    X(TX_SPEC_AGGREGATION_RULE, TX_FOR_GOOD,                                   \
      "trim_share: above 0 and below 0.5, for trimmed_mean; krum_faulty: "     \
      "min_submissions at least 2 krum_faulty + 3, for krum and multi_krum; "  \
      "clip_norm: for clipped_mean and centered_clipping")                     \
    X(TX_SPEC_AGGREGATION_SIZE, TX_FOR_GOOD,                                   \
      "min_submissions: more gradients of this model than its aggregation "    \
      "rule takes")                                                            \
    X(TX_SPEC_NUMERICS, TX_FOR_GOOD, "numerics: exact or blas")                \
    X(TX_SPEC_COMPRESSION, TX_FOR_GOOD,                                        \
      "compression: int8 or int16; int4, sign or topk with numerics exact; "   \
      "topk_share for topk, up to 0.5")                                        \
    X(TX_SPEC_AUDIT_RATE, TX_FOR_GOOD, "audit_rate: 0 to 1")                   \
    X(TX_SPEC_PLANT_RATE, TX_FOR_GOOD,                                         \
      "plant_rate: 0 to 1, with numerics exact, and "                          \
      "times audit_rate 0.2 at most")                                          \
    X(TX_SPEC_EVALUATION, TX_FOR_GOOD,                                         \
      "eval_every: at least 1, and test rows times "                           \
      "parameters within the limit")                                           \
    X(TX_SPEC_TARGET, TX_FOR_GOOD,                                             \
      "target_accuracy: 0 to 1, for classes only")                             \
    X(TX_SPEC_TIMEOUT, TX_FOR_GOOD,                                            \
      "round_timeout_ms: " LIMIT_TEXT(ROUND_TIMEOUT_MS_MIN) " to " LIMIT_TEXT( \
          ROUND_TIMEOUT_MS_MAX))                                               \
    X(TX_SPEC_BUDGET, TX_FOR_GOOD, "budget: at least a base unit a round")

/* A transaction that waits for earlier ones waits for so many at most. */
#define TX_NONCES_AHEAD_MAX 1024

enum tx_verdict {
#define X(code, finality, text) code,
    TX_VERDICT_MAP(X)
#undef X
};

/* ledger_check_tx: whether this block, whoever proposes it, could take it now;
 * writes nothing.  TX_NONCE_AHEAD comes only after all that does not depend on
 * earlier transactions was found right: its form, the signature, the rules
 * of its kind that need no state, and a fee that the sender could pay; so a
 * mempool may keep such a one. */
POT_MUST_USE enum tx_verdict ledger_check_tx(const struct ledger_env *env,
                                             const struct ledger_block *block,
                                             const Pot__Signed *tx,
                                             bool is_signature_checked);

/* ledger_apply_tx: executes it; state and blobs are written when it is
 * TX_ACCEPTED and untouched otherwise. */
POT_MUST_USE enum tx_verdict ledger_apply_tx(const struct ledger_env *env,
                                             const struct ledger_block *block,
                                             const Pot__Signed *tx,
                                             bool is_signature_checked);

/* tx_verdict_is_final: it will be refused in every later state, too. */
bool tx_verdict_is_final(enum tx_verdict verdict);

/* tx_verdict_text: for people; static, never NULL.  tx_action_name: the
 * action of a body as TxBody calls it, "transfer"; "unknown" if it has none. */
const char *tx_verdict_text(enum tx_verdict verdict);
const char *tx_action_name(const Pot__TxBody *body);

#endif
