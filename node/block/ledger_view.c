#include "config.h"

#include "node/block/ledger_view.h"

#include "node/hold/datasets.h"
#include "node/hold/holdings.h"
#include "node/hold/known_parts.h"
#include "storage/overlay.h"

static bool state_get(void *context, const void *key, size_t key_size,
                      struct buf *value)
{
    struct ledger_view *v = context;
    return overlay_get(v->overlay, key, key_size, value);
}

static void state_put(void *context, const void *key, size_t key_size,
                      const void *value, size_t value_size)
{
    struct ledger_view *v = context;
    overlay_put(v->overlay, key, key_size, value, value_size);
}

static void state_del(void *context, const void *key, size_t key_size)
{
    struct ledger_view *v = context;
    overlay_del(v->overlay, key, key_size);
}

static bool blobs_get(void *context, const struct hash *hash, struct buf *value)
{
    struct ledger_view *v = context;
    return holdings_get_memory_blob(v->holdings, hash, value) ||
           overlay_blob_get(v->overlay, hash, value);
}

static void blobs_put(void *context, const struct hash *hash, const void *data,
                      size_t size)
{
    struct ledger_view *v = context;
    overlay_blob_put(v->overlay, hash, data, size);
}

static void blobs_del(void *context, const struct hash *hash)
{
    struct ledger_view *v = context;
    overlay_blob_del(v->overlay, hash);
}

static const struct dataset *find_dataset(void *context,
                                          const struct hash *dataset)
{
    struct ledger_view *v = context;
    return datasets_find(v->holdings->datasets, dataset);
}

struct ledger_env ledger_view_env(struct ledger_view *view)
{
    return (struct ledger_env){
        .chain = view->holdings->chain,
        .state = {view, state_get, state_put, state_del},
        .blobs = {view, blobs_get, blobs_put, blobs_del},
        .datasets = {view, find_dataset},
        .parts = known_parts_source(view->holdings->parts),
        .params = view->holdings->params,
    };
}
