/* How much the intake lets wait, and whose. */
#include "config.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "node/block/needs.h"
#include "node/hold/verified.h"
#include "node/tx/intake.h"
#include "node/tx/intake_early.h"
#include "node/tx/mempool.h"
#include "p2p/gossip.h"
#include "proto/batch.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/intake_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define PEER 7

static struct intake_fixture f; /* whose mempool takes one transaction */
static struct buf most;         /* that a client may send at once */

static int open_intake(void **state)
{
    static const uint8_t item[BATCH_ITEM_MIN] = {0};
    (void)state;
    intake_fixture_open(&f, 1);
    buf_init(&most, TX_BATCH_BYTES_MAX);
    for (unsigned i = 0; i < TX_BATCH_MAX; i++) {
        batch_add(&most, item, sizeof(item));
    }
    return 0;
}

static int close_intake(void **state)
{
    (void)state;
    intake_fixture_close(&f);
    buf_fini(&most);
    return 0;
}

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    (void)context;
    assert_false(intake_is_taken(receipt));
    f.answered++;
}

static bool submit(void)
{
    return intake_submit_batch(f.intake, most.data, most.size, on_receipt, &f);
}

static uint64_t dropped(void)
{
    struct intake_stats stats;
    intake_stats(f.intake, &stats);
    return stats.dropped;
}

static void clients_leave_room_for_peers(void **state)
{
    (void)state;
    unsigned batches = 0;
    while (submit()) {
        batches++;
    }
    assert_true(batches > 0);
    assert_int_equal(dropped(), TX_BATCH_MAX);
    for (unsigned i = 0; i < TX_BATCH_MAX; i++) {
        intake_receive(f.intake, MESSAGE_TX, most.data, BATCH_ITEM_MIN, PEER);
    }
    assert_int_equal(dropped(), TX_BATCH_MAX);
}

static void a_client_may_go_on_when_it_was_answered(void **state)
{
    (void)state;
    assert_true(submit());
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.answered, TX_BATCH_MAX);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(submit());
        (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(f.answered, 5 * TX_BATCH_MAX);
    assert_int_equal(dropped(), 0);
}

/* As a peer's; whether it was new to gossip. */
static bool receive(uint64_t nonce)
{
    size_t size;
    Pot__Signed *tx = chain_fixture_pay(&f.chain, nonce, 5);
    uint8_t *data = codec_encode(&size, tx);
    bool is_new = gossip_receive(f.net.gossip, MESSAGE_TX, data, size);
    if (is_new) {
        intake_receive(f.intake, MESSAGE_TX, data, size, PEER);
        (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    }
    free(data);
    codec_free(tx);
    return is_new;
}

static void what_found_no_room_may_come_again(void **state)
{
    (void)state;
    assert_true(receive(0));
    assert_int_equal(mempool_count(f.mempool), 1);
    assert_true(mempool_first(f.mempool)->was_takable);
    assert_true(receive(1)); /* the pool is full */
    assert_int_equal(mempool_count(f.mempool), 1);
    assert_true(receive(1));
    assert_false(receive(0)); /* this one waits */
}

#define SIGNED_COUNT 20

static bool is_spoiled(size_t i)
{
    return i % 7 == 3;
}

/* One after the other, in the order in which they came. */
static void on_signed_receipt(void *context,
                              const struct intake_receipt *receipt)
{
    const struct hash *hashes = context;
    assert_int_equal(receipt->ledger == TX_BAD_SIGNATURE,
                     is_spoiled(f.answered));
    assert_true(hash_equal(&receipt->hash, &hashes[f.answered]));
    f.answered++;
}

static void each_of_a_batch_stands_for_its_own_signature(void **state)
{
    (void)state;
    struct hash hashes[SIGNED_COUNT];
    struct buf batch;
    buf_init(&batch, TX_BATCH_BYTES_MAX);
    for (size_t i = 0; i < SIGNED_COUNT; i++) {
        size_t size;
        Pot__Signed *tx = chain_fixture_pay(&f.chain, i, 5);
        tx->signature.data[i % SIGNATURE_SIZE] ^= is_spoiled(i);
        signed_hash(&hashes[i], SIGNED_TX, tx);
        uint8_t *data = codec_encode(&size, tx);
        batch_add(&batch, data, size);
        free(data);
        codec_free(tx);
    }
    assert_true(intake_submit_batch(f.intake, batch.data, batch.size,
                                    on_signed_receipt, hashes));
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.answered, SIGNED_COUNT);
    assert_int_equal(verified_checks(f.chain.holdings.verified), SIGNED_COUNT);
    buf_fini(&batch);
}

/* A block is on its way that will change the ledger's mind. */
static void what_came_a_block_too_early_is_taken_with_the_block(void **state)
{
    (void)state;
    struct shared_block *block =
        chain_fixture_propose(&f.chain, chain_fixture_pay(&f.chain, 0, 5));
    assert_true(receive(TX_NONCES_AHEAD_MAX + 1));
    assert_int_equal(mempool_count(f.mempool), 0);
    assert_false(receive(TX_NONCES_AHEAD_MAX + 1)); /* it is kept */
    assert_int_equal(chain_fixture_apply(&f.chain, block), POT_OK);
    intake_applied(f.intake);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    assert_int_equal(mempool_count(f.mempool), 1);
}

/* It is kept for one block, and looked at again when it is told again. */
static void what_is_too_early_still_is_let_go(void **state)
{
    (void)state;
    assert_true(receive(TX_NONCES_AHEAD_MAX + 2));
    intake_applied(f.intake);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    assert_int_equal(mempool_count(f.mempool), 0);
    assert_true(receive(TX_NONCES_AHEAD_MAX + 2));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_intake, close_intake)

static size_t keep_all(struct intake_early *early, uint64_t peer_id,
                       size_t size)
{
    static uint8_t data[INTAKE_EARLY_BYTES_MAX];
    size_t count = 0;
    while (intake_early_keep(early, data, size, peer_id)) {
        count++;
    }
    return count;
}

static void one_peer_leaves_room_for_what_others_bring_early(void **state)
{
    struct intake_early early = {NULL, 0, 0};
    (void)state;
    assert_int_equal(keep_all(&early, 1, 10), INTAKE_EARLY_MAX / 2);
    assert_int_equal(keep_all(&early, 2, 10), INTAKE_EARLY_OF_PEER);
    assert_int_equal(keep_all(&early, 2, 10), 0);
    early_txs_free(intake_early_take(&early));
    assert_int_equal(keep_all(&early, 1, INTAKE_EARLY_BYTES_MAX / 64), 32);
    assert_int_equal(keep_all(&early, 2, INTAKE_EARLY_BYTES_MAX / 64), 8);
    assert_int_equal(keep_all(&early, 3, INTAKE_EARLY_BYTES_MAX / 4), 1);
    early_txs_free(intake_early_take(&early));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(clients_leave_room_for_peers),
        CASE(a_client_may_go_on_when_it_was_answered),
        CASE(what_found_no_room_may_come_again),
        CASE(each_of_a_batch_stands_for_its_own_signature),
        CASE(what_came_a_block_too_early_is_taken_with_the_block),
        CASE(what_is_too_early_still_is_let_go),
        CASE(one_peer_leaves_room_for_what_others_bring_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
