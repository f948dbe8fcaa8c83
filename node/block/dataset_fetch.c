#include "config.h"

#include "node/block/dataset_fetch.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "node/hold/datasets.h"
#include "node/loop/offload.h"
#include "p2p/blob_fetch.h"
#include "proto/dataset.h"

#include <stdlib.h>

#define CHUNKS_AT_ONCE 6

struct chunk { /* being fetched, then being stored */
    struct offload offload;
    struct dataset_fetch *fetch;
    bool is_busy;
    uint32_t index;
    uint8_t *data;
    size_t size;
    enum pot_err err;
};

struct dataset_fetch {
    struct dataset_fetch_config config;
    struct hash dataset;
    struct chunk chunks[CHUNKS_AT_ONCE];
    size_t busy; /* of chunks */
    size_t next; /* the next chunk of the data set to look at */
    bool has_failed;
    bool is_stopped;
    struct offload offload;
    enum pot_err load_err;
};

struct dataset_fetch *dataset_fetch_new(
    const struct dataset_fetch_config *config, const struct hash *dataset)
{
    struct dataset_fetch *fetch = pot_calloc(1, sizeof(*fetch));
    fetch->config = *config;
    fetch->dataset = *dataset;
    for (size_t i = 0; i < CHUNKS_AT_ONCE; i++) {
        fetch->chunks[i].fetch = fetch;
    }
    return fetch;
}

void dataset_fetch_stop(struct dataset_fetch *fetch)
{
    fetch->is_stopped = true;
}

void dataset_fetch_free(struct dataset_fetch *fetch)
{
    free(fetch);
}

static void end(struct dataset_fetch *fetch, bool is_held)
{
    fetch->config.done(fetch->config.context, is_held);
}

/* ---- all chunks are there */

static void on_load(void *context)
{
    struct dataset_fetch *fetch = context;
    fetch->load_err = datasets_load(fetch->config.datasets, &fetch->dataset);
}

static void on_loaded(void *context)
{
    struct dataset_fetch *fetch = context;
    char text[HASH_TEXT_SIZE];
    bool is_held = fetch->load_err == POT_OK;
    if (is_held) {
        LOG(LOG_INFO, "node", "data set held",
            log_text("dataset", hash_format(&fetch->dataset, text)));
    } else {
        LOG(LOG_WARN, "node", "data set unusable",
            log_text("dataset", hash_format(&fetch->dataset, text)),
            log_text("why", err_text(fetch->load_err)));
    }
    end(fetch, is_held);
}

/* ---- chunks */

static void advance(struct dataset_fetch *fetch);

static void chunk_end(struct chunk *chunk, enum pot_err err)
{
    struct dataset_fetch *fetch = chunk->fetch;
    free(chunk->data);
    chunk->data = NULL;
    chunk->is_busy = false;
    fetch->busy--;
    fetch->has_failed |= err != POT_OK;
    advance(fetch);
}

static void on_put(void *context)
{
    struct chunk *chunk = context;
    const struct dataset_fetch *fetch = chunk->fetch;
    chunk->err = datasets_put_chunk(fetch->config.datasets, &fetch->dataset,
                                    chunk->index, chunk->data, chunk->size);
}

static void on_stored(void *context)
{
    struct chunk *chunk = context;
    chunk_end(chunk, chunk->err);
}

static void on_fetched(void *context, const struct hash *hash, enum pot_err err,
                       const uint8_t *data, size_t size)
{
    struct chunk *chunk = context;
    (void)hash;
    if (err != POT_OK) {
        chunk_end(chunk, err);
        return;
    }
    chunk->data = pot_memdup(data, size);
    chunk->size = size;
    offload_start(&chunk->offload, chunk->fetch->config.loop, on_put, on_stored,
                  chunk);
}

static void fetch_chunk(struct dataset_fetch *fetch, uint32_t index,
                        const struct hash *hash)
{
    struct chunk *chunk = fetch->chunks;
    while (chunk->is_busy) {
        chunk++;
    }
    const struct blob_request request = {
        .hash = *hash,
        .size_max = DATASET_CHUNK_BYTES,
        .timeout_ms = fetch->config.timeout_ms,
        .verify = dataset_is_chunk,
        .context = chunk,
        .done = on_fetched,
    };
    if (blob_fetch_start(fetch->config.fetch, &request) != POT_OK) {
        fetch->has_failed = true;
        return;
    }
    chunk->is_busy = true;
    chunk->index = index;
    fetch->busy++;
}

/* Keeps some chunks under way; when none is left to fetch, loads it all. */
static void advance(struct dataset_fetch *fetch)
{
    uint32_t index;
    struct hash hash;
    while (!fetch->has_failed && !fetch->is_stopped &&
           fetch->busy < CHUNKS_AT_ONCE &&
           datasets_next_missing(fetch->config.datasets, &fetch->dataset,
                                 &fetch->next, &index, &hash)) {
        fetch_chunk(fetch, index, &hash);
    }
    if (fetch->busy > 0) {
        return;
    }
    if (fetch->has_failed || fetch->is_stopped) {
        end(fetch, false);
        return;
    }
    offload_start(&fetch->offload, fetch->config.loop, on_load, on_loaded,
                  fetch);
}

void dataset_fetch_start(struct dataset_fetch *fetch)
{
    advance(fetch);
}
