/* store_snapshot: the state as it was at some earlier heights, for nodes that
 * are far behind.
 *
 * A snapshot is an index and the chunks that it names (proto/state_chunk.h),
 * which lie among the blobs, each under its digest, the index under the root:
 * what two of them have in common is stored once.  With it the blobs stay that
 * its state refers to: later ones let go of them, and whoever takes the
 * snapshot needs them. */
#ifndef POT_STORAGE_STORE_SNAPSHOT_H
#define POT_STORAGE_STORE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/state_chunk.h"
#include "storage/store.h"

#define STORE_SNAPSHOTS_MAX 8

struct store_snapshot {
    uint64_t height;
    struct hash root; /* the state's, after the block of that height */
};

struct store_snapshots {
    struct store_snapshot list[STORE_SNAPSHOTS_MAX]; /* by height */
    size_t count;
};

/* store_state_index: of the state at the tip, which is at *height. */
POT_MUST_USE enum pot_err store_state_index(
    struct store *store, struct hash digests[static STATE_CHUNKS],
    struct hash *root, uint64_t *height);

/* store_state_chunk: out is cleared and filled with a chunk of the state at
 * the tip; empty when there is nothing in it. */
POT_MUST_USE enum pot_err store_state_chunk(struct store *store, unsigned chunk,
                                            struct buf *out);

struct store_snapshot_parts {
    const struct hash *digests; /* STATE_CHUNKS of them */
    const struct hash *blobs;   /* that this state refers to, each once */
    size_t blob_count;
};

/* store_snapshot_keep: a snapshot whose parts are all there, such as are held
 * (store_blobs_hold), is kept from now on; of more than `most` the oldest go.
 * In one commit.
 *
 * Errors: POT_ENOENT a chunk or a blob is not there */
POT_MUST_USE enum pot_err store_snapshot_keep(
    struct store *store, const struct store_snapshot *snapshot,
    const struct store_snapshot_parts *parts, size_t most);

/* store_get_snapshots: those that are kept. */
POT_MUST_USE enum pot_err store_get_snapshots(struct store *store,
                                              struct store_snapshots *out);

#endif
