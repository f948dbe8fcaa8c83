/* Candidates over a real chain: what may go into a block, and what never
 * will. */
#include "config.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "ledger/keys.h"
#include "node/block/needs.h"
#include "node/tx/pending.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/small_task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct chain_fixture chain;
    struct needs *needs;
    struct mempool *mempool;
    struct pending *pending;
    unsigned work; /* times that it was signalled */
} f;

static void on_work(void *context)
{
    (void)context;
    f.work++;
}

static void on_tell(void *context, const Pot__Signed *tx)
{
    (void)context;
    (void)tx;
}

static int open_pending(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    chain_fixture_open(&f.chain);
    const struct needs_config needs = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
    };
    f.needs = needs_new(&needs);
    needs_stop(f.needs); /* no data set can be had */
    f.mempool = mempool_new(1000, 1 << 20);
    const struct pending_config config = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
        .mempool = f.mempool,
        .needs = f.needs,
        .is_fetching = true,
        .on_work = on_work,
        .tell = on_tell,
    };
    f.pending = pending_new(&config);
    return 0;
}

static int close_pending(void **state)
{
    (void)state;
    pending_free(f.pending);
    mempool_free(f.mempool);
    needs_free(f.needs);
    chain_fixture_close(&f.chain);
    return 0;
}

/* Takes tx. */
static struct hash add(Pot__Signed *tx)
{
    struct hash hash;
    Pot__TxBody *body = NULL;
    signed_hash(&hash, SIGNED_TX, tx);
    assert_int_equal(
        CODEC_DECODE(&body, pot__tx_body, tx->body.data, tx->body.len), POT_OK);
    assert_int_equal(pending_add(f.pending, &hash, tx, body, 100),
                     MEMPOOL_ADDED);
    codec_free(body);
    codec_free(tx);
    return hash;
}

static struct hash add_payment(uint64_t nonce)
{
    return add(chain_fixture_pay(&f.chain, nonce, 5));
}

static bool applied(const struct shared_block *block)
{
    const struct hash *overdue;
    bool has_work = pending_applied(f.pending, block, NULL, &overdue);
    assert_null(overdue);
    return has_work;
}

static size_t collected(void)
{
    struct proposal_request *request = pot_calloc(1, sizeof(*request));
    request->bytes_max = BLOCK_BYTES_MAX;
    pending_collect(f.pending, request);
    size_t count = request->tx_count;
    proposal_request_free(request);
    return count;
}

/* A few may stay until the block is the tip: it may never be. */
static void of_many_that_can_never_be_taken_few_stay(void **state)
{
    enum { FINAL = 100, OTHERS = 3 };
    static const enum tx_verdict verdicts[OTHERS] = {
        TX_NONCE_AHEAD, TX_BALANCE_LOW, TX_TASKS_FULL};
    struct proposal_refused refused[FINAL + OTHERS];
    (void)state;
    for (size_t i = 0; i < FINAL + OTHERS; i++) {
        refused[i].tx = add_payment(i);
        refused[i].verdict = i < FINAL ? TX_TASK_ENDED : verdicts[i - FINAL];
    }
    pending_drop_refused(f.pending, refused, 1);
    assert_int_equal(collected(), FINAL + OTHERS);
    pending_drop_refused(f.pending, refused, FINAL + OTHERS);
    assert_in_range(collected(), OTHERS, OTHERS + FINAL - 1);
    for (size_t i = 0; i < OTHERS; i++) {
        assert_non_null(mempool_find(f.mempool, &refused[FINAL + i].tx));
    }
    assert_null(mempool_find(f.mempool, &refused[FINAL - 1].tx));
}

static void a_publication_waits_for_its_data(void **state)
{
    Pot__PublishDataset description;
    (void)state;
    chain_fixture_describe(&description);
    (void)add(chain_fixture_publish(&f.chain, 0, &description));
    assert_int_equal(f.work, 0);
    assert_int_equal(collected(), 0);
    (void)add_payment(1);
    assert_int_equal(f.work, 1);
    assert_int_equal(collected(), 1);
    chain_fixture_load(&f.chain);
    assert_int_equal(collected(), 2);
}

static void a_publication_that_is_wrong_about_its_data_waits(void **state)
{
    Pot__PublishDataset description;
    (void)state;
    chain_fixture_load(&f.chain);
    chain_fixture_describe(&description);
    description.rows++;
    (void)add(chain_fixture_publish(&f.chain, 0, &description));
    assert_int_equal(f.work, 0);
    assert_int_equal(collected(), 0);
}

static void a_block_is_worth_making_when_something_moved(void **state)
{
    (void)state;
    Pot__Signed *tx = chain_fixture_pay(&f.chain, 0, 5);
    const struct hash taken = add(signed_copy(tx));
    const struct hash other = add_payment(7); /* for which it is too early */
    struct shared_block *block = chain_fixture_propose(&f.chain, tx);
    assert_int_equal(chain_fixture_apply(&f.chain, block), POT_OK);
    assert_true(applied(block));
    assert_null(mempool_find(f.mempool, &taken));
    assert_non_null(mempool_find(f.mempool, &other));
    block = chain_fixture_propose(&f.chain, NULL);
    assert_int_equal(chain_fixture_apply(&f.chain, block), POT_OK);
    assert_false(applied(block));
    (void)add_payment(8);
    assert_true(applied(block));
}

static void apply(Pot__Signed *tx)
{
    struct shared_block *block = chain_fixture_propose(&f.chain, tx);
    assert_int_equal(block->block->body->n_txs, 1);
    assert_int_equal(chain_fixture_apply(&f.chain, block), POT_OK);
    (void)applied(block);
}

/* The validator's, of a data set that the client publishes too. */
static Pot__Signed *publish_too(uint64_t nonce)
{
    Pot__PublishDataset description;
    Pot__TxBody body = POT__TX_BODY__INIT;
    chain_fixture_describe(&description);
    body.chain_id = codec_bytes(f.chain.holdings.chain.b, HASH_SIZE);
    body.nonce = nonce;
    body.fee = 100000;
    body.action_case = POT__TX_BODY__ACTION_PUBLISH_DATASET;
    body.publish_dataset = &description;
    return signed_make(SIGNED_TX, &f.chain.holdings.chain, f.chain.validator,
                       &body);
}

/* The first one was dropped for that, and the other one cannot go. */
static void assert_blocks(const struct hash *first, const struct hash *other,
                          enum tx_verdict why)
{
    const struct dropped_tx *dropped = mempool_dropped(f.mempool, first);
    assert_non_null(dropped);
    assert_string_equal(dropped->why, tx_verdict_text(why));
    assert_ptr_equal(mempool_blocker(f.mempool, mempool_find(f.mempool, other)),
                     dropped);
}

/* It would keep its sender's next one waiting, at every node. */
static void what_a_block_made_pointless_leaves_with_it(void **state)
{
    Pot__PublishDataset description;
    (void)state;
    const struct public_key *validator = key_public(f.chain.validator);
    chain_fixture_load(&f.chain);
    chain_fixture_describe(&description);
    const struct hash same = add(publish_too(0));
    const struct hash later = add(publish_too(1));
    apply(chain_fixture_pay(&f.chain, 0, 1000000));
    assert_non_null(mempool_find(f.mempool, &same)); /* can be taken still */
    apply(chain_fixture_publish(&f.chain, 1, &description));
    assert_null(mempool_find(f.mempool, &same));
    assert_int_equal(mempool_next_nonce(f.mempool, validator, 0), 0);
    /* Whose turn has not come is not judged. */
    assert_non_null(mempool_find(f.mempool, &later));
    assert_blocks(&same, &later, TX_DATASET_KNOWN);
}

/* The client's. */
static Pot__Signed *cancel(uint64_t nonce, const struct hash *task)
{
    Pot__CancelTask what = POT__CANCEL_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    what.task = codec_bytes(task->b, HASH_SIZE);
    body.chain_id = codec_bytes(f.chain.holdings.chain.b, HASH_SIZE);
    body.nonce = nonce;
    body.fee = 100000;
    body.action_case = POT__TX_BODY__ACTION_CANCEL_TASK;
    body.cancel_task = &what;
    return signed_make(SIGNED_TX, &f.chain.holdings.chain, f.chain.client,
                       &body);
}

static void forget_task(const struct ledger_env *env, const void *task)
{
    const struct state_key key = keys_task(task);
    env->state.del(env->state.context, key.b, key.size);
}

/* Unknown may be not known yet; what was known and is not any more is over. */
static void what_is_gone_leaves_and_who_waits_behind_it_is_told(void **state)
{
    const struct hash task = {{5}};
    (void)state;
    struct shared_block *block = chain_fixture_propose(&f.chain, NULL);
    const struct hash first = add(cancel(0, &task));
    const struct hash behind = add_payment(1);
    (void)applied(block);
    assert_non_null(mempool_find(f.mempool, &first)); /* not known yet */
    Pot__TaskRecord *record =
        small_task_record(&task, key_public(f.chain.validator), 1);
    record->owner =
        codec_copy_bytes(key_public(f.chain.client)->b, PUBLIC_KEY_SIZE);
    chain_fixture_store_task(&f.chain, record);
    codec_free(record);
    (void)applied(block);
    assert_non_null(mempool_find(f.mempool, &first));
    assert_null(mempool_dropped(f.mempool, &first));
    chain_fixture_store(&f.chain, forget_task, &task);
    (void)applied(block);
    assert_null(mempool_find(f.mempool, &first));
    assert_blocks(&first, &behind, TX_TASK_UNKNOWN);
}

static void a_used_nonce_leaves_with_the_block(void **state)
{
    (void)state;
    const struct hash rival = add_payment(0); /* another one of its nonce */
    struct shared_block *block =
        chain_fixture_propose(&f.chain, chain_fixture_pay(&f.chain, 0, 6));
    assert_int_equal(block->block->body->n_txs, 1);
    assert_int_equal(chain_fixture_apply(&f.chain, block), POT_OK);
    assert_false(applied(block));
    assert_null(mempool_find(f.mempool, &rival));
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, open_pending, close_pending)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(of_many_that_can_never_be_taken_few_stay),
        CASE(a_publication_waits_for_its_data),
        CASE(a_publication_that_is_wrong_about_its_data_waits),
        CASE(a_block_is_worth_making_when_something_moved),
        CASE(what_a_block_made_pointless_leaves_with_it),
        CASE(what_is_gone_leaves_and_who_waits_behind_it_is_told),
        CASE(a_used_nonce_leaves_with_the_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
