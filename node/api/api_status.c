/* What the node itself is and does. */
#include "config.h"

#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/api/api_health.h"
#include "node/api/api_json.h"
#include "node/api/api_route.h"
#include "node/api/api_server.h"
#include "node/block/chain.h"
#include "node/block/replica.h"
#include "node/node.h"
#include "node/round/miner.h"
#include "node/tx/mempool.h"
#include "p2p/net.h"
#include "p2p/sync.h"
#include "proto/codec.h"

#define INDEX_BYTES_MAX ((size_t)1 << 20)

void api_get_index(struct api_request *request)
{
    struct buf body;
    buf_init(&body, INDEX_BYTES_MAX);
    api_route_index(&body);
    api_reply_bytes(request, 200, "text/html; charset=utf-8", &body);
}

void api_get_openapi(struct api_request *request)
{
    api_reply_json(request, 200, api_route_openapi());
}

/* ---- status */

static json_t *roles_json(const struct node *node)
{
    json_t *roles = json_array();
    if (node->replica != NULL) {
        api_json_add(roles, json_string("validator"));
    }
    if (node->miner != NULL) {
        api_json_add(roles, json_string("miner"));
    }
    if (json_array_size(roles) == 0) {
        api_json_add(roles, json_string("observer"));
    }
    return roles;
}

static void add_tip(json_t *json, const struct chain_tip *tip)
{
    api_json_set(json, "height", api_json_count(tip->height));
    api_json_set(json, "block_hash", api_json_hash(&tip->hash));
    api_json_set(json, "block_time_ms", api_json_count(tip->time_ms));
    api_json_set(json, "state_root", api_json_hash(&tip->state_root));
}

static void add_consensus(json_t *json, const struct node *node,
                          const struct state *state)
{
    struct public_key keys[VALIDATORS_MAX];
    uint32_t count = (uint32_t)ledger_validators(state, keys);
    uint64_t view = chain_tip(node->chain)->view;
    if (node->replica != NULL) {
        view = replica_status(node->replica).view;
    }
    api_json_set(json, "view", api_json_count(view));
    api_json_set(
        json, "primary",
        count > 0 ? api_json_address(&keys[validator_set_primary(count, view)])
                  : json_null());
    api_json_set(json, "validators", json_integer(count));
}

static void add_work(json_t *json, const struct node *node,
                     const struct state *state)
{
    Pot__HashList *running = ledger_running(state);
    const char *core = node->miner != NULL ? miner_core(node->miner) : "";
    api_json_set(json, "peers", api_json_count(net_peer_count(node->net)));
    api_json_set(json, "syncing", json_boolean(sync_is_behind(node->sync)));
    api_json_set(json, "sync_target", api_json_count(sync_target(node->sync)));
    api_json_set(json, "mempool_txs",
                 api_json_count(mempool_count(node->mempool)));
    api_json_set(json, "tasks_running", api_json_count(running->n_hashes));
    codec_free(running);
    api_json_set(json, "worker_core",
                 core[0] != '\0' ? api_json_text(core) : json_null());
}

void api_get_status(struct api_request *request)
{
    const struct node *node = request->node;
    struct execution_tip_context context;
    const struct state state = api_state(request, &context);
    json_t *json = json_object();
    api_json_set(json, "version", json_string(PACKAGE_VERSION));
    api_json_set(json, "protocol", json_integer(PROTOCOL_VERSION));
    api_json_set(json, "chain_id", api_json_text(node->genesis->chain_id));
    api_json_set(json, "node", api_json_address(key_public(node->node_key)));
    api_json_set(json, "validator",
                 node->validator_key != NULL
                     ? api_json_address(key_public(node->validator_key))
                     : json_null());
    api_json_set(json, "miner",
                 node->miner_key != NULL
                     ? api_json_address(key_public(node->miner_key))
                     : json_null());
    api_json_set(json, "moniker", api_json_text(node->config->moniker));
    api_json_set(json, "roles", roles_json(node));
    add_tip(json, &request->tip);
    add_consensus(json, node, &state);
    add_work(json, node, &state);
    api_json_set(json, "uptime_ms",
                 api_json_count(uv_now(&node->loop) - node->started_ms));
    api_json_set(json, "warnings", api_health_warnings(node));
    api_reply_json(request, 200, json);
}

/* ---- health */

void api_get_live(struct api_request *request)
{
    json_t *json = json_object();
    api_json_set(json, "live", json_true());
    api_reply_json(request, 200, json);
}

void api_get_ready(struct api_request *request)
{
    json_t *reasons = api_health_reasons(request->node);
    bool is_ready = json_array_size(reasons) == 0;
    json_t *json = json_object();
    api_json_set(json, "ready", json_boolean(is_ready));
    api_json_set(json, "reasons", reasons);
    api_reply_json(request, is_ready ? 200 : 503, json);
}

void api_get_metrics(struct api_request *request)
{
    struct buf body;
    buf_init(&body, METRICS_BYTES_MAX);
    metrics_write(&body, request->api->metrics, request->api);
    api_reply_bytes(request, 200, "text/plain; version=0.0.4; charset=utf-8",
                    &body);
}

/* ---- peers */

static json_t *peer_json(const struct node *node, const struct peer *peer)
{
    struct sync_status status;
    bool is_known = sync_peer_status(node->sync, peer, &status);
    uint32_t rtt_us = peer_rtt_us(peer);
    json_t *json = json_object();
    api_json_set(json, "address", api_json_address(peer_key(peer)));
    api_json_set(json, "moniker", api_json_text(peer_moniker(peer)));
    api_json_set(json, "host", api_json_text(peer_address(peer)));
    api_json_set(json, "direction",
                 json_string(peer_is_outbound(peer) ? "outbound" : "inbound"));
    api_json_set(json, "height",
                 is_known ? api_json_count(status.height) : json_null());
    api_json_set(json, "rtt_ms",
                 rtt_us > 0 ? json_real((double)rtt_us / 1000.0) : json_null());
    api_json_set(json, "bytes_in", api_json_count(peer_bytes_in(peer)));
    api_json_set(json, "bytes_out", api_json_count(peer_bytes_out(peer)));
    return json;
}

void api_get_peers(struct api_request *request)
{
    const struct node *node = request->node;
    json_t *list = json_array();
    for (size_t i = 0; i < net_peer_count(node->net); i++) {
        api_json_add(list, peer_json(node, net_peer_at(node->net, i)));
    }
    json_t *json = json_object();
    api_json_set(json, "peers", list);
    api_reply_json(request, 200, json);
}
