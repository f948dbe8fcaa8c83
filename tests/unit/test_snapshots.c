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
    struct hash index[STATE_CHUNKS]; /* of the last height that is due */
    struct hash root;
};

/* A block that changes some keys, as the chain commits one. */
static void commit(struct fixture *f, unsigned from, unsigned to)
{
    uint64_t height;
    struct overlay *overlay = overlay_new(f->store);
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
        TEST(they_are_found_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
