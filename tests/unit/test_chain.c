/* The chain over a real store: blocks made, checked, applied; what cannot be
 * judged is not called wrong; what is held goes when nobody counts on it. */
#include "config.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "node/block/block_check.h"
#include "node/block/executed.h"
#include "node/block/held_blobs.h"
#include "node/hold/blob_pool.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "proto/signed.h"
#include "storage/store.h"
#include "storage/store_promise.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int open_chain(void **state)
{
    static struct chain_fixture fixture;
    chain_fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_chain(void **state)
{
    chain_fixture_close(*state);
    return 0;
}

/* ---- the way of a block */

static void what_is_proposed_can_be_applied(void **state)
{
    struct chain_fixture *f = *state;
    for (uint64_t height = 1; height <= 12; height++) { /* an epoch ends */
        struct shared_block *block =
            chain_fixture_propose(f, chain_fixture_pay(f, height - 1, 5));
        assert_int_equal(f->err, POT_OK);
        assert_int_equal(block->block->body->n_txs, 1);
        assert_non_null(chain_find_kept(f->chain, &block->block->hash));
        assert_int_equal(chain_fixture_apply(f, block), POT_OK);
        assert_int_equal(chain_tip(f->chain)->height, height);
        assert_true(
            hash_equal(&chain_tip(f->chain)->hash, &block->block->hash));
        assert_int_equal(f->applied, height);
    }
    struct store_report report;
    if (store_verify(f->holdings.store, &report, NULL, NULL) != POT_OK) {
        fail_msg("%s: %s", report.problems[0].table, report.problems[0].what);
    }
}

/* What a validator would say of a block that publishes this. */
static enum pot_err judge_publication(struct chain_fixture *f,
                                      Pot__PublishDataset *description,
                                      bool is_held)
{
    struct chain_fixture other;
    chain_fixture_open(&other);
    if (is_held) {
        chain_fixture_load(&other);
    }
    struct shared_block *block =
        chain_fixture_propose(f, chain_fixture_publish(f, 0, description));
    assert_int_equal(block->block->body->n_txs, 1);
    enum pot_err err = chain_fixture_check(&other, block);
    chain_fixture_close(&other);
    return err;
}

static void a_publication_is_judged_by_its_data(void **state)
{
    Pot__PublishDataset right;
    chain_fixture_describe(&right);
    Pot__PublishDataset wrong[] = {right, right, right, right};
    wrong[0].rows++;
    wrong[1].features++;
    wrong[2].classes++;
    wrong[3].size_bytes++;
    assert_int_equal(judge_publication(*state, &right, true), POT_OK);
    assert_int_equal(judge_publication(*state, &right, false), POT_ENOENT);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_int_equal(judge_publication(*state, &wrong[i], true),
                         POT_EFORMAT);
    }
}

static void another_node_finds_it_valid_and_applies_it(void **state)
{
    struct chain_fixture *f = *state;
    struct chain_fixture other;
    chain_fixture_open(&other);
    for (uint64_t height = 1; height <= 3; height++) {
        struct shared_block *block =
            chain_fixture_propose(f, chain_fixture_pay(f, height - 1, 5));
        if (height < 3) { /* the last one executes as it is applied */
            assert_int_equal(chain_fixture_check(&other, block), POT_OK);
            assert_ptr_equal(chain_find_kept(other.chain, &block->block->hash),
                             block);
        }
        assert_int_equal(chain_fixture_apply(&other, block), POT_OK);
        assert_int_equal(chain_fixture_apply(f, block), POT_OK);
    }
    assert_true(hash_equal(&chain_tip(f->chain)->state_root,
                           &chain_tip(other.chain)->state_root));
    chain_fixture_close(&other);
}

static void a_restart_finds_the_same_tip(void **state)
{
    struct chain_fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        struct shared_block *block = chain_fixture_propose(f, NULL);
        assert_int_equal(chain_fixture_apply(f, block), POT_OK);
        const struct chain_tip before = *chain_tip(f->chain);
        chain_fixture_restart(f);
        assert_memory_equal(&before, chain_tip(f->chain), sizeof(before));
    }
}

static void a_block_of_another_height_is_told_so(void **state)
{
    struct chain_fixture *f = *state;
    struct chain_fixture ahead;
    chain_fixture_open(&ahead);
    struct shared_block *first =
        shared_block_ref(chain_fixture_propose(&ahead, NULL));
    assert_int_equal(chain_fixture_apply(&ahead, first), POT_OK);
    struct shared_block *second = chain_fixture_propose(&ahead, NULL);
    assert_int_equal(chain_fixture_check(f, second), POT_ECANCELLED);
    assert_int_equal(chain_fixture_apply(f, second), POT_ERANGE);
    assert_int_equal(chain_fixture_apply(f, first), POT_OK);
    assert_int_equal(chain_fixture_apply(f, first), POT_EEXIST);
    assert_int_equal(chain_fixture_check(f, first), POT_ECANCELLED);
    shared_block_unref(first);
    chain_fixture_close(&ahead);
}

static void what_waits_is_cancelled_when_it_stops(void **state)
{
    struct chain_fixture *f = *state;
    struct shared_block *block = chain_fixture_propose(f, NULL);
    struct certified *certified = chain_fixture_certify(f, block);
    struct shared_block *lacking = chain_fixture_lacking(f);
    f->answers = 0;
    chain_check(f->chain, lacking, 0, chain_fixture_done, f); /* at work */
    chain_check(f->chain, lacking, 0, chain_fixture_done, f);
    chain_apply(f->chain, certified, chain_fixture_done, f);
    chain_stop(f->chain);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->answers, 3);
    assert_int_equal(f->err, POT_ECANCELLED);
    assert_int_equal(chain_tip(f->chain)->height, 0);
    certified_free(certified);
    shared_block_unref(lacking);
}

/* ---- what is refused, and what cannot be judged */

/* The same block with a change to its bytes that leaves it well formed. */
static struct shared_block *forge(const struct shared_block *block,
                                  void (*change)(Pot__Block *body,
                                                 Pot__BlockHeader *header))
{
    size_t size;
    struct hash hash;
    Pot__Block *body = NULL;
    Pot__BlockHeader *header = NULL;
    struct shared_block *made;
    assert_int_equal(CODEC_DECODE(&body, pot__block, block->data, block->size),
                     POT_OK);
    assert_int_equal(block_header_decode(&header, &hash, body->header.data,
                                         body->header.len),
                     POT_OK);
    change(body, header);
    block_seal(&hash, body, header);
    uint8_t *data = codec_encode(&size, body);
    assert_int_equal(shared_block_take(&made, data, size), POT_OK);
    codec_free(header);
    codec_free(body);
    return made;
}

static void change_root(Pot__Block *body, Pot__BlockHeader *header)
{
    (void)body;
    header->state_root.data[0] ^= 1;
}

static void change_signature(Pot__Block *body, Pot__BlockHeader *header)
{
    (void)header;
    body->txs[0]->signature.data[0] ^= 1;
}

static void drop_last_commit(Pot__Block *body, Pot__BlockHeader *header)
{
    (void)header;
    codec_free(body->last_commit);
    body->last_commit = NULL;
}

static void expect_refused(struct chain_fixture *f, struct shared_block *block,
                           const char *why)
{
    assert_int_equal(chain_fixture_check(f, block), POT_EFORMAT);
    assert_string_equal(f->why, why);
    assert_null(chain_find_kept(f->chain, &block->block->hash));
    shared_block_unref(block);
}

/* A data set that is as long to describe as one can be. */
static Pot__Signed *publish_long(const struct chain_fixture *f, uint8_t index)
{
    struct hash hash = {{index}};
    struct hash address;
    Pot__PublishDataset description;
    Pot__TxBody body = POT__TX_BODY__INIT;
    struct hash *hashes = pot_calloc(DATASET_CHUNKS_MAX, sizeof(*hashes));
    ProtobufCBinaryData *chunks =
        pot_calloc(DATASET_CHUNKS_MAX, sizeof(*chunks));
    for (size_t i = 0; i < DATASET_CHUNKS_MAX; i++) {
        hashes[i] = hash;
        chunks[i] = codec_bytes(hash.b, HASH_SIZE);
    }
    dataset_address(&address, hashes, DATASET_CHUNKS_MAX);
    chain_fixture_describe(&description);
    description.dataset = codec_bytes(address.b, HASH_SIZE);
    description.size_bytes = (uint64_t)DATASET_CHUNKS_MAX * DATASET_CHUNK_BYTES;
    description.n_chunks = DATASET_CHUNKS_MAX;
    description.chunks = chunks;
    body.chain_id = codec_bytes(f->holdings.chain.b, HASH_SIZE);
    body.nonce = index;
    body.fee = 300000000;
    body.action_case = POT__TX_BODY__ACTION_PUBLISH_DATASET;
    body.publish_dataset = &description;
    Pot__Signed *tx =
        signed_make(SIGNED_TX, &f->holdings.chain, f->client, &body);
    free(hashes);
    free(chunks);
    return tx;
}

static void a_block_that_is_too_large_for_anyone_is_not_made(void **state)
{
    struct chain_fixture *f = *state;
    struct executed *made;
    struct proposal_request *r = pot_calloc(1, sizeof(*r));
    r->bytes_max = 2 * BLOCK_BYTES_MAX;
    r->work_max_ms = 60000;
    r->proposer = *key_public(f->validator);
    r->parent = *chain_tip(f->chain);
    r->txs = pot_calloc(8, sizeof(*r->txs));
    for (uint8_t i = 0; i < 8; i++) {
        r->txs[r->tx_count++] = publish_long(f, i);
    }
    assert_int_equal(proposal_make(&made, &f->holdings, r), POT_ELIMIT);
    assert_null(made);
    assert_int_equal(r->refused_count, 0);
    proposal_request_free(r);
}

static void an_invalid_block_is_refused_by_name_of_its_fault(void **state)
{
    struct chain_fixture *f = *state;
    struct shared_block *block =
        chain_fixture_propose(f, chain_fixture_pay(f, 0, 5));
    expect_refused(f, forge(block, change_root), "another state root");
    expect_refused(f, forge(block, change_signature),
                   "a signature in it is wrong");
    assert_int_equal(chain_fixture_apply(f, block), POT_OK);
    block = chain_fixture_propose(f, NULL);
    expect_refused(f, forge(block, drop_last_commit),
                   "the parent's certificate is not in it");
}

/* A quorum may have signed it: whoever computes another state from the same
 * chain does not go on with it. */
static void b11_a_certified_block_with_another_state_is_not_applied(
    void **state)
{
    struct chain_fixture *f = *state;
    struct shared_block *block =
        chain_fixture_propose(f, chain_fixture_pay(f, 0, 5));
    struct shared_block *wrong = forge(block, change_root);
    assert_int_equal(chain_fixture_apply(f, wrong), POT_EFORMAT);
    assert_string_equal(f->why, "another state root");
    assert_int_equal(chain_tip(f->chain)->height, 0);
    /* It was certified: this store has diverged from the chain, and takes
     * nothing more. */
    assert_int_equal(chain_fixture_apply(f, block), POT_ECORRUPT);
    assert_int_equal(chain_tip(f->chain)->height, 0);
    shared_block_unref(wrong);
}

static void double_the_tx(Pot__Block *body, Pot__BlockHeader *header)
{
    (void)header;
    body->txs = pot_realloc(body->txs, 2, sizeof(*body->txs));
    body->txs[body->n_txs++] = signed_copy(body->txs[0]);
}

static void the_refused_transaction_is_told(void **state)
{
    struct chain_fixture *f = *state;
    struct shared_block *block =
        chain_fixture_propose(f, chain_fixture_pay(f, 0, 5));
    expect_refused(f, forge(block, double_the_tx),
                   "transaction 1 is refused: its nonce was used before");
}

static void a_proposal_says_what_the_ledger_did_not_take(void **state)
{
    struct chain_fixture *f = *state;
    struct hash hash;
    Pot__Signed *tx = chain_fixture_pay(f, 0, UINT64_C(1) << 60);
    signed_hash(&hash, SIGNED_TX, tx);
    struct shared_block *block = chain_fixture_propose(f, tx);
    assert_int_equal(block->block->body->n_txs, 0);
    assert_int_equal(f->refused_count, 1);
    assert_int_equal(f->refused.verdict, TX_BALANCE_LOW);
    assert_true(hash_equal(&f->refused.tx, &hash));
}

static void a_store_that_lacks_something_makes_no_block_wrong(void **state)
{
    struct chain_fixture *f = *state;
    char why[BLOCK_WHY_SIZE] = "";
    struct executed *made = NULL;
    struct shared_block *block = chain_fixture_propose(f, NULL);
    assert_int_equal(chain_fixture_apply(f, block), POT_OK);
    block = chain_fixture_propose(f, NULL);
    struct chain_tip tip = *chain_tip(f->chain);
    assert_int_equal(
        block_check(&made, &f->holdings, &tip, block, 0, false, why), POT_OK);
    executed_free(made);
    tip.signers.b[0] ^= 1; /* as if their set had gone */
    assert_int_equal(
        block_check(&made, &f->holdings, &tip, block, 0, false, why),
        POT_ECORRUPT);
    assert_null(made);
}

/* ---- what is held for votes */

static bool is_held(const struct chain_fixture *f, const struct hash *hash)
{
    return store_blob_has(f->holdings.store, hash, NULL);
}

static void what_was_held_before_a_restart_goes_with_a_block(void **state)
{
    struct chain_fixture *f = *state;
    static const char held[] = "a gradient";
    static const char kept[] = "a chunk";
    struct hash held_hash;
    struct hash kept_hash;
    blob_hash(&held_hash, held, sizeof(held));
    blob_hash(&kept_hash, kept, sizeof(kept));
    const struct store_blob blob = {held_hash, held, sizeof(held)};
    struct store *store = f->holdings.store;
    assert_int_equal(store_blobs_hold(store, &blob, 1), POT_OK);
    assert_int_equal(store_blob_put(store, &kept_hash, kept, sizeof(kept)),
                     POT_OK);
    chain_fixture_restart(f);
    assert_true(is_held(f, &held_hash)); /* a vote may count on it */
    struct shared_block *block = chain_fixture_propose(f, NULL);
    assert_true(is_held(f, &held_hash));
    assert_int_equal(chain_fixture_apply(f, block), POT_OK);
    assert_false(is_held(f, &held_hash));
    assert_true(is_held(f, &kept_hash));
}

static void what_others_held_goes_when_they_say_so(void **state)
{
    struct chain_fixture *f = *state;
    const struct store_blob blob = {{{5}}, "a part", 6};
    assert_int_equal(chain_fixture_apply(f, chain_fixture_propose(f, NULL)),
                     POT_OK);
    assert_int_equal(store_blobs_hold(f->holdings.store, &blob, 1), POT_OK);
    assert_int_equal(chain_fixture_apply(f, chain_fixture_propose(f, NULL)),
                     POT_OK);
    assert_true(is_held(f, &blob.hash));
    chain_release_all(f->chain);
    assert_int_equal(chain_fixture_apply(f, chain_fixture_propose(f, NULL)),
                     POT_OK);
    assert_false(is_held(f, &blob.hash));
}

/* Behind one that a thread stores, as one with a round is. */
static void await_release(struct chain_fixture *f, const struct hash *hash)
{
    for (int i = 0; is_held(f, hash); i++) {
        assert_true(i < 100);
        assert_int_equal(chain_fixture_apply(f, chain_fixture_propose(f, NULL)),
                         POT_OK);
    }
}

/* No such task runs. */
static void what_was_promised_for_a_round_goes_behind_it(void **state)
{
    struct chain_fixture *f = *state;
    const struct store_blob blob = {{{5}}, "a gradient", 11};
    const struct store_promise promise = {.task = {{1}}};
    assert_int_equal(store_promise_hold(f->holdings.store, &promise, &blob, 1),
                     POT_OK);
    chain_fixture_restart(f);
    assert_true(is_held(f, &blob.hash));
    for (int i = 0; i < 2; i++) { /* a start releases more than a block */
        await_release(f, &blob.hash);
        assert_int_equal(
            store_promise_hold(f->holdings.store, &promise, &blob, 1), POT_OK);
    }
}

static enum pot_err hold(struct chain_fixture *f, struct shared_block *block)
{
    struct held_blobs held = {0};
    struct executed *executed = executed_new(f->holdings.store);
    executed->block = shared_block_ref(block);
    enum pot_err err = held_blobs_hold(&held, &f->holdings, executed);
    assert_int_equal(held.count, err == POT_OK ? 2 : 0);
    held_blobs_fini(&held);
    executed_free(executed);
    return err;
}

static void what_memory_let_go_is_not_promised(void **state)
{
    static const char blob[100] = "a gradient";
    struct chain_fixture *f = *state;
    struct shared_block *block = chain_fixture_lacking(f);
    struct blob_pool *pool = f->holdings.pool;
    assert_int_equal(hold(f, block), POT_ENOENT);
    assert_false(is_held(f, &f->lacking));
    assert_true(blob_pool_put(pool, &f->lacking, blob, sizeof(blob)));
    assert_int_equal(hold(f, block), POT_OK);
    assert_true(is_held(f, &f->lacking));
    blob_pool_claim(pool, &f->lacking);
    blob_pool_release(pool, &f->lacking); /* the store has it */
    assert_false(blob_pool_has(pool, &f->lacking, NULL));
    assert_int_equal(hold(f, block), POT_OK);
    shared_block_unref(block);
}

/* Memory does not grow with the chain. */
static void what_no_block_uses_any_more_leaves_memory(void **state)
{
    struct chain_fixture *f = *state;
    struct blob_pool *recent = f->holdings.recent;
    for (uint8_t height = 1; height <= 30; height++) {
        const struct hash hash = {{height}};
        assert_true(blob_pool_put(recent, &hash, "parameters", 10));
        assert_int_equal(chain_fixture_apply(f, chain_fixture_propose(f, NULL)),
                         POT_OK);
        assert_true(
            blob_pool_has(recent, &hash, NULL)); /* the next one reads it */
    }
    assert_in_range(blob_pool_bytes(recent), 10, 100);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_chain, close_chain)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_proposed_can_be_applied),
        CASE(a_publication_is_judged_by_its_data),
        CASE(another_node_finds_it_valid_and_applies_it),
        CASE(a_restart_finds_the_same_tip),
        CASE(a_block_of_another_height_is_told_so),
        CASE(what_waits_is_cancelled_when_it_stops),
        CASE(an_invalid_block_is_refused_by_name_of_its_fault),
        CASE(b11_a_certified_block_with_another_state_is_not_applied),
        CASE(the_refused_transaction_is_told),
        CASE(a_proposal_says_what_the_ledger_did_not_take),
        CASE(a_store_that_lacks_something_makes_no_block_wrong),
        CASE(a_block_that_is_too_large_for_anyone_is_not_made),
        CASE(what_was_held_before_a_restart_goes_with_a_block),
        CASE(what_others_held_goes_when_they_say_so),
        CASE(what_was_promised_for_a_round_goes_behind_it),
        CASE(what_memory_let_go_is_not_promised),
        CASE(what_no_block_uses_any_more_leaves_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
