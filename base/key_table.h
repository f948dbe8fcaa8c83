/* key_table: from short byte strings to values, in the order they came.
 *
 * An index over entries that are only ever added: nothing is taken out, and
 * a walk from 0 to count - 1 meets them in the order of the first add, so that
 * the hash never decides an order.  One thread at a time. */
#ifndef POT_BASE_KEY_TABLE_H
#define POT_BASE_KEY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define KEY_TABLE_SEED_SIZE 16

struct key_table_key {
    uint8_t *bytes;
    size_t size; /* > 0 */
    uint64_t hash;
};

struct key_table {
    size_t count;
    struct key_table_key *keys; /* count of them */
    /* The rest is key_table.c's own. */
    uint8_t *values;
    size_t value_size;
    size_t capacity; /* of keys and values */
    uint32_t *slots; /* 2 * capacity of them: entry + 1, or 0 */
    uint8_t seed[KEY_TABLE_SEED_SIZE];
};

/* key_table_init: an empty table.
 *
 * In: value_size: of each value
 *     seed: of the hash; random where strangers choose the keys, so that
 *           they cannot choose the collisions; NULL: zeros, where there may
 *           be no randomness */
void key_table_init(struct key_table *table, size_t value_size,
                    const uint8_t *seed);

/* key_table_fini: what the values point to stays the caller's. */
void key_table_fini(struct key_table *table);

/* key_table_find: the value under key, until the next add; NULL: there is
 * none. */
void *key_table_find(const struct key_table *table, const void *key,
                     size_t size);

/* key_table_hash: what key_table_find_hashed wants besides the key; the same in
 * all tables of one seed. */
uint64_t key_table_hash(const uint8_t seed[static KEY_TABLE_SEED_SIZE],
                        const void *key, size_t size);
void *key_table_find_hashed(const struct key_table *table, uint64_t hash,
                            const void *key, size_t size);

/* key_table_add: as find; where there is none, a fresh one, zeroed.  The key
 * is copied. */
void *key_table_add(struct key_table *table, const void *key, size_t size);

/* key_table_at: the value of the index-th entry, until the next add. */
void *key_table_at(const struct key_table *table, size_t index);

#endif
