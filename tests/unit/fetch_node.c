#include "config.h"

#include "tests/unit/fetch_node.h"

#include "p2p/message.h"

static void on_peer(struct node *node, struct peer *peer, bool is_up)
{
    if (is_up) {
        (void)net_send(node->net, peer, MESSAGE_STATUS, "", 0);
    }
    blob_fetch_on_peer(node->user, peer, is_up);
}

void fetch_node_on_message(struct node *node, struct peer *peer, uint8_t type,
                           const uint8_t *data, size_t size)
{
    if (type != MESSAGE_STATUS) {
        blob_fetch_on_message(node->user, peer, type, data, size);
    }
}

static void on_tick(struct node *node, uint64_t now_ms)
{
    blob_fetch_tick(node->user, now_ms);
}

struct blob_fetch *fetch_node_open(struct world *world, unsigned index,
                                   struct blob_fetch_config config)
{
    struct node *node = &world->nodes[index];
    node->on_peer = on_peer;
    node->on_message = fetch_node_on_message;
    node->on_tick = on_tick;
    if (index == 0) {
        node_open(world, 0, NULL);
    } else {
        node_open(world, index, &world->nodes[0], NULL);
    }
    config.net = node->net;
    struct blob_fetch *fetch = blob_fetch_new(&config);
    node->user = fetch;
    return fetch;
}
