/* Block sync's blocks over a real chain, beside consensus, which applies the
 * same heights.
 *
 * Off the loop there is one thread here: what is begun first ends first. */
#include "config.h"

#include "base/alloc.h"
#include "node/block/catch_up.h"
#include "node/block/delivery.h"
#include "node/block/needs.h"
#include "node/block/validator_sets.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/validator_set.h"
#include "storage/store.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEIGHT_MAX 3

static struct {
    struct chain_fixture chain;
    struct chain_fixture ahead; /* the same chain, blocks before this one */
    struct needs *needs;
    struct delivery delivery;
    struct catch_up *catch_up;
    struct hash others; /* key of a set that signs nothing here: the client */
    unsigned done[HEIGHT_MAX + 1];
    enum pot_err err[HEIGHT_MAX + 1];
} f;

static void on_done(void *context, uint64_t height, enum pot_err err)
{
    (void)context;
    assert_true(height <= HEIGHT_MAX);
    f.done[height]++;
    f.err[height] = err;
}

/* As an epoch long ago left it. */
static void keep_others(void)
{
    size_t size;
    struct validator_set set = {.keys = {*key_public(f.chain.client)},
                                .count = 1};
    validator_set_hash(&f.others, &set);
    uint8_t *data = validator_set_encode(&size, &set);
    assert_int_equal(
        store_blob_put(f.chain.holdings.store, &f.others, data, size), POT_OK);
    free(data);
}

static int open_catch_up(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    chain_fixture_open(&f.chain);
    chain_fixture_open(&f.ahead);
    const struct needs_config needs = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
    };
    f.needs = needs_new(&needs);
    f.delivery = (struct delivery){f.chain.chain, f.needs};
    const struct catch_up_config config = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
        .delivery = &f.delivery,
        .done = on_done,
    };
    f.catch_up = catch_up_new(&config);
    keep_others();
    (void)alarm(60);
    return 0;
}

static int close_catch_up(void **state)
{
    (void)state;
    needs_stop(f.needs);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    catch_up_free(f.catch_up);
    needs_free(f.needs);
    chain_fixture_close(&f.ahead);
    chain_fixture_close(&f.chain);
    return 0;
}

/* The block ahead's chain goes on with. */
static struct shared_block *next_block(void)
{
    struct shared_block *block =
        shared_block_ref(chain_fixture_propose(&f.ahead, NULL));
    assert_int_equal(chain_fixture_apply(&f.ahead, block), POT_OK);
    return block;
}

/* The same, but for who signs the one behind it. */
static struct shared_block *naming(const struct shared_block *block,
                                   const struct hash *set)
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
    memcpy(header->validators_hash.data, set->b, HASH_SIZE);
    block_seal(&hash, body, header);
    uint8_t *data = codec_encode(&size, body);
    assert_int_equal(shared_block_take(&made, data, size), POT_OK);
    codec_free(header);
    codec_free(body);
    return made;
}

static struct certified *certify(struct shared_block *block, struct key *by)
{
    struct key *validator = f.chain.validator;
    f.chain.validator = by;
    struct certified *certified = chain_fixture_certify(&f.chain, block);
    f.chain.validator = validator;
    return certified;
}

static void take(struct shared_block *block, struct key *by)
{
    struct certified *c = certify(block, by);
    catch_up_take(f.catch_up, block->block->header->height, block->data,
                  block->size, c->certificate_data, c->certificate_size);
    certified_free(c);
}

static void on_consensus(void *context, enum pot_err err, const char *why)
{
    (void)why;
    certified_free(context);
    assert_int_equal(err, POT_OK);
    catch_up_applied(f.catch_up);
}

/* Consensus decides it while catch_up is at work. */
static void decide(struct shared_block *block)
{
    struct certified *c = certify(block, f.chain.validator);
    chain_apply(f.chain.chain, c, on_consensus, c);
}

static void run(void)
{
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
}

static void blocks_are_applied_in_order(void **state)
{
    (void)state;
    for (uint64_t height = 1; height <= HEIGHT_MAX; height++) {
        struct shared_block *block = next_block();
        take(block, f.chain.validator);
        shared_block_unref(block);
    }
    run();
    for (uint64_t height = 1; height <= HEIGHT_MAX; height++) {
        assert_int_equal(f.done[height], 1);
        assert_int_equal(f.err[height], POT_OK);
    }
    assert_int_equal(chain_tip(f.chain.chain)->height, HEIGHT_MAX);
}

static void who_did_not_sign_it_makes_a_block_wrong(void **state)
{
    (void)state;
    struct shared_block *block = next_block();
    take(block, f.chain.client);
    run();
    assert_int_equal(f.done[1], 1);
    assert_int_equal(f.err[1], POT_EFORMAT);
    assert_int_equal(chain_tip(f.chain.chain)->height, 0);
    shared_block_unref(block);
}

/* The header before a block says who signs it, and was itself not verified:
 * when another block of that height stands, what it said counts for nothing.
 * One case takes the second block by the set that the forgery names, one by
 * the right one. */
static void race(struct key *signer)
{
    struct shared_block *first = next_block();
    struct shared_block *second = next_block();
    struct shared_block *forgery = naming(first, &f.others);
    take(forgery, f.chain.client);
    take(second, signer);
    decide(first);
    run();
    assert_int_equal(f.done[1], 1);
    assert_int_equal(f.err[1], POT_OK); /* came another way */
    assert_int_equal(f.done[2], 1);
    shared_block_unref(forgery);
    shared_block_unref(second);
    shared_block_unref(first);
}

static void what_a_forged_parent_names_certifies_nothing(void **state)
{
    (void)state;
    race(f.chain.client);
    assert_int_equal(f.err[2], POT_EFORMAT);
    assert_int_equal(chain_tip(f.chain.chain)->height, 1);
}

static void what_a_forged_parent_names_makes_no_block_wrong(void **state)
{
    (void)state;
    race(f.chain.validator);
    assert_int_equal(f.err[2], POT_OK);
    assert_int_equal(chain_tip(f.chain.chain)->height, 2);
}

/* A chunk of a data set lies among the blobs, too, by the hash of its bytes. */
static void only_a_set_is_read_as_one(void **state)
{
    (void)state;
    size_t size;
    struct hash key;
    struct validator_set set = {.keys = {*key_public(f.chain.client)},
                                .count = 1};
    struct validator_set read;
    const struct holdings *holdings = &f.chain.holdings;
    uint8_t *data = validator_set_encode(&size, &set);
    blob_hash(&key, data, size);
    assert_int_equal(store_blob_put(holdings->store, &key, data, size), POT_OK);
    free(data);
    assert_int_equal(validator_sets_read(holdings, &key, &read), POT_ECORRUPT);
    assert_int_equal(validator_sets_read(holdings, &f.others, &read), POT_OK);
    assert_int_equal(
        validator_sets_read(holdings, &holdings->genesis_hash, &read), POT_OK);
}

#define CASE(f)                                                                \
    cmocka_unit_test_setup_teardown(f, open_catch_up, close_catch_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(blocks_are_applied_in_order),
        CASE(who_did_not_sign_it_makes_a_block_wrong),
        CASE(what_a_forged_parent_names_certifies_nothing),
        CASE(what_a_forged_parent_names_makes_no_block_wrong),
        CASE(only_a_set_is_read_as_one),
    };
    if (setenv("UV_THREADPOOL_SIZE", "1", 1) != 0) {
        return EXIT_FAILURE;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
