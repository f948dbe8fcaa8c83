/* Transactions from a fellow: who is told of them, and when. */
#include "config.h"

#include "node/tx/intake.h"

#include "node/block/needs.h"
#include "node/tx/pending.h"
#include "p2p/gossip.h"
#include "proto/batch.h"
#include "proto/codec.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/p2p_nodes.h"

#include <stdlib.h>
#include <string.h>

enum { SELF, SOURCE, FELLOW, STRANGER };

static struct {
    struct world world;
    struct chain_fixture chain;
    struct needs *needs;
    struct mempool *mempool;
    struct pending *pending;
    struct gossip *gossip;
    struct intake *intake;
} f;

static void on_work(void *context)
{
    (void)context;
}

static bool is_fellow(void *context, const struct peer *peer)
{
    (void)context;
    return !public_key_equal(peer_key(peer),
                             key_public(f.world.nodes[STRANGER].key));
}

static void on_message(struct node *node, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    struct bytes_reader r;
    size_t tx_size;
    (void)node;
    if (type == MESSAGE_STATUS) {
        return;
    }
    assert_int_equal(type, MESSAGE_TXS);
    bytes_reader_init(&r, data, size);
    const uint8_t *tx = batch_next(&r, &tx_size);
    intake_receive(f.intake, MESSAGE_TX, tx, tx_size, peer_id(peer));
}

/* Whoever is up follows the chain, and says so. */
static void on_peer(struct node *node, struct peer *peer, bool is_up)
{
    if (is_up) {
        (void)net_send(node->net, peer, MESSAGE_STATUS, "", 0);
    }
}

static bool do_all_follow(void)
{
    const struct net *net = f.world.nodes[SELF].net;
    size_t following = 0;
    for (size_t i = 0; i < net_peer_count(net); i++) {
        following += peer_follows(net_peer_at(net, i)) ? 1 : 0;
    }
    return following == STRANGER;
}

static void open_nodes(void)
{
    world_init(&f.world);
    node_open(&f.world, SELF, NULL);
    for (unsigned i = SOURCE; i <= STRANGER; i++) {
        f.world.nodes[i].on_peer = on_peer;
        node_open(&f.world, i, &f.world.nodes[SELF], NULL);
    }
    f.world.nodes[SELF].on_message = on_message;
    while (!do_all_follow()) {
        world_turn(&f.world, 1);
    }
}

static void open_parts(void)
{
    const struct needs_config needs = {
        .loop = &f.world.loop,
        .holdings = &f.chain.holdings,
    };
    f.needs = needs_new(&needs);
    needs_stop(f.needs);
    f.mempool = mempool_new(100, 1 << 20);
    const struct pending_config pending = {
        .loop = &f.world.loop,
        .holdings = &f.chain.holdings,
        .mempool = f.mempool,
        .needs = f.needs,
        .on_work = on_work,
    };
    f.pending = pending_new(&pending);
    f.gossip = gossip_new(f.world.nodes[SELF].net, 0);
    gossip_set_fellows(f.gossip, is_fellow, NULL);
}

static void open_intake(uint64_t fellow_ms)
{
    const struct intake_config intake = {
        .loop = &f.world.loop,
        .holdings = &f.chain.holdings,
        .chain = f.chain.chain,
        .mempool = f.mempool,
        .pending = f.pending,
        .gossip = f.gossip,
        .fellow_ms = fellow_ms,
    };
    f.intake = intake_new(&intake);
}

static int open_all(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    chain_fixture_open(&f.chain);
    open_nodes();
    open_parts();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    intake_stop(f.intake);
    intake_free(f.intake);
    pending_free(f.pending);
    mempool_free(f.mempool);
    needs_free(f.needs);
    gossip_free(f.gossip);
    world_fini(&f.world);
    chain_fixture_close(&f.chain);
    return 0;
}

static void send_tx(unsigned from)
{
    size_t size;
    struct buf batch;
    Pot__Signed *tx = chain_fixture_pay(&f.chain, 0, 5);
    uint8_t *data = codec_encode(&size, tx);
    buf_init(&batch, TX_BATCH_BYTES_MAX);
    batch_add(&batch, data, size);
    struct node *node = &f.world.nodes[from];
    assert_true(net_send(node->net, node_peer(node, &f.world.nodes[SELF]),
                         MESSAGE_TXS, batch.data, batch.size));
    buf_fini(&batch);
    free(data);
    codec_free(tx);
}

static bool has_heard(void *context)
{
    const unsigned *who = context;
    return f.world.nodes[*who].received[MESSAGE_TXS] > 0;
}

static void wait_for(unsigned who)
{
    world_run(&f.world, has_heard, &who);
}

static void a_fellows_transaction_goes_to_strangers(void **state)
{
    (void)state;
    open_intake(INTAKE_FELLOW_MS);
    send_tx(SOURCE);
    wait_for(STRANGER);
    intake_tick(f.intake); /* too soon */
    world_turn(&f.world, 10);
    assert_int_equal(f.world.nodes[FELLOW].received[MESSAGE_TXS], 0);
    assert_int_equal(f.world.nodes[SOURCE].received[MESSAGE_TXS], 0);
}

static void a_strangers_transaction_goes_to_all_fellows(void **state)
{
    (void)state;
    open_intake(INTAKE_FELLOW_MS);
    send_tx(STRANGER);
    wait_for(FELLOW);
    wait_for(SOURCE);
    assert_int_equal(f.world.nodes[STRANGER].received[MESSAGE_TXS], 0);
}

static bool tick_is_heard(void *context)
{
    intake_tick(f.intake);
    return has_heard(context);
}

static void what_no_block_takes_is_told_to_fellows_once(void **state)
{
    unsigned who = FELLOW;
    (void)state;
    open_intake(1);
    send_tx(SOURCE);
    wait_for(STRANGER);
    world_run(&f.world, tick_is_heard, &who);
    wait_for(SOURCE);
    mempool_tell(f.mempool, UINT64_MAX, NULL, NULL); /* none is left */
    assert_int_equal(f.world.nodes[STRANGER].received[MESSAGE_TXS], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fellows_transaction_goes_to_strangers,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(
            a_strangers_transaction_goes_to_all_fellows, open_all, close_all),
        cmocka_unit_test_setup_teardown(
            what_no_block_takes_is_told_to_fellows_once, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
