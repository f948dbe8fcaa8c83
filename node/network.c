/* What peers bring goes to the part that it is for; what the parts of p2p/
 * ask of the node is answered here. */
#include "config.h"

#include "node/network.h"

#include "base/check.h"
#include "node/api/api.h"
#include "node/block/arrival.h"
#include "node/block/catch_up.h"
#include "node/block/chain.h"
#include "node/block/headers.h"
#include "node/block/pruning.h"
#include "node/block/remote_signer.h"
#include "node/block/replica.h"
#include "node/hold/snapshots.h"
#include "node/hold/stored.h"
#include "node/node_parts.h"
#include "node/round/aggregator.h"
#include "node/round/rounds.h"
#include "node/tx/evidence_pool.h"
#include "node/tx/intake.h"
#include "p2p/blob_fetch.h"
#include "p2p/gossip.h"
#include "p2p/message.h"
#include "p2p/net.h"
#include "p2p/sync.h"
#include "proto/batch.h"
#include "storage/store.h"

/* A peer that gives nothing for so long, and the next one is asked: miners wait
 * for it with every round. */
#define PEER_TIMEOUT_MS 2000
#define SYNC_GRACE_MS   300

#define EVIDENCE_SIGNATURES 3 /* two words', the finder's */

/* What one who tells validators itself says of miners is told to no validator:
 * it has to be looked at again when a miner brings it, or somebody else; but
 * not when a validator does, who has told the others. */
static bool is_new(struct node *node, const struct peer *peer, uint8_t type,
                   const uint8_t *data, size_t size)
{
    uint64_t id = peer_id(peer);
    if (type != MESSAGE_SUBMISSION && type != MESSAGE_COMMITMENT) {
        return gossip_receive(node->gossip, type, data, size);
    }
    return intake_is_told(node->intake, id)
               ? gossip_receive_told(node->gossip, type, data, size)
           : gossip_is_fellow(node->gossip, id)
               ? gossip_receive_twice(node->gossip, type, data, size)
               : gossip_receive(node->gossip, type, data, size);
}

static void take_gossip(struct node *node, struct peer *peer, uint8_t type,
                        const uint8_t *data, size_t size)
{
    if (is_new(node, peer, type, data, size)) {
        peer_charge(peer, 1);
        intake_receive(node->intake, type, data, size, peer_id(peer));
    }
}

static void take_evidence(struct node *node, struct peer *peer,
                          const uint8_t *data, size_t size)
{
    if (gossip_receive(node->gossip, MESSAGE_EVIDENCE, data, size)) {
        peer_charge(peer, EVIDENCE_SIGNATURES);
        evidence_pool_receive(node->evidence, data, size, peer_id(peer));
    }
}

/* Each counts as if it had come alone: what has come from another peer already
 * is not looked at again. */
static void take_txs(struct node *node, struct peer *peer, const uint8_t *data,
                     size_t size)
{
    struct bytes_reader r;
    const uint8_t *tx;
    size_t tx_size;
    if (batch_count(data, size, TX_BATCH_MAX) == 0) {
        net_ban(node->net, peer, "malformed transactions");
        return;
    }
    bytes_reader_init(&r, data, size);
    while ((tx = batch_next(&r, &tx_size)) != NULL) {
        take_gossip(node, peer, MESSAGE_TX, tx, tx_size);
    }
}

/* Of blocks and of headers; who lies to one is gone for the other. */
static void take_status(struct node *node, struct peer *peer,
                        const uint8_t *data, size_t size)
{
    uint64_t id = peer_id(peer);
    sync_on_message(node->sync, peer, MESSAGE_STATUS, data, size);
    if (net_find_id(node->net, id) == peer) {
        sync_on_message(node->header_sync, peer, MESSAGE_STATUS, data, size);
    }
}

static void take_message(struct node *node, struct peer *peer, uint8_t type,
                         const uint8_t *data, size_t size)
{
    switch ((enum message_type)type) {
    case MESSAGE_CONSENSUS:
        if (node->replica != NULL) {
            replica_receive(node->replica, peer, data, size);
        }
        return;
    case MESSAGE_TX:
    case MESSAGE_SUBMISSION:
    case MESSAGE_COMMITMENT:
    case MESSAGE_ATTESTATION:
        take_gossip(node, peer, type, data, size);
        return;
    case MESSAGE_GROUP:
    case MESSAGE_GROUP_WORD:
        if (node->validator_key != NULL || node->aggregator != NULL) {
            take_gossip(node, peer, type, data, size);
        }
        return;
    case MESSAGE_EVIDENCE:
        take_evidence(node, peer, data, size);
        return;
    case MESSAGE_TXS:
        take_txs(node, peer, data, size);
        return;
    case MESSAGE_STATUS:
        take_status(node, peer, data, size);
        return;
    case MESSAGE_GET_BLOCKS:
    case MESSAGE_BLOCKS:
        sync_on_message(node->sync, peer, type, data, size);
        return;
    case MESSAGE_GET_HEADERS:
    case MESSAGE_HEADERS:
        sync_on_message(node->header_sync, peer, type, data, size);
        return;
    case MESSAGE_GET_BLOB:
    case MESSAGE_BLOB_PIECE:
        blob_fetch_on_message(node->fetch, peer, type, data, size);
        return;
    case MESSAGE_GET_SIGNED:
    case MESSAGE_LAST_SIGNED:
        if (node->replica != NULL) {
            replica_signed_message(node->replica, peer, type, data, size);
        }
        return;
    case MESSAGE_AUTH:
    case MESSAGE_PING:
    case MESSAGE_PONG:
    case MESSAGE_BYE:
        break; /* p2p/ keeps them to itself */
    }
    POT_ASSERT(false);
}

static void on_message(void *context, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    struct node *node = context;
    if (!node->is_stopping) {
        take_message(node, peer, type, data, size);
    }
}

/* It may have restarted, and lack what was said in open rounds. */
static void greet(struct node *node, struct peer *peer)
{
    evidence_pool_greet(node->evidence, peer);
    rounds_greet(node->rounds, peer_key(peer), peer_id(peer));
    if (node->aggregator != NULL &&
        gossip_is_fellow(node->gossip, peer_id(peer))) {
        aggregator_greet(node->aggregator, peer_key(peer), peer_id(peer));
    }
}

static void on_peer(void *context, struct peer *peer, bool is_up)
{
    struct node *node = context;
    sync_on_peer(node->sync, peer, is_up);
    sync_on_peer(node->header_sync, peer, is_up);
    blob_fetch_on_peer(node->fetch, peer, is_up);
    if (is_up && !node->is_stopping) {
        greet(node, peer);
    }
    if (node->replica != NULL) {
        replica_peer(node->replica, peer, is_up);
    }
    if (node->api != NULL && !node->is_stopping) {
        api_peer_changed(node->api, peer, is_up);
    }
}

static void on_tick(void *context, uint64_t now_ms)
{
    struct node *node = context;
    blob_fetch_tick(node->fetch, now_ms);
    sync_tick(node->sync, now_ms);
    sync_tick(node->header_sync, now_ms);
    arrival_tick(node->arrival, now_ms);
    if (node->signer != NULL) {
        remote_signer_tick(node->signer);
    }
    if (node->replica != NULL) {
        replica_tick(node->replica, now_ms);
    }
    if (node->intake != NULL && !node->is_stopping) {
        intake_tick(node->intake);
    }
}

/* Validators are connected to each other: consensus needs it.  An aggregator
 * tells them what its miners say, and not what they say to each other. */
static bool is_fellow(void *context, const struct peer *peer)
{
    const struct node *node = context;
    return node->aggregator != NULL
               ? aggregator_is_validator(node->aggregator, peer_key(peer))
               : node->replica != NULL &&
                     replica_is_fellow(node->replica, peer);
}

static bool is_teller(void *context, const struct peer *peer)
{
    const struct node *node = context;
    return node->aggregator != NULL
               ? aggregator_is_teller(node->aggregator, peer_key(peer))
               : rounds_is_teller(node->rounds, peer_key(peer));
}

static bool read_blob(void *context, const struct hash *hash, uint64_t offset,
                      size_t size, struct buf *out, uint64_t *total)
{
    struct node *node = context;
    return holdings_read_blob(&node->holdings, hash, offset, size, out, total);
}

static bool read_block(void *context, uint64_t height, struct buf *block,
                       struct buf *certificate)
{
    struct node *node = context;
    return height > 0 &&
           store_get_block(node->holdings.store, height, block) == POT_OK &&
           store_get_certificate(node->holdings.store, height, certificate) ==
               POT_OK;
}

static bool read_header(void *context, uint64_t height, struct buf *header,
                        struct buf *certificate)
{
    struct node *node = context;
    return height > 0 &&
           stored_header_bytes(header, node->holdings.store, height) ==
               POT_OK &&
           store_get_certificate(node->holdings.store, height, certificate) ==
               POT_OK;
}

static void on_sync_header(void *context, uint64_t height,
                           const uint8_t *header, size_t header_size,
                           const uint8_t *certificate, size_t certificate_size)
{
    struct node *node = context;
    headers_take(node->headers, height, header, header_size, certificate,
                 certificate_size);
}

static void on_sync_block(void *context, uint64_t height, const uint8_t *block,
                          size_t block_size, const uint8_t *certificate,
                          size_t certificate_size)
{
    struct node *node = context;
    catch_up_take(node->catch_up, height, block, block_size, certificate,
                  certificate_size);
}

struct claim network_claim(const struct node *node)
{
    const struct chain_tip *tip = chain_tip(node->chain);
    return (struct claim){.height = tip->height,
                          .block_hash = tip->hash,
                          .view = tip->view,
                          .lowest = pruning_lowest(node->pruning),
                          .snapshot =
                              snapshots_newest(node->holdings.snapshots)};
}

static enum pot_err open_net(struct node *node)
{
    const struct node_config *c = node->config;
    const struct net_config config = {
        .loop = &node->loop,
        .chain = node->holdings.chain,
        .key = node->node_key,
        .listen = c->p2p_listen,
        .moniker = c->moniker,
        .peers = c->p2p_peers,
        .peer_count = c->p2p_peer_count,
        .guests_max = (uint32_t)c->p2p_max_peers,
        .is_closed = c->p2p_only_peers,
        .pending_max = (uint32_t)c->p2p_max_pending,
        .pending_ip_max = (uint32_t)c->p2p_max_pending_per_address,
        .accepts_ip_per_s = (uint32_t)c->p2p_max_accepts_per_address,
        .handshake_ms = (uint32_t)c->p2p_handshake_timeout_ms,
        .ban_ms = (uint32_t)c->p2p_ban_seconds * 1000,
        .signatures_per_s = (uint32_t)c->p2p_peer_signatures,
    };
    const struct net_callbacks callbacks = {
        .context = node,
        .on_peer = on_peer,
        .on_message = on_message,
        .on_tick = on_tick,
    };
    return net_open(&node->net, &config, &callbacks);
}

static void open_transfers(struct node *node)
{
    const struct blob_fetch_config fetch = {
        .net = node->net,
        .piece_timeout_ms = PEER_TIMEOUT_MS,
        .context = node,
        .read = read_blob,
    };
    const struct sync_config sync = {
        .net = node->net,
        .status = network_claim(node),
        .timeout_ms = PEER_TIMEOUT_MS,
        .grace_ms = node->validator_key != NULL ? SYNC_GRACE_MS : 0,
        .ahead_max = CATCH_UP_AHEAD,
        .context = node,
        .read = read_block,
        .on_block = on_sync_block,
    };
    const struct sync_config header_sync = {
        .net = node->net,
        .is_headers = true,
        .timeout_ms = PEER_TIMEOUT_MS,
        .ahead_max = HEADERS_AHEAD,
        .context = node,
        .read = read_header,
        .on_block = on_sync_header,
    };
    node->gossip = gossip_new(node->net, 0);
    gossip_set_fellows(node->gossip, is_fellow, node);
    gossip_set_tellers(node->gossip, is_teller, node);
    node->fetch = blob_fetch_new(&fetch);
    node->sync = sync_new(&sync);
    node->header_sync = sync_new(&header_sync);
}

enum pot_err network_open(struct node *node)
{
    enum pot_err err = open_net(node);
    if (err == POT_OK) {
        open_transfers(node);
    }
    return err;
}
