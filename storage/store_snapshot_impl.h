/* store_snapshot_impl: a part of a write, for storage/ only. */
#ifndef POT_STORAGE_STORE_SNAPSHOT_IMPL_H
#define POT_STORAGE_STORE_SNAPSHOT_IMPL_H

#include "storage/store_env.h"
#include "storage/store_snapshot.h"

/* snapshot_write: what store_snapshot_keep does. */
POT_MUST_USE enum pot_err snapshot_write(
    struct store_write *write, const struct store_snapshot *snapshot,
    const struct store_snapshot_parts *parts, size_t most);

#endif
