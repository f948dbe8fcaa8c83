#include "config.h"

#include "node/hold/datasets.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "node/hold/dataset_file.h"
#include "proto/codec.h"
#include "storage/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define ANNOUNCED_MAX 1024

/* What its hash vouches for, and nothing else that a description says: who
 * announces a data set first is not to be believed for that. */
struct entry {
    struct hash hash;
    struct dataset_file file;
    struct dataset_map map; /* none until loaded */
    struct dataset dataset;
};

struct datasets_book {
    uv_mutex_t mutex;   /* of entries and what is in them */
    uv_mutex_t loading; /* held while a file is made: one at a time */
    char *folder;
    struct store *store;
    struct map entries; /* hash -> struct entry; entries are never freed
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
    dataset_file_unmap(&entry->map);
    free(entry->file.chunks);
    free(entry->file.path);
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
                          const struct hash *dataset)
{
    uv_mutex_lock(&book->mutex);
    struct entry *entry = map_get(&book->entries, dataset->b);
    uv_mutex_unlock(&book->mutex);
    return entry;
}

static enum pot_err entry_new(struct entry **out, const char *folder,
                              const Pot__PublishDataset *d)
{
    char text[HASH_TEXT_SIZE];
    char name[HASH_TEXT_SIZE + 8];
    struct hash hash;
    struct hash *chunks = dataset_description_chunks(d);
    if (chunks == NULL || !codec_hash(&hash, d->dataset)) {
        free(chunks);
        return POT_EFORMAT;
    }
    (void)snprintf(name, sizeof(name), "%s.pds", hash_format(&hash, text));
    struct entry *entry = pot_calloc(1, sizeof(*entry));
    entry->hash = hash;
    entry->file.path = file_join(folder, name);
    entry->file.chunks = chunks;
    entry->file.chunk_count = d->n_chunks;
    *out = entry;
    return POT_OK;
}

/* Takes entry unless it fails.  Errors: POT_EEXIST another thread was faster;
 * POT_ELIMIT. */
static enum pot_err entry_add(struct datasets_book *book, struct entry *entry)
{
    enum pot_err err = POT_OK;
    uv_mutex_lock(&book->mutex);
    if (map_get(&book->entries, entry->hash.b) != NULL) {
        err = POT_EEXIST;
    } else if (book->entries.count >= ANNOUNCED_MAX) {
        err = POT_ELIMIT;
    } else {
        (void)map_put(&book->entries, entry->hash.b, entry);
    }
    uv_mutex_unlock(&book->mutex);
    return err;
}

enum pot_err datasets_announce(struct datasets_book *book,
                               const Pot__PublishDataset *description)
{
    struct hash dataset;
    struct entry *entry = NULL;
    if (codec_hash(&dataset, description->dataset) &&
        find(book, &dataset) != NULL) {
        return POT_OK;
    }
    enum pot_err err = entry_new(&entry, book->folder, description);
    if (err != POT_OK) {
        return err;
    }
    err = entry_add(book, entry);
    if (err != POT_OK) {
        entry_free(entry);
    }
    return err == POT_EEXIST ? POT_OK : err;
}

bool datasets_next_missing(struct datasets_book *book,
                           const struct hash *dataset, size_t *cursor,
                           uint32_t *index, struct hash *hash)
{
    const struct entry *entry = find(book, dataset);
    if (entry == NULL || datasets_find(book, dataset) != NULL) {
        return false;
    }
    while (*cursor < entry->file.chunk_count) {
        size_t i = (*cursor)++;
        if (!store_blob_has(book->store, &entry->file.chunks[i], NULL)) {
            *index = (uint32_t)i;
            *hash = entry->file.chunks[i];
            return true;
        }
    }
    return false;
}

/* All chunks but the last are full. */
static bool is_chunk_size(const struct dataset_file *file, size_t index,
                          size_t size)
{
    return index + 1 < file->chunk_count
               ? size == DATASET_CHUNK_BYTES
               : size > 0 && size <= DATASET_CHUNK_BYTES;
}

enum pot_err datasets_put_chunk(struct datasets_book *book,
                                const struct hash *dataset, uint32_t index,
                                const void *data, size_t size)
{
    struct hash hash;
    const struct entry *entry = find(book, dataset);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    if (index >= entry->file.chunk_count) {
        return POT_ERANGE;
    }
    dataset_chunk_hash(&hash, data, size);
    if (!is_chunk_size(&entry->file, index, size) ||
        !hash_equal(&hash, &entry->file.chunks[index])) {
        return POT_EFORMAT;
    }
    if (store_blob_has(book->store, &hash, NULL)) {
        return POT_OK;
    }
    return store_blob_put(book->store, &hash, data, size);
}

enum pot_err datasets_get_chunk(struct datasets_book *book,
                                const struct hash *dataset, uint32_t index,
                                struct buf *out)
{
    const struct entry *entry = find(book, dataset);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    if (index >= entry->file.chunk_count) {
        return POT_ERANGE;
    }
    return store_blob_get(book->store, &entry->file.chunks[index], out);
}

static enum pot_err load(struct datasets_book *book, struct entry *entry)
{
    struct dataset_map map;
    struct dataset dataset;
    enum pot_err err = dataset_file_map(&map, &entry->file, book->store);
    if (err == POT_OK) {
        err = dataset_view(&dataset, map.data, map.size);
    }
    if (err != POT_OK) {
        dataset_file_unmap(&map);
        return err;
    }
    uv_mutex_lock(&book->mutex);
    entry->dataset = dataset;
    entry->map = map;
    uv_mutex_unlock(&book->mutex);
    return POT_OK;
}

enum pot_err datasets_load(struct datasets_book *book,
                           const struct hash *dataset)
{
    struct entry *entry = find(book, dataset);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    uv_mutex_lock(&book->loading);
    enum pot_err err =
        datasets_find(book, dataset) != NULL ? POT_OK : load(book, entry);
    uv_mutex_unlock(&book->loading);
    return err;
}

/* NULL: not loaded. */
static const struct entry *find_loaded(struct datasets_book *book,
                                       const struct hash *dataset)
{
    uv_mutex_lock(&book->mutex);
    const struct entry *entry = map_get(&book->entries, dataset->b);
    bool is_loaded = entry != NULL && entry->map.data != NULL;
    uv_mutex_unlock(&book->mutex);
    return is_loaded ? entry : NULL;
}

const struct dataset *datasets_find(struct datasets_book *book,
                                    const struct hash *dataset)
{
    const struct entry *entry = find_loaded(book, dataset);
    return entry != NULL ? &entry->dataset : NULL;
}

enum pot_err datasets_check(struct datasets_book *book,
                            const Pot__PublishDataset *description)
{
    struct hash hash;
    if (!codec_hash(&hash, description->dataset)) {
        return POT_EFORMAT;
    }
    const struct entry *entry = find_loaded(book, &hash);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    const struct dataset *d = &entry->dataset;
    return description->size_bytes == entry->map.size &&
                   description->rows == d->rows &&
                   description->features == d->features &&
                   description->classes == d->classes
               ? POT_OK
               : POT_EFORMAT;
}

const char *datasets_path(struct datasets_book *book,
                          const struct hash *dataset)
{
    const struct entry *entry = find(book, dataset);
    return entry != NULL ? entry->file.path : NULL;
}
