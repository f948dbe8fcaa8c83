#include "config.h"

#include "node/hold/chunk_cache.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "proto/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define CHUNKS_FOLDER "chunks"
#define ROWS_PREFIX   "rows-"
#define ROWS_SUFFIX   ".pds"

struct entry {
    struct hash hash;
    size_t size;
    uint64_t used;   /* number of its last use */
    bool is_written; /* otherwise some thread is at it */
    bool is_checked; /* since the start */
    bool is_new;     /* put, and not read yet */
};

struct chunk_cache {
    uv_mutex_t mutex; /* of all that follows but the two texts */
    char *folder;
    char *chunks;       /* a folder in it */
    struct map entries; /* hash -> struct entry */
    uint64_t uses;
    uint64_t rows_files;
    struct chunk_cache_stats stats;
};

static char *path_of(const struct chunk_cache *cache, const struct hash *hash)
{
    char text[HASH_TEXT_SIZE];
    return file_join(cache->chunks, hash_format(hash, text));
}

/* ---- under the mutex */

static struct entry *add_entry(struct chunk_cache *cache,
                               const struct hash *hash, size_t size)
{
    struct entry *entry = pot_calloc(1, sizeof(*entry));
    entry->hash = *hash;
    entry->size = size;
    entry->used = ++cache->uses;
    (void)map_put(&cache->entries, hash->b, entry);
    cache->stats.bytes += size;
    cache->stats.chunks++;
    return entry;
}

static void drop_entry(struct chunk_cache *cache, struct entry *entry)
{
    char *path = path_of(cache, &entry->hash);
    (void)unlink(path);
    free(path);
    (void)map_remove(&cache->entries, entry->hash.b);
    cache->stats.bytes -= entry->size;
    cache->stats.chunks--;
    free(entry);
}

/* The one that was used longest ago; NULL: none can go. */
static struct entry *find_oldest(const struct chunk_cache *cache)
{
    struct entry *oldest = NULL;
    size_t cursor = 0;
    for (const struct map_slot *slot;
         (slot = map_next(&cache->entries, &cursor)) != NULL;) {
        struct entry *entry = slot->value;
        if (entry->is_written &&
            (oldest == NULL || entry->used < oldest->used)) {
            oldest = entry;
        }
    }
    return oldest;
}

static void make_room(struct chunk_cache *cache, size_t size)
{
    struct entry *oldest = NULL;
    while (cache->stats.bytes + size > cache->stats.bytes_max &&
           (oldest = find_oldest(cache)) != NULL) {
        drop_entry(cache, oldest);
        cache->stats.evictions++;
    }
}

/* ---- opening */

struct found {
    struct hash hash;
    size_t size;
    struct timespec changed;
};

static int compare_found(const void *a, const void *b)
{
    const struct timespec *x = &((const struct found *)a)->changed;
    const struct timespec *y = &((const struct found *)b)->changed;
    return x->tv_sec != y->tv_sec
               ? (x->tv_sec > y->tv_sec) - (x->tv_sec < y->tv_sec)
               : (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* A file in the chunks' folder: it joins the list, or goes. */
static void find_chunk(struct found **list, size_t *count, const char *path,
                       const char *name)
{
    char text[HASH_TEXT_SIZE];
    struct stat info;
    struct found found;
    if (hash_parse(&found.hash, name) != POT_OK ||
        strcmp(hash_format(&found.hash, text), name) != 0 ||
        file_stat(path, &info) != POT_OK || !S_ISREG(info.st_mode) ||
        info.st_size <= 0 || info.st_size > DATASET_CHUNK_BYTES) {
        (void)unlink(path);
        return;
    }
    found.size = (size_t)info.st_size;
    found.changed = info.st_mtim;
    *list = pot_realloc(*list, *count + 1, sizeof(**list));
    (*list)[(*count)++] = found;
}

static enum pot_err take_chunks(struct chunk_cache *cache)
{
    struct found *list = NULL;
    size_t count = 0;
    DIR *folder = opendir(cache->chunks);
    if (folder == NULL) {
        return err_from_errno(errno);
    }
    for (const struct dirent *file; (file = readdir(folder)) != NULL;) {
        if (file->d_name[0] != '.') {
            char *path = file_join(cache->chunks, file->d_name);
            find_chunk(&list, &count, path, file->d_name);
            free(path);
        }
    }
    (void)closedir(folder);
    if (count > 0) {
        qsort(list, count, sizeof(*list), compare_found);
    }
    for (size_t i = 0; i < count; i++) {
        add_entry(cache, &list[i].hash, list[i].size)->is_written = true;
    }
    free(list);
    make_room(cache, 0);
    return POT_OK;
}

static enum pot_err drop_rows_files(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return err_from_errno(errno);
    }
    for (const struct dirent *file; (file = readdir(folder)) != NULL;) {
        if (strncmp(file->d_name, ROWS_PREFIX, strlen(ROWS_PREFIX)) == 0) {
            char *left = file_join(path, file->d_name);
            (void)unlink(left);
            free(left);
        }
    }
    (void)closedir(folder);
    return POT_OK;
}

enum pot_err chunk_cache_open(struct chunk_cache **out, const char *folder,
                              uint64_t bytes_max)
{
    POT_ASSERT(bytes_max >= DATASET_CHUNK_BYTES);
    struct chunk_cache *cache = pot_calloc(1, sizeof(*cache));
    int rc = uv_mutex_init(&cache->mutex);
    POT_ASSERT(rc == 0);
    cache->folder = pot_strdup(folder);
    cache->chunks = file_join(folder, CHUNKS_FOLDER);
    cache->stats.bytes_max = bytes_max;
    enum pot_err err = file_make_folder(cache->chunks, 0750);
    if (err == POT_OK) {
        err = drop_rows_files(folder);
    }
    if (err == POT_OK) {
        err = take_chunks(cache);
    }
    if (err != POT_OK) {
        chunk_cache_close(cache);
        cache = NULL;
    }
    *out = cache;
    return err;
}

void chunk_cache_close(struct chunk_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    map_fini_free(&cache->entries);
    uv_mutex_destroy(&cache->mutex);
    free(cache->folder);
    free(cache->chunks);
    free(cache);
}

/* ---- use; files are read and written without the mutex */

/* NULL: there is none that could be read. */
static struct entry *find_written(const struct chunk_cache *cache,
                                  const struct hash *hash)
{
    struct entry *entry = map_get(&cache->entries, hash->b);
    return entry != NULL && entry->is_written ? entry : NULL;
}

bool chunk_cache_has(struct chunk_cache *cache, const struct hash *hash)
{
    uv_mutex_lock(&cache->mutex);
    bool has = find_written(cache, hash) != NULL;
    uv_mutex_unlock(&cache->mutex);
    return has;
}

static bool read_chunk(struct buf *out, const struct chunk_cache *cache,
                       const struct hash *hash)
{
    char *path = path_of(cache, hash);
    size_t size = 0;
    buf_clear(out);
    uint8_t *room = buf_extend(out, DATASET_CHUNK_BYTES);
    bool is_read =
        room != NULL &&
        file_read_into(path, room, DATASET_CHUNK_BYTES, &size) == POT_OK;
    out->size = is_read ? size : 0;
    free(path);
    return is_read;
}

/* What became of a read: a file that is gone was evicted meanwhile. */
static void note_read(struct chunk_cache *cache, const struct hash *hash,
                      bool is_read, bool is_right)
{
    uv_mutex_lock(&cache->mutex);
    struct entry *entry = find_written(cache, hash);
    if (entry != NULL && is_right) {
        cache->stats.hits += entry->is_new ? 0 : 1;
        entry->is_checked = true;
        entry->is_new = false;
    } else if (entry != NULL) {
        cache->stats.damaged += is_read ? 1 : 0;
        drop_entry(cache, entry);
    }
    uv_mutex_unlock(&cache->mutex);
}

bool chunk_cache_get(struct chunk_cache *cache, const struct hash *hash,
                     struct buf *out)
{
    bool is_checked = false;
    size_t size = 0;
    uv_mutex_lock(&cache->mutex);
    struct entry *entry = find_written(cache, hash);
    if (entry != NULL) {
        entry->used = ++cache->uses;
        is_checked = entry->is_checked;
        size = entry->size;
    }
    uv_mutex_unlock(&cache->mutex);
    if (entry == NULL) {
        return false;
    }
    bool is_read = read_chunk(out, cache, hash);
    bool is_right =
        is_read && out->size == size &&
        (is_checked || dataset_is_chunk(hash, out->data, out->size));
    note_read(cache, hash, is_read, is_right);
    return is_right;
}

static enum pot_err write_chunk(const struct chunk_cache *cache,
                                const struct hash *hash, const void *data,
                                size_t size)
{
    char *path = path_of(cache, hash);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    enum pot_err err = fd < 0 ? err_from_errno(errno) : POT_OK;
    if (err == POT_OK) {
        err = file_write_all(fd, data, size);
        if (close(fd) != 0 && err == POT_OK) {
            err = err_from_errno(errno);
        }
    }
    free(path);
    return err;
}

enum pot_err chunk_cache_put(struct chunk_cache *cache, const struct hash *hash,
                             const void *data, size_t size)
{
    POT_ASSERT(size > 0 && size <= DATASET_CHUNK_BYTES);
    uv_mutex_lock(&cache->mutex);
    struct entry *entry = NULL;
    if (map_get(&cache->entries, hash->b) == NULL) {
        make_room(cache, size);
        entry = add_entry(cache, hash, size);
    }
    uv_mutex_unlock(&cache->mutex);
    if (entry == NULL) { /* there, or another thread is at it */
        return POT_OK;
    }
    enum pot_err err = write_chunk(cache, hash, data, size);
    uv_mutex_lock(&cache->mutex);
    if (err == POT_OK) {
        entry->is_written = true;
        entry->is_new = true;
        cache->stats.misses++;
        cache->stats.fetched_bytes += size;
    } else {
        drop_entry(cache, entry);
    }
    uv_mutex_unlock(&cache->mutex);
    return err;
}

char *chunk_cache_rows_path(struct chunk_cache *cache)
{
    char name[64];
    uv_mutex_lock(&cache->mutex);
    (void)snprintf(name, sizeof(name), ROWS_PREFIX "%" PRIu64 ROWS_SUFFIX,
                   ++cache->rows_files);
    uv_mutex_unlock(&cache->mutex);
    return file_join(cache->folder, name);
}

uint64_t chunk_cache_bytes_max(const struct chunk_cache *cache)
{
    return cache->stats.bytes_max;
}

void chunk_cache_stats(struct chunk_cache *cache, struct chunk_cache_stats *out)
{
    *out = (struct chunk_cache_stats){0};
    if (cache != NULL) {
        uv_mutex_lock(&cache->mutex);
        *out = cache->stats;
        uv_mutex_unlock(&cache->mutex);
    }
}
