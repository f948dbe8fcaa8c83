#include "config.h"

#include "node/api/api_health.h"

#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/block/chain.h"
#include "node/node.h"
#include "node/round/miner.h"
#include "p2p/net.h"
#include "p2p/sync.h"
#include "proto/certificate.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_SIZE 256
#define STALE_MS  60000 /* without a block */
#define DISK_LOW  ((uint64_t)1 << 30)
#define GRACE_MS  10000 /* for processes to come up */

static void __attribute__((format(printf, 3, 4)))
add_reason(json_t *list, const char *code, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_t *one = json_object();
    api_json_set(one, "code", json_string(code));
    api_json_set(one, "message", api_json_text(text));
    api_json_add(list, one);
}

static void __attribute__((format(printf, 2, 3)))
add_warning(json_t *list, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    api_json_add(list, api_json_text(text));
}

uint32_t api_health_connected(const struct node *node, uint32_t *count)
{
    struct public_key keys[VALIDATORS_MAX];
    struct execution_tip_context context = {node->store};
    const struct state state = execution_tip_state(&context);
    uint32_t connected = 0;
    *count = (uint32_t)ledger_validators(&state, keys);
    for (uint32_t i = 0; i < *count; i++) {
        bool is_own =
            node->validator_key != NULL &&
            public_key_equal(&keys[i], key_public(node->validator_key));
        connected += is_own || net_find(node->net, &keys[i]) != NULL ? 1 : 0;
    }
    return connected;
}

static void check_validators(json_t *list, const struct node *node)
{
    uint32_t count;
    uint32_t connected = api_health_connected(node, &count);
    uint32_t quorum = count > 0 ? validator_set_quorum(count) : 0;
    if (connected < quorum) {
        add_reason(list, "validators",
                   "%u of %u validators in reach, %u are needed", connected,
                   count, quorum);
    }
}

json_t *api_health_reasons(const struct node *node)
{
    json_t *list = json_array();
    if (node->is_stopping) {
        add_reason(list, "stopping", "the node is stopping");
    }
    if (node->fault != POT_OK) {
        add_reason(list, "store", "nothing can be stored: %s",
                   err_text(node->fault));
    }
    if (sync_is_behind(node->sync)) {
        add_reason(list, "syncing", "at height %llu of %llu",
                   (unsigned long long)chain_tip(node->chain)->height,
                   (unsigned long long)sync_target(node->sync));
    }
    if (node->replica != NULL) {
        check_validators(list, node);
    } else if (net_peer_count(node->net) == 0) {
        add_reason(list, "peers", "no peer is connected");
    }
    return list;
}

static void warn_of_store(json_t *list, const struct node *node)
{
    struct store_stats stats;
    if (store_stats(node->store, &stats) == POT_OK &&
        stats.disk_free_bytes < DISK_LOW) {
        add_warning(list, "the disk has only %llu MiB left",
                    (unsigned long long)(stats.disk_free_bytes >> 20));
    }
}

json_t *api_health_warnings(const struct node *node)
{
    json_t *list = json_array();
    uint64_t now = uv_now(&node->loop);
    uint64_t since = node->applied_ms > 0 ? node->applied_ms : node->started_ms;
    if (now - since > STALE_MS) {
        add_warning(list, "no new block for %llu s",
                    (unsigned long long)((now - since) / 1000));
    }
    if (node->miner != NULL && now - node->started_ms > GRACE_MS) {
        struct miner_stats stats;
        miner_stats(node->miner, &stats);
        if (stats.workers.running == 0) {
            add_warning(list, "no training worker is running");
        }
    }
    warn_of_store(list, node);
    return list;
}
