/* overlay: what a block would change, kept in memory over the store's tip.
 *
 * A block is executed on an overlay: reads see the overlay's own writes and
 * the store beneath them; nothing is stored until store_commit.  The root
 * depends on what the overlay holds, never on the order of the writes.
 *
 * A read that fails does not abort and does not say so in its answer, which
 * is that nothing is there: the overlay remembers the first failure, every
 * later read finds nothing, and overlay_root and store_commit fail with it.
 * So whoever executes a block on an overlay asks overlay_error before it
 * believes the outcome: a block must not be called wrong because the store
 * could not be read.
 *
 * Threads: an overlay is used by one thread at a time; many overlays may
 * stand over one store.  Once the tip moves, the others over it are stale:
 * their next read sets POT_EBUSY. */
#ifndef POT_STORAGE_OVERLAY_H
#define POT_STORAGE_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "proto/state_chunk.h"

struct overlay; /* opaque: storage/overlay.c */
struct store;

/* overlay_new: an empty overlay over the store's tip, which must outlive it;
 * overlay_free releases it, NULL is fine. */
struct overlay *overlay_new(struct store *store);
void overlay_free(struct overlay *overlay);

/* overlay_get: out is cleared and filled with the value under key; false,
 * and out empty, when there is none or the overlay has an error. */
bool overlay_get(struct overlay *overlay, const void *key, size_t key_size,
                 struct buf *out);

/* overlay_put: copies key (1 to STATE_KEY_MAX bytes) and value (up to
 * STORE_VALUE_MAX).  overlay_del: fine when there is no such key. */
void overlay_put(struct overlay *overlay, const void *key, size_t key_size,
                 const void *value, size_t value_size);
void overlay_del(struct overlay *overlay, const void *key, size_t key_size);

/* overlay_blob_get: also what the node holds (see storage/store.h). */
bool overlay_blob_get(struct overlay *overlay, const struct hash *hash,
                      struct buf *out);

/* overlay_blob_put, overlay_blob_del: one reference of the chain's more or
 * less.  A del without a put before it does nothing. */
void overlay_blob_put(struct overlay *overlay, const struct hash *hash,
                      const void *data, size_t size);
void overlay_blob_del(struct overlay *overlay, const struct hash *hash);

/* overlay_blobs_take: gives the bytes of each blob that was put and is not
 * deleted again to take, which frees them.  Once it is committed: the overlay
 * has them no more. */
void overlay_blobs_take(struct overlay *overlay,
                        void (*take)(void *context, const struct hash *hash,
                                     uint8_t *data, size_t size),
                        void *context);

/* overlay_chunks: sets those of out in which this overlay's writes lie. */
void overlay_chunks(const struct overlay *overlay,
                    bool out[static STATE_CHUNKS]);

/* overlay_root: the state root with this overlay's writes.
 *
 * Errors: overlay_error's; *root is untouched then */
POT_MUST_USE enum pot_err overlay_root(struct overlay *overlay,
                                       struct hash *root);

/* overlay_error: the first failure of a read or of overlay_root, or POT_OK.
 *
 * Errors: POT_EBUSY    the tip moved: the overlay is stale
 *         POT_ECORRUPT what is stored fails its checksum
 *         POT_ELIMIT   a value is longer than the buffer for it
 *         POT_EIO      the disk failed */
enum pot_err overlay_error(const struct overlay *overlay);

#endif
