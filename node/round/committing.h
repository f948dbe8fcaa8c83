/* committing: an open round's commitments, and the word of validators that
 * they take no more of them.
 *
 * A miner first commits to its submission, by a hash over all of it and a
 * salt.  A validator says that it closes when everyone in the roster has
 * committed, or those who are missing had their time; from then on it takes no
 * commitment.  Once a quorum has closed, miners reveal: a commitment made after
 * that is held by too few honest validators to be counted, so nobody counts
 * who has seen another's gradient before its own was fixed.
 *
 * Whoever commits and reveals nothing could make it enough early and close it
 * before others have computed.  So those who are missing are never given less
 * than those had whom the round before counted (committing_pace), and behind a
 * round that closed empty they are given all of round_timeout_ms.
 *
 * A validator that restarts begins anew.  The loop's thread only. */
#ifndef POT_NODE_ROUND_COMMITTING_H
#define POT_NODE_ROUND_COMMITTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/round.h"
#include "proto/state.pb-c.h"
#include "proto/validator_set.h"

struct committing; /* opaque: node/round/committing.c */

/* committing_new: of a task's open round, whose record is borrowed and
 * outlives it; pace_ms is the committing_pace of what was open before, or 0. */
struct committing *committing_new(const Pot__TaskRecord *task, uint64_t pace_ms,
                                  uint64_t now_ms);
void committing_free(struct committing *committing);

/* committing_pace: how long it took from the opening until enough of those had
 * committed whom the round counted, as the task's record behind it says; what
 * committing_new was told, where it counted too few or is open still. */
uint64_t committing_pace(const struct committing *committing,
                         const Pot__TaskRecord *after);

/* committing_take: true: it is the first of a miner in the roster, and in
 * time; or the same as that. */
bool committing_take(struct committing *committing,
                     const struct round_commitment *commitment,
                     uint64_t now_ms);

/* committing_holds: the submission is what its miner has committed to. */
bool committing_holds(const struct committing *committing,
                      const struct round_submission *submission);

/* committing_closes: a validator's word that it closes; true: its first. */
bool committing_closes(struct committing *committing,
                       const struct validator_set *set,
                       const struct public_key *validator);

/* committing_is_over: a quorum has closed: miners reveal. */
bool committing_is_over(const struct committing *committing,
                        const struct validator_set *set);

/* committing_is_due: this validator should close now.  committing_close: it
 * has. */
bool committing_is_due(const struct committing *committing, uint64_t now_ms);
void committing_close(struct committing *committing);

/* committing_is_enough: as many as min_submissions have committed. */
bool committing_is_enough(const struct committing *committing);

/* committing_expected: submissions that may still come: of those who
 * committed, once this validator has closed; else of the whole roster. */
size_t committing_expected(const struct committing *committing);

#endif
