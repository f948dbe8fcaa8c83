/* One connection: its socket, its handshake, its frames coming in.  Bytes are
 * read while the peer is neither paused by the owner nor throttled by its
 * rate.  What goes out is in sending.c. */
#include "config.h"

#include "p2p/net_internal.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the end ---------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    struct net *net = peer->net;
    if (peer->previous != NULL) {
        peer->previous->next = peer->next;
    } else {
        net->all = peer->next;
    }
    if (peer->next != NULL) {
        peer->next->previous = peer->previous;
    }
    buf_fini(&peer->batch);
    if (peer->is_keyed) {
        /* Not before: a message that closed its own peer lies in there. */
        frame_cipher_fini(&peer->sending);
        frame_reader_fini(&peer->receiving);
    }
    free(peer);
    net_release(net);
}

/* Says why, if the socket takes it at once: the connection ends now. */
static void send_bye(struct peer *peer, enum reason reason)
{
    if (!peer->is_keyed || peer->is_writing || reason == REASON_CLOSED ||
        reason == REASON_IO || reason == REASON_FORGED) {
        return;
    }
    uint8_t body = (uint8_t)reason;
    struct buf bye;
    buf_init(&bye, FRAME_OVERHEAD + sizeof(body));
    frame_seal(&peer->sending, &bye, MESSAGE_BYE, &body, sizeof(body));
    uv_buf_t out = uv_buf_init((char *)bye.data, (unsigned)bye.size);
    (void)uv_try_write((uv_stream_t *)&peer->tcp, &out, 1);
    buf_fini(&bye);
}

static void release_contents(struct peer *peer)
{
    peer->net->queued_bytes -= queue_bytes(&peer->queue);
    queue_fini(&peer->queue);
    buf_fini(&peer->outgoing);
    handshake_free(peer->handshake);
    peer->handshake = NULL;
}

void peer_close(struct peer *peer, enum reason reason)
{
    struct net *net = peer->net;
    struct public_key found;
    POT_ASSERT(reason != REASON_NONE);
    if (peer->state == PEER_CLOSING) {
        return;
    }
    const struct public_key *known = peer->is_keyed ? &peer->key
                                     : peer->handshake != NULL
                                         ? handshake_peer(peer->handshake)
                                         : NULL;
    if (known != NULL) {
        found = *known;
        known = &found;
    }
    bool is_pending = peer->state != PEER_UP;
    bool was_settled =
        peer->is_announced && net_now_ms(net) - peer->up_ms >= NET_SETTLED_MS;
    net->stats.ended[reason]++;
    net_log_end(net, peer, reason);
    send_bye(peer, reason);
    peer->state = PEER_CLOSING;
    if (is_pending && !peer->is_outbound) {
        net->inbound_pending--;
    }
    uv_close((uv_handle_t *)&peer->tcp, on_closed);
    if (peer->is_announced) {
        net_dismiss(net, peer);
    }
    release_contents(peer);
    if (peer->dial != NULL) {
        dial_ended(peer->dial, reason, known, was_settled);
        peer->dial = NULL;
    }
}

/* A rule was broken by whoever holds the connection's keys. */
static void punish(struct peer *peer, enum reason reason)
{
    if (peer->state == PEER_UP) {
        ban_add(peer->net, &peer->key);
    }
    peer_close(peer, reason);
}

/* --- in --------------------------------------------------------------- */

static void push_small(struct peer *peer, uint8_t type, const void *data,
                       size_t size)
{
    struct parcel *parcel = parcel_new(type, data, size);
    (void)peer_push(peer, parcel);
    parcel_unref(parcel);
}

static void on_pong(struct peer *peer, const struct frame *frame)
{
    struct bytes_reader r;
    bytes_reader_init(&r, frame->body, frame->size);
    uint64_t mark = bytes_read_u64(&r);
    if (!bytes_is_done(&r)) {
        punish(peer, REASON_MALFORMED);
    } else if (mark == peer->ping_mark && peer->ping_sent_ns != 0) {
        uint64_t us = (uv_hrtime() - peer->ping_sent_ns) / 1000;
        peer->rtt_us = us == 0           ? 1
                       : us > UINT32_MAX ? UINT32_MAX
                                         : (uint32_t)us;
        peer->ping_sent_ns = 0;
    }
}

static void on_bye(struct peer *peer, const struct frame *frame)
{
    enum reason reason = REASON_CLOSED;
    if (frame->size == 1 && frame->body[0] == REASON_DUPLICATE) {
        reason = REASON_DUPLICATE;
    }
    const char *why = frame->size == 1 && frame->body[0] < REASON_COUNT
                          ? reason_text((enum reason)frame->body[0])
                          : "no reason given";
    LOG(peer->is_outbound ? LOG_INFO : LOG_DEBUG, "p2p", "peer says goodbye",
        log_text("peer", peer->address), log_text("why", why));
    peer_close(peer, reason);
}

static void dispatch(struct peer *peer, const struct frame *frame)
{
    struct net *net = peer->net;
    const struct message_rule *rule = message_rule(frame->type);
    if (rule == NULL || frame->type == MESSAGE_AUTH) {
        punish(peer, REASON_TYPE);
        return;
    }
    if (frame->size > rule->size_max) {
        punish(peer, REASON_FRAME_SIZE);
        return;
    }
    net->stats.types[frame->type].in_count++;
    net->stats.types[frame->type].in_bytes += frame->size + FRAME_OVERHEAD;
    peer->tick_messages++;
    if (frame->type == MESSAGE_PING && frame->size == 8) {
        push_small(peer, MESSAGE_PONG, frame->body, frame->size);
    } else if (frame->type == MESSAGE_PING) {
        punish(peer, REASON_MALFORMED);
    } else if (frame->type == MESSAGE_PONG) {
        on_pong(peer, frame);
    } else if (frame->type == MESSAGE_BYE) {
        on_bye(peer, frame);
    } else {
        net->callbacks.on_message(net->callbacks.context, peer, frame->type,
                                  frame->body, frame->size);
    }
}

static void drain(struct peer *peer)
{
    struct frame frame;
    while (peer->state == PEER_UP) {
        enum reason reason = frame_reader_next(&peer->receiving, &frame);
        if (reason == REASON_FRAME_SIZE) {
            punish(peer, reason);
        } else if (reason != REASON_NONE) {
            peer_close(peer, reason); /* who did it is not proven */
        } else if (frame.body == NULL) {
            return;
        } else {
            dispatch(peer, &frame);
        }
    }
}

static void handshake_done(struct peer *peer)
{
    struct net *net = peer->net;
    peer->key = *handshake_peer(peer->handshake);
    (void)snprintf(peer->moniker, sizeof(peer->moniker), "%s",
                   handshake_moniker(peer->handshake));
    handshake_take(peer->handshake, &peer->sending, &peer->receiving);
    peer->is_keyed = true;
    handshake_free(peer->handshake);
    peer->handshake = NULL;
    peer->state = PEER_UP;
    peer->up_ms = net_now_ms(net);
    peer->next_ping_ms = peer->up_ms; /* the first one measures the way */
    if (!peer->is_outbound) {
        net->inbound_pending--;
    }
    net_admit(net, peer);
}

static void send_last(struct peer *peer)
{
    if (!peer->is_writing && peer->outgoing.size > 0) {
        uv_buf_t out = uv_buf_init((char *)peer->outgoing.data,
                                   (unsigned)peer->outgoing.size);
        (void)uv_try_write((uv_stream_t *)&peer->tcp, &out, 1);
    }
}

static void handshake_bytes(struct peer *peer, const char *data, size_t size)
{
    enum reason reason =
        handshake_input(peer->handshake, &peer->outgoing, data, size);
    if (reason != REASON_NONE) {
        send_last(peer); /* so that the other end learns as much as we did */
        peer_close(peer, reason);
        return;
    }
    peer_send(peer);
    if (handshake_is_done(peer->handshake)) {
        handshake_done(peer);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    /* What is read is consumed before the next read: one buffer serves. */
    struct peer *peer = handle->data;
    (void)suggested;
    *buf = uv_buf_init(peer->net->read_bytes, NET_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf);

/* Reads or does not, as pauses and throttle say. */
static void adjust_reading(struct peer *peer)
{
    bool should = peer->pauses == 0 && !peer->is_throttled;
    if (should == peer->is_reading || peer->state == PEER_CLOSING) {
        return;
    }
    peer->is_reading = should;
    if (should) {
        peer->last_in_ms = net_now_ms(peer->net);
        int rc = uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
        if (rc != 0) {
            peer->doom = REASON_IO;
        }
    } else {
        (void)uv_read_stop((uv_stream_t *)&peer->tcp);
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct peer *peer = stream->data;
    if (size == 0 || peer->state == PEER_CLOSING) {
        return;
    }
    if (size < 0) {
        peer_close(peer, size == UV_EOF ? REASON_CLOSED : REASON_IO);
        return;
    }
    peer->last_in_ms = net_now_ms(peer->net);
    peer->bytes_in += (size_t)size;
    peer->tick_bytes += (size_t)size;
    if (peer->state == PEER_HANDSHAKE) {
        handshake_bytes(peer, buf->base, (size_t)size);
    } else {
        frame_reader_feed(&peer->receiving, buf->base, (size_t)size);
    }
    drain(peer);
    if (peer->tick_messages >= NET_TICK_MESSAGES_MAX ||
        peer->tick_bytes >= NET_TICK_BYTES_MAX) {
        peer->is_throttled = true;
        adjust_reading(peer);
    }
}

/* --- the beginning ---------------------------------------------------- */

static struct peer *peer_new(struct net *net)
{
    struct peer *peer = pot_calloc(1, sizeof(*peer));
    peer->net = net;
    peer->id = ++net->last_id;
    peer->started_ms = net_now_ms(net);
    peer->deadline_ms = peer->started_ms + net->config.handshake_ms;
    queue_init(&peer->queue, net->config.queue_bytes_max);
    buf_init(&peer->outgoing, NET_OUTGOING_MAX);
    buf_init(&peer->batch, NET_OUTGOING_MAX);
    int rc = uv_tcp_init(net->config.loop, &peer->tcp);
    POT_ASSERT(rc == 0); /* no socket is made yet */
    peer->tcp.data = peer;
    peer->connect.data = peer;
    peer->write.data = peer;
    peer->next = net->all;
    if (net->all != NULL) {
        net->all->previous = peer;
    }
    net->all = peer;
    net_retain(net);
    return peer;
}

static void handshake_begin(struct peer *peer)
{
    struct net *net = peer->net;
    struct handshake_config config = {
        .chain = net->config.chain,
        .key = net->config.key,
        .moniker = net->moniker,
    };
    if (peer->dial != NULL) {
        config.expected = &dial_address(peer->dial)->key;
    }
    peer->state = PEER_HANDSHAKE;
    (void)uv_tcp_nodelay(&peer->tcp, 1);
    peer->handshake = handshake_new(&config, &peer->outgoing);
    adjust_reading(peer);
    peer_send(peer);
}

/* Frees a place for a newcomer, if one is held by who only sits there. */
static void evict_oldest(struct net *net)
{
    struct peer *oldest = NULL;
    for (struct peer *p = net->all; p != NULL; p = p->next) {
        if (p->state == PEER_HANDSHAKE && !p->is_outbound &&
            (oldest == NULL || p->started_ms < oldest->started_ms)) {
            oldest = p;
        }
    }
    if (oldest != NULL &&
        net_now_ms(net) - oldest->started_ms >= NET_PENDING_OLD_MS) {
        peer_close(oldest, REASON_PENDING_LIMIT);
    }
}

static bool has_room(struct net *net, const struct peer *newcomer)
{
    size_t from_ip = 0;
    for (struct peer *p = net->all; p != NULL; p = p->next) {
        from_ip += p != newcomer && p->state == PEER_HANDSHAKE &&
                   !p->is_outbound && strcmp(p->ip, newcomer->ip) == 0;
    }
    if (from_ip >= NET_PENDING_IP_MAX && !newcomer->is_loopback) {
        return false;
    }
    if (net->inbound_pending > NET_PENDING_MAX) {
        evict_oldest(net);
    }
    return net->inbound_pending <= NET_PENDING_MAX;
}

void peer_accept(struct net *net, uv_stream_t *listener)
{
    struct sockaddr_storage address = {0};
    int size = sizeof(address);
    struct peer *peer = peer_new(net);
    peer->state = PEER_CONNECTING;
    net->inbound_pending++;
    if (uv_accept(listener, (uv_stream_t *)&peer->tcp) != 0 ||
        uv_tcp_getpeername(&peer->tcp, (struct sockaddr *)&address, &size) !=
            0) {
        peer_close(peer, REASON_IO);
        return;
    }
    net->stats.accepted++;
    address_ip(peer->ip, (struct sockaddr *)&address);
    address_name(peer->address, sizeof(peer->address),
                 (struct sockaddr *)&address);
    peer->is_loopback = address_is_loopback((struct sockaddr *)&address);
    if (!has_room(net, peer)) {
        peer_close(peer, REASON_PENDING_LIMIT);
        return;
    }
    handshake_begin(peer);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct peer *peer = request->data;
    if (peer->state == PEER_CLOSING) {
        return;
    }
    if (status != 0) {
        peer_close(peer, REASON_CONNECT);
        return;
    }
    handshake_begin(peer);
}

void peer_dial(struct net *net, struct dial *dial,
               const struct sockaddr *address, const char *name)
{
    struct peer *peer = peer_new(net);
    peer->state = PEER_CONNECTING;
    peer->is_outbound = true;
    peer->dial = dial;
    dial_attach(dial, peer);
    address_ip(peer->ip, address);
    (void)snprintf(peer->address, sizeof(peer->address), "%s", name);
    peer->is_loopback = address_is_loopback(address);
    int rc = uv_tcp_connect(&peer->connect, &peer->tcp, address, on_connect);
    if (rc != 0) {
        peer_close(peer, REASON_CONNECT);
    }
}

/* --- time ------------------------------------------------------------- */

static void ping(struct peer *peer, uint64_t now_ms)
{
    uint8_t body[8];
    struct bytes_writer w;
    peer->next_ping_ms = now_ms + peer->net->config.ping_ms;
    peer->ping_mark++;
    peer->ping_sent_ns = uv_hrtime();
    bytes_writer_init(&w, body, sizeof(body));
    bytes_write_u64(&w, peer->ping_mark);
    push_small(peer, MESSAGE_PING, body, sizeof(body));
}

static bool is_stalled(struct peer *peer, uint64_t now_ms)
{
    if (!peer->is_writing) {
        return false;
    }
    size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&peer->tcp);
    if (left != peer->write_left) {
        peer->write_left = left;
        peer->write_moved_ms = now_ms;
    }
    return now_ms - peer->write_moved_ms > peer->net->config.idle_ms;
}

static enum reason late(struct peer *peer, uint64_t now_ms)
{
    if (peer->doom != REASON_NONE) {
        return peer->doom;
    }
    switch (peer->state) {
    case PEER_CONNECTING:
        return now_ms >= peer->deadline_ms ? REASON_CONNECT : REASON_NONE;
    case PEER_HANDSHAKE:
        return now_ms >= peer->deadline_ms ? REASON_HANDSHAKE_TIMEOUT
                                           : REASON_NONE;
    case PEER_UP:
        if (is_stalled(peer, now_ms)) {
            return REASON_STALLED;
        }
        return peer->is_reading &&
                       now_ms - peer->last_in_ms > peer->net->config.idle_ms
                   ? REASON_IDLE
                   : REASON_NONE;
    case PEER_CLOSING:
        break;
    }
    return REASON_NONE;
}

void peer_tick(struct peer *peer, uint64_t now_ms)
{
    enum reason reason = late(peer, now_ms);
    if (reason != REASON_NONE) {
        peer_close(peer, reason);
        return;
    }
    peer->tick_messages = 0;
    peer->tick_bytes = 0;
    if (peer->is_throttled) {
        peer->is_throttled = false;
        adjust_reading(peer);
    }
    if (peer->state == PEER_UP && now_ms >= peer->next_ping_ms) {
        ping(peer, now_ms);
    }
}

/* --- what others may see ---------------------------------------------- */

uint64_t peer_id(const struct peer *peer)
{
    return peer->id;
}

const struct public_key *peer_key(const struct peer *peer)
{
    return &peer->key;
}

const char *peer_address(const struct peer *peer)
{
    return peer->address;
}

const char *peer_moniker(const struct peer *peer)
{
    return peer->moniker;
}

bool peer_is_outbound(const struct peer *peer)
{
    return peer->is_outbound;
}

uint64_t peer_since_ms(const struct peer *peer)
{
    return peer->up_ms;
}

uint32_t peer_rtt_us(const struct peer *peer)
{
    return peer->rtt_us;
}

size_t peer_queue_bytes(const struct peer *peer, enum message_priority priority)
{
    return peer->queue.lines[priority].bytes;
}

uint64_t peer_bytes_in(const struct peer *peer)
{
    return peer->bytes_in;
}

uint64_t peer_bytes_out(const struct peer *peer)
{
    return peer->bytes_out;
}

void peer_pause(struct peer *peer)
{
    peer->pauses++;
    adjust_reading(peer);
}

void peer_resume(struct peer *peer)
{
    POT_ASSERT(peer->pauses > 0);
    peer->pauses--;
    adjust_reading(peer);
}
