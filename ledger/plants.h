/* plants: the ledger's part of submissions that are false on purpose
 * (proto/plant.h).
 *
 * In a task with a plant_rate a submission shows its miner's link of the round;
 * the link behind it, which nobody else knows, says whether it is a plant.  The
 * miner's member record keeps the last one that was counted, so that a miner
 * does not choose when it plants.
 *
 * A plant that is challenged costs its miner the stake unless the secret is
 * shown: the miner opens the challenge with it, or whoever knows it adds it to
 * one that is open, or the ledger knows it by a later link of the miner.  Until
 * the time of a challenge has passed once, none of what may be a plant is
 * upheld without a secret. */
#ifndef POT_LEDGER_PLANTS_H
#define POT_LEDGER_PLANTS_H

#include <stdbool.h>

#include "base/hash.h"
#include "ledger/ledger.h"
#include "proto/round.h"

/* plants_fit: the submission shows a link exactly where its task has plants,
 * and one that follows from the last. */
bool plants_fit(const Pot__TaskRecord *task,
                const struct round_submission *submission);

/* plants_keep: the submission of a member was counted. */
void plants_keep(Pot__RosterEntry *member,
                 const struct round_submission *submission);

/* plants_known: the secret of what is challenged, by a later link of its miner
 * that was counted. */
bool plants_known(struct hash *secret, const struct state *state,
                  const Pot__ChallengeRecord *challenge);

/* plants_expose: adds a secret to an open challenge.
 *
 * Errors: TX_CHALLENGE_UNKNOWN, TX_CHALLENGE_ENDED, TX_PLANT */
POT_MUST_USE enum tx_verdict plants_expose(const struct state *state,
                                           const Pot__ExposePlant *expose);

#endif
