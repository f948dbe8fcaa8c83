/* reminder: what an aggregator's miners have said in a round, for the
 * validators again for as long as the round is open: after REMINDER_MS, and
 * then ever more seldom (node/round/again.h).
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

#define REMINDER_MS 6000

/* reminder_new: of a task; gossip is borrowed. */
struct reminder *reminder_new(struct gossip *gossip);
void reminder_free(struct reminder *reminder);

enum reminder_kind { REMINDER_COMMITMENT, REMINDER_SUBMISSION, REMINDER_KINDS };

/* reminder_note: a verified message of the round, which is copied, was told at
 * now_ms.  A miner's first of each kind and round, its last round, and no more
 * miners than a roster has. */
void reminder_note(struct reminder *reminder, enum reminder_kind kind,
                   uint32_t round, const Pot__Signed *message, uint64_t now_ms);

/* reminder_open: those before it are over. */
void reminder_open(struct reminder *reminder, uint32_t round);

/* reminder_tick: says again what is due. */
void reminder_tick(struct reminder *reminder, uint64_t now_ms);

/* reminder_tell: says all of it again, to the peer of this id alone: it has
 * come lately (node/round/newcomers.h). */
void reminder_tell(const struct reminder *reminder, uint64_t peer_id);

#endif
