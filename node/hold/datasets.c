#include "config.h"

#include "node/hold/datasets.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/map.h"
#include "node/hold/dataset_file.h"
#include "proto/codec.h"
#include "storage/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define ANNOUNCED_MAX 1024

struct entry {
    struct hash hash;
    uint64_t rows;
    uint32_t features;
    uint32_t classes;
    struct dataset_file file;
    void *mapped; /* NULL until loaded */
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
    dataset_file_unmap(&entry->file, entry->mapped);
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
    *entry = (struct entry){
        .hash = hash,
        .rows = d->rows,
        .features = d->features,
        .classes = d->classes,
        .file = {.path = file_join(folder, name),
                 .size_bytes = d->size_bytes,
                 .chunks = chunks,
                 .chunk_count = d->n_chunks},
    };
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
    if (size != dataset_chunk_size(entry->file.size_bytes, index) ||
        !hash_equal(&hash, &entry->file.chunks[index])) {
        return POT_EFORMAT;
    }
    if (store_blob_has(book->store, &hash, NULL)) {
        return POT_OK;
    }
    return store_blob_put(book->store, &hash, data, size);
}

static enum pot_err load(struct datasets_book *book, struct entry *entry)
{
    void *data;
    struct dataset dataset;
    enum pot_err err = dataset_file_map(&data, &entry->file, book->store);
    if (err != POT_OK) {
        return err;
    }
    err = dataset_view(&dataset, data, entry->file.size_bytes);
    if (err == POT_OK &&
        (dataset.rows != entry->rows || dataset.features != entry->features ||
         dataset.classes != entry->classes)) {
        err = POT_EFORMAT;
    }
    if (err != POT_OK) {
        dataset_file_unmap(&entry->file, data);
        return err;
    }
    uv_mutex_lock(&book->mutex);
    entry->dataset = dataset;
    entry->mapped = data;
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

const struct dataset *datasets_find(struct datasets_book *book,
                                    const struct hash *dataset)
{
    uv_mutex_lock(&book->mutex);
    const struct entry *entry = map_get(&book->entries, dataset->b);
    bool is_loaded = entry != NULL && entry->mapped != NULL;
    uv_mutex_unlock(&book->mutex);
    return is_loaded ? &entry->dataset : NULL;
}

const char *datasets_path(struct datasets_book *book,
                          const struct hash *dataset)
{
    const struct entry *entry = find(book, dataset);
    return entry != NULL ? entry->file.path : NULL;
}
