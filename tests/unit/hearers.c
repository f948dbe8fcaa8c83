#include "config.h"

#include "tests/unit/hearers.h"

/* What nobody tells here: the last message. */
#define LAST MESSAGE_EVIDENCE

static void on_peer(struct node *node, struct peer *peer, bool is_up)
{
    if (is_up) {
        (void)net_send(node->net, peer, MESSAGE_STATUS, "", 0);
    }
}

static void on_message(struct node *node, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    const struct hearers *h = node->user;
    (void)peer;
    if (type != LAST) {
        h->on_heard(h->context, (enum hearer)(node - h->world.nodes), type,
                    data, size);
    }
}

static bool is_fellow(void *context, const struct peer *peer)
{
    const struct node *fellow = context;
    return public_key_equal(peer_key(peer), key_public(fellow->key));
}

static bool do_all_follow(void *context)
{
    const struct node *self = context;
    return self->received[MESSAGE_STATUS] == HEARERS - 1;
}

void hearers_open(struct hearers *h)
{
    struct node *nodes = h->world.nodes;
    world_init(&h->world);
    node_open(&h->world, HEARER_SELF, NULL);
    for (unsigned i = HEARER_FELLOW; i < HEARERS; i++) {
        nodes[i].user = h;
        nodes[i].on_peer = on_peer;
        nodes[i].on_message = on_message;
        node_open(&h->world, i, &nodes[HEARER_SELF], NULL);
    }
    world_run(&h->world, do_all_follow, &nodes[HEARER_SELF]);
    h->gossip = gossip_new(nodes[HEARER_SELF].net, 0);
    gossip_set_fellows(h->gossip, is_fellow, &nodes[HEARER_FELLOW]);
}

void hearers_close(struct hearers *h)
{
    world_fini(&h->world);
    gossip_free(h->gossip);
}

uint64_t hearers_id(struct hearers *h, enum hearer who)
{
    struct node *nodes = h->world.nodes;
    return peer_id(node_peer(&nodes[HEARER_SELF], &nodes[who]));
}

static bool has_last(void *context)
{
    const struct node *node = context;
    return node->received[LAST] > 0;
}

/* A connection keeps the order. */
void hearers_settle(struct hearers *h)
{
    struct node *self = &h->world.nodes[HEARER_SELF];
    for (unsigned i = HEARER_FELLOW; i < HEARERS; i++) {
        struct node *node = &h->world.nodes[i];
        node->received[LAST] = 0;
        assert_true(net_send(self->net, node_peer(self, node), LAST, "", 0));
        world_run(&h->world, has_last, node);
    }
}
