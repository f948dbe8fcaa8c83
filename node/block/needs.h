/* needs: what must be held before a block can be executed or a round be
 * worked on, fetched from peers: blobs, and data sets with all their chunks.
 *
 * Several may wait for the same thing; it is fetched once. */
#ifndef POT_NODE_BLOCK_NEEDS_H
#define POT_NODE_BLOCK_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "proto/chain.pb-c.h"

struct blob_fetch;
struct needs; /* opaque: node/block/needs.c */

struct needs_config {
    uv_loop_t *loop;
    struct blob_fetch *fetch;
    const struct holdings *env; /* pool, store, data sets */
    uint32_t timeout_ms;        /* for each blob */
};

struct needs *needs_new(const struct needs_config *config);

/* needs_stop: nothing more is fetched; who waits is told so.  Before the
 * blob_fetch goes. */
void needs_stop(struct needs *needs);

/* needs_free: once work off the loop has ended. */
void needs_free(struct needs *needs);

typedef void needs_done_fn(void *context, const struct hash *what,
                           bool is_held);

/* needs_blob: done at once when it is held; fetched blobs go to the pool.
 * peer_id is asked first, 0: whoever. */
void needs_blob(struct needs *needs, const struct hash *hash, size_t size_max,
                uint64_t peer_id, needs_done_fn *done, void *context);

/* needs_dataset: fetched, put together and loaded.  description may be NULL
 * for one that was announced. */
void needs_dataset(struct needs *needs, const struct hash *address,
                   const Pot__PublishDataset *description, needs_done_fn *done,
                   void *context);

/* needs_task_data: both data sets of a task, by their records in the
 * ledger's state; done may be NULL. */
void needs_task_data(struct needs *needs, const Pot__TaskSpec *spec,
                     needs_done_fn *done, void *context);

/* needs_block: all that executing this block takes; what is the block's
 * hash.  is_certified: aggregates only; otherwise payloads, published data
 * sets and the test sets of evaluations. */
void needs_block(struct needs *needs, const void *data, size_t size,
                 bool is_certified, needs_done_fn *done, void *context);

/* needs_forget: done is not called any more for this context. */
void needs_forget(struct needs *needs, const void *context);

#endif
