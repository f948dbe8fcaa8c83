/* Blocks, parameters and proofs. */
#include "config.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_route.h"
#include "node/node.h"
#include "proto/codec.h"
#include "proto/genesis_params.h"
#include "proto/state_proof.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 100
/* A list ends early once so many bytes of blocks were read for it. */
#define LIST_BYTES_MAX ((size_t)16 << 20)
#define PROOF_TRIES    4

/* The height that "12", "latest" or a hash names; false: it has replied. */
static bool find_height(struct api_request *request, uint64_t *height,
                        const char *text)
{
    struct hash hash;
    if (strcmp(text, "latest") == 0) {
        *height = request->tip.height;
        return true;
    }
    if (api_parse_u64(height, text) == POT_OK) {
        return true;
    }
    if (hash_parse(&hash, text) != POT_OK) {
        api_reply_error(request, 400, "malformed",
                        "a block goes by its height, its hash or \"latest\"");
        return false;
    }
    enum pot_err err =
        store_get_block_height(request->node->store, &hash, height);
    if (err != POT_OK) {
        api_reply_store_error(request, err, "block");
        return false;
    }
    return true;
}

void api_get_block(struct api_request *request)
{
    json_t *json;
    uint64_t height;
    if (!find_height(request, &height, request->args[0])) {
        return;
    }
    enum pot_err err =
        api_read_block_json(&json, &request->node->env, height, NULL);
    if (err != POT_OK) {
        api_reply_store_error(request, err, "block");
        return;
    }
    api_reply_json(request, 200, json);
}

static enum pot_err read_raw(json_t **out, const struct api_request *request,
                             uint64_t height, size_t *size)
{
    struct block *block;
    struct buf certificate;
    struct store *store = request->node->store;
    buf_init(&certificate, BLOCK_BYTES_MAX);
    *out = NULL;
    enum pot_err err = api_read_block(&block, store, height, size);
    if (err == POT_OK) {
        err = store_get_certificate(store, height, &certificate);
    }
    if (err == POT_OK) {
        ProtobufCBinaryData header = block->body->header;
        *out = json_object();
        api_json_set(*out, "height", api_json_count(height));
        api_json_set(*out, "header", api_json_hex(header.data, header.len));
        api_json_set(*out, "certificate",
                     api_json_hex(certificate.data, certificate.size));
    }
    buf_fini(&certificate);
    block_free(block);
    return err;
}

void api_get_block_raw(struct api_request *request)
{
    json_t *json;
    uint64_t height;
    if (!find_height(request, &height, request->args[0])) {
        return;
    }
    enum pot_err err = read_raw(&json, request, height, NULL);
    if (err != POT_OK) {
        api_reply_store_error(request, err, "block");
        return;
    }
    api_reply_json(request, 200, json);
}

/* Blocks from `from` up to the tip, limit of them or fewer. */
static void reply_blocks(struct api_request *request, bool is_raw,
                         uint64_t from, size_t limit)
{
    json_t *blocks = json_array();
    size_t bytes = 0;
    uint64_t height = from;
    for (; height <= request->tip.height && limit > 0 && bytes < LIST_BYTES_MAX;
         height++, limit--) {
        json_t *one;
        size_t size;
        enum pot_err err =
            is_raw
                ? read_raw(&one, request, height, &size)
                : api_read_block_json(&one, &request->node->env, height, &size);
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

static void get_list(struct api_request *request, bool is_raw)
{
    size_t limit;
    uint64_t from;
    if (!api_arg_limit(request, &limit, BLOCKS_MAX, 10)) {
        return;
    }
    uint64_t tip = request->tip.height;
    uint64_t first = tip > limit ? tip - limit + 1 : 1;
    if (api_arg_u64(request, &from, "from", INT64_MAX, first)) {
        reply_blocks(request, is_raw, from > 0 ? from : 1, limit);
    }
}

void api_get_blocks(struct api_request *request)
{
    get_list(request, false);
}

void api_get_blocks_raw(struct api_request *request)
{
    get_list(request, true);
}

/* ---- parameters */

void api_get_params(struct api_request *request)
{
    const Pot__Genesis *genesis = request->node->genesis;
    struct execution_tip_context context;
    const struct state state = api_state(request, &context);
    Pot__SupplyRecord *supply = ledger_supply(&state);
    if (supply == NULL || supply->params == NULL) {
        codec_free(supply);
        api_reply_store_error(request, POT_EIO, "parameters");
        return;
    }
    json_t *json = json_object();
    api_json_set(json, "chain_id", api_json_text(genesis->chain_id));
    api_json_set(json, "genesis_hash",
                 api_json_hash(&request->node->env.genesis_hash));
    api_json_set(json, "genesis_time_ms", api_json_count(genesis->time_ms));
    for (size_t i = 0; i < GENESIS_PARAM_COUNT; i++) {
        const struct genesis_param *p = &genesis_params[i];
        uint64_t value = genesis_param_get(supply->params, p);
        api_json_set(json, p->key,
                     p->type == GENESIS_PARAM_AMOUNT ? api_json_amount(value)
                                                     : api_json_count(value));
    }
    api_json_set(json, "supply", api_json_amount(supply->supply));
    codec_free(supply);
    api_reply_json(request, 200, json);
}

/* ---- proofs */

struct proven {
    struct state_proof proof;
    struct buf value;
    bool has_value;
    struct hash root;
    uint64_t height;
};

/* The value and the proof are read one after the other; a block that came
 * between them shows when they are held against each other. */
static enum pot_err read_proof(struct proven *p, struct store *store,
                               const void *key, size_t size)
{
    for (unsigned i = 0; i < PROOF_TRIES; i++) {
        enum pot_err err = store_state_get(store, key, size, &p->value);
        p->has_value = err == POT_OK;
        if (err != POT_OK && err != POT_ENOENT) {
            return err;
        }
        state_proof_fini(&p->proof);
        err = store_state_proof(store, key, size, &p->proof, &p->root,
                                &p->height);
        if (err != POT_OK) {
            return err;
        }
        /* An empty value stands for itself, not for none. */
        const void *value = p->value.data != NULL ? p->value.data : key;
        if (state_proof_verify(&p->root, key, size, p->has_value ? value : NULL,
                               p->value.size, &p->proof)) {
            return POT_OK;
        }
    }
    return POT_EBUSY;
}

static json_t *proof_json(const struct proven *p, const char *key)
{
    json_t *json = json_object();
    json_t *siblings = json_array();
    for (size_t i = 0; i < STATE_LEVELS; i++) {
        api_json_add(siblings, api_json_hash(&p->proof.siblings[i]));
    }
    api_json_set(json, "key", json_string(key));
    api_json_set(json, "height", api_json_count(p->height));
    api_json_set(json, "state_root", api_json_hash(&p->root));
    api_json_set(json, "value",
                 p->has_value ? api_json_hex(p->value.data, p->value.size)
                              : json_null());
    api_json_set(json, "bucket",
                 api_json_hex(p->proof.bucket.data, p->proof.bucket.size));
    api_json_set(json, "siblings", siblings);
    return json;
}

void api_get_proof(struct api_request *request)
{
    struct proven proven = {0};
    uint8_t key[API_ARG_SIZE / 2];
    const char *text = request->args[0];
    size_t size = strlen(text) / 2;
    if (size == 0 || hex_parse(key, size, text) != POT_OK) {
        api_reply_error(request, 400, "malformed",
                        "a key is given in lower-case hex digits");
        return;
    }
    buf_init(&proven.value, STORE_VALUE_MAX);
    enum pot_err err = read_proof(&proven, request->node->store, key, size);
    if (err == POT_OK) {
        api_reply_json(request, 200, proof_json(&proven, text));
    } else {
        api_reply_store_error(request, err, "proof");
    }
    state_proof_fini(&proven.proof);
    buf_fini(&proven.value);
}
