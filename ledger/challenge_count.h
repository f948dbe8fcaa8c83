/* challenge_count: how many are open of a task and by a challenger, and how
 * many there may be: each is a gradient that every validator computes again. */
#ifndef POT_LEDGER_CHALLENGE_COUNT_H
#define POT_LEDGER_CHALLENGE_COUNT_H

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "ledger/ledger.h"

/* challenge_count_check: whether there may be one more.
 *
 * Errors: TX_CHALLENGES_TASK, TX_CHALLENGES_OWN */
POT_MUST_USE enum tx_verdict challenge_count_check(
    const struct state *state, const struct hash *task,
    const struct public_key *challenger);

/* challenge_count_add, _remove: one is opened, or over. */
void challenge_count_add(const struct state *state,
                         const Pot__ChallengeRecord *challenge);
void challenge_count_remove(const struct state *state,
                            const Pot__ChallengeRecord *challenge);

#endif
