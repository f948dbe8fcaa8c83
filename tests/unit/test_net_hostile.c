/* Peers and strangers that do not keep the rules. */
#include "config.h"

#include "p2p/net.h"

#include "base/alloc.h"
#include "tests/unit/p2p_nodes.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct net_stats stats_of(const struct node *node)
{
    struct net_stats stats;
    net_stats(node->net, &stats);
    return stats;
}

/* A node, and a peer of it in the test's hands. */
static void join(struct world *w, struct raw *raw)
{
    world_init(w);
    node_open(w, 0, NULL);
    raw_join(raw, w, &w->nodes[0], 77);
}

static void part(struct world *w, struct raw *raw)
{
    raw_fini(raw);
    world_fini(w);
}

/* A node with quick deadlines. */
static void open_hasty(struct world *w)
{
    world_init(w);
    struct net_config config = node_config(w, 0);
    config.handshake_ms = 200;
    config.idle_ms = 400;
    config.ping_ms = 100;
    node_open_with(w, 0, &config);
}

static void junk_is_hung_up_on(void **state)
{
    static const char *const junk[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x16\x03\x01\x02",
        "POT2-------------------------------------------------",
    };
    struct world w;
    struct raw raw;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    for (size_t i = 0; i < 3; i++) {
        raw_connect(&raw, &w, &w.nodes[0]);
        raw_send(&raw, junk[i], strlen(junk[i]));
        world_run(&w, raw_closed, &raw);
        raw_fini(&raw);
    }
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_NOT_OURS], 3);
    world_fini(&w);
}

static void silence_ends_at_the_deadline(void **state)
{
    struct world w;
    struct raw raw;
    (void)state;
    open_hasty(&w);
    raw_connect(&raw, &w, &w.nodes[0]);
    world_run(&w, raw_closed, &raw);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_HANDSHAKE_TIMEOUT], 1);
    part(&w, &raw);
}

/* A byte now and then does not move the deadline. */
static void a_dripping_hello_ends_at_the_deadline(void **state)
{
    static const char hello[] = "POT1\1\0";
    struct world w;
    struct raw raw;
    size_t sent = 0;
    (void)state;
    open_hasty(&w);
    raw_connect(&raw, &w, &w.nodes[0]);
    while (!raw_closed(&raw)) {
        if (sent < sizeof(hello) - 1) {
            raw_send(&raw, hello + sent++, 1);
        }
        world_turn(&w, 1);
    }
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_HANDSHAKE_TIMEOUT], 1);
    part(&w, &raw);
}

static void half_a_handshake_ends_at_the_deadline(void **state)
{
    struct world w;
    struct raw raw;
    (void)state;
    open_hasty(&w);
    raw_hello(&raw, &w, &w.nodes[0], 77);
    world_run(&w, raw_closed, &raw);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_HANDSHAKE_TIMEOUT], 1);
    part(&w, &raw);
}

static void a_large_frame_before_auth_is_refused(void **state)
{
    static const uint8_t huge[] = {0, 0, 64, 0};
    struct world w;
    struct raw raw;
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    raw_hello(&raw, &w, &w.nodes[0], 77);
    raw_send(&raw, huge, sizeof(huge));
    world_run(&w, raw_closed, &raw);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_FRAME_SIZE], 1);
    assert_int_equal(stats_of(&w.nodes[0]).bans, 0);
    part(&w, &raw);
}

static void thousands_of_connects_do_not_keep_a_peer_out(void **state)
{
    struct world w;
    struct raw raw;
    struct raw *held = pot_calloc(100, sizeof(*held));
    (void)state;
    world_init(&w);
    node_open(&w, 0, NULL);
    /* Some stay and say nothing, most go at once. */
    for (unsigned i = 0; i < 100; i++) {
        raw_connect(&held[i], &w, &w.nodes[0]);
    }
    for (unsigned i = 0; i < 3000; i++) {
        raw_connect(&raw, &w, &w.nodes[0]);
        raw_fini(&raw);
        if (i % 50 == 0) {
            world_turn(&w, 1);
            assert_true(stats_of(&w.nodes[0]).pending <= 17);
        }
    }
    node_open(&w, 1, &w.nodes[0], NULL);
    world_run(&w, node_connected, &w.nodes[1]);
    world_run(&w, node_connected, &w.nodes[0]);
    assert_true(stats_of(&w.nodes[0]).ended[REASON_PENDING_LIMIT] > 0);
    for (unsigned i = 0; i < 100; i++) {
        raw_fini(&held[i]);
    }
    free(held);
    world_fini(&w);
}

/* An address of this machine that is not loopback, in network order. */
static bool find_own_ip(struct in_addr *out)
{
    struct ifaddrs *list;
    bool is_found = false;
    assert_int_equal(getifaddrs(&list), 0);
    for (struct ifaddrs *i = list; i != NULL && !is_found; i = i->ifa_next) {
        if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET &&
            (i->ifa_flags & IFF_LOOPBACK) == 0) {
            const struct sockaddr_in *in = (const void *)i->ifa_addr;
            *out = in->sin_addr;
            is_found = true;
        }
    }
    freeifaddrs(list);
    return is_found;
}

static void one_address_gets_two_handshakes_at_a_time(void **state)
{
    struct world w;
    struct in_addr ip;
    struct raw raws[5];
    (void)state;
    if (!find_own_ip(&ip)) {
        skip();
    }
    world_init(&w);
    struct net_config config = node_config(&w, 0);
    config.listen = "0.0.0.0:0";
    node_open_with(&w, 0, &config);
    for (unsigned i = 0; i < 5; i++) {
        raw_connect_to(&raws[i], &w, ip, w.nodes[0].port);
    }
    expect_ended(&w.nodes[0], REASON_PENDING_LIMIT, 3);
    assert_int_equal(stats_of(&w.nodes[0]).pending, 2);
    for (unsigned i = 0; i < 5; i++) {
        raw_fini(&raws[i]);
    }
    world_fini(&w);
}

static void open_to_all(struct world *w, unsigned index)
{
    struct net_config config = node_config(w, index);
    config.listen = "0.0.0.0:0";
    config.accepts_ip_per_s = 1000000;
    node_open_with(w, index, &config);
}

/* Many nodes behind one address, which all dial at once because the node they
 * were connected to is back: that they must wait is no fault of theirs. */
static void who_has_to_wait_is_not_banned(void **state)
{
    struct world w;
    struct in_addr ip;
    struct raw raws[STRANGER_FAULTS_MAX + 8];
    const unsigned count = sizeof(raws) / sizeof(*raws);
    (void)state;
    if (!find_own_ip(&ip)) {
        skip();
    }
    world_init(&w);
    open_to_all(&w, 0);
    for (unsigned i = 0; i < count; i++) {
        raw_connect_to(&raws[i], &w, ip, w.nodes[0].port);
    }
    expect_ended(&w.nodes[0], REASON_PENDING_LIMIT, count - 2);
    assert_int_equal(stats_of(&w.nodes[0]).bans, 0);
    for (unsigned i = 0; i < count; i++) {
        raw_fini(&raws[i]);
    }
    world_fini(&w);
}

/* Each is over at once: none of them is ever under way beside another. */
static void who_connects_too_often_is_refused(void **state)
{
    struct world w;
    struct in_addr ip;
    struct raw raw;
    (void)state;
    if (!find_own_ip(&ip)) {
        skip();
    }
    world_init(&w);
    struct net_config config = node_config(&w, 0);
    config.listen = "0.0.0.0:0";
    config.accepts_ip_per_s = 1;
    node_open_with(&w, 0, &config);
    for (unsigned i = 0; i < 200; i++) {
        raw_connect_to(&raw, &w, ip, w.nodes[0].port);
        raw_fini(&raw);
    }
    while (stats_of(&w.nodes[0]).accepted < 200) {
        world_turn(&w, 1);
    }
    /* The rest of them for one of the two other reasons. */
    assert_true(stats_of(&w.nodes[0]).ended[REASON_ACCEPT_RATE] > 100);
    assert_int_equal(stats_of(&w.nodes[0]).bans, 0);
    raw_join(&raw, &w, &w.nodes[0], 77); /* by loopback */
    part(&w, &raw);
}

/* Bad handshakes from ip until it is banned. */
static void get_banned(struct world *w, struct in_addr ip)
{
    struct ban bans[BANS_MAX];
    struct raw raw;
    for (unsigned i = 0; i < STRANGER_FAULTS_MAX; i++) {
        raw_connect_to(&raw, w, ip, w->nodes[0].port);
        raw_send(&raw, "GET / HTTP/1.1", 14);
        world_run(w, raw_closed, &raw);
        raw_fini(&raw);
    }
    assert_int_equal(net_bans(w->nodes[0].net, bans, BANS_MAX), 1);
    assert_string_not_equal(bans[0].ip, "");
}

static void an_address_of_bad_handshakes_is_banned(void **state)
{
    struct world w;
    struct in_addr ip;
    struct raw raw;
    (void)state;
    if (!find_own_ip(&ip)) {
        skip();
    }
    world_init(&w);
    open_to_all(&w, 0);
    get_banned(&w, ip);
    raw_connect_to(&raw, &w, ip, w.nodes[0].port);
    world_run(&w, raw_closed, &raw);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_BANNED], 1);
    part(&w, &raw);
}

/* Others may be behind it, too. */
static void a_banned_address_of_a_peer_may_shake_hands(void **state)
{
    struct world w;
    struct in_addr ip;
    struct raw raw;
    (void)state;
    if (!find_own_ip(&ip)) {
        skip();
    }
    world_init(&w);
    open_to_all(&w, 0);
    open_to_all(&w, 1);
    get_banned(&w, ip);
    struct net_address peer = node_address(&w.nodes[1]);
    assert_non_null(inet_ntop(AF_INET, &ip, peer.host, sizeof(peer.host)));
    assert_int_equal(net_set_peers(w.nodes[0].net, &peer, 1), POT_OK);
    world_run(&w, node_connected, &w.nodes[0]);
    raw_connect_to(&raw, &w, ip, w.nodes[0].port);
    raw_send(&raw, "GET / HTTP/1.1", 14);
    expect_ended(&w.nodes[0], REASON_NOT_OURS, STRANGER_FAULTS_MAX + 1);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_BANNED], 0);
    part(&w, &raw);
}

/* Sends one bad frame as a peer; expects to be banned for it. */
static void expect_ban(uint8_t type, size_t size, enum reason reason)
{
    struct world w;
    struct raw raw;
    join(&w, &raw);
    uint8_t *data = pot_calloc(1, size + 1);
    raw_send_frame(&raw, type, data, size);
    free(data);
    world_run(&w, node_alone, &w.nodes[0]);
    assert_int_equal(stats_of(&w.nodes[0]).ended[reason], 1);
    assert_int_equal(stats_of(&w.nodes[0]).bans, 1);
    part(&w, &raw);
}

static void a_peer_that_breaks_the_rules_is_banned(void **state)
{
    (void)state;
    expect_ban(0, 10, REASON_TYPE);
    expect_ban(MESSAGE_AUTH, 10, REASON_TYPE);
    expect_ban(31, 10, REASON_TYPE);
    expect_ban(255, 10, REASON_TYPE);
    expect_ban(MESSAGE_STATUS, 1000, REASON_FRAME_SIZE);
    expect_ban(MESSAGE_SUBMISSION, 100000, REASON_FRAME_SIZE);
    expect_ban(MESSAGE_PING, 7, REASON_MALFORMED);
    expect_ban(MESSAGE_PONG, 0, REASON_MALFORMED);
}

/* Who can write into the stream is not who holds the keys. */
static void a_forged_frame_ends_the_connection_without_a_ban(void **state)
{
    static const uint8_t forged[FRAME_OVERHEAD] = {17};
    struct world w;
    struct raw raw;
    (void)state;
    join(&w, &raw);
    raw_send(&raw, forged, sizeof(forged));
    world_run(&w, node_alone, &w.nodes[0]);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_FORGED], 1);
    assert_int_equal(stats_of(&w.nodes[0]).bans, 0);
    part(&w, &raw);
}

static void a_replayed_frame_ends_the_connection(void **state)
{
    struct world w;
    struct raw raw;
    struct buf out;
    (void)state;
    join(&w, &raw);
    buf_init(&out, 100);
    frame_seal(&raw.out, &out, MESSAGE_TX, "pay", 3);
    raw_send(&raw, out.data, out.size);
    raw_send(&raw, out.data, out.size);
    world_run(&w, node_alone, &w.nodes[0]);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_FORGED], 1);
    assert_int_equal(w.nodes[0].received[MESSAGE_TX], 1);
    buf_fini(&out);
    part(&w, &raw);
}

static void a_peer_that_never_answers_a_ping_is_dropped(void **state)
{
    struct world w;
    struct raw raw;
    (void)state;
    open_hasty(&w);
    raw_join(&raw, &w, &w.nodes[0], 77);
    world_run(&w, node_alone, &w.nodes[0]);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_IDLE], 1);
    part(&w, &raw);
}

/* A node whose peer has its hands on the socket and does not read. */
struct slow {
    struct world w;
    struct raw raw;
    struct node *node;
    struct peer *peer;
    uint8_t *data;
};

static void slow_init(struct slow *slow, uint32_t idle_ms)
{
    world_init(&slow->w);
    slow->node = &slow->w.nodes[0];
    struct net_config config = node_config(&slow->w, 0);
    config.idle_ms = idle_ms;
    config.queue_bytes_max[PRIORITY_CONSENSUS] = 1 << 20;
    config.queue_bytes_max[PRIORITY_GOSSIP] = 1 << 20;
    config.queue_bytes_max[PRIORITY_BULK] = 1 << 20;
    node_open_with(&slow->w, 0, &config);
    raw_join(&slow->raw, &slow->w, slow->node, 77);
    slow->peer = net_peer_at(slow->node->net, 0);
    slow->data = pot_calloc(1, BLOB_PIECE_BYTES);
}

static void slow_fini(struct slow *slow)
{
    raw_fini(&slow->raw);
    free(slow->data);
    world_fini(&slow->w);
}

/* Sends until a queue is full; the socket takes its share first. */
static unsigned fill(struct slow *slow, uint8_t type, size_t size)
{
    unsigned taken = 0;
    for (unsigned refused = 0; refused < 10;) {
        bool is_taken =
            net_send(slow->node->net, slow->peer, type, slow->data, size);
        taken += is_taken;
        refused += !is_taken;
        if (!is_taken) {
            world_turn(&slow->w, 1);
        }
    }
    return taken;
}

static void a_slow_reader_loses_bulk_and_keeps_its_place(void **state)
{
    struct slow slow;
    (void)state;
    slow_init(&slow, 0);
    assert_true(fill(&slow, MESSAGE_BLOB_PIECE, 65536) > 0);
    assert_true(fill(&slow, MESSAGE_TX, 65536) > 0);
    assert_true(peer_queue_bytes(slow.peer, PRIORITY_BULK) <= 1 << 20);
    assert_true(peer_queue_bytes(slow.peer, PRIORITY_GOSSIP) <= 1 << 20);
    assert_int_equal(net_peer_count(slow.node->net), 1);
    struct net_stats stats = stats_of(slow.node);
    assert_true(stats.types[MESSAGE_BLOB_PIECE].dropped >= 10);
    assert_true(stats.types[MESSAGE_TX].dropped >= 10);
    assert_true(stats.queued_bytes <= 2 << 20);
    slow_fini(&slow);
}

static void a_slow_reader_of_consensus_is_dropped(void **state)
{
    struct slow slow;
    (void)state;
    slow_init(&slow, 0);
    while (net_peer_count(slow.node->net) == 1 &&
           net_send(slow.node->net, slow.peer, MESSAGE_CONSENSUS, slow.data,
                    65536)) {
    }
    world_run(&slow.w, node_alone, slow.node);
    assert_int_equal(stats_of(slow.node).ended[REASON_QUEUE_FULL], 1);
    assert_int_equal(stats_of(slow.node).queued_bytes, 0);
    slow_fini(&slow);
}

/* It answers nothing and reads nothing, but sends enough to seem alive. */
static void a_peer_that_only_talks_is_dropped(void **state)
{
    struct slow slow;
    (void)state;
    slow_init(&slow, 1000);
    while (net_peer_count(slow.node->net) == 1) {
        /* More than the kernel takes on its way. */
        (void)net_send(slow.node->net, slow.peer, MESSAGE_BLOB_PIECE, slow.data,
                       65536);
        raw_send_frame(&slow.raw, MESSAGE_TX, "still here", 10);
        world_turn(&slow.w, 1);
    }
    assert_int_equal(stats_of(slow.node).ended[REASON_STALLED], 1);
    slow_fini(&slow);
}

static void consensus_overtakes_bulk_that_waits(void **state)
{
    struct slow slow;
    struct frame frame;
    unsigned before = 0;
    unsigned after = 0;
    bool is_seen = false;
    (void)state;
    slow_init(&slow, 0);
    unsigned pieces = fill(&slow, MESSAGE_BLOB_PIECE, 65536);
    assert_true(net_send(slow.node->net, slow.peer, MESSAGE_TX, "t", 1));
    assert_true(net_send(slow.node->net, slow.peer, MESSAGE_CONSENSUS, "c", 1));
    size_t waiting = peer_queue_bytes(slow.peer, PRIORITY_BULK) / 65536;
    while (before + after < pieces) {
        if (!raw_next(&slow.raw, &frame)) {
            world_turn(&slow.w, 1);
            continue;
        }
        if (frame.type == MESSAGE_CONSENSUS) {
            is_seen = true;
        } else if (frame.type == MESSAGE_TX) {
            assert_true(is_seen);
        } else {
            before += !is_seen;
            after += is_seen;
        }
    }
    assert_true(is_seen);
    assert_true(waiting > 0);
    assert_int_equal(after, waiting);
    slow_fini(&slow);
}

static bool took_all(void *context)
{
    struct node *node = context;
    return node->received[MESSAGE_TX] >= 5000;
}

static void a_flood_is_read_no_faster_than_allowed(void **state)
{
    struct world w;
    struct raw raw;
    (void)state;
    join(&w, &raw);
    size_t before = 0;
    for (unsigned i = 0; i < 5000; i++) {
        raw_send_frame(&raw, MESSAGE_TX, &i, sizeof(i));
    }
    while (!took_all(&w.nodes[0])) {
        world_turn(&w, 1);
        /* A read's worth beyond the allowance at most. */
        assert_true(w.nodes[0].received[MESSAGE_TX] - before < 5000);
        before = w.nodes[0].received[MESSAGE_TX];
    }
    part(&w, &raw);
}

static void charge_ten(struct node *node, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    (void)node;
    (void)type;
    (void)data;
    (void)size;
    peer_charge(peer, 10);
}

/* Its messages cost more than it has: they are late, and none is lost. */
static void a_peer_beyond_its_budget_is_read_later(void **state)
{
    struct world w;
    struct raw raw;
    uint8_t body[4000] = {0};
    (void)state;
    world_init(&w);
    struct net_config config = node_config(&w, 0);
    config.signatures_per_s = 2000;
    node_open_with(&w, 0, &config);
    w.nodes[0].on_message = charge_ten;
    raw_join(&raw, &w, &w.nodes[0], 77);
    uint64_t begun_ms = net_now_ms(w.nodes[0].net);
    for (unsigned i = 0; i < 400; i++) {
        raw_send_frame(&raw, MESSAGE_TX, body, sizeof(body));
    }
    while (w.nodes[0].received[MESSAGE_TX] < 400) {
        world_turn(&w, 1);
        uint64_t passed_ms = net_now_ms(w.nodes[0].net) - begun_ms;
        /* A second's worth, what time has paid, and one read. */
        assert_true(w.nodes[0].received[MESSAGE_TX] * 10 <=
                    2000 + 2 * passed_ms + 200);
    }
    assert_true(stats_of(&w.nodes[0]).throttled > 0);
    assert_int_equal(net_peer_count(w.nodes[0].net), 1);
    part(&w, &raw);
}

static void a_closed_node_knows_configured_peers_only(void **state)
{
    struct world w;
    struct raw raw;
    (void)state;
    world_init(&w);
    node_open(&w, 1, NULL);
    struct net_config config = node_config(&w, 0);
    const struct net_address friend = node_address(&w.nodes[1]);
    config.is_closed = true;
    config.peers = &friend;
    config.peer_count = 1;
    node_open_with(&w, 0, &config);
    raw_knock(&raw, &w, &w.nodes[0], 77);
    world_run(&w, raw_closed, &raw);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_NOT_ALLOWED], 1);
    world_run(&w, node_connected, &w.nodes[0]);
    part(&w, &raw);
}

static void bans_are_told_with_their_reason(void **state)
{
    struct world w;
    struct raw raw;
    struct ban bans[BANS_MAX];
    (void)state;
    join(&w, &raw);
    assert_int_equal(net_bans(w.nodes[0].net, bans, BANS_MAX), 0);
    net_ban(w.nodes[0].net, net_peer_at(w.nodes[0].net, 0), "was rude");
    assert_int_equal(net_bans(w.nodes[0].net, bans, BANS_MAX), 1);
    assert_string_equal(bans[0].why, "was rude");
    assert_string_equal(bans[0].ip, "");
    assert_true(bans[0].until_ms > net_now_ms(w.nodes[0].net));
    part(&w, &raw);
}

/* The ban holds for the key, whatever address it comes from. */
static void a_banned_key_is_refused_at_the_door(void **state)
{
    struct world w;
    struct raw raw;
    (void)state;
    join(&w, &raw);
    raw_send_frame(&raw, 200, NULL, 0);
    world_run(&w, node_alone, &w.nodes[0]);
    raw_fini(&raw);
    raw_knock(&raw, &w, &w.nodes[0], 77);
    world_run(&w, raw_closed, &raw);
    assert_int_equal(stats_of(&w.nodes[0]).ended[REASON_BANNED], 1);
    assert_int_equal(net_peer_count(w.nodes[0].net), 0);
    part(&w, &raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(junk_is_hung_up_on),
        cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(a_dripping_hello_ends_at_the_deadline),
        cmocka_unit_test(half_a_handshake_ends_at_the_deadline),
        cmocka_unit_test(a_large_frame_before_auth_is_refused),
        cmocka_unit_test(thousands_of_connects_do_not_keep_a_peer_out),
        cmocka_unit_test(one_address_gets_two_handshakes_at_a_time),
        cmocka_unit_test(a_peer_that_breaks_the_rules_is_banned),
        cmocka_unit_test(a_forged_frame_ends_the_connection_without_a_ban),
        cmocka_unit_test(a_replayed_frame_ends_the_connection),
        cmocka_unit_test(a_peer_that_never_answers_a_ping_is_dropped),
        cmocka_unit_test(a_slow_reader_loses_bulk_and_keeps_its_place),
        cmocka_unit_test(a_slow_reader_of_consensus_is_dropped),
        cmocka_unit_test(a_peer_that_only_talks_is_dropped),
        cmocka_unit_test(consensus_overtakes_bulk_that_waits),
        cmocka_unit_test(a_flood_is_read_no_faster_than_allowed),
        cmocka_unit_test(a_banned_key_is_refused_at_the_door),
        cmocka_unit_test(a_peer_beyond_its_budget_is_read_later),
        cmocka_unit_test(a_closed_node_knows_configured_peers_only),
        cmocka_unit_test(bans_are_told_with_their_reason),
        cmocka_unit_test(who_has_to_wait_is_not_banned),
        cmocka_unit_test(who_connects_too_often_is_refused),
        cmocka_unit_test(an_address_of_bad_handshakes_is_banned),
        cmocka_unit_test(a_banned_address_of_a_peer_may_shake_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
