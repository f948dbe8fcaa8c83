/* Data sets: announced, uploaded chunk by chunk, described. */
#include "config.h"

#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/hold/datasets.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "storage/store.h"

#include <stdlib.h>

/* The chunks of what was published are blobs, which a restart outlives; the
 * book knows the data sets that were in use since. */
static bool is_stored(const struct api_request *request,
                      const Pot__PublishDataset *description)
{
    struct hash *chunks = dataset_description_chunks(description);
    bool is_stored = chunks != NULL;
    for (size_t i = 0; is_stored && i < description->n_chunks; i++) {
        is_stored = store_blob_has(api_store(request), &chunks[i], NULL);
    }
    free(chunks);
    return is_stored;
}

static enum pot_err get_stored_chunk(struct api_request *request,
                                     const struct hash *address, uint64_t index,
                                     struct buf *out)
{
    const struct state state = api_state(request);
    Pot__DatasetRecord *record = ledger_dataset(&state, address);
    struct hash *chunks = record != NULL && record->dataset != NULL
                              ? dataset_description_chunks(record->dataset)
                              : NULL;
    enum pot_err err = POT_ENOENT;
    if (chunks != NULL) {
        err = index < record->dataset->n_chunks
                  ? store_blob_get(api_store(request), &chunks[index], out)
                  : POT_ERANGE;
    }
    free(chunks);
    codec_free(record);
    return err;
}

static void get_dataset(struct api_request *request)
{
    struct hash address;
    const struct state state = api_state(request);
    if (!api_arg_hash(request, &address, request->args[0])) {
        return;
    }
    Pot__DatasetRecord *record = ledger_dataset(&state, &address);
    if (record == NULL || record->dataset == NULL) {
        codec_free(record);
        api_reply_store_error(request, POT_ENOENT, "data set");
        return;
    }
    const Pot__PublishDataset *d = record->dataset;
    bool is_held =
        datasets_find(request->config->holdings->datasets, &address) != NULL ||
        is_stored(request, d);
    json_t *json = json_object();
    api_json_set(json, "dataset", api_json_hash(&address));
    api_json_set(json, "name", api_json_text(d->name));
    api_json_set(json, "rows", api_json_count(d->rows));
    api_json_set(json, "features", json_integer(d->features));
    api_json_set(json, "classes", json_integer(d->classes));
    api_json_set(json, "size_bytes", api_json_count(d->size_bytes));
    api_json_set(json, "chunks", api_json_count(d->n_chunks));
    api_json_set(json, "owner", api_json_address_field(record->owner));
    api_json_set(json, "height", api_json_count(record->height));
    api_json_set(json, "held", json_boolean(is_held));
    codec_free(record);
    api_reply_json(request, 200, json);
}

static void refuse(struct api_request *request, enum pot_err err)
{
    switch ((int)err) {
    case POT_ENOENT:
        api_reply_error(request, 404, "not_announced",
                        "announce the data set first: POST /v1/datasets");
        return;
    case POT_ERANGE:
        api_reply_error(request, 404, "not_found",
                        "the data set has no such chunk");
        return;
    case POT_EFORMAT:
        api_reply_error(request, 422, "wrong_bytes",
                        "not the bytes that were announced");
        return;
    case POT_ELIMIT:
        api_reply_error(request, 503, "too_many",
                        "too many data sets are announced here");
        return;
    case POT_EFULL:
        api_reply_error(request, 507, "disk_full", "the node's disk is full");
        return;
    default:
        api_reply_store_error(request, err, "data set");
        return;
    }
}

/* All chunks are there: put together and ready for use. */
static enum pot_err load(struct datasets_book *book, const struct hash *address)
{
    enum pot_err err = datasets_load(book, address);
    return err == POT_ENOENT ? POT_OK : err; /* a chunk went meanwhile */
}

/* One that is held already is what the description says of it. */
static enum pot_err check(struct datasets_book *book,
                          const Pot__PublishDataset *description)
{
    enum pot_err err = datasets_check(book, description);
    return err == POT_ENOENT ? POT_OK : err;
}

static json_t *missing_json(struct datasets_book *book,
                            const struct hash *address)
{
    json_t *list = json_array();
    size_t cursor = 0;
    uint32_t index;
    struct hash hash;
    while (datasets_next_missing(book, address, &cursor, &index, &hash)) {
        api_json_add(list, json_integer(index));
    }
    return list;
}

static void post_dataset(struct api_request *request)
{
    struct hash address;
    Pot__PublishDataset *description;
    struct datasets_book *book = request->config->holdings->datasets;
    if (CODEC_DECODE(&description, pot__publish_dataset, request->body.data,
                     request->body.size) != POT_OK ||
        !codec_hash(&address, description->dataset)) {
        codec_free(description);
        api_reply_error(request, 400, "malformed",
                        "the body is a PublishDataset message");
        return;
    }
    enum pot_err err = datasets_announce(book, description, false);
    json_t *missing = NULL;
    if (err == POT_OK) {
        missing = missing_json(book, &address);
        if (json_array_size(missing) == 0) {
            err = load(book, &address);
        }
    }
    if (err == POT_OK) {
        err = check(book, description);
    }
    codec_free(description);
    if (err != POT_OK) {
        json_decref(missing);
        refuse(request, err);
        return;
    }
    json_t *json = json_object();
    api_json_set(json, "dataset", api_json_hash(&address));
    api_json_set(json, "missing", missing);
    api_reply_json(request, 200, json);
}

/* Looks behind this chunk first: uploads go in order. */
static bool is_complete(struct datasets_book *book, const struct hash *address,
                        uint32_t index)
{
    size_t cursor = (size_t)index + 1;
    uint32_t missing;
    struct hash hash;
    if (datasets_next_missing(book, address, &cursor, &missing, &hash)) {
        return false;
    }
    cursor = 0;
    return !datasets_next_missing(book, address, &cursor, &missing, &hash);
}

/* False: an answer was given. */
static bool chunk_args(struct api_request *request, struct hash *address,
                       uint64_t *index)
{
    if (!api_arg_hash(request, address, request->args[0])) {
        return false;
    }
    if (api_parse_u64(index, request->args[1]) != POT_OK ||
        *index >= DATASET_CHUNKS_MAX) {
        refuse(request, POT_ERANGE);
        return false;
    }
    return true;
}

static void get_chunk(struct api_request *request)
{
    struct hash address;
    uint64_t index;
    struct buf data;
    if (!chunk_args(request, &address, &index)) {
        return;
    }
    buf_init(&data, DATASET_CHUNK_BYTES);
    enum pot_err err = datasets_get_chunk(request->config->holdings->datasets,
                                          &address, (uint32_t)index, &data);
    if (err == POT_ENOENT) {
        err = get_stored_chunk(request, &address, index, &data);
    }
    if (err == POT_OK) {
        api_reply_bytes(request, 200, "application/octet-stream", &data);
        return;
    }
    buf_fini(&data);
    if (err == POT_ENOENT) {
        api_reply_store_error(request, err, "chunk");
    } else {
        refuse(request, err);
    }
}

static void put_chunk(struct api_request *request)
{
    struct hash address;
    uint64_t index;
    struct datasets_book *book = request->config->holdings->datasets;
    if (!chunk_args(request, &address, &index)) {
        return;
    }
    enum pot_err err =
        datasets_put_chunk(book, &address, (uint32_t)index, request->body.data,
                           request->body.size);
    if (err == POT_OK && is_complete(book, &address, (uint32_t)index)) {
        err = load(book, &address);
    }
    if (err != POT_OK) {
        refuse(request, err);
        return;
    }
    api_reply_empty(request, 204);
}

/* ---- routes */

const struct api_route api_dataset_routes[] = {
    {"POST", "/v1/datasets",
     .summary = "announce a data set: the bytes of its PublishDataset",
     .answer = "dataset, missing: indexes of the chunks to upload",
     .status = 200, .body_max = TX_BYTES_MAX, .is_off_loop = true,
     .is_writing = true, .handler = post_dataset},
    {"GET", "/v1/datasets/{dataset}", .summary = "a published data set",
     .answer = "dataset, name, rows, features, classes, size_bytes, chunks,"
               " owner, height, held",
     .status = 200, .handler = get_dataset},
    {"GET", "/v1/datasets/{dataset}/chunks/{index}",
     .summary = "the bytes of a chunk that this node holds",
     .type = "application/octet-stream", .status = 200, .is_off_loop = true,
     .handler = get_chunk},
    {"PUT", "/v1/datasets/{dataset}/chunks/{index}",
     .summary = "upload a chunk of an announced data set", .status = 204,
     .body_max = DATASET_CHUNK_BYTES, .is_off_loop = true, .is_writing = true,
     .handler = put_chunk},
    {.method = NULL},
};
