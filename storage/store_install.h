/* store_install: a chain that does not begin with its first block.
 *
 * Headers may run ahead of the tip, each with its certificate; the block
 * replaces its header when it is committed.  A store that holds no blocks, as
 * at the genesis or when all of them are pruned, can be given the state behind
 * one of them: that block is the tip then, and what is below it is held as if
 * it were pruned (storage/store_prune.h). */
#ifndef POT_STORAGE_STORE_INSTALL_H
#define POT_STORAGE_STORE_INSTALL_H

#include <stddef.h>
#include <stdint.h>

#include "storage/store_snapshot.h"

struct store_header {
    uint64_t height;
    struct hash hash;
    const void *header;
    size_t header_size;
    const void *certificate;
    size_t certificate_size;
    struct store_blob validators; /* that its validators_hash names, kept for
                                   * good; data NULL: they are kept already */
};

/* store_last_header: the highest height whose block or header is held. */
uint64_t store_last_header(struct store *store);

/* store_put_headers: the next ones, in their order, in one commit.
 *
 * Errors: POT_EBUSY the first one is not the next */
POT_MUST_USE enum pot_err store_put_headers(struct store *store,
                                            const struct store_header *headers,
                                            size_t count);

struct store_install {
    struct store_snapshot snapshot; /* at a height whose header is held */
    struct hash hash;               /* of that header */
    const struct hash *digests;     /* STATE_CHUNKS of them */
    const struct hash *blobs;       /* that this state refers to, each once */
    size_t blob_count;
    const struct hash *old_blobs; /* the same, of the state at the tip */
    size_t old_blob_count;
};

/* store_install: the state that the chunks hold, in one commit.  The root is
 * computed anew from what was written before that is committed.  The snapshot
 * is kept, and no older one.
 *
 * Errors: POT_EBUSY   blocks are held, or the tip is not below it
 *         POT_ENOENT  a chunk or a blob is not there
 *         POT_EFORMAT the state has another root
 *         The store is unchanged then */
POT_MUST_USE enum pot_err store_install(struct store *store,
                                        const struct store_install *install);

#endif
