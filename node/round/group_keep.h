/* group_keep: the payloads of a group that this validator has opened stay in
 * the store while their round is open: others vote for what counts them without
 * having them (node/block/held_blobs.h). */
#ifndef POT_NODE_ROUND_GROUP_KEEP_H
#define POT_NODE_ROUND_GROUP_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "node/round/group_sum.h"

struct group_keep; /* opaque: node/round/group_keep.c */

/* group_keep_new: of the members of an order, whose sum puts them into the
 * store: then group_keep_filled is called, also if it was freed or released
 * meanwhile; is_held: the store holds them. */
struct group_keep *group_keep_new(const struct group_order *order);
void group_keep_filled(struct group_keep *keep, bool is_held);

/* group_keep_free: they stay in the store; NULL is fine. */
void group_keep_free(struct group_keep *keep);

/* group_keep_again: a block may have let go of what votes held as well
 * (node/block/chain.h): what is not in the store is put there again. */
void group_keep_again(struct group_keep *keep);

/* group_keep_release: the round is closed: nobody needs them; NULL is fine.
 * Frees it. */
void group_keep_release(struct group_keep *keep);

#endif
