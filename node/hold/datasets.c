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

#define WAITING_MAX 1024 /* entries that are not loaded */

/* What its hash vouches for, and nothing else that a description says: who
 * announces a data set first is not to be believed for that. */
struct entry {
    struct hash hash;
    bool is_needed;  /* not by an uploader alone */
    uint64_t number; /* the order in which they came */
    unsigned users;  /* threads that are at it */
    struct dataset_file file;
    struct dataset_map map; /* none until loaded */
    struct dataset dataset;
};

struct datasets_book {
    uv_mutex_t mutex;   /* of entries and what is in them */
    uv_mutex_t loading; /* held while a file is made: one at a time */
    char *folder;
    struct store *store;
    struct map entries; /* hash -> struct entry; one that is loaded is not
                           freed before datasets_close */
    size_t waiting;     /* those that are not loaded */
    uint64_t numbers;
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

/* use, leave: an entry stays in between.  NULL: there is none. */
static struct entry *use(struct datasets_book *book, const struct hash *dataset)
{
    uv_mutex_lock(&book->mutex);
    struct entry *entry = map_get(&book->entries, dataset->b);
    if (entry != NULL) {
        entry->users++;
    }
    uv_mutex_unlock(&book->mutex);
    return entry;
}

static void leave(struct datasets_book *book, struct entry *entry)
{
    uv_mutex_lock(&book->mutex);
    entry->users--;
    uv_mutex_unlock(&book->mutex);
}

/* Whether a goes before b. */
static bool is_lesser(const struct entry *a, const struct entry *b)
{
    return a->is_needed != b->is_needed ? b->is_needed : a->number < b->number;
}

/* Under the mutex: the oldest of those that nobody needs, or of all. */
static bool forget_one(struct datasets_book *book)
{
    struct entry *least = NULL;
    size_t cursor = 0;
    for (const struct map_slot *slot;
         (slot = map_next(&book->entries, &cursor)) != NULL;) {
        struct entry *entry = slot->value;
        if (entry->users == 0 && entry->map.data == NULL &&
            (least == NULL || is_lesser(entry, least))) {
            least = entry;
        }
    }
    if (least == NULL) {
        return false;
    }
    (void)map_remove(&book->entries, least->hash.b);
    book->waiting--;
    entry_free(least);
    return true;
}

/* Under the mutex. */
static bool is_known(struct datasets_book *book, const struct hash *dataset,
                     bool is_needed)
{
    struct entry *entry = map_get(&book->entries, dataset->b);
    if (entry != NULL) {
        entry->is_needed |= is_needed;
    }
    return entry != NULL;
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
    if (is_known(book, &entry->hash, entry->is_needed)) {
        err = POT_EEXIST;
    } else if (book->waiting >= WAITING_MAX && !forget_one(book)) {
        err = POT_ELIMIT;
    } else {
        entry->number = book->numbers++;
        book->waiting++;
        (void)map_put(&book->entries, entry->hash.b, entry);
    }
    uv_mutex_unlock(&book->mutex);
    return err;
}

enum pot_err datasets_announce(struct datasets_book *book,
                               const Pot__PublishDataset *description,
                               bool is_needed)
{
    struct hash dataset;
    struct entry *entry = NULL;
    if (codec_hash(&dataset, description->dataset)) {
        uv_mutex_lock(&book->mutex);
        bool is_there = is_known(book, &dataset, is_needed);
        uv_mutex_unlock(&book->mutex);
        if (is_there) {
            return POT_OK;
        }
    }
    enum pot_err err = entry_new(&entry, book->folder, description);
    if (err != POT_OK) {
        return err;
    }
    entry->is_needed = is_needed;
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
    struct entry *entry = use(book, dataset);
    if (entry == NULL) {
        return false;
    }
    bool is_loaded = datasets_find(book, dataset) != NULL;
    bool is_missing = false;
    while (!is_loaded && !is_missing && *cursor < entry->file.chunk_count) {
        size_t i = (*cursor)++;
        *index = (uint32_t)i;
        *hash = entry->file.chunks[i];
        is_missing = !store_blob_has(book->store, hash, NULL);
    }
    leave(book, entry);
    return is_missing;
}

/* All chunks but the last are full. */
static bool is_chunk_size(const struct dataset_file *file, size_t index,
                          size_t size)
{
    return index + 1 < file->chunk_count
               ? size == DATASET_CHUNK_BYTES
               : size > 0 && size <= DATASET_CHUNK_BYTES;
}

static enum pot_err check_chunk(const struct dataset_file *file, uint32_t index,
                                const struct hash *hash, size_t size)
{
    if (index >= file->chunk_count) {
        return POT_ERANGE;
    }
    return is_chunk_size(file, index, size) &&
                   hash_equal(hash, &file->chunks[index])
               ? POT_OK
               : POT_EFORMAT;
}

enum pot_err datasets_put_chunk(struct datasets_book *book,
                                const struct hash *dataset, uint32_t index,
                                const void *data, size_t size)
{
    struct hash hash;
    struct entry *entry = use(book, dataset);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    dataset_chunk_hash(&hash, data, size);
    enum pot_err err = check_chunk(&entry->file, index, &hash, size);
    leave(book, entry);
    if (err != POT_OK || store_blob_has(book->store, &hash, NULL)) {
        return err;
    }
    return store_blob_put(book->store, &hash, data, size);
}

enum pot_err datasets_get_chunk(struct datasets_book *book,
                                const struct hash *dataset, uint32_t index,
                                struct buf *out)
{
    struct entry *entry = use(book, dataset);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    enum pot_err err =
        index < entry->file.chunk_count
            ? store_blob_get(book->store, &entry->file.chunks[index], out)
            : POT_ERANGE;
    leave(book, entry);
    return err;
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
    book->waiting--;
    uv_mutex_unlock(&book->mutex);
    return POT_OK;
}

enum pot_err datasets_load(struct datasets_book *book,
                           const struct hash *dataset)
{
    struct entry *entry = use(book, dataset);
    if (entry == NULL) {
        return POT_ENOENT;
    }
    uv_mutex_lock(&book->loading);
    enum pot_err err =
        datasets_find(book, dataset) != NULL ? POT_OK : load(book, entry);
    uv_mutex_unlock(&book->loading);
    leave(book, entry);
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
    const struct entry *entry = find_loaded(book, dataset);
    return entry != NULL ? entry->file.path : NULL;
}
