/* The mempool: order, limits, expiry; and a random run against a plain
 * list. */
#include "config.h"

#include "node/tx/mempool.h"

#include "base/alloc.h"
#include "proto/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TXS_MAX   40
#define BYTES_MAX 100000
#define STEPS     20000
#define SENDERS   6
#define NONCES    12

static struct hash hash_of(unsigned sender, uint64_t nonce)
{
    struct hash hash = {{0}};
    hash.b[0] = (uint8_t)sender;
    memcpy(&hash.b[8], &nonce, sizeof(nonce));
    return hash;
}

static enum mempool_verdict add(struct mempool *pool, unsigned sender,
                                uint64_t nonce, uint64_t expiry, size_t bytes)
{
    struct public_key key = {{0}};
    Pot__Signed tx = POT__SIGNED__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    const struct hash hash = hash_of(sender, nonce);
    key.b[0] = (uint8_t)(sender + 1);
    tx.public_key = codec_bytes(key.b, PUBLIC_KEY_SIZE);
    body.nonce = nonce;
    body.expiry_height = expiry;
    return mempool_add(pool, &hash, &tx, &body, bytes, 0);
}

struct ledger {
    uint64_t nonce; /* of every sender */
    unsigned asked;
};

static uint64_t nonce_of(void *context, const struct public_key *sender)
{
    struct ledger *ledger = context;
    (void)sender;
    ledger->asked++;
    return ledger->nonce;
}

static void a_senders_transactions_come_by_nonce(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    uint64_t expected = 1;
    (void)state;
    assert_int_equal(add(pool, 0, 3, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 1, 7, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 0, 1, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 0, 2, 0, 100), MEMPOOL_ADDED);
    for (const struct mempool_entry *at = mempool_first(pool); at != NULL;
         at = at->next) {
        if (at->sender.b[0] == 1) {
            assert_int_equal(at->nonce, expected++);
        }
    }
    assert_int_equal(expected, 4);
    mempool_free(pool);
}

static void the_next_nonce_is_behind_those_that_wait(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    const struct public_key sender = {{1}};
    const struct public_key other = {{2}};
    (void)state;
    assert_int_equal(mempool_next_nonce(pool, &sender, 5), 5);
    assert_int_equal(add(pool, 0, 6, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(mempool_next_nonce(pool, &sender, 5), 5);
    assert_int_equal(add(pool, 1, 5, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 0, 5, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 0, 8, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(mempool_next_nonce(pool, &sender, 5), 7);
    assert_int_equal(mempool_next_nonce(pool, &sender, 8), 9);
    assert_int_equal(mempool_next_nonce(pool, &other, 5), 6);
    mempool_free(pool);
}

static void one_nonce_holds_one_transaction(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    const struct hash other = {{77}};
    struct public_key key = {{1}};
    Pot__Signed tx = POT__SIGNED__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    (void)state;
    tx.public_key = codec_bytes(key.b, PUBLIC_KEY_SIZE);
    body.nonce = 5;
    assert_int_equal(add(pool, 0, 5, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 0, 5, 0, 100), MEMPOOL_KNOWN);
    assert_int_equal(mempool_add(pool, &other, &tx, &body, 100, 0),
                     MEMPOOL_CONFLICT);
    assert_int_equal(mempool_count(pool), 1);
    mempool_free(pool);
}

static void number_and_bytes_are_bounded(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, 1000);
    unsigned taken = 0;
    (void)state;
    assert_int_equal(add(pool, 0, 1, 0, 1001), MEMPOOL_FULL);
    assert_int_equal(add(pool, 0, 1, 0, 1000), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 1, 1, 0, 1), MEMPOOL_FULL);
    mempool_free(pool);
    pool = mempool_new(TXS_MAX, BYTES_MAX);
    for (unsigned i = 0; i < 2 * TXS_MAX; i++) {
        taken += add(pool, i % SENDERS, i, 0, 10) == MEMPOOL_ADDED ? 1 : 0;
    }
    assert_int_equal(taken, TXS_MAX);
    assert_int_equal(mempool_count(pool), TXS_MAX);
    mempool_free(pool);
}

static void one_sender_cannot_fill_it(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    uint64_t nonce = 0;
    (void)state;
    while (add(pool, 0, nonce, 0, 10) == MEMPOOL_ADDED) {
        nonce++;
    }
    assert_int_equal(add(pool, 0, nonce, 0, 10), MEMPOOL_SENDER_FULL);
    assert_true(mempool_count(pool) < TXS_MAX);
    assert_int_equal(add(pool, 1, 0, 0, 10), MEMPOOL_ADDED);
    mempool_free(pool);
}

static void what_expired_or_was_used_goes(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    struct ledger ledger = {0};
    const struct hash first = hash_of(0, 1);
    (void)state;
    assert_int_equal(add(pool, 0, 1, 10, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 0, 2, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 0, 3, 11, 100), MEMPOOL_ADDED);
    mempool_prune(pool, 9, nonce_of, &ledger);
    assert_int_equal(mempool_count(pool), 3);
    mempool_prune(pool, 10, nonce_of, &ledger); /* the next block is the 11th */
    assert_null(mempool_find(pool, &first));
    assert_int_equal(mempool_count(pool), 2);
    ledger.nonce = 3;
    mempool_prune(pool, 10, nonce_of, &ledger);
    assert_int_equal(mempool_count(pool), 1);
    assert_int_equal(mempool_bytes(pool), 100);
    mempool_free(pool);
}

static void a_prune_asks_once_for_each_senders_nonce(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    struct ledger ledger = {0};
    (void)state;
    for (uint64_t nonce = 0; nonce < 3; nonce++) {
        assert_int_equal(add(pool, 0, nonce, 0, 10), MEMPOOL_ADDED);
        assert_int_equal(add(pool, 1, nonce, 0, 10), MEMPOOL_ADDED);
    }
    mempool_prune(pool, 1, nonce_of, &ledger);
    assert_int_equal(ledger.asked, 2);
    assert_int_equal(mempool_count(pool), 6);
    ledger.nonce = 2;
    mempool_prune(pool, 2, nonce_of, &ledger);
    assert_int_equal(ledger.asked, 4);
    assert_int_equal(mempool_count(pool), 2);
    mempool_free(pool);
}

/* What waits behind a hole that a dropped one left is told so, until somebody
 * else takes the place. */
static void who_waits_behind_a_dropped_one_knows_why(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    struct ledger ledger = {.nonce = 1};
    const struct hash first = hash_of(0, 1);
    const struct hash later = hash_of(0, 3);
    const struct hash other = hash_of(1, 3);
    (void)state;
    assert_int_equal(add(pool, 0, 1, 10, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 0, 3, 0, 100), MEMPOOL_ADDED);
    assert_int_equal(add(pool, 1, 3, 0, 100), MEMPOOL_ADDED);
    mempool_prune(pool, 9, nonce_of, &ledger);
    assert_null(mempool_dropped(pool, &first));
    assert_null(mempool_blocker(pool, mempool_find(pool, &later)));
    mempool_drop(pool, &first, "why");
    mempool_drop(pool, &first, "it is not there any more");
    assert_null(mempool_find(pool, &first));
    assert_string_equal(mempool_dropped(pool, &first)->why, "why");
    const struct dropped_tx *blocker =
        mempool_blocker(pool, mempool_find(pool, &later));
    assert_non_null(blocker);
    assert_memory_equal(&blocker->tx, &first, sizeof(first));
    assert_null(mempool_blocker(pool, mempool_find(pool, &other)));
    assert_int_equal(add(pool, 0, 1, 10, 100), MEMPOOL_ADDED);
    assert_null(mempool_blocker(pool, mempool_find(pool, &later)));
    mempool_prune(pool, 10, nonce_of, &ledger);
    assert_string_equal(mempool_dropped(pool, &first)->why,
                        "its expiry height has passed");
    assert_non_null(mempool_blocker(pool, mempool_find(pool, &later)));
    ledger.nonce = 2; /* another one took the place, in a block */
    mempool_prune(pool, 11, nonce_of, &ledger);
    assert_null(mempool_blocker(pool, mempool_find(pool, &later)));
    mempool_free(pool);
}

/* It may be in a block itself. */
static void of_a_used_nonce_nothing_is_said(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    struct ledger ledger = {.nonce = 2};
    const struct hash used = hash_of(0, 1);
    (void)state;
    assert_int_equal(add(pool, 0, 1, 10, 100), MEMPOOL_ADDED);
    mempool_prune(pool, 10, nonce_of, &ledger);
    assert_int_equal(mempool_count(pool), 0);
    assert_null(mempool_dropped(pool, &used));
    mempool_free(pool);
}

static void the_last_dropped_ones_are_remembered(void **state)
{
    struct mempool *pool = mempool_new(TXS_MAX, BYTES_MAX);
    (void)state;
    for (uint64_t nonce = 0; nonce <= DROPPED_MAX; nonce++) {
        const struct hash hash = hash_of(0, nonce);
        assert_int_equal(add(pool, 0, nonce, 0, 10), MEMPOOL_ADDED);
        mempool_drop(pool, &hash, "why");
    }
    for (uint64_t nonce = 0; nonce <= DROPPED_MAX; nonce++) {
        const struct hash hash = hash_of(0, nonce);
        bool is_known = mempool_dropped(pool, &hash) != NULL;
        assert_int_equal(is_known, nonce > 0);
    }
    mempool_free(pool);
}

struct model {
    bool is_there[SENDERS][NONCES];
    size_t count;
};

static void check(const struct mempool *pool, const struct model *model)
{
    uint64_t next[SENDERS] = {0};
    size_t count = 0;
    for (const struct mempool_entry *at = mempool_first(pool); at != NULL;
         at = at->next) {
        size_t sender = (size_t)at->sender.b[0] - 1;
        assert_true(model->is_there[sender][at->nonce]);
        assert_true(at->nonce >= next[sender]);
        next[sender] = at->nonce + 1;
        count++;
    }
    assert_int_equal(count, model->count);
    assert_int_equal(mempool_count(pool), model->count);
    assert_int_equal(mempool_bytes(pool), 10 * model->count);
}

static void random_changes_agree_with_a_table(void **state)
{
    struct mempool *pool = mempool_new(SENDERS * NONCES * 4, BYTES_MAX);
    struct model model = {0};
    uint32_t random = 12345;
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        random = random * 1664525 + 1013904223;
        unsigned sender = (random >> 8) % SENDERS;
        unsigned nonce = (random >> 16) % NONCES;
        bool *is_there = &model.is_there[sender][nonce];
        const struct hash hash = hash_of(sender, nonce);
        if (random >> 31 != 0) {
            assert_int_equal(add(pool, sender, nonce, 0, 10),
                             *is_there ? MEMPOOL_KNOWN : MEMPOOL_ADDED);
            model.count += *is_there ? 0 : 1;
            *is_there = true;
        } else {
            mempool_remove(pool, &hash);
            model.count -= *is_there ? 1 : 0;
            *is_there = false;
        }
        if (i % 16 == 0) {
            check(pool, &model);
        }
    }
    mempool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_senders_transactions_come_by_nonce),
        cmocka_unit_test(the_next_nonce_is_behind_those_that_wait),
        cmocka_unit_test(one_nonce_holds_one_transaction),
        cmocka_unit_test(number_and_bytes_are_bounded),
        cmocka_unit_test(one_sender_cannot_fill_it),
        cmocka_unit_test(what_expired_or_was_used_goes),
        cmocka_unit_test(a_prune_asks_once_for_each_senders_nonce),
        cmocka_unit_test(who_waits_behind_a_dropped_one_knows_why),
        cmocka_unit_test(of_a_used_nonce_nothing_is_said),
        cmocka_unit_test(the_last_dropped_ones_are_remembered),
        cmocka_unit_test(random_changes_agree_with_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
