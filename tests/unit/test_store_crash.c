/* The writer is another process, killed at any moment, or short of room. */
#include "config.h"

#include "storage/store.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "storage/overlay.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOB_BYTES (100 << 10)

/* A block in which key "height" and a blob say the height. */
static enum pot_err commit_height(struct store *store, uint64_t height)
{
    static uint8_t data[BLOB_BYTES];
    struct hash hash;
    struct overlay *overlay = overlay_new(store);
    overlay_put(overlay, "height", 6, &height, sizeof(height));
    overlay_put(overlay, &height, sizeof(height), "x", 1);
    hash_bytes(&hash, "test", &height, sizeof(height));
    memcpy(data, &height, sizeof(height));
    overlay_blob_put(overlay, &hash, data, sizeof(data));
    if (height > 0) {
        height--;
        hash_bytes(&hash, "test", &height, sizeof(height));
        overlay_blob_del(overlay, &hash);
    }
    enum pot_err err = fixture_commit(store, overlay, NULL);
    overlay_free(overlay);
    return err;
}

/* The store is whole and every part of it stands at its tip. */
static bool is_consistent(struct store *store, uint64_t *height)
{
    struct store_report report;
    struct hash hash;
    struct buf buf;
    bool is_right = false;
    if (!store_tip(store, height, NULL, NULL)) {
        return false;
    }
    buf_init(&buf, 1 << 20);
    hash_bytes(&hash, "test", height, sizeof(*height));
    is_right = store_state_get(store, "height", 6, &buf) == POT_OK &&
               memcmp(buf.data, height, sizeof(*height)) == 0 &&
               store_blob_get(store, &hash, &buf) == POT_OK &&
               memcmp(buf.data, height, sizeof(*height)) == 0 &&
               store_verify(store, &report, NULL, NULL) == POT_OK &&
               report.blobs == 1 && report.state_keys == *height + 2;
    buf_fini(&buf);
    return is_right;
}

static _Noreturn void write_until_killed(const char *folder, int out)
{
    struct store *store = fixture_open(folder);
    uint64_t height = 0;
    if (store_tip(store, &height, NULL, NULL)) {
        height++;
    }
    for (;; height++) {
        if (commit_height(store, height) != POT_OK ||
            write(out, &height, sizeof(height)) != sizeof(height)) {
            _exit(1);
        }
    }
}

static void a_killed_writer_loses_nothing_acknowledged(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    uint64_t seed = 42;
    uint64_t acknowledged = 0;
    for (int run = 0; run < 12; run++) {
        int pipes[2];
        uint64_t height;
        int status;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            (void)close(pipes[0]);
            write_until_killed(folder, pipes[1]);
        }
        (void)close(pipes[1]);
        for (uint64_t i = rng_next(&seed) % 12 + 1; i > 0; i--) {
            assert_int_equal(
                read(pipes[0], &acknowledged, sizeof(acknowledged)),
                sizeof(acknowledged));
        }
        /* Somewhere within the next block. */
        struct hash busy = {{0}};
        for (uint64_t i = rng_next(&seed) % 8000; i > 0; i--) {
            hash_bytes(&busy, "test", busy.b, HASH_SIZE);
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(pipes[0], &acknowledged, sizeof(acknowledged)) ==
               sizeof(acknowledged)) {
        }
        (void)close(pipes[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        struct store *store = fixture_open(folder);
        assert_true(is_consistent(store, &height));
        assert_true(height == acknowledged || height == acknowledged + 1);
        store_close(store);
    }
    scratch_remove(folder);
}

/* Writes blobs until there is no room, then makes room and goes on. */
static int fill(const char *folder, void (*make_room)(const char *folder))
{
    size_t size = 300 << 10;
    uint8_t *data = pot_calloc(size, 1);
    struct store *store = fixture_open(folder);
    uint64_t height;
    enum pot_err err = commit_height(store, 0);
    uint8_t i = 0;
    for (; err == POT_OK && i < 200; i++) {
        struct hash hash = {{i}};
        const struct store_blob blob = {hash, data, size};
        err = store_blobs_hold(store, &blob, 1);
    }
    int status = err == POT_EFULL && i > 1 ? 0 : 1;
    /* Nothing changed, and reads go on. */
    struct hash last = {{(uint8_t)(i - 1)}};
    struct hash first = {{0}};
    if (store_blob_has(store, &last, NULL) ||
        !store_blob_has(store, &first, NULL) ||
        !store_tip(store, &height, NULL, NULL) || height != 0) {
        status |= 2;
    }
    status |= store_health(store) == STORE_DISK_FULL &&
                      store_cure(store, NULL, 0) == POT_EFULL &&
                      store_blobs_release(store, &first, 1) == POT_EFULL
                  ? 0
                  : 4;
    make_room(folder);
    status |= store_cure(store, NULL, 0) == POT_OK &&
                      store_health(store) == STORE_SOUND &&
                      store_blobs_release_all(store) == POT_OK
                  ? 0
                  : 8;
    status |= commit_height(store, 1) == POT_OK ? 0 : 16;
    status |= is_consistent(store, &height) && height == 1 ? 0 : 32;
    store_close(store);
    store = fixture_open(folder);
    status |= is_consistent(store, &height) && height == 1 ? 0 : 64;
    store_close(store);
    free(data);
    return status;
}

static void lift_limit(const char *folder)
{
    (void)folder;
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

static int fill_to_the_limit(const char *folder)
{
    struct rlimit limit = {.rlim_cur = 5000000, .rlim_max = RLIM_INFINITY};
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    return fill(folder, lift_limit);
}

static void a_file_size_limit_is_a_full_disk(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(fill_to_the_limit(folder));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    scratch_remove(folder);
}

/* Opens a new store with so much room in its files, then with enough. */
static int make_twice(const char *folder, size_t room)
{
    struct rlimit limit = {.rlim_cur = room, .rlim_max = RLIM_INFINITY};
    struct store *store;
    uint64_t height;
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    enum pot_err err = store_open(&store, folder, STORE_MAP_MIN, NULL, 0);
    store_close(store);
    lift_limit(folder);
    if (err == POT_OK) {
        return 1;
    }
    store = fixture_open(folder);
    bool is_whole =
        commit_height(store, 0) == POT_OK && is_consistent(store, &height);
    store_close(store);
    return is_whole ? 0 : 2;
}

static void a_store_half_made_is_made_again(void **state)
{
    static const size_t rooms[] = {0, 1000, 4096, 5000, 8192, 9000, 20000};
    (void)state;
    for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
        char *folder = scratch_folder();
        int status;
        pid_t child = fork();
        if (child == 0) {
            _exit(make_twice(folder, rooms[i]));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        scratch_remove(folder);
    }
}

#define NO_MOUNT 127

static void enlarge(const char *folder)
{
    (void)mount(NULL, folder, NULL, MS_REMOUNT, "size=64m");
}

static int fill_small_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("pot-test", folder, "tmpfs", 0, "size=4m") != 0) {
        return NO_MOUNT;
    }
    return fill(folder, enlarge);
}

static void a_full_disk_is_survived(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(fill_small_disk(folder));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    scratch_remove(folder);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_MOUNT) {
        skip(); /* no right to mount a small disk */
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_store_set_back_to_an_older_file_is_refused(void **state)
{
    (void)state;
    char *folder = scratch_folder();
    char *path = file_join(folder, "data.mdb");
    char why[256];
    char *old;
    size_t size;
    struct store *store = fixture_open(folder);
    assert_int_equal(commit_height(store, 0), POT_OK);
    assert_int_equal(commit_height(store, 1), POT_OK);
    store_close(store);
    assert_int_equal(file_read(&old, &size, path, 1 << 28), POT_OK);
    store = fixture_open(folder);
    assert_int_equal(commit_height(store, 2), POT_OK);
    store_close(store);
    assert_int_equal(file_replace(path, 0600, old, size), POT_OK);
    assert_int_equal(
        store_open(&store, folder, STORE_MAP_MIN, why, sizeof(why)),
        POT_ECORRUPT);
    assert_non_null(strstr(why, "height 2"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(
        store_open(&store, folder, STORE_MAP_MIN, why, sizeof(why)),
        POT_ECORRUPT);
    free(old);
    free(path);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_writer_loses_nothing_acknowledged),
        cmocka_unit_test(a_file_size_limit_is_a_full_disk),
        cmocka_unit_test(a_store_half_made_is_made_again),
        cmocka_unit_test(a_full_disk_is_survived),
        cmocka_unit_test(a_store_set_back_to_an_older_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
