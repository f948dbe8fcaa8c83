/* store_prune: a chain of which the older blocks are headers only.
 *
 * Held are: for heights below the lowest block, headers with certificates,
 * and the place of each by its hash; from there to the tip, whole blocks. */
#ifndef POT_STORAGE_STORE_PRUNE_H
#define POT_STORAGE_STORE_PRUNE_H

#include <stddef.h>
#include <stdint.h>

#include "storage/store.h"

/* store_lowest_block: the first height whose block is held; the tip's next
 * when there is none. */
uint64_t store_lowest_block(struct store *store);

/* store_get_header: out is cleared and filled with the header of a height
 * whose block is not held.  Errors: POT_ENOENT also when the block is */
POT_MUST_USE enum pot_err store_get_header(struct store *store, uint64_t height,
                                           struct buf *out);

/* A block that is pruned. */
struct store_pruned {
    const void *header;
    size_t header_size;
    /* What its commit wrote beside it: height, txs, rewards and rounds. */
    struct store_commit lists;
    const struct hash *blobs; /* the chain refers to each once less */
    size_t blob_count;
};

/* store_prune: of these blocks, the lowest ones in their order, the headers
 * and certificates stay; all in one commit. */
POT_MUST_USE enum pot_err store_prune(struct store *store,
                                      const struct store_pruned *blocks,
                                      size_t count);

#endif
