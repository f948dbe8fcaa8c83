/* reminder: what an aggregator's miners have said in a round, for the
 * validators again, every REMINDER_MS for as long as the round is open.
 *
 * Miners say it again for those that have restarted; from one that reaches an
 * aggregator alone it would get no further, as that has heard it.  The loop's
 * thread only. */
#ifndef POT_NODE_ROUND_REMINDER_H
#define POT_NODE_ROUND_REMINDER_H

#include <stdint.h>

#include "proto/chain.pb-c.h"

struct gossip;
struct reminder; /* opaque: node/round/reminder.c */

#define REMINDER_MS 3000

/* reminder_new: of a task; gossip is borrowed. */
struct reminder *reminder_new(struct gossip *gossip);
void reminder_free(struct reminder *reminder);

/* reminder_commitment, reminder_submission: a verified one of the round, which
 * is copied, was told at now_ms.  A miner's first of each kind and round, its
 * last round, and no more miners than a roster has. */
void reminder_commitment(struct reminder *reminder, uint32_t round,
                         const Pot__Signed *message, uint64_t now_ms);
void reminder_submission(struct reminder *reminder, uint32_t round,
                         const Pot__Signed *message, uint64_t now_ms);

/* reminder_open: those before it are over. */
void reminder_open(struct reminder *reminder, uint32_t round);

/* reminder_tick: says again what is due. */
void reminder_tick(struct reminder *reminder, uint64_t now_ms);

#endif
