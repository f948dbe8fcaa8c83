/* store_blob: how a commit writes blobs; storage/store.h has the rest. */
#ifndef POT_STORAGE_STORE_BLOB_H
#define POT_STORAGE_STORE_BLOB_H

#include "storage/store_env.h"
#include "storage/write_set.h"

/* store_blob_write: stores what an overlay says of a blob. */
POT_MUST_USE enum pot_err store_blob_write(struct store_write *write,
                                           const struct write_entry *entry);

#endif
