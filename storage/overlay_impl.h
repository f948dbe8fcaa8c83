/* overlay_impl: an overlay's parts, for the commit; storage/ only. */
#ifndef POT_STORAGE_OVERLAY_IMPL_H
#define POT_STORAGE_OVERLAY_IMPL_H

#include "base/key_table.h"
#include "storage/overlay.h"
#include "storage/store_env.h"
#include "storage/store_tree.h"

struct overlay_value {
    uint8_t *data; /* NULL: deleted */
    size_t size;
};

struct overlay_blob {
    uint8_t *data; /* NULL: it is beneath */
    size_t size;
    uint32_t references; /* of the chain's, with those that were beneath */
    int32_t change; /* what the overlay added; those beneath may go meanwhile */
};

struct overlay {
    struct store *store;
    struct store_tip tip;   /* what it stands on */
    size_t fresh_at;        /* LMDB's transaction last seen to have that tip */
    enum pot_err err;       /* sticky */
    struct key_table state; /* of struct overlay_value */
    struct key_table blobs; /* of struct overlay_blob, by hash */
    bool is_computed;       /* delta is that of the writes so far */
    struct tree_delta delta;
};

/* overlay_compute: brings delta up to date.  Errors: overlay_error's. */
POT_MUST_USE enum pot_err overlay_compute(struct overlay *overlay);

#endif
