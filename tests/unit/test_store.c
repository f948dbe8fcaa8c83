#include "config.h"

#include "storage/store.h"

#include "base/alloc.h"
#include "base/check.h"
#include "storage/overlay_impl.h"
#include "storage/store_env.h"
#include "storage/store_promise.h"
#include "storage/store_record.h"
#include "storage/store_table.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char *folder;
    struct store *store;
    struct buf buf;
};

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->store = fixture_open(f->folder);
    buf_init(&f->buf, (size_t)64 << 20);
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

static void reopen(struct fixture *f)
{
    store_close(f->store);
    f->store = fixture_open(f->folder);
}

static enum pot_err commit_with(struct store *store,
                                const struct fixture_extra *extra)
{
    struct overlay *overlay = overlay_new(store);
    enum pot_err err = fixture_commit(store, overlay, extra);
    overlay_free(overlay);
    return err;
}

static void a_fresh_store_is_empty(void **state)
{
    struct fixture *f = *state;
    struct store_report report;
    struct hash hash = {{1}};
    uint64_t height;
    assert_false(store_tip(f->store, &height, &hash, NULL));
    assert_int_equal(store_get_block(f->store, 0, &f->buf), POT_ENOENT);
    assert_int_equal(store_state_get(f->store, "k", 1, &f->buf), POT_ENOENT);
    assert_int_equal(store_blob_get(f->store, &hash, &f->buf), POT_ENOENT);
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_OK);
    reopen(f);
    assert_false(store_tip(f->store, NULL, NULL, NULL));
}

static void blocks_come_back_by_height_and_hash(void **state)
{
    struct fixture *f = *state;
    struct hash hashes[12];
    uint64_t height;
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(fixture_commit_empty(f->store), POT_OK);
        assert_true(store_tip(f->store, &height, &hashes[i], NULL));
        assert_int_equal(height, i);
    }
    reopen(f);
    assert_true(store_tip(f->store, &height, NULL, NULL));
    assert_int_equal(height, 11);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(store_get_block_height(f->store, &hashes[i], &height),
                         POT_OK);
        assert_int_equal(height, i);
        enum pot_err wanted = i == 0 ? POT_ENOENT : POT_OK;
        assert_int_equal(store_get_block(f->store, i, &f->buf), wanted);
        assert_int_equal(store_get_certificate(f->store, i, &f->buf), wanted);
    }
    assert_int_equal(store_get_block(f->store, 12, &f->buf), POT_ENOENT);
}

static void transactions_are_found_in_their_block(void **state)
{
    struct fixture *f = *state;
    struct hash txs[100];
    uint64_t height;
    uint32_t index;
    assert_int_equal(fixture_commit_empty(f->store), POT_OK);
    for (unsigned i = 0; i < 100; i++) {
        hash_bytes(&txs[i], "tx", &i, sizeof(i));
    }
    for (size_t i = 0; i < 4; i++) {
        struct fixture_extra extra = {.txs = txs + 25 * i, .tx_count = 25};
        assert_int_equal(commit_with(f->store, &extra), POT_OK);
    }
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(store_find_tx(f->store, &txs[i], &height, &index),
                         POT_OK);
        assert_int_equal(height, 1 + i / 25);
        assert_int_equal(index, i % 25);
    }
    txs[0].b[5] ^= 1;
    assert_int_equal(store_find_tx(f->store, &txs[0], &height, &index),
                     POT_ENOENT);
}

/* Blocks 1 to 30, each with a reward of task 1 or 2 to each of 3 miners. */
static void commit_rewards(struct store *store)
{
    assert_int_equal(fixture_commit_empty(store), POT_OK);
    for (unsigned block = 1; block <= 30; block++) {
        struct store_reward rewards[3];
        struct store_round round = {.task = {{(uint8_t)(1 + block % 2)}},
                                    .round = block / 2};
        for (unsigned i = 0; i < 3; i++) {
            rewards[i] = (struct store_reward){
                .task = round.task,
                .to = {{(uint8_t)(10 + i)}},
                .round = round.round,
                .amount = block * 10 + i,
                .reason = i,
            };
        }
        struct fixture_extra extra = {.rewards = rewards,
                                      .reward_count = 3,
                                      .rounds = &round,
                                      .round_count = 1};
        assert_int_equal(commit_with(store, &extra), POT_OK);
    }
}

static void rewards_are_listed_newest_first(void **state)
{
    struct fixture *f = *state;
    struct store_reward out[7];
    struct store_reward last;
    const struct store_reward *before = NULL;
    struct public_key to = {{11}};
    struct hash task = {{2}};
    size_t count;
    size_t all = 0;
    commit_rewards(f->store);
    do {
        assert_int_equal(
            store_rewards_of_task(f->store, &task, before, out, 7, &count),
            POT_OK);
        for (size_t i = 0; i < count; i++, all++) {
            assert_int_equal(out[i].height, 29 - all / 3 * 2);
            assert_int_equal(out[i].index, 2 - all % 3);
            assert_int_equal(out[i].amount, out[i].height * 10 + out[i].index);
            assert_int_equal(out[i].to.b[0], 10 + out[i].index);
            assert_int_equal(out[i].task.b[0], 2);
            assert_int_equal(out[i].reason, out[i].index);
            last = out[i];
            before = &last;
        }
    } while (count > 0);
    assert_int_equal(all, 45);
    assert_int_equal(
        store_rewards_of_address(f->store, &to, NULL, out, 7, &count), POT_OK);
    assert_int_equal(count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(out[i].height, 30 - i);
        assert_int_equal(out[i].to.b[0], 11);
        assert_int_equal(out[i].task.b[0], 1 + (30 - i) % 2);
        assert_int_equal(out[i].round, (30 - i) / 2);
    }
    to.b[0] = 99;
    assert_int_equal(
        store_rewards_of_address(f->store, &to, NULL, out, 7, &count), POT_OK);
    assert_int_equal(count, 0);
}

static void rounds_are_listed_in_order(void **state)
{
    struct fixture *f = *state;
    struct store_round out[10];
    struct hash task = {{1}};
    size_t count;
    commit_rewards(f->store);
    assert_int_equal(store_rounds(f->store, &task, 0, out, 10, &count), POT_OK);
    assert_int_equal(count, 10);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(out[i].round, 1 + i);
        assert_int_equal(out[i].height, 2 + 2 * i);
        assert_int_equal(out[i].index, 0);
    }
    assert_int_equal(store_rounds(f->store, &task, 14, out, 10, &count),
                     POT_OK);
    assert_int_equal(count, 2);
    assert_int_equal(out[1].round, 15);
    struct store_report report;
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_OK);
    assert_int_equal(report.blocks, 30);
}

static void blobs_are_put_and_read_in_pieces(void **state)
{
    struct fixture *f = *state;
    static const struct hash none = {{7}};
    struct hash hashes[20];
    size_t size = 3 << 20;
    size_t count;
    uint64_t total;
    uint8_t *data = pot_alloc(size);
    uint8_t piece[1000];
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(i * 31 >> 3);
    }
    for (uint8_t i = 0; i < 20; i++) {
        hashes[i] = (struct hash){{i, 1}};
        assert_int_equal(
            store_blob_put(f->store, &hashes[i], data, i < 2 ? size : i),
            POT_OK);
    }
    assert_int_equal(store_blob_put(f->store, &hashes[1], data, size), POT_OK);
    assert_int_equal(store_blob_get(f->store, &hashes[1], &f->buf), POT_OK);
    assert_int_equal(f->buf.size, size);
    assert_memory_equal(f->buf.data, data, size);
    assert_int_equal(store_blob_read(f->store, &hashes[0], size - 10, piece,
                                     sizeof(piece), &count, &total),
                     POT_OK);
    assert_int_equal(count, 10);
    assert_int_equal(total, size);
    assert_memory_equal(piece, data + size - 10, 10);
    assert_int_equal(store_blob_read(f->store, &hashes[0], size + 1, piece,
                                     sizeof(piece), &count, &total),
                     POT_ERANGE);
    assert_int_equal(
        store_blob_read(f->store, &none, 0, piece, 1, &count, &total),
        POT_ENOENT);
    struct store_report report;
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_OK);
    assert_int_equal(report.blobs, 20);
    free(data);
}

static void hold(struct fixture *f, uint8_t first, uint8_t last)
{
    struct store_blob blobs[16];
    size_t count = 0;
    for (uint8_t i = first; i <= last; i++) {
        blobs[count++] = (struct store_blob){{{i}}, "bytes", 5};
    }
    assert_int_equal(store_blobs_hold(f->store, blobs, count), POT_OK);
}

/* Which of the blobs 1 to 8 are there, as bits. */
static unsigned held(struct fixture *f)
{
    unsigned bits = 0;
    for (uint8_t i = 1; i <= 8; i++) {
        struct hash hash = {{i}};
        bits |= store_blob_has(f->store, &hash, NULL) ? 1U << i : 0;
    }
    return bits;
}

static void what_is_held_for_a_block_goes_when_it_is_released(void **state)
{
    struct fixture *f = *state;
    const struct hash some[] = {{{2}}, {{3}}, {{9}}};
    hold(f, 1, 4);
    hold(f, 2, 5); /* held is held: once released, 2 is gone */
    assert_int_equal(held(f), 0x3e);
    assert_int_equal(store_blobs_release(f->store, some, 3), POT_OK);
    assert_int_equal(held(f), 0x32);
    reopen(f);
    assert_int_equal(held(f), 0x32);
}

static void after_a_crash_all_that_is_held_can_be_released(void **state)
{
    struct fixture *f = *state;
    const struct hash by_node = {{3}};
    const struct hash by_chain = {{4}};
    struct store_report report;
    struct overlay *overlay = overlay_new(f->store);
    hold(f, 1, 6);
    assert_int_equal(store_blob_put(f->store, &by_node, "bytes", 5), POT_OK);
    overlay_blob_put(overlay, &by_chain, "bytes", 5);
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    reopen(f);
    assert_int_equal(held(f), 0x7e);
    assert_int_equal(store_blobs_release_all(f->store), POT_OK);
    assert_int_equal(held(f), 0x18); /* the node's, the chain's */
    reopen(f);
    assert_int_equal(held(f), 0x18);
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_OK);
}

/* The blobs first to last, by the promise of this round and part. */
static struct store_promise promise(struct fixture *f, uint32_t round,
                                    uint32_t part, uint8_t first, uint8_t last)
{
    struct store_blob blobs[16];
    size_t count = 0;
    const struct store_promise made = {{{1}}, round, {{2}}, part};
    for (uint8_t i = first; i <= last; i++) {
        blobs[count++] = (struct store_blob){{{i}}, "bytes", 5};
    }
    assert_int_equal(store_promise_hold(f->store, &made, blobs, count), POT_OK);
    return made;
}

static size_t promises(struct fixture *f)
{
    struct store_promise *list;
    size_t count;
    assert_int_equal(store_promises(f->store, &list, &count), POT_OK);
    free(list);
    return count;
}

static void what_is_promised_stays_until_its_promise_ends(void **state)
{
    struct fixture *f = *state;
    struct store_report report;
    const struct hash some[] = {{{1}}, {{2}}, {{3}}};
    hold(f, 1, 3);
    const struct store_promise ended[] = {promise(f, 7, 0, 2, 4),
                                          promise(f, 7, 1, 5, 5)};
    (void)promise(f, 7, 1, 5, 5); /* again */
    const struct store_promise other = promise(f, 8, 0, 4, 6);
    assert_int_equal(store_blobs_release(f->store, some, 3), POT_OK);
    assert_int_equal(held(f), 0x7c);
    reopen(f);
    assert_int_equal(store_blobs_release_all(f->store), POT_OK);
    assert_int_equal(held(f), 0x7c);
    assert_int_equal(promises(f), 3);
    assert_int_equal(store_promises_end(f->store, ended, 2), POT_OK);
    assert_int_equal(held(f), 0x70); /* the other one's */
    assert_int_equal(store_promises_end(f->store, ended, 2), POT_OK);
    assert_int_equal(store_promises_end(f->store, &other, 1), POT_OK);
    assert_int_equal(held(f), 0);
    assert_int_equal(promises(f), 0);
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_OK);
}

/* Stores of before had 0 and 1 only: nothing, and kept by the node. */
static void a_record_of_uses_means_what_it_always_did(void **state)
{
    struct store_uses uses;
    const uint8_t kept[] = {7, 0, 0, 0, 1};
    const uint8_t unknown[] = {7, 0, 0, 0, 4};
    (void)state;
    assert_true(store_record_read_uses(&uses, kept, sizeof(kept)));
    assert_int_equal(uses.references, 7);
    assert_true(uses.is_kept && !uses.is_held);
    assert_false(store_record_read_uses(&uses, unknown, sizeof(unknown)));
}

static void a_buffer_too_small_says_so(void **state)
{
    struct fixture *f = *state;
    static const struct hash hash = {{7}};
    struct buf small;
    buf_init(&small, 4);
    assert_int_equal(store_blob_put(f->store, &hash, "12345", 5), POT_OK);
    assert_int_equal(store_blob_get(f->store, &hash, &small), POT_ELIMIT);
    assert_int_equal(small.size, 0);
    buf_fini(&small);
}

static void a_store_that_is_open_names_its_process(void **state)
{
    struct fixture *f = *state;
    struct store *other;
    char why[256];
    char pid[32];
    assert_int_equal(
        store_open(&other, f->folder, STORE_MAP_MIN, why, sizeof(why)),
        POT_EBUSY);
    assert_null(other);
    (void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    assert_non_null(strstr(why, pid));
    assert_non_null(strstr(why, f->folder));
    reopen(f);
}

static enum pot_err write_version(struct store_write *write, void *context)
{
    return store_table_put(write, TABLE_META, "version", 7, context, 1);
}

/* Another format has other tables, too. */
static void add_table(const char *folder)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    MDB_val value = {4, (void *)(uintptr_t) "more"};
    POT_ASSERT(mdb_env_create(&env) == 0);
    POT_ASSERT(mdb_env_set_maxdbs(env, STORE_TABLES + 1) == 0);
    POT_ASSERT(mdb_env_open(env, folder, 0, 0600) == 0);
    POT_ASSERT(mdb_txn_begin(env, NULL, 0, &txn) == 0);
    POT_ASSERT(mdb_dbi_open(txn, "more", MDB_CREATE, &table) == 0);
    POT_ASSERT(mdb_put(txn, table, &value, &value, 0) == 0);
    POT_ASSERT(mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
}

static void is_refused(const struct fixture *f, const char *what)
{
    struct store *other;
    char why[256];
    assert_int_equal(
        store_open(&other, f->folder, STORE_MAP_MIN, why, sizeof(why)),
        POT_EFORMAT);
    assert_non_null(strstr(why, "another version"));
    assert_non_null(strstr(why, what));
}

static void a_store_of_another_format_is_no_damage(void **state)
{
    struct fixture *f = *state;
    uint8_t version = STORE_FORMAT + 1;
    assert_int_equal(store_write_run(f->store, write_version, &version),
                     POT_OK);
    store_close(f->store);
    f->store = NULL;
    add_table(f->folder);
    is_refused(f, "a later one (format 5, known are up to 4)");
}

static void a_store_of_long_ago_is_told_what_to_do(void **state)
{
    struct fixture *f = *state;
    uint8_t version = STORE_FORMAT_OLDEST - 1;
    assert_int_equal(store_write_run(f->store, write_version, &version),
                     POT_OK);
    store_close(f->store);
    f->store = NULL;
    is_refused(f, "`potctl resync --config FILE`");
}

static void a_table_that_nobody_knows_is_damage(void **state)
{
    struct fixture *f = *state;
    struct store *other;
    char why[256];
    store_close(f->store);
    add_table(f->folder);
    assert_int_equal(
        store_open(&other, f->folder, STORE_MAP_MIN, why, sizeof(why)),
        POT_ECORRUPT);
    assert_non_null(strstr(why, "no known table"));
    f->store = NULL;
}

static void a_stale_overlay_is_not_committed(void **state)
{
    struct fixture *f = *state;
    struct overlay *a = overlay_new(f->store);
    struct overlay *b = overlay_new(f->store);
    struct hash root;
    overlay_put(a, "k", 1, "a", 1);
    overlay_put(b, "k", 1, "b", 1);
    assert_int_equal(overlay_root(b, &root), POT_OK);
    assert_int_equal(fixture_commit(f->store, a, NULL), POT_OK);
    struct store_commit late = {.height = 0, .state_root = root};
    assert_int_equal(store_commit(f->store, &late, b), POT_EBUSY);
    assert_int_equal(store_state_get(f->store, "k", 1, &f->buf), POT_OK);
    assert_int_equal(f->buf.data[0], 'a');
    overlay_free(a);
    overlay_free(b);
}

static void the_map_grows_by_itself(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    size_t size = 5 << 20;
    uint8_t *data = pot_calloc(size, 1);
    for (uint8_t i = 0; i < 8; i++) {
        struct hash hash = {{i}};
        data[0] = i;
        assert_int_equal(store_blob_put(f->store, &hash, data, size), POT_OK);
    }
    assert_int_equal(fixture_commit_empty(f->store), POT_OK);
    assert_int_equal(store_stats(f->store, &stats), POT_OK);
    assert_true(stats.grown >= 5);
    assert_true(stats.map_bytes > 8 * size);
    reopen(f);
    for (uint8_t i = 0; i < 8; i++) {
        struct hash hash = {{i}};
        assert_int_equal(store_blob_get(f->store, &hash, &f->buf), POT_OK);
        assert_int_equal(f->buf.size, size);
        assert_int_equal(f->buf.data[0], i);
    }
    free(data);
}

static void blobs_replaced_at_every_block_do_not_grow_the_file(void **state)
{
    struct fixture *f = *state;
    struct store_stats early;
    struct store_stats late;
    size_t size = 400 << 10;
    uint8_t *data = pot_calloc(size, 1);
    for (unsigned block = 0; block < 300; block++) {
        struct overlay *overlay = overlay_new(f->store);
        for (unsigned i = 0; i < 2; i++) {
            unsigned number = 2 * block + i;
            struct hash hash;
            hash_bytes(&hash, "test", &number, sizeof(number));
            memcpy(data, &number, sizeof(number));
            overlay_blob_put(overlay, &hash, data, size);
            if (block > 0) {
                number -= 2;
                hash_bytes(&hash, "test", &number, sizeof(number));
                overlay_blob_del(overlay, &hash);
            }
        }
        for (unsigned i = 0; i < 20; i++) {
            unsigned key = (block * 7 + i) % 500;
            overlay_put(overlay, &key, sizeof(key), &block, sizeof(block));
        }
        assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
        overlay_free(overlay);
        if (block == 30) {
            assert_int_equal(store_stats(f->store, &early), POT_OK);
        }
    }
    assert_int_equal(store_stats(f->store, &late), POT_OK);
    /* What remains is the blocks themselves. */
    assert_true(late.file_bytes < early.file_bytes + (2 << 20));
    assert_true(late.file_bytes < 12 << 20);
    assert_int_equal(late.blobs, 2);
    struct store_report report;
    assert_int_equal(store_verify(f->store, &report, NULL, NULL), POT_OK);
    reopen(f);
    free(data);
}

static bool count_calls(void *context, uint64_t done, uint64_t all)
{
    unsigned *calls = context;
    assert_true(done <= all);
    return ++*calls < 3;
}

static void a_check_can_be_stopped(void **state)
{
    struct fixture *f = *state;
    struct store_report report;
    unsigned calls = 0;
    struct overlay *overlay = overlay_new(f->store);
    for (unsigned i = 0; i < 5000; i++) {
        overlay_put(overlay, &i, sizeof(i), "v", 1);
    }
    assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_int_equal(store_verify(f->store, &report, count_calls, &calls),
                     POT_ECANCELLED);
    assert_int_equal(calls, 3);
}

/* ---- readers beside a writer that grows the map */

struct reading {
    struct store *store;
    _Atomic bool is_over;
    _Atomic unsigned bad;
    _Atomic unsigned reads;
};

static void *read_on(void *context)
{
    struct reading *r = context;
    struct buf a;
    buf_init(&a, 1 << 20);
    while (!r->is_over) {
        struct overlay *overlay = overlay_new(r->store);
        const struct store_tip *on = &overlay->tip;
        bool is_there = overlay_get(overlay, "height", 6, &a);
        if (overlay_error(overlay) == POT_OK &&
            (is_there != on->is_set ||
             (is_there &&
              memcmp(a.data, &on->height, sizeof(on->height)) != 0))) {
            r->bad++;
        }
        if (overlay_error(overlay) != POT_OK &&
            overlay_error(overlay) != POT_EBUSY) {
            r->bad++;
        }
        overlay_free(overlay);
        r->reads++;
    }
    buf_fini(&a);
    return NULL;
}

static void readers_see_whole_blocks_while_the_map_grows(void **state)
{
    struct fixture *f = *state;
    struct reading reading = {.store = f->store};
    pthread_t threads[3];
    struct store_stats stats;
    size_t size = 512 << 10;
    uint8_t *data = pot_calloc(size, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reading),
                         0);
    }
    for (uint64_t height = 0; height < 40; height++) {
        struct hash hash;
        struct overlay *overlay = overlay_new(f->store);
        hash_bytes(&hash, "test", &height, sizeof(height));
        overlay_put(overlay, "height", 6, &height, sizeof(height));
        overlay_blob_put(overlay, &hash, data, size);
        assert_int_equal(fixture_commit(f->store, overlay, NULL), POT_OK);
        overlay_free(overlay);
    }
    reading.is_over = true;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(store_stats(f->store, &stats), POT_OK);
    assert_true(stats.grown > 0);
    assert_int_equal(reading.bad, 0);
    free(data);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_fresh_store_is_empty),
        CASE(blocks_come_back_by_height_and_hash),
        CASE(transactions_are_found_in_their_block),
        CASE(rewards_are_listed_newest_first),
        CASE(rounds_are_listed_in_order),
        CASE(blobs_are_put_and_read_in_pieces),
        CASE(what_is_held_for_a_block_goes_when_it_is_released),
        CASE(after_a_crash_all_that_is_held_can_be_released),
        CASE(what_is_promised_stays_until_its_promise_ends),
        CASE(a_record_of_uses_means_what_it_always_did),
        CASE(a_buffer_too_small_says_so),
        CASE(a_store_that_is_open_names_its_process),
        CASE(a_store_of_another_format_is_no_damage),
        CASE(a_store_of_long_ago_is_told_what_to_do),
        CASE(a_table_that_nobody_knows_is_damage),
        CASE(a_stale_overlay_is_not_committed),
        CASE(the_map_grows_by_itself),
        CASE(blobs_replaced_at_every_block_do_not_grow_the_file),
        CASE(a_check_can_be_stopped),
        CASE(readers_see_whole_blocks_while_the_map_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
