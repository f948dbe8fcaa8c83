/* round_update: one round of one task against the state. */
#ifndef POT_LEDGER_ROUND_UPDATE_H
#define POT_LEDGER_ROUND_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "proto/chain.pb-c.h"
#include "proto/round.h"

struct ledger_env;
struct ledger_block;

/* X(code, text): why a round update is refused. */
#define ROUND_VERDICT_MAP(X)                                                   \
    X(ROUND_ACCEPTED, "accepted")                                              \
    X(ROUND_TASK_UNKNOWN, "no such task is running")                           \
    X(ROUND_NOT_OPEN, "not the open round of its task")                        \
    X(ROUND_NOT_READY, "too few submissions, and its time is not up")          \
    X(ROUND_MALFORMED, "malformed submission or attestation")                  \
    X(ROUND_BAD_SIGNATURE, "wrong signature of a submission or attestation")   \
    X(ROUND_ORDER, "not in the order of the keys, or one of them twice")       \
    X(ROUND_NOT_IN_ROSTER, "a submission from outside the roster")             \
    X(ROUND_SUBMISSION, "a submission for other parameters, rows or sizes")    \
    X(ROUND_NOT_A_VALIDATOR, "an attestation from outside the validators")     \
    X(ROUND_IDLE_ATTESTATION, "an attestation on nothing that is listed")      \
    X(ROUND_DRAW, "an attestation with another draw than its author's, or"     \
                  " that accepts without an audit what it drew")               \
    X(ROUND_NO_QUORUM, "a submission without the validators it needs")         \
    X(ROUND_PAYLOAD_MISSING, "a payload is not held")                          \
    X(ROUND_PAYLOAD_MALFORMED, "a payload is not a gradient of the model")     \
    X(ROUND_AGGREGATE_MISSING, "the aggregate is not held")                    \
    X(ROUND_AGGREGATE, "another aggregate")                                    \
    X(ROUND_PARAMETERS_MISSING, "the parameters are not held")                 \
    X(ROUND_PARAMETERS, "other parameters")                                    \
    X(ROUND_LOSS, "another training loss")                                     \
    X(ROUND_DATASET_MISSING, "the test set is not held, or unfit")             \
    X(ROUND_EVALUATION, "another evaluation")                                  \
    X(ROUND_REWARDS, "other rewards or slashes")                               \
    X(ROUND_TOO_LARGE, "larger than the room in the block")                    \
    X(ROUND_NO_ROOM, "larger than any block may be")

enum round_verdict {
#define X(code, text) code,
    ROUND_VERDICT_MAP(X)
#undef X
};

/* What need not be checked again. */
struct ledger_trust {
    bool is_certified; /* a commit certificate vouches for the block: the
                          aggregate's blob and the evaluation are taken as
                          they are, payloads and test set are not needed */
    bool are_signatures_checked; /* of transactions, submissions and
                                    attestations, by the caller */
};

/* A message beside what it says: whoever holds it opened it once. */
struct candidate_submission {
    struct round_submission opened;
    Pot__Signed *message;
};

struct candidate_attestation {
    struct round_attestation opened;
    Pot__Signed *message;
};

/* All that a node holds for the open round of a task, in any order; what does
 * not fit or is not needed is passed over.  Of each validator the latest
 * attestation only.  Signatures were checked by the caller. */
struct round_candidate {
    struct hash task;
    struct candidate_submission *submissions;
    size_t submission_count;
    struct candidate_attestation *attestations;
    size_t attestation_count;
};

/* round_candidate_copy: a copy that owns all there is in it;
 * round_candidate_fini releases such a one. */
void round_candidate_copy(struct round_candidate *out,
                          const struct round_candidate *from);
void round_candidate_fini(struct round_candidate *candidate);

struct round_tally {
    uint32_t roster;
    uint32_t counted; /* submissions that a quorum accepts */
    uint32_t refused;
    uint32_t min_submissions;
    bool is_overdue;  /* it may close empty */
    bool is_hopeless; /* the same; waiting brings nothing */
    bool is_closable; /* counted >= min_submissions; or overdue or hopeless: it
                         then closes empty, and what was counted is lost */
    struct hash *submissions; /* those counted, by ascending miner; owned */
};

/* ledger_tally_round: what closing the round in this block, whoever proposes
 * it, would find; for whoever decides when to close.  round_tally_fini releases
 * it.  Errors: ROUND_TASK_UNKNOWN, out untouched. */
POT_MUST_USE enum round_verdict ledger_tally_round(
    struct round_tally *out, const struct ledger_env *env,
    const struct ledger_block *block, const struct round_candidate *candidate);
void round_tally_fini(struct round_tally *tally);

/* ledger_make_round: closes the round as far as the candidate allows, in an
 * update of at most bytes_max bytes.  One that no block has room for, as many
 * validators have come since its roster was frozen, closes with nothing in it
 * once it is overdue.
 *
 * Out:    *out is fresh, codec_free releases it; NULL unless ROUND_ACCEPTED
 * Writes: what ledger_apply_round of *out would; nothing unless
 *         ROUND_ACCEPTED
 * Errors: ROUND_TASK_UNKNOWN, ROUND_NOT_READY, ROUND_PAYLOAD_MISSING,
 *         ROUND_PAYLOAD_MALFORMED, ROUND_PARAMETERS_MISSING,
 *         ROUND_DATASET_MISSING, ROUND_TOO_LARGE, ROUND_NO_ROOM */
POT_MUST_USE enum round_verdict ledger_make_round(
    const struct ledger_env *env, const struct ledger_block *block,
    const struct round_candidate *candidate, size_t bytes_max,
    Pot__RoundUpdate **out);

/* ledger_apply_round: checks the update, computes what trust does not cover
 * and compares; state and blobs are written when it is ROUND_ACCEPTED and
 * untouched otherwise. */
POT_MUST_USE enum round_verdict ledger_apply_round(
    const struct ledger_env *env, const struct ledger_block *block,
    const Pot__RoundUpdate *update, struct ledger_trust trust);

/* round_verdict_text: for people; static, never NULL. */
const char *round_verdict_text(enum round_verdict verdict);

#endif
