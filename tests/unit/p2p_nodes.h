/* p2p_nodes: several nets on one loop for tests, and raw sockets that do not
 * keep the rules.  Nothing sleeps: the loop runs until a condition holds, and
 * a deadline makes a test fail that would hang. */
#ifndef POT_TESTS_P2P_NODES_H
#define POT_TESTS_P2P_NODES_H

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <cmocka.h>

#include "base/buf.h"
#include "p2p/frame.h"
#include "p2p/handshake.h"
#include "p2p/net.h"

#define NODES_MAX 8

struct world;

struct node {
    struct world *world;
    struct key *key;
    struct net *net; /* NULL: closed */
    bool is_closed;  /* net_close has finished */
    char listen[32];
    uint16_t port;
    size_t ups;
    size_t downs;
    size_t received[MESSAGE_TYPE_COUNT];
    struct buf last;
    bool closes_on_message;
    bool bans_on_message;
    void *user;
    void (*on_peer)(struct node *, struct peer *, bool is_up);
    void (*on_message)(struct node *, struct peer *, uint8_t type,
                       const uint8_t *data, size_t size);
    void (*on_tick)(struct node *, uint64_t now_ms);
};

struct world {
    uv_loop_t loop;
    struct hash chain;
    struct node nodes[NODES_MAX];
};

void world_init(struct world *world);
/* world_fini: closes what is open; fails if any handle is left. */
void world_fini(struct world *world);

/* world_run: until condition(context); fails after a minute. */
void world_run(struct world *world, bool (*condition)(void *context),
               void *context);
/* world_turn: a few turns of the loop. */
void world_turn(struct world *world, unsigned turns);

/* node_config: what the tests start from: quick times, listening. */
struct net_config node_config(struct world *world, unsigned index);
struct net_address node_address(const struct node *node);
/* node_open: node_config, dialling the nodes of the list that ends with
 * NULL. */
void node_open(struct world *world, unsigned index, ...);
void node_open_with(struct world *world, unsigned index,
                    const struct net_config *config);
void node_close(struct node *node); /* and waits for its end */

/* node_connected: one peer and no more; a condition: context is the node. */
bool node_connected(void *context);
bool node_alone(void *context);
struct peer *node_peer(struct node *node, const struct node *other);

struct stats_wait {
    struct node *node;
    enum reason reason;
    uint64_t count;
};
/* reason_counted: stats.ended[reason] >= count. */
bool reason_counted(void *context);
void expect_ended(struct node *node, enum reason reason, uint64_t count);

/* A client over a plain socket, in the test's hands. */
struct raw {
    struct world *world;
    int fd;
    struct key *key;
    struct handshake *handshake; /* NULL when done */
    struct frame_cipher out;
    struct frame_reader in;
    bool is_up;
    bool is_closed; /* the other side closed */
};

void raw_connect(struct raw *raw, struct world *world, const struct node *node);
void raw_connect_to(struct raw *raw, struct world *world, struct in_addr ip,
                    uint16_t port);
void raw_send(struct raw *raw, const void *data, size_t size);
/* raw_closed: reads and drops; whether the other side closed. */
bool raw_closed(void *context);
/* raw_hello: connects and says hello, with a key of seed.  raw_knock: and the
 * rest of its part of the handshake.  raw_join: and waits until the node takes
 * it for a peer. */
void raw_hello(struct raw *raw, struct world *world, const struct node *node,
               uint8_t seed);
void raw_knock(struct raw *raw, struct world *world, const struct node *node,
               uint8_t seed);
void raw_join(struct raw *raw, struct world *world, const struct node *node,
              uint8_t seed);
void raw_send_frame(struct raw *raw, uint8_t type, const void *data,
                    size_t size);
/* raw_next: the next frame that has come, PING left out; false: none yet. */
bool raw_next(struct raw *raw, struct frame *frame);
void raw_fini(struct raw *raw);

#endif
