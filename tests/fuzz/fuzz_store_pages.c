/* The pages of a store's file.  The input patches a small whole file: each
 * five bytes are u8 page, u16 offset, u8 length, u8 value. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "storage/overlay.h"
#include "storage/store.h"
#include "storage/store_pages.h"
#include "tests/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *whole;
static size_t whole_size;

static void make_store(const char *folder)
{
    struct store *store;
    struct store_commit commit = {.height = 0};
    static const uint8_t blob[3 * PAGE];
    POT_ASSERT(store_open(&store, folder, STORE_MAP_MIN, NULL, 0) == POT_OK);
    struct overlay *overlay = overlay_new(store);
    for (unsigned i = 0; i < 200; i++) {
        overlay_put(overlay, &i, sizeof(i), &i, sizeof(i));
    }
    POT_ASSERT(overlay_root(overlay, &commit.state_root) == POT_OK);
    POT_ASSERT(store_commit(store, &commit, overlay) == POT_OK);
    overlay_free(overlay);
    for (uint8_t i = 0; i < 3; i++) {
        struct hash hash = {{i}};
        POT_ASSERT(store_blob_put(store, &hash, blob, sizeof(blob)) == POT_OK);
    }
    store_close(store);
}

static void read_store(const char *folder)
{
    char *path = file_join(folder, "data.mdb");
    POT_ASSERT(file_read(&whole, &whole_size, path, 1 << 24) == POT_OK);
    free(path);
}

static void ignore(void *context, const struct store_pages_record *record)
{
    unsigned *count = context;
    *count += record->table_size > 0 && record->key_size > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[128];
    uint64_t transaction;
    unsigned count = 0;
    struct store_pages_options options = {.on_record = ignore,
                                          .context = &count};
    if (whole == NULL) {
        char *folder = scratch_folder();
        make_store(folder);
        read_store(folder);
        scratch_remove(folder);
    }
    char *copy = pot_memdup(whole, whole_size);
    size_t pages = whole_size / PAGE;
    for (; size >= 5; data += 5, size -= 5) {
        size_t offset = (size_t)(data[1] | data[2] << 8) % PAGE;
        size_t length = data[3] % 16u;
        if (offset + length <= PAGE) {
            memset(copy + data[0] % pages * PAGE + offset, data[4], length);
        }
    }
    int fd = memfd_create("pot-fuzz", MFD_CLOEXEC);
    POT_ASSERT(fd >= 0);
    POT_ASSERT(file_write_all(fd, copy, whole_size - size * 100) == POT_OK);
    enum pot_err err =
        store_pages_check(fd, &options, &transaction, why, sizeof(why));
    POT_ASSERT(err == POT_OK || why[0] != '\0');
    (void)close(fd);
    free(copy);
    return 0;
}
