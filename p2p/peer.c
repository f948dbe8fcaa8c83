/* One connection: its socket, its handshake, its frames coming in.  Bytes are
 * read while the peer is not throttled by its rate. */
#include "config.h"

#include "p2p/peer_life.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "base/log.h"
#include "p2p/budget.h"
#include "p2p/frame.h"
#include "p2p/handshake.h"
#include "p2p/message.h"
#include "p2p/net_address.h"

#include <stdio.h>
#include <stdlib.h>

/* What a peer may send in one tick before it is read no further. */
#define TICK_MESSAGES_MAX 1000
#define TICK_BYTES_MAX    (8 << 20)

enum peer_state {
    PEER_CONNECTING,
    PEER_HANDSHAKE,
    PEER_UP,
    PEER_CLOSING,
};

struct peer {
    const struct peer_config *config;
    void *owner;
    uint64_t id;
    enum peer_state state;
    uv_tcp_t tcp;
    uv_connect_t connect;
    bool is_outbound;
    struct public_key expected; /* outbound only */
    char ip[NET_IP_SIZE];
    char address[NET_NAME_SIZE];
    uint64_t started_ms;

    struct handshake *handshake; /* HANDSHAKE only */
    bool is_proven;              /* UP was reached */
    bool is_elsewhere;           /* another has our key, as it said */
    struct public_key key;       /* is_proven, as are the next three */
    uint64_t instance;
    uint64_t up_ms;
    struct frame_reader receiving;
    char moniker[TX_TEXT_MAX + 1];
    struct sending sending;

    bool follows;      /* a status came */
    bool is_throttled; /* read no further in this tick */
    uint32_t tick_messages;
    size_t tick_bytes;
    struct budget signatures;
    uint64_t last_in_ms;
    uint64_t bytes_in;

    uint64_t next_ping_ms;
    uint64_t ping_mark;
    uint64_t ping_sent_ns; /* 0: no answer is awaited */
    uint64_t ping_sent_ms;
    uint64_t answered_ms;
    uint32_t rtt_us;
};

static uint64_t now_ms(const struct peer *peer)
{
    return uv_now(peer->config->loop);
}

/* --- the end ---------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    void (*on_freed)(void *owner) = peer->config->on_freed;
    void *owner = peer->owner;
    sending_fini(&peer->sending);
    if (peer->is_proven) {
        /* Not before: a message that closed its own peer lies in there. */
        frame_reader_fini(&peer->receiving);
    }
    free(peer);
    on_freed(owner);
}

void peer_close(struct peer *peer, enum reason reason)
{
    POT_ASSERT(reason != REASON_NONE);
    if (peer->state == PEER_CLOSING) {
        return;
    }
    sending_last(&peer->sending, reason);
    sending_stop(&peer->sending);
    peer->state = PEER_CLOSING;
    uv_close((uv_handle_t *)&peer->tcp, on_closed);
    peer->config->on_end(peer->owner, peer, reason);
    handshake_free(peer->handshake);
    peer->handshake = NULL;
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
        peer_close(peer, REASON_MALFORMED);
    } else if (mark == peer->ping_mark && peer->ping_sent_ns != 0) {
        uint64_t us = (uv_hrtime() - peer->ping_sent_ns) / 1000;
        peer->rtt_us = us == 0           ? 1
                       : us > UINT32_MAX ? UINT32_MAX
                                         : (uint32_t)us;
        peer->ping_sent_ns = 0;
        peer->answered_ms = peer->ping_sent_ms;
    }
}

static void on_bye(struct peer *peer, const struct frame *frame)
{
    enum reason reason = REASON_CLOSED;
    if (frame->size == 1 && (frame->body[0] == REASON_DUPLICATE ||
                             frame->body[0] == REASON_REPLACED ||
                             frame->body[0] == REASON_ELSEWHERE)) {
        reason = (enum reason)frame->body[0];
        peer->is_elsewhere = reason == REASON_ELSEWHERE;
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
    const struct message_rule *rule = message_rule(frame->type);
    if (rule == NULL || frame->type == MESSAGE_AUTH) {
        peer_close(peer, REASON_TYPE);
        return;
    }
    if (frame->size > rule->size_max) {
        peer_close(peer, REASON_FRAME_SIZE);
        return;
    }
    struct net_type_stats *stats = &peer->config->stats->types[frame->type];
    stats->in_count++;
    stats->in_bytes += frame->size + FRAME_OVERHEAD;
    peer->tick_messages++;
    if (frame->type == MESSAGE_PING && frame->size == 8) {
        push_small(peer, MESSAGE_PONG, frame->body, frame->size);
    } else if (frame->type == MESSAGE_PING) {
        peer_close(peer, REASON_MALFORMED);
    } else if (frame->type == MESSAGE_PONG) {
        on_pong(peer, frame);
    } else if (frame->type == MESSAGE_BYE) {
        on_bye(peer, frame);
    } else {
        peer->follows = peer->follows || frame->type == MESSAGE_STATUS;
        peer->config->on_message(peer->owner, peer, frame->type, frame->body,
                                 frame->size);
    }
}

static void drain(struct peer *peer)
{
    struct frame frame;
    while (peer->state == PEER_UP) {
        enum reason reason = frame_reader_next(&peer->receiving, &frame);
        if (reason != REASON_NONE) {
            peer_close(peer, reason);
        } else if (frame.body == NULL) {
            return;
        } else {
            dispatch(peer, &frame);
        }
    }
}

static void handshake_done(struct peer *peer)
{
    peer->key = *handshake_peer(peer->handshake);
    peer->instance = handshake_instance(peer->handshake);
    (void)snprintf(peer->moniker, sizeof(peer->moniker), "%s",
                   handshake_moniker(peer->handshake));
    handshake_take(peer->handshake, &peer->sending.cipher, &peer->receiving);
    peer->sending.is_open = true;
    peer->is_proven = true;
    handshake_free(peer->handshake);
    peer->handshake = NULL;
    peer->state = PEER_UP;
    peer->up_ms = now_ms(peer);
    peer->next_ping_ms = peer->up_ms; /* the first one measures the way */
    peer->config->on_proven(peer->owner, peer);
}

static void handshake_bytes(struct peer *peer, const char *data, size_t size)
{
    enum reason reason =
        handshake_input(peer->handshake, &peer->sending.outgoing, data, size);
    if (reason != REASON_NONE) {
        /* What is in outgoing goes too: the other end learns as much as we
         * did. */
        peer_close(peer, reason);
        return;
    }
    sending_flush(&peer->sending);
    if (handshake_is_done(peer->handshake)) {
        handshake_done(peer);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct peer *peer = handle->data;
    (void)suggested;
    *buf = uv_buf_init(peer->config->read_bytes, PEER_READ_BYTES);
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
    enum cpu_part before = cpu_time_enter(CPU_NETWORK);
    peer->last_in_ms = now_ms(peer);
    peer->bytes_in += (size_t)size;
    peer->tick_bytes += (size_t)size;
    if (peer->state == PEER_HANDSHAKE) {
        handshake_bytes(peer, buf->base, (size_t)size);
    } else {
        frame_reader_feed(&peer->receiving, buf->base, (size_t)size);
    }
    drain(peer);
    if (peer->state != PEER_CLOSING &&
        (peer->tick_messages >= TICK_MESSAGES_MAX ||
         peer->tick_bytes >= TICK_BYTES_MAX ||
         budget_is_spent(&peer->signatures))) {
        peer->is_throttled = true;
        peer->config->stats->throttled++;
        (void)uv_read_stop(stream);
    }
    (void)cpu_time_enter(before);
}

static void start_reading(struct peer *peer)
{
    peer->is_throttled = false;
    peer->last_in_ms = now_ms(peer);
    if (uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read) != 0) {
        peer_close(peer, REASON_IO);
    }
}

/* --- the beginning ---------------------------------------------------- */

struct peer *peer_new(const struct peer_config *config, uint64_t id,
                      void *owner)
{
    struct peer *peer = pot_calloc(1, sizeof(*peer));
    peer->config = config;
    peer->owner = owner;
    peer->id = id;
    peer->state = PEER_CONNECTING;
    peer->started_ms = now_ms(peer);
    budget_init(&peer->signatures, config->signatures_per_s, peer->started_ms);
    int rc = uv_tcp_init(config->loop, &peer->tcp);
    POT_ASSERT(rc == 0); /* no socket is made yet */
    peer->tcp.data = peer;
    peer->connect.data = peer;
    sending_init(&peer->sending, &config->sending, (uv_stream_t *)&peer->tcp);
    return peer;
}

void peer_greet(struct peer *peer)
{
    const struct handshake_config config = {
        .chain = peer->config->chain,
        .key = peer->config->key,
        .instance = peer->config->instance,
        .moniker = peer->config->moniker,
        .expected = peer->is_outbound ? &peer->expected : NULL,
    };
    peer->state = PEER_HANDSHAKE;
    (void)uv_tcp_nodelay(&peer->tcp, 1);
    peer->handshake = handshake_new(&config, &peer->sending.outgoing);
    sending_flush(&peer->sending);
    start_reading(peer);
}

bool peer_accept(struct peer *peer, uv_stream_t *listener)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr *address = (struct sockaddr *)&storage;
    int size = sizeof(storage);
    if (uv_accept(listener, (uv_stream_t *)&peer->tcp) != 0 ||
        uv_tcp_getpeername(&peer->tcp, address, &size) != 0) {
        peer_close(peer, REASON_IO);
        return false;
    }
    net_address_ip(peer->ip, address);
    net_address_join(peer->address, sizeof(peer->address), peer->ip,
                     net_address_port(address));
    return true;
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
    peer_greet(peer);
}

void peer_connect(struct peer *peer, const struct sockaddr *address,
                  const char *name, const struct public_key *expected)
{
    peer->is_outbound = true;
    peer->expected = *expected;
    net_address_ip(peer->ip, address);
    (void)snprintf(peer->address, sizeof(peer->address), "%s", name);
    if (uv_tcp_connect(&peer->connect, &peer->tcp, address, on_connect) != 0) {
        peer_close(peer, REASON_CONNECT);
    }
}

/* --- time ------------------------------------------------------------- */

void peer_ping(struct peer *peer, uint64_t now)
{
    uint8_t body[8];
    struct bytes_writer w;
    peer->next_ping_ms = now + peer->config->ping_ms;
    peer->ping_mark++;
    peer->ping_sent_ns = uv_hrtime();
    peer->ping_sent_ms = now;
    bytes_writer_init(&w, body, sizeof(body));
    bytes_write_u64(&w, peer->ping_mark);
    push_small(peer, MESSAGE_PING, body, sizeof(body));
}

/* Why the peer is not waited for any longer. */
static enum reason late(struct peer *peer, uint64_t now)
{
    const struct peer_config *config = peer->config;
    bool is_over = now - peer->started_ms >= config->handshake_ms;
    if (peer->sending.failure != REASON_NONE) {
        return peer->sending.failure;
    }
    if (peer->state == PEER_CONNECTING) {
        return is_over ? REASON_CONNECT : REASON_NONE;
    }
    if (peer->state == PEER_HANDSHAKE) {
        return is_over ? REASON_HANDSHAKE_TIMEOUT : REASON_NONE;
    }
    if (sending_is_stalled(&peer->sending, now, config->idle_ms)) {
        return REASON_STALLED;
    }
    bool is_idle =
        !peer->is_throttled && now - peer->last_in_ms > config->idle_ms;
    return is_idle ? REASON_IDLE : REASON_NONE;
}

void peer_tick(struct peer *peer, uint64_t now)
{
    POT_ASSERT(peer->state != PEER_CLOSING);
    enum reason reason = late(peer, now);
    if (reason != REASON_NONE) {
        peer_close(peer, reason);
        return;
    }
    peer->tick_messages = 0;
    peer->tick_bytes = 0;
    budget_refill(&peer->signatures, now);
    if (peer->is_throttled && !budget_is_spent(&peer->signatures)) {
        start_reading(peer);
    }
    if (peer->state == PEER_UP && now >= peer->next_ping_ms) {
        peer_ping(peer, now);
    }
}

void peer_charge(struct peer *peer, uint32_t signatures)
{
    budget_use(&peer->signatures, signatures);
}

bool peer_push(struct peer *peer, struct parcel *parcel)
{
    return sending_push(&peer->sending, parcel);
}

/* --- what others may see ---------------------------------------------- */

bool peer_is_pending(const struct peer *peer)
{
    return peer->state == PEER_CONNECTING || peer->state == PEER_HANDSHAKE;
}

bool peer_is_proven(const struct peer *peer)
{
    return peer->is_proven;
}

bool peer_is_closing(const struct peer *peer)
{
    return peer->state == PEER_CLOSING;
}

const struct public_key *peer_found(const struct peer *peer)
{
    if (peer->is_proven) {
        return &peer->key;
    }
    return peer->handshake != NULL ? handshake_peer(peer->handshake) : NULL;
}

const char *peer_ip(const struct peer *peer)
{
    return peer->ip;
}

uint64_t peer_started_ms(const struct peer *peer)
{
    return peer->started_ms;
}

uint64_t peer_up_ms(const struct peer *peer)
{
    return peer->up_ms;
}

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

uint64_t peer_instance(const struct peer *peer)
{
    return peer->instance;
}

uint64_t peer_answered_ms(const struct peer *peer)
{
    return peer->answered_ms;
}

bool peer_is_elsewhere(const struct peer *peer)
{
    return peer->is_elsewhere;
}

bool peer_is_outbound(const struct peer *peer)
{
    return peer->is_outbound;
}

bool peer_follows(const struct peer *peer)
{
    return peer->follows;
}

uint32_t peer_rtt_us(const struct peer *peer)
{
    return peer->rtt_us;
}

size_t peer_queue_bytes(const struct peer *peer, enum message_priority priority)
{
    return peer->sending.queue.lines[priority].bytes;
}

uint64_t peer_bytes_in(const struct peer *peer)
{
    return peer->bytes_in;
}

uint64_t peer_bytes_out(const struct peer *peer)
{
    return peer->sending.bytes_out;
}
