/* A failed sync says nothing of what is on the disk, and saying sync again
 * would be told that all is well: the kernel forgot what it could not write.
 * So nothing that a failed write touched is built upon.  The file is opened
 * anew and checked as at a start; what LMDB has committed was synced before,
 * and whatever comes is written from scratch, to pages that nothing refers
 * to, and synced with them. */
#include "config.h"

#include "storage/store.h"

#include "base/check.h"
#include "base/file.h"
#include "storage/store_health.h"
#include "storage/store_open.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROBE_BYTES ((size_t)1 << 20)

/* Whether the disk takes a file and syncs it. */
static enum pot_err probe(const struct store *store)
{
    static const uint8_t block[4096] = {1};
    struct file_replacement file;
    char *path = file_join(store->folder, "probe");
    enum pot_err err = file_replace_begin(&file, path, 0600);
    if (err == POT_OK) {
        for (size_t n = 0; err == POT_OK && n < PROBE_BYTES;
             n += sizeof(block)) {
            err = file_write_all(file.fd, block, sizeof(block));
        }
        err = file_replace_end(&file, err);
    }
    (void)unlink(path);
    free(path);
    return err;
}

static enum pot_err cure_full(struct store *store)
{
    if (!store_health_has_room(store, store_health_room_to_cure(store))) {
        return POT_EFULL;
    }
    return probe(store);
}

/* The map: room in it is room below the limit, or a higher limit. */
static enum pot_err cure_map(struct store *store)
{
    struct store_stats stats;
    enum pot_err err = store_stats(store, &stats);
    if (err == POT_OK && store->size_max > 0 &&
        store->size_max < stats.map_bytes + STORE_MAP_MIN) {
        err = POT_EFULL;
    }
    return err == POT_OK ? cure_full(store) : err;
}

static enum pot_err cure_failed(struct store *store, char *why, size_t why_size)
{
    enum pot_err err = cure_full(store);
    return err == POT_OK ? store_reopen_file(store, why, why_size) : err;
}

/* Whether what can be done about its health was done. */
static enum pot_err treat(struct store *store, char *why, size_t why_size)
{
    enum pot_err err = POT_OK;
    int locked = pthread_mutex_lock(&store->writer);
    POT_ASSERT(locked == 0);
    enum store_health treated = store_health(store);
    int known = (int)treated;
    switch (treated) {
    case STORE_SOUND:
        break;
    case STORE_DISK_FULL:
        err = cure_full(store);
        break;
    case STORE_MAP_FULL:
        err = cure_map(store);
        break;
    case STORE_FAILED:
        err = cure_failed(store, why, why_size);
        break;
    case STORE_CORRUPT:
    case STORE_DIVERGED:
        err = POT_ECORRUPT;
        break;
    }
    store_health_note(store, err, STORE_DISK_FULL);
    if (err == POT_OK) { /* unless something worse was found meanwhile */
        (void)atomic_compare_exchange_strong(&store->health, &known,
                                             (int)STORE_SOUND);
    }
    (void)pthread_mutex_unlock(&store->writer);
    return err;
}

/* The proof is a commit. */
enum pot_err store_cure(struct store *store, char *why, size_t why_size)
{
    char spare[256] = "";
    enum pot_err err = treat(store, spare, sizeof(spare));
    if (err == POT_OK) {
        err = store_write_nothing(store);
    }
    if (err != POT_OK && why != NULL) {
        (void)snprintf(why, why_size, "%s",
                       spare[0] != '\0' ? spare : err_text(err));
    }
    return err;
}
