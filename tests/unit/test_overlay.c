#include "config.h"

#include "storage/overlay.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/state_proof.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a naive model of the state: a list, and its root from scratch */

#define MODEL_MAX 4096

struct model_entry {
    uint8_t key[STATE_KEY_MAX];
    size_t key_size;
    uint8_t value[64];
    size_t value_size;
};

struct model {
    struct model_entry entries[MODEL_MAX];
    size_t count;
};

static struct model_entry *model_find(struct model *m, const void *key,
                                      size_t size)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->entries[i].key_size == size &&
            memcmp(m->entries[i].key, key, size) == 0) {
            return &m->entries[i];
        }
    }
    return NULL;
}

static void model_put(struct model *m, const void *key, size_t size,
                      const void *value, size_t value_size)
{
    struct model_entry *e = model_find(m, key, size);
    if (e == NULL) {
        POT_ASSERT(m->count < MODEL_MAX);
        e = &m->entries[m->count++];
        memcpy(e->key, key, size);
        e->key_size = size;
    }
    memcpy(e->value, value, value_size);
    e->value_size = value_size;
}

static void model_del(struct model *m, const void *key, size_t size)
{
    struct model_entry *e = model_find(m, key, size);
    if (e != NULL) {
        *e = m->entries[--m->count];
    }
}

static int by_key(const void *a, const void *b)
{
    const struct model_entry *x = *(const struct model_entry *const *)a;
    const struct model_entry *y = *(const struct model_entry *const *)b;
    size_t least = x->key_size < y->key_size ? x->key_size : y->key_size;
    int order = memcmp(x->key, y->key, least);
    return order != 0
               ? order
               : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

static void model_root(struct hash *root, const struct model *m)
{
    struct hash *level = pot_calloc(STATE_BUCKETS, sizeof(*level));
    struct hasher *hashers = pot_calloc(STATE_BUCKETS, sizeof(*hashers));
    bool *is_used = pot_calloc(STATE_BUCKETS, sizeof(*is_used));
    const struct model_entry **sorted = pot_calloc(MODEL_MAX, sizeof(*sorted));
    for (size_t i = 0; i < m->count; i++) {
        sorted[i] = &m->entries[i];
    }
    qsort(sorted, m->count, sizeof(*sorted), by_key);
    for (size_t i = 0; i < m->count; i++) {
        struct hash hash;
        uint8_t size = (uint8_t)sorted[i]->key_size;
        hash_bytes(&hash, "state-key", sorted[i]->key, size);
        unsigned bucket = (unsigned)hash.b[0] * 256 + hash.b[1];
        if (!is_used[bucket]) {
            hasher_init(&hashers[bucket], "state-bucket");
            is_used[bucket] = true;
        }
        hash_bytes(&hash, "state-value", sorted[i]->value,
                   sorted[i]->value_size);
        hasher_add(&hashers[bucket], &size, 1);
        hasher_add(&hashers[bucket], sorted[i]->key, size);
        hasher_add(&hashers[bucket], hash.b, HASH_SIZE);
    }
    for (size_t i = 0; i < STATE_BUCKETS; i++) {
        if (is_used[i]) {
            hasher_final(&hashers[i], &level[i]);
        }
    }
    for (size_t width = STATE_BUCKETS; width > 1; width /= 2) {
        for (size_t i = 0; i < width; i += 2) {
            struct hash node = {{0}};
            if (!hash_is_zero(&level[i]) || !hash_is_zero(&level[i + 1])) {
                uint8_t both[2 * HASH_SIZE];
                memcpy(both, level[i].b, HASH_SIZE);
                memcpy(both + HASH_SIZE, level[i + 1].b, HASH_SIZE);
                hash_bytes(&node, "state-node", both, sizeof(both));
            }
            level[i / 2] = node;
        }
    }
    *root = level[0];
    free(sorted);
    free(is_used);
    free(hashers);
    free(level);
}

/* ---- the tests */

struct fixture {
    char *folder;
    struct store *store;
    struct model *model;
    struct buf buf;
};

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->store = fixture_open(f->folder);
    f->model = pot_calloc(1, sizeof(*f->model));
    buf_init(&f->buf, 1 << 20);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    scratch_remove(f->folder);
    buf_fini(&f->buf);
    free(f->model);
    free(f);
    return 0;
}

static size_t random_key(uint8_t *key, uint64_t *seed)
{
    /* Few enough that keys come up again and again. */
    uint64_t number = rng_next(seed) % 1500;
    size_t size = 1 + (size_t)(number % 40);
    memset(key, (int)(number & 255), size);
    memcpy(key, &number, size < sizeof(number) ? size : sizeof(number));
    return size;
}

static void random_write(struct overlay *overlay, struct model *model,
                         uint64_t *seed)
{
    uint8_t key[64];
    uint8_t value[64];
    size_t size = random_key(key, seed);
    if (rng_next(seed) % 3 == 0) {
        overlay_del(overlay, key, size);
        model_del(model, key, size);
        return;
    }
    size_t value_size = (size_t)(rng_next(seed) % sizeof(value));
    memset(value, (int)(rng_next(seed) & 255), sizeof(value));
    overlay_put(overlay, key, size, value, value_size);
    model_put(model, key, size, value, value_size);
}

static void assert_root(struct overlay *overlay, const struct model *model)
{
    struct hash root;
    struct hash wanted;
    assert_int_equal(overlay_root(overlay, &root), POT_OK);
    model_root(&wanted, model);
    assert_memory_equal(root.b, wanted.b, HASH_SIZE);
}

static void assert_same_reads(const struct fixture *f, struct overlay *overlay)
{
    struct buf buf;
    uint64_t seed = 77;
    buf_init(&buf, 4096);
    for (size_t i = 0; i < 2000; i++) {
        uint8_t key[64];
        size_t size = random_key(key, &seed);
        const struct model_entry *e = model_find(f->model, key, size);
        assert_int_equal(overlay_get(overlay, key, size, &buf), e != NULL);
        if (e != NULL) {
            assert_int_equal(buf.size, e->value_size);
            if (buf.size > 0) {
                assert_memory_equal(buf.data, e->value, buf.size);
            }
        }
    }
    buf_fini(&buf);
}

static void an_empty_state_has_the_zero_root(void **state)
{
    const struct fixture *f = *state;
    struct hash root = {{1}};
    struct overlay *overlay = overlay_new(f->store);
    assert_int_equal(overlay_root(overlay, &root), POT_OK);
    assert_true(hash_is_zero(&root));
    overlay_put(overlay, "k", 1, "v", 1);
    assert_int_equal(overlay_root(overlay, &root), POT_OK);
    assert_false(hash_is_zero(&root));
    overlay_del(overlay, "k", 1);
    assert_int_equal(overlay_root(overlay, &root), POT_OK);
    assert_true(hash_is_zero(&root));
    overlay_free(overlay);
}

static void the_root_is_the_naive_one_over_many_blocks(void **state)
{
    struct fixture *f = *state;
    for (uint64_t block = 0; block < 40; block++) {
        uint64_t seed = 1000 + block;
        struct overlay *overlay = overlay_new(f->store);
        size_t writes = (size_t)(rng_next(&seed) % 120);
        for (size_t i = 0; i < writes; i++) {
            random_write(overlay, f->model, &seed);
            if (i % 50 == 49) {
                assert_root(overlay, f->model);
            }
        }
        assert_root(overlay, f->model);
        assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
        overlay_free(overlay);
        if (block % 10 == 9) {
            store_close(f->store);
            f->store = fixture_open(f->folder);
        }
        overlay = overlay_new(f->store);
        assert_root(overlay, f->model);
        assert_same_reads(f, overlay);
        overlay_free(overlay);
    }
    struct store_report report;
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_OK);
    assert_int_equal(report.state_keys, f->model->count);
}

static void the_root_does_not_depend_on_the_order_of_writes(void **state)
{
    const struct fixture *f = *state;
    struct hash first;
    enum { COUNT = 300 };
    unsigned order[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        order[i] = i;
    }
    uint64_t seed = 5;
    for (int run = 0; run < 5; run++) {
        struct hash root;
        struct overlay *overlay = overlay_new(f->store);
        for (size_t i = 0; i < COUNT; i++) {
            unsigned key = order[i];
            unsigned value = key * 3;
            overlay_put(overlay, &key, sizeof(key), "first", 5);
            overlay_put(overlay, &key, sizeof(key), &value, sizeof(value));
            if (key % 7 == 0) {
                overlay_del(overlay, &key, sizeof(key));
            }
        }
        assert_int_equal(overlay_root(overlay, run == 0 ? &first : &root),
                         POT_OK);
        if (run > 0) {
            assert_memory_equal(root.b, first.b, HASH_SIZE);
        }
        overlay_free(overlay);
        for (size_t i = COUNT - 1; i > 0; i--) {
            size_t j = (size_t)(rng_next(&seed) % (i + 1));
            unsigned held = order[i];
            order[i] = order[j];
            order[j] = held;
        }
    }
}

static void deleting_all_keys_leads_back_to_nothing(void **state)
{
    const struct fixture *f = *state;
    struct hash root;
    struct store_stats stats;
    struct overlay *overlay = overlay_new(f->store);
    for (unsigned i = 0; i < 500; i++) {
        overlay_put(overlay, &i, sizeof(i), "value", 5);
    }
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    overlay = overlay_new(f->store);
    for (unsigned i = 0; i < 500; i++) {
        overlay_del(overlay, &i, sizeof(i));
    }
    assert_int_equal(overlay_root(overlay, &root), POT_OK);
    assert_true(hash_is_zero(&root));
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_int_equal(store_stats(f->store, &stats), POT_OK);
    assert_int_equal(stats.state_keys, 0);
    struct store_report report;
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_OK);
}

static void an_overlay_dropped_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct hash before;
    struct hash after;
    assert_int_equal(fixture_commit_empty(f->store), POT_OK);
    assert_true(store_tip(f->store, NULL, NULL, &before));
    struct overlay *overlay = overlay_new(f->store);
    overlay_put(overlay, "k", 1, "v", 1);
    assert_int_equal(overlay_root(overlay, &after), POT_OK);
    overlay_free(overlay);
    store_close(f->store);
    f->store = fixture_open(f->folder);
    assert_true(store_tip(f->store, NULL, NULL, &after));
    assert_memory_equal(before.b, after.b, HASH_SIZE);
    assert_int_equal(store_state_get(f->store, "k", 1, &f->buf), POT_ENOENT);
}

static void an_overlay_over_an_old_tip_is_stale(void **state)
{
    struct fixture *f = *state;
    struct hash root;
    assert_int_equal(fixture_commit_empty(f->store), POT_OK);
    struct overlay *overlay = overlay_new(f->store);
    overlay_put(overlay, "k", 1, "v", 1);
    assert_int_equal(overlay_root(overlay, &root), POT_OK);
    assert_int_equal(fixture_commit_empty(f->store), POT_OK);
    assert_false(overlay_get(overlay, "other", 5, &f->buf));
    assert_int_equal(overlay_error(overlay), POT_EBUSY);
    assert_int_equal(overlay_root(overlay, &root), POT_EBUSY);
    assert_false(overlay_get(overlay, "k", 1, &f->buf));
    overlay_free(overlay);
}

static void a_value_too_long_for_its_buffer_is_an_error(void **state)
{
    const struct fixture *f = *state;
    struct buf small;
    buf_init(&small, 4);
    struct overlay *overlay = overlay_new(f->store);
    overlay_put(overlay, "k", 1, "12345", 5);
    assert_false(overlay_get(overlay, "k", 1, &small));
    assert_int_equal(overlay_error(overlay), POT_ELIMIT);
    overlay_free(overlay);
    buf_fini(&small);
}

/* ---- blobs */

static const struct hash blob = {{1, 1}};

static bool blob_is_there(const struct fixture *f)
{
    return store_blob_has(f->store, &blob, NULL);
}

static void change_blob(struct fixture *f, int puts, int dels)
{
    struct overlay *overlay = overlay_new(f->store);
    for (int i = 0; i < puts; i++) {
        overlay_blob_put(overlay, &blob, "bytes", 5);
    }
    for (int i = 0; i < dels; i++) {
        overlay_blob_del(overlay, &blob);
    }
    bool is_there = overlay_blob_get(overlay, &blob, &f->buf);
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_int_equal(is_there, blob_is_there(f));
}

static void a_blob_stays_until_its_last_reference_goes(void **state)
{
    struct fixture *f = *state;
    change_blob(f, 1, 0);
    change_blob(f, 1, 0);
    assert_true(blob_is_there(f));
    change_blob(f, 0, 1);
    assert_true(blob_is_there(f));
    change_blob(f, 1, 1); /* replaced by itself */
    assert_true(blob_is_there(f));
    change_blob(f, 0, 1);
    assert_false(blob_is_there(f));
    change_blob(f, 0, 1);
    change_blob(f, 2, 2);
    assert_false(blob_is_there(f));
    change_blob(f, 1, 0);
    assert_true(blob_is_there(f));
}

static void a_blob_that_the_node_holds_stays(void **state)
{
    struct fixture *f = *state;
    const struct store_blob held = {blob, "bytes", 5};
    assert_int_equal(store_blobs_hold(f->store, &held, 1), POT_OK);
    change_blob(f, 1, 1);
    assert_true(blob_is_there(f));
    change_blob(f, 1, 0);
    assert_int_equal(store_blobs_release(f->store, &blob, 1), POT_OK);
    assert_true(blob_is_there(f));
    change_blob(f, 0, 1);
    assert_false(blob_is_there(f));
    assert_int_equal(store_blobs_release(f->store, &blob, 1), POT_OK);
    assert_int_equal(store_blob_put(f->store, &blob, "bytes", 5), POT_OK);
    assert_int_equal(store_blobs_release(f->store, &blob, 1), POT_OK);
    change_blob(f, 1, 0);
    change_blob(f, 0, 1);
    assert_true(blob_is_there(f));
}

static void take_own(void *context, const struct hash *hash, uint8_t *data,
                     size_t size)
{
    unsigned *taken = context;
    assert_true(hash_equal(hash, &blob));
    assert_int_equal(size, 5);
    assert_memory_equal(data, "bytes", 5);
    free(data);
    (*taken)++;
}

static void the_bytes_of_a_committed_blob_can_be_taken(void **state)
{
    struct fixture *f = *state;
    static const struct hash gone = {{2}};
    unsigned taken = 0;
    struct overlay *overlay = overlay_new(f->store);
    overlay_blob_put(overlay, &blob, "bytes", 5);
    overlay_blob_put(overlay, &gone, "gone", 4);
    overlay_blob_del(overlay, &gone);
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_blobs_take(overlay, take_own, &taken);
    overlay_blobs_take(overlay, take_own, &taken);
    assert_int_equal(taken, 1);
    overlay_free(overlay);
    assert_true(blob_is_there(f));
}

static void an_overlay_reads_its_own_blobs_and_those_beneath(void **state)
{
    struct fixture *f = *state;
    static const struct hash held = {{2}};
    static const struct hash none = {{3}};
    struct overlay *overlay = overlay_new(f->store);
    assert_int_equal(store_blob_put(f->store, &held, "held", 4), POT_OK);
    assert_true(overlay_blob_get(overlay, &held, &f->buf));
    assert_memory_equal(f->buf.data, "held", 4);
    overlay_blob_put(overlay, &blob, "own", 3);
    assert_true(overlay_blob_get(overlay, &blob, &f->buf));
    assert_memory_equal(f->buf.data, "own", 3);
    overlay_blob_del(overlay, &blob);
    assert_false(overlay_blob_get(overlay, &blob, &f->buf));
    assert_false(overlay_blob_get(overlay, &none, &f->buf));
    assert_int_equal(overlay_error(overlay), POT_OK);
    overlay_free(overlay);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(an_empty_state_has_the_zero_root),
        CASE(the_root_is_the_naive_one_over_many_blocks),
        CASE(the_root_does_not_depend_on_the_order_of_writes),
        CASE(deleting_all_keys_leads_back_to_nothing),
        CASE(an_overlay_dropped_leaves_nothing_behind),
        CASE(an_overlay_over_an_old_tip_is_stale),
        CASE(a_value_too_long_for_its_buffer_is_an_error),
        CASE(a_blob_stays_until_its_last_reference_goes),
        CASE(a_blob_that_the_node_holds_stays),
        CASE(the_bytes_of_a_committed_blob_can_be_taken),
        CASE(an_overlay_reads_its_own_blobs_and_those_beneath),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
