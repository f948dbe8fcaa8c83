/* What the node itself is and does, at a glance. */
#include "config.h"

#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/api/api_health.h"
#include "node/api/api_history.h"
#include "node/api/api_json.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/api/api_workers.h"
#include "node/block/arrival.h"
#include "node/block/chain.h"
#include "node/block/replica.h"
#include "node/hold/chunk_cache.h"
#include "node/hold/holdings.h"
#include "node/hold/snapshots.h"
#include "node/hold/stored.h"
#include "node/round/workers.h"
#include "node/tx/mempool.h"
#include "p2p/net.h"
#include "p2p/sync.h"
#include "proto/codec.h"

#include <string.h>

static json_t *roles_json(const struct api_config *c)
{
    json_t *roles = json_array();
    if (c->replica != NULL) {
        api_json_add(roles, json_string("validator"));
    }
    if (c->miner != NULL) {
        api_json_add(roles, json_string("miner"));
    }
    if (c->aggregator != NULL) {
        api_json_add(roles, json_string("aggregator"));
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
    api_json_set(json, "block_age_ms",
                 api_json_count(api_history_age_ms(tip->time_ms)));
    api_json_set(json, "state_root", api_json_hash(&tip->state_root));
}

/* What a validator does with its vote. */
static const char *vote_text(const struct api_config *c,
                             const struct pbft_status *status)
{
    return status->replica == PBFT_NO_REPLICA ? "not elected"
           : !api_health_can_sign(c)          ? "stopped"
           : !status->is_held                 ? "voting"
           : status->is_recovering            ? "recovering"
                                              : "asking";
}

/* Of one that has staked and is not in the set yet: when it will be. */
static json_t *votes_from(const struct api_config *c, const struct state *state)
{
    struct validator_set next;
    uint32_t index;
    uint64_t height =
        ledger_next_validators(state, chain_tip(c->chain)->height, &next);
    return validator_set_find(&index, &next, key_public(c->validator_key))
               ? api_json_count(height)
               : json_null();
}

static void add_consensus(json_t *json, const struct api_config *c,
                          const struct state *state)
{
    struct validator_set set;
    ledger_validators(state, &set);
    uint64_t view = chain_tip(c->chain)->view;
    if (c->replica != NULL) {
        view = replica_status(c->replica).view;
    }
    api_json_set(json, "view", api_json_count(view));
    api_json_set(json, "primary",
                 set.count > 0
                     ? api_json_address(
                           &set.keys[validator_set_primary(set.count, view)])
                     : json_null());
    api_json_set(json, "validators", json_integer(set.count));
    const char *vote = "";
    if (c->replica != NULL) {
        const struct pbft_status status = replica_status(c->replica);
        vote = vote_text(c, &status);
        api_json_set(json, "vote", json_string(vote));
        api_json_set(json, "votes_from_height",
                     status.replica == PBFT_NO_REPLICA ? votes_from(c, state)
                                                       : json_null());
    }
    api_json_set(json, "voting", json_boolean(strcmp(vote, "voting") == 0));
}

static void add_sync(json_t *json, const struct sync *sync)
{
    struct sync_progress p;
    sync_progress(sync, &p);
    api_json_set(json, "syncing", json_boolean(sync_is_behind(sync)));
    api_json_set(json, "synced", json_boolean(!sync_is_behind(sync)));
    api_json_set(json, "sync_target", api_json_count(p.target));
    api_json_set(json, "sync_rate",
                 p.is_rate_known ? json_real((double)p.rate / 1000.0)
                                 : json_null());
    api_json_set(json, "sync_eta_s",
                 p.eta_s == UINT64_MAX ? json_null() : api_json_count(p.eta_s));
    api_json_set(json, "sync_peers", api_json_count(p.peers_asked));
}

/* What is taken of a snapshot, and what others can have here. */
static void add_snapshot(json_t *json, const struct api_config *c)
{
    struct arrival_progress p;
    json_t *taking = json_null();
    uint64_t newest = snapshots_newest(c->holdings->snapshots);
    arrival_progress(c->arrival, &p);
    if (p.is_under_way) {
        taking = json_object();
        api_json_set(taking, "part", json_string(p.phase));
        api_json_set(taking, "height", api_json_count(p.height));
        api_json_set(taking, "done", api_json_count(p.done));
        api_json_set(taking, "of", api_json_count(p.all));
    }
    api_json_set(json, "taking_snapshot", taking);
    api_json_set(json, "newest_snapshot", api_json_count(newest));
}

static void add_work(json_t *json, const struct api_config *c,
                     const struct state *state)
{
    Pot__HashList *running = ledger_running(state);
    struct workers_stats workers;
    api_workers_stats(c, &workers);
    api_json_set(json, "peers", api_json_count(net_peer_count(c->net)));
    add_sync(json, c->sync);
    add_snapshot(json, c);
    api_json_set(json, "lowest_block",
                 api_json_count(sync_status(c->sync)->lowest));
    api_json_set(json, "mempool_txs",
                 api_json_count(mempool_count(c->mempool)));
    api_json_set(json, "tasks_running", api_json_count(running->n_hashes));
    codec_free(running);
    api_json_set(json, "worker_core",
                 workers.core[0] != '\0' ? api_json_text(workers.core)
                                         : json_null());
}

/* null: training sets are held whole. */
static json_t *data_cache_json(const struct holdings *holdings)
{
    struct chunk_cache_stats stats;
    if (holdings->chunks == NULL) {
        return json_null();
    }
    chunk_cache_stats(holdings->chunks, &stats);
    json_t *json = json_object();
    api_json_set(json, "bytes_max", api_json_count(stats.bytes_max));
    api_json_set(json, "bytes", api_json_count(stats.bytes));
    api_json_set(json, "hits", api_json_count(stats.hits));
    api_json_set(json, "misses", api_json_count(stats.misses));
    api_json_set(json, "evictions", api_json_count(stats.evictions));
    return json;
}

static void get_status(struct api_request *request)
{
    const struct api_config *c = request->config;
    const struct state state = api_state(request);
    json_t *json = json_object();
    api_json_set(json, "version", json_string(PACKAGE_VERSION));
    api_json_set(json, "protocol", json_integer(PROTOCOL_VERSION));
    api_json_set(json, "chain_id", api_json_text(c->genesis->chain_id));
    api_json_set(json, "node", api_json_address(key_public(c->node_key)));
    api_json_set(json, "validator",
                 c->validator_key != NULL
                     ? api_json_address(key_public(c->validator_key))
                     : json_null());
    api_json_set(json, "miner",
                 c->miner_key != NULL
                     ? api_json_address(key_public(c->miner_key))
                     : json_null());
    api_json_set(json, "moniker", api_json_text(c->moniker));
    api_json_set(json, "roles", roles_json(c));
    add_tip(json, &request->tip);
    add_consensus(json, c, &state);
    add_work(json, c, &state);
    api_health_add(json, c, request->history);
    api_json_set(json, "data_cache", data_cache_json(c->holdings));
    api_json_set(json, "uptime_ms",
                 api_json_count(uv_now(c->loop) - request->history->opened_ms));
    api_json_set(json, "warnings", api_health_warnings(c, request->history));
    api_reply_json(request, 200, json);
}

/* ---- routes */

const struct api_route api_status_routes[] = {
    {"GET", "/v1/status", .summary = "the node and the chain at a glance",
     .answer = "version, protocol, chain_id, node, validator, miner,"
               " moniker, roles, height, block_hash, block_time_ms, "
               "block_age_ms, state_root, view,"
               " primary,"
               " validators, voting, vote, votes_from_height (a validator's),"
               " peers, syncing,"
               " mempool_txs, tasks_running, ready, reasons (as /readyz),"
               " validators_in_reach, validators_missing (addresses), "
               "data_cache (null: training sets are held whole)",
     .status = 200, .handler = get_status},
    {.method = NULL},
};
