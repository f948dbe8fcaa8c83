/* The state in parts: what a store gives fits its root, and nothing else
 * does. */
#include "config.h"

#include "proto/state_chunk.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "proto/dataset.h"
#include "proto/named.h"
#include "storage/overlay.h"
#include "storage/store_snapshot.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 3000

struct fixture {
    char *folder;
    struct store *store;
    struct hash digests[STATE_CHUNKS];
    struct hash root;
    struct buf chunk;
};

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    uint64_t height;
    f->folder = scratch_folder();
    f->store = fixture_open(f->folder);
    struct overlay *overlay = overlay_new(f->store);
    for (unsigned i = 0; i < KEYS; i++) {
        overlay_put(overlay, &i, sizeof(i), &i, i % (sizeof(i) + 1));
    }
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    buf_init(&f->chunk, STATE_CHUNK_MAX);
    assert_int_equal(store_state_index(f->store, f->digests, &f->root, &height),
                     POT_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    scratch_remove(f->folder);
    buf_fini(&f->chunk);
    free(f);
    return 0;
}

/* Reads a chunk that has something in it; returns which. */
static unsigned read_some(struct fixture *f)
{
    unsigned i = 0;
    while (hash_is_zero(&f->digests[i])) {
        i++;
    }
    assert_int_equal(store_state_chunk(f->store, i, &f->chunk), POT_OK);
    return i;
}

static void the_chunks_are_the_state(void **state)
{
    struct fixture *f = *state;
    struct state_record record;
    unsigned seen = 0;
    assert_true(state_index_is(&f->root, f->digests, sizeof(f->digests)));
    for (unsigned i = 0; i < STATE_CHUNKS; i++) {
        size_t offset = 0;
        assert_int_equal(store_state_chunk(f->store, i, &f->chunk), POT_OK);
        assert_true((f->chunk.size == 0) == hash_is_zero(&f->digests[i]));
        while (
            state_chunk_next(&record, f->chunk.data, f->chunk.size, &offset)) {
            unsigned key;
            assert_int_equal(record.key_size, sizeof(key));
            memcpy(&key, record.key, sizeof(key));
            assert_int_equal(record.value_size, key % (sizeof(key) + 1));
            assert_memory_equal(record.value, &key, record.value_size);
            assert_int_equal(
                state_chunk_of(state_bucket(record.key, record.key_size)), i);
            seen++;
        }
        assert_int_equal(offset, f->chunk.size);
        if (f->chunk.size > 0) {
            assert_true(
                state_chunk_is(&f->digests[i], f->chunk.data, f->chunk.size));
        }
    }
    assert_int_equal(seen, KEYS);
}

static void a_flipped_bit_anywhere_is_refused(void **state)
{
    struct fixture *f = *state;
    unsigned i = read_some(f);
    uint8_t *index = (uint8_t *)f->digests;
    for (size_t bit = 0; bit < 8 * f->chunk.size; bit++) {
        f->chunk.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(
            state_chunk_is(&f->digests[i], f->chunk.data, f->chunk.size));
        f->chunk.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(state_chunk_is(&f->digests[i], f->chunk.data, f->chunk.size));
    for (size_t at = 0; at < STATE_INDEX_BYTES; at++) {
        index[at] ^= 1;
        assert_false(state_index_is(&f->root, index, STATE_INDEX_BYTES));
        index[at] ^= 1;
    }
}

static void a_cut_or_longer_one_is_refused(void **state)
{
    struct fixture *f = *state;
    unsigned i = read_some(f);
    for (size_t size = 0; size < f->chunk.size; size++) {
        assert_false(state_chunk_is(&f->digests[i], f->chunk.data, size));
    }
    buf_append(&f->chunk, "", 1);
    assert_false(state_chunk_is(&f->digests[i], f->chunk.data, f->chunk.size));
    assert_false(state_index_is(&f->root, f->digests, STATE_INDEX_BYTES - 1));
}

/* Whether two keys, in this order, make a chunk. */
static bool is_chunk_of(unsigned a, unsigned b)
{
    struct buf chunk;
    buf_init(&chunk, 1024);
    state_chunk_add(&chunk, &a, sizeof(a), "", 0);
    state_chunk_add(&chunk, &b, sizeof(b), "", 0);
    bool is_chunk =
        state_chunk_buckets(NULL, chunk.data, chunk.size, NULL, NULL);
    buf_fini(&chunk);
    return is_chunk;
}

static int order(unsigned a, unsigned b)
{
    int left = state_bucket(&a, sizeof(a));
    int right = state_bucket(&b, sizeof(b));
    return left != right ? left - right : memcmp(&a, &b, sizeof(a));
}

static void records_have_one_order(void **state)
{
    unsigned together = 0;
    (void)state;
    for (unsigned a = 0; a < 300; a++) {
        for (unsigned b = 0; b < 300; b++) {
            bool is_one = state_chunk_of(state_bucket(&a, sizeof(a))) ==
                          state_chunk_of(state_bucket(&b, sizeof(b)));
            assert_true(is_chunk_of(a, b) == (is_one && order(a, b) < 0));
            together += is_one;
        }
    }
    assert_true(together > 300); /* not only with themselves */
}

/* What is longer than any of its kind is not even hashed. */
static void nothing_is_named_that_is_too_long_for_its_kind(void **state)
{
    (void)state;
    struct hash hash;
    uint8_t *data = pot_calloc(DATASET_CHUNK_BYTES + 1, 1);
    dataset_chunk_hash(&hash, data, DATASET_CHUNK_BYTES);
    assert_true(named_is(&hash, data, DATASET_CHUNK_BYTES));
    dataset_chunk_hash(&hash, data, DATASET_CHUNK_BYTES + 1);
    assert_false(named_is(&hash, data, DATASET_CHUNK_BYTES + 1));
    free(data);
}

static void an_index_is_walked_past_what_is_empty(void **state)
{
    struct hash digests[STATE_CHUNKS] = {{{0}}};
    unsigned at = 0;
    (void)state;
    assert_null(state_index_next(digests, &at));
    digests[3].b[0] = 1;
    digests[STATE_CHUNKS - 1].b[0] = 1;
    at = 0;
    assert_ptr_equal(state_index_next(digests, &at), &digests[3]);
    assert_ptr_equal(state_index_next(digests, &at),
                     &digests[STATE_CHUNKS - 1]);
    assert_null(state_index_next(digests, &at));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_chunks_are_the_state),
        TEST(a_flipped_bit_anywhere_is_refused),
        TEST(a_cut_or_longer_one_is_refused),
        TEST(records_have_one_order),
        TEST(nothing_is_named_that_is_too_long_for_its_kind),
        TEST(an_index_is_walked_past_what_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
