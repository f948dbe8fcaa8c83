#include "config.h"

#include "node/stopping.h"

#include "base/log.h"
#include "node/api/api.h"
#include "node/block/arrival.h"
#include "node/block/chain.h"
#include "node/block/headers.h"
#include "node/block/needs.h"
#include "node/block/pruning.h"
#include "node/block/replica.h"
#include "node/mending.h"
#include "node/node_parts.h"
#include "node/round/aggregator.h"
#include "node/round/miner.h"
#include "node/round/rounds.h"
#include "node/tx/evidence_pool.h"
#include "node/tx/intake.h"
#include "p2p/net.h"

#include <stdlib.h>

#define STOP_DEADLINE_MS 4500

static void on_late(uv_timer_t *timer)
{
    (void)timer;
    LOG(LOG_ERROR, "node", "stopping takes too long",
        log_u64("deadline_ms", STOP_DEADLINE_MS));
    _Exit(EXIT_CODE_FAILED);
}

/* They are still heard, so that a second one does not end us halfway, but do
 * not keep the loop at work. */
static void stop_signals(struct node *node)
{
    for (size_t i = 0; i < NODE_SIGNALS; i++) {
        uv_unref((uv_handle_t *)&node->signals[i]);
    }
    (void)uv_timer_start(&node->late, on_late, STOP_DEADLINE_MS, 0);
    uv_unref((uv_handle_t *)&node->late);
}

/* In this order: nobody is called by a part that was stopped before it. */
static void stop_parts(struct node *node)
{
    if (node->api != NULL) {
        api_close(node->api);
        node->api = NULL;
    }
    mending_stop(&node->mending);
    if (node->replica != NULL) {
        replica_stop(node->replica);
    }
    if (node->miner != NULL) {
        miner_stop(node->miner);
    }
    if (node->aggregator != NULL) {
        aggregator_stop(node->aggregator);
    }
    if (node->rounds != NULL) {
        rounds_stop(node->rounds);
        intake_stop(node->intake);
        evidence_pool_stop(node->evidence);
    }
    if (node->needs != NULL) {
        needs_stop(node->needs);
    }
    if (node->arrival != NULL) {
        arrival_stop(node->arrival);
        headers_stop(node->headers);
    }
    if (node->pruning != NULL) {
        pruning_stop(node->pruning);
    }
    if (node->chain != NULL) {
        chain_stop(node->chain);
    }
    if (node->net != NULL) {
        net_close(node->net, NULL, NULL);
    }
}

void stopping_begin(struct node *node)
{
    if (node->is_stopping) {
        return;
    }
    node->is_stopping = true;
    LOG(LOG_INFO, "node", "stopping",
        log_u64("height",
                node->chain != NULL ? chain_tip(node->chain)->height : 0));
    stop_parts(node);
    stop_signals(node);
}
