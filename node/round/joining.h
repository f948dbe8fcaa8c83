/* joining: a miner's JoinTask transactions, one at a time: the next one's
 * nonce follows the one that is in the mempool then.  The loop's thread
 * only. */
#ifndef POT_NODE_ROUND_JOINING_H
#define POT_NODE_ROUND_JOINING_H

#include <stdbool.h>

#include "base/hash.h"

struct joining; /* opaque: node/round/joining.c */
struct own_tx_config;

/* joining_new: for the miner whose key it is. */
struct joining *joining_new(const struct own_tx_config *config);

/* joining_free: before the intake stops.  NULL is none. */
void joining_free(struct joining *joining);

/* joining_ask: sends a JoinTask and writes its hash; false: the one before is
 * still on its way to the mempool, nothing was sent. */
bool joining_ask(struct joining *joining, const struct hash *task,
                 struct hash *tx);

/* joining_waits: that transaction waits for a block. */
bool joining_waits(const struct joining *joining, const struct hash *tx);

#endif
