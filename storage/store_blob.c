#include "config.h"

#include "storage/store_blob.h"

#include "base/check.h"
#include "storage/store_record.h"

#include <string.h>

static enum pot_err read_uses(struct store_uses *out, const struct store *store,
                              MDB_txn *txn, const uint8_t *hash)
{
    struct store_value value;
    *out = (struct store_uses){.references = 0};
    enum pot_err err =
        store_table_get(&value, store, txn, TABLE_BLOB_USES, hash, HASH_SIZE);
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

/* Moves a blob from one use to another; data may be NULL if it is stored. */
static enum pot_err set_uses(struct store_write *write, const uint8_t *hash,
                             const struct store_uses *from,
                             const struct store_uses *to, const void *data,
                             size_t size)
{
    uint8_t raw[RECORD_USES_SIZE];
    enum pot_err err = POT_OK;
    bool was_used = from->references > 0 || from->is_held;
    bool is_used = to->references > 0 || to->is_held;
    if (was_used == is_used && from->references == to->references &&
        from->is_held == to->is_held) {
        return POT_OK;
    }
    if (!is_used) {
        forget_checked(write->store, hash);
        err = store_table_del(write, TABLE_BLOBS, hash, HASH_SIZE);
        return err == POT_OK
                   ? store_table_del(write, TABLE_BLOB_USES, hash, HASH_SIZE)
                   : err;
    }
    if (!was_used) {
        POT_ASSERT(data != NULL || size == 0);
        err = store_table_put(write, TABLE_BLOBS, hash, HASH_SIZE, data, size);
    }
    store_record_uses(raw, to);
    return err == POT_OK ? store_table_put(write, TABLE_BLOB_USES, hash,
                                           HASH_SIZE, raw, sizeof(raw))
                         : err;
}

enum pot_err store_blob_write(struct store_write *write,
                              const struct write_entry *entry)
{
    struct store_uses from;
    enum pot_err err = read_uses(&from, write->store, write->txn, entry->key);
    if (err != POT_OK) {
        return err;
    }
    struct store_uses to = {.references = entry->references,
                            .is_held = from.is_held};
    return set_uses(write, entry->key, &from, &to, entry->value,
                    entry->value_size);
}

/* ---- the node's own */

struct holding {
    const struct store_blob *blobs; /* to hold, or */
    const struct hash *hashes;      /* to let go of */
    size_t count;
};

static enum pot_err hold(struct store_write *write, void *context)
{
    const struct holding *h = context;
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < h->count; i++) {
        const struct store_blob *blob = &h->blobs[i];
        struct store_uses from;
        err = read_uses(&from, write->store, write->txn, blob->hash.b);
        struct store_uses to = {.references = from.references, .is_held = true};
        if (err == POT_OK) {
            err = set_uses(write, blob->hash.b, &from, &to, blob->data,
                           blob->size);
        }
    }
    return err;
}

static enum pot_err let_go(struct store_write *write, void *context)
{
    const struct holding *h = context;
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < h->count; i++) {
        const uint8_t *hash = h->hashes[i].b;
        struct store_uses from;
        err = read_uses(&from, write->store, write->txn, hash);
        struct store_uses to = {.references = from.references};
        if (err == POT_OK) {
            err = set_uses(write, hash, &from, &to, NULL, 0);
        }
    }
    return err;
}

enum pot_err store_blobs_put(struct store *store,
                             const struct store_blob *blobs, size_t count)
{
    struct holding holding = {.blobs = blobs, .count = count};
    for (size_t i = 0; i < count; i++) {
        POT_ASSERT(blobs[i].size <= STORE_BLOB_MAX);
    }
    return store_write_run(store, hold, &holding);
}

enum pot_err store_blob_put(struct store *store, const struct hash *hash,
                            const void *data, size_t size)
{
    struct store_blob blob = {.hash = *hash, .data = data, .size = size};
    return store_blobs_put(store, &blob, 1);
}

enum pot_err store_blobs_del(struct store *store, const struct hash *hashes,
                             size_t count)
{
    struct holding holding = {.hashes = hashes, .count = count};
    return store_write_run(store, let_go, &holding);
}

enum pot_err store_blob_del(struct store *store, const struct hash *hash)
{
    return store_blobs_del(store, hash, 1);
}

/* ---- reads */

enum pot_err store_blob_get(struct store *store, const struct hash *hash,
                            struct buf *out)
{
    struct store_read read;
    struct store_value value;
    buf_clear(out);
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    err = store_table_get(&value, store, read.txn, TABLE_BLOBS, hash->b,
                          HASH_SIZE);
    if (err == POT_OK) {
        buf_append(out, value.data, value.size);
        if (out->is_overflown) {
            buf_clear(out);
            err = POT_ELIMIT;
        }
    }
    store_read_end(&read);
    return err;
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
    store_read_end(&read);
    return err;
}

bool store_blob_has(struct store *store, const struct hash *hash, size_t *size)
{
    struct store_read read;
    MDB_val raw;
    if (store_read_begin(&read, store) != POT_OK) {
        return false;
    }
    bool is_there = raw_blob(&raw, &read, hash) == POT_OK;
    if (is_there && size != NULL) {
        *size = raw.mv_size - STORE_SUM_SIZE;
    }
    store_read_end(&read);
    return is_there;
}
