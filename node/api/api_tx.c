/* Transactions: sent and looked up. */
#include "config.h"

#include "base/check.h"
#include "base/limits.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/hold/stored.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "proto/batch.h"
#include "storage/store.h"
#include "storage/store_prune.h"

/* Of a batch so many are named: the answer is made on the loop, and must not
 * be much longer than the request. */
#define NAMED_MAX 100

static const char *verdict_code(char text[static 64],
                                const struct intake_receipt *receipt)
{
    static const char *const ledger[] = {
#define X(code, finality, text) #code,
        TX_VERDICT_MAP(X)
#undef X
    };
    static const char *const pool[] = {
        [MEMPOOL_ADDED] = "ADDED",
        [MEMPOOL_KNOWN] = "KNOWN",
        [MEMPOOL_CONFLICT] = "NONCE_CONFLICT",
        [MEMPOOL_FULL] = "MEMPOOL_FULL",
        [MEMPOOL_SENDER_FULL] = "MEMPOOL_SENDER_FULL",
    };
    const char *name = intake_may_wait(receipt) ? pool[receipt->pool]
                                                : ledger[receipt->ledger];
    return api_json_code(text, name, "TX_");
}

static unsigned refused_status(const struct intake_receipt *receipt)
{
    if (receipt->ledger == TX_MALFORMED || receipt->ledger == TX_TOO_LARGE) {
        return 400;
    }
    bool is_full =
        receipt->pool == MEMPOOL_FULL || receipt->pool == MEMPOOL_SENDER_FULL;
    return intake_may_wait(receipt) && is_full ? 503 : 422;
}

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    char code[64];
    struct api_request *request = context;
    if (intake_is_taken(receipt)) {
        json_t *json = json_object();
        api_json_set(json, "tx", api_json_hash(&receipt->hash));
        api_json_set(json, "known",
                     json_boolean(receipt->pool == MEMPOOL_KNOWN));
        api_reply_json(request, 202, json);
        return;
    }
    api_reply_error(request, refused_status(receipt),
                    verdict_code(code, receipt), "%s", intake_text(receipt));
}

static void post_tx(struct api_request *request)
{
    if (request->body.size == 0) {
        api_reply_error(request, 400, "malformed",
                        "the body is a signed transaction's bytes");
        return;
    }
    intake_submit(request->config->intake, request->body.data,
                  request->body.size, on_receipt, request);
}

/* ---- several at once */

static void add_refused(struct api_request *request, size_t index,
                        const struct intake_receipt *receipt)
{
    char code[64];
    json_t *json = json_object();
    api_json_set(json, "index", json_integer((json_int_t)index));
    api_json_set(json, "code", json_string(verdict_code(code, receipt)));
    api_json_set(json, "message", json_string(intake_text(receipt)));
    int rc = json_array_append_new(request->batch.refused, json);
    POT_ASSERT(rc == 0);
}

/* In the order in which they were sent. */
static void on_batch_receipt(void *context,
                             const struct intake_receipt *receipt)
{
    struct api_request *request = context;
    struct api_batch *batch = &request->batch;
    if (intake_is_taken(receipt)) {
        batch->accepted++;
        batch->known += receipt->pool == MEMPOOL_KNOWN;
    } else if (json_array_size(batch->refused) < NAMED_MAX) {
        add_refused(request, batch->answered, receipt);
    }
    if (++batch->answered < batch->count) {
        return;
    }
    json_t *json = json_object();
    api_json_set(json, "accepted", json_integer((json_int_t)batch->accepted));
    api_json_set(json, "known", json_integer((json_int_t)batch->known));
    api_json_set(json, "refused", batch->refused);
    batch->refused = NULL;
    api_reply_json(request, 202, json);
}

static void post_txs(struct api_request *request)
{
    const struct buf *body = &request->body;
    size_t count = batch_count(body->data, body->size, TX_BATCH_MAX);
    if (count == 0) {
        api_reply_error(request, 400, "malformed",
                        "the body is 1 to %d signed transactions, each behind"
                        " its size as 4 bytes, the lowest first",
                        TX_BATCH_MAX);
        return;
    }
    request->batch =
        (struct api_batch){.count = count, .refused = json_array()};
    if (!intake_submit_batch(request->config->intake, body->data, body->size,
                             on_batch_receipt, request)) {
        api_reply_error(request, 503, "busy",
                        "too many transactions wait to be looked at; none of"
                        " these was taken: try again later");
    }
}

/* ---- looked up */

static json_t *pending_json(const struct mempool *pool,
                            const struct mempool_entry *entry)
{
    const struct dropped_tx *blocker = mempool_blocker(pool, entry);
    json_t *json = json_object();
    api_json_set(json, "tx", api_json_hash(&entry->hash));
    api_json_set(json, "pending", json_true());
    if (blocker != NULL) {
        json_t *behind = json_object();
        api_json_set(behind, "tx", api_json_hash(&blocker->tx));
        api_json_set(behind, "why", json_string(blocker->why));
        api_json_set(json, "behind", behind);
    }
    return json;
}

/* The mempool is the loop's. */
static void prepare_tx(struct api_request *request)
{
    struct hash hash;
    const struct mempool *pool = request->config->mempool;
    if (hash_parse(&hash, request->args[0]) != POT_OK) {
        return;
    }
    const struct mempool_entry *entry = mempool_find(pool, &hash);
    const struct dropped_tx *dropped = mempool_dropped(pool, &hash);
    if (entry != NULL) {
        request->prepared = pending_json(pool, entry);
    } else if (dropped != NULL) {
        request->dropped_why = dropped->why;
    }
}

static void reply_committed(struct api_request *request,
                            const struct hash *hash, uint64_t height,
                            uint32_t index)
{
    struct block *block;
    enum pot_err err = stored_block(&block, api_store(request), height);
    if (err == POT_OK && index >= block->body->n_txs) {
        err = POT_ECORRUPT;
    }
    if (err != POT_OK) {
        block_free(block);
        api_reply_store_error(request, err, "block");
        return;
    }
    json_t *json = json_object();
    api_json_set(json, "tx", api_json_hash(hash));
    api_json_set(json, "height", api_json_count(height));
    api_json_set(json, "index", json_integer(index));
    api_record_add_tx(json, block->body->txs[index]);
    block_free(block);
    api_reply_json(request, 200, json);
}

static void get_tx(struct api_request *request)
{
    struct hash hash;
    uint64_t height;
    uint32_t index;
    if (!api_arg_hash(request, &hash, request->args[0])) {
        return;
    }
    enum pot_err err =
        store_find_tx(api_store(request), &hash, &height, &index);
    if (err == POT_OK) {
        reply_committed(request, &hash, height, index);
    } else if (err == POT_ENOENT && request->prepared != NULL) {
        api_reply_json(request, 202, request->prepared);
        request->prepared = NULL;
    } else if (err == POT_ENOENT && request->dropped_why != NULL) {
        api_reply_error(request, 410, "dropped",
                        "the transaction was dropped: %s",
                        request->dropped_why);
    } else if (err == POT_ENOENT &&
               store_lowest_block(api_store(request)) > 1) {
        api_reply_error(
            request, 404, "not_found",
            "no such transaction is known; those below height"
            " %llu are not kept by this node",
            (unsigned long long)store_lowest_block(api_store(request)));
    } else {
        api_reply_store_error(request, err, "transaction");
    }
}

/* ---- routes */

const struct api_route api_tx_routes[] = {
    {"POST", "/v1/txs", .summary = "send a signed transaction, as its bytes",
     .answer = "tx: its hash; it waits for a block now; known: it did before",
     .status = 202, .body_max = TX_BYTES_MAX, .handler = post_tx},
    {"POST", "/v1/txs/batch",
     .summary = "send several, each behind its size as a u32",
     .answer =
         "accepted: how many; known: how many of these waited before; refused:"
         " index, code, message of 100 others",
     .status = 202, .body_max = TX_BATCH_BYTES_MAX, .handler = post_txs},
    {"GET", "/v1/txs/{hash}",
     .summary = "where a transaction stands; 202: it waits for a block; 410:"
                " it was dropped",
     .answer = "tx, height, index, action, from; or tx, pending, behind: tx,"
               " why",
     .status = 200, .is_off_loop = true, .handler = get_tx,
     .prepare = prepare_tx},
    {.method = NULL},
};
