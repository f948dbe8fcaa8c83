/* snapshots: the state as it was every so many blocks, kept for nodes that are
 * far behind (storage/store_snapshot.h).
 *
 * One is made chunk by chunk while later blocks are committed: what a block is
 * about to change is taken before it is, of the rest a few MiB behind each
 * block.  So no read is long, nobody waits for the whole, and every node that
 * makes them at these heights has the same.
 *
 * snapshots_before and snapshots_after are called off the loop, unless they are
 * idle, by whoever commits blocks, and so is snapshots_are_idle, one at a time;
 * the others from any thread.  NULL is a node
 * that makes none. */
#ifndef POT_NODE_HOLD_SNAPSHOTS_H
#define POT_NODE_HOLD_SNAPSHOTS_H

#include <stddef.h>
#include <stdint.h>

#include "storage/store_snapshot.h"

struct overlay;
struct snapshots; /* opaque: node/hold/snapshots.c */

/* snapshots_new: at the multiples of `interval` > 0, the latest `most` are
 * kept. */
struct snapshots *snapshots_new(struct store *store, uint64_t interval,
                                size_t most);
void snapshots_free(struct snapshots *snapshots);

/* snapshots_are_idle: the block of this height, if it comes next, gives the two
 * below nothing to do. */
bool snapshots_are_idle(const struct snapshots *snapshots, uint64_t height);

/* snapshots_before: a block with these writes is committed next.
 * snapshots_after: it was.  What fails ends the snapshot, never the block. */
void snapshots_before(struct snapshots *snapshots,
                      const struct overlay *overlay);
void snapshots_after(struct snapshots *snapshots);

/* snapshots_reload: the store was given others. */
void snapshots_reload(struct snapshots *snapshots);

/* snapshots_newest, _oldest: heights of those that are kept; 0: there is
 * none.  Blocks above the oldest are needed by whoever begins with it. */
uint64_t snapshots_newest(struct snapshots *snapshots);
uint64_t snapshots_oldest(struct snapshots *snapshots);

struct snapshots_stats {
    size_t kept;
    uint64_t newest;
    uint64_t made;        /* since the start */
    uint64_t given_up;    /* likewise */
    uint64_t chunk_bytes; /* written for them */
};

void snapshots_stats(struct snapshots *snapshots, struct snapshots_stats *out);

#endif
