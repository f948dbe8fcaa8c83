#include "config.h"

#include "tests/unit/p2p_nodes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_NS (60 * UINT64_C(1000000000))

void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    world->chain.b[0] = 5;
    for (unsigned i = 0; i < NODES_MAX; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        struct node *node = &world->nodes[i];
        node->world = world;
        node->key = key_from_seed(seed);
        buf_init(&node->last, FRAME_BYTES_MAX);
    }
}

void world_fini(struct world *world)
{
    for (unsigned i = 0; i < NODES_MAX; i++) {
        struct node *node = &world->nodes[i];
        if (node->net != NULL) {
            node_close(node);
        }
        key_free(node->key);
        buf_fini(&node->last);
    }
    assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

void world_run(struct world *world, bool (*condition)(void *context),
               void *context)
{
    uint64_t deadline = uv_hrtime() + DEADLINE_NS;
    while (!condition(context)) {
        if (uv_hrtime() > deadline) {
            fail_msg("the condition never held");
        }
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    }
}

void world_turn(struct world *world, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    }
}

static void on_peer(void *context, struct peer *peer, bool is_up)
{
    struct node *node = context;
    node->ups += is_up;
    node->downs += !is_up;
    if (node->on_peer != NULL) {
        node->on_peer(node, peer, is_up);
    }
}

static void on_closed(void *context)
{
    struct node *node = context;
    node->is_closed = true;
}

static void start_close(struct node *node)
{
    struct net *net = node->net;
    node->net = NULL;
    node->is_closed = false;
    net_close(net, on_closed, node);
}

static void on_message(void *context, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    struct node *node = context;
    node->received[type]++;
    if (node->on_message != NULL) {
        node->on_message(node, peer, type, data, size);
    }
    if (node->bans_on_message) {
        net_ban(node->net, peer, "a test wants it");
    }
    if (node->closes_on_message && node->net != NULL) {
        start_close(node);
    }
    buf_clear(&node->last);
    buf_append(&node->last, data, size); /* still there, after all that */
}

static void on_tick(void *context, uint64_t now_ms)
{
    struct node *node = context;
    if (node->on_tick != NULL) {
        node->on_tick(node, now_ms);
    }
}

struct net_config node_config(struct world *world, unsigned index)
{
    static char moniker[NODES_MAX][16];
    struct node *node = &world->nodes[index];
    (void)snprintf(moniker[index], sizeof(moniker[index]), "node%u", index);
    /* The port of before, so that a node can come back. */
    (void)snprintf(node->listen, sizeof(node->listen), "127.0.0.1:%u",
                   (unsigned)node->port);
    return (struct net_config){
        .loop = &world->loop,
        .chain = world->chain,
        .key = node->key,
        .listen = node->listen,
        .moniker = moniker[index],
        .redial_min_ms = 50,
        .redial_max_ms = 200,
    };
}

struct net_address node_address(const struct node *node)
{
    struct net_address address = {
        .key = *key_public(node->key), .host = "127.0.0.1", .port = node->port};
    return address;
}

void node_open_with(struct world *world, unsigned index,
                    const struct net_config *config)
{
    struct node *node = &world->nodes[index];
    struct net_callbacks callbacks = {
        .context = node,
        .on_peer = on_peer,
        .on_message = on_message,
        .on_tick = on_tick,
    };
    assert_int_equal(net_open(&node->net, config, &callbacks), POT_OK);
    node->port = net_port(node->net);
}

void node_open(struct world *world, unsigned index, ...)
{
    struct net_address peers[NODES_MAX];
    struct net_config config = node_config(world, index);
    va_list list;
    va_start(list, index);
    const struct node *other = va_arg(list, const struct node *);
    while (other != NULL) {
        peers[config.peer_count++] = node_address(other);
        other = va_arg(list, const struct node *);
    }
    va_end(list);
    config.peers = peers;
    node_open_with(world, index, &config);
}

static bool is_closed(void *context)
{
    const struct node *node = context;
    return node->is_closed;
}

void node_close(struct node *node)
{
    start_close(node);
    world_run(node->world, is_closed, node);
}

bool node_connected(void *context)
{
    const struct node *node = context;
    return net_peer_count(node->net) == 1;
}

bool node_alone(void *context)
{
    const struct node *node = context;
    return net_peer_count(node->net) == 0;
}

struct peer *node_peer(struct node *node, const struct node *other)
{
    struct peer *peer = net_find(node->net, key_public(other->key));
    assert_non_null(peer);
    return peer;
}

bool reason_counted(void *context)
{
    const struct stats_wait *wait = context;
    struct net_stats stats;
    net_stats(wait->node->net, &stats);
    return stats.ended[wait->reason] >= wait->count;
}

void expect_ended(struct node *node, enum reason reason, uint64_t count)
{
    struct stats_wait wait = {node, reason, count};
    world_run(node->world, reason_counted, &wait);
}

void raw_connect(struct raw *raw, struct world *world, const struct node *node)
{
    struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    raw_connect_to(raw, world, loopback, node->port);
}

void raw_connect_to(struct raw *raw, struct world *world, struct in_addr ip,
                    uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    *raw = (struct raw){.world = world};
    address.sin_port = htons(port);
    address.sin_addr = ip;
    raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(raw->fd >= 0);
    int bytes = 16384; /* so that who does not read is soon felt */
    assert_int_equal(
        setsockopt(raw->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
    /* The kernel completes it before anybody accepts. */
    assert_int_equal(
        connect(raw->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

void raw_send(struct raw *raw, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size > 0 && !raw->is_closed) {
        ssize_t sent = send(raw->fd, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            world_turn(raw->world, 1);
        } else {
            raw->is_closed = true;
        }
    }
}

/* What has come; 0: nothing yet, or closed. */
static size_t raw_read(struct raw *raw, uint8_t *data, size_t size)
{
    ssize_t got = recv(raw->fd, data, size, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        raw->is_closed = true;
    }
    return got > 0 ? (size_t)got : 0;
}

bool raw_closed(void *context)
{
    struct raw *raw = context;
    uint8_t data[4096];
    while (raw_read(raw, data, sizeof(data)) > 0) {
    }
    return raw->is_closed;
}

static bool raw_joined(void *context)
{
    struct raw *raw = context;
    uint8_t data[4096];
    struct buf out;
    size_t size = raw_read(raw, data, sizeof(data));
    buf_init(&out, HANDSHAKE_OUTPUT_MAX);
    assert_false(raw->is_closed);
    assert_int_equal(handshake_input(raw->handshake, &out, data, size),
                     REASON_NONE);
    raw_send(raw, out.data, out.size);
    buf_fini(&out);
    return handshake_is_done(raw->handshake);
}

static bool raw_is_peer(void *context)
{
    void **both = context;
    const struct node *node = both[0];
    const struct raw *raw = both[1];
    return net_find(node->net, key_public(raw->key)) != NULL;
}

void raw_hello(struct raw *raw, struct world *world, const struct node *node,
               uint8_t seed)
{
    uint8_t seeds[32];
    struct buf out;
    raw_connect(raw, world, node);
    memset(seeds, seed, sizeof(seeds));
    raw->key = key_from_seed(seeds);
    struct handshake_config config = {
        .chain = world->chain, .key = raw->key, .moniker = "raw"};
    buf_init(&out, HANDSHAKE_OUTPUT_MAX);
    raw->handshake = handshake_new(&config, &out);
    raw_send(raw, out.data, out.size);
    buf_fini(&out);
}

void raw_knock(struct raw *raw, struct world *world, const struct node *node,
               uint8_t seed)
{
    raw_hello(raw, world, node, seed);
    world_run(world, raw_joined, raw);
    handshake_take(raw->handshake, &raw->out, &raw->in);
    handshake_free(raw->handshake);
    raw->handshake = NULL;
    raw->is_up = true;
}

void raw_join(struct raw *raw, struct world *world, const struct node *node,
              uint8_t seed)
{
    union {
        const struct node *in;
        void *out;
    } target = {.in = node};
    void *both[] = {target.out, raw};
    raw_knock(raw, world, node, seed);
    world_run(world, raw_is_peer, both);
}

void raw_send_frame(struct raw *raw, uint8_t type, const void *data,
                    size_t size)
{
    struct buf out;
    buf_init(&out, size + FRAME_OVERHEAD);
    frame_seal(&raw->out, &out, type, data, size);
    raw_send(raw, out.data, out.size);
    buf_fini(&out);
}

bool raw_next(struct raw *raw, struct frame *frame)
{
    uint8_t data[65536];
    for (;;) {
        assert_int_equal(frame_reader_next(&raw->in, frame), REASON_NONE);
        if (frame->body != NULL && frame->type != MESSAGE_PING) {
            return true;
        }
        if (frame->body == NULL) {
            size_t size = raw_read(raw, data, sizeof(data));
            if (size == 0) {
                return false;
            }
            frame_reader_feed(&raw->in, data, size);
        }
    }
}

void raw_fini(struct raw *raw)
{
    (void)close(raw->fd);
    if (raw->is_up) {
        frame_cipher_fini(&raw->out);
        frame_reader_fini(&raw->in);
    }
    handshake_free(raw->handshake);
    key_free(raw->key);
}
