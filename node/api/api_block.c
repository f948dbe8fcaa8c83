/* Blocks, as JSON and as their bytes. */
#include "config.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "proto/validator_set.h"
#include "storage/store.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 100
/* A list ends early once so many bytes of blocks were read for it. */
#define LIST_BYTES_MAX ((size_t)16 << 20)

/* ---- round updates */

/* An update's attestations, opened once for all its submissions. */
struct opened {
    struct round_attestation *items;
    size_t count;
};

static void opened_init(struct opened *opened, const Pot__RoundUpdate *update)
{
    opened->count = 0;
    opened->items = pot_calloc(update->n_attestations, sizeof(*opened->items));
    for (size_t i = 0; i < update->n_attestations; i++) {
        if (round_attestation_decode(&opened->items[opened->count],
                                     update->attestations[i]) == POT_OK) {
            opened->count++;
        }
    }
}

static void opened_fini(struct opened *opened)
{
    for (size_t i = 0; i < opened->count; i++) {
        round_attestation_fini(&opened->items[i]);
    }
    free(opened->items);
}

static bool is_audited(const struct opened *opened,
                       const struct hash *submission)
{
    for (size_t i = 0; i < opened->count; i++) {
        if (round_verdict_on(&opened->items[i], submission) ==
            POT__VERDICT__VERDICT_ACCEPT_AUDITED) {
            return true;
        }
    }
    return false;
}

static json_t *submissions_json(Pot__Signed *const *list, size_t count,
                                const struct opened *opened)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++) {
        struct round_submission s;
        if (round_submission_decode(&s, list[i]) != POT_OK) {
            continue;
        }
        json_t *one = json_object();
        api_json_set(one, "miner", api_json_address(&s.miner));
        api_json_set(one, "rows", json_integer(s.body->rows));
        api_json_set(one, "hash", api_json_hash(&s.payload));
        api_json_set(one, "bytes", api_json_count(s.body->payload_bytes));
        api_json_set(one, "submission", api_json_hash(&s.hash));
        api_json_set(one, "loss", api_json_loss(s.body->loss));
        api_json_set(one, "audited", json_boolean(is_audited(opened, &s.hash)));
        api_json_add(json, one);
        round_submission_fini(&s);
    }
    return json;
}

static json_t *payments_json(Pot__Reward *const *list, size_t count)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_object();
        api_json_set(one, "to", api_json_address_field(list[i]->to));
        api_json_set(one, "amount", api_json_amount(list[i]->amount));
        api_json_set(
            one, "for",
            json_string(api_json_reward_for((uint32_t)list[i]->reason)));
        api_json_add(json, one);
    }
    return json;
}

static json_t *update_json(const Pot__RoundUpdate *update)
{
    struct opened opened;
    json_t *json = json_object();
    opened_init(&opened, update);
    api_json_set(json, "task", api_json_hash_field(update->task));
    api_json_set(json, "round", json_integer(update->round));
    api_json_set(
        json, "submissions",
        submissions_json(update->submissions, update->n_submissions, &opened));
    api_json_set(json, "refused",
                 submissions_json(update->refused, update->n_refused, &opened));
    api_json_set(json, "attestations", api_json_count(update->n_attestations));
    api_json_set(json, "train_loss",
                 update->n_submissions > 0 ? api_json_loss(update->train_loss)
                                           : json_null());
    api_json_set(json, "test_accuracy", api_json_accuracy(update->evaluation));
    api_json_set(json, "aggregate_hash",
                 api_json_hash_field(update->aggregate_hash));
    api_json_set(json, "aggregate_bytes",
                 api_json_count(update->aggregate_bytes));
    api_json_set(json, "parameters_hash",
                 api_json_hash_field(update->parameters_hash));
    api_json_set(json, "rewards",
                 payments_json(update->rewards, update->n_rewards));
    api_json_set(json, "slashes",
                 payments_json(update->slashes, update->n_slashes));
    opened_fini(&opened);
    return json;
}

/* ---- blocks */

static json_t *txs_json(const Pot__Block *body)
{
    json_t *json = json_array();
    for (size_t i = 0; i < body->n_txs; i++) {
        struct hash hash;
        json_t *one = json_object();
        signed_hash(&hash, SIGNED_TX, body->txs[i]);
        api_json_set(one, "hash", api_json_hash(&hash));
        api_record_add_tx(one, body->txs[i]);
        api_json_add(json, one);
    }
    return json;
}

static json_t *evidence_json(const Pot__Block *body)
{
    json_t *json = json_array();
    for (size_t i = 0; i < body->n_evidence; i++) {
        const Pot__Evidence *evidence = body->evidence[i];
        json_t *one = json_object();
        api_record_add_evidence(one, evidence->proof);
        api_json_set(one, "slashed", api_json_amount(evidence->slashed));
        api_json_set(one, "rewarded", api_json_amount(evidence->rewarded));
        api_json_add(json, one);
    }
    return json;
}

static json_t *commit_json(const struct validator_set *set,
                           const Pot__CommitCertificate *certificate)
{
    if (certificate == NULL) {
        return json_null();
    }
    json_t *signers = json_array();
    for (size_t i = 0; i < certificate->n_signatures; i++) {
        uint32_t replica = certificate->signatures[i]->replica;
        api_json_add(signers, set != NULL && replica < set->count
                                  ? api_json_address(&set->keys[replica])
                                  : json_integer(replica));
    }
    json_t *json = json_object();
    api_json_set(json, "height", api_json_count(certificate->height));
    api_json_set(json, "view", api_json_count(certificate->view));
    api_json_set(json, "signers", signers);
    return json;
}

static json_t *block_json(const struct block *block,
                          const struct validator_set *set,
                          const Pot__CommitCertificate *certificate)
{
    const Pot__BlockHeader *header = block->header;
    json_t *updates = json_array();
    json_t *json = json_object();
    for (size_t i = 0; i < block->body->n_round_updates; i++) {
        api_json_add(updates, update_json(block->body->round_updates[i]));
    }
    api_json_set(json, "height", api_json_count(header->height));
    api_json_set(json, "hash", api_json_hash(&block->hash));
    api_json_set(json, "parent", api_json_hash_field(header->parent_hash));
    api_json_set(json, "time_ms", api_json_count(header->time_ms));
    api_json_set(json, "view", api_json_count(header->view));
    api_json_set(json, "proposer", api_json_address_field(header->proposer));
    api_json_set(json, "state_root", api_json_hash_field(header->state_root));
    api_json_set(json, "txs", txs_json(block->body));
    api_json_set(json, "round_updates", updates);
    api_json_set(json, "evidence", evidence_json(block->body));
    api_json_set(json, "commit", commit_json(set, certificate));
    return json;
}

/* ---- reading */

/* Reads a block for an answer; *size is that of its encoding. */
typedef enum pot_err read_fn(json_t **out, const struct holdings *holdings,
                             uint64_t height, size_t *size);

static size_t size_of(const struct block *block)
{
    return protobuf_c_message_get_packed_size(&block->body->base);
}

static enum pot_err read_json(json_t **out, const struct holdings *holdings,
                              uint64_t height, size_t *size)
{
    struct block *block;
    struct validator_set set;
    Pot__CommitCertificate *certificate = NULL;
    enum pot_err err = stored_block(&block, holdings->store, height);
    if (err == POT_OK) {
        err = stored_certificate(&certificate, holdings->store, height);
    }
    if (err == POT_OK) {
        err = validator_sets_at(holdings, height, &set);
    }
    if (err == POT_OK) {
        *size = size_of(block);
        *out = block_json(block, &set, certificate);
    }
    codec_free(certificate);
    block_free(block);
    return err;
}

/* Of pruned blocks these are held, too. */
static enum pot_err read_raw(json_t **out, const struct holdings *holdings,
                             uint64_t height, size_t *size)
{
    struct buf header;
    struct buf certificate;
    buf_init(&header, BLOCK_HEADER_BYTES_MAX);
    buf_init(&certificate, BLOCK_BYTES_MAX);
    enum pot_err err = stored_header_bytes(&header, holdings->store, height);
    if (err == POT_OK) {
        err = store_get_certificate(holdings->store, height, &certificate);
    }
    if (err == POT_OK) {
        *size = header.size + certificate.size;
        *out = json_object();
        api_json_set(*out, "height", api_json_count(height));
        api_json_set(*out, "header", api_json_hex(header.data, header.size));
        api_json_set(*out, "certificate",
                     api_json_hex(certificate.data, certificate.size));
    }
    buf_fini(&header);
    buf_fini(&certificate);
    return err;
}

/* ---- one block */

/* The height that "12", "latest" or a hash names; false: it has replied. */
static bool find_height(struct api_request *request, uint64_t *height,
                        const char *text)
{
    struct hash hash;
    bool is_hash = hash_parse(&hash, text) == POT_OK; /* of digits alone too */
    if (strcmp(text, "latest") == 0) {
        *height = request->tip.height;
        return true;
    }
    if (!is_hash && api_parse_u64(height, text) == POT_OK) {
        /* The loop hears of a block behind the store, and who has read of a
         * round in the state may ask for the block that opened it. */
        uint64_t tip = request->tip.height;
        (void)store_tip(api_store(request), &tip, NULL, NULL);
        if (*height > tip) {
            api_reply_error(request, 404, "not_found",
                            "there is no block %llu yet: the latest is %llu",
                            (unsigned long long)*height,
                            (unsigned long long)tip);
        }
        return *height <= tip;
    }
    if (!is_hash) {
        api_reply_error(request, 400, "malformed",
                        "a block goes by its height, its hash or \"latest\"");
        return false;
    }
    enum pot_err err =
        store_get_block_height(api_store(request), &hash, height);
    if (err != POT_OK) {
        api_reply_store_error(request, err, "block");
        return false;
    }
    return true;
}

static void reply_block(struct api_request *request, read_fn *read)
{
    json_t *json;
    uint64_t height;
    size_t size;
    if (!find_height(request, &height, request->args[0])) {
        return;
    }
    enum pot_err err = read(&json, request->config->holdings, height, &size);
    if (err != POT_OK) {
        api_reply_store_error(request, err, "block");
        return;
    }
    api_reply_json(request, 200, json);
}

static void get_block(struct api_request *request)
{
    reply_block(request, read_json);
}

static void get_block_raw(struct api_request *request)
{
    reply_block(request, read_raw);
}

/* ---- lists */

/* Blocks from `from` up to the tip, limit of them or fewer. */
static void reply_list(struct api_request *request, read_fn *read,
                       uint64_t from, size_t limit)
{
    json_t *blocks = json_array();
    size_t bytes = 0;
    uint64_t height = from;
    for (; height <= request->tip.height && limit > 0 && bytes < LIST_BYTES_MAX;
         height++, limit--) {
        json_t *one;
        size_t size;
        enum pot_err err = read(&one, request->config->holdings, height, &size);
        if (err != POT_OK) {
            json_decref(blocks);
            api_reply_store_error(request, err, "block");
            return;
        }
        api_json_add(blocks, one);
        bytes += size;
    }
    json_t *json = json_object();
    api_json_set(json, "blocks", blocks);
    api_json_set(json, "next",
                 height <= request->tip.height ? api_json_count(height)
                                               : json_null());
    api_reply_json(request, 200, json);
}

static void get_list(struct api_request *request, read_fn *read)
{
    size_t limit;
    uint64_t from;
    if (!api_arg_limit(request, &limit, BLOCKS_MAX, 10)) {
        return;
    }
    uint64_t tip = request->tip.height;
    uint64_t first = tip > limit ? tip - limit + 1 : 1;
    if (api_arg_u64(request, &from, "from", INT64_MAX, first)) {
        reply_list(request, read, from > 0 ? from : 1, limit);
    }
}

static void get_blocks(struct api_request *request)
{
    get_list(request, read_json);
}

static void get_blocks_raw(struct api_request *request)
{
    get_list(request, read_raw);
}

/* As it was hashed: to check it without trust. */
static void get_block_bytes(struct api_request *request)
{
    struct buf data;
    uint64_t height;
    if (!find_height(request, &height, request->args[0])) {
        return;
    }
    buf_init(&data, BLOCK_BYTES_MAX);
    enum pot_err err = store_get_block(api_store(request), height, &data);
    if (err == POT_OK) {
        api_reply_bytes(request, 200, "application/octet-stream", &data);
    } else {
        buf_fini(&data);
        api_reply_store_error(request, err, "block");
    }
}

/* ---- routes */

const struct api_route api_block_routes[] = {
    {"GET", "/v1/blocks", .summary = "blocks, by ascending height",
     .answer = "blocks, next", .status = 200, .is_off_loop = true,
     .handler = get_blocks,
     .parameters = {API_FROM("first height; the last blocks if missing"),
                    API_LIMIT("100")}},
    {"GET", "/v1/blocks/raw",
     .summary = "headers and certificates, as their bytes in hex",
     .answer = "blocks: height, header, certificate", .status = 200,
     .is_off_loop = true, .handler = get_blocks_raw,
     .parameters = {API_FROM("first height"), API_LIMIT("100")}},
    {"GET", "/v1/blocks/{block}", .summary = "a block: height, hash or latest",
     .answer = "height, hash, parent, time_ms, view, proposer, state_root,"
               " txs, round_updates, evidence, commit",
     .status = 200, .is_off_loop = true, .handler = get_block},
    {"GET", "/v1/blocks/{block}/bytes",
     .summary = "the bytes of the whole block",
     .type = "application/octet-stream", .status = 200, .is_off_loop = true,
     .handler = get_block_bytes},
    {"GET", "/v1/blocks/{block}/raw",
     .summary = "its header and certificate, as their bytes in hex",
     .answer = "height, header, certificate", .status = 200,
     .is_off_loop = true, .handler = get_block_raw},
    {.method = NULL},
};
