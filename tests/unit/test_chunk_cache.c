/* The cache of chunks: what was used last stays, within the bound, over a
 * restart; what is not right is not given out. */
#include "config.h"

#include "node/hold/chunk_cache.h"

#include "base/limits.h"
#include "proto/dataset.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define CHUNKS  6
#define SIZE    (300 << 10) /* three of them fit */
#define THREADS 4
#define TURNS   100

struct fixture {
    char *folder;
    char *chunks; /* in it */
    struct chunk_cache *cache;
    struct hash hashes[CHUNKS];
};

static void make(uint8_t *out, size_t i)
{
    memset(out, (int)i + 1, SIZE);
}

static void open_cache(struct fixture *f)
{
    assert_int_equal(
        chunk_cache_open(&f->cache, f->folder, DATASET_CHUNK_BYTES), POT_OK);
}

static void reopen(struct fixture *f)
{
    chunk_cache_close(f->cache);
    open_cache(f);
}

static int set_up(void **state)
{
    static struct fixture f;
    static uint8_t data[SIZE];
    f = (struct fixture){.folder = scratch_folder()};
    f.chunks = file_join(f.folder, "chunks");
    for (size_t i = 0; i < CHUNKS; i++) {
        make(data, i);
        dataset_chunk_hash(&f.hashes[i], data, SIZE);
    }
    open_cache(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    chunk_cache_close(f->cache);
    assert_int_equal(file_remove_folder(f->chunks), POT_OK);
    free(f->chunks);
    scratch_remove(f->folder);
    return 0;
}

static void put(struct fixture *f, size_t i)
{
    static uint8_t data[SIZE];
    make(data, i);
    assert_int_equal(chunk_cache_put(f->cache, &f->hashes[i], data, SIZE),
                     POT_OK);
}

/* What is given out is right. */
static bool get(struct chunk_cache *cache, const struct hash *hash)
{
    struct buf out;
    buf_init(&out, DATASET_CHUNK_BYTES);
    bool is_there = chunk_cache_get(cache, hash, &out);
    bool is_right = !is_there || dataset_is_chunk(hash, out.data, out.size);
    buf_fini(&out);
    assert_true(is_right);
    return is_there;
}

static struct chunk_cache_stats stats_of(const struct fixture *f)
{
    struct chunk_cache_stats stats;
    chunk_cache_stats(f->cache, &stats);
    return stats;
}

static void assert_held(const struct fixture *f, const char *held)
{
    char found[CHUNKS + 1] = "";
    size_t count = 0;
    for (size_t i = 0; i < CHUNKS; i++) {
        if (chunk_cache_has(f->cache, &f->hashes[i])) {
            found[count++] = (char)('0' + i);
        }
    }
    assert_string_equal(found, held);
    assert_int_equal(stats_of(f).chunks, count);
    assert_int_equal(stats_of(f).bytes, count * SIZE);
    assert_true(stats_of(f).bytes <= stats_of(f).bytes_max);
}

static void what_was_used_longest_ago_goes_first(void **state)
{
    struct fixture *f = *state;
    assert_false(get(f->cache, &f->hashes[0]));
    for (size_t i = 0; i < 3; i++) {
        put(f, i);
    }
    assert_held(f, "012");
    assert_true(get(f->cache, &f->hashes[0]));
    put(f, 3);
    assert_held(f, "023");
    put(f, 3); /* it is there */
    put(f, 4);
    assert_held(f, "034");
    assert_true(get(f->cache, &f->hashes[0]));
    assert_false(get(f->cache, &f->hashes[1]));
    assert_int_equal(stats_of(f).evictions, 2);
    assert_int_equal(stats_of(f).misses, 5);
    assert_int_equal(stats_of(f).fetched_bytes, 5 * SIZE);
    /* The first read of what was fetched is no hit. */
    assert_int_equal(stats_of(f).hits, 1);
}

static void it_is_there_after_a_restart(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < 3; i++) {
        put(f, i);
    }
    char *rows = chunk_cache_rows_path(f->cache);
    char *other = chunk_cache_rows_path(f->cache);
    char *foreign = file_join(f->chunks, "half-written");
    assert_string_not_equal(rows, other);
    assert_int_equal(file_create(rows, 0600, "x", 1), POT_OK);
    assert_int_equal(file_create(foreign, 0600, "x", 1), POT_OK);
    reopen(f);
    assert_held(f, "012");
    assert_int_not_equal(access(rows, F_OK), 0);
    assert_int_not_equal(access(foreign, F_OK), 0);
    assert_true(get(f->cache, &f->hashes[2]));
    assert_int_equal(stats_of(f).hits, 1);
    free(rows);
    free(other);
    free(foreign);
}

static char *path_of(const struct fixture *f, size_t i)
{
    char text[HASH_TEXT_SIZE];
    return file_join(f->chunks, hash_format(&f->hashes[i], text));
}

static void what_is_not_right_is_not_given_out(void **state)
{
    struct fixture *f = *state;
    static uint8_t data[SIZE];
    for (size_t i = 0; i < 3; i++) {
        put(f, i);
    }
    chunk_cache_close(f->cache);
    make(data, 0);
    data[SIZE / 2] ^= 1; /* bit rot, a torn write, a file that is gone */
    char *paths[] = {path_of(f, 0), path_of(f, 1), path_of(f, 2)};
    assert_int_equal(file_replace(paths[0], 0600, data, SIZE), POT_OK);
    assert_int_equal(truncate(paths[1], SIZE - 1), 0);
    open_cache(f);
    assert_int_equal(unlink(paths[2]), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_false(get(f->cache, &f->hashes[i]));
        free(paths[i]);
    }
    assert_held(f, "");
    assert_int_equal(stats_of(f).damaged, 2);
    put(f, 0);
    assert_true(get(f->cache, &f->hashes[0]));
}

static void a_full_disk_costs_a_chunk(void **state)
{
    struct fixture *f = *state;
    static const uint8_t data[SIZE];
    char *path = path_of(f, 0);
    assert_int_equal(file_make_folder(path, 0700), POT_OK);
    assert_int_not_equal(chunk_cache_put(f->cache, &f->hashes[0], data, SIZE),
                         POT_OK);
    assert_held(f, "");
    assert_int_equal(rmdir(path), 0);
    put(f, 0);
    assert_held(f, "0");
    free(path);
}

struct user {
    uv_thread_t thread;
    struct fixture *f;
    size_t number;
    size_t found;
    size_t failed;
};

static void use(void *context)
{
    struct user *user = context;
    struct fixture *f = user->f;
    uint8_t *data = malloc(SIZE);
    for (size_t turn = 0; turn < TURNS; turn++) {
        size_t i = (user->number + turn * 7) % CHUNKS;
        if (turn % 3 == 0) {
            make(data, i);
            enum pot_err err =
                chunk_cache_put(f->cache, &f->hashes[i], data, SIZE);
            user->failed += err != POT_OK ? 1 : 0;
        }
        user->found += get(f->cache, &f->hashes[i]) ? 1 : 0;
    }
    free(data);
}

static void threads_find_what_is_right_or_nothing(void **state)
{
    struct fixture *f = *state;
    struct user users[THREADS] = {{0}};
    size_t found = 0;
    for (size_t i = 0; i < THREADS; i++) {
        users[i].f = f;
        users[i].number = i;
        assert_int_equal(uv_thread_create(&users[i].thread, use, &users[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_join(&users[i].thread), 0);
        found += users[i].found;
        assert_int_equal(users[i].failed, 0);
    }
    assert_true(found > 0);
    assert_true(stats_of(f).bytes <= DATASET_CHUNK_BYTES);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(what_was_used_longest_ago_goes_first),
        WITH(it_is_there_after_a_restart),
        WITH(what_is_not_right_is_not_given_out),
        WITH(a_full_disk_costs_a_chunk),
        WITH(threads_find_what_is_right_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
