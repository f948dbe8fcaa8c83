/* What the chain was made with, and proofs of what it holds. */
#include "config.h"

#include "base/hex.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "proto/genesis_params.h"
#include "proto/state_proof.h"
#include "storage/store.h"

#include <string.h>

#define PROOF_TRIES 4

/* ---- parameters */

static void get_params(struct api_request *request)
{
    const Pot__Genesis *genesis = request->config->genesis;
    const struct state state = api_state(request);
    Pot__SupplyRecord *supply = ledger_supply(&state);
    if (supply == NULL || supply->params == NULL) {
        codec_free(supply);
        api_reply_store_error(request, POT_EIO, "parameters");
        return;
    }
    json_t *json = json_object();
    api_json_set(json, "chain_id", api_json_text(genesis->chain_id));
    api_json_set(json, "genesis_hash",
                 api_json_hash(&request->config->holdings->genesis_hash));
    api_json_set(json, "genesis_time_ms", api_json_count(genesis->time_ms));
    for (size_t i = 0; i < GENESIS_PARAM_COUNT; i++) {
        const struct genesis_param *p = &genesis_params[i];
        uint64_t value = genesis_param_get(supply->params, p);
        api_json_set(json, p->key,
                     p->type == GENESIS_PARAM_AMOUNT ? api_json_amount(value)
                                                     : api_json_count(value));
    }
    api_json_set(json, "supply", api_json_amount(supply->supply));
    api_json_set(json, "burnt", api_json_amount(supply->burnt));
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

static void get_proof(struct api_request *request)
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
    enum pot_err err = read_proof(&proven, api_store(request), key, size);
    if (err == POT_OK) {
        api_reply_json(request, 200, proof_json(&proven, text));
    } else {
        api_reply_store_error(request, err, "proof");
    }
    state_proof_fini(&proven.proof);
    buf_fini(&proven.value);
}

/* ---- routes */

const struct api_route api_chain_routes[] = {
    {"GET", "/v1/params", .summary = "what the chain was made with",
     .answer = "chain_id, genesis_hash, genesis_time_ms, its parameters",
     .status = 200, .handler = get_params},
    {"GET", "/v1/proofs/{key}",
     .summary = "a state record and its proof; the key in hex",
     .answer = "key, height, state_root, value, bucket, siblings",
     .status = 200, .is_off_loop = true, .handler = get_proof},
    {.method = NULL},
};
