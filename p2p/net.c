/* The whole: who is connected, who may be, and the end of it all. */
#include "config.h"

#include "p2p/net_internal.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB            ((size_t)1 << 20)
#define LISTEN_BACKLOG 512

/* --- the end ---------------------------------------------------------- */

void net_retain(struct net *net)
{
    net->open_count++;
}

void net_release(struct net *net)
{
    POT_ASSERT(net->open_count > 0);
    if (--net->open_count > 0) {
        return;
    }
    POT_ASSERT(net->is_closing && net->all == NULL && net->peer_count == 0);
    void (*done)(void *context) = net->done;
    void *context = net->done_context;
    map_fini(&net->by_key);
    free(net->peers);
    free(net);
    if (done != NULL) {
        done(context);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    net_release(handle->data);
}

static void forget_dials(struct net *net, enum reason reason)
{
    while (net->dial_count > 0) {
        dial_free(net->dials[--net->dial_count], reason);
    }
    free(net->dials);
    net->dials = NULL;
}

void net_close(struct net *net, void (*done)(void *context), void *context)
{
    POT_ASSERT(!net->is_closing);
    net->is_closing = true;
    net->done = done;
    net->done_context = context;
    forget_dials(net, REASON_SHUTDOWN);
    /* A closing peer stays in the list until a later turn of the loop. */
    for (struct peer *p = net->all; p != NULL; p = p->next) {
        peer_close(p, REASON_SHUTDOWN);
    }
    uv_close((uv_handle_t *)&net->timer, on_handle_closed);
    if (net->is_listening) {
        uv_close((uv_handle_t *)&net->listener, on_handle_closed);
    }
}

/* --- who is in -------------------------------------------------------- */

static void announce(struct net *net, struct peer *peer)
{
    char key[ADDRESS_TEXT_SIZE];
    if (net->peer_count == net->peer_capacity) {
        net->peer_capacity = 2 * net->peer_capacity + 8;
        net->peers =
            pot_realloc(net->peers, net->peer_capacity, sizeof(struct peer *));
    }
    peer->index = net->peer_count;
    net->peers[net->peer_count++] = peer;
    (void)map_put(&net->by_key, peer->key.b, peer);
    peer->is_announced = true;
    net->guest_count += peer->is_guest;
    LOG(LOG_INFO, "p2p", "peer up",
        log_text("key", address_format(&peer->key, key)),
        log_text("address", peer->address), log_text("moniker", peer->moniker),
        log_text("by", peer->is_outbound ? "us" : "them"),
        log_u64("peers", net->peer_count));
    uint64_t id = peer->id;
    struct dial *dial = peer->dial;
    if (net->callbacks.on_peer != NULL) {
        net->callbacks.on_peer(net->callbacks.context, peer, true);
    }
    if (dial != NULL && net_find_id(net, id) == peer && peer->dial == dial) {
        dial_up(dial, &peer->key);
    }
}

void net_dismiss(struct net *net, struct peer *peer)
{
    POT_ASSERT(peer->is_announced && net->peers[peer->index] == peer);
    struct peer *last = net->peers[--net->peer_count];
    net->peers[peer->index] = last;
    last->index = peer->index;
    (void)map_remove(&net->by_key, peer->key.b);
    peer->is_announced = false;
    net->guest_count -= peer->is_guest;
    if (net->callbacks.on_peer != NULL) {
        net->callbacks.on_peer(net->callbacks.context, peer, false);
    }
}

static const struct public_key *dialler(const struct net *net,
                                        const struct peer *peer)
{
    return peer->is_outbound ? key_public(net->config.key) : &peer->key;
}

/* Both ends judge by the same facts, so both keep the same connection. */
static bool is_preferred(const struct net *net, const struct peer *newer,
                         const struct peer *older)
{
    const struct public_key *by_newer = dialler(net, newer);
    const struct public_key *by_older = dialler(net, older);
    if (public_key_equal(by_newer, by_older) ||
        net_now_ms(net) - older->up_ms >= NET_DUPLICATE_MS) {
        return true;
    }
    return public_key_compare(by_newer, by_older) < 0;
}

/* Why peer may not stay, but for being connected already. */
static enum reason objection(const struct net *net, const struct peer *peer,
                             const struct peer *older)
{
    const struct net_callbacks *callbacks = &net->callbacks;
    if (callbacks->allow != NULL &&
        !callbacks->allow(callbacks->context, &peer->key)) {
        return REASON_NOT_ALLOWED;
    }
    if (ban_holds(net, &peer->key)) {
        return REASON_BANNED;
    }
    size_t guests = net->guest_count - (older != NULL && older->is_guest);
    if ((peer->is_guest && guests >= net->config.max_peers) ||
        net->peer_count >= NET_PEERS_MAX) {
        return REASON_PEER_LIMIT;
    }
    return REASON_NONE;
}

void net_admit(struct net *net, struct peer *peer)
{
    struct peer *older = map_get(&net->by_key, peer->key.b);
    peer->is_guest = dial_find(net, &peer->key) == NULL;
    enum reason reason = objection(net, peer, older);
    if (reason == REASON_NONE && older != NULL &&
        !is_preferred(net, peer, older)) {
        reason = REASON_DUPLICATE;
    }
    if (reason != REASON_NONE) {
        peer_close(peer, reason);
        return;
    }
    if (older != NULL) {
        peer_close(older, REASON_DUPLICATE);
    }
    if (peer->state == PEER_UP) { /* the owner may have closed all */
        announce(net, peer);
    }
}

struct peer *net_find(const struct net *net, const struct public_key *key)
{
    return map_get(&net->by_key, key->b);
}

struct peer *net_find_id(const struct net *net, uint64_t id)
{
    for (size_t i = 0; i < net->peer_count; i++) {
        if (net->peers[i]->id == id) {
            return net->peers[i];
        }
    }
    return NULL;
}

size_t net_peer_count(const struct net *net)
{
    return net->peer_count;
}

struct peer *net_peer_at(const struct net *net, size_t index)
{
    POT_ASSERT(index < net->peer_count);
    return net->peers[index];
}

void net_ban(struct net *net, struct peer *peer, const char *what)
{
    char key[ADDRESS_TEXT_SIZE];
    if (peer->state == PEER_CLOSING) {
        return;
    }
    LOG(LOG_WARN, "p2p", "peer banned",
        log_text("key", address_format(&peer->key, key)),
        log_text("address", peer->address), log_text("why", what));
    ban_add(net, &peer->key);
    peer_close(peer, REASON_MISBEHAVED);
}

void net_drop(struct net *net, struct peer *peer, enum reason reason)
{
    POT_ASSERT(peer->net == net);
    peer_close(peer, reason);
}

/* One line in NET_LOG_EVERY_MS a reason: whoever connects a thousand times
 * fills a counter, not the disk. */
void net_log_end(struct net *net, const struct peer *peer, enum reason reason)
{
    uint64_t now = net_now_ms(net);
    if (peer->is_outbound && !peer->is_announced) {
        return; /* dial.c tells */
    }
    if (now < net->logs[reason].next_ms) {
        net->logs[reason].suppressed++;
        return;
    }
    LOG(peer->is_announced ? LOG_INFO : LOG_WARN, "p2p",
        peer->is_announced ? "peer down" : "connection refused",
        log_text("address", peer->address),
        log_text("why", reason_text(reason)),
        log_u64("unlogged_before", net->logs[reason].suppressed));
    net->logs[reason].next_ms = now + NET_LOG_EVERY_MS;
    net->logs[reason].suppressed = 0;
}

/* --- sending ---------------------------------------------------------- */

static struct parcel *parcel_for(struct net *net, uint8_t type,
                                 const void *data, size_t size)
{
    const struct message_rule *rule = message_rule(type);
    POT_ASSERT(rule != NULL && type >= MESSAGE_CONSENSUS);
    if (size > rule->size_max) {
        net->stats.types[type].dropped++;
        LOG(LOG_ERROR, "p2p", "message too large to send",
            log_text("type", rule->name), log_u64("bytes", size),
            log_u64("limit", rule->size_max));
        return NULL;
    }
    return parcel_new(type, data, size);
}

bool net_send(struct net *net, struct peer *peer, uint8_t type,
              const void *data, size_t size)
{
    struct parcel *parcel = parcel_for(net, type, data, size);
    if (parcel == NULL) {
        return false;
    }
    bool is_taken = peer_push(peer, parcel);
    parcel_unref(parcel);
    return is_taken;
}

size_t net_multicast(struct net *net, uint8_t type, const void *data,
                     size_t size,
                     bool (*filter)(void *context, const struct peer *peer),
                     void *context)
{
    size_t taken = 0;
    struct parcel *parcel = parcel_for(net, type, data, size);
    if (parcel == NULL) {
        return 0;
    }
    for (size_t i = 0; i < net->peer_count; i++) {
        if (filter(context, net->peers[i])) {
            taken += peer_push(net->peers[i], parcel);
        }
    }
    parcel_unref(parcel);
    return taken;
}

static bool is_other(void *context, const struct peer *peer)
{
    return peer != context;
}

size_t net_broadcast(struct net *net, uint8_t type, const void *data,
                     size_t size, const struct peer *except)
{
    union {
        const struct peer *in;
        void *out;
    } context = {.in = except};
    return net_multicast(net, type, data, size, is_other, context.out);
}

/* --- the beginning ---------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct net *net = timer->data;
    uint64_t now = net_now_ms(net);
    for (size_t i = 0; i < net->dial_count; i++) {
        dial_tick(net->dials[i], now);
    }
    for (struct peer *p = net->all; p != NULL; p = p->next) {
        if (p->state != PEER_CLOSING) {
            peer_tick(p, now);
        }
    }
    if (!net->is_closing && net->callbacks.on_tick != NULL) {
        net->callbacks.on_tick(net->callbacks.context, now);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct net *net = listener->data;
    if (status == 0 && !net->is_closing) {
        peer_accept(net, listener);
    } else if (status != 0) {
        net->stats.ended[REASON_IO]++;
    }
}

static enum pot_err err_from_uv(int rc)
{
    return rc == 0 ? POT_OK : err_from_errno(-rc);
}

static enum pot_err listen_on(struct net *net, const struct sockaddr *address)
{
    uv_stream_t *stream = (uv_stream_t *)&net->listener;
    int rc = uv_tcp_init(net->config.loop, &net->listener);
    if (rc != 0) {
        return err_from_uv(rc);
    }
    net->listener.data = net;
    net->is_listening = true;
    net_retain(net);
    rc = uv_tcp_bind(&net->listener, address, 0);
    if (rc == 0) {
        rc = uv_listen(stream, LISTEN_BACKLOG, on_connection);
    }
    return rc == UV_EADDRINUSE ? POT_EBUSY : err_from_uv(rc);
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static void config_fill(struct net_config *c)
{
    static const size_t queues[MESSAGE_PRIORITY_COUNT] = {16 * MIB, 4 * MIB,
                                                          8 * MIB};
    c->max_peers = or_default(c->max_peers, 64);
    c->handshake_ms = or_default(c->handshake_ms, 5000);
    c->ping_ms = or_default(c->ping_ms, 15000);
    c->idle_ms = or_default(c->idle_ms, 45000);
    c->redial_min_ms = or_default(c->redial_min_ms, 200);
    c->redial_max_ms = or_default(c->redial_max_ms, 5000);
    c->ban_ms = or_default(c->ban_ms, 600000);
    for (size_t i = 0; i < MESSAGE_PRIORITY_COUNT; i++) {
        if (c->queue_bytes_max[i] == 0) {
            c->queue_bytes_max[i] = queues[i];
        }
    }
    if (c->queue_bytes_total == 0) {
        c->queue_bytes_total = 1024 * MIB;
    }
}

enum pot_err net_open(struct net **out, const struct net_config *config,
                      const struct net_callbacks *callbacks)
{
    char host[NET_HOST_MAX + 1];
    uint16_t port = 0;
    struct sockaddr_storage address;
    enum pot_err err = POT_OK;

    POT_ASSERT(callbacks->on_message != NULL);
    *out = NULL;
    if (config->listen != NULL) {
        err = address_split(host, &port, config->listen);
        if (err == POT_OK && !address_numeric(&address, host, port)) {
            err = POT_EFORMAT;
        }
        if (err != POT_OK) {
            return err;
        }
    }
    struct net *net = pot_calloc(1, sizeof(*net));
    net->config = *config;
    config_fill(&net->config);
    net->config.peers = NULL;
    (void)snprintf(net->moniker, sizeof(net->moniker), "%s", config->moniker);
    net->callbacks = *callbacks;
    int rc = uv_timer_init(config->loop, &net->timer);
    POT_ASSERT(rc == 0);
    net->timer.data = net;
    net_retain(net);
    err = net_set_peers(net, config->peers, config->peer_count);
    if (err == POT_OK && config->listen != NULL) {
        err = listen_on(net, (const struct sockaddr *)&address);
    }
    if (err != POT_OK) {
        net_close(net, NULL, NULL);
        return err;
    }
    rc = uv_timer_start(&net->timer, on_tick, 0, NET_TICK_MS);
    POT_ASSERT(rc == 0);
    *out = net;
    return POT_OK;
}

static bool is_listed(const struct net_address *peers, size_t count,
                      const struct net_address *address)
{
    for (size_t i = 0; i < count; i++) {
        if (public_key_equal(&peers[i].key, &address->key) &&
            peers[i].port == address->port &&
            strcmp(peers[i].host, address->host) == 0) {
            return true;
        }
    }
    return false;
}

/* Whom the new list lacks; on_peer may be called, so nothing is kept. */
static void remove_dials(struct net *net, const struct net_address *peers,
                         size_t count)
{
    for (size_t i = net->dial_count; i > 0; i--) {
        struct dial *dial = net->dials[i - 1];
        if (!is_listed(peers, count, dial_address(dial))) {
            net->dials[i - 1] = net->dials[--net->dial_count];
            dial_free(dial, REASON_NOT_WANTED);
        }
    }
}

static void drop_unlisted(struct net *net)
{
    for (size_t i = net->peer_count; i > 0; i--) {
        if (i > net->peer_count) {
            continue; /* on_peer closed some more */
        }
        struct peer *peer = net->peers[i - 1];
        bool is_guest = dial_find(net, &peer->key) == NULL;
        if (is_guest && !peer->is_guest) {
            peer_close(peer, REASON_NOT_WANTED);
        } else if (!is_guest && peer->is_guest) {
            peer->is_guest = false;
            net->guest_count--;
        }
    }
}

enum pot_err net_set_peers(struct net *net, const struct net_address *peers,
                           size_t count)
{
    const struct public_key *own = key_public(net->config.key);
    if (count > NET_DIALS_MAX) {
        return POT_ELIMIT;
    }
    remove_dials(net, peers, count);
    net->dials = pot_realloc(net->dials, NET_DIALS_MAX, sizeof(*net->dials));
    for (size_t i = 0; i < count; i++) {
        /* A list that all nodes share names ourselves too. */
        if (!public_key_equal(&peers[i].key, own) &&
            dial_find(net, &peers[i].key) == NULL) {
            net->dials[net->dial_count++] = dial_new(net, &peers[i]);
        }
    }
    drop_unlisted(net);
    return POT_OK;
}

uint16_t net_port(const struct net *net)
{
    struct sockaddr_storage address;
    int size = sizeof(address);
    if (!net->is_listening ||
        uv_tcp_getsockname(&net->listener, (struct sockaddr *)&address,
                           &size) != 0) {
        return 0;
    }
    if (address.ss_family == AF_INET6) {
        return ntohs(
            ((const struct sockaddr_in6 *)(const void *)&address)->sin6_port);
    }
    return ntohs(
        ((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

uv_loop_t *net_loop(const struct net *net)
{
    return net->config.loop;
}

uint64_t net_now_ms(const struct net *net)
{
    return uv_now(net->config.loop);
}

void net_stats(const struct net *net, struct net_stats *out)
{
    *out = net->stats;
    out->peers = net->peer_count;
    out->queued_bytes = net->queued_bytes;
    for (const struct peer *p = net->all; p != NULL; p = p->next) {
        out->pending +=
            p->state == PEER_CONNECTING || p->state == PEER_HANDSHAKE;
    }
}
