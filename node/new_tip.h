/* new_tip: the chain has grown: every part is told, and the primary is judged
 * by what its block holds and lacks.  On the loop. */
#ifndef POT_NODE_NEW_TIP_H
#define POT_NODE_NEW_TIP_H

#include <stdint.h>

#include "node/block/shared_block.h"

struct node;

#define NEW_TIP_WORK_MS 500 /* of executing transactions for a proposal */

/* new_tip_bytes_max: what a block of ours may weigh. */
uint64_t new_tip_bytes_max(const struct node *node);

/* new_tip_applied: this block was committed; context: the node. */
void new_tip_applied(void *context, const struct shared_block *block);

/* new_tip_installed: the tip came with a snapshot; context: the node. */
void new_tip_installed(void *context);

/* new_tip_wake: a replica that was silenced begins as at a start: what its key
 * may have signed keeps it from voting (node/block/guard.h); context: the
 * node. */
void new_tip_wake(void *context);

/* new_tip_tell_sync: what peers are told of our chain. */
void new_tip_tell_sync(struct node *node);

#endif
