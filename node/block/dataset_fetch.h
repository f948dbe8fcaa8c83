/* dataset_fetch: one data set from peers: its chunks, a few at a time, put
 * into the store as they come; then it is put together and loaded. */
#ifndef POT_NODE_BLOCK_DATASET_FETCH_H
#define POT_NODE_BLOCK_DATASET_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"

struct blob_fetch;
struct dataset_fetch; /* opaque: node/block/dataset_fetch.c */
struct datasets_book;

struct dataset_fetch_config {
    uv_loop_t *loop;
    struct blob_fetch *fetch;
    struct datasets_book *datasets;
    uint32_t timeout_ms; /* for each chunk */
    void *context;
    /* It is over: free it, now if you like. */
    void (*done)(void *context, bool is_held);
};

/* dataset_fetch_new: of a data set that was announced. */
struct dataset_fetch *dataset_fetch_new(
    const struct dataset_fetch_config *config, const struct hash *dataset);

/* dataset_fetch_start: done may be called before it returns. */
void dataset_fetch_start(struct dataset_fetch *fetch);

/* dataset_fetch_stop: no chunk is asked for any more.  done is called when
 * work off the loop is under way, and never otherwise. */
void dataset_fetch_stop(struct dataset_fetch *fetch);

/* dataset_fetch_free: in done, or once the loop has ended. */
void dataset_fetch_free(struct dataset_fetch *fetch);

#endif
