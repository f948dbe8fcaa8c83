/* Commits that LMDB gets later: what a killed process had, what a reader sees
 * meanwhile, and what comes of a journal that is torn or damaged. */
#include "config.h"

#include "storage/store.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/file.h"
#include "storage/journal.h"
#include "storage/overlay.h"
#include "storage/store_copy.h"
#include "storage/store_env.h"
#include "storage/store_prune.h"
#include "storage/store_record.h"
#include "storage/store_table.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define KEYS 50
#define NONE 255 /* a key that is not there */

/* What the state has to hold after a height, made again from nothing. */
struct model {
    uint8_t values[KEYS];
};

static void put(struct overlay *overlay, uint8_t key, uint8_t value)
{
    if (value == NONE) {
        overlay_del(overlay, &key, 1);
    } else {
        overlay_put(overlay, &key, 1, &value, 1);
    }
}

static struct hash tx_of(uint64_t height)
{
    struct hash tx;
    hash_bytes(&tx, "tx", &height, sizeof(height));
    return tx;
}

/* The block of a height: three keys that change or go, a transaction, and now
 * and then a blob, with which LMDB gets all. */
static void step(struct model *model, struct store *store, uint64_t height)
{
    uint64_t seed = height;
    struct hash tx = tx_of(height);
    struct fixture_extra extra = {.txs = &tx, .tx_count = 1};
    struct overlay *overlay = store != NULL ? overlay_new(store) : NULL;
    for (unsigned i = 0; height > 0 && i < 3; i++) {
        uint8_t key = (uint8_t)(rng_next(&seed) % KEYS);
        uint8_t value = (uint8_t)(rng_next(&seed) % 4);
        value = value == 0 ? NONE : value;
        model->values[key] = value;
        if (overlay != NULL) {
            put(overlay, key, value);
        }
    }
    if (overlay != NULL) {
        if (height % 41 == 40) {
            overlay_blob_put(overlay, &tx, "blob", 4);
        }
        assert_int_equal(fixture_commit(store, overlay, &extra), POT_OK);
        overlay_free(overlay);
    }
}

static struct model model_at(uint64_t height)
{
    struct model model;
    memset(model.values, NONE, sizeof(model.values));
    for (uint64_t i = 1; i <= height; i++) {
        step(&model, NULL, i);
    }
    return model;
}

static void extend(struct store *store, uint64_t from, uint64_t to)
{
    struct model model;
    for (uint64_t i = from; i <= to; i++) {
        step(&model, store, i);
    }
}

static uint64_t height_of(struct store *store)
{
    uint64_t height = UINT64_MAX;
    assert_true(store_tip(store, &height, NULL, NULL));
    return height;
}

/* All that the blocks up to height wrote is there, and nothing else. */
static void check(struct store *store, uint64_t height)
{
    struct model model = model_at(height);
    struct store_stats stats;
    uint64_t keys = 0;
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(height_of(store), height);
    for (uint8_t key = 0; key < KEYS; key++) {
        enum pot_err err = store_state_get(store, &key, 1, &out);
        keys += model.values[key] != NONE;
        assert_int_equal(err, model.values[key] == NONE ? POT_ENOENT : POT_OK);
        assert_true(model.values[key] == NONE ||
                    (out.size == 1 && out.data[0] == model.values[key]));
    }
    for (uint64_t i = 1; i <= height; i++) {
        uint64_t found = 0;
        uint32_t index = 9;
        struct hash tx = tx_of(i);
        assert_int_equal(store_get_block(store, i, &out), POT_OK);
        assert_int_equal(store_get_certificate(store, i, &out), POT_OK);
        assert_int_equal(store_find_tx(store, &tx, &found, &index), POT_OK);
        assert_true(found == i && index == 0);
    }
    assert_int_equal(store_get_block(store, height + 1, &out), POT_ENOENT);
    assert_int_equal(store_stats(store, &stats), POT_OK);
    assert_int_equal(stats.blocks, height);
    assert_int_equal(stats.state_keys, keys);
    assert_int_equal(store_lowest_block(store), 1);
    buf_fini(&out);
}

static void verify(struct store *store)
{
    static struct store_report report;
    assert_int_equal(store_verify(store, &report, NULL, NULL), POT_OK);
}

/* Runs from..to in a process that ends without a word to the store. */
static void extend_and_die(const char *folder, uint64_t from, uint64_t to)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct store *store = fixture_open(folder);
        extend(store, from, to);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static off_t size_of(const char *folder, const char *name)
{
    struct stat info;
    char *path = file_join(folder, name);
    int rc = stat(path, &info);
    free(path);
    return rc == 0 ? info.st_size : -1;
}

/* At each height up to some that have gone round several times. */
static void a_killed_process_loses_no_commit(void **state)
{
    (void)state;
    for (uint64_t last = 1; last < 60; last += 1 + last / 6) {
        char *folder = scratch_folder();
        extend_and_die(folder, 0, last);
        struct store *store = fixture_open(folder);
        check(store, last);
        verify(store);
        extend(store, last + 1, last + 3);
        check(store, last + 3);
        store_close(store);
        store = fixture_open(folder);
        check(store, last + 3);
        verify(store);
        store_close(store);
        scratch_remove(folder);
    }
}

static enum pot_err commit_soon(struct store *store, uint8_t value,
                                bool may_wait)
{
    struct overlay *overlay = overlay_new(store);
    put(overlay, 0, value);
    enum pot_err err = fixture_commit_soon(store, overlay, may_wait);
    overlay_free(overlay);
    return err;
}

/* The last ones, as a process that dies takes along what is in memory alone. */
static void a_death_takes_what_was_not_synced(void **state)
{
    (void)state;
    for (unsigned synced = 0; synced <= 3; synced++) {
        int status;
        char *folder = scratch_folder();
        extend_and_die(folder, 0, 0);
        pid_t child = fork();
        if (child == 0) {
            struct store *store = fixture_open(folder);
            for (unsigned i = 1; i <= 3; i++) {
                POT_ASSERT(commit_soon(store, 1, true) == POT_OK &&
                           height_of(store) == i &&
                           (i != synced || store_sync(store) == POT_OK));
            }
            POT_ASSERT(store_unsynced(store, NULL) == 3 - synced);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        struct store *store = fixture_open(folder);
        assert_int_equal(height_of(store), synced);
        verify(store);
        store_close(store);
        scratch_remove(folder);
    }
}

/* At the latest when LMDB gets the layers; those before were for memory. */
static void a_commit_that_may_not_wait_waits_for_nobody(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    struct store *store = fixture_open(folder);
    uint64_t first = 9;
    unsigned taken = 0;
    extend(store, 0, 0);
    while (taken < 1000 && commit_soon(store, 1, false) == POT_OK) {
        assert_int_equal(height_of(store), ++taken);
        assert_true(store_unsynced(store, &first) == taken && first == 1);
    }
    assert_true(taken > 1 && taken < 1000);
    assert_int_equal(commit_soon(store, 2, false), POT_EAGAIN);
    assert_int_equal(store_health(store), STORE_SOUND);
    assert_int_equal(commit_soon(store, 2, true), POT_OK);
    assert_int_equal(height_of(store), taken + 1);
    assert_int_equal(store_unsynced(store, NULL), 0);
    assert_int_equal(pthread_mutex_lock(&store->writer), 0);
    assert_int_equal(commit_soon(store, 3, false), POT_EAGAIN);
    assert_int_equal(pthread_mutex_unlock(&store->writer), 0);
    assert_int_equal(commit_soon(store, 3, false), POT_OK);
    verify(store);
    store_close(store);
    scratch_remove(folder);
}

static void deaths_one_after_the_other_lose_none(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    uint64_t seed = 7;
    uint64_t height = 0;
    extend_and_die(folder, 0, 0);
    for (unsigned i = 0; i < 12; i++) {
        uint64_t more = 1 + rng_next(&seed) % 20;
        extend_and_die(folder, height + 1, height + more);
        height += more;
        struct store *store = fixture_open(folder);
        check(store, height);
        verify(store);
        store_close(store); /* with which LMDB has all */
        extend_and_die(folder, height + 1, height + i);
        height += i;
    }
    scratch_remove(folder);
}

static void most_commits_do_not_touch_lmdb(void **state)
{
    (void)state;
    struct store_stats before;
    struct store_stats after;
    struct store_report report;
    char *folder = scratch_folder();
    struct store *store = fixture_open(folder);
    extend(store, 0, 0);
    assert_int_equal(store_stats(store, &before), POT_OK);
    extend(store, 1, 10);
    assert_int_equal(store_stats(store, &after), POT_OK);
    assert_int_equal(after.used_bytes, before.used_bytes);
    check(store, 10);
    assert_int_equal(store_verify(store, &report, NULL, NULL), POT_OK);
    assert_int_equal(report.blocks, 0);
    assert_int_equal(store_write_nothing(store), POT_OK);
    assert_int_equal(store_verify(store, &report, NULL, NULL), POT_OK);
    assert_int_equal(report.blocks, 10);
    check(store, 10);
    extend(store, 11, 150);
    check(store, 150);
    verify(store);
    assert_true(size_of(folder, "journal") <= (off_t)JOURNAL_MAX);
    store_close(store);
    scratch_remove(folder);
}

static uint8_t format_of(struct store *store)
{
    struct buf out;
    buf_init(&out, 16);
    assert_int_equal(store_read_value(store, TABLE_META, "version", 7, &out),
                     POT_OK);
    assert_int_equal(out.size, 1);
    uint8_t format = out.data[0];
    buf_fini(&out);
    return format;
}

static enum pot_err write_format(struct store_write *write, void *context)
{
    return store_table_put(write, TABLE_META, "version", 7, context, 1);
}

/* Who knows the format of before would not look into the journal. */
static void a_store_of_before_the_journal_is_raised_before_it_gets_one(
    void **state)
{
    (void)state;
    uint8_t before = 3;
    char *folder = scratch_folder();
    struct store *store = fixture_open(folder);
    extend(store, 0, 0);
    assert_int_equal(store_write_run(store, write_format, &before), POT_OK);
    store_close(store);
    store = fixture_open(folder);
    check(store, 0);
    assert_int_equal(format_of(store), 3); /* to read it changes nothing */
    extend(store, 1, 1);
    assert_int_equal(format_of(store), STORE_FORMAT);
    assert_null(store->top);
    extend(store, 2, 2);
    assert_non_null(store->top);
    check(store, 2);
    store_close(store);
    store = fixture_open(folder);
    assert_int_equal(format_of(store), STORE_FORMAT);
    check(store, 2);
    verify(store);
    store_close(store);
    scratch_remove(folder);
}

/* Forty blocks that change or drop key 3. */
static void *change_all_the_time(void *context)
{
    struct store *store = context;
    for (unsigned i = 0; i < 40; i++) {
        struct overlay *overlay = overlay_new(store);
        put(overlay, 3, (uint8_t)(i % 2 == 0 ? NONE : 2));
        enum pot_err err = fixture_commit(store, overlay, NULL);
        POT_ASSERT(err == POT_OK);
        overlay_free(overlay);
    }
    return NULL;
}

/* A snapshot stays what it was while blocks come, and LMDB gets them. */
static void a_reader_keeps_its_snapshot(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    struct store *store = fixture_open(folder);
    struct store_read read;
    struct store_tip tip;
    struct store_value value;
    pthread_t writer; /* no thread writes while it reads */
    uint8_t key = 3;
    extend(store, 0, 0);
    struct overlay *overlay = overlay_new(store);
    put(overlay, key, 1);
    assert_int_equal(fixture_commit(store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    assert_int_equal(store_read_begin(&read, store), POT_OK);
    assert_int_equal(pthread_create(&writer, NULL, change_all_the_time, store),
                     0);
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(store_read_tip(&tip, &read), POT_OK);
    assert_int_equal(tip.height, 1);
    assert_int_equal(store_table_get(&value, &read, TABLE_STATE, &key, 1),
                     POT_OK);
    assert_true(value.size == 1 && value.data[0] == 1);
    store_read_end(&read, POT_OK);
    assert_int_equal(height_of(store), 41);
    store_close(store);
    scratch_remove(folder);
}

struct race {
    struct store *store;
    _Atomic bool is_over;
    _Atomic unsigned wrong;
    _Atomic unsigned reads;
};

/* Each third block goes to LMDB, with the layers below it. */
static bool is_large(uint64_t height)
{
    return height % 3 == 0;
}

/* Every block writes its height under key 0, a large one under key 1 too. */
static void *read_all_the_time(void *context)
{
    struct race *race = context;
    while (!race->is_over) {
        struct store_read read;
        struct store_tip tip;
        struct store_value values[2];
        enum pot_err err = store_read_begin(&read, race->store);
        if (err == POT_OK) {
            err = store_read_tip(&tip, &read);
        }
        for (uint8_t key = 0; err == POT_OK && key < 2; key++) {
            err = store_table_get(&values[key], &read, TABLE_STATE, &key, 1);
        }
        race->wrong +=
            err != POT_OK || bytes_u32_at(values[0].data) != tip.height ||
            bytes_u32_at(values[1].data) != tip.height - tip.height % 3;
        race->reads++;
        store_read_end(&read, err);
    }
    return NULL;
}

static void write_height(struct store *store, uint64_t height)
{
    struct overlay *overlay = overlay_new(store);
    struct hash hash = {{(uint8_t)height, (uint8_t)(height >> 8)}};
    for (uint8_t key = 0; key < (is_large(height) ? 2 : 1); key++) {
        overlay_put(overlay, &key, 1, &height, 8);
    }
    if (is_large(height)) {
        overlay_blob_put(overlay, &hash, "blob", 4);
    }
    assert_int_equal(fixture_commit(store, overlay, NULL), POT_OK);
    overlay_free(overlay);
}

static void each_read_sees_one_height(void **state)
{
    (void)state;
    pthread_t threads[3];
    char *folder = scratch_folder();
    struct race race = {.store = fixture_open(folder)};
    write_height(race.store, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, read_all_the_time, &race), 0);
    }
    for (uint64_t height = 1; height < 250; height++) {
        write_height(race.store, height);
    }
    race.is_over = true;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(race.wrong, 0);
    assert_true(race.reads > 0);
    store_close(race.store);
    scratch_remove(folder);
}

static void turn(const char *folder, const char *name, off_t at)
{
    uint8_t byte;
    char *path = file_join(folder, name);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
    free(path);
}

/* What the last write of a power cut may leave: the entry is not whole, and
 * the tip file, which is written behind it, does not know it. */
static void a_torn_entry_is_no_block(void **state)
{
    (void)state;
    char *tip;
    size_t tip_size;
    char *folder = scratch_folder();
    char *tip_path = file_join(folder, "tip");
    extend_and_die(folder, 0, 5);
    assert_int_equal(file_read(&tip, &tip_size, tip_path, 1 << 20), POT_OK);
    extend_and_die(folder, 6, 6); /* LMDB has the others: the first entry */
    turn(folder, "journal", 200);
    assert_int_equal(file_replace(tip_path, 0600, tip, tip_size), POT_OK);
    struct store *store = fixture_open(folder);
    check(store, 5);
    extend(store, 6, 7);
    check(store, 7);
    store_close(store);
    free(tip);
    free(tip_path);
    scratch_remove(folder);
}

/* Damage to what was synced is told, however often one asks, also behind
 * entries that are whole. */
static void a_lost_entry_is_told(void **state)
{
    (void)state;
    char why[256];
    struct store *store;
    for (unsigned i = 0; i < 30; i++) {
        char *folder = scratch_folder();
        uint64_t seed = i;
        extend_and_die(folder, 0, 5);
        turn(folder, "journal",
             (off_t)(4096 * (i % 5) + rng_next(&seed) % 300));
        for (int start = 0; start < 2; start++) {
            enum pot_err err =
                store_open(&store, folder, STORE_MAP_MIN, why, sizeof(why));
            assert_int_equal(err, POT_ECORRUPT);
            assert_non_null(strstr(why, "journal"));
            assert_non_null(strstr(why, "height 5"));
        }
        scratch_remove(folder);
    }
}

/* An entry of one record of the table, on that tip. */
static void make_layer(struct buf *entry, const struct store_tip *below,
                       enum store_table table)
{
    uint8_t tip[RECORD_TIP_SIZE];
    uint8_t record[6 + 1 + STORE_SUM_SIZE] = {(uint8_t)table, 1,
                                              STORE_SUM_SIZE};
    struct store_tip next = *below;
    next.height++;
    store_record_tip(tip, &next);
    buf_init(entry, 1000);
    buf_append(entry, below->hash.b, HASH_SIZE);
    buf_append(entry, tip, sizeof(tip));
    buf_append(entry, record, sizeof(record));
}

/* Puts such a one into the journal. */
static void forge(const char *folder, const struct store_tip *below,
                  enum store_table table)
{
    struct journal *journal;
    struct buf entry;
    make_layer(&entry, below, table);
    char *path = file_join(folder, "journal");
    assert_int_equal(journal_open(&journal, path), POT_OK);
    assert_int_equal(journal_append(journal, entry.data, entry.size), POT_OK);
    journal_close(journal);
    free(path);
    buf_fini(&entry);
}

static void an_entry_that_nobody_wrote_is_refused(void **state)
{
    static const unsigned tables[] = {TABLE_META,   TABLE_REWARDS_TASK,
                                      TABLE_BLOBS,  TABLE_ROUNDS,
                                      STORE_TABLES, TABLE_STATE};
    (void)state;
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        char why[256] = "";
        struct store_tip tip = {.is_set = true};
        char *folder = scratch_folder();
        struct store *store = fixture_open(folder);
        extend(store, 0, 3);
        assert_true(store_tip(store, &tip.height, &tip.hash, &tip.state_root));
        store_close(store);
        forge(folder, &tip, (enum store_table)tables[i]);
        enum pot_err err =
            store_open(&store, folder, STORE_MAP_MIN, why, sizeof(why));
        bool is_layer = tables[i] == TABLE_STATE;
        assert_int_equal(err, is_layer ? POT_OK : POT_ECORRUPT);
        assert_true(is_layer || strstr(why, "journal") != NULL);
        store_close(is_layer ? store : NULL);
        scratch_remove(folder);
    }
}

/* ---- what strangers put into blocks */

#define VALUE_SIZE 20000

/* The bytes that a file of one such entry begins with; free(). */
static char *file_of_entry(const struct buf *entry)
{
    char *data;
    size_t size;
    struct journal *journal;
    char *folder = scratch_folder();
    char *path = file_join(folder, "journal");
    assert_int_equal(journal_open(&journal, path), POT_OK);
    assert_int_equal(journal_append(journal, entry->data, entry->size), POT_OK);
    journal_close(journal);
    assert_int_equal(file_read(&data, &size, path, 1 << 20), POT_OK);
    assert_true(size == 4096);
    free(path);
    scratch_remove(folder);
    return data;
}

/* A child commits a block with this value in it and dies; or another one
 * behind it, which begins the journal anew. */
static void commit_value(const char *folder, const uint8_t *value, bool is_old)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        uint8_t key = KEYS + 1;
        struct store *store = fixture_open(folder);
        struct overlay *overlay = overlay_new(store);
        overlay_put(overlay, &key, 1, value, VALUE_SIZE);
        assert_int_equal(fixture_commit(store, overlay, NULL), POT_OK);
        overlay_free(overlay);
        if (is_old) {
            store_close(store);
            store = fixture_open(folder);
            assert_int_equal(fixture_commit_empty(store), POT_OK);
            store_close(store);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static char *read_of(const char *folder, const char *name, size_t *size)
{
    char *data;
    char *path = file_join(folder, name);
    assert_int_equal(file_read(&data, size, path, 1 << 20), POT_OK);
    free(path);
    return data;
}

static void write_of(const char *folder, const char *name, const char *data,
                     size_t size)
{
    char *path = file_join(folder, name);
    assert_int_equal(file_replace(path, 0600, data, size), POT_OK);
    free(path);
}

/* Where in the value that place of the journal is. */
static size_t place_in_value(size_t at)
{
    static uint8_t value[VALUE_SIZE];
    size_t size;
    char *folder = scratch_folder();
    for (uint32_t i = 0; i < VALUE_SIZE / 4; i++) {
        bytes_put_u32(value + 4 * i, i);
    }
    extend_and_die(folder, 0, 1);
    store_close(fixture_open(folder));
    commit_value(folder, value, false);
    char *journal = read_of(folder, "journal", &size);
    assert_true(size > at + 8);
    const uint8_t *found = memmem(value, VALUE_SIZE, journal + at, 8);
    assert_non_null(found);
    free(journal);
    scratch_remove(folder);
    return (size_t)(found - value);
}

/* Puts an entry on that tip there, or one with nothing in it. */
static void plant(uint8_t value[static VALUE_SIZE], size_t at,
                  const struct store_tip *tip)
{
    struct buf entry;
    if (tip != NULL) {
        make_layer(&entry, tip, TABLE_STATE);
    } else {
        buf_init(&entry, 0);
    }
    char *data = file_of_entry(&entry);
    memset(value, 1, VALUE_SIZE);
    memcpy(value + place_in_value(at), data, 1000);
    free(data);
    buf_fini(&entry);
}

/* Of the entry of an empty block. */
static size_t size_of_empty(void)
{
    int status;
    char *folder = scratch_folder();
    extend_and_die(folder, 0, 0);
    pid_t child = fork();
    if (child == 0) {
        assert_int_equal(fixture_commit_empty(fixture_open(folder)), POT_OK);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    off_t size = size_of(folder, "journal");
    scratch_remove(folder);
    return (size_t)size;
}

/* In what an earlier block left behind the last entry. */
static void what_strangers_wrote_stops_no_start(void **state)
{
    (void)state;
    static uint8_t value[VALUE_SIZE];
    char *folder = scratch_folder();
    extend_and_die(folder, 0, 1);
    store_close(fixture_open(folder));
    plant(value, size_of_empty(), NULL);
    commit_value(folder, value, true);
    struct store *store = fixture_open(folder);
    assert_int_equal(height_of(store), 3);
    store_close(store);
    scratch_remove(folder);
}

/* The later pages of an entry reached the disk, its first one did not. */
static void what_strangers_wrote_is_no_block(void **state)
{
    (void)state;
    static uint8_t value[VALUE_SIZE];
    struct store_tip below = {.is_set = true};
    size_t journal_size;
    size_t after_size;
    size_t tip_size;
    char *folder = scratch_folder();
    extend_and_die(folder, 0, 1);
    struct store *store = fixture_open(folder);
    assert_true(
        store_tip(store, &below.height, &below.hash, &below.state_root));
    store_close(store);
    char *journal = read_of(folder, "journal", &journal_size);
    char *tip = read_of(folder, "tip", &tip_size);
    plant(value, journal_size, &below);
    commit_value(folder, value, false);
    char *after = read_of(folder, "journal", &after_size);
    memcpy(after, journal, journal_size);
    write_of(folder, "journal", after, after_size);
    write_of(folder, "tip", tip, tip_size);
    store = fixture_open(folder);
    assert_int_equal(height_of(store), 1);
    store_close(store);
    scratch_remove(folder);
    free(journal);
    free(after);
    free(tip);
}

static void a_copy_has_what_the_journal_has(void **state)
{
    (void)state;
    char why[256] = "";
    struct store_copied copied;
    char *folder = scratch_folder();
    char *copy = file_join(folder, "copy");
    struct store *store = fixture_open(folder);
    extend(store, 0, 21);
    assert_int_equal(store_copy(&copied, folder, copy, why, sizeof(why)),
                     POT_OK);
    assert_int_equal(copied.height, 21);
    store_close(store);
    assert_int_equal(size_of(copy, "journal"), -1);
    store = fixture_open(copy);
    check(store, 21);
    verify(store);
    store_close(store);
    assert_int_equal(file_remove_folder(copy), POT_OK);
    free(copy);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_loses_no_commit),
        cmocka_unit_test(a_death_takes_what_was_not_synced),
        cmocka_unit_test(a_commit_that_may_not_wait_waits_for_nobody),
        cmocka_unit_test(deaths_one_after_the_other_lose_none),
        cmocka_unit_test(
            a_store_of_before_the_journal_is_raised_before_it_gets_one),
        cmocka_unit_test(most_commits_do_not_touch_lmdb),
        cmocka_unit_test(a_reader_keeps_its_snapshot),
        cmocka_unit_test(each_read_sees_one_height),
        cmocka_unit_test(a_torn_entry_is_no_block),
        cmocka_unit_test(a_lost_entry_is_told),
        cmocka_unit_test(an_entry_that_nobody_wrote_is_refused),
        cmocka_unit_test(what_strangers_wrote_stops_no_start),
        cmocka_unit_test(what_strangers_wrote_is_no_block),
        cmocka_unit_test(a_copy_has_what_the_journal_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
