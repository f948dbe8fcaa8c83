/* plants: the ledger's part of submissions that are false on purpose
 * (proto/plant.h).
 *
 * In a task with a plant_rate a submission shows its miner's link of the round;
 * the link behind it, which nobody else knows, says whether it is a plant.  The
 * miner's member record keeps the last one that was counted, so that a miner
 * does not choose when it plants; the task keeps that of who left.
 *
 * A plant that is challenged costs its miner the stake unless the secret is
 * shown: the miner opens the challenge with it, or whoever knows it adds it to
 * one that is open, or the ledger takes it from a later link of the miner.
 * Until the time of a challenge has passed once, none of what may be a plant is
 * upheld without a secret. */
#ifndef POT_LEDGER_PLANTS_H
#define POT_LEDGER_PLANTS_H

#include <stdbool.h>

#include "base/hash.h"
#include "ledger/ledger.h"
#include "ledger/roster.h"
#include "proto/round.h"

/* plants_fit: the submission shows a link exactly where its task has plants,
 * and one that follows from the last. */
bool plants_fit(const Pot__TaskRecord *task,
                const struct round_submission *submission);

/* plants_keep: the submission of a member was counted.  plants_keep_late: the
 * same of a miner that left during the round. */
void plants_keep(Pot__RosterEntry *member,
                 const struct round_submission *submission);
void plants_keep_late(const struct state *state, Pot__TaskRecord *task,
                      const struct round_submission *submission);

/* plants_known: the secret of what is challenged, by a later link of its miner
 * that was counted. */
bool plants_known(struct hash *secret, const struct state *state,
                  const Pot__ChallengeRecord *challenge);

/* plants_take: a round of the task closes, and the links in the record, which
 * is not stored yet, are kept: into those of its open challenges goes the
 * secret that they tell, if it is that of a plant. */
void plants_take(const struct state *state, const Pot__TaskRecord *task);

/* plants_part: that member is about to leave; its last link is remembered in
 * the record as long as the link's round can be challenged.  plants_forget:
 * that round cannot be any more. */
void plants_part(const struct state *state, Pot__TaskRecord *task,
                 const Pot__RosterEntry *member);
void plants_forget(const struct state *state, const Pot__ClosedRecord *closed);

/* plants_hold_back: takes those out of a roster of the task whose challenge
 * waits in that block: a cheat is paid for no round in which it cannot be
 * judged only because of that. */
void plants_hold_back(const struct state *state,
                      const struct ledger_block *block,
                      const Pot__TaskRecord *task, struct roster *roster);

/* plants_expose: adds a secret to an open challenge.
 *
 * Errors: TX_CHALLENGE_UNKNOWN, TX_CHALLENGE_ENDED, TX_PLANT */
POT_MUST_USE enum tx_verdict plants_expose(const struct state *state,
                                           const Pot__ExposePlant *expose);

#endif
