/* A wait ends when the last thing it counts is there or one of them failed
 * for good.  A fetch is one blob under way, or one data set whose chunks are
 * under way; it tells every wait that hangs on it. */
#include "config.h"

#include "node/block/needs.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "node/block/execution.h"
#include "node/hold/blob_pool.h"
#include "node/hold/datasets.h"
#include "node/hold/stored.h"
#include "p2p/blob_fetch.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "proto/dataset.h"

#include <stdlib.h>
#include <string.h>

#define CHUNKS_AT_ONCE 6

/* The largest gradient: two bytes a parameter, and its header. */
#define PAYLOAD_BYTES_MAX ((size_t)2 * PARAMETERS_MAX + 4096)

struct wait {
    struct wait *next;
    needs_done_fn *done; /* NULL: forgotten */
    void *context;
    struct hash what;
    size_t left; /* things not there yet */
    bool has_failed;
    bool is_building; /* more things may still be added */
};

struct hook { /* a wait that hangs on a fetch */
    struct hook *next;
    struct wait *wait;
};

struct chunk_wait {
    struct fetch *fetch; /* NULL: free */
    uint32_t index;
};

struct fetch {
    struct needs *needs;
    struct hash hash; /* of the blob, or the data set's address */
    struct hook *hooks;
    bool is_dataset;
    size_t under_way; /* chunks being fetched or stored */
    size_t next;      /* the next chunk to look at */
    bool has_failed;
    struct chunk_wait chunks[CHUNKS_AT_ONCE];
    enum pot_err load_err;
    uv_work_t work;
};

struct needs {
    struct needs_config config;
    struct map blobs;    /* hash -> struct fetch */
    struct map datasets; /* address -> struct fetch */
    struct wait *waits;
    bool is_stopped;
};

struct needs *needs_new(const struct needs_config *config)
{
    struct needs *needs = pot_calloc(1, sizeof(*needs));
    needs->config = *config;
    return needs;
}

void needs_stop(struct needs *needs)
{
    needs->is_stopped = true;
    for (struct wait *wait = needs->waits; wait != NULL;) {
        needs_done_fn *done = wait->done;
        wait->done = NULL;
        if (done != NULL) {
            done(wait->context, &wait->what, false);
            wait = needs->waits; /* the list may have changed */
        } else {
            wait = wait->next;
        }
    }
}

static void fetch_free(struct fetch *fetch)
{
    while (fetch->hooks != NULL) {
        struct hook *hook = fetch->hooks;
        fetch->hooks = hook->next;
        free(hook);
    }
    free(fetch);
}

static void free_all(struct map *map)
{
    size_t cursor = 0;
    for (const struct map_slot *slot;
         (slot = map_next(map, &cursor)) != NULL;) {
        fetch_free(slot->value);
    }
    map_fini(map);
}

void needs_free(struct needs *needs)
{
    if (needs == NULL) {
        return;
    }
    free_all(&needs->blobs);
    free_all(&needs->datasets);
    while (needs->waits != NULL) {
        struct wait *wait = needs->waits;
        needs->waits = wait->next;
        free(wait);
    }
    free(needs);
}

/* ---- waits */

static struct wait *wait_new(struct needs *needs, const struct hash *what,
                             needs_done_fn *done, void *context)
{
    struct wait *wait = pot_calloc(1, sizeof(*wait));
    wait->what = *what;
    wait->done = done;
    wait->context = context;
    wait->is_building = true;
    wait->next = needs->waits;
    needs->waits = wait;
    return wait;
}

static void wait_end_if_done(struct needs *needs, struct wait *wait)
{
    if (wait->is_building || wait->left > 0) {
        return;
    }
    struct wait **at = &needs->waits;
    while (*at != wait) {
        at = &(*at)->next;
    }
    *at = wait->next;
    if (wait->done != NULL) {
        wait->done(wait->context, &wait->what, !wait->has_failed);
    }
    free(wait);
}

static void wait_built(struct needs *needs, struct wait *wait)
{
    wait->is_building = false;
    wait_end_if_done(needs, wait);
}

void needs_forget(struct needs *needs, const void *context)
{
    for (struct wait *wait = needs->waits; wait != NULL; wait = wait->next) {
        if (wait->context == context) {
            wait->done = NULL;
        }
    }
}

static void hang(struct fetch *fetch, struct wait *wait)
{
    struct hook *hook = pot_calloc(1, sizeof(*hook));
    hook->wait = wait;
    hook->next = fetch->hooks;
    fetch->hooks = hook;
    wait->left++;
}

/* The fetch is over: it goes, and its waits are told. */
static void fetch_end(struct fetch *fetch, bool is_held)
{
    struct needs *needs = fetch->needs;
    struct map *map = fetch->is_dataset ? &needs->datasets : &needs->blobs;
    (void)map_remove(map, fetch->hash.b);
    struct hook *hook = fetch->hooks;
    fetch->hooks = NULL;
    fetch_free(fetch);
    while (hook != NULL) {
        struct hook *next = hook->next;
        hook->wait->left--;
        hook->wait->has_failed |= !is_held;
        wait_end_if_done(needs, hook->wait);
        free(hook);
        hook = next;
    }
}

static struct fetch *fetch_new(struct needs *needs, const struct hash *hash,
                               bool is_dataset)
{
    struct fetch *fetch = pot_calloc(1, sizeof(*fetch));
    fetch->needs = needs;
    fetch->hash = *hash;
    fetch->is_dataset = is_dataset;
    fetch->work.data = fetch;
    (void)map_put(is_dataset ? &needs->datasets : &needs->blobs, hash->b,
                  fetch);
    return fetch;
}

/* ---- blobs */

static void on_blob(void *context, const struct hash *hash, enum pot_err err,
                    const uint8_t *data, size_t size)
{
    struct fetch *fetch = context;
    bool is_held =
        err == POT_OK &&
        blob_pool_put(fetch->needs->config.env->pool, hash, data, size);
    fetch_end(fetch, is_held);
}

static void add_blob(struct needs *needs, struct wait *wait,
                     const struct hash *hash, size_t size_max, uint64_t peer_id)
{
    if (holdings_has_blob(needs->config.env, hash)) {
        return;
    }
    struct fetch *fetch = map_get(&needs->blobs, hash->b);
    if (fetch != NULL) {
        hang(fetch, wait);
        return;
    }
    fetch = fetch_new(needs, hash, false);
    hang(fetch, wait);
    const struct blob_request request = {
        .hash = *hash,
        .size_max = size_max,
        .first_peer_id = peer_id,
        .timeout_ms = needs->config.timeout_ms,
        .context = fetch,
        .done = on_blob,
    };
    if (needs->is_stopped ||
        blob_fetch_start(needs->config.fetch, &request) != POT_OK) {
        fetch_end(fetch, false);
    }
}

void needs_blob(struct needs *needs, const struct hash *hash, size_t size_max,
                uint64_t peer_id, needs_done_fn *done, void *context)
{
    struct wait *wait = wait_new(needs, hash, done, context);
    add_blob(needs, wait, hash, size_max, peer_id);
    wait_built(needs, wait);
}

/* ---- data sets */

struct chunk_put {
    uv_work_t work;
    struct fetch *fetch;
    uint32_t index;
    uint8_t *data;
    size_t size;
    enum pot_err err;
};

static void dataset_advance(struct fetch *fetch);

static void on_load_work(uv_work_t *work)
{
    struct fetch *fetch = work->data;
    fetch->load_err =
        datasets_load(fetch->needs->config.env->datasets, &fetch->hash);
}

static void on_loaded(uv_work_t *work, int status)
{
    struct fetch *fetch = work->data;
    char text[HASH_TEXT_SIZE];
    POT_ASSERT(status == 0);
    bool is_held = fetch->load_err == POT_OK;
    if (is_held) {
        LOG(LOG_INFO, "node", "data set held",
            log_text("dataset", hash_format(&fetch->hash, text)));
    } else {
        LOG(LOG_WARN, "node", "data set unusable",
            log_text("dataset", hash_format(&fetch->hash, text)),
            log_text("why", err_text(fetch->load_err)));
    }
    fetch_end(fetch, is_held);
}

static void on_put_work(uv_work_t *work)
{
    struct chunk_put *put = work->data;
    put->err =
        datasets_put_chunk(put->fetch->needs->config.env->datasets,
                           &put->fetch->hash, put->index, put->data, put->size);
}

static void on_put(uv_work_t *work, int status)
{
    struct chunk_put *put = work->data;
    struct fetch *fetch = put->fetch;
    POT_ASSERT(status == 0);
    fetch->has_failed |= put->err != POT_OK;
    fetch->under_way--;
    free(put->data);
    free(put);
    dataset_advance(fetch);
}

static void on_chunk(void *context, const struct hash *hash, enum pot_err err,
                     const uint8_t *data, size_t size)
{
    struct chunk_wait *wait = context;
    struct fetch *fetch = wait->fetch;
    uint32_t index = wait->index;
    (void)hash;
    wait->fetch = NULL;
    if (err != POT_OK) {
        fetch->has_failed = true;
        fetch->under_way--;
        dataset_advance(fetch);
        return;
    }
    struct chunk_put *put = pot_calloc(1, sizeof(*put));
    put->work.data = put;
    put->fetch = fetch;
    put->index = index;
    put->data = pot_memdup(data, size);
    put->size = size;
    int rc = uv_queue_work(fetch->needs->config.loop, &put->work, on_put_work,
                           on_put);
    POT_ASSERT(rc == 0);
}

static bool verify_chunk(const struct hash *hash, const void *data, size_t size)
{
    struct hash made;
    dataset_chunk_hash(&made, data, size);
    return hash_equal(&made, hash);
}

static void fetch_chunk(struct fetch *fetch, uint32_t index,
                        const struct hash *hash)
{
    struct chunk_wait *wait = fetch->chunks;
    while (wait->fetch != NULL) {
        wait++;
    }
    const struct blob_request request = {
        .hash = *hash,
        .size_max = DATASET_CHUNK_BYTES,
        .timeout_ms = fetch->needs->config.timeout_ms,
        .verify = verify_chunk,
        .context = wait,
        .done = on_chunk,
    };
    if (fetch->needs->is_stopped ||
        blob_fetch_start(fetch->needs->config.fetch, &request) != POT_OK) {
        fetch->has_failed = true;
        return;
    }
    fetch->under_way++;
    wait->fetch = fetch;
    wait->index = index;
}

/* Keeps some chunks under way; when none is left to fetch, loads it all. */
static void dataset_advance(struct fetch *fetch)
{
    struct datasets_book *book = fetch->needs->config.env->datasets;
    uint32_t index;
    struct hash hash;
    while (!fetch->has_failed && fetch->under_way < CHUNKS_AT_ONCE &&
           datasets_next_missing(book, &fetch->hash, &fetch->next, &index,
                                 &hash)) {
        fetch_chunk(fetch, index, &hash);
    }
    if (fetch->under_way > 0) {
        return;
    }
    if (fetch->has_failed || fetch->needs->is_stopped) {
        fetch_end(fetch, false);
        return;
    }
    int rc = uv_queue_work(fetch->needs->config.loop, &fetch->work,
                           on_load_work, on_loaded);
    POT_ASSERT(rc == 0);
}

static void add_dataset(struct needs *needs, struct wait *wait,
                        const struct hash *address,
                        const Pot__PublishDataset *description)
{
    struct datasets_book *book = needs->config.env->datasets;
    if (datasets_find(book, address) != NULL) {
        return;
    }
    if (description != NULL && datasets_announce(book, description) != POT_OK) {
        wait->has_failed = true;
        return;
    }
    struct fetch *fetch = map_get(&needs->datasets, address->b);
    bool is_new = fetch == NULL;
    if (is_new) {
        fetch = fetch_new(needs, address, true);
    }
    hang(fetch, wait);
    if (is_new) {
        dataset_advance(fetch);
    }
}

void needs_dataset(struct needs *needs, const struct hash *address,
                   const Pot__PublishDataset *description, needs_done_fn *done,
                   void *context)
{
    struct wait *wait = wait_new(needs, address, done, context);
    add_dataset(needs, wait, address, description);
    wait_built(needs, wait);
}

/* By its record in the state at the tip. */
static void add_published(struct needs *needs, struct wait *wait,
                          ProtobufCBinaryData field)
{
    struct hash address;
    const struct state state = stored_state(needs->config.env->store);
    Pot__DatasetRecord *record = NULL;
    if (codec_hash(&address, field)) {
        record = ledger_dataset(&state, &address);
    }
    if (record == NULL) {
        wait->has_failed = true;
        return;
    }
    add_dataset(needs, wait, &address, record->dataset);
    codec_free(record);
}

void needs_task_data(struct needs *needs, const Pot__TaskSpec *spec,
                     needs_done_fn *done, void *context)
{
    struct hash what = {{0}};
    struct wait *wait = wait_new(needs, &what, done, context);
    add_published(needs, wait, spec->train);
    add_published(needs, wait, spec->test);
    wait_built(needs, wait);
}

/* ---- blocks */

static void add_aggregate(struct needs *needs, struct wait *wait,
                          const Pot__RoundUpdate *update)
{
    struct hash hash;
    if (update->n_submissions > 0 &&
        codec_hash(&hash, update->aggregate_hash)) {
        add_blob(needs, wait, &hash, update->aggregate_bytes, 0);
    }
}

static void add_payloads(struct needs *needs, struct wait *wait,
                         const Pot__RoundUpdate *update)
{
    for (size_t i = 0; i < update->n_submissions; i++) {
        Pot__SubmissionBody *body = NULL;
        struct hash hash;
        const Pot__Signed *message = update->submissions[i];
        if (CODEC_DECODE(&body, pot__submission_body, message->body.data,
                         message->body.len) == POT_OK &&
            codec_hash(&hash, body->payload_hash)) {
            add_blob(needs, wait, &hash, PAYLOAD_BYTES_MAX, 0);
        }
        codec_free(body);
    }
}

static void add_evaluation(struct needs *needs, struct wait *wait,
                           const Pot__RoundUpdate *update)
{
    struct hash task;
    const struct state state = stored_state(needs->config.env->store);
    if (update->evaluation == NULL || !codec_hash(&task, update->task)) {
        return;
    }
    Pot__TaskRecord *record = ledger_task(&state, &task);
    if (record != NULL) {
        add_published(needs, wait, record->spec->test);
        codec_free(record);
    }
}

static void add_publications(struct needs *needs, struct wait *wait,
                             const Pot__Block *body)
{
    for (size_t i = 0; i < body->n_txs; i++) {
        Pot__TxBody *tx = NULL;
        struct hash address;
        if (CODEC_DECODE(&tx, pot__tx_body, body->txs[i]->body.data,
                         body->txs[i]->body.len) == POT_OK &&
            tx->action_case == POT__TX_BODY__ACTION_PUBLISH_DATASET &&
            codec_hash(&address, tx->publish_dataset->dataset)) {
            add_dataset(needs, wait, &address, tx->publish_dataset);
        }
        codec_free(tx);
    }
}

void needs_block(struct needs *needs, const void *data, size_t size,
                 bool is_certified, needs_done_fn *done, void *context)
{
    struct block *block = NULL;
    struct hash what = {{0}};
    if (block_open(&block, data, size) != POT_OK) {
        done(context, &what, false);
        return;
    }
    struct wait *wait = wait_new(needs, &block->hash, done, context);
    for (size_t i = 0; i < block->body->n_round_updates; i++) {
        const Pot__RoundUpdate *update = block->body->round_updates[i];
        if (is_certified) {
            add_aggregate(needs, wait, update);
        } else {
            add_payloads(needs, wait, update);
            add_evaluation(needs, wait, update);
        }
    }
    if (!is_certified) {
        add_publications(needs, wait, block->body);
    }
    block_free(block);
    wait_built(needs, wait);
}
