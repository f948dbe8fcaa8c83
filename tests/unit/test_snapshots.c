/* Snapshots are made while blocks go on: each is the state of its height. */
#include "config.h"

#include "node/hold/snapshots.h"

#include "base/alloc.h"
#include "storage/overlay.h"
#include "storage/store.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INTERVAL 4
/* More than is taken behind one block. */
#define KEYS       80
#define VALUE_SIZE ((size_t)256 << 10)

struct fixture {
    char *folder;
    struct store *store;
    struct snapshots *snapshots;
    uint8_t *value;
    uint64_t seed;
    uint8_t blob;                    /* that the next block names */
    uint8_t named;                   /* by the state; 0: none */
    struct hash index[STATE_CHUNKS]; /* of the last height that is due */
    struct hash root;
};

/* As the ledger names one (ledger/keys.h). */
static void name_blob(struct overlay *overlay, const struct hash *hash,
                      bool is_there)
{
    uint8_t key[5 + HASH_SIZE] = "blob/";
    memcpy(key + 5, hash->b, HASH_SIZE);
    if (is_there) {
        overlay_blob_put(overlay, hash, "theta", 5);
        overlay_put(overlay, key, sizeof(key), "1", 1);
    } else {
        overlay_blob_del(overlay, hash);
        overlay_del(overlay, key, sizeof(key));
    }
}

/* A block that changes some keys, as the chain commits one; the state refers to
 * no blob but the one of this number. */
static void commit(struct fixture *f, unsigned from, unsigned to)
{
    uint64_t height;
    struct overlay *overlay = overlay_new(f->store);
    if (f->blob != f->named) {
        const struct hash fresh = {{f->blob}};
        const struct hash old = {{f->named}};
        name_blob(overlay, &fresh, true);
        if (f->named != 0) {
            name_blob(overlay, &old, false);
        }
        f->named = f->blob;
    }
    for (unsigned key = from; key < to; key++) {
        uint64_t fresh = rng_next(&f->seed);
        memcpy(f->value, &fresh, sizeof(fresh));
        overlay_put(overlay, &key, sizeof(key), f->value, VALUE_SIZE);
    }
    snapshots_before(f->snapshots, overlay);
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_true(store_tip(f->store, &height, NULL, NULL));
    if (height % INTERVAL == 0) {
        assert_int_equal(
            store_state_index(f->store, f->index, &f->root, &height), POT_OK);
    }
    snapshots_after(f->snapshots);
}

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->store = fixture_open(f->folder);
    f->value = pot_calloc(1, VALUE_SIZE);
    f->snapshots = snapshots_new(f->store, INTERVAL, 2);
    commit(f, 0, KEYS); /* the genesis */
    for (unsigned i = 1; i < INTERVAL; i++) {
        commit(f, 0, 1);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    snapshots_free(f->snapshots);
    store_close(f->store);
    scratch_remove(f->folder);
    free(f->value);
    free(f);
    return 0;
}

static void expect_whole(struct fixture *f)
{
    struct buf chunk;
    buf_init(&chunk, STATE_CHUNK_MAX);
    assert_int_equal(store_blob_get(f->store, &f->root, &chunk), POT_OK);
    assert_true(state_index_is(&f->root, chunk.data, chunk.size));
    for (unsigned i = 0; i < STATE_CHUNKS; i++) {
        if (!hash_is_zero(&f->index[i])) {
            assert_int_equal(store_blob_get(f->store, &f->index[i], &chunk),
                             POT_OK);
            assert_true(state_chunk_is(&f->index[i], chunk.data, chunk.size));
        }
    }
    buf_fini(&chunk);
}

static void it_is_the_state_of_its_height_whatever_comes_later(void **state)
{
    struct fixture *f = *state;
    commit(f, 0, 1); /* height 4: it begins */
    assert_int_equal(snapshots_newest(f->snapshots), 0);
    commit(f, KEYS / 4, KEYS); /* most of what it lacks changes */
    commit(f, 0, 1);
    commit(f, 0, 1);
    assert_int_equal(snapshots_newest(f->snapshots), INTERVAL);
    expect_whole(f);
}

static void the_latest_are_kept(void **state)
{
    struct fixture *f = *state;
    struct snapshots_stats stats;
    for (unsigned i = 0; i < 3 * INTERVAL + 2; i++) {
        commit(f, i % KEYS, i % KEYS + 1);
    }
    expect_whole(f);
    snapshots_stats(f->snapshots, &stats);
    assert_int_equal(stats.kept, 2);
    assert_int_equal(stats.made, 4);
    assert_int_equal(stats.given_up, 0);
    assert_int_equal(snapshots_newest(f->snapshots), 4 * INTERVAL);
    assert_int_equal(snapshots_oldest(f->snapshots), 3 * INTERVAL);
    /* What does not change is not written again. */
    assert_true(stats.chunk_bytes < 2 * KEYS * VALUE_SIZE);
}

static bool has_blob(const struct fixture *f, uint8_t blob)
{
    const struct hash hash = {{blob}};
    return store_blob_has(f->store, &hash, NULL);
}

/* Whoever takes it needs them, and the chain has let go of them: behind the
 * first block while the snapshot is made. */
static void the_blobs_of_its_height_stay_with_it(void **state)
{
    struct fixture *f = *state;
    struct snapshots_stats stats;
    for (unsigned i = 0; i < 4 * INTERVAL; i++) {
        f->blob++;
        commit(f, i % KEYS, i % KEYS + 1);
    }
    snapshots_stats(f->snapshots, &stats);
    assert_int_equal(stats.given_up, 0);
    assert_int_equal(snapshots_newest(f->snapshots), 4 * INTERVAL);
    for (uint8_t blob = 1; blob <= f->named; blob++) {
        uint64_t height = INTERVAL - 1 + blob;
        bool is_kept = height == 3 * INTERVAL || height == 4 * INTERVAL;
        assert_true(has_blob(f, blob) == (is_kept || blob == f->named));
    }
}

/* What is held for one that nobody finishes is nobody's. */
static void the_blobs_of_one_given_up_go(void **state)
{
    struct fixture *f = *state;
    f->blob = 1;
    commit(f, 0, 1); /* height 4: it begins */
    f->blob = 2;
    commit(f, 0, 1); /* the chain lets go of 1 */
    assert_int_equal(snapshots_newest(f->snapshots), 0);
    assert_true(has_blob(f, 1));
    snapshots_free(f->snapshots); /* a crash */
    f->snapshots = snapshots_new(f->store, INTERVAL, 2);
    assert_int_equal(store_blobs_release_all(f->store), POT_OK);
    assert_int_equal(snapshots_newest(f->snapshots), 0);
    assert_false(has_blob(f, 1));
    assert_true(has_blob(f, 2));
}

static void they_are_found_after_a_restart(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < INTERVAL; i++) {
        commit(f, 0, 1);
    }
    snapshots_free(f->snapshots);
    f->snapshots = snapshots_new(f->store, INTERVAL, 2);
    assert_int_equal(snapshots_newest(f->snapshots), INTERVAL);
    expect_whole(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_is_the_state_of_its_height_whatever_comes_later),
        TEST(the_latest_are_kept),
        TEST(the_blobs_of_its_height_stay_with_it),
        TEST(the_blobs_of_one_given_up_go),
        TEST(they_are_found_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
