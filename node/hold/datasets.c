#include "config.h"

#include "node/hold/datasets.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "proto/codec.h"
#include "storage/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#define ANNOUNCED_MAX 1024

struct entry {
    struct hash address;
    uint64_t size_bytes;
    uint64_t rows;
    uint32_t features;
    uint32_t classes;
    size_t chunk_count;
    struct hash *chunks;
    char *path;
    void *mapped; /* NULL until loaded */
    struct dataset dataset;
};

struct datasets_book {
    uv_mutex_t mutex;   /* of entries and what is in them */
    uv_mutex_t loading; /* held while a file is made: one at a time */
    char *folder;
    struct store *store;
    struct map entries; /* address -> struct entry; entries are never freed
                           before datasets_close */
};

enum pot_err datasets_open(struct datasets_book **out, const char *folder,
                           struct store *store)
{
    *out = NULL;
    enum pot_err err = file_make_folder(folder, 0750);
    if (err != POT_OK) {
        return err;
    }
    struct datasets_book *book = pot_calloc(1, sizeof(*book));
    int rc = uv_mutex_init(&book->mutex);
    POT_ASSERT(rc == 0);
    rc = uv_mutex_init(&book->loading);
    POT_ASSERT(rc == 0);
    book->folder = pot_strdup(folder);
    book->store = store;
    *out = book;
    return POT_OK;
}

static void entry_free(struct entry *entry)
{
    if (entry->mapped != NULL) {
        (void)munmap(entry->mapped, entry->size_bytes);
    }
    free(entry->chunks);
    free(entry->path);
    free(entry);
}

void datasets_close(struct datasets_book *book)
{
    size_t cursor = 0;
    if (book == NULL) {
        return;
    }
    for (const struct map_slot *slot;
         (slot = map_next(&book->entries, &cursor)) != NULL;) {
        entry_free(slot->value);
    }
    map_fini(&book->entries);
    uv_mutex_destroy(&book->mutex);
    uv_mutex_destroy(&book->loading);
    free(book->folder);
    free(book);
}

static struct entry *find(struct datasets_book *book,
                          const struct hash *address)
{
    uv_mutex_lock(&book->mutex);
    struct entry *entry = map_get(&book->entries, address->b);
    uv_mutex_unlock(&book->mutex);
    return entry;
}

static size_t chunk_size(const struct entry *entry, size_t index)
{
    return index + 1 < entry->chunk_count
               ? DATASET_CHUNK_BYTES
               : entry->size_bytes -
                     (entry->chunk_count - 1) * (size_t)DATASET_CHUNK_BYTES;
}

/* The description's own consistency: chunk count and address. */
static enum pot_err entry_new(struct entry **out, const char *folder,
                              const Pot__PublishDataset *d)
{
    struct hash address;
    struct hash made;
    char text[HASH_TEXT_SIZE];
    uint64_t chunks = d->size_bytes / DATASET_CHUNK_BYTES +
                      (d->size_bytes % DATASET_CHUNK_BYTES != 0 ? 1 : 0);
    if (!codec_hash(&address, d->dataset) || d->size_bytes == 0 ||
        chunks != d->n_chunks || chunks > DATASET_CHUNKS_MAX) {
        return POT_EFORMAT;
    }
    struct entry *entry = pot_calloc(1, sizeof(*entry));
    entry->chunks = pot_calloc(d->n_chunks, sizeof(*entry->chunks));
    entry->chunk_count = d->n_chunks;
    for (size_t i = 0; i < d->n_chunks; i++) {
        if (!codec_hash(&entry->chunks[i], d->chunks[i])) {
            entry_free(entry);
            return POT_EFORMAT;
        }
    }
    dataset_address(&made, entry->chunks, entry->chunk_count);
    if (!hash_equal(&made, &address)) {
        entry_free(entry);
        return POT_EFORMAT;
    }
    entry->address = address;
    entry->size_bytes = d->size_bytes;
    entry->rows = d->rows;
    entry->features = d->features;
    entry->classes = d->classes;
    char name[HASH_TEXT_SIZE + 8];
    (void)snprintf(name, sizeof(name), "%s.pds", hash_format(&address, text));
    entry->path = file_join(folder, name);
    *out = entry;
    return POT_OK;
}

enum pot_err datasets_announce(struct datasets_book *book,
                               const Pot__PublishDataset *description)
{
    struct hash address;
    struct entry *entry = NULL;
    if (codec_hash(&address, description->dataset) &&
        find(book, &address) != NULL) {
        return POT_OK;
    }
    enum pot_err err = entry_new(&entry, book->folder, description);
    if (err != POT_OK) {
        return err;
    }
    uv_mutex_lock(&book->mutex);
    bool is_full = book->entries.count >= ANNOUNCED_MAX;
    if (!is_full) {
        (void)map_put(&book->entries, entry->address.b, entry);
    }
    uv_mutex_unlock(&book->mutex);
    if (is_full) {
        entry_free(entry);
        return POT_ELIMIT;
    }
    return POT_OK;
}

bool datasets_next_missing(struct datasets_book *book,
                           const struct hash *address, size_t *cursor,
                           uint32_t *index, struct hash *hash)
{
    const struct entry *entry = find(book, address);
    if (entry == NULL || datasets_find(book, address) != NULL) {
        return false;
    }
    while (*cursor < entry->chunk_count) {
        size_t i = (*cursor)++;
        if (!store_blob_has(book->store, &entry->chunks[i], NULL)) {
            *index = (uint32_t)i;
            *hash = entry->chunks[i];
            return true;
        }
    }
    return false;
}

size_t datasets_missing(struct datasets_book *book, const struct hash *address,
                        uint32_t *indexes, size_t limit)
{
    size_t missing = 0;
    size_t cursor = 0;
    uint32_t index;
    struct hash hash;
    while (datasets_next_missing(book, address, &cursor, &index, &hash)) {
        if (missing < limit) {
            indexes[missing] = index;
        }
        missing++;
    }
    return missing;
}

enum pot_err datasets_put_chunk(struct datasets_book *book,
                                const struct hash *address, uint32_t index,
                                const void *data, size_t size)
{
    struct hash hash;
    const struct entry *entry = find(book, address);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    if (index >= entry->chunk_count) {
        return POT_ERANGE;
    }
    dataset_chunk_hash(&hash, data, size);
    if (size != chunk_size(entry, index) ||
        !hash_equal(&hash, &entry->chunks[index])) {
        return POT_EFORMAT;
    }
    if (store_blob_has(book->store, &hash, NULL)) {
        return POT_OK;
    }
    return store_blob_put(book->store, &hash, data, size);
}

/* Every chunk of the mapped file has its hash. */
static bool file_is_whole(const struct entry *entry, const uint8_t *data)
{
    for (size_t i = 0; i < entry->chunk_count; i++) {
        struct hash hash;
        dataset_chunk_hash(&hash, data + i * (size_t)DATASET_CHUNK_BYTES,
                           chunk_size(entry, i));
        if (!hash_equal(&hash, &entry->chunks[i])) {
            return false;
        }
    }
    return true;
}

static void *map_file(const struct entry *entry)
{
    void *data = MAP_FAILED;
    struct stat info;
    int fd = open(entry->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &info) == 0 && (uint64_t)info.st_size == entry->size_bytes) {
        data = mmap(NULL, entry->size_bytes, PROT_READ, MAP_SHARED, fd, 0);
    }
    (void)close(fd);
    if (data == MAP_FAILED) {
        return NULL;
    }
    if (!file_is_whole(entry, data)) {
        (void)munmap(data, entry->size_bytes);
        return NULL;
    }
    return data;
}

static enum pot_err write_file(struct datasets_book *book,
                               const struct entry *entry)
{
    struct file_replacement file;
    struct buf chunk;
    enum pot_err err = file_replace_begin(&file, entry->path, 0640);
    if (err != POT_OK) {
        return err;
    }
    buf_init(&chunk, DATASET_CHUNK_BYTES);
    for (size_t i = 0; err == POT_OK && i < entry->chunk_count; i++) {
        err = store_blob_get(book->store, &entry->chunks[i], &chunk);
        if (err == POT_OK) {
            err = file_write_all(file.fd, chunk.data, chunk.size);
        }
    }
    buf_fini(&chunk);
    return file_replace_end(&file, err);
}

static enum pot_err load(struct datasets_book *book, struct entry *entry)
{
    struct dataset dataset;
    void *data = map_file(entry);
    if (data == NULL) {
        enum pot_err err = write_file(book, entry);
        if (err != POT_OK) {
            return err;
        }
        data = map_file(entry);
    }
    if (data == NULL) {
        return POT_ECORRUPT;
    }
    enum pot_err err = dataset_open(&dataset, data, entry->size_bytes);
    if (err == POT_OK &&
        (dataset.rows != entry->rows || dataset.features != entry->features ||
         dataset.classes != entry->classes)) {
        err = POT_EFORMAT;
    }
    if (err != POT_OK) {
        (void)munmap(data, entry->size_bytes);
        return err;
    }
    uv_mutex_lock(&book->mutex);
    entry->dataset = dataset;
    entry->mapped = data;
    uv_mutex_unlock(&book->mutex);
    return POT_OK;
}

enum pot_err datasets_load(struct datasets_book *book,
                           const struct hash *address)
{
    struct entry *entry = find(book, address);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    uv_mutex_lock(&book->loading);
    enum pot_err err =
        datasets_find(book, address) != NULL ? POT_OK : load(book, entry);
    uv_mutex_unlock(&book->loading);
    return err;
}

const struct dataset *datasets_find(struct datasets_book *book,
                                    const struct hash *address)
{
    uv_mutex_lock(&book->mutex);
    const struct entry *entry = map_get(&book->entries, address->b);
    bool is_loaded = entry != NULL && entry->mapped != NULL;
    uv_mutex_unlock(&book->mutex);
    return is_loaded ? &entry->dataset : NULL;
}

const char *datasets_path(struct datasets_book *book,
                          const struct hash *address)
{
    const struct entry *entry = find(book, address);
    return entry != NULL ? entry->path : NULL;
}
