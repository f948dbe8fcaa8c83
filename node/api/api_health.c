#include "config.h"

#include "node/api/api_health.h"

#include "base/err.h"
#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/api/api_history.h"
#include "node/api/api_json.h"
#include "node/api/api_progress.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/api/api_workers.h"
#include "node/block/chain.h"
#include "node/block/guard.h"
#include "node/block/remote_signer.h"
#include "node/block/replica.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/miner.h"
#include "p2p/net.h"
#include "p2p/sync.h"
#include "proto/validator_set.h"
#include "storage/store.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_SIZE 256
#define STALE_MS  60000 /* without a block */
#define DISK_LOW  ((uint64_t)1 << 30)
#define GRACE_MS  10000 /* for processes to come up */

static json_t *__attribute__((format(printf, 1, 2)))
sentence(const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return api_json_text(text);
}

/* Which validators of the next height this node reaches, itself among them. */
struct reach {
    struct validator_set set;
    bool is_there[VALIDATORS_MAX];
    uint32_t connected;
};

static void find_reach(struct reach *out, const struct api_config *config)
{
    const struct state state = stored_state(config->holdings->store);
    const struct key *own = config->validator_key;
    *out = (struct reach){0};
    ledger_validators(&state, &out->set);
    for (uint32_t i = 0; i < out->set.count; i++) {
        const struct public_key *key = &out->set.keys[i];
        out->is_there[i] =
            (own != NULL && public_key_equal(key, key_public(own))) ||
            net_find(config->net, key) != NULL;
        out->connected += out->is_there[i] ? 1 : 0;
    }
}

uint32_t api_health_connected(const struct api_config *config, uint32_t *count)
{
    struct reach reach;
    find_reach(&reach, config);
    *count = reach.set.count;
    return reach.connected;
}

/* ---- ready */

/* Takes message. */
static void add_reason(json_t *list, const char *code, json_t *message)
{
    json_t *one = json_object();
    api_json_set(one, "code", json_string(code));
    api_json_set(one, "message", message);
    api_json_add(list, one);
}

/* Of those in reach, others than this one, who may be one too. */
static uint32_t count_recovering(const struct api_config *config)
{
    const struct guard *guard = replica_guard(config->replica);
    uint32_t count = 0;
    for (uint32_t i = 0; i < guard->set.count; i++) {
        const struct public_key *key = &guard->set.keys[i];
        count += guard_is_recovering(guard, key) &&
                         net_find(config->net, key) != NULL
                     ? 1
                     : 0;
    }
    return count;
}

static void check_validators(json_t *list, const struct api_config *config,
                             const struct reach *reach)
{
    uint32_t count = reach->set.count;
    uint32_t connected = reach->connected;
    uint32_t recovering = count_recovering(config);
    uint32_t quorum = count > 0 ? validator_set_quorum(count) : 0;
    if (connected < quorum) {
        add_reason(list, "validators",
                   sentence("%u of %u validators in reach, %u are needed",
                            connected, count, quorum));
    } else if (connected < quorum + recovering) {
        add_reason(list, "validators",
                   sentence("%u of %u validators in reach, but %u of them"
                            " recover and do not vote; %u are needed",
                            connected, count, recovering, quorum));
    }
}

/* A validator that does not vote, and why: node/block/guard.h. */
static void check_guard(json_t *list, const struct api_config *config)
{
    const struct pbft_status status = replica_status(config->replica);
    const struct guard *guard = replica_guard(config->replica);
    if (!status.is_held || status.replica == PBFT_NO_REPLICA) {
        return;
    }
    const char *code = status.is_recovering ? "recovering" : "asking";
    uint64_t height;
    if (guard->set.count == 0) { /* it begins again */
        add_reason(list, code,
                   sentence("no votes until the validators' set is"
                            " read"));
    } else if (guard_height(&height, guard)) {
        add_reason(list, code,
                   sentence("no votes until this node is at height %llu, past"
                            " all that its key may have signed; it is at %llu",
                            (unsigned long long)height,
                            (unsigned long long)guard->tip));
    } else if (status.is_recovering) {
        add_reason(list, code,
                   sentence("no votes until the chain is past all that this"
                            " key may have signed: %u of %u validators have"
                            " said where they are",
                            guard_count(guard), guard_needed(guard)));
    } else {
        add_reason(list, code,
                   sentence("no votes until others have said what this key"
                            " signed last: %u of %u have",
                            guard_count(guard), guard_needed(guard)));
    }
}

static bool is_stalled(const struct api_config *config,
                       const struct api_history *history)
{
    struct pbft_status status = {.replica = PBFT_NO_REPLICA};
    if (config->replica != NULL) {
        status = replica_status(config->replica);
    }
    const struct api_progress progress = {
        .is_validator = status.replica != PBFT_NO_REPLICA,
        .is_held = status.is_held,
        .is_behind = sync_is_behind(config->sync),
        .peers = net_peer_count(config->net),
        .stale_ms = uv_now(config->loop) - history->applied_ms,
        .patience_ms = config->patience_ms,
    };
    return api_progress_is_stalled(&progress);
}

static void check_progress(json_t *list, const struct api_config *config,
                           const struct api_history *history)
{
    uint64_t stale_ms = uv_now(config->loop) - history->applied_ms;
    if (is_stalled(config, history)) {
        add_reason(
            list, "stalled",
            sentence("no block for %llu s, though the settings explain %llu at"
                     " most: a validator in reach may be unable to vote; look"
                     " at `potctl status` of each",
                     (unsigned long long)(stale_ms / 1000),
                     (unsigned long long)(config->patience_ms / 1000)));
    }
}

static bool has_signer(const struct api_config *config)
{
    struct remote_signer_stats stats = {.is_up = true};
    if (config->signer != NULL) {
        remote_signer_stats(config->signer, &stats);
    }
    return stats.is_up;
}

bool api_health_can_sign(const struct api_config *config)
{
    return store_health(config->holdings->store) == STORE_SOUND &&
           has_signer(config);
}

static json_t *reasons(const struct api_config *config,
                       const struct api_history *history,
                       const struct reach *reach)
{
    json_t *list = json_array();
    enum store_health health = store_health(config->holdings->store);
    if (health != STORE_SOUND) {
        char text[STORE_HEALTH_TEXT_SIZE];
        add_reason(
            list, store_health_name(health),
            sentence("nothing is stored or signed: %s",
                     store_health_text(text, config->holdings->store, health)));
    }
    if (sync_is_behind(config->sync)) {
        add_reason(
            list, "syncing",
            sentence("at height %llu of %llu",
                     (unsigned long long)chain_tip(config->chain)->height,
                     (unsigned long long)sync_target(config->sync)));
    }
    if (config->replica != NULL) {
        check_validators(list, config, reach);
        check_guard(list, config);
        if (!has_signer(config)) {
            add_reason(list, "signer",
                       sentence("no votes: pot-signer does not answer"));
        }
    } else if (net_peer_count(config->net) == 0) {
        add_reason(list, "peers", sentence("no peer is connected"));
    }
    check_progress(list, config, history);
    return list;
}

static bool add_ready(json_t *json, const struct api_config *config,
                      const struct api_history *history,
                      const struct reach *reach)
{
    json_t *list = reasons(config, history, reach);
    bool is_ready = json_array_size(list) == 0;
    api_json_set(json, "ready", json_boolean(is_ready));
    api_json_set(json, "reasons", list);
    return is_ready;
}

static void get_ready(struct api_request *request)
{
    struct reach reach;
    json_t *json = json_object();
    find_reach(&reach, request->config);
    bool is_ready = add_ready(json, request->config, request->history, &reach);
    api_reply_json(request, is_ready ? 200 : 503, json);
}

void api_health_add(json_t *json, const struct api_config *config,
                    const struct api_history *history)
{
    struct reach reach;
    json_t *missing = json_array();
    find_reach(&reach, config);
    (void)add_ready(json, config, history, &reach);
    for (uint32_t i = 0; i < reach.set.count; i++) {
        if (!reach.is_there[i]) {
            api_json_add(missing, api_json_address(&reach.set.keys[i]));
        }
    }
    api_json_set(json, "validators_in_reach", json_integer(reach.connected));
    api_json_set(json, "validators_missing", missing);
}

static void get_live(struct api_request *request)
{
    json_t *json = json_object();
    api_json_set(json, "live", json_true());
    api_reply_json(request, 200, json);
}

/* ---- warnings */

static void warn_of_miner(json_t *list, const struct miner *miner)
{
    struct miner_stats stats;
    miner_stats(miner, &stats);
    if (stats.workers.running == 0) {
        api_json_add(list, sentence("no training worker is running"));
    }
}

static void warn_of_workers(json_t *list, const struct api_config *config)
{
    struct workers_stats stats;
    api_workers_stats(config, &stats);
    if (stats.failing > 0) {
        api_json_add(list, sentence("training workers are lost again and again"
                                    " (%u now): see \"worker lost\" in the log",
                                    stats.failing));
    }
    if (stats.silent > 0) {
        api_json_add(list, sentence("training workers do not answer (%u now);"
                                    " at their deadline they are started again",
                                    stats.silent));
    }
}

static void warn_of_store(json_t *list, struct store *store)
{
    struct store_stats stats;
    if (store_stats(store, &stats) == POT_OK &&
        stats.disk_free_bytes < DISK_LOW) {
        api_json_add(
            list,
            sentence("the disk has only %llu MiB left; below"
                     " storage.min_free_mb = %llu nothing is stored or signed",
                     (unsigned long long)(stats.disk_free_bytes >> 20),
                     (unsigned long long)(stats.min_free_bytes >> 20)));
    }
}

json_t *api_health_warnings(const struct api_config *config,
                            const struct api_history *history)
{
    json_t *list = json_array();
    uint64_t now = uv_now(config->loop);
    uint64_t stale_ms = now - history->applied_ms;
    if (stale_ms > STALE_MS && !is_stalled(config, history)) {
        api_json_add(list, sentence("no new block for %llu s",
                                    (unsigned long long)(stale_ms / 1000)));
    }
    if (config->miner != NULL && now - history->opened_ms > GRACE_MS) {
        warn_of_miner(list, config->miner);
    }
    warn_of_workers(list, config);
    warn_of_store(list, config->holdings->store);
    return list;
}

/* ---- routes */

const struct api_route api_health_routes[] = {
    {"GET", "/livez", .summary = "whether the node's loop turns",
     .answer = "live", .status = 200, .handler = get_live},
    {"GET", "/readyz",
     .summary = "whether the node is up to date and can do its part; 503 if"
                " not",
     .answer = "ready, reasons: code, message", .status = 200,
     .handler = get_ready},
    {.method = NULL},
};
