#include "config.h"

#include "node/block/needs.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "base/recent_set.h"
#include "ledger/ledger.h"
#include "node/block/dataset_fetch.h"
#include "node/hold/blob_pool.h"
#include "node/hold/chunk_cache.h"
#include "node/hold/datasets.h"
#include "node/hold/holdings.h"
#include "node/hold/known_parts.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"
#include "p2p/blob_fetch.h"
#include "proto/codec.h"
#include "proto/dataset.h"

#include <stdlib.h>

/* Hashes of something else than a blob that are remembered. */
#define STRANGE_MAX 1000

struct need { /* of a blob, of a chunk, or of a data set */
    struct needs *needs;
    struct hash hash;
    struct map *map; /* it is in */
    struct hook *hooks;
    struct dataset_fetch *dataset; /* of a data set */
    struct offload offload;        /* these four of a chunk */
    uint8_t *data;
    size_t size;
    enum pot_err err;
};

struct needs {
    struct needs_config config;
    struct map blobs;          /* hash -> struct need */
    struct map chunks;         /* hash -> struct need */
    struct map datasets;       /* hash -> struct need */
    struct recent_set strange; /* hashes that are no blob's */
    struct waits waits;
    bool is_stopped;
};

struct needs *needs_new(const struct needs_config *config)
{
    struct needs *needs = pot_calloc(1, sizeof(*needs));
    needs->config = *config;
    recent_set_init(&needs->strange, STRANGE_MAX);
    return needs;
}

void needs_stop(struct needs *needs)
{
    size_t cursor = 0;
    needs->is_stopped = true;
    for (const struct map_slot *slot;
         (slot = map_next(&needs->datasets, &cursor)) != NULL;) {
        dataset_fetch_stop(((struct need *)slot->value)->dataset);
    }
    waits_cancel(&needs->waits);
}

static void need_free(struct need *need)
{
    hooks_free(&need->hooks);
    dataset_fetch_free(need->dataset);
    free(need->data);
    free(need);
}

static void free_all(struct map *map)
{
    size_t cursor = 0;
    for (const struct map_slot *slot;
         (slot = map_next(map, &cursor)) != NULL;) {
        need_free(slot->value);
    }
    map_fini(map);
}

void needs_free(struct needs *needs)
{
    if (needs != NULL) {
        free_all(&needs->blobs);
        free_all(&needs->chunks);
        free_all(&needs->datasets);
        recent_set_fini(&needs->strange);
        waits_free(&needs->waits);
        free(needs);
    }
}

/* ---- fetches */

static struct need *need_new(struct needs *needs, struct map *map,
                             const struct hash *hash)
{
    struct need *need = pot_calloc(1, sizeof(*need));
    need->needs = needs;
    need->hash = *hash;
    need->map = map;
    (void)map_put(map, hash->b, need);
    return need;
}

/* The fetch is over: it goes, and who waits for it is told. */
static void need_end(struct need *need, bool is_held)
{
    struct hook *hooks = need->hooks;
    need->hooks = NULL;
    (void)map_remove(need->map, need->hash.b);
    need_free(need);
    hooks_tell(&hooks, is_held);
}

static void on_blob(void *context, const struct hash *hash, enum pot_err err,
                    const uint8_t *data, size_t size)
{
    struct need *need = context;
    if (err == POT_EFORMAT) {
        recent_set_add(&need->needs->strange, hash->b);
    }
    bool is_held =
        err == POT_OK &&
        blob_pool_put(need->needs->config.holdings->pool, hash, data, size);
    need_end(need, is_held);
}

static void start_blob(struct need *need, size_t size_max, uint64_t peer_id)
{
    const struct needs *needs = need->needs;
    const struct blob_request request = {
        .hash = need->hash,
        .size_max = size_max,
        .first_peer_id = peer_id,
        .timeout_ms = needs->config.timeout_ms,
        .context = need,
        .done = on_blob,
    };
    if (needs->is_stopped ||
        blob_fetch_start(needs->config.fetch, &request) != POT_OK) {
        need_end(need, false);
    }
}

static void put_chunk(void *context)
{
    struct need *need = context;
    need->err = chunk_cache_put(need->needs->config.holdings->chunks,
                                &need->hash, need->data, need->size);
}

static void on_put(void *context)
{
    struct need *need = context;
    if (need->err != POT_OK) {
        LOG(LOG_WARN, "node", "chunk not kept",
            log_text("why", err_text(need->err)));
    }
    need_end(need, need->err == POT_OK);
}

static void on_chunk(void *context, const struct hash *hash, enum pot_err err,
                     const uint8_t *data, size_t size)
{
    struct need *need = context;
    (void)hash;
    if (err != POT_OK) {
        need_end(need, false);
        return;
    }
    need->data = pot_memdup(data, size);
    need->size = size;
    offload_start(&need->offload, need->needs->config.loop, put_chunk, on_put,
                  need);
}

static void start_chunk(struct need *need)
{
    const struct needs *needs = need->needs;
    const struct blob_request request = {
        .hash = need->hash,
        .size_max = DATASET_CHUNK_BYTES,
        .timeout_ms = needs->config.timeout_ms,
        .verify = dataset_is_chunk,
        .context = need,
        .done = on_chunk,
    };
    if (needs->is_stopped ||
        blob_fetch_start(needs->config.fetch, &request) != POT_OK) {
        need_end(need, false);
    }
}

static void on_dataset(void *context, bool is_held)
{
    need_end(context, is_held);
}

static void start_dataset(struct need *need)
{
    const struct needs *needs = need->needs;
    const struct dataset_fetch_config config = {
        .loop = needs->config.loop,
        .fetch = needs->config.fetch,
        .datasets = needs->config.holdings->datasets,
        .timeout_ms = needs->config.timeout_ms,
        .context = need,
        .done = on_dataset,
    };
    need->dataset = dataset_fetch_new(&config, &need->hash);
    if (needs->is_stopped) {
        dataset_fetch_stop(need->dataset);
    }
    dataset_fetch_start(need->dataset);
}

/* ---- what is waited for */

struct wait *needs_begin(struct needs *needs, wait_done_fn *done, void *context)
{
    return wait_begin(&needs->waits, done, context);
}

bool needs_is_strange(const struct needs *needs, const struct hash *hash)
{
    return recent_set_has(&needs->strange, hash->b);
}

void needs_add_blob(struct needs *needs, struct wait *wait,
                    const struct hash *hash, size_t size_max, uint64_t peer_id)
{
    struct need *need = map_get(&needs->blobs, hash->b);
    if (holdings_has_blob(needs->config.holdings, hash, NULL)) {
        return;
    }
    if (needs_is_strange(needs, hash)) {
        wait_fail(wait);
        return;
    }
    if (need != NULL) {
        if (!needs->is_stopped) {
            blob_fetch_join(needs->config.fetch, hash, size_max, peer_id);
        }
        wait_on(wait, &need->hooks);
        return;
    }
    need = need_new(needs, &needs->blobs, hash);
    wait_on(wait, &need->hooks);
    start_blob(need, size_max, peer_id);
}

void needs_add_chunk(struct needs *needs, struct wait *wait,
                     const struct hash *hash)
{
    struct need *need = map_get(&needs->chunks, hash->b);
    if (need != NULL) {
        wait_on(wait, &need->hooks);
        return;
    }
    need = need_new(needs, &needs->chunks, hash);
    wait_on(wait, &need->hooks);
    start_chunk(need);
}

void needs_add_dataset(struct needs *needs, struct wait *wait,
                       const struct hash *dataset,
                       const Pot__PublishDataset *description)
{
    struct datasets_book *book = needs->config.holdings->datasets;
    struct need *need = map_get(&needs->datasets, dataset->b);
    if (datasets_find(book, dataset) != NULL) {
        return;
    }
    if (datasets_announce(book, description, true) != POT_OK) {
        wait_fail(wait);
        return;
    }
    if (need != NULL) {
        wait_on(wait, &need->hooks);
        return;
    }
    need = need_new(needs, &needs->datasets, dataset);
    wait_on(wait, &need->hooks);
    start_dataset(need);
}

/* By its record in the state at the tip. */
static void add_published(struct needs *needs, struct wait *wait,
                          ProtobufCBinaryData dataset)
{
    struct hash hash;
    const struct state state = stored_state(needs->config.holdings->store);
    Pot__DatasetRecord *record = NULL;
    if (codec_hash(&hash, dataset)) {
        record = ledger_dataset(&state, &hash);
    }
    if (record == NULL) {
        wait_fail(wait);
        return;
    }
    needs_add_dataset(needs, wait, &hash, record->dataset);
    codec_free(record);
}

void needs_add_test_set(struct needs *needs, struct wait *wait,
                        ProtobufCBinaryData task)
{
    struct hash hash;
    const struct state state = stored_state(needs->config.holdings->store);
    Pot__TaskRecord *record = NULL;
    if (codec_hash(&hash, task)) {
        record = ledger_task(&state, &hash);
    }
    if (record != NULL) {
        add_published(needs, wait, record->spec->test);
        codec_free(record);
    }
}

void needs_blob(struct needs *needs, const struct hash *hash, size_t size_max,
                uint64_t peer_id, wait_done_fn *done, void *context)
{
    struct wait *wait = needs_begin(needs, done, context);
    needs_add_blob(needs, wait, hash, size_max, peer_id);
    wait_end(wait);
}

void needs_dataset(struct needs *needs, const struct hash *dataset,
                   const Pot__PublishDataset *description, wait_done_fn *done,
                   void *context)
{
    struct wait *wait = needs_begin(needs, done, context);
    needs_add_dataset(needs, wait, dataset, description);
    wait_end(wait);
}

void needs_task_data(struct needs *needs, const Pot__TaskSpec *spec,
                     wait_done_fn *done, void *context)
{
    struct wait *wait = needs_begin(needs, done, context);
    if (needs->config.holdings->chunks == NULL) {
        add_published(needs, wait, spec->train);
    }
    add_published(needs, wait, spec->test);
    wait_end(wait);
}

struct part_source needs_parts(const struct needs *needs)
{
    return known_parts_source(needs->config.holdings->parts);
}

void needs_forget(struct needs *needs, const void *context)
{
    waits_forget(&needs->waits, context);
}
