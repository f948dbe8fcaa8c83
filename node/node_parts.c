/* Here the parts are introduced to each other: what one asks of another goes
 * through the callbacks of its config. */
#include "config.h"

#include "node/node_parts.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "node/api/api.h"
#include "node/block/arrival.h"
#include "node/block/catch_up.h"
#include "node/block/chain.h"
#include "node/block/headers.h"
#include "node/block/needs.h"
#include "node/block/owed.h"
#include "node/block/proposal.h"
#include "node/block/pruning.h"
#include "node/block/replica.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/snapshots.h"
#include "node/network.h"
#include "node/new_tip.h"
#include "node/round/aggregator.h"
#include "node/round/miner.h"
#include "node/round/rounds.h"
#include "node/startup.h"
#include "node/stopping.h"
#include "node/tx/evidence_pool.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "node/tx/pending.h"
#include "p2p/blob_fetch.h"
#include "p2p/gossip.h"
#include "p2p/net.h"
#include "p2p/sync.h"
#include "proto/codec.h"
#include "storage/sign_state.h"

#include <stdlib.h>

#define BLOB_TIMEOUT_MS 10000

/* ---- what the parts ask of each other */

static void on_work(void *context)
{
    const struct node *node = context;
    if (node->replica != NULL) {
        replica_work(node->replica);
    }
}

static struct proposal_request *make_request(void *context)
{
    const struct node *node = context;
    struct proposal_request *r = pot_calloc(1, sizeof(*r));
    r->bytes_max = new_tip_bytes_max(node);
    r->chain_bytes_max = node->genesis->params->max_block_bytes;
    r->work_max_ms = NEW_TIP_WORK_MS;
    pending_collect(node->pending, r);
    rounds_collect(node->rounds, r);
    evidence_pool_collect(node->evidence, r);
    return r;
}

static void on_refused(void *context, const struct proposal_refused *refused,
                       size_t count)
{
    const struct node *node = context;
    pending_drop_refused(node->pending, refused, count);
}

static void on_evidence(void *context, const void *body, size_t size)
{
    const struct node *node = context;
    evidence_pool_found(node->evidence, body, size);
}

static bool on_submission(void *context, Pot__Signed *message, uint64_t peer_id)
{
    const struct node *node = context;
    bool is_new = rounds_submission(node->rounds, message, peer_id);
    if (is_new && node->aggregator != NULL) {
        aggregator_take(node->aggregator, message, peer_id);
    }
    return is_new;
}

static bool on_commitment(void *context, Pot__Signed *message, uint64_t peer_id)
{
    const struct node *node = context;
    bool is_new = rounds_commitment(node->rounds, message, peer_id);
    if (is_new && node->aggregator != NULL) {
        aggregator_commitment(node->aggregator, message, peer_id);
    }
    return is_new;
}

static void on_reveal(void *context, const struct hash *task)
{
    const struct node *node = context;
    if (node->miner != NULL) {
        miner_reveal(node->miner, task);
    }
}

static bool on_attestation(void *context, Pot__Signed *message,
                           uint64_t peer_id)
{
    const struct node *node = context;
    (void)peer_id;
    return rounds_attestation(node->rounds, message);
}

static bool on_group(void *context, Pot__Signed *message, uint64_t peer_id)
{
    const struct node *node = context;
    const struct peer *peer = net_find_id(node->net, peer_id);
    if (node->aggregator == NULL) {
        return rounds_group(node->rounds, message);
    }
    return peer != NULL &&
           aggregator_group(node->aggregator, message, peer_key(peer));
}

static bool on_group_word(void *context, Pot__Signed *message, uint64_t peer_id)
{
    const struct node *node = context;
    return rounds_group_word(node->rounds, message, peer_id);
}

static void on_liar(void *context, const struct public_key *aggregator)
{
    struct node *node = context;
    struct peer *peer = net_find(node->net, aggregator);
    if (peer != NULL) {
        net_ban(node->net, peer, "sent the sum of a group that is not its sum");
    }
}

static void on_failed(void *context, enum pot_err err, const char *what)
{
    struct node *node = context;
    if (err == POT_EGUARD) { /* no disk's fault, and nothing mends it */
        startup_error(node, EXIT_CODE_GUARD, what, err,
                      "stop that one, or this one for good");
        stopping_begin(node);
        return;
    }
    mending_failed(&node->mending, err, what);
}

/* Only a wrong block is its sender's fault; of a good one sync was told when
 * it became the tip. */
static void on_caught_up(void *context, uint64_t height, enum pot_err err)
{
    struct node *node = context;
    if (err == POT_EIO || err == POT_EFULL || err == POT_ECORRUPT) {
        mending_failed(&node->mending, err, "block store");
    }
    if (node->is_stopping) {
        return;
    }
    if (err == POT_EFORMAT) {
        sync_refused(node->sync, height);
    } else if (err != POT_OK) {
        sync_postponed(node->sync, height);
    }
}

/* ---- pruning */

static void on_lowest(void *context)
{
    new_tip_tell_sync(context);
}

static void on_prune_failed(void *context, enum pot_err err)
{
    struct node *node = context;
    mending_failed(&node->mending, err, "pruning");
}

/* ---- beginning with a snapshot */

static void on_header(void *context, uint64_t height, enum pot_err err)
{
    const struct node *node = context;
    arrival_header(node->arrival, height, err);
}

static void on_join_failed(void *context, enum pot_err err)
{
    struct node *node = context;
    mending_failed(&node->mending, err, "taking a snapshot");
}

/* Nothing that was begun on the old tip is at work any more. */
static bool on_hush(void *context)
{
    const struct node *node = context;
    if (mending_is_ailing(&node->mending)) {
        return false;
    }
    if (node->replica != NULL) {
        replica_silence(node->replica);
    }
    return pruning_is_idle(node->pruning) &&
           (node->replica == NULL || replica_is_quiet(node->replica));
}

static bool on_give_up(void *context)
{
    const struct node *node = context;
    return pruning_give_up(node->pruning, chain_tip(node->chain)->height);
}

/* ---- opening the parts */

static void open_blocks(struct node *node)
{
    const struct needs_config needs = {
        .loop = &node->loop,
        .fetch = node->fetch,
        .holdings = &node->holdings,
        .timeout_ms = BLOB_TIMEOUT_MS,
    };
    node->needs = needs_new(&needs);
    node->delivery = (struct delivery){node->chain, node->needs};
    const struct catch_up_config catch_up = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .delivery = &node->delivery,
        .context = node,
        .done = on_caught_up,
        .found = on_evidence,
    };
    node->catch_up = catch_up_new(&catch_up);
}

static void open_arrival(struct node *node)
{
    const struct headers_config headers = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .fetch = node->fetch,
        .genesis_time_ms = node->genesis->time_ms,
        .context = node,
        .done = on_header,
    };
    node->headers = headers_new(&headers);
    const struct arrival_config arrival = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .chain = node->chain,
        .fetch = node->fetch,
        .blocks = node->sync,
        .header_sync = node->header_sync,
        .headers = node->headers,
        .is_preferred = node->config->begin_with_snapshot,
        /* Who keeps the last blocks alone does not miss those before. */
        .gives_up = node->config->keep_blocks > 0,
        .context = node,
        .hush = on_hush,
        .give_up = on_give_up,
        .installed = new_tip_installed,
        .left = new_tip_wake,
        .failed = on_join_failed,
    };
    node->arrival = arrival_new(&arrival);
}

static void tell_again(void *context, const Pot__Signed *tx)
{
    const struct node *node = context;
    size_t size;
    uint8_t *data = codec_encode(&size, tx);
    gossip_publish(node->gossip, MESSAGE_TX, data, size);
    free(data);
}

static void open_txs(struct node *node)
{
    const struct node_config *c = node->config;
    node->mempool = mempool_new(c->mempool_max_txs, c->mempool_max_bytes);
    const struct pending_config pending = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .mempool = node->mempool,
        .needs = node->needs,
        .is_fetching =
            node->validator_key != NULL || node->config->aggregator_enabled,
        .context = node,
        .on_work = on_work,
        .tell = tell_again,
    };
    node->pending = pending_new(&pending);
    const struct intake_config intake = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .chain = node->chain,
        .mempool = node->mempool,
        .pending = node->pending,
        .gossip = node->gossip,
        .fellow_ms = INTAKE_FELLOW_MS,
        .is_gathering = c->aggregator_enabled,
        .context = node,
        .on_submission = on_submission,
        .on_commitment = on_commitment,
        .on_attestation = on_attestation,
        .on_group = on_group,
        .on_group_word = on_group_word,
    };
    node->intake = intake_new(&intake);
}

static void on_bad_evidence(void *context, uint64_t peer_id)
{
    struct node *node = context;
    struct peer *peer = net_find_id(node->net, peer_id);
    if (peer != NULL) {
        net_ban(node->net, peer, "sent evidence that proves nothing");
    }
}

static void open_evidence(struct node *node)
{
    char *path = file_join(node->config->home, "evidence");
    const struct evidence_pool_config config = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .chain = node->chain,
        .gossip = node->gossip,
        .net = node->net,
        .key = node->validator_key,
        .path = path,
        .context = node,
        .on_work = on_work,
        .on_breach = on_bad_evidence,
    };
    node->evidence = evidence_pool_new(&config);
    free(path);
}

/* A signer signs no transactions. */
static const struct key *payer(const struct node *node)
{
    return node->signer != NULL || node->validator_key == NULL
               ? node->miner_key
               : node->validator_key;
}

static void open_rounds(struct node *node)
{
    const struct rounds_config rounds = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .chain = node->chain,
        .needs = node->needs,
        .gossip = node->gossip,
        .key = node->validator_key,
        .mempool = node->mempool,
        .intake = node->intake,
        .payer = payer(node),
        .worker_program = node->worker_program,
        .context = node,
        .on_work = on_work,
        .on_liar = on_liar,
        .on_reveal = on_reveal,
    };
    node->rounds = rounds_new(&rounds);
}

static void open_miner(struct node *node)
{
    const struct node_config *c = node->config;
    if (node->miner_key == NULL) {
        return;
    }
    const struct miner_config miner = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .chain = node->chain,
        .needs = node->needs,
        .mempool = node->mempool,
        .intake = node->intake,
        .gossip = node->gossip,
        .rounds = node->rounds,
        .sync = node->sync,
        .key = node->miner_key,
        .worker_program = node->worker_program,
        .blas_core = c->miner_blas_core,
        .exact_kernel = c->miner_exact_kernel,
        .workers = c->miner_workers > 0 ? (unsigned)c->miner_workers
                                        : uv_available_parallelism(),
        .tasks = c->miner_tasks,
        .task_count = c->miner_task_count,
    };
    node->miner = miner_new(&miner);
}

static bool is_promised(void *context,
                        const struct round_submission *submission)
{
    const struct node *node = context;
    return rounds_is_promised(node->rounds, submission);
}

static void open_aggregator(struct node *node)
{
    const struct aggregator_config aggregator = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .needs = node->needs,
        .gossip = node->gossip,
        .key = node->node_key,
        .context = node,
        .is_promised = is_promised,
    };
    if (node->config->aggregator_enabled) {
        node->aggregator = aggregator_new(&aggregator);
    }
}

static enum pot_err open_replica(struct node *node)
{
    struct validator_set set;
    const struct node_config *c = node->config;
    const struct chain_tip *tip = chain_tip(node->chain);
    if (node->validator_key == NULL) {
        return POT_OK;
    }
    enum pot_err err =
        validator_sets_read(&node->holdings, &tip->next_signers, &set);
    if (err != POT_OK) {
        return err;
    }
    const struct replica_config config = {
        .loop = &node->loop,
        .chain = node->holdings.chain,
        .key = node->validator_key,
        .sign_state = node->sign_state,
        .delivery = &node->delivery,
        .verified = node->holdings.verified,
        .store = node->holdings.store,
        .net = node->net,
        .validators = &set,
        .propose_timeout_ms = (uint32_t)c->propose_timeout_ms,
        .idle_interval_ms = (uint32_t)c->idle_interval_ms,
        .context = node,
        .make_request = make_request,
        .refused = on_refused,
        .found = on_evidence,
        .failed = on_failed,
    };
    return replica_new(&node->replica, &config);
}

static bool open_consensus(struct node *node)
{
    enum pot_err err = open_replica(node);
    if (err != POT_OK) {
        startup_error(
            node, err == POT_EGUARD ? EXIT_CODE_GUARD : EXIT_CODE_STORE,
            "sign_state", err,
            "run `potctl recover --config FILE`, or name this key's own home");
    }
    return err == POT_OK;
}

static bool open_chain(struct node *node)
{
    enum pot_err err = chain_new(&node->chain, &node->loop, &node->holdings,
                                 node->genesis, new_tip_applied, node);
    if (err == POT_OK && node->sign_state != NULL) {
        size_t size;
        const void *record = sign_state_record(node->sign_state, &size);
        err = chain_restore(node->chain, record, size);
    }
    if (err != POT_OK) {
        startup_chain_error(node, err);
        return false;
    }
    const struct pruning_config pruning = {
        .loop = &node->loop,
        .holdings = &node->holdings,
        .keep_blocks = node->config->keep_blocks,
        .context = node,
        .announce = on_lowest,
        .failed = on_prune_failed,
    };
    node->pruning = pruning_new(&pruning);
    return true;
}

static bool open_network(struct node *node)
{
    enum pot_err err = network_open(node);
    if (err != POT_OK) {
        startup_error(node, EXIT_CODE_FAILED, node->config->p2p_listen, err,
                      "choose another p2p.listen, an address and a free port of"
                      " this machine");
    }
    return err == POT_OK;
}

static bool open_api(struct node *node)
{
    const struct api_config config = {
        .loop = &node->loop,
        .listen = node->config->api_listen,
        .connections_max = node->config->api_max_connections,
        .address_max = node->config->api_max_per_address,
        .streams_max = node->config->api_max_streams,
        .web = node->config->api_web,
        .moniker = node->config->moniker,
        .genesis = node->genesis,
        .node_key = node->node_key,
        .validator_key = node->validator_key,
        .signer = node->signer,
        .miner_key = node->miner_key,
        .holdings = &node->holdings,
        .chain = node->chain,
        .mempool = node->mempool,
        .intake = node->intake,
        .evidence = node->evidence,
        .net = node->net,
        .sync = node->sync,
        .arrival = node->arrival,
        .rounds = node->rounds,
        .replica = node->replica,
        .miner = node->miner,
        .aggregator = node->aggregator,
        .patience_ms = replica_patience_ms(node->config->propose_timeout_ms,
                                           node->config->idle_interval_ms),
    };
    if (!node->config->api_enabled) {
        return true;
    }
    enum pot_err err = api_open(&node->api, &config);
    if (err != POT_OK) {
        startup_error(node, EXIT_CODE_FAILED, config.listen, err,
                      "choose another api.listen, an address and a free port of"
                      " this machine");
    }
    return err == POT_OK;
}

bool node_parts_open(struct node *node)
{
    if (!open_chain(node) || !open_network(node)) {
        return false;
    }
    open_blocks(node);
    open_arrival(node);
    open_txs(node);
    open_evidence(node);
    open_rounds(node);
    open_miner(node);
    open_aggregator(node);
    mending_open(&node->mending, node, stopping_begin);
    return open_consensus(node) && open_api(node);
}

void node_parts_start(struct node *node)
{
    evidence_pool_start(node->evidence);
    rounds_refresh(node->rounds);
    if (node->replica != NULL) {
        replica_start(node->replica);
    }
    if (node->miner != NULL) {
        miner_refresh(node->miner);
    }
    if (node->aggregator != NULL) {
        aggregator_refresh(node->aggregator);
    }
}

/* ---- closing them */

void node_parts_free(struct node *node)
{
    replica_free(node->replica);
    aggregator_free(node->aggregator);
    miner_free(node->miner);
    rounds_free(node->rounds);
    evidence_pool_free(node->evidence);
    intake_free(node->intake);
    pending_free(node->pending);
    mempool_free(node->mempool);
    catch_up_free(node->catch_up);
    arrival_free(node->arrival);
    headers_free(node->headers);
    needs_free(node->needs);
    if (node->sync != NULL) {
        sync_free(node->sync);
        sync_free(node->header_sync);
        blob_fetch_free(node->fetch);
        gossip_free(node->gossip);
    }
    pruning_free(node->pruning);
    chain_free(node->chain);
}
