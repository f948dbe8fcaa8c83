#include "config.h"

#include "node/round/group_keep.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "node/hold/holdings.h"
#include "node/loop/offload.h"
#include "storage/store.h"

#include <stdlib.h>

struct group_keep {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct hash *payloads;
    uint64_t *sizes;
    size_t count;
    struct offload offload;
    bool is_at_work;  /* this, or the sum that fills it */
    bool is_held;     /* by the store */
    bool is_over;     /* goes when its work has ended... */
    bool is_released; /* ...and lets go of the payloads before */
    enum pot_err err;
};

struct group_keep *group_keep_new(const struct group_order *order)
{
    struct group_keep *k = pot_calloc(1, sizeof(*k));
    k->loop = order->loop;
    k->holdings = order->holdings;
    k->count = order->count;
    k->is_at_work = true;
    k->payloads = pot_calloc(k->count, sizeof(*k->payloads));
    k->sizes = pot_calloc(k->count, sizeof(*k->sizes));
    for (size_t i = 0; i < k->count; i++) {
        k->payloads[i] = order->members[i].payload;
        k->sizes[i] = order->members[i].payload_bytes;
    }
    return k;
}

static void destroy(struct group_keep *k)
{
    free(k->payloads);
    free(k->sizes);
    free(k);
}

/* ---- off the loop */

/* One at a time: as a rule none is missing. */
static void on_keep(void *context)
{
    struct group_keep *k = context;
    k->err = POT_OK;
    for (size_t i = 0; i < k->count && k->err == POT_OK; i++) {
        struct buf data;
        if (store_blob_has(k->holdings->store, &k->payloads[i], NULL)) {
            continue;
        }
        buf_init(&data, k->sizes[i]);
        if (holdings_get_memory_blob(k->holdings, &k->payloads[i], &data)) {
            const struct store_blob blob = {k->payloads[i], data.data,
                                            data.size};
            k->err = store_blobs_hold(k->holdings->store, &blob, 1);
        }
        buf_fini(&data);
    }
}

static void on_release(void *context)
{
    struct group_keep *k = context;
    k->err = store_blobs_release(k->holdings->store, k->payloads, k->count);
}

/* ---- on the loop */

static void on_worked(void *context);

static void work(struct group_keep *k, void (*run)(void *context))
{
    k->is_at_work = true;
    offload_start(&k->offload, k->loop, run, on_worked, k);
}

static void end(struct group_keep *k)
{
    if (k->is_at_work) {
        k->is_over = true;
    } else if (k->is_released && k->is_held) {
        k->is_released = false;
        k->is_over = true;
        work(k, on_release);
    } else {
        destroy(k);
    }
}

static void on_worked(void *context)
{
    struct group_keep *k = context;
    k->is_at_work = false;
    if (k->err != POT_OK) {
        LOG(LOG_WARN, "node", "payloads of a group",
            log_text("why", err_text(k->err)));
    }
    if (k->is_over) {
        end(k);
    }
}

void group_keep_filled(struct group_keep *keep, bool is_held)
{
    keep->is_at_work = false;
    keep->is_held = is_held;
    if (keep->is_over) {
        end(keep);
    }
}

void group_keep_free(struct group_keep *keep)
{
    if (keep != NULL) {
        end(keep);
    }
}

void group_keep_again(struct group_keep *keep)
{
    if (!keep->is_at_work) {
        work(keep, on_keep);
    }
}

void group_keep_release(struct group_keep *keep)
{
    if (keep != NULL) {
        keep->is_released = true;
        end(keep);
    }
}
