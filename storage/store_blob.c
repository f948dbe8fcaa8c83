/* A blob lies in the table blobs for as long as its record in blob_uses names
 * a use; both go with the last one. */
#include "config.h"

#include "storage/store_blob.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"
#include "storage/store_promise_record.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

#include <stdlib.h>
#include <string.h>

static enum pot_err read_uses(struct store_uses *out,
                              const struct store_read *read,
                              const uint8_t *hash)
{
    struct store_value value;
    *out = (struct store_uses){.references = 0};
    enum pot_err err =
        store_table_get(&value, read, TABLE_BLOB_USES, hash, HASH_SIZE);
    if (err == POT_OK && !store_record_read_uses(out, value.data, value.size)) {
        return POT_ECORRUPT;
    }
    return err == POT_ENOENT ? POT_OK : err;
}

/* A blob that goes may come back, on other pages: see check_blob. */
static void forget_checked(struct store *store, const uint8_t *hash)
{
    (void)pthread_mutex_lock(&store->tip_lock);
    if (memcmp(store->checked_blob.b, hash, HASH_SIZE) == 0) {
        store->checked_blob = (struct hash){{0}};
    }
    (void)pthread_mutex_unlock(&store->tip_lock);
}

static bool is_same_use(const struct store_uses *a, const struct store_uses *b)
{
    return a->references == b->references && a->is_kept == b->is_kept &&
           a->is_held == b->is_held;
}

/* Moves a blob from one use to another: it is stored with the first and goes
 * with the last.  Its data may be NULL when it is used already. */
static enum pot_err set_uses(struct store_write *write,
                             const struct store_blob *blob,
                             const struct store_uses *from,
                             const struct store_uses *to)
{
    const uint8_t *hash = blob->hash.b;
    uint8_t raw[RECORD_USES_SIZE];
    enum pot_err err = POT_OK;
    if (is_same_use(from, to)) {
        return POT_OK;
    }
    if (!store_uses_any(to)) {
        forget_checked(write->read.store, hash);
        err = store_table_del(write, TABLE_BLOBS, hash, HASH_SIZE);
        return err == POT_OK
                   ? store_table_del(write, TABLE_BLOB_USES, hash, HASH_SIZE)
                   : err;
    }
    if (!store_uses_any(from)) {
        POT_ASSERT(blob->data != NULL || blob->size == 0);
        err = store_table_put(write, TABLE_BLOBS, hash, HASH_SIZE, blob->data,
                              blob->size);
    }
    store_record_uses(raw, to);
    return err == POT_OK ? store_table_put(write, TABLE_BLOB_USES, hash,
                                           HASH_SIZE, raw, sizeof(raw))
                         : err;
}

enum pot_err store_blob_refer(struct store_write *write,
                              const struct store_blob *blob, int32_t change)
{
    struct store_uses from;
    enum pot_err err = read_uses(&from, &write->read, blob->hash.b);
    struct store_uses to = from;
    int64_t references = (int64_t)from.references + change;
    POT_ASSERT(references <= UINT32_MAX);
    to.references = references > 0 ? (uint32_t)references : 0;
    if (err == POT_OK && blob->data == NULL && store_uses_any(&to) &&
        !store_uses_any(&from)) {
        err = POT_ECORRUPT;
    }
    return err == POT_OK ? set_uses(write, blob, &from, &to) : err;
}

enum pot_err store_blob_unrefer(struct store_write *write,
                                const struct hash *hash)
{
    const struct store_blob blob = {.hash = *hash};
    return store_blob_refer(write, &blob, -1);
}

enum pot_err store_blob_pin(struct store_write *write,
                            const struct store_blob *blob)
{
    struct store_uses from;
    enum pot_err err = read_uses(&from, &write->read, blob->hash.b);
    struct store_uses to = from;
    to.references++;
    to.is_held = false;
    if (err == POT_OK && blob->data == NULL && !store_uses_any(&from)) {
        err = POT_ENOENT;
    }
    return err == POT_OK ? set_uses(write, blob, &from, &to) : err;
}

/* ---- the node's own */

typedef void use_fn(struct store_uses *uses);

static void keep(struct store_uses *uses)
{
    uses->is_kept = true;
}

static void hold(struct store_uses *uses)
{
    uses->is_held = true;
}

static void release(struct store_uses *uses)
{
    uses->is_held = false;
}

static enum pot_err change_uses(struct store_write *write,
                                const struct store_blob *blob, use_fn *change)
{
    struct store_uses from;
    enum pot_err err = read_uses(&from, &write->read, blob->hash.b);
    struct store_uses to = from;
    change(&to);
    return err == POT_OK ? set_uses(write, blob, &from, &to) : err;
}

struct taking {
    const struct store_blob *blobs;
    size_t count;
    use_fn *change;
};

static enum pot_err take(struct store_write *write, void *context)
{
    const struct taking *t = context;
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < t->count; i++) {
        POT_ASSERT(t->blobs[i].size <= STORE_BLOB_MAX);
        err = change_uses(write, &t->blobs[i], t->change);
    }
    return err;
}

enum pot_err store_blob_put(struct store *store, const struct hash *hash,
                            const void *data, size_t size)
{
    const struct store_blob blob = {.hash = *hash, .data = data, .size = size};
    struct taking taking = {.blobs = &blob, .count = 1, .change = keep};
    return store_write_run(store, take, &taking);
}

enum pot_err store_blob_hold(struct store_write *write,
                             const struct store_blob *blobs, size_t count)
{
    struct taking taking = {.blobs = blobs, .count = count, .change = hold};
    return take(write, &taking);
}

enum pot_err store_blobs_hold(struct store *store,
                              const struct store_blob *blobs, size_t count)
{
    struct taking taking = {.blobs = blobs, .count = count, .change = hold};
    return store_write_run(store, take, &taking);
}

struct hashes {
    const struct hash *list;
    size_t count;
};

/* But for what is promised. */
enum pot_err store_blob_release(struct store_write *write,
                                const struct hash *hashes, size_t count)
{
    struct map promised = {0};
    enum pot_err err = promise_hashes(&promised, &write->read);
    for (size_t i = 0; err == POT_OK && i < count; i++) {
        const struct store_blob blob = {.hash = hashes[i]};
        if (map_get(&promised, blob.hash.b) == NULL) {
            err = change_uses(write, &blob, release);
        }
    }
    map_fini(&promised);
    return err;
}

static enum pot_err release_listed(struct store_write *write, void *context)
{
    const struct hashes *hashes = context;
    return store_blob_release(write, hashes->list, hashes->count);
}

enum pot_err store_blobs_release(struct store *store, const struct hash *hashes,
                                 size_t count)
{
    struct hashes released = {hashes, count};
    return store_write_run(store, release_listed, &released);
}

struct found {
    struct hash *list;
    size_t count;
};

static enum pot_err find_held(void *context, const MDB_val *key,
                              const MDB_val *raw)
{
    struct found *found = context;
    struct store_value value;
    struct store_uses uses;
    struct hash hash;
    enum pot_err err =
        store_table_open_value(&value, TABLE_BLOB_USES, key, raw);
    if (err != POT_OK) {
        return err;
    }
    if (hash_from_bytes(&hash, key->mv_data, key->mv_size) != POT_OK ||
        !store_record_read_uses(&uses, value.data, value.size)) {
        return POT_ECORRUPT;
    }
    if (uses.is_held) {
        found->list = pot_realloc(found->list, found->count + 1, sizeof(hash));
        found->list[found->count++] = hash;
    }
    return POT_OK;
}

static enum pot_err release_all(struct store_write *write, void *context)
{
    struct found found = {0};
    (void)context;
    enum pot_err err =
        store_table_each(&write->read, TABLE_BLOB_USES, find_held, &found);
    if (err == POT_OK) {
        err = store_blob_release(write, found.list, found.count);
    }
    free(found.list);
    return err;
}

enum pot_err store_blobs_release_all(struct store *store)
{
    return store_write_run(store, release_all, NULL);
}

static enum pot_err find_kept(void *context, const MDB_val *key,
                              const MDB_val *raw)
{
    struct found *found = context;
    struct store_value value;
    struct store_uses uses;
    struct hash hash;
    enum pot_err err =
        store_table_open_value(&value, TABLE_BLOB_USES, key, raw);
    if (err == POT_OK &&
        (hash_from_bytes(&hash, key->mv_data, key->mv_size) != POT_OK ||
         !store_record_read_uses(&uses, value.data, value.size))) {
        err = POT_ECORRUPT;
    }
    if (err == POT_OK && uses.is_kept) {
        found->list = pot_realloc(found->list, found->count + 1, sizeof(hash));
        found->list[found->count++] = hash;
    }
    return err;
}

enum pot_err store_copy_kept(struct store *to, struct store *from)
{
    struct store_read read;
    struct found found = {0};
    struct buf data;
    enum pot_err err = store_read_begin(&read, from);
    if (err != POT_OK) {
        return err;
    }
    err = store_table_each(&read, TABLE_BLOB_USES, find_kept, &found);
    store_read_end(&read, err);
    buf_init(&data, STORE_BLOB_MAX);
    for (size_t i = 0; err == POT_OK && i < found.count; i++) {
        err = store_blob_get(from, &found.list[i], &data);
        if (err == POT_OK) {
            err = store_blob_put(to, &found.list[i], data.data, data.size);
        }
    }
    buf_fini(&data);
    free(found.list);
    return err;
}

/* ---- reads */

enum pot_err store_blob_get(struct store *store, const struct hash *hash,
                            struct buf *out)
{
    return store_read_value(store, TABLE_BLOBS, hash->b, HASH_SIZE, out);
}

/* A blob's stored bytes, unchecked. */
static enum pot_err raw_blob(MDB_val *out, struct store_read *read,
                             const struct hash *hash)
{
    struct hash copy = *hash;
    MDB_val key = {.mv_size = HASH_SIZE, .mv_data = copy.b};
    int rc = mdb_get(read->txn, read->store->tables[TABLE_BLOBS], &key, out);
    if (rc == 0 && out->mv_size < STORE_SUM_SIZE) {
        return POT_ECORRUPT;
    }
    return store_err(rc);
}

/* The last blob that was read in pieces is checked once, not at every piece:
 * blobs are replaced by others, never changed. */
static enum pot_err check_blob(struct store_read *read, const struct hash *hash,
                               const MDB_val *raw)
{
    struct store *store = read->store;
    struct hash copy = *hash;
    MDB_val key = {.mv_size = HASH_SIZE, .mv_data = copy.b};
    struct store_value value;
    (void)pthread_mutex_lock(&store->tip_lock);
    bool is_checked =
        hash_equal(&store->checked_blob, hash) && !hash_is_zero(hash);
    (void)pthread_mutex_unlock(&store->tip_lock);
    if (is_checked) {
        return POT_OK;
    }
    enum pot_err err = store_table_open_value(&value, TABLE_BLOBS, &key, raw);
    if (err == POT_OK) {
        (void)pthread_mutex_lock(&store->tip_lock);
        store->checked_blob = *hash;
        (void)pthread_mutex_unlock(&store->tip_lock);
    }
    return err;
}

enum pot_err store_blob_read(struct store *store, const struct hash *hash,
                             uint64_t offset, void *data, size_t size,
                             size_t *count, uint64_t *total)
{
    struct store_read read;
    MDB_val raw;
    *count = 0;
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    err = raw_blob(&raw, &read, hash);
    if (err == POT_OK) {
        err = check_blob(&read, hash, &raw);
    }
    if (err == POT_OK) {
        uint64_t length = raw.mv_size - STORE_SUM_SIZE;
        const uint8_t *bytes = raw.mv_data;
        *total = length;
        if (offset > length) {
            err = POT_ERANGE;
        } else {
            *count = size < length - offset ? size : (size_t)(length - offset);
            memcpy(data, bytes + STORE_SUM_SIZE + offset, *count);
        }
    }
    store_read_end(&read, err);
    return err;
}

bool store_blob_has(struct store *store, const struct hash *hash, size_t *size)
{
    struct store_read read;
    MDB_val raw;
    if (store_read_begin(&read, store) != POT_OK) {
        return false;
    }
    enum pot_err err = raw_blob(&raw, &read, hash);
    if (err == POT_OK && size != NULL) {
        *size = raw.mv_size - STORE_SUM_SIZE;
    }
    store_read_end(&read, err);
    return err == POT_OK;
}
