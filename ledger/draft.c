/* Entries lie in the order in which their keys were first written; slots is
 * an open-addressing index over them (0: free, else entry + 1), never more
 * than half full.  Blobs are few: a list is enough. */
#include "config.h"

#include "ledger/draft.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/keys.h"
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 32

struct entry {
    struct state_key key;
    uint8_t *value; /* NULL: deleted */
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
    struct entry *entries;
    size_t count;
    size_t capacity;
    uint32_t *slots;
    size_t slot_count; /* a power of two, > 2 * count */
    struct pending_blob *blobs;
    size_t blob_count;
};

/* FNV-1a */
static size_t slot_of(const struct draft *d, const void *key, size_t size)
{
    const uint8_t *bytes = key;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) {
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(h ^ h >> 32) & (d->slot_count - 1);
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t *find_slot(const struct draft *d, const void *key, size_t size)
{
    size_t slot = slot_of(d, key, size);
    while (d->slots[slot] != 0) {
        const struct entry *e = &d->entries[d->slots[slot] - 1];
        if (e->key.size == size && memcmp(e->key.b, key, size) == 0) {
            break;
        }
        slot = (slot + 1) & (d->slot_count - 1);
    }
    return &d->slots[slot];
}

static void grow(struct draft *d)
{
    d->capacity *= 2;
    d->entries = pot_realloc(d->entries, d->capacity, sizeof(*d->entries));
    free(d->slots);
    d->slot_count = 2 * d->capacity;
    d->slots = pot_calloc(d->slot_count, sizeof(*d->slots));
    for (size_t i = 0; i < d->count; i++) {
        const struct state_key *key = &d->entries[i].key;
        *find_slot(d, key->b, key->size) = (uint32_t)i + 1;
    }
}

static struct entry *touch(struct draft *d, const void *key, size_t size)
{
    POT_ASSERT(size > 0 && size <= KEYS_SIZE_MAX);
    uint32_t *slot = find_slot(d, key, size);
    if (*slot == 0) {
        if (d->count + 1 == d->capacity) {
            grow(d);
            slot = find_slot(d, key, size);
        }
        struct entry *fresh = &d->entries[d->count++];
        *fresh = (struct entry){.key.size = size};
        memcpy(fresh->key.b, key, size);
        *slot = (uint32_t)d->count;
    }
    return &d->entries[*slot - 1];
}

static bool draft_get(void *context, const void *key, size_t key_size,
                      struct buf *value)
{
    struct draft *d = context;
    uint32_t slot = *find_slot(d, key, key_size);
    if (slot == 0) {
        const struct state *below = &d->base->state;
        return below->get(below->context, key, key_size, value);
    }
    const struct entry *e = &d->entries[slot - 1];
    buf_clear(value);
    if (e->value == NULL) {
        return false;
    }
    buf_append(value, e->value, e->size);
    return true;
}

static void draft_put(void *context, const void *key, size_t key_size,
                      const void *value, size_t value_size)
{
    struct entry *e = touch(context, key, key_size);
    free(e->value);
    e->value = pot_memdup(value, value_size);
    e->size = value_size;
}

static void draft_del(void *context, const void *key, size_t key_size)
{
    struct entry *e = touch(context, key, key_size);
    free(e->value);
    e->value = NULL;
    e->size = 0;
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
    buf_clear(value);
    if (blob->data == NULL) {
        return false;
    }
    buf_append(value, blob->data, blob->size);
    return true;
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
    d->capacity = SLOTS_MIN / 4;
    grow(d);
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
    for (size_t i = 0; i < draft->count; i++) {
        const struct entry *e = &draft->entries[i];
        if (e->value != NULL) {
            state->put(state->context, e->key.b, e->key.size, e->value,
                       e->size);
        } else {
            state->del(state->context, e->key.b, e->key.size);
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
    for (size_t i = 0; i < draft->count; i++) {
        free(draft->entries[i].value);
    }
    for (size_t i = 0; i < draft->blob_count; i++) {
        free(draft->blobs[i].data);
    }
    free(draft->entries);
    free(draft->slots);
    free(draft->blobs);
    free(draft);
}
