/* store_blob: how a commit writes blobs; storage/store.h has the rest. */
#ifndef POT_STORAGE_STORE_BLOB_H
#define POT_STORAGE_STORE_BLOB_H

#include "storage/store_env.h"

/* store_blob_refer: the chain refers to a blob so much more often from now on,
 * or less, down to never: pruning may have been there since the change was
 * reckoned.  Its data may be NULL when somebody uses it already.
 *
 * Errors: POT_ECORRUPT nobody does; the store's */
POT_MUST_USE enum pot_err store_blob_refer(struct store_write *write,
                                           const struct store_blob *blob,
                                           int32_t change);

/* store_blob_unrefer: one reference of the chain's less; fine when there is
 * none. */
POT_MUST_USE enum pot_err store_blob_unrefer(struct store_write *write,
                                             const struct hash *hash);

/* store_blob_pin: one reference of the chain's more, and it is not held for a
 * block any more; its data may be NULL when somebody uses it already.
 *
 * Errors: POT_ENOENT nobody does */
POT_MUST_USE enum pot_err store_blob_pin(struct store_write *write,
                                         const struct store_blob *blob);

/* store_blob_hold, _release: what store_blobs_hold and _release do. */
POT_MUST_USE enum pot_err store_blob_hold(struct store_write *write,
                                          const struct store_blob *blobs,
                                          size_t count);
POT_MUST_USE enum pot_err store_blob_release(struct store_write *write,
                                             const struct hash *hashes,
                                             size_t count);

#endif
