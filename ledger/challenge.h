/* challenge: a counted submission of an exact task is said to be false.
 *
 *   challenge_open --> OPEN --challenge_settle--> UPHELD, REJECTED or PLANTED
 *                       |
 *                       '--challenge_end--> EXPIRED
 *
 * The challenger puts down challenge_deposit.  Validators compute the gradient
 * again and attest; an exact gradient is the same bytes everywhere, so theta,
 * the rows and the claimed hash are enough and no payload is needed.  A quorum
 * of equal words settles it.
 *
 * Upheld: slash_fraud_bps of the miner's stake are taken, and from each
 * validator that attested to have audited it what a contradiction costs
 * (ledger/slash.h); finder_bps of that go to the challenger, who gets the
 * deposit back, the rest is burnt.  The miner leaves tasks, the oldest first,
 * until its stake covers what the rest ask.  Planted: the miner said so, by a
 * secret (ledger/plants.h), and that is what it is: the miner keeps all, gets
 * finder_bps of what the validators lose that say to have audited it, and the
 * deposit goes back.  Rejected: the deposit goes to the
 * validators whose words settled it, in equal shares. */
#ifndef POT_LEDGER_CHALLENGE_H
#define POT_LEDGER_CHALLENGE_H

#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "ledger/ledger.h"
#include "proto/round.h"

/* challenge_open: what is refused may have been written to in part.  secret:
 * of a plant (ledger/plants.h), or NULL.
 *
 * Errors: TX_SUBMISSION_UNKNOWN, TX_CHALLENGED, TX_CHALLENGER, TX_PLANT,
 *         TX_CHALLENGES_TASK, TX_CHALLENGES_OWN, TX_BALANCE_LOW */
POT_MUST_USE enum tx_verdict challenge_open(
    const struct state *state, const Pot__GenesisParams *params,
    const struct ledger_block *block, const struct public_key *challenger,
    const struct round_submission *submission, const struct hash *secret);

/* challenge_settle: by the attestations, whose signatures are checked here.
 *
 * Errors: TX_CHALLENGE_UNKNOWN, TX_CHALLENGE_ENDED, TX_CHALLENGE_WORDS,
 *         TX_CHALLENGE_WAITS */
POT_MUST_USE enum tx_verdict challenge_settle(
    const struct ledger_env *env, const Pot__GenesisParams *params,
    const struct ledger_block *block, const Pot__SettleChallenge *settle);

/* challenge_close: writes that it is over.  These two files' own. */
void challenge_close(const struct state *state, const struct hash *submission,
                     Pot__ChallengeRecord *challenge,
                     Pot__ChallengeStatus status, uint64_t height);

/* challenge_end: at the end of a block, forgets the rounds that can be judged
 * no more.  One with an open challenge goes on, and so does the bond of the
 * accused miner's stake, until it has gone on for too long: then the challenge
 * expires, and the deposit goes back. */
void challenge_end(const struct ledger_env *env,
                   const struct ledger_block *block);

#endif
