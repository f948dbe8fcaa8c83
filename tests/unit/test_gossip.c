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

/* What a fellow tells is new once more when another brings it, and then not. */
static void what_fellows_told_is_marked_apart(void **state)
{
    struct gossip *g = gossip_new(NULL, 0);
    (void)state;
    assert_true(gossip_receive_told(g, MESSAGE_TX, "abc", 3));
    assert_false(gossip_receive_told(g, MESSAGE_TX, "abc", 3));
    assert_true(gossip_receive(g, MESSAGE_TX, "abc", 3));
    assert_false(gossip_receive(g, MESSAGE_TX, "abc", 3));
    assert_true(gossip_receive(g, MESSAGE_TX, "abd", 3));
    assert_false(gossip_receive_told(g, MESSAGE_TX, "abd", 3));
    assert_true(gossip_receive_told(g, MESSAGE_TX, "abe", 3));
    gossip_forget(g, MESSAGE_TX, "abe", 3);
    assert_true(gossip_receive_told(g, MESSAGE_TX, "abe", 3));
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

static bool has_heard(void *context)
{
    const struct node *node = context;
    return node->received[MESSAGE_STATUS] >= net_peer_count(node->net);
}

/* These nodes say that they follow the chain, and are heard. */
static void follow(struct world *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)net_broadcast(w->nodes[i].net, MESSAGE_STATUS, "", 0, NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        world_run(w, has_heard, &w->nodes[i]);
    }
}

/* A ring of nodes, each forwarding what is new to it. */
static void forward(struct node *node, struct peer *peer, uint8_t type,
                    const uint8_t *data, size_t size)
{
    if (type == MESSAGE_TX && gossip_receive(node->user, type, data, size)) {
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
    follow(&w, 5);
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

static bool is_fellow(void *context, const struct peer *peer)
{
    const struct world *w = context;
    for (unsigned i = 0; i < 3; i++) {
        if (public_key_equal(peer_key(peer), key_public(w->nodes[i].key))) {
            return true;
        }
    }
    return false;
}

/* A teller's copy is new, one more by somebody else is too, and a fellow's is
 * not: fellows have told each other. */
static void what_was_told_is_new_to_others_and_not_of_fellows(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    struct gossip *gossip = gossip_new(w.nodes[0].net, 0);
    assert_true(gossip_receive_told(gossip, MESSAGE_COMMITMENT, "a", 1));
    assert_false(gossip_receive_told(gossip, MESSAGE_COMMITMENT, "a", 1));
    assert_false(gossip_receive_twice(gossip, MESSAGE_COMMITMENT, "a", 1));
    assert_true(gossip_receive(gossip, MESSAGE_COMMITMENT, "a", 1));
    assert_false(gossip_receive(gossip, MESSAGE_COMMITMENT, "a", 1));
    assert_true(gossip_receive_twice(gossip, MESSAGE_COMMITMENT, "b", 1));
    assert_false(gossip_receive_twice(gossip, MESSAGE_COMMITMENT, "b", 1));
    assert_false(gossip_receive_told(gossip, MESSAGE_COMMITMENT, "b", 1));
    gossip_forget(gossip, MESSAGE_COMMITMENT, "a", 1);
    assert_true(gossip_receive_twice(gossip, MESSAGE_COMMITMENT, "a", 1));
    gossip_free(gossip);
    world_fini(&w);
}

struct copies {
    struct gossip *gossip;
    size_t of_fellows; /* but the first one */
    size_t in_all;
};

static void forward_out(struct node *node, struct peer *peer, uint8_t type,
                        const uint8_t *data, size_t size)
{
    struct copies *copies = node->user;
    uint64_t id = peer_id(peer);
    bool is_of_fellow = gossip_is_fellow(copies->gossip, id);
    if (type != MESSAGE_TX) {
        return;
    }
    copies->in_all++;
    copies->of_fellows +=
        is_of_fellow && node_peer(node, &node->world->nodes[0]) != peer;
    if (!gossip_receive(copies->gossip, type, data, size)) {
        return;
    }
    if (is_of_fellow) {
        gossip_forward_out(copies->gossip, type, data, size);
    } else {
        gossip_forward(copies->gossip, type, data, size, id);
    }
}

static bool have_all_told(void *context)
{
    const struct world *w = context;
    const struct copies *last = w->nodes[3].user;
    return last->in_all == 3; /* of each fellow */
}

static void fellows_tell_others_and_not_each_other(void **state)
{
    struct world w;
    struct copies copies[4] = {0};
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    node_open(&w, 1, &w.nodes[0], NULL);
    node_open(&w, 2, &w.nodes[0], &w.nodes[1], NULL);
    node_open(&w, 3, &w.nodes[0], &w.nodes[1], &w.nodes[2], NULL);
    for (unsigned i = 0; i < 4; i++) {
        copies[i].gossip = gossip_new(w.nodes[i].net, 0);
        w.nodes[i].user = &copies[i];
        w.nodes[i].on_message = forward_out;
        while (net_peer_count(w.nodes[i].net) < 3) {
            world_turn(&w, 1);
        }
        if (i < 3) {
            gossip_set_fellows(copies[i].gossip, is_fellow, &w);
        }
    }
    follow(&w, 4);
    gossip_publish(copies[0].gossip, MESSAGE_TX, "news", 4);
    world_run(&w, have_all_told, &w);
    world_turn(&w, 10);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(copies[i].of_fellows, 0);
        gossip_free(copies[i].gossip);
    }
    assert_true(copies[1].in_all > 0 && copies[2].in_all > 0);
    world_fini(&w);
}

static bool has_two(void *context)
{
    const struct node *node = context;
    return node->received[MESSAGE_TX] == 2;
}

/* To who was not ready for it, it is new. */
static void what_is_published_again_is_sent_again(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    node_open(&w, 1, &w.nodes[0], NULL);
    world_run(&w, node_connected, &w.nodes[0]);
    world_run(&w, node_connected, &w.nodes[1]);
    follow(&w, 2);
    struct gossip *gossip = gossip_new(w.nodes[0].net, 0);
    gossip_publish(gossip, MESSAGE_TX, "news", 4);
    gossip_publish(gossip, MESSAGE_TX, "news", 4);
    world_run(&w, has_two, &w.nodes[1]);
    gossip_free(gossip);
    world_fini(&w);
}

/* The third is one that says nothing of the chain: it is heard all the same. */
static void who_does_not_follow_is_told_nothing(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    node_open(&w, 1, &w.nodes[0], NULL);
    node_open(&w, 2, &w.nodes[0], NULL);
    for (unsigned i = 0; i < 2; i++) {
        w.nodes[i].user = gossip_new(w.nodes[i].net, 0);
        w.nodes[i].on_message = forward;
    }
    while (net_peer_count(w.nodes[0].net) < 2 || !node_connected(&w.nodes[1]) ||
           !node_connected(&w.nodes[2])) {
        world_turn(&w, 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)net_send(w.nodes[i].net, node_peer(&w.nodes[i], &w.nodes[1 - i]),
                       MESSAGE_STATUS, "", 0);
    }
    while (w.nodes[0].received[MESSAGE_STATUS] == 0 ||
           w.nodes[1].received[MESSAGE_STATUS] == 0) {
        world_turn(&w, 1);
    }
    gossip_publish(w.nodes[0].user, MESSAGE_TX, "news", 4);
    (void)net_send(w.nodes[2].net, net_peer_at(w.nodes[2].net, 0), MESSAGE_TX,
                   "mine", 4);
    world_run(&w, has_two, &w.nodes[1]);
    world_turn(&w, 10);
    assert_int_equal(w.nodes[2].received[MESSAGE_TX], 0);
    gossip_free(w.nodes[0].user);
    gossip_free(w.nodes[1].user);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_new_once),
        cmocka_unit_test(what_fellows_told_is_marked_apart),
        cmocka_unit_test(old_marks_are_forgotten_and_recent_ones_are_not),
        cmocka_unit_test(a_message_goes_round_a_ring_and_stops),
        cmocka_unit_test(fellows_tell_others_and_not_each_other),
        cmocka_unit_test(what_was_told_is_new_to_others_and_not_of_fellows),
        cmocka_unit_test(what_is_published_again_is_sent_again),
        cmocka_unit_test(who_does_not_follow_is_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
