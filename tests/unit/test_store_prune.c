/* Older blocks leave, their headers and certificates stay. */
#include "config.h"

#include "storage/store_prune.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "proto/block.h"
#include "storage/overlay.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCKS    12
#define BLOB_SIZE 50000

static const struct hash task = {{7}};
static const struct public_key miner = {{8}};

struct fixture {
    char *folder;
    struct store *store;
    struct buf buf;
};

static struct hash hash_of(const char *what, uint64_t height)
{
    struct hash hash;
    hash_bytes(&hash, what, &height, sizeof(height));
    return hash;
}

/* A block with a transaction, a reward, a round and a blob of its own, and a
 * key of the state that all of them change. */
static void commit(struct store *store, uint64_t height)
{
    static uint8_t data[BLOB_SIZE];
    const struct hash tx = hash_of("tx", height);
    const struct hash blob = hash_of("blob", height);
    const struct store_reward reward = {
        .task = task, .to = miner, .amount = height};
    const struct store_round round = {.task = task, .round = (uint32_t)height};
    const struct fixture_extra extra = {&tx, 1, &reward, 1, &round, 1};
    struct overlay *overlay = overlay_new(store);
    overlay_put(overlay, "height", 6, &height, sizeof(height));
    overlay_blob_put(overlay, &blob, data, sizeof(data));
    assert_int_equal(fixture_commit(store, overlay, &extra), POT_OK);
    overlay_free(overlay);
}

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->store = fixture_open(f->folder);
    buf_init(&f->buf, BLOCK_BYTES_MAX);
    assert_int_equal(fixture_commit_empty(f->store), POT_OK);
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        commit(f->store, h);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    scratch_remove(f->folder);
    buf_fini(&f->buf);
    free(f);
    return 0;
}

/* Prunes one block, with all that commit wrote. */
static enum pot_err prune_one(struct fixture *f, uint64_t height)
{
    struct block *block;
    const struct hash tx = hash_of("tx", height);
    const struct hash blob = hash_of("blob", height);
    const struct store_reward reward = {.task = task, .to = miner};
    const struct store_round round = {.task = task, .round = (uint32_t)height};
    struct store_pruned pruned = {.blobs = &blob, .blob_count = 1};
    pruned.lists = (struct store_commit){.height = height,
                                         .txs = &tx,
                                         .tx_count = 1,
                                         .rewards = &reward,
                                         .reward_count = 1,
                                         .rounds = &round,
                                         .round_count = 1};
    enum pot_err err = store_get_block(f->store, height, &f->buf);
    if (err == POT_OK) {
        assert_int_equal(block_decode(&block, f->buf.data, f->buf.size),
                         POT_OK);
        pruned.header = block->body->header.data;
        pruned.header_size = block->body->header.len;
        err = store_prune(f->store, &pruned, 1);
        block_free(block);
    }
    return err;
}

static void expect_right(struct fixture *f)
{
    static struct store_report report;
    enum pot_err err = store_verify(f->store, &report, NULL, NULL);
    for (uint64_t i = 0; i < report.problem_count; i++) {
        printf("%s %s: %s\n", report.problems[i].table, report.problems[i].key,
               report.problems[i].what);
    }
    assert_int_equal(err, POT_OK);
}

static void headers_and_certificates_stay(void **state)
{
    struct fixture *f = *state;
    struct hash hash;
    uint64_t height;
    Pot__BlockHeader *header;
    assert_int_equal(store_lowest_block(f->store), 1);
    for (uint64_t h = 1; h <= 5; h++) {
        assert_int_equal(prune_one(f, h), POT_OK);
        assert_int_equal(store_lowest_block(f->store), h + 1);
        expect_right(f);
    }
    store_close(f->store);
    f->store = fixture_open(f->folder);
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        bool is_pruned = h <= 5;
        assert_int_equal(store_get_block(f->store, h, &f->buf),
                         is_pruned ? POT_ENOENT : POT_OK);
        assert_int_equal(store_get_certificate(f->store, h, &f->buf), POT_OK);
        assert_int_equal(store_get_header(f->store, h, &f->buf),
                         is_pruned ? POT_OK : POT_ENOENT);
        if (is_pruned) {
            assert_int_equal(
                block_header_decode(&header, &hash, f->buf.data, f->buf.size),
                POT_OK);
            assert_int_equal(header->height, h);
            pot__block_header__free_unpacked(header, NULL);
            assert_int_equal(store_get_block_height(f->store, &hash, &height),
                             POT_OK);
            assert_int_equal(height, h);
        }
    }
}

static void what_pointed_into_the_block_goes(void **state)
{
    struct fixture *f = *state;
    struct store_reward rewards[BLOCKS + 1];
    struct store_round rounds[BLOCKS + 1];
    size_t count;
    uint64_t height;
    uint32_t index;
    struct hash root;
    struct hash root_after;
    assert_true(store_tip(f->store, NULL, NULL, &root));
    for (uint64_t h = 1; h <= 5; h++) {
        assert_int_equal(prune_one(f, h), POT_OK);
    }
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        const struct hash tx = hash_of("tx", h);
        const struct hash blob = hash_of("blob", h);
        assert_int_equal(store_find_tx(f->store, &tx, &height, &index),
                         h <= 5 ? POT_ENOENT : POT_OK);
        assert_int_equal(store_blob_has(f->store, &blob, NULL), h > 5);
    }
    assert_int_equal(store_rewards_of_task(f->store, &task, NULL, rewards,
                                           BLOCKS + 1, &count),
                     POT_OK);
    assert_int_equal(count, BLOCKS - 5);
    assert_int_equal(store_rewards_of_address(f->store, &miner, NULL, rewards,
                                              BLOCKS + 1, &count),
                     POT_OK);
    assert_int_equal(count, BLOCKS - 5);
    assert_int_equal(
        store_rounds(f->store, &task, 0, rounds, BLOCKS + 1, &count), POT_OK);
    assert_int_equal(count, BLOCKS - 5);
    assert_true(store_tip(f->store, NULL, NULL, &root_after));
    assert_true(hash_equal(&root, &root_after));
}

/* A blob that the chain refers to from elsewhere, too, stays. */
static void a_blob_stays_while_somebody_else_refers_to_it(void **state)
{
    struct fixture *f = *state;
    const struct hash blob = hash_of("blob", 1);
    struct overlay *overlay = overlay_new(f->store);
    overlay_blob_put(overlay, &blob, "", 0);
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_int_equal(prune_one(f, 1), POT_OK);
    assert_true(store_blob_has(f->store, &blob, NULL));
    expect_right(f);
}

/* A block that was executed before the pruning and is committed behind it. */
static void executed_before_it_a_block_drops_its_own_reference(void **state)
{
    struct fixture *f = *state;
    const struct hash blob = hash_of("blob", 1);
    struct overlay *overlay = overlay_new(f->store);
    overlay_blob_put(overlay, &blob, "", 0);
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    overlay = overlay_new(f->store);
    overlay_blob_del(overlay, &blob); /* one of two, as it sees it */
    assert_int_equal(prune_one(f, 1), POT_OK);
    assert_true(store_blob_has(f->store, &blob, NULL));
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_false(store_blob_has(f->store, &blob, NULL));
    expect_right(f);
}

/* What both let go does not come back with nothing in it. */
static void executed_before_it_a_block_makes_no_empty_blob(void **state)
{
    struct fixture *f = *state;
    const struct hash blob = hash_of("blob", 1);
    struct overlay *overlay = overlay_new(f->store);
    overlay_put(overlay, "k", 1, "v", 1);
    overlay_blob_put(overlay, &blob, "", 0);
    overlay_blob_del(overlay, &blob); /* as many as before */
    assert_int_equal(prune_one(f, 1), POT_OK);
    assert_false(store_blob_has(f->store, &blob, NULL));
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_false(store_blob_has(f->store, &blob, NULL));
    expect_right(f);
}

static void a_hole_is_found(void **state)
{
    struct fixture *f = *state;
    static struct store_report report;
    assert_int_equal(prune_one(f, 1), POT_OK);
    assert_int_equal(prune_one(f, 3), POT_OK); /* 2 is not its turn */
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_ECORRUPT);
    assert_true(report.problem_count > 0);
}

static uint64_t file_bytes(struct store *store)
{
    struct store_stats stats;
    assert_int_equal(store_stats(store, &stats), POT_OK);
    return stats.file_bytes;
}

static void the_file_does_not_grow_by_what_is_pruned(void **state)
{
    struct fixture *f = *state;
    uint64_t height = BLOCKS;
    uint64_t lowest = 1;
    for (; height < 60; commit(f->store, ++height)) {
        assert_int_equal(prune_one(f, lowest++), POT_OK);
    }
    uint64_t before = file_bytes(f->store);
    for (; height < 200; commit(f->store, ++height)) {
        assert_int_equal(prune_one(f, lowest++), POT_OK);
    }
    /* What stays of 140 blocks, and not 140 blobs. */
    uint64_t grown = file_bytes(f->store) - before;
    assert_true(grown < (uint64_t)20 * BLOB_SIZE);
    expect_right(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(headers_and_certificates_stay),
        TEST(what_pointed_into_the_block_goes),
        TEST(a_blob_stays_while_somebody_else_refers_to_it),
        TEST(executed_before_it_a_block_drops_its_own_reference),
        TEST(executed_before_it_a_block_makes_no_empty_blob),
        TEST(a_hole_is_found),
        TEST(the_file_does_not_grow_by_what_is_pruned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
