#include "config.h"

#include "storage/store_health.h"

#include "base/check.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Less room than this when a write fails: the disk counts as full. */
#define ROOM_MIN ((uint64_t)4 << 20)
/* And than this: it is not cured. */
#define CURE_MIN ((uint64_t)8 << 20)

enum store_health store_health(const struct store *store)
{
    return (enum store_health)store->health;
}

const char *store_health_name(enum store_health health)
{
    static const char *const names[STORE_HEALTHS] = {
#define X(code, name, text) name,
        STORE_HEALTH_MAP(X)
#undef X
    };
    POT_ASSERT((size_t)health < STORE_HEALTHS);
    return names[health];
}

static uint64_t disk_free(const struct store *store)
{
    struct statvfs disk;
    return fstatvfs(store->lock_fd, &disk) == 0
               ? (uint64_t)disk.f_bavail * disk.f_frsize
               : UINT64_MAX;
}

uint64_t store_health_room_to_cure(const struct store *store)
{
    uint64_t room = store->min_free_bytes + store->min_free_bytes / 4;
    return room > CURE_MIN ? room : CURE_MIN;
}

const char *store_health_text(char text[static STORE_HEALTH_TEXT_SIZE],
                              const struct store *store,
                              enum store_health health)
{
    static const char *const texts[STORE_HEALTHS] = {
#define X(code, name, text) text,
        STORE_HEALTH_MAP(X)
#undef X
    };
    POT_ASSERT((size_t)health < STORE_HEALTHS);
    size_t size = STORE_HEALTH_TEXT_SIZE;
    int used = snprintf(text, size, "%s", texts[health]);
    if (health == STORE_DISK_FULL) {
        (void)snprintf(
            text + used, size - (size_t)used,
            ": %llu MiB are free, and with storage.min_free_mb ="
            " %llu it goes on at %llu",
            (unsigned long long)(disk_free(store) >> 20),
            (unsigned long long)(store->min_free_bytes >> 20),
            (unsigned long long)(store_health_room_to_cure(store) >> 20));
    } else if (health == STORE_MAP_FULL) {
        (void)snprintf(text + used, size - (size_t)used, " = %llu",
                       (unsigned long long)(store->size_max >> 20));
    }
    return text;
}

void store_ail(struct store *store, enum store_health health)
{
    int known = store->health;
    while ((int)health > known &&
           !atomic_compare_exchange_weak(&store->health, &known, (int)health)) {
    }
}

void store_health_note(struct store *store, enum pot_err err,
                       enum store_health full)
{
    if (err == POT_ECORRUPT) {
        store_ail(store, STORE_CORRUPT);
    } else if (err == POT_EIO) {
        store_ail(store, STORE_FAILED);
    } else if (err == POT_EFULL) {
        store_ail(store, full);
    }
}

/* The process's limit on the size of a file leaves so many bytes. */
static bool may_grow(const struct store *store, uint64_t bytes)
{
    struct rlimit limit;
    struct stat file;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
        limit.rlim_cur == RLIM_INFINITY) {
        return true;
    }
    char *path = file_join(store->folder, "data.mdb");
    bool is_there = stat(path, &file) == 0;
    free(path);
    return !is_there || (uint64_t)file.st_size + bytes <= limit.rlim_cur;
}

bool store_health_has_room(const struct store *store, uint64_t bytes)
{
    return disk_free(store) >= bytes && may_grow(store, bytes);
}

void store_watch_disk(struct store *store)
{
    uint64_t least = store->min_free_bytes;
    if (least > 0 && !store_health_has_room(store, least)) {
        store_ail(store, STORE_DISK_FULL);
    }
}

enum pot_err store_health_admit(struct store *store)
{
    store_watch_disk(store);
    switch (store_health(store)) {
    case STORE_SOUND:
        return POT_OK;
    case STORE_DISK_FULL:
    case STORE_MAP_FULL:
        return POT_EFULL;
    case STORE_FAILED:
        return POT_EIO;
    case STORE_CORRUPT:
    case STORE_DIVERGED:
        break;
    }
    return POT_ECORRUPT;
}

void store_set_limits(struct store *store, uint64_t min_free_bytes,
                      uint64_t size_max)
{
    store->min_free_bytes = min_free_bytes;
    store->size_max = size_max;
}
