/* Work that a primary leaves out: when it is overdue, and when it only waits
 * its turn. */
#include "config.h"

#include "node/tx/left_out.h"

#include "ledger/ledger.h"
#include "node/tx/mempool.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT 800

static struct {
    struct chain_fixture chain;
    struct mempool *mempool;
    struct left_out left_out;
    struct left_out_view view;
    struct owed_rule rule;
    bool is_data_here;
    unsigned told;
    struct hash told_last;
} f;

static bool is_ready(void *context, const struct mempool_entry *entry)
{
    (void)context;
    (void)entry;
    return f.is_data_here;
}

static void tell(void *context, const struct mempool_entry *entry)
{
    (void)context;
    f.told++;
    f.told_last = entry->hash;
}

static int open_pool(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    chain_fixture_open(&f.chain);
    f.mempool = mempool_new(1000, 1 << 20);
    f.view = (struct left_out_view){&f.chain.holdings, f.mempool, 0,
                                    is_ready,          tell,      NULL};
    f.rule = (struct owed_rule){true, 0, 5000, TIMEOUT, 1};
    f.is_data_here = true;
    return 0;
}

static int close_pool(void **state)
{
    (void)state;
    mempool_free(f.mempool);
    chain_fixture_close(&f.chain);
    return 0;
}

static Pot__Signed *payment(const struct key *from, uint64_t nonce)
{
    uint8_t to[PUBLIC_KEY_SIZE] = {9};
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    transfer.to = codec_bytes(to, sizeof(to));
    transfer.amount = 1;
    body.chain_id = codec_bytes(f.chain.holdings.chain.b, HASH_SIZE);
    body.nonce = nonce;
    body.fee = 1000;
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    return signed_make(SIGNED_TX, &f.chain.holdings.chain, from, &body);
}

/* Into the pool, now; takes tx. */
static struct hash add(Pot__Signed *tx)
{
    struct hash hash;
    Pot__TxBody *body = NULL;
    signed_hash(&hash, SIGNED_TX, tx);
    assert_int_equal(
        CODEC_DECODE(&body, pot__tx_body, tx->body.data, tx->body.len), POT_OK);
    assert_int_equal(
        mempool_add(f.mempool, &hash, tx, body, 100, f.rule.now_ms),
        MEMPOOL_ADDED);
    codec_free(body);
    codec_free(tx);
    return hash;
}

/* A block with tx, or none, after a while; takes tx.  The transaction that is
 * overdue then, or NULL. */
static const struct hash *live_block(Pot__Signed *tx, uint64_t after_ms)
{
    struct hash hash;
    if (tx != NULL) {
        signed_hash(&hash, SIGNED_TX, tx);
    }
    struct shared_block *block = chain_fixture_propose(&f.chain, tx);
    assert_int_equal(block->block->body->n_txs, tx != NULL);
    assert_int_equal(chain_fixture_apply(&f.chain, block), POT_OK);
    f.rule.now_ms += after_ms;
    const struct hash *overdue =
        left_out_judge(&f.left_out, &f.view, block->block, &f.rule);
    if (tx != NULL) {
        mempool_remove(f.mempool, &hash);
    }
    left_out_draw(&f.left_out, &f.view, chain_tip(f.chain.chain)->height,
                  &f.rule);
    return overdue;
}

/* Blocks without a transaction until one is overdue; how many, up to max. */
static unsigned blocks_until_overdue(unsigned max, uint64_t after_ms)
{
    unsigned blocks = 0;
    while (blocks < max && live_block(NULL, after_ms) == NULL) {
        blocks++;
    }
    return blocks;
}

/* ---- of any work */

static void work_is_overdue_after_some_blocks_and_a_time_out(void **state)
{
    (void)state;
    struct owed owed = {0};
    for (unsigned i = 1; i < OWED_BLOCKS; i++) {
        f.rule.now_ms += 10 * TIMEOUT;
        assert_false(owed_pass(&owed, &f.rule));
    }
    assert_true(owed_pass(&owed, &f.rule));
    owed = (struct owed){0};
    for (unsigned i = 0; i < 100 * OWED_BLOCKS; i++) {
        assert_false(owed_pass(&owed, &f.rule)); /* quick blocks */
    }
    f.rule.now_ms += TIMEOUT;
    assert_true(owed_pass(&owed, &f.rule));
}

static bool is_left_out_in(struct owed *owed, uint64_t view)
{
    bool is_overdue = false;
    f.rule.view = view;
    for (unsigned i = 0; i < OWED_BLOCKS; i++) {
        f.rule.now_ms += TIMEOUT;
        is_overdue = owed_pass(owed, &f.rule);
    }
    return is_overdue;
}

static void each_primary_gets_the_same_time(void **state)
{
    (void)state;
    struct owed owed = {0};
    assert_true(is_left_out_in(&owed, 0));
    f.rule.view = 1;
    for (unsigned i = 1; i < OWED_BLOCKS; i++) {
        f.rule.now_ms += TIMEOUT;
        assert_false(owed_pass(&owed, &f.rule));
    }
}

/* One of f + 1 primaries is honest: it is not a matter of primaries then. */
static void after_f_plus_one_primaries_nothing_more_is_asked(void **state)
{
    (void)state;
    struct owed owed = {0};
    assert_true(is_left_out_in(&owed, 0));
    assert_true(is_left_out_in(&owed, 1));
    for (uint64_t view = 2; view < 9; view++) {
        assert_false(is_left_out_in(&owed, view));
    }
}

/* ---- of transactions */

static void a_transaction_left_out_by_blocks_with_room_is_overdue(void **state)
{
    (void)state;
    const struct hash tx = add(payment(f.chain.client, 0));
    unsigned blocks = blocks_until_overdue(20, TIMEOUT / 2);
    assert_int_equal(blocks, OWED_BLOCKS); /* the first draws the sample */
    assert_true(hash_equal(&f.left_out.overdue, &tx));
}

/* It may not have come there, or when the pool there was full. */
static void what_is_passed_over_is_told_once_to_each_primary(void **state)
{
    (void)state;
    const struct hash tx = add(payment(f.chain.client, 0));
    (void)live_block(NULL, TIMEOUT / 2); /* draws the sample */
    assert_int_equal(f.told, 0);
    (void)live_block(NULL, TIMEOUT / 2);
    assert_int_equal(f.told, 1);
    assert_true(hash_equal(&f.told_last, &tx));
    (void)live_block(NULL, TIMEOUT / 2);
    assert_int_equal(f.told, 1);
    f.rule.view = 1;
    (void)live_block(NULL, TIMEOUT / 2);
    (void)live_block(NULL, TIMEOUT / 2);
    assert_int_equal(f.told, 2);
}

static void what_cannot_be_taken_is_not_owed(void **state)
{
    (void)state;
    (void)add(payment(f.chain.client, 1));    /* its turn has not come */
    (void)add(payment(f.chain.validator, 0)); /* has no money */
    assert_int_equal(blocks_until_overdue(20, TIMEOUT), 20);
    f.is_data_here = false;
    (void)add(payment(f.chain.client, 0));
    assert_int_equal(blocks_until_overdue(20, TIMEOUT), 20);
}

/* Congestion: the blocks are full of what came before. */
static void full_blocks_by_age_pass_over_nothing(void **state)
{
    (void)state;
    f.rule.has_room = false;
    assert_null(live_block(payment(f.chain.client, 0), 1)); /* earns a fee */
    (void)add(payment(f.chain.validator, 0));
    for (uint64_t nonce = 1; nonce < 20; nonce++) {
        (void)add(payment(f.chain.client, nonce)); /* as old */
    }
    for (uint64_t nonce = 1; nonce < 20; nonce++) {
        assert_null(live_block(payment(f.chain.client, nonce), TIMEOUT));
    }
}

/* The same with what came later, or was heard of from nobody. */
static void full_blocks_do_not_excuse_leaving_out_the_oldest(void **state)
{
    (void)state;
    f.rule.has_room = false;
    assert_null(live_block(payment(f.chain.client, 0), 1));
    const struct hash tx = add(payment(f.chain.validator, 0));
    const struct hash *overdue = NULL;
    uint64_t nonce = 1;
    for (; nonce < 20 && overdue == NULL; nonce++) {
        overdue = live_block(payment(f.chain.client, nonce), TIMEOUT);
    }
    assert_non_null(overdue);
    assert_true(hash_equal(overdue, &tx));
    assert_int_equal(nonce, 2 + OWED_BLOCKS);
}

/* A sender's earlier nonce that came late goes before its later ones: no
 * overtaking of those in between. */
static void a_late_earlier_nonce_overtakes_nobody(void **state)
{
    (void)state;
    f.rule.has_room = false;
    assert_null(live_block(payment(f.chain.client, 0), 1));
    for (uint64_t nonce = 7; nonce < 20; nonce++) {
        (void)add(payment(f.chain.client, nonce));
    }
    f.rule.now_ms += TIMEOUT;
    (void)add(payment(f.chain.validator, 0));
    f.rule.now_ms += 10 * TIMEOUT;
    for (uint64_t nonce = 6; nonce > 0; nonce--) {
        (void)add(payment(f.chain.client, nonce));
    }
    for (uint64_t nonce = 1; nonce < 20; nonce++) {
        assert_null(live_block(payment(f.chain.client, nonce), TIMEOUT));
    }
}

static void what_was_taken_at_last_is_forgotten(void **state)
{
    (void)state;
    (void)add(payment(f.chain.client, 0));
    assert_int_equal(blocks_until_overdue(OWED_BLOCKS, TIMEOUT), OWED_BLOCKS);
    assert_null(live_block(payment(f.chain.client, 0), TIMEOUT));
    assert_int_equal(f.left_out.count, 0);
    assert_int_equal(blocks_until_overdue(20, TIMEOUT), 20);
}

/* More than are looked at for one sample stand before it, and none of them can
 * be taken. */
static void a_flood_of_hopeless_ones_hides_nothing(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 250; i++) {
        uint8_t seed[32] = {7, i};
        struct key *poor = key_from_seed(seed);
        (void)add(payment(poor, 0));
        (void)add(payment(poor, 1));
        key_free(poor);
    }
    const struct hash tx = add(payment(f.chain.client, 0));
    assert_true(blocks_until_overdue(40, TIMEOUT) < 40);
    assert_true(hash_equal(&f.left_out.overdue, &tx));
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, open_pool, close_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(work_is_overdue_after_some_blocks_and_a_time_out),
        CASE(each_primary_gets_the_same_time),
        CASE(after_f_plus_one_primaries_nothing_more_is_asked),
        CASE(a_transaction_left_out_by_blocks_with_room_is_overdue),
        CASE(what_is_passed_over_is_told_once_to_each_primary),
        CASE(what_cannot_be_taken_is_not_owed),
        CASE(full_blocks_by_age_pass_over_nothing),
        CASE(full_blocks_do_not_excuse_leaving_out_the_oldest),
        CASE(a_late_earlier_nonce_overtakes_nobody),
        CASE(what_was_taken_at_last_is_forgotten),
        CASE(a_flood_of_hopeless_ones_hides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
