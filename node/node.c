#include "config.h"

#include "node/node.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "base/log.h"
#include "node/block/chain.h"
#include "node/node_parts.h"
#include "node/reload.h"
#include "node/startup.h"
#include "node/stopping.h"

#include <signal.h>
#include <stdlib.h>

static void on_signal(uv_signal_t *handle, int number)
{
    struct node *node = handle->data;
    if (number != SIGHUP) {
        stopping_begin(node);
    } else if (!node->is_stopping) {
        reload(node);
    }
}

static const int signal_numbers[NODE_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

static void open_signals(struct node *node)
{
    for (size_t i = 0; i < NODE_SIGNALS; i++) {
        (void)uv_signal_init(&node->loop, &node->signals[i]);
        node->signals[i].data = node;
        (void)uv_signal_start(&node->signals[i], on_signal, signal_numbers[i]);
    }
    (void)uv_timer_init(&node->loop, &node->late);
}

/* Closed by libuv, they would end us again; what is left to do is little. */
static void ignore_signals(void)
{
    for (size_t i = 0; i < NODE_SIGNALS; i++) {
        (void)signal(signal_numbers[i], SIG_IGN);
    }
}

static void start(struct node *node)
{
    char text[ADDRESS_TEXT_SIZE];
    LOG(LOG_INFO, "node", "started",
        log_text("address", address_format(key_public(node->node_key), text)),
        log_text("moniker", node->config->moniker),
        log_u64("height", chain_tip(node->chain)->height),
        log_text("p2p", node->config->p2p_listen),
        log_text("api",
                 node->config->api_enabled ? node->config->api_listen : "off"),
        log_text("validator", node->validator_key != NULL ? "yes" : "no"),
        log_text("miner", node->miner_key != NULL ? "yes" : "no"),
        log_text("aggregator",
                 node->config->aggregator_enabled ? "yes" : "no"));
    node_parts_start(node);
}

static void on_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

struct node *node_begin(const struct node_config *config)
{
    struct node *node = pot_calloc(1, sizeof(*node));
    node->config = config;
    int rc = uv_loop_init(&node->loop);
    POT_ASSERT(rc == 0);
    node->is_open = startup_open(node);
    if (!node->is_open) {
        return node;
    }
    open_signals(node);
    if (node_parts_open(node)) {
        start(node);
    } else {
        stopping_begin(node);
    }
    return node;
}

enum exit_code node_end(struct node *node)
{
    if (node->is_open) {
        uv_walk(&node->loop, on_handle, NULL); /* signals, the late timer */
        (void)uv_run(&node->loop, UV_RUN_DEFAULT);
        ignore_signals();
        node_parts_free(node);
    }
    startup_close(node);
    int rc = uv_loop_close(&node->loop);
    POT_ASSERT(rc == 0);
    enum exit_code code = node->exit_code;
    free(node);
    return code;
}

enum exit_code node_run(const struct node_config *config)
{
    cpu_time_sample();
    struct node *node = node_begin(config);
    (void)uv_run(&node->loop, UV_RUN_DEFAULT);
    return node_end(node);
}
