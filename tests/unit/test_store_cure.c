/* Disks that fail and are mended.  This program's own sync and write stand
 * before libc's, for LMDB too. */
#include "config.h"

#include "storage/store.h"

#include "base/file.h"
#include "base/key.h"
#include "storage/overlay.h"
#include "storage/sign_state.h"
#include "storage/store_env.h"
#include "storage/store_open.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_sync_failing;
static bool is_meta_failing; /* writes that are synced at once */
static bool is_meta_kept;    /* and reach the disk all the same */
static bool is_sync_lost;    /* it says done, and does nothing */
static unsigned syncs;
static struct store *failing; /* another thread finds it so meanwhile */

static void note_sync(void)
{
    syncs++;
    if (failing != NULL) {
        store_ail(failing, STORE_FAILED);
        failing = NULL;
    }
}

int fdatasync(int fd)
{
    note_sync();
    if (is_sync_failing) {
        errno = EIO;
        return -1;
    }
    return is_sync_lost ? 0 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    note_sync();
    if (is_sync_failing) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    if (is_meta_failing && (fcntl(fd, F_GETFL) & O_DSYNC) != 0) {
        if (is_meta_kept) {
            (void)syscall(SYS_pwrite64, fd, data, size, offset);
        }
        errno = EIO;
        return -1;
    }
    if (is_meta_kept && offset < 2 * 4096) {
        return (ssize_t)size; /* LMDB would put the old meta page back */
    }
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

static struct store *open_with_genesis(const char *folder)
{
    struct store *store = fixture_open(folder);
    assert_int_equal(fixture_commit_empty(store), POT_OK);
    assert_int_equal(fixture_commit_empty(store), POT_OK);
    return store;
}

static uint64_t height_of(struct store *store)
{
    uint64_t height = UINT64_MAX;
    assert_true(store_tip(store, &height, NULL, NULL));
    return height;
}

/* What is there is whole, and stays so over a restart. */
static void check_and_close(struct store *store, const char *folder,
                            uint64_t height)
{
    static struct store_report report;
    assert_int_equal(height_of(store), height);
    assert_int_equal(store_verify(store, &report, NULL, NULL), POT_OK);
    store_close(store);
    store = fixture_open(folder);
    assert_int_equal(height_of(store), height);
    store_close(store);
}

static bool can_read(struct store *store)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    enum pot_err err = store_get_block(store, 1, &out);
    buf_fini(&out);
    return err == POT_OK;
}

/* The block is the tip in memory, and on the disk it is nothing. */
static void a_failed_sync_is_not_tried_again(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    struct store *store = open_with_genesis(folder);
    is_sync_failing = true;
    assert_int_equal(fixture_commit_empty(store), POT_EIO);
    assert_int_equal(store_health(store), STORE_FAILED);
    is_sync_failing = false;
    unsigned before = syncs;
    assert_int_equal(fixture_commit_empty(store), POT_EIO);
    assert_int_equal(syncs, before);
    assert_true(can_read(store));
    assert_int_equal(height_of(store), 2);
    assert_int_equal(store_unsynced(store, NULL), 1);
    store_close(store);
    scratch_remove(folder);
}

/* With what could not be written before. */
static void a_mended_disk_is_written_again(void **state)
{
    (void)state;
    char why[256] = "";
    char *folder = scratch_folder();
    struct store *store = open_with_genesis(folder);
    is_sync_failing = true;
    assert_int_equal(fixture_commit_empty(store), POT_EIO);
    assert_int_equal(store_cure(store, why, sizeof(why)), POT_EIO);
    assert_string_not_equal(why, "");
    assert_true(can_read(store));
    is_sync_failing = false;
    assert_int_equal(store_cure(store, NULL, 0), POT_OK);
    assert_int_equal(store_health(store), STORE_SOUND);
    assert_int_equal(store_unsynced(store, NULL), 0);
    assert_int_equal(fixture_commit_empty(store), POT_OK);
    check_and_close(store, folder, 3);
    scratch_remove(folder);
}

static enum pot_err commit_soon(struct store *store)
{
    struct overlay *overlay = overlay_new(store);
    enum pot_err err = fixture_commit_soon(store, overlay, true);
    overlay_free(overlay);
    return err;
}

/* Behind entries that were synced, those of the failed sync are written over:
 * the store that is opened again has them once.  The cure's first half alone
 * stands for a sync that comes before its second. */
static void a_sync_behind_a_failed_one_is_whole(void **state)
{
    (void)state;
    char why[256] = "";
    char *folder = scratch_folder();
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct store *store = open_with_genesis(folder); /* one is synced */
        bool is_fine =
            commit_soon(store) == POT_OK && commit_soon(store) == POT_OK;
        is_sync_failing = true;
        is_fine = is_fine && store_sync(store) == POT_EIO &&
                  store_unsynced(store, NULL) == 2;
        is_sync_failing = false;
        store->health = STORE_SOUND;
        is_fine = is_fine && commit_soon(store) == POT_OK &&
                  store_sync(store) == POT_OK &&
                  store_unsynced(store, NULL) == 0;
        _exit(is_fine ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    struct store *store;
    assert_int_equal(
        store_open(&store, folder, STORE_MAP_MIN, why, sizeof(why)), POT_OK);
    check_and_close(store, folder, 4);
    scratch_remove(folder);
}

/* The commit that LMDB says has failed has its meta page on the disk: the
 * layers are in it, and are unsynced no more. */
static void a_commit_that_stood_has_the_layers(void **state)
{
    (void)state;
    char why[256] = "";
    char *folder = scratch_folder();
    struct store *store = open_with_genesis(folder);
    assert_int_equal(commit_soon(store), POT_OK);
    is_meta_kept = true;
    is_meta_failing = true;
    assert_int_equal(store_write_nothing(store), POT_EIO);
    is_meta_failing = false;
    is_meta_kept = false;
    assert_int_equal(store_unsynced(store, NULL), 1);
    assert_int_equal(store_reopen_file(store, why, sizeof(why)), POT_OK);
    assert_int_equal(store_unsynced(store, NULL), 0);
    assert_null(store->top);
    assert_int_equal(store_cure(store, NULL, 0), POT_OK);
    assert_int_equal(store_sync(store), POT_OK);
    assert_int_equal(commit_soon(store), POT_OK);
    assert_int_equal(store_sync(store), POT_OK);
    check_and_close(store, folder, 3);
    scratch_remove(folder);
}

/* What a killed process may have left in the page cache alone is in LMDB,
 * synced, before anybody counts on it. */
static void a_start_syncs_what_it_finds(void **state)
{
    (void)state;
    int status;
    char *folder = scratch_folder();
    pid_t child = fork();
    if (child == 0) {
        struct store *store = open_with_genesis(folder);
        bool is_fine = commit_soon(store) == POT_OK;
        is_sync_lost = true;
        is_fine = is_fine && store_sync(store) == POT_OK;
        _exit(is_fine ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    struct store *store = fixture_open(folder);
    assert_null(store->top);
    assert_int_equal(height_of(store), 2);
    assert_int_equal(store_unsynced(store, NULL), 0);
    check_and_close(store, folder, 2);
    scratch_remove(folder);
}

static void what_fails_during_a_cure_is_not_overlooked(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    struct store *store = open_with_genesis(folder);
    store_ail(store, STORE_DISK_FULL);
    failing = store;
    assert_int_equal(store_cure(store, NULL, 0), POT_EIO);
    assert_null(failing);
    assert_int_equal(store_health(store), STORE_FAILED);
    assert_int_equal(store_cure(store, NULL, 0), POT_OK);
    assert_int_equal(store_health(store), STORE_SOUND);
    check_and_close(store, folder, 1);
    scratch_remove(folder);
}

/* LMDB says no more than that it panics, for ever: until it is opened anew. */
static void a_failed_meta_page_is_mended(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    struct store *store = open_with_genesis(folder);
    is_meta_failing = true;
    assert_int_equal(store_write_nothing(store), POT_EIO);
    is_meta_failing = false;
    assert_int_equal(store_health(store), STORE_FAILED);
    assert_int_equal(store_cure(store, NULL, 0), POT_OK);
    assert_int_equal(fixture_commit_empty(store), POT_OK);
    check_and_close(store, folder, 2);
    scratch_remove(folder);
}

/* Words for a person: the setting with its value. */
static void expect_text(const struct store *store, const char *part,
                        uint64_t bytes)
{
    char text[STORE_HEALTH_TEXT_SIZE];
    char wanted[64];
    (void)store_health_text(text, store, store_health(store));
    (void)snprintf(wanted, sizeof(wanted), "%s %llu", part,
                   (unsigned long long)(bytes >> 20));
    assert_non_null(strstr(text, wanted));
}

static void a_store_stops_before_the_disk_is_full(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    struct store_stats stats;
    struct store *store = open_with_genesis(folder);
    assert_int_equal(store_stats(store, &stats), POT_OK);
    store_set_limits(store, 2 * stats.disk_free_bytes, 0);
    assert_int_equal(fixture_commit_empty(store), POT_EFULL);
    assert_int_equal(store_health(store), STORE_DISK_FULL);
    expect_text(store, "storage.min_free_mb =", 2 * stats.disk_free_bytes);
    expect_text(store, "it goes on at", 5 * (stats.disk_free_bytes / 2));
    assert_int_equal(store_cure(store, NULL, 0), POT_EFULL);
    assert_true(can_read(store));
    store_set_limits(store, stats.disk_free_bytes / 4, 0);
    assert_int_equal(fixture_commit_empty(store), POT_EFULL); /* not cured */
    assert_int_equal(store_cure(store, NULL, 0), POT_OK);
    assert_int_equal(fixture_commit_empty(store), POT_OK);
    check_and_close(store, folder, 2);
    scratch_remove(folder);
}

static void a_store_grows_up_to_its_limit(void **state)
{
    (void)state;
    enum pot_err err = POT_OK;
    static uint8_t data[300 << 10];
    char *folder = scratch_folder();
    struct store *store = open_with_genesis(folder);
    store_set_limits(store, 0, 3 * STORE_MAP_MIN);
    struct hash hash = {{0}};
    for (uint8_t i = 1; err == POT_OK && i < 100; i++) {
        hash = (struct hash){{i}};
        err = store_blob_put(store, &hash, data, sizeof(data));
    }
    assert_int_equal(err, POT_EFULL);
    assert_int_equal(store_health(store), STORE_MAP_FULL);
    expect_text(store, "storage.max_size_mb =", 3 * STORE_MAP_MIN);
    assert_int_equal(store_cure(store, NULL, 0), POT_EFULL);
    assert_true(can_read(store));
    struct stat info;
    char *path = file_join(folder, "data.mdb");
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size <= 3 * (off_t)STORE_MAP_MIN);
    store_set_limits(store, 0, 8 * STORE_MAP_MIN);
    assert_int_equal(store_cure(store, NULL, 0), POT_OK);
    assert_int_equal(store_blob_put(store, &hash, data, sizeof(data)), POT_OK);
    check_and_close(store, folder, 1);
    free(path);
    scratch_remove(folder);
}

/* In the file of an open store, which maps it: replaces what by with. */
static void damage(const char *folder, const char *what, const char *with)
{
    char *bytes;
    size_t size;
    size_t length = strlen(what);
    bool is_found = false;
    char *path = file_join(folder, "data.mdb");
    assert_int_equal(file_read(&bytes, &size, path, 1 << 28), POT_OK);
    int fd = open(path, O_WRONLY);
    for (size_t at = 0; at + length <= size; at++) {
        if (memcmp(bytes + at, what, length) == 0) {
            is_found = true;
            assert_int_equal(pwrite(fd, with, length, (off_t)at), length);
        }
    }
    assert_true(is_found);
    (void)close(fd);
    free(bytes);
    free(path);
}

static void damage_ails_the_store_for_good(void **state)
{
    (void)state;
    struct buf out;
    static const char value[] = "a value that is to be damaged";
    char *folder = scratch_folder();
    struct store *store = open_with_genesis(folder);
    struct overlay *overlay = overlay_new(store);
    overlay_put(overlay, "key", 3, value, sizeof(value));
    overlay_put(overlay, "whole", 5, "w", 1);
    assert_int_equal(fixture_commit(store, overlay, NULL), POT_OK);
    assert_int_equal(store_write_nothing(store), POT_OK);
    overlay_free(overlay);
    damage(folder, "to be damaged", "to be DAMAGED");
    buf_init(&out, 100);
    assert_int_equal(store_state_get(store, "key", 3, &out), POT_ECORRUPT);
    assert_int_equal(out.size, 0);
    assert_int_equal(store_health(store), STORE_CORRUPT);
    assert_int_equal(fixture_commit_empty(store), POT_ECORRUPT);
    assert_int_equal(store_cure(store, NULL, 0), POT_ECORRUPT);
    assert_int_equal(store_state_get(store, "whole", 5, &out), POT_OK);
    buf_fini(&out);
    store_close(store);
    scratch_remove(folder);
}

static void a_sign_state_is_renewed_after_a_failed_sync(void **state)
{
    (void)state;
    size_t size;
    struct sign_state *s;
    static const struct hash chain = {{1}};
    struct key *key = key_generate();
    char *folder = scratch_folder();
    char *path = file_join(folder, "sign_state");
    assert_int_equal(sign_state_create(path, key_public(key), &chain), POT_OK);
    assert_int_equal(sign_state_open(&s, path, key_public(key), &chain),
                     POT_OK);
    assert_int_equal(sign_state_save(s, "one", 3), POT_OK);
    is_sync_failing = true;
    assert_int_equal(sign_state_save(s, "two", 3), POT_EIO);
    assert_int_equal(sign_state_renew(s), POT_EIO);
    is_sync_failing = false;
    assert_int_equal(sign_state_save(s, "three", 5), POT_EIO);

    /* What was not synced is not believed, though the file shows it. */
    assert_int_equal(sign_state_renew(s), POT_OK);
    assert_memory_equal(sign_state_record(s, &size), "one", 3);
    assert_int_equal(size, 3);
    sign_state_close(s);
    assert_int_equal(sign_state_open(&s, path, key_public(key), &chain),
                     POT_OK);
    assert_memory_equal(sign_state_record(s, &size), "one", 3);
    assert_int_equal(sign_state_save(s, "four", 4), POT_OK);
    sign_state_close(s);
    assert_int_equal(sign_state_open(&s, path, key_public(key), &chain),
                     POT_OK);
    assert_memory_equal(sign_state_record(s, &size), "four", 4);
    sign_state_close(s);
    free(path);
    key_free(key);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_sync_is_not_tried_again),
        cmocka_unit_test(a_mended_disk_is_written_again),
        cmocka_unit_test(a_sync_behind_a_failed_one_is_whole),
        cmocka_unit_test(a_commit_that_stood_has_the_layers),
        cmocka_unit_test(a_start_syncs_what_it_finds),
        cmocka_unit_test(what_fails_during_a_cure_is_not_overlooked),
        cmocka_unit_test(a_failed_meta_page_is_mended),
        cmocka_unit_test(a_store_stops_before_the_disk_is_full),
        cmocka_unit_test(a_store_grows_up_to_its_limit),
        cmocka_unit_test(damage_ails_the_store_for_good),
        cmocka_unit_test(a_sign_state_is_renewed_after_a_failed_sync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
