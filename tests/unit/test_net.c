/* Honest nodes among themselves. */
#include "config.h"

#include "p2p/net.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "tests/unit/p2p_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void connect_two(struct world *w)
{
    world_init(w);
    node_open(w, 0, NULL);
    node_open(w, 1, &w->nodes[0], NULL);
    world_run(w, node_connected, &w->nodes[0]);
    world_run(w, node_connected, &w->nodes[1]);
}

/* Node 1, which dials this address alone. */
static void open_dialling(struct world *w, const struct net_address *address)
{
    struct net_config config = node_config(w, 1);
    config.peers = address;
    config.peer_count = 1;
    node_open_with(w, 1, &config);
}

struct wait_type {
    struct node *node;
    uint8_t type;
    size_t count;
};

static bool has_received(void *context)
{
    const struct wait_type *wait = context;
    return wait->node->received[wait->type] >= wait->count;
}

static void expect_received(struct node *node, uint8_t type, size_t count)
{
    struct wait_type wait = {node, type, count};
    world_run(node->world, has_received, &wait);
}

static void two_nodes_connect_and_know_each_other(void **state)
{
    struct world w;
    (void)state;
    connect_two(&w);
    struct peer *at0 = node_peer(&w.nodes[0], &w.nodes[1]);
    struct peer *at1 = node_peer(&w.nodes[1], &w.nodes[0]);
    assert_string_equal(peer_moniker(at0), "node1");
    assert_string_equal(peer_moniker(at1), "node0");
    assert_false(peer_is_outbound(at0));
    assert_true(peer_is_outbound(at1));
    assert_ptr_equal(net_find_id(w.nodes[0].net, peer_id(at0)), at0);
    world_fini(&w);
    assert_int_equal(w.nodes[0].ups, 1);
    assert_int_equal(w.nodes[0].downs, 1);
}

static void every_type_arrives_both_ways_in_every_size(void **state)
{
    struct world w;
    (void)state;
    connect_two(&w);
    for (uint8_t type = MESSAGE_CONSENSUS; type < MESSAGE_TYPE_COUNT; type++) {
        if (message_rule(type) == NULL) {
            continue;
        }
        size_t sizes[] = {0, 1, message_rule(type)->size_max};
        for (size_t j = 0; j < 3; j++) {
            struct node *from = &w.nodes[j % 2];
            struct node *to = &w.nodes[1 - j % 2];
            size_t count = to->received[type];
            uint8_t *data = pot_alloc(sizes[j] + 1);
            memset(data, (int)(type + j), sizes[j] + 1);
            assert_true(
                net_send(from->net, node_peer(from, to), type, data, sizes[j]));
            expect_received(to, type, count + 1);
            assert_int_equal(to->last.size, sizes[j]);
            if (sizes[j] > 0) {
                assert_memory_equal(to->last.data, data, sizes[j]);
            }
            free(data);
        }
    }
    world_fini(&w);
}

static void a_message_too_large_is_not_sent(void **state)
{
    struct world w;
    struct net_stats stats;
    (void)state;
    connect_two(&w);
    size_t size = message_rule(MESSAGE_STATUS)->size_max + 1;
    uint8_t *data = pot_calloc(1, size);
    struct peer *peer = node_peer(&w.nodes[0], &w.nodes[1]);
    assert_false(net_send(w.nodes[0].net, peer, MESSAGE_STATUS, data, size));
    net_stats(w.nodes[0].net, &stats);
    assert_int_equal(stats.types[MESSAGE_STATUS].dropped, 1);
    free(data);
    world_fini(&w);
}

static void messages_are_counted(void **state)
{
    struct world w;
    struct net_stats out;
    struct net_stats in;
    (void)state;
    connect_two(&w);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(
            net_broadcast(w.nodes[0].net, MESSAGE_TX, "abc", 3, NULL), 1);
    }
    expect_received(&w.nodes[1], MESSAGE_TX, 10);
    net_stats(w.nodes[0].net, &out);
    net_stats(w.nodes[1].net, &in);
    assert_int_equal(out.types[MESSAGE_TX].out_count, 10);
    assert_int_equal(out.types[MESSAGE_TX].out_bytes,
                     10 * (3 + FRAME_OVERHEAD));
    assert_int_equal(in.types[MESSAGE_TX].in_count, 10);
    assert_int_equal(in.types[MESSAGE_TX].in_bytes,
                     out.types[MESSAGE_TX].out_bytes);
    assert_int_equal(in.peers, 1);
    assert_int_equal(out.queued_bytes, 0);
    world_fini(&w);
}

/* More frames than one key serves. */
static void keys_are_replaced_on_the_way(void **state)
{
    struct world w;
    (void)state;
    connect_two(&w);
    for (unsigned i = 0; i < 3 * FRAME_REKEY_COUNT; i++) {
        assert_true(net_send(w.nodes[0].net,
                             node_peer(&w.nodes[0], &w.nodes[1]), MESSAGE_TX,
                             &i, sizeof(i)));
    }
    expect_received(&w.nodes[1], MESSAGE_TX, 3 * FRAME_REKEY_COUNT);
    unsigned last;
    memcpy(&last, w.nodes[1].last.data, sizeof(last));
    assert_int_equal(last, 3 * FRAME_REKEY_COUNT - 1);
    world_fini(&w);
}

static bool is_measured(void *context)
{
    struct node *node = context;
    return peer_rtt_us(net_peer_at(node->net, 0)) > 0;
}

static void pings_measure_the_way(void **state)
{
    struct world w;
    (void)state;
    connect_two(&w);
    world_run(&w, is_measured, &w.nodes[0]);
    world_run(&w, is_measured, &w.nodes[1]);
    world_fini(&w);
}

static void every_node_of_a_mesh_finds_every_other(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    /* Ports first: all lists name all nodes, also the own one. */
    for (unsigned i = 0; i < 4; i++) {
        node_open(&w, i, NULL);
    }
    struct net_address all[4];
    for (unsigned i = 0; i < 4; i++) {
        all[i] = node_address(&w.nodes[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(net_set_peers(w.nodes[i].net, all, 4), POT_OK);
    }
    for (unsigned i = 0; i < 4; i++) {
        while (net_peer_count(w.nodes[i].net) < 3) {
            world_turn(&w, 1);
        }
    }
    assert_int_equal(net_broadcast(w.nodes[2].net, MESSAGE_CONSENSUS, "x", 1,
                                   node_peer(&w.nodes[2], &w.nodes[0])),
                     2);
    expect_received(&w.nodes[1], MESSAGE_CONSENSUS, 1);
    expect_received(&w.nodes[3], MESSAGE_CONSENSUS, 1);
    assert_int_equal(w.nodes[0].received[MESSAGE_CONSENSUS], 0);
    world_fini(&w);
}

static bool both_dials_came_through(void *context)
{
    struct world *w = context;
    struct net_stats stats[2];
    net_stats(w->nodes[0].net, &stats[0]);
    net_stats(w->nodes[1].net, &stats[1]);
    return stats[0].pending + stats[1].pending == 0 &&
           net_peer_count(w->nodes[0].net) == 1 &&
           net_peer_count(w->nodes[1].net) == 1 &&
           stats[0].accepted + stats[1].accepted >= 2;
}

static void both_keep_the_same_one_of_two_connections(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 20; turn++) {
        struct world w;
        world_init(&w);
        node_open(&w, 0, NULL);
        node_open(&w, 1, NULL);
        struct net_address to[] = {node_address(&w.nodes[0]),
                                   node_address(&w.nodes[1])};
        assert_int_equal(net_set_peers(w.nodes[0].net, &to[1], 1), POT_OK);
        world_turn(&w, turn % 7);
        assert_int_equal(net_set_peers(w.nodes[1].net, &to[0], 1), POT_OK);
        world_run(&w, node_connected, &w.nodes[0]);
        struct net_stats stats[2];
        net_stats(w.nodes[0].net, &stats[0]);
        net_stats(w.nodes[1].net, &stats[1]);
        if (stats[0].dialled == 1 && stats[1].dialled == 1) {
            world_run(&w, both_dials_came_through, &w);
        } else {
            world_run(&w, node_connected, &w.nodes[1]);
        }
        world_turn(&w, 4);
        /* One each, and the same: a message goes through. */
        struct peer *at0 = node_peer(&w.nodes[0], &w.nodes[1]);
        struct peer *at1 = node_peer(&w.nodes[1], &w.nodes[0]);
        assert_int_not_equal(peer_is_outbound(at0), peer_is_outbound(at1));
        assert_true(net_send(w.nodes[0].net, at0, MESSAGE_TX, "a", 1));
        expect_received(&w.nodes[1], MESSAGE_TX, 1);
        assert_true(net_send(w.nodes[1].net, at1, MESSAGE_TX, "b", 1));
        expect_received(&w.nodes[0], MESSAGE_TX, 1);
        assert_int_equal(w.nodes[0].ups - w.nodes[0].downs, 1);
        world_fini(&w);
    }
}

static void a_peer_that_restarts_is_found_again(void **state)
{
    struct world w;
    (void)state;
    connect_two(&w);
    for (unsigned i = 0; i < 3; i++) {
        node_close(&w.nodes[0]);
        world_run(&w, node_alone, &w.nodes[1]);
        node_open(&w, 0, NULL);
        world_run(&w, node_connected, &w.nodes[1]);
        world_run(&w, node_connected, &w.nodes[0]);
    }
    assert_int_equal(w.nodes[1].ups, 4);
    world_fini(&w);
}

/* --- two processes with one key ---------------------------------------- */

/* Node 2 becomes a second process with node 1's key. */
static void copy_key(struct world *w, const uint8_t seed[static 32])
{
    key_free(w->nodes[2].key);
    w->nodes[2].key = key_from_seed(seed);
}

static void note_elsewhere(struct node *node, struct peer *peer, bool is_up)
{
    size_t *count = node->user;
    *count += !is_up && peer_is_elsewhere(peer);
}

static bool came_twice(void *context)
{
    const struct node *node = context;
    return node->ups == 2;
}

static void of_two_processes_with_one_key_the_older_stays(void **state)
{
    const uint8_t seed[32] = {2};
    struct world w;
    size_t told = 0;
    (void)state;
    connect_two(&w);
    copy_key(&w, seed);
    w.nodes[2].user = &told;
    w.nodes[2].on_peer = note_elsewhere;
    node_open(&w, 2, &w.nodes[0], NULL);
    expect_ended(&w.nodes[2], REASON_ELSEWHERE, 3);
    assert_true(told >= 3);
    expect_ended(&w.nodes[0], REASON_ELSEWHERE, 3);
    assert_int_equal(w.nodes[0].ups, 1);
    assert_int_equal(w.nodes[0].downs, 0);
    assert_int_equal(w.nodes[1].downs, 0);
    /* The older one goes: its place is free. */
    node_close(&w.nodes[1]);
    world_run(&w, came_twice, &w.nodes[0]);
    world_run(&w, node_connected, &w.nodes[2]);
    world_fini(&w);
}

static void a_process_that_answers_nothing_makes_way(void **state)
{
    uint8_t seed[32];
    struct world w;
    struct raw older;
    (void)state;
    world_init(&w);
    struct net_config config = node_config(&w, 0);
    config.rival_ms = 300;
    node_open_with(&w, 0, &config);
    raw_join(&older, &w, &w.nodes[0], 77);
    memset(seed, 77, sizeof(seed));
    copy_key(&w, seed);
    node_open(&w, 2, &w.nodes[0], NULL);
    world_run(&w, raw_closed, &older);
    world_run(&w, node_connected, &w.nodes[2]);
    struct net_stats stats;
    net_stats(w.nodes[0].net, &stats);
    assert_true(stats.ended[REASON_DUPLICATE] > 0);
    assert_int_equal(stats.ended[REASON_ELSEWHERE], 0);
    assert_int_equal(stats.ended[REASON_REPLACED], 1);
    raw_fini(&older);
    world_fini(&w);
}

static void a_wrong_key_at_the_address_is_told(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    struct net_address address = node_address(&w.nodes[0]);
    address.key = *key_public(w.nodes[2].key);
    char path[] = "/tmp/pot-test-net-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(log_open(LOG_WARN, LOG_FORMAT_TEXT, path), POT_OK);
    open_dialling(&w, &address);
    expect_ended(&w.nodes[1], REASON_WRONG_KEY, 2);
    assert_int_equal(log_open(LOG_INFO, LOG_FORMAT_TEXT, NULL), POT_OK);
    char found[sizeof("found=") + ADDRESS_TEXT_SIZE] = "found=";
    address_format(key_public(w.nodes[0].key), found + strlen(found));
    char *text;
    size_t size;
    assert_int_equal(file_read(&text, &size, path, 65536), POT_OK);
    (void)unlink(path);
    assert_non_null(strstr(text, found));
    free(text);
    assert_int_equal(w.nodes[1].ups, 0);
    world_fini(&w);
}

static void another_chain_is_told(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    w.chain.b[0]++;
    node_open(&w, 1, &w.nodes[0], NULL);
    expect_ended(&w.nodes[1], REASON_CHAIN, 1);
    expect_ended(&w.nodes[0], REASON_CHAIN, 1);
    world_fini(&w);
}

static void a_node_that_dials_itself_is_told(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    struct net_address address = node_address(&w.nodes[0]);
    address.key = *key_public(w.nodes[1].key);
    assert_int_equal(net_set_peers(w.nodes[0].net, &address, 1), POT_OK);
    expect_ended(&w.nodes[0], REASON_SELF, 1);
    assert_int_equal(net_peer_count(w.nodes[0].net), 0);
    world_fini(&w);
}

static void nobody_at_the_address_is_told_again_and_again(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    node_close(&w.nodes[0]); /* nobody listens on this port now */
    node_open(&w, 1, &w.nodes[0], NULL);
    expect_ended(&w.nodes[1], REASON_CONNECT, 3);
    node_open(&w, 0, NULL);
    world_run(&w, node_connected, &w.nodes[1]);
    world_fini(&w);
}

static void set_host(struct net_address *address, const char *host)
{
    (void)snprintf(address->host, sizeof(address->host), "%s", host);
}

static void names_are_resolved(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    struct net_address addresses[2] = {node_address(&w.nodes[0]),
                                       node_address(&w.nodes[2])};
    set_host(&addresses[0], "localhost");
    set_host(&addresses[1], "no..such..host");
    addresses[1].port = 1;
    struct net_config config = node_config(&w, 1);
    config.peers = addresses;
    config.peer_count = 2;
    node_open_with(&w, 1, &config);
    world_run(&w, node_connected, &w.nodes[1]);
    expect_ended(&w.nodes[1], REASON_RESOLVE, 1);
    world_fini(&w);
}

static void a_net_closes_while_a_name_is_being_resolved(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct net_address address = {.port = 1};
    address.key = *key_public(w.nodes[2].key);
    set_host(&address, "localhost");
    open_dialling(&w, &address);
    world_turn(&w, 1); /* the tick begins the look-up */
    world_fini(&w);
}

static void unwanted(void *context, struct peer *peer, uint8_t type,
                     const uint8_t *data, size_t size)
{
    (void)context;
    (void)peer;
    (void)data;
    fail_msg("a message of type %u, %zu bytes", type, size);
}

static void a_taken_port_is_an_error(void **state)
{
    struct world w;
    struct net *net;
    struct net_callbacks callbacks = {.on_message = NULL};
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    w.nodes[1].port = w.nodes[0].port;
    struct net_config config = node_config(&w, 1);
    callbacks.on_message = unwanted;
    assert_int_equal(net_open(&net, &config, &callbacks), POT_EBUSY);
    assert_null(net);
    static const char *const bad[] = {
        "",     ":1", "127.0.0.1", "127.0.0.1:x", "host:1", "127.0.0.1:65536",
        "::1:5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        config.listen = bad[i];
        assert_int_equal(net_open(&net, &config, &callbacks), POT_EFORMAT);
    }
    world_fini(&w);
}

static void addresses_are_parsed(void **state)
{
    char host[NET_HOST_MAX + 1];
    char name[NET_NAME_SIZE];
    uint16_t port;
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        uint16_t port;
    } cases[] = {
        {"node1:26650", "node1", 26650},
        {"10.0.0.1:1", "10.0.0.1", 1},
        {"[::1]:65535", "::1", 65535},
        {"node1:0", "node1", 0},
        {"::1:5", NULL, 0},
        {"node1", NULL, 0},
        {"node1:", NULL, 0},
        {"node1:65536", NULL, 0},
        {"node1:1x", NULL, 0},
        {":1", NULL, 0},
        {"", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum pot_err err = net_address_split(host, &port, cases[i].text);
        assert_int_equal(err, cases[i].host != NULL ? POT_OK : POT_EFORMAT);
        if (err == POT_OK) {
            assert_string_equal(host, cases[i].host);
            assert_int_equal(port, cases[i].port);
            net_address_join(name, sizeof(name), host, port);
            assert_string_equal(name, cases[i].text);
        }
    }
}

static void a_peer_no_longer_configured_is_dropped(void **state)
{
    struct world w;
    (void)state;
    connect_two(&w);
    assert_int_equal(net_set_peers(w.nodes[1].net, NULL, 0), POT_OK);
    world_run(&w, node_alone, &w.nodes[0]);
    assert_int_equal(net_peer_count(w.nodes[1].net), 0);
    struct net_address address = node_address(&w.nodes[0]);
    assert_int_equal(net_set_peers(w.nodes[1].net, &address, 1), POT_OK);
    world_run(&w, node_connected, &w.nodes[1]);
    /* The same list again changes nothing. */
    assert_int_equal(net_set_peers(w.nodes[1].net, &address, 1), POT_OK);
    assert_int_equal(net_peer_count(w.nodes[1].net), 1);
    world_fini(&w);
}

static void strangers_are_limited_and_configured_peers_are_not(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct net_address friend = node_address(&w.nodes[3]);
    struct net_config config = node_config(&w, 0);
    friend.port = 1;
    config.peers = &friend;
    config.peer_count = 1;
    config.guests_max = 1;
    node_open_with(&w, 0, &config);
    node_open(&w, 1, &w.nodes[0], NULL);
    world_run(&w, node_connected, &w.nodes[1]);
    node_open(&w, 2, &w.nodes[0], NULL);
    expect_ended(&w.nodes[0], REASON_PEER_LIMIT, 1);
    node_open(&w, 3, &w.nodes[0], NULL);
    while (net_find(w.nodes[0].net, key_public(w.nodes[3].key)) == NULL) {
        world_turn(&w, 1);
    }
    assert_int_equal(net_peer_count(w.nodes[0].net), 2);
    /* A stranger goes: the next one may come. */
    node_close(&w.nodes[1]);
    while (net_find(w.nodes[0].net, key_public(w.nodes[2].key)) == NULL) {
        world_turn(&w, 1);
    }
    world_fini(&w);
}

static void a_banned_peer_comes_back_after_its_time(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct net_config config = node_config(&w, 0);
    config.ban_ms = 300;
    node_open_with(&w, 0, &config);
    node_open(&w, 1, &w.nodes[0], NULL);
    world_run(&w, node_connected, &w.nodes[0]);
    net_ban(w.nodes[0].net, node_peer(&w.nodes[0], &w.nodes[1]), "a test");
    assert_int_equal(net_peer_count(w.nodes[0].net), 0);
    expect_ended(&w.nodes[0], REASON_BANNED, 1);
    world_run(&w, node_connected, &w.nodes[0]);
    world_fini(&w);
}

static void the_owner_may_ban_or_close_from_a_message(void **state)
{
    struct world w;
    (void)state;
    connect_two(&w);
    w.nodes[1].bans_on_message = true;
    for (unsigned i = 0; i < 5; i++) {
        assert_true(net_send(w.nodes[0].net,
                             node_peer(&w.nodes[0], &w.nodes[1]), MESSAGE_TX,
                             "ban", 3));
    }
    world_run(&w, node_alone, &w.nodes[0]);
    assert_int_equal(w.nodes[1].received[MESSAGE_TX], 1);
    world_fini(&w);

    connect_two(&w);
    w.nodes[1].closes_on_message = true;
    assert_true(net_send(w.nodes[0].net, node_peer(&w.nodes[0], &w.nodes[1]),
                         MESSAGE_TX, "end", 3));
    world_run(&w, node_alone, &w.nodes[0]);
    assert_null(w.nodes[1].net);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_connect_and_know_each_other),
        cmocka_unit_test(every_type_arrives_both_ways_in_every_size),
        cmocka_unit_test(a_message_too_large_is_not_sent),
        cmocka_unit_test(messages_are_counted),
        cmocka_unit_test(keys_are_replaced_on_the_way),
        cmocka_unit_test(pings_measure_the_way),
        cmocka_unit_test(every_node_of_a_mesh_finds_every_other),
        cmocka_unit_test(both_keep_the_same_one_of_two_connections),
        cmocka_unit_test(a_peer_that_restarts_is_found_again),
        cmocka_unit_test(of_two_processes_with_one_key_the_older_stays),
        cmocka_unit_test(a_process_that_answers_nothing_makes_way),
        cmocka_unit_test(a_wrong_key_at_the_address_is_told),
        cmocka_unit_test(another_chain_is_told),
        cmocka_unit_test(a_node_that_dials_itself_is_told),
        cmocka_unit_test(nobody_at_the_address_is_told_again_and_again),
        cmocka_unit_test(names_are_resolved),
        cmocka_unit_test(a_net_closes_while_a_name_is_being_resolved),
        cmocka_unit_test(a_taken_port_is_an_error),
        cmocka_unit_test(addresses_are_parsed),
        cmocka_unit_test(a_peer_no_longer_configured_is_dropped),
        cmocka_unit_test(strangers_are_limited_and_configured_peers_are_not),
        cmocka_unit_test(a_banned_peer_comes_back_after_its_time),
        cmocka_unit_test(the_owner_may_ban_or_close_from_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
