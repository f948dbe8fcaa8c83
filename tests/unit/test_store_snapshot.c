/* Snapshots that are kept, and a store that begins with one. */
#include "config.h"

#include "storage/store_install.h"
#include "storage/store_prune.h"
#include "storage/store_snapshot.h"

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

#define BLOCKS 6
#define KEYS   500

static const struct hash theta = {{9}};     /* a blob of the state */
static const struct hash old_theta = {{8}}; /* of the first block's alone */

struct fixture {
    char *folder;
    char *other_folder;
    struct store *store;
    struct store *other; /* at the genesis */
    struct buf buf;
    uint64_t seed;
};

static void commit(struct fixture *f)
{
    struct overlay *overlay = overlay_new(f->store);
    for (unsigned i = 0; i < 40; i++) {
        unsigned key = (unsigned)(rng_next(&f->seed) % KEYS);
        uint64_t value = rng_next(&f->seed);
        if (value % 4 == 0) {
            overlay_del(overlay, &key, sizeof(key));
        } else {
            overlay_put(overlay, &key, sizeof(key), &value, sizeof(value));
        }
    }
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
}

static void commit_genesis(struct store *store)
{
    struct overlay *overlay = overlay_new(store);
    overlay_put(overlay, "genesis", 7, "only there", 10);
    assert_int_equal(fixture_commit(store, overlay, NULL), POT_OK);
    overlay_free(overlay);
}

static void commit_first(struct store *store)
{
    struct overlay *overlay = overlay_new(store);
    overlay_del(overlay, "genesis", 7);
    overlay_put(overlay, "old", 3, "for a block", 11);
    overlay_blob_put(overlay, &theta, "theta", 5);
    overlay_blob_put(overlay, &old_theta, "old", 3);
    assert_int_equal(fixture_commit(store, overlay, NULL), POT_OK);
    overlay_free(overlay);
}

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->other_folder = scratch_folder();
    f->store = fixture_open(f->folder);
    f->other = fixture_open(f->other_folder);
    buf_init(&f->buf, STATE_CHUNK_MAX);
    commit_genesis(f->store);
    commit_genesis(f->other);
    commit_first(f->store);
    struct overlay *overlay = overlay_new(f->store);
    overlay_del(overlay, "old", 3);
    overlay_blob_del(overlay, &old_theta);
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    for (unsigned i = 2; i < BLOCKS; i++) {
        commit(f);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    store_close(f->other);
    scratch_remove(f->folder);
    scratch_remove(f->other_folder);
    buf_fini(&f->buf);
    free(f);
    return 0;
}

static void expect_right(struct store *store)
{
    struct store_report report;
    enum pot_err err = store_verify(store, &report, NULL, NULL);
    if (err != POT_OK) {
        print_error("%s %s: %s\n", report.problems[0].table,
                    report.problems[0].key, report.problems[0].what);
    }
    assert_int_equal(err, POT_OK);
}

static void hold(struct store *store, const struct hash *hash, const void *data,
                 size_t size)
{
    const struct store_blob blob = {*hash, data, size};
    assert_int_equal(store_blobs_hold(store, &blob, 1), POT_OK);
}

/* Makes a snapshot of the tip, as its state is now, with the first `blobs` of
 * its blobs. */
static void make_of(struct fixture *f, struct store_snapshot *snapshot,
                    struct hash digests[static STATE_CHUNKS], size_t blobs,
                    size_t most)
{
    const struct store_snapshot_parts parts = {digests, &theta, blobs};
    assert_int_equal(store_state_index(f->store, digests, &snapshot->root,
                                       &snapshot->height),
                     POT_OK);
    for (unsigned i = 0; i < STATE_CHUNKS; i++) {
        if (!hash_is_zero(&digests[i])) {
            assert_int_equal(store_state_chunk(f->store, i, &f->buf), POT_OK);
            hold(f->store, &digests[i], f->buf.data, f->buf.size);
        }
    }
    assert_int_equal(store_snapshot_keep(f->store, snapshot, &parts, most),
                     POT_OK);
}

static void make(struct fixture *f, struct store_snapshot *snapshot,
                 struct hash digests[static STATE_CHUNKS], size_t most)
{
    make_of(f, snapshot, digests, 1, most);
}

static void snapshots_share_what_did_not_change(void **state)
{
    struct fixture *f = *state;
    struct store_snapshots kept;
    struct store_snapshot first;
    struct store_snapshot next;
    struct hash before[STATE_CHUNKS];
    struct hash digests[STATE_CHUNKS];
    unsigned gone = 0;
    unsigned shared = 0;
    make(f, &first, before, 2);
    commit(f);
    make(f, &next, digests, 1);
    assert_int_equal(store_get_snapshots(f->store, &kept), POT_OK);
    assert_int_equal(kept.count, 1);
    assert_int_equal(kept.list[0].height, BLOCKS + 1);
    assert_true(hash_equal(&kept.list[0].root, &next.root));
    assert_false(store_blob_has(f->store, &first.root, NULL));
    for (unsigned i = 0; i < STATE_CHUNKS; i++) {
        bool is_same = hash_equal(&before[i], &digests[i]);
        if (hash_is_zero(&before[i])) {
            continue;
        }
        assert_true(store_blob_has(f->store, &before[i], NULL) == is_same);
        gone += !is_same;
        shared += is_same;
    }
    assert_true(gone > 0 && shared > 0);
    expect_right(f->store);
}

/* The state that it is of let go of them. */
static void a_snapshots_blobs_stay_with_it(void **state)
{
    struct fixture *f = *state;
    struct store_snapshot snapshot;
    struct hash digests[STATE_CHUNKS];
    make(f, &snapshot, digests, 1);
    struct overlay *overlay = overlay_new(f->store);
    overlay_put(overlay, "theta", 5, "gone", 4);
    overlay_blob_del(overlay, &theta);
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_true(store_blob_has(f->store, &theta, NULL));
    expect_right(f->store);
    make_of(f, &snapshot, digests, 0, 1); /* takes its place */
    assert_false(store_blob_has(f->store, &theta, NULL));
    expect_right(f->store);
}

static void a_snapshot_without_a_chunk_is_none(void **state)
{
    struct fixture *f = *state;
    struct store_snapshots kept;
    struct store_snapshot snapshot;
    struct hash digests[STATE_CHUNKS];
    assert_int_equal(
        store_state_index(f->store, digests, &snapshot.root, &snapshot.height),
        POT_OK);
    const struct store_snapshot_parts parts = {digests, &theta, 1};
    assert_int_equal(store_snapshot_keep(f->store, &snapshot, &parts, 2),
                     POT_ENOENT);
    assert_int_equal(store_get_snapshots(f->store, &kept), POT_OK);
    assert_int_equal(kept.count, 0);
    assert_false(store_blob_has(f->store, &snapshot.root, NULL));
}

/* The header and certificate of a height, from one store to the other. */
static enum pot_err copy_header(struct fixture *f, uint64_t height)
{
    struct buf certificate;
    struct block *block;
    struct store_header header = {.height = height};
    buf_init(&certificate, BLOCK_BYTES_MAX);
    assert_int_equal(store_get_block(f->store, height, &f->buf), POT_OK);
    assert_int_equal(store_get_certificate(f->store, height, &certificate),
                     POT_OK);
    assert_int_equal(block_decode(&block, f->buf.data, f->buf.size), POT_OK);
    header.hash = block->hash;
    header.header = block->body->header.data;
    header.header_size = block->body->header.len;
    header.certificate = certificate.data;
    header.certificate_size = certificate.size;
    enum pot_err err = store_put_headers(f->other, &header, 1);
    block_free(block);
    buf_fini(&certificate);
    return err;
}

static void copy_headers(struct fixture *f, uint64_t to)
{
    for (uint64_t h = 1; h <= to; h++) {
        assert_int_equal(copy_header(f, h), POT_OK);
        assert_int_equal(store_last_header(f->other), h);
    }
}

static void copy_blob(struct fixture *f, const struct hash *hash)
{
    assert_int_equal(store_blob_get(f->store, hash, &f->buf), POT_OK);
    hold(f->other, hash, f->buf.data, f->buf.size);
}

/* All that an install needs is in the other store then. */
static void bring(struct fixture *f, struct store_install *install,
                  struct hash digests[static STATE_CHUNKS])
{
    *install = (struct store_install){
        .digests = digests, .blobs = &theta, .blob_count = 1};
    make(f, &install->snapshot, digests, 2);
    assert_true(store_tip(f->store, NULL, &install->hash, NULL));
    copy_headers(f, install->snapshot.height);
    copy_blob(f, &theta);
    for (unsigned i = 0; i < STATE_CHUNKS; i++) {
        if (!hash_is_zero(&digests[i])) {
            copy_blob(f, &digests[i]);
        }
    }
}

static void a_store_begins_with_a_snapshot(void **state)
{
    struct fixture *f = *state;
    struct store_install install;
    struct hash digests[STATE_CHUNKS];
    struct hash root;
    uint64_t height;
    bring(f, &install, digests);
    expect_right(f->other); /* headers and chunks, at the genesis yet */
    assert_int_equal(store_install(f->other, &install), POT_OK);
    assert_int_equal(store_blobs_release_all(f->other), POT_OK);
    expect_right(f->other);
    assert_true(store_tip(f->other, &height, NULL, &root));
    assert_int_equal(height, BLOCKS);
    assert_true(hash_equal(&root, &install.snapshot.root));
    assert_int_equal(store_lowest_block(f->other), BLOCKS + 1);
    assert_true(store_blob_has(f->other, &theta, NULL));
    assert_int_equal(store_state_get(f->other, "genesis", 7, &f->buf),
                     POT_ENOENT);
    for (unsigned key = 0; key < KEYS; key++) {
        struct buf value;
        buf_init(&value, 64);
        enum pot_err err =
            store_state_get(f->store, &key, sizeof(key), &f->buf);
        assert_int_equal(store_state_get(f->other, &key, sizeof(key), &value),
                         err);
        assert_int_equal(value.size, f->buf.size);
        assert_memory_equal(value.data, f->buf.data, value.size);
        buf_fini(&value);
    }
    assert_int_equal(store_install(f->other, &install), POT_EBUSY);
}

/* The other store gets the first block, and a snapshot of its state. */
static void age_other(struct fixture *f)
{
    struct store_snapshot snapshot;
    struct hash digests[STATE_CHUNKS];
    struct fixture other = *f;
    commit_first(f->other);
    other.store = f->other;
    make(&other, &snapshot, digests, 2);
    f->buf = other.buf;
}

static void prune_other(struct fixture *f, uint64_t height)
{
    struct block *block;
    struct store_pruned pruned = {.lists = {.height = height}};
    assert_int_equal(store_get_block(f->other, height, &f->buf), POT_OK);
    assert_int_equal(block_decode(&block, f->buf.data, f->buf.size), POT_OK);
    pruned.header = block->body->header.data;
    pruned.header_size = block->body->header.len;
    assert_int_equal(store_prune(f->other, &pruned, 1), POT_OK);
    block_free(block);
}

static void a_snapshot_takes_the_place_of_an_older_state(void **state)
{
    struct fixture *f = *state;
    const struct hash old[] = {theta, old_theta};
    struct store_install install = {.blobs = &theta,
                                    .blob_count = 1,
                                    .old_blobs = old,
                                    .old_blob_count = 2};
    struct store_snapshots kept;
    struct hash digests[STATE_CHUNKS];
    struct hash root;
    uint64_t height;
    age_other(f);
    make(f, &install.snapshot, digests, 2);
    install.digests = digests;
    assert_true(store_tip(f->store, NULL, &install.hash, NULL));
    for (uint64_t h = 2; h <= BLOCKS; h++) {
        assert_int_equal(copy_header(f, h), POT_OK);
    }
    for (unsigned i = 0; i < STATE_CHUNKS; i++) {
        if (!hash_is_zero(&digests[i])) {
            copy_blob(f, &digests[i]);
        }
    }
    assert_int_equal(store_install(f->other, &install), POT_EBUSY);
    assert_int_equal(store_state_get(f->other, "old", 3, &f->buf), POT_OK);
    prune_other(f, 1);
    expect_right(f->other); /* a tip without a block */
    assert_int_equal(store_install(f->other, &install), POT_OK);
    assert_int_equal(store_blobs_release_all(f->other), POT_OK);
    expect_right(f->other);
    assert_true(store_tip(f->other, &height, NULL, &root));
    assert_int_equal(height, BLOCKS);
    assert_true(hash_equal(&root, &install.snapshot.root));
    assert_int_equal(store_state_get(f->other, "old", 3, &f->buf), POT_ENOENT);
    assert_true(store_blob_has(f->other, &theta, NULL));
    assert_false(store_blob_has(f->other, &old_theta, NULL));
    assert_int_equal(store_get_snapshots(f->other, &kept), POT_OK);
    assert_int_equal(kept.count, 1);
    assert_int_equal(kept.list[0].height, BLOCKS);
    assert_int_equal(fixture_commit_empty(f->other), POT_OK);
    assert_int_equal(store_lowest_block(f->other), BLOCKS + 1);
    expect_right(f->other);
}

static void blocks_follow_a_snapshot(void **state)
{
    struct fixture *f = *state;
    struct store_install install;
    struct hash digests[STATE_CHUNKS];
    struct store_snapshots kept;
    bring(f, &install, digests);
    assert_int_equal(store_install(f->other, &install), POT_OK);
    assert_int_equal(store_get_snapshots(f->other, &kept), POT_OK);
    assert_int_equal(kept.count, 1); /* it can be passed on */
    assert_int_equal(kept.list[0].height, BLOCKS);
    assert_int_equal(fixture_commit_empty(f->other), POT_OK);
    assert_int_equal(store_lowest_block(f->other), BLOCKS + 1);
    expect_right(f->other);
}

static void expect_genesis(struct fixture *f)
{
    uint64_t height;
    assert_true(store_tip(f->other, &height, NULL, NULL));
    assert_int_equal(height, 0);
    assert_int_equal(store_state_get(f->other, "genesis", 7, &f->buf), POT_OK);
    expect_right(f->other);
}

static void what_is_missing_or_wrong_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_install install;
    struct hash digests[STATE_CHUNKS];
    struct hash released;
    unsigned i = 0;
    bring(f, &install, digests);
    while (hash_is_zero(&digests[i])) {
        i++;
    }
    released = digests[i];
    assert_int_equal(store_blobs_release(f->other, &released, 1), POT_OK);
    assert_int_equal(store_install(f->other, &install), POT_ENOENT);
    expect_genesis(f);
    hold(f->other, &released, "\1k\0\0\0\0", 6);
    assert_int_equal(store_install(f->other, &install), POT_EFORMAT);
    expect_genesis(f);
    /* A whole chunk that is another one: its values are right, the state is
     * not. */
    assert_int_equal(store_blobs_release(f->other, &released, 1), POT_OK);
    copy_blob(f, &released);
    digests[i] = (struct hash){{0}};
    assert_int_equal(store_install(f->other, &install), POT_EFORMAT);
    expect_genesis(f);
    digests[i] = released;
    assert_int_equal(store_install(f->other, &install), POT_OK);
    expect_right(f->other);
}

static void a_header_makes_room_for_its_block(void **state)
{
    struct fixture *f = *state;
    copy_headers(f, 3);
    assert_int_equal(copy_header(f, 3), POT_EBUSY);
    assert_int_equal(copy_header(f, 5), POT_EBUSY);
    expect_right(f->other);
    assert_int_equal(store_get_header(f->other, 2, &f->buf), POT_OK);
    /* Another block 1 than the header's would be a fork: ours has the same
     * place only, which is what is looked at here. */
    assert_int_equal(fixture_commit_empty(f->other), POT_OK);
    assert_int_equal(store_get_header(f->other, 1, &f->buf), POT_ENOENT);
    assert_int_equal(store_get_header(f->other, 2, &f->buf), POT_OK);
    assert_int_equal(store_lowest_block(f->other), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(snapshots_share_what_did_not_change),
        TEST(a_snapshots_blobs_stay_with_it),
        TEST(a_snapshot_without_a_chunk_is_none),
        TEST(a_store_begins_with_a_snapshot),
        TEST(a_snapshot_takes_the_place_of_an_older_state),
        TEST(blocks_follow_a_snapshot),
        TEST(what_is_missing_or_wrong_changes_nothing),
        TEST(a_header_makes_room_for_its_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
