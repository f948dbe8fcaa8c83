/* overlay: what a block would change, kept in memory over the store's tip.
 *
 * A block is executed on an overlay: reads see the overlay's own writes and
 * the store beneath them; nothing is stored until store_commit.  The root
 * depends on what the overlay holds, never on the order of the writes.
 *
 * Errors are sticky: the first one makes every later read find nothing and
 * overlay_root fail.  Whoever executes a block on an overlay asks
 * overlay_error (or overlay_root) before believing the outcome.
 *
 * Threads: an overlay is used by one thread at a time; many overlays may
 * stand over one store.  Once the tip moves, the others over it are stale:
 * their next read sets POT_EBUSY. */
#ifndef POT_STORAGE_OVERLAY_H
#define POT_STORAGE_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

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

/* overlay_root: the state root with this overlay's writes.
 *
 * Errors: overlay_error's; *root is untouched then */
POT_MUST_USE enum pot_err overlay_root(struct overlay *overlay,
                                       struct hash *root);

/* overlay_error: POT_OK, or the first error met: POT_EBUSY (stale),
 * POT_ECORRUPT, POT_ELIMIT (a value longer than its buffer), POT_EIO. */
enum pot_err overlay_error(const struct overlay *overlay);

#endif
