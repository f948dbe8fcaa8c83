#include "config.h"

#include "p2p/gossip.h"

#include "tests/unit/p2p_nodes.h"

#include <string.h>

static void a_message_is_new_once(void **state)
{
    struct gossip *g = gossip_new(NULL, 0);
    (void)state;
    assert_true(gossip_receive(g, MESSAGE_TX, "abc", 3));
    assert_false(gossip_receive(g, MESSAGE_TX, "abc", 3));
    assert_true(gossip_receive(g, MESSAGE_TX, "abd", 3));
    assert_true(gossip_receive(g, MESSAGE_SUBMISSION, "abc", 3));
    gossip_forget(g, MESSAGE_TX, "abc", 3);
    assert_true(gossip_receive(g, MESSAGE_TX, "abc", 3));
    gossip_free(g);
}

static void old_marks_are_forgotten_and_recent_ones_are_not(void **state)
{
    struct gossip *g = gossip_new(NULL, 100);
    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        assert_true(gossip_receive(g, MESSAGE_TX, &i, sizeof(i)));
        if (i >= 99) {
            uint32_t recent = i - 99;
            assert_false(gossip_receive(g, MESSAGE_TX, &recent, sizeof(i)));
        }
    }
    uint32_t first = 0;
    assert_true(gossip_receive(g, MESSAGE_TX, &first, sizeof(first)));
    gossip_free(g);
}

/* A ring of nodes, each forwarding what is new to it. */
static void forward(struct node *node, struct peer *peer, uint8_t type,
                    const uint8_t *data, size_t size)
{
    if (gossip_receive(node->user, type, data, size)) {
        gossip_forward(node->user, type, data, size, peer_id(peer));
    }
}

static bool all_have(void *context)
{
    struct world *w = context;
    for (unsigned i = 1; i < 5; i++) {
        if (w->nodes[i].received[MESSAGE_TX] == 0) {
            return false;
        }
    }
    return true;
}

static void a_message_goes_round_a_ring_and_stops(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    for (unsigned i = 1; i < 5; i++) {
        node_open(&w, i, &w.nodes[i - 1], i == 4 ? &w.nodes[0] : NULL, NULL);
    }
    for (unsigned i = 0; i < 5; i++) {
        w.nodes[i].user = gossip_new(w.nodes[i].net, 0);
        w.nodes[i].on_message = forward;
        while (net_peer_count(w.nodes[i].net) < 2) {
            world_turn(&w, 1);
        }
    }
    gossip_publish(w.nodes[0].user, MESSAGE_TX, "news", 4);
    world_run(&w, all_have, &w);
    world_turn(&w, 10);
    size_t copies = 0;
    for (unsigned i = 0; i < 5; i++) {
        copies += w.nodes[i].received[MESSAGE_TX];
        gossip_free(w.nodes[i].user);
    }
    /* 4 first copies, and those that met on the far side. */
    assert_true(copies >= 4 && copies <= 6);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_new_once),
        cmocka_unit_test(old_marks_are_forgotten_and_recent_ones_are_not),
        cmocka_unit_test(a_message_goes_round_a_ring_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
