#include "config.h"

#include "ledger/draft.h"

#include "base/alloc.h"
#include "base/key_table.h"
#include "ledger/ledger.h"

#include <stdlib.h>

struct pending_value {
    uint8_t *data; /* NULL: deleted */
    size_t size;
};

struct pending_blob {
    struct hash hash;
    uint8_t *data; /* NULL: deleted */
    size_t size;
};

struct draft {
    const struct ledger_env *base;
    struct ledger_env env;
    struct key_table values;    /* of struct pending_value */
    struct pending_blob *blobs; /* few: a list is enough */
    size_t blob_count;
};

/* As the getters of ledger/state.h give it; data is NULL: deleted. */
static bool copy_out(struct buf *value, const uint8_t *data, size_t size)
{
    buf_clear(value);
    if (data == NULL || size > value->size_max) {
        return false;
    }
    buf_append(value, data, size);
    return true;
}

static bool draft_get(void *context, const void *key, size_t key_size,
                      struct buf *value)
{
    struct draft *d = context;
    const struct pending_value *own = key_table_find(&d->values, key, key_size);
    if (own == NULL) {
        const struct state *below = &d->base->state;
        return below->get(below->context, key, key_size, value);
    }
    return copy_out(value, own->data, own->size);
}

static void draft_put(void *context, const void *key, size_t key_size,
                      const void *value, size_t value_size)
{
    struct draft *d = context;
    struct pending_value *own = key_table_add(&d->values, key, key_size);
    free(own->data);
    own->data = pot_memdup(value, value_size);
    own->size = value_size;
}

static void draft_del(void *context, const void *key, size_t key_size)
{
    struct draft *d = context;
    struct pending_value *own = key_table_add(&d->values, key, key_size);
    free(own->data);
    *own = (struct pending_value){.data = NULL};
}

static struct pending_blob *find_blob(const struct draft *d,
                                      const struct hash *hash)
{
    for (size_t i = 0; i < d->blob_count; i++) {
        if (hash_equal(&d->blobs[i].hash, hash)) {
            return &d->blobs[i];
        }
    }
    return NULL;
}

static struct pending_blob *touch_blob(struct draft *d, const struct hash *hash)
{
    struct pending_blob *blob = find_blob(d, hash);
    if (blob == NULL) {
        d->blobs = pot_realloc(d->blobs, d->blob_count + 1, sizeof(*d->blobs));
        blob = &d->blobs[d->blob_count++];
        *blob = (struct pending_blob){.hash = *hash};
    }
    return blob;
}

static bool draft_blob_get(void *context, const struct hash *hash,
                           struct buf *value)
{
    struct draft *d = context;
    const struct pending_blob *blob = find_blob(d, hash);
    if (blob == NULL) {
        const struct blobs *below = &d->base->blobs;
        return below->get(below->context, hash, value);
    }
    return copy_out(value, blob->data, blob->size);
}

static void draft_blob_put(void *context, const struct hash *hash,
                           const void *data, size_t size)
{
    struct pending_blob *blob = touch_blob(context, hash);
    free(blob->data);
    blob->data = pot_memdup(data, size);
    blob->size = size;
}

static void draft_blob_del(void *context, const struct hash *hash)
{
    struct pending_blob *blob = touch_blob(context, hash);
    free(blob->data);
    blob->data = NULL;
    blob->size = 0;
}

struct draft *draft_new(const struct ledger_env *base)
{
    struct draft *d = pot_calloc(1, sizeof(*d));
    d->base = base;
    d->env = *base;
    d->env.state = (struct state){d, draft_get, draft_put, draft_del};
    d->env.blobs =
        (struct blobs){d, draft_blob_get, draft_blob_put, draft_blob_del};
    key_table_init(&d->values, sizeof(struct pending_value), NULL);
    return d;
}

const struct ledger_env *draft_env(const struct draft *draft)
{
    return &draft->env;
}

void draft_commit(const struct draft *draft)
{
    const struct state *state = &draft->base->state;
    const struct blobs *blobs = &draft->base->blobs;
    for (size_t i = 0; i < draft->values.count; i++) {
        const struct key_table_key *key = &draft->values.keys[i];
        const struct pending_value *own = key_table_at(&draft->values, i);
        if (own->data != NULL) {
            state->put(state->context, key->bytes, key->size, own->data,
                       own->size);
        } else {
            state->del(state->context, key->bytes, key->size);
        }
    }
    for (size_t i = 0; i < draft->blob_count; i++) {
        const struct pending_blob *blob = &draft->blobs[i];
        if (blob->data != NULL) {
            blobs->put(blobs->context, &blob->hash, blob->data, blob->size);
        } else {
            blobs->del(blobs->context, &blob->hash);
        }
    }
}

void draft_free(struct draft *draft)
{
    if (draft == NULL) {
        return;
    }
    for (size_t i = 0; i < draft->values.count; i++) {
        struct pending_value *own = key_table_at(&draft->values, i);
        free(own->data);
    }
    for (size_t i = 0; i < draft->blob_count; i++) {
        free(draft->blobs[i].data);
    }
    key_table_fini(&draft->values);
    free(draft->blobs);
    free(draft);
}
