/* Commits a second of the store: empty blocks, blocks with state, blocks
 * that replace two blobs; and how long opening takes.
 *
 *   bench_store [FOLDER]   in a fresh folder below FOLDER, else $TMPDIR */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double now(void)
{
    return (double)clock_steady_us() / 1e6;
}

static void put_keys(struct overlay *overlay, size_t keys, uint64_t *seed)
{
    uint8_t value[100] = {0};
    for (size_t i = 0; i < keys; i++) {
        uint64_t key[4] = {rng_next(seed) % 100000, 1, 2, 3};
        memcpy(value, key, sizeof(key));
        overlay_put(overlay, key, sizeof(key), value, sizeof(value));
    }
}

static void put_blobs(struct overlay *overlay, unsigned block, size_t size)
{
    uint8_t *data = pot_calloc(size, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct hash hash;
        unsigned number = 2 * block + i;
        memcpy(data, &number, sizeof(number));
        hash_bytes(&hash, "blob", data, size);
        overlay_blob_put(overlay, &hash, data, size);
        if (block > 0) {
            number -= 2;
            memcpy(data, &number, sizeof(number));
            hash_bytes(&hash, "blob", data, size);
            overlay_blob_del(overlay, &hash);
        }
    }
    free(data);
}

static double run(struct store *store, const char *what, unsigned blocks,
                  size_t keys, size_t blob_size, double empty)
{
    uint64_t seed = 7;
    double start = now();
    for (unsigned i = 0; i < blocks; i++) {
        struct overlay *overlay = overlay_new(store);
        put_keys(overlay, keys, &seed);
        if (blob_size > 0) {
            put_blobs(overlay, i, blob_size);
        }
        POT_ASSERT(fixture_commit(store, overlay, NULL) == POT_OK);
        overlay_free(overlay);
    }
    double each = (now() - start) / blocks;
    printf("%-28s %8.0f blocks/s  %9.0f keys/s  %7.3f ms", what, 1 / each,
           (double)keys / each, 1000 * each);
    printf(empty > 0 ? "  %5.2f x empty\n" : "\n", each / empty);
    return each;
}

static void run_root(struct store *store, size_t keys)
{
    uint64_t seed = 9;
    struct hash root;
    struct overlay *overlay = overlay_new(store);
    put_keys(overlay, keys, &seed);
    double start = now();
    POT_ASSERT(overlay_root(overlay, &root) == POT_OK);
    printf("%-28s %8.3f ms for %zu keys\n", "root alone",
           1000 * (now() - start), keys);
    overlay_free(overlay);
}

int main(int argc, char **argv)
{
    struct store_stats stats;
    struct store_report report;
    if (argc > 1) {
        (void)setenv("TMPDIR", argv[1], 1);
    }
    char *folder = scratch_folder();
    struct store *store = fixture_open(folder);
    double empty = run(store, "empty", 500, 0, 0, 0);
    (void)run(store, "300 keys", 500, 300, 0, empty);
    (void)run(store, "2 blobs of 400 KiB", 200, 0, 400 << 10, empty);
    (void)run(store, "300 keys, 2 blobs of 4 MiB", 50, 300, 4 << 20, empty);
    run_root(store, 300);
    store_close(store);
    double start = now();
    store = fixture_open(folder);
    double opened = now() - start;
    POT_ASSERT(store_stats(store, &stats) == POT_OK);
    printf("%-28s %8.3f ms, %llu state keys, %llu MiB\n", "open", 1000 * opened,
           (unsigned long long)stats.state_keys,
           (unsigned long long)(stats.file_bytes >> 20));
    start = now();
    POT_ASSERT(store_verify(store, &report, NULL, NULL) == POT_OK);
    printf("%-28s %8.3f ms, %llu records\n", "verify", 1000 * (now() - start),
           (unsigned long long)report.records);
    store_close(store);
    scratch_remove(folder);
    return 0;
}
