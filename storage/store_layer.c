#include "config.h"

#include "storage/store_layer.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define DELETED UINT32_MAX

struct store_layer *store_layer_new(struct store_layer *below, size_t base)
{
    struct store_layer *layer = pot_calloc(1, sizeof(*layer));
    uint8_t fresh[KEY_TABLE_SEED_SIZE];
    const uint8_t *seed = below != NULL ? below->records.seed : fresh;
    layer->references = 1;
    layer->below = below != NULL ? store_layer_ref(below) : NULL;
    layer->base = below != NULL ? below->base : base;
    layer->depth = below != NULL ? below->depth + 1 : 1;
    if (below == NULL) {
        randombytes_buf(fresh, sizeof(fresh)); /* strangers choose the keys */
    }
    key_table_init(&layer->records, sizeof(struct layer_record), seed);
    return layer;
}

struct store_layer *store_layer_ref(struct store_layer *layer)
{
    layer->references++;
    return layer;
}

void store_layer_unref(struct store_layer *layer)
{
    while (layer != NULL && --layer->references == 0) {
        struct store_layer *below = layer->below;
        for (size_t i = 0; i < layer->records.count; i++) {
            struct layer_record *record = key_table_at(&layer->records, i);
            free(record->raw);
        }
        key_table_fini(&layer->records);
        free(layer);
        layer = below;
    }
}

/* ---- records */

/* Not tables that are read by walking LMDB's, nor those of blobs. */
static bool takes(enum store_table table)
{
    switch (table) {
    case TABLE_BLOCKS:
    case TABLE_HEIGHTS:
    case TABLE_CERTIFICATES:
    case TABLE_TXS:
    case TABLE_STATE:
    case TABLE_BUCKETS:
    case TABLE_NODES:
    case TABLE_HEADERS:
        return true;
    case TABLE_META:
    case TABLE_REWARDS_TASK:
    case TABLE_REWARDS_ADDRESS:
    case TABLE_ROUNDS:
    case TABLE_BLOBS:
    case TABLE_BLOB_USES:
    case STORE_TABLES:
        break;
    }
    return false;
}

struct name {
    uint8_t bytes[1 + STORE_TABLE_KEY_MAX];
    size_t size;
};

static void make_name(struct name *name, enum store_table table,
                      const void *key, size_t key_size)
{
    POT_ASSERT(key_size >= 1 && key_size <= STORE_TABLE_KEY_MAX);
    name->bytes[0] = (uint8_t)table;
    memcpy(name->bytes + 1, key, key_size);
    name->size = 1 + key_size;
}

const struct layer_record *store_layer_find(const struct store_layer *layer,
                                            enum store_table table,
                                            const void *key, size_t key_size)
{
    struct name name;
    const struct layer_record *found = NULL;
    make_name(&name, table, key, key_size);
    uint64_t hash = layer != NULL ? key_table_hash(layer->records.seed,
                                                   name.bytes, name.size)
                                  : 0;
    for (; layer != NULL && found == NULL; layer = layer->below) {
        found =
            key_table_find_hashed(&layer->records, hash, name.bytes, name.size);
    }
    return found;
}

bool store_layer_is_newest(const struct store_layer *top,
                           const struct store_layer *layer, size_t index)
{
    const struct key_table_key *name = &layer->records.keys[index];
    while (top != layer &&
           key_table_find_hashed(&top->records, name->hash, name->bytes,
                                 name->size) == NULL) {
        top = top->below;
    }
    return top == layer;
}

/* The record, empty, in this layer itself. */
static struct layer_record *renew(struct store_layer *layer,
                                  enum store_table table, const void *key,
                                  size_t key_size)
{
    struct name name;
    POT_ASSERT(takes(table));
    make_name(&name, table, key, key_size);
    struct layer_record *record =
        key_table_add(&layer->records, name.bytes, name.size);
    free(record->raw);
    *record = (struct layer_record){.raw = NULL};
    return record;
}

uint8_t *store_layer_put(struct store_layer *layer, enum store_table table,
                         const void *key, size_t key_size, size_t size)
{
    struct layer_record *record = renew(layer, table, key, key_size);
    POT_ASSERT(size > 0 && size < DELETED);
    record->raw = pot_alloc(size);
    record->size = size;
    return record->raw;
}

void store_layer_del(struct store_layer *layer, enum store_table table,
                     const void *key, size_t key_size)
{
    (void)renew(layer, table, key, key_size);
}

/* ---- as bytes */

static void encode_record(struct buf *out, const struct key_table_key *name,
                          const struct layer_record *record)
{
    uint8_t head[6];
    head[0] = name->bytes[0];
    head[1] = (uint8_t)(name->size - 1);
    bytes_put_u32(head + 2,
                  record->raw != NULL ? (uint32_t)record->size : DELETED);
    buf_append(out, head, sizeof(head));
    buf_append(out, name->bytes + 1, name->size - 1);
    buf_append(out, record->raw, record->size);
}

void store_layer_encode(struct buf *out, const struct store_layer *layer)
{
    uint8_t tip[RECORD_TIP_SIZE];
    POT_ASSERT(layer->tip.is_set);
    store_record_tip(tip, &layer->tip);
    buf_append(out, layer->parent.b, HASH_SIZE);
    buf_append(out, tip, sizeof(tip));
    for (size_t i = 0; i < layer->records.count; i++) {
        encode_record(out, &layer->records.keys[i],
                      key_table_at(&layer->records, i));
    }
}

bool store_layer_open(struct layer_reader *r, const void *data, size_t size,
                      struct hash *parent, struct store_tip *tip)
{
    *r = (struct layer_reader){.data = data, .size = size};
    if (size < HASH_SIZE + RECORD_TIP_SIZE) {
        return false;
    }
    memcpy(parent->b, r->data, HASH_SIZE);
    r->offset = HASH_SIZE + RECORD_TIP_SIZE;
    return store_record_read_tip(tip, r->data + HASH_SIZE, RECORD_TIP_SIZE);
}

bool store_layer_next(struct layer_reader *r, struct layer_item *item)
{
    struct bytes_reader b;
    bytes_reader_init(&b, r->data + r->offset, r->size - r->offset);
    if (r->is_bad || bytes_left(&b) == 0) {
        return false;
    }
    unsigned table = bytes_read_u8(&b);
    item->key_size = bytes_read_u8(&b);
    uint32_t size = bytes_read_u32(&b);
    item->key = bytes_borrow(&b, item->key_size);
    item->is_deleted = size == DELETED;
    item->size = item->is_deleted ? 0 : size;
    item->raw = bytes_borrow(&b, item->size);
    r->is_bad = b.is_short || table >= STORE_TABLES ||
                !takes((enum store_table)table) || item->key_size == 0 ||
                (!item->is_deleted && size < STORE_SUM_SIZE);
    item->table = r->is_bad ? TABLE_META : (enum store_table)table;
    r->offset += b.offset;
    return !r->is_bad;
}
