/* store_layer: what one commit wrote, in memory; for storage/ only.
 *
 * It may have the records of those tables alone that are read by their keys:
 * headers, which are walked too, it only takes out.
 *
 * Layers lie on each other and the lowest on LMDB, which gets them all at
 * once later on: see storage/store_env.h.  A layer never changes once others
 * can see it, so a reader that holds one has a snapshot. */
#ifndef POT_STORAGE_STORE_LAYER_H
#define POT_STORAGE_STORE_LAYER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/key_table.h"
#include "storage/store_env.h"

struct store_layer {
    _Atomic unsigned references;
    struct store_layer *below; /* owned; NULL: LMDB */
    size_t base;               /* LMDB's transaction beneath all of them */
    unsigned depth;            /* of layers, this one too */
    struct hash parent;        /* of the block at its tip */
    struct store_tip tip;      /* as of it */
    struct store_total totals[STORE_TABLES];
    /* Of struct layer_record, by table and key; of one seed in all of them. */
    struct key_table records;
};

/* A record as LMDB would hold it: its checksum and its value. */
struct layer_record {
    uint8_t *raw; /* NULL: deleted */
    size_t size;
};

/* store_layer_new: an empty one over `below`, of which it takes a reference,
 * or, if that is NULL, over LMDB's transaction `base`. */
struct store_layer *store_layer_new(struct store_layer *below, size_t base);
struct store_layer *store_layer_ref(struct store_layer *layer);
void store_layer_unref(struct store_layer *layer); /* NULL is fine */

/* store_layer_find: the record in this layer or one below; NULL: none of them
 * says anything of it.  Valid while the layer is. */
const struct layer_record *store_layer_find(const struct store_layer *layer,
                                            enum store_table table,
                                            const void *key, size_t key_size);

/* store_layer_is_newest: no layer from top down to above this one says anything
 * of the record at this index. */
bool store_layer_is_newest(const struct store_layer *top,
                           const struct store_layer *layer, size_t index);

/* store_layer_put: room for size bytes under the key.  store_layer_del: the
 * key is gone. */
uint8_t *store_layer_put(struct store_layer *layer, enum store_table table,
                         const void *key, size_t key_size, size_t size);
void store_layer_del(struct store_layer *layer, enum store_table table,
                     const void *key, size_t key_size);

/* ---- as bytes
 *
 *   32 parent | tip | records: u8 table | u8 key size | u32 size | key | raw
 *
 * little-endian; the size of what was deleted is 2^32 - 1. */
void store_layer_encode(struct buf *out, const struct store_layer *layer);

struct layer_reader {
    const uint8_t *data;
    size_t size;
    size_t offset;
    bool is_bad; /* something that nobody wrote */
};

struct layer_item {
    enum store_table table;
    const uint8_t *key;
    size_t key_size;
    bool is_deleted;
    const uint8_t *raw;
    size_t size;
};

/* store_layer_open: the parent and the tip; false: these bytes are no layer.
 * store_layer_next: the next record; false: there is none, or it is bad. */
bool store_layer_open(struct layer_reader *r, const void *data, size_t size,
                      struct hash *parent, struct store_tip *tip);
bool store_layer_next(struct layer_reader *r, struct layer_item *item);

#endif
