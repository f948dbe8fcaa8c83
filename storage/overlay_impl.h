/* overlay_impl: an overlay's parts, for the commit; storage/ only. */
#ifndef POT_STORAGE_OVERLAY_IMPL_H
#define POT_STORAGE_OVERLAY_IMPL_H

#include "storage/overlay.h"
#include "storage/store_env.h"
#include "storage/store_tree.h"
#include "storage/write_set.h"

struct overlay {
    struct store *store;
    struct store_tip tip; /* what it stands on */
    size_t fresh_at;      /* the snapshot last seen to have that tip */
    enum pot_err err;     /* sticky */
    struct write_set state;
    struct write_set blobs; /* by hash; references are the final ones */
    bool is_computed;       /* delta is that of the writes so far */
    struct tree_delta delta;
};

/* overlay_compute: brings delta up to date.  Errors: overlay_error's. */
POT_MUST_USE enum pot_err overlay_compute(struct overlay *overlay);

#endif
