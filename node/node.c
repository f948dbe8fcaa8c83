/* The parts are opened bottom up and closed in two steps: stop, after which
 * none begins anything new, and, once the loop has run out of work, free. */
#include "config.h"

#include "node/node.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "node/api/api.h"
#include "node/block/catch_up.h"
#include "node/block/chain.h"
#include "node/block/needs.h"
#include "node/block/replica.h"
#include "node/hold/blob_pool.h"
#include "node/hold/datasets.h"
#include "node/hold/stored.h"
#include "node/hold/verified.h"
#include "node/network.h"
#include "node/round/miner.h"
#include "node/round/rounds.h"
#include "node/startup.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "p2p/blob_fetch.h"
#include "p2p/gossip.h"
#include "p2p/net.h"
#include "p2p/sync.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "storage/sign_state.h"
#include "storage/store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define PROPOSE_WORK_MS  500 /* of executing transactions for a proposal */
#define BLOCK_TXS_TRIED  4000
#define PUBLICATIONS_MAX 8
#define STOP_DEADLINE_MS 4500

/* ---- what the parts ask of each other */

static void on_work(void *context)
{
    struct node *node = context;
    if (node->replica != NULL) {
        replica_work(node->replica);
    }
}

static void on_dataset(void *context, const struct hash *address, bool is_held)
{
    struct node *node = context;
    (void)address;
    node->publications--;
    if (is_held) {
        on_work(node);
    }
}

/* Anyone may announce data that nobody has: only so many are looked for at a
 * time, so that rounds still get their payloads. */
static void fetch_publication(struct node *node, const struct hash *address,
                              const Pot__PublishDataset *description)
{
    if (node->publications < PUBLICATIONS_MAX) {
        node->publications++;
        needs_dataset(node->needs, address, description, on_dataset, node);
    }
}

/* A data set must be here before its publication goes into a block: others
 * would wait for it in vain. */
static bool is_ready(struct node *node, const Pot__Signed *tx)
{
    Pot__TxBody *body = NULL;
    struct hash address;
    bool ready = true;
    if (CODEC_DECODE(&body, pot__tx_body, tx->body.data, tx->body.len) ==
            POT_OK &&
        body->action_case == POT__TX_BODY__ACTION_PUBLISH_DATASET &&
        codec_hash(&address, body->publish_dataset->dataset)) {
        ready = datasets_find(node->datasets, &address) != NULL;
        if (!ready) {
            fetch_publication(node, &address, body->publish_dataset);
        }
    }
    codec_free(body);
    return ready;
}

static void on_tx(void *context, const Pot__TxBody *body)
{
    struct node *node = context;
    struct hash address;
    node->txs_added++;
    if (node->replica == NULL) {
        return;
    }
    if (body->action_case == POT__TX_BODY__ACTION_PUBLISH_DATASET &&
        codec_hash(&address, body->publish_dataset->dataset)) {
        fetch_publication(node, &address, body->publish_dataset);
    } else {
        replica_work(node->replica);
    }
}

static uint64_t block_bytes_max(const struct node *node)
{
    uint64_t own = node->config->max_block_bytes;
    uint64_t chain = node->genesis->params->max_block_bytes;
    return own < chain ? own : chain;
}

static struct execution_request *make_request(void *context)
{
    struct node *node = context;
    struct execution_request *r = pot_calloc(1, sizeof(*r));
    r->bytes_max = block_bytes_max(node);
    r->work_max_ms = PROPOSE_WORK_MS;
    r->txs = pot_calloc(BLOCK_TXS_TRIED, sizeof(*r->txs));
    for (const struct mempool_entry *e = mempool_first(node->mempool);
         e != NULL && r->tx_count < BLOCK_TXS_TRIED; e = e->next) {
        if (is_ready(node, e->tx)) {
            r->txs[r->tx_count++] = signed_copy(e->tx);
        }
    }
    rounds_collect(node->rounds, r);
    return r;
}

static bool on_submission(void *context, Pot__Signed *message, uint64_t peer_id)
{
    struct node *node = context;
    return rounds_submission(node->rounds, message, peer_id);
}

static bool on_attestation(void *context, Pot__Signed *message,
                           uint64_t peer_id)
{
    struct node *node = context;
    (void)peer_id;
    return rounds_attestation(node->rounds, message);
}

/* ---- faults and stopping */

static void stop(struct node *node);

void node_failed(struct node *node, enum pot_err err, const char *what)
{
    LOG(LOG_ERROR, "node", "fault: nothing is signed any more",
        log_text("what", what), log_text("why", err_text(err)));
    if (node->api != NULL) {
        api_failed(node->api, err);
    }
    if (err != POT_EFULL) { /* a full disk leaves us readable */
        node->exit_code = EXIT_CODE_STORE;
        stop(node);
    }
}

static void on_failed(void *context, enum pot_err err, const char *what)
{
    node_failed(context, err, what);
}

/* ---- a new tip */

struct nonce_cache { /* of the sender looked at last */
    struct node *node;
    struct public_key sender;
    uint64_t nonce;
    bool is_set;
};

/* A transaction whose nonce is used will never be taken. */
static bool may_still_count(void *context, const struct mempool_entry *entry)
{
    struct nonce_cache *cache = context;
    if (!cache->is_set || !public_key_equal(&cache->sender, &entry->sender)) {
        const struct state state = stored_state(cache->node->store);
        struct account account;
        (void)ledger_account(&state, &entry->sender, &account);
        cache->sender = entry->sender;
        cache->nonce = account.nonce;
        cache->is_set = true;
    }
    return entry->nonce >= cache->nonce;
}

static void update_mempool(struct node *node, const struct executed *executed)
{
    const Pot__Block *body = executed->block->body;
    struct nonce_cache cache = {.node = node};
    for (size_t i = 0; i < body->n_txs; i++) {
        struct hash hash;
        signed_hash(&hash, SIGNED_TX, body->txs[i]);
        mempool_remove(node->mempool, &hash);
    }
    mempool_prune(node->mempool, executed->block->header->height,
                  may_still_count, &cache);
}

static void log_block(const struct node *node, const struct executed *executed)
{
    char text[HASH_TEXT_SIZE];
    const struct chain_tip *tip = chain_tip(node->chain);
    const Pot__Block *body = executed->block->body;
    LOG(LOG_INFO, "consensus", "committed", log_u64("height", tip->height),
        log_u64("view", tip->view),
        log_text("block", hash_format(&tip->hash, text)),
        log_u64("txs", body->n_txs), log_u64("rounds", body->n_round_updates),
        log_u64("bytes", executed->size));
}

static void tell_sync(struct node *node)
{
    const struct chain_tip *tip = chain_tip(node->chain);
    const struct sync_status status = {tip->height, tip->hash, tip->view};
    sync_set_status(node->sync, &status);
}

static void tell_replica(struct node *node)
{
    struct validator_set set;
    const struct chain_tip *tip = chain_tip(node->chain);
    if (node->replica == NULL) {
        return;
    }
    enum pot_err err = execution_validators(&node->env, tip->height + 1, &set);
    if (err != POT_OK) {
        node_failed(node, err, "validator set");
        return;
    }
    replica_applied(node->replica, tip, &set);
}

/* Transactions that no block took wait for new ones, or for the idle block:
 * what cannot be taken now must not fill the chain with empty blocks. */
static void signal_work(struct node *node, bool took_txs)
{
    bool is_fresh = node->txs_added != node->txs_added_before;
    bool has_txs = mempool_count(node->mempool) > 0 && (took_txs || is_fresh);
    node->txs_added_before = node->txs_added;
    if (node->replica != NULL && (has_txs || rounds_has_work(node->rounds))) {
        replica_work(node->replica);
    }
}

static void on_applied(void *context, const struct executed *executed)
{
    struct node *node = context;
    log_block(node, executed);
    if (node->is_stopping) {
        return;
    }
    update_mempool(node, executed);
    rounds_refresh(node->rounds);
    tell_sync(node);
    tell_replica(node);
    signal_work(node, executed->block->body->n_txs > 0);
    if (node->miner != NULL) {
        miner_refresh(node->miner);
    }
    if (node->api != NULL) {
        api_block_applied(node->api, executed->block);
    }
}

/* ---- opening the parts */

static void open_work(struct node *node)
{
    const struct node_config *c = node->config;
    node->mempool = mempool_new(c->mempool_max_txs, c->mempool_max_bytes);
    const struct intake_config intake = {
        .loop = &node->loop,
        .env = &node->env,
        .chain = node->chain,
        .mempool = node->mempool,
        .gossip = node->gossip,
        .context = node,
        .on_tx = on_tx,
        .on_submission = on_submission,
        .on_attestation = on_attestation,
    };
    node->intake = intake_new(&intake);
    const struct rounds_config rounds = {
        .loop = &node->loop,
        .holdings = &node->env,
        .chain = node->chain,
        .needs = node->needs,
        .gossip = node->gossip,
        .key = node->validator_key,
        .worker_program = node->worker_program,
        .context = node,
        .on_work = on_work,
    };
    node->rounds = rounds_new(&rounds);
    if (node->miner_key != NULL) {
        const struct miner_config miner = {
            .loop = &node->loop,
            .holdings = &node->env,
            .chain = node->chain,
            .needs = node->needs,
            .mempool = node->mempool,
            .intake = node->intake,
            .gossip = node->gossip,
            .rounds = node->rounds,
            .key = node->miner_key,
            .worker_program = node->worker_program,
            .blas_core = c->miner_blas_core,
            .workers = c->miner_workers > 0 ? (unsigned)c->miner_workers
                                            : uv_available_parallelism(),
            .tasks = c->miner_tasks,
            .task_count = c->miner_task_count,
        };
        node->miner = miner_new(&miner);
    }
}

static enum pot_err open_replica(struct node *node)
{
    struct validator_set set;
    const struct node_config *c = node->config;
    uint64_t next = chain_tip(node->chain)->height + 1;
    if (node->validator_key == NULL) {
        return POT_OK;
    }
    enum pot_err err = execution_validators(&node->env, next, &set);
    if (err != POT_OK) {
        return err;
    }
    const struct replica_config config = {
        .loop = &node->loop,
        .chain_id = node->env.chain,
        .key = node->validator_key,
        .sign_state = node->sign_state,
        .chain = node->chain,
        .needs = node->needs,
        .delivery = &node->delivery,
        .net = node->net,
        .validators = &set,
        .propose_timeout_ms = (uint32_t)c->propose_timeout_ms,
        .idle_interval_ms = (uint32_t)c->idle_interval_ms,
        .context = node,
        .make_request = make_request,
        .failed = on_failed,
    };
    return replica_open(&node->replica, &config);
}

static enum pot_err open_api(struct node *node)
{
    const struct api_config config = {
        .loop = &node->loop,
        .listen = node->config->api_listen,
        .web = node->config->api_web,
        .moniker = node->config->moniker,
        .genesis = node->genesis,
        .node_key = node->node_key,
        .validator_key = node->validator_key,
        .miner_key = node->miner_key,
        .holdings = &node->env,
        .chain = node->chain,
        .mempool = node->mempool,
        .intake = node->intake,
        .net = node->net,
        .sync = node->sync,
        .rounds = node->rounds,
        .replica = node->replica,
        .miner = node->miner,
    };
    return api_open(&node->api, &config);
}

static bool open_parts(struct node *node)
{
    const struct node_config *c = node->config;
    enum pot_err err = chain_open(&node->chain, &node->loop, &node->env,
                                  node->genesis, on_applied, node);
    if (err != POT_OK) {
        startup_chain_error(node, err);
        return false;
    }
    err = network_open(node);
    if (err != POT_OK) {
        startup_error(node, EXIT_CODE_FAILED, c->p2p_listen, err,
                      "choose another p2p.listen");
        return false;
    }
    network_open_transfers(node);
    open_work(node);
    err = open_replica(node);
    if (err != POT_OK) {
        startup_error(node,
                      err == POT_EGUARD ? EXIT_CODE_GUARD : EXIT_CODE_STORE,
                      "sign_state", err,
                      "restore this key's own sign state, or use a new key");
        return false;
    }
    if (c->api_enabled) {
        err = open_api(node);
        if (err != POT_OK) {
            startup_error(node, EXIT_CODE_FAILED, c->api_listen, err,
                          "choose another api.listen");
            return false;
        }
    }
    return true;
}

/* ---- running */

static void on_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

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
    node->is_stopping = true;
    if (node->api != NULL) {
        api_close(node->api);
        node->api = NULL;
    }
    if (node->replica != NULL) {
        replica_stop(node->replica);
    }
    if (node->miner != NULL) {
        miner_stop(node->miner);
    }
    if (node->rounds != NULL) {
        rounds_stop(node->rounds);
        intake_stop(node->intake);
    }
    if (node->needs != NULL) {
        needs_stop(node->needs);
    }
    if (node->chain != NULL) {
        chain_stop(node->chain);
    }
    if (node->net != NULL) {
        net_close(node->net, NULL, NULL);
    }
}

static void stop(struct node *node)
{
    if (node->is_stopping) {
        return;
    }
    LOG(LOG_INFO, "node", "stopping",
        log_u64("height", chain_tip(node->chain)->height));
    stop_parts(node);
    stop_signals(node);
}

static void free_parts(struct node *node)
{
    replica_free(node->replica);
    miner_free(node->miner);
    rounds_free(node->rounds);
    intake_free(node->intake);
    mempool_free(node->mempool);
    needs_free(node->needs);
    if (node->sync != NULL) {
        sync_free(node->sync);
        blob_fetch_free(node->fetch);
        gossip_free(node->gossip);
    }
    chain_free(node->chain);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct node *node = handle->data;
    if (number != SIGHUP) {
        stop(node);
    } else if (!node->is_stopping) {
        startup_reload(node);
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

static void run(struct node *node)
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
        log_text("miner", node->miner_key != NULL ? "yes" : "no"));
    rounds_refresh(node->rounds);
    if (node->replica != NULL) {
        replica_start(node->replica);
    }
    if (node->miner != NULL) {
        miner_refresh(node->miner);
    }
    (void)uv_run(&node->loop, UV_RUN_DEFAULT);
}

enum exit_code node_run(const struct node_config *config)
{
    struct node *node = pot_calloc(1, sizeof(*node));
    node->config = config;
    int rc = uv_loop_init(&node->loop);
    POT_ASSERT(rc == 0);
    if (startup_open(node)) {
        open_signals(node);
        if (open_parts(node)) {
            run(node);
        } else {
            stop_parts(node);
            stop_signals(node);
        }
        (void)uv_run(&node->loop, UV_RUN_DEFAULT);
        uv_walk(&node->loop, on_handle, NULL); /* signals, the late timer */
        (void)uv_run(&node->loop, UV_RUN_DEFAULT);
        ignore_signals();
        free_parts(node);
    }
    startup_close(node);
    rc = uv_loop_close(&node->loop);
    POT_ASSERT(rc == 0);
    enum exit_code code = node->exit_code;
    free(node);
    return code;
}
