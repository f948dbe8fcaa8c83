#include "config.h"

#include "storage/overlay_impl.h"

#include "base/alloc.h"
#include "base/check.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct overlay *overlay_new(struct store *store)
{
    struct overlay *overlay = pot_calloc(1, sizeof(*overlay));
    overlay->store = store;
    (void)pthread_mutex_lock(&store->tip_lock);
    overlay->tip = store->tip;
    (void)pthread_mutex_unlock(&store->tip_lock);
    /* Strangers choose the keys. */
    uint8_t seed[KEY_TABLE_SEED_SIZE];
    randombytes_buf(seed, sizeof(seed));
    key_table_init(&overlay->state, sizeof(struct overlay_value), seed);
    key_table_init(&overlay->blobs, sizeof(struct overlay_blob), seed);
    return overlay;
}

void overlay_free(struct overlay *overlay)
{
    if (overlay == NULL) {
        return;
    }
    for (size_t i = 0; i < overlay->state.count; i++) {
        struct overlay_value *value = key_table_at(&overlay->state, i);
        free(value->data);
    }
    for (size_t i = 0; i < overlay->blobs.count; i++) {
        struct overlay_blob *blob = key_table_at(&overlay->blobs, i);
        free(blob->data);
    }
    key_table_fini(&overlay->state);
    key_table_fini(&overlay->blobs);
    tree_delta_fini(&overlay->delta);
    free(overlay);
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
    if (read->top != NULL || snapshot != overlay->fresh_at) {
        err = store_read_tip(&tip, read);
        if (err == POT_OK && !is_same_tip(&tip, &overlay->tip)) {
            err = POT_EBUSY;
        }
        overlay->fresh_at = read->top == NULL ? snapshot : 0;
    }
    if (err != POT_OK) {
        fail(overlay, err);
        store_read_end(read, err);
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
    enum pot_err err = store_table_get(&value, &read, table, key, key_size);
    if (err == POT_OK) {
        is_there = copy_out(overlay, out, value.data, value.size);
    } else if (err != POT_ENOENT) {
        fail(overlay, err);
    }
    store_read_end(&read, err);
    return is_there;
}

bool overlay_get(struct overlay *overlay, const void *key, size_t key_size,
                 struct buf *out)
{
    buf_clear(out);
    if (overlay->err != POT_OK) {
        return false;
    }
    const struct overlay_value *own =
        key_table_find(&overlay->state, key, key_size);
    if (own == NULL) {
        return get_beneath(overlay, TABLE_STATE, key, key_size, out);
    }
    return own->data != NULL && copy_out(overlay, out, own->data, own->size);
}

/* Takes data: NULL deletes. */
static void set_value(struct overlay *overlay, const void *key, size_t key_size,
                      uint8_t *data, size_t size)
{
    POT_ASSERT(key_size >= 1 && key_size <= STATE_KEY_MAX);
    struct overlay_value *own = key_table_add(&overlay->state, key, key_size);
    free(own->data);
    own->data = data;
    own->size = size;
    overlay->is_computed = false;
}

void overlay_put(struct overlay *overlay, const void *key, size_t key_size,
                 const void *value, size_t value_size)
{
    POT_ASSERT(value_size <= STORE_VALUE_MAX);
    set_value(overlay, key, key_size, pot_memdup(value, value_size),
              value_size);
}

void overlay_del(struct overlay *overlay, const void *key, size_t key_size)
{
    set_value(overlay, key, key_size, NULL, 0);
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
    enum pot_err err =
        store_table_get(&value, &read, TABLE_BLOB_USES, hash->b, HASH_SIZE);
    if (err == POT_OK &&
        !store_record_read_uses(&uses, value.data, value.size)) {
        err = POT_ECORRUPT;
    }
    if (err != POT_OK && err != POT_ENOENT) {
        fail(overlay, err);
    }
    store_read_end(&read, err);
    return uses;
}

static bool is_the_nodes(struct overlay *overlay, const struct hash *hash)
{
    struct store_uses uses = uses_beneath(overlay, hash);
    return uses.is_kept || uses.is_held;
}

/* What the overlay says of a blob, beginning with the references beneath. */
static struct overlay_blob *touch_blob(struct overlay *overlay,
                                       const struct hash *hash)
{
    struct overlay_blob *blob =
        key_table_find(&overlay->blobs, hash->b, HASH_SIZE);
    if (blob == NULL) {
        uint32_t references = uses_beneath(overlay, hash).references;
        blob = key_table_add(&overlay->blobs, hash->b, HASH_SIZE);
        blob->references = references;
    }
    return blob;
}

bool overlay_blob_get(struct overlay *overlay, const struct hash *hash,
                      struct buf *out)
{
    buf_clear(out);
    if (overlay->err != POT_OK) {
        return false;
    }
    const struct overlay_blob *own =
        key_table_find(&overlay->blobs, hash->b, HASH_SIZE);
    if (own != NULL && own->references == 0 && !is_the_nodes(overlay, hash)) {
        return false;
    }
    if (own != NULL && own->references > 0 && own->data != NULL) {
        return copy_out(overlay, out, own->data, own->size);
    }
    return get_beneath(overlay, TABLE_BLOBS, hash->b, HASH_SIZE, out);
}

void overlay_blob_put(struct overlay *overlay, const struct hash *hash,
                      const void *data, size_t size)
{
    POT_ASSERT(size <= STORE_BLOB_MAX);
    struct overlay_blob *blob = touch_blob(overlay, hash);
    POT_ASSERT(blob->references < INT32_MAX);
    blob->references++;
    blob->change++;
    if (blob->data == NULL) {
        blob->data = pot_memdup(data, size);
        blob->size = size;
    }
}

void overlay_blob_del(struct overlay *overlay, const struct hash *hash)
{
    struct overlay_blob *blob = touch_blob(overlay, hash);
    if (blob->references > 0) {
        blob->references--;
        blob->change--;
    }
}

void overlay_blobs_take(struct overlay *overlay,
                        void (*take)(void *context, const struct hash *hash,
                                     uint8_t *data, size_t size),
                        void *context)
{
    for (size_t i = 0; i < overlay->blobs.count; i++) {
        struct overlay_blob *blob = key_table_at(&overlay->blobs, i);
        struct hash hash;
        if (blob->data != NULL && blob->references > 0) {
            memcpy(hash.b, overlay->blobs.keys[i].bytes, HASH_SIZE);
            take(context, &hash, blob->data, blob->size);
            blob->data = NULL;
        }
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

/* The overlay's writes as the tree wants them, in fresh memory. */
static struct tree_change *list_changes(const struct overlay *overlay)
{
    const struct key_table *state = &overlay->state;
    struct tree_change *changes = pot_calloc(state->count, sizeof(*changes));
    for (size_t i = 0; i < state->count; i++) {
        const struct key_table_key *key = &state->keys[i];
        const struct overlay_value *value = key_table_at(state, i);
        changes[i] = (struct tree_change){
            .bucket = state_bucket(key->bytes, key->size),
            .key = key->bytes,
            .key_size = key->size,
            .is_deleted = value->data == NULL,
        };
        if (value->data != NULL) {
            state_value_hash(&changes[i].value_hash, value->data, value->size);
        }
    }
    qsort(changes, state->count, sizeof(*changes), compare_changes);
    return changes;
}

enum pot_err overlay_compute(struct overlay *overlay)
{
    struct store_read read;
    if (overlay->err != POT_OK || overlay->is_computed ||
        !begin(&read, overlay)) {
        return overlay->err;
    }
    struct tree_change *changes = list_changes(overlay);
    tree_delta_fini(&overlay->delta);
    enum pot_err err =
        tree_compute(&overlay->delta, &read, changes, overlay->state.count);
    free(changes);
    store_read_end(&read, err);
    if (err != POT_OK) {
        fail(overlay, err);
    }
    overlay->is_computed = err == POT_OK;
    return overlay->err;
}

void overlay_chunks(const struct overlay *overlay,
                    bool out[static STATE_CHUNKS])
{
    for (size_t i = 0; i < overlay->state.count; i++) {
        const struct key_table_key *key = &overlay->state.keys[i];
        out[state_chunk_of(state_bucket(key->bytes, key->size))] = true;
    }
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
