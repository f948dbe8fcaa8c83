#include "config.h"

#include "storage/overlay_impl.h"

#include "base/alloc.h"
#include "base/check.h"
#include "storage/store_record.h"

#include <stdlib.h>
#include <string.h>

struct overlay *overlay_new(struct store *store)
{
    struct overlay *overlay = pot_calloc(1, sizeof(*overlay));
    overlay->store = store;
    (void)pthread_mutex_lock(&store->tip_lock);
    overlay->tip = store->tip;
    (void)pthread_mutex_unlock(&store->tip_lock);
    write_set_init(&overlay->state);
    write_set_init(&overlay->blobs);
    return overlay;
}

void overlay_free(struct overlay *overlay)
{
    if (overlay != NULL) {
        tree_delta_fini(&overlay->delta);
        write_set_fini(&overlay->blobs);
        write_set_fini(&overlay->state);
        free(overlay);
    }
}

static void fail(struct overlay *overlay, enum pot_err err)
{
    if (overlay->err == POT_OK) {
        overlay->err = err;
    }
}

static bool is_same_tip(const struct store_tip *a, const struct store_tip *b)
{
    return a->is_set == b->is_set &&
           (!a->is_set ||
            (a->height == b->height && hash_equal(&a->hash, &b->hash)));
}

/* A snapshot of the tip that the overlay stands on. */
static bool begin(struct store_read *read, struct overlay *overlay)
{
    struct store_tip tip;
    if (overlay->err != POT_OK) {
        return false;
    }
    enum pot_err err = store_read_begin(read, overlay->store);
    if (err != POT_OK) {
        fail(overlay, err);
        return false;
    }
    size_t snapshot = mdb_txn_id(read->txn);
    if (snapshot != overlay->fresh_at) {
        err = store_read_tip(&tip, overlay->store, read->txn);
        if (err == POT_OK && !is_same_tip(&tip, &overlay->tip)) {
            err = POT_EBUSY;
        }
        overlay->fresh_at = snapshot;
    }
    if (err != POT_OK) {
        fail(overlay, err);
        store_read_end(read);
        return false;
    }
    return true;
}

static bool copy_out(struct overlay *overlay, struct buf *out, const void *data,
                     size_t size)
{
    buf_append(out, data, size);
    if (out->is_overflown) {
        buf_clear(out);
        fail(overlay, POT_ELIMIT);
        return false;
    }
    return true;
}

/* From the store beneath; what the chain does not have is no error. */
static bool get_beneath(struct overlay *overlay, enum store_table table,
                        const void *key, size_t key_size, struct buf *out)
{
    struct store_read read;
    struct store_value value;
    bool is_there = false;
    if (!begin(&read, overlay)) {
        return false;
    }
    enum pot_err err =
        store_table_get(&value, overlay->store, read.txn, table, key, key_size);
    if (err == POT_OK) {
        is_there = copy_out(overlay, out, value.data, value.size);
    } else if (err != POT_ENOENT) {
        fail(overlay, err);
    }
    store_read_end(&read);
    return is_there;
}

bool overlay_get(struct overlay *overlay, const void *key, size_t key_size,
                 struct buf *out)
{
    buf_clear(out);
    if (overlay->err != POT_OK) {
        return false;
    }
    const struct write_entry *entry =
        write_set_find(&overlay->state, key, key_size);
    if (entry == NULL) {
        return get_beneath(overlay, TABLE_STATE, key, key_size, out);
    }
    return !entry->is_deleted &&
           copy_out(overlay, out, entry->value, entry->value_size);
}

void overlay_put(struct overlay *overlay, const void *key, size_t key_size,
                 const void *value, size_t value_size)
{
    POT_ASSERT(key_size >= 1 && key_size <= STATE_KEY_MAX);
    POT_ASSERT(value_size <= STORE_VALUE_MAX);
    write_entry_set(write_set_add(&overlay->state, key, key_size), value,
                    value_size);
    overlay->is_computed = false;
}

void overlay_del(struct overlay *overlay, const void *key, size_t key_size)
{
    POT_ASSERT(key_size >= 1 && key_size <= STATE_KEY_MAX);
    struct write_entry *entry = write_set_add(&overlay->state, key, key_size);
    free(entry->value);
    entry->value = NULL;
    entry->value_size = 0;
    entry->is_deleted = true;
    overlay->is_computed = false;
}

/* ---- blobs */

/* Who uses a blob in the store beneath. */
static struct store_uses uses_beneath(struct overlay *overlay,
                                      const struct hash *hash)
{
    struct store_uses uses = {.references = 0};
    struct store_value value;
    struct store_read read;
    if (!begin(&read, overlay)) {
        return uses;
    }
    enum pot_err err = store_table_get(&value, overlay->store, read.txn,
                                       TABLE_BLOB_USES, hash->b, HASH_SIZE);
    if (err == POT_OK &&
        !store_record_read_uses(&uses, value.data, value.size)) {
        err = POT_ECORRUPT;
    }
    if (err != POT_OK && err != POT_ENOENT) {
        fail(overlay, err);
    }
    store_read_end(&read);
    return uses;
}

static bool is_the_nodes(struct overlay *overlay, const struct hash *hash)
{
    struct store_uses uses = uses_beneath(overlay, hash);
    return uses.is_kept || uses.is_held;
}

/* The entry of a blob, beginning with the references beneath. */
static struct write_entry *blob_entry(struct overlay *overlay,
                                      const struct hash *hash)
{
    struct write_entry *entry =
        write_set_find(&overlay->blobs, hash->b, HASH_SIZE);
    if (entry == NULL) {
        uint32_t references = uses_beneath(overlay, hash).references;
        entry = write_set_add(&overlay->blobs, hash->b, HASH_SIZE);
        entry->references = references;
    }
    return entry;
}

bool overlay_blob_get(struct overlay *overlay, const struct hash *hash,
                      struct buf *out)
{
    buf_clear(out);
    if (overlay->err != POT_OK) {
        return false;
    }
    const struct write_entry *entry =
        write_set_find(&overlay->blobs, hash->b, HASH_SIZE);
    if (entry != NULL && entry->references == 0 &&
        !is_the_nodes(overlay, hash)) {
        return false;
    }
    if (entry != NULL && entry->references > 0 && entry->value != NULL) {
        return copy_out(overlay, out, entry->value, entry->value_size);
    }
    return get_beneath(overlay, TABLE_BLOBS, hash->b, HASH_SIZE, out);
}

void overlay_blob_put(struct overlay *overlay, const struct hash *hash,
                      const void *data, size_t size)
{
    POT_ASSERT(size <= STORE_BLOB_MAX);
    struct write_entry *entry = blob_entry(overlay, hash);
    POT_ASSERT(entry->references < UINT32_MAX);
    entry->references++;
    if (entry->value == NULL) {
        write_entry_set(entry, data, size);
    }
}

void overlay_blob_del(struct overlay *overlay, const struct hash *hash)
{
    struct write_entry *entry = blob_entry(overlay, hash);
    if (entry->references > 0) {
        entry->references--;
    }
}

/* ---- the root */

static int compare_changes(const void *a, const void *b)
{
    const struct tree_change *x = a;
    const struct tree_change *y = b;
    if (x->bucket != y->bucket) {
        return x->bucket < y->bucket ? -1 : 1;
    }
    return state_key_compare(x->key, x->key_size, y->key, y->key_size);
}

enum pot_err overlay_compute(struct overlay *overlay)
{
    const struct write_set *set = &overlay->state;
    struct store_read read;
    if (overlay->err != POT_OK || overlay->is_computed) {
        return overlay->err;
    }
    struct tree_change *changes = pot_calloc(set->count, sizeof(*changes));
    for (size_t i = 0; i < set->count; i++) {
        const struct write_entry *entry = &set->entries[i];
        changes[i] = (struct tree_change){
            .bucket = state_bucket(entry->key, entry->key_size),
            .key = entry->key,
            .key_size = entry->key_size,
            .is_deleted = entry->is_deleted,
        };
        if (!entry->is_deleted) {
            state_value_hash(&changes[i].value_hash, entry->value,
                             entry->value_size);
        }
    }
    qsort(changes, set->count, sizeof(*changes), compare_changes);
    tree_delta_fini(&overlay->delta);
    if (begin(&read, overlay)) {
        enum pot_err err =
            tree_compute(&overlay->delta, &read, changes, set->count);
        if (err != POT_OK) {
            fail(overlay, err);
        }
        store_read_end(&read);
    }
    free(changes);
    overlay->is_computed = overlay->err == POT_OK;
    return overlay->err;
}

enum pot_err overlay_root(struct overlay *overlay, struct hash *root)
{
    enum pot_err err = overlay_compute(overlay);
    if (err == POT_OK) {
        *root = overlay->delta.root;
    }
    return err;
}

enum pot_err overlay_error(const struct overlay *overlay)
{
    return overlay->err;
}
