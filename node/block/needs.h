/* needs: what must be held before something can be done, fetched from peers:
 * blobs, and data sets with all their chunks.  On the loop.
 *
 * Several may wait for the same thing; it is fetched once. */
#ifndef POT_NODE_BLOCK_NEEDS_H
#define POT_NODE_BLOCK_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "ledger/state.h"
#include "node/block/wait.h"
#include "proto/chain.pb-c.h"

struct blob_fetch;
struct holdings;
struct needs; /* opaque: node/block/needs.c */

struct needs_config {
    uv_loop_t *loop;
    struct blob_fetch *fetch;
    const struct holdings *holdings;
    uint32_t timeout_ms; /* for each blob */
};

struct needs *needs_new(const struct needs_config *config);

/* needs_stop: nothing more is fetched; who waits is told so.  Before the
 * blob_fetch goes. */
void needs_stop(struct needs *needs);

/* needs_free: once work off the loop has ended. */
void needs_free(struct needs *needs);

/* needs_blob: done at once when it is held; fetched blobs go to the pool.
 * peer_id is asked first, 0: whoever.  Who waits for the same blob may have
 * named another size: what is held may be larger than size_max.  Of those whom
 * they named the latest is asked first. */
void needs_blob(struct needs *needs, const struct hash *hash, size_t size_max,
                uint64_t peer_id, wait_done_fn *done, void *context);

/* needs_is_strange: what has this hash was fetched lately and is no blob, nor
 * ever will be: it is not fetched again. */
bool needs_is_strange(const struct needs *needs, const struct hash *hash);

/* needs_dataset: fetched, put together and loaded. */
void needs_dataset(struct needs *needs, const struct hash *dataset,
                   const Pot__PublishDataset *description, wait_done_fn *done,
                   void *context);

/* needs_task_data: the data sets of a task, by their records in the ledger's
 * state; the training set only where it is held whole; done may be NULL. */
void needs_task_data(struct needs *needs, const Pot__TaskSpec *spec,
                     wait_done_fn *done, void *context);

/* needs_parts: sums that spare payloads, among the holdings. */
struct part_source needs_parts(const struct needs *needs);

/* needs_forget: done is not called any more for this context. */
void needs_forget(struct needs *needs, const void *context);

/* ---- for what takes several of them: a wait begun and ended by the caller,
 * to which they are added in between. */

struct wait *needs_begin(struct needs *needs, wait_done_fn *done,
                         void *context);
void needs_add_blob(struct needs *needs, struct wait *wait,
                    const struct hash *hash, size_t size_max, uint64_t peer_id);
void needs_add_dataset(struct needs *needs, struct wait *wait,
                       const struct hash *dataset,
                       const Pot__PublishDataset *description);

/* needs_add_chunk: of a data set; into the chunk_cache, which may drop it
 * soon. */
void needs_add_chunk(struct needs *needs, struct wait *wait,
                     const struct hash *hash);

/* needs_add_test_set: that of a task, by its record in the ledger's state;
 * nothing if there is no such task. */
void needs_add_test_set(struct needs *needs, struct wait *wait,
                        ProtobufCBinaryData task);

#endif
