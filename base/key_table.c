/* Open addressing with linear probing, at most half full; nothing is ever
 * taken out, so a probe ends at the first empty slot. */
#include "config.h"

#include "base/key_table.h"

#include "base/alloc.h"
#include "base/check.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16

void key_table_init(struct key_table *table, size_t value_size,
                    const uint8_t *seed)
{
    _Static_assert(KEY_TABLE_SEED_SIZE == crypto_shorthash_KEYBYTES, "a key");
    *table = (struct key_table){.value_size = value_size};
    if (seed != NULL) {
        memcpy(table->seed, seed, sizeof(table->seed));
    }
}

void key_table_fini(struct key_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->keys[i].bytes);
    }
    free(table->keys);
    free(table->values);
    free(table->slots);
    *table = (struct key_table){.count = 0};
}

uint64_t key_table_hash(const uint8_t seed[static KEY_TABLE_SEED_SIZE],
                        const void *key, size_t size)
{
    uint8_t bytes[crypto_shorthash_BYTES];
    uint64_t hash;
    _Static_assert(sizeof(hash) == sizeof(bytes), "a hash");
    (void)crypto_shorthash(bytes, key, size, seed);
    memcpy(&hash, bytes, sizeof(hash));
    return hash;
}

/* The slot where key is, or where it would go. */
static uint32_t *find_slot(const struct key_table *table, uint64_t hash,
                           const void *key, size_t size)
{
    for (size_t slot = (size_t)hash;; slot++) {
        slot &= 2 * table->capacity - 1;
        if (table->slots[slot] == 0) {
            return &table->slots[slot];
        }
        const struct key_table_key *at = &table->keys[table->slots[slot] - 1];
        if (at->hash == hash && at->size == size &&
            memcmp(at->bytes, key, size) == 0) {
            return &table->slots[slot];
        }
    }
}

void *key_table_at(const struct key_table *table, size_t index)
{
    return table->values + index * table->value_size;
}

void *key_table_find_hashed(const struct key_table *table, uint64_t hash,
                            const void *key, size_t size)
{
    uint32_t place = table->count > 0 ? *find_slot(table, hash, key, size) : 0;
    return place == 0 ? NULL : key_table_at(table, place - 1);
}

void *key_table_find(const struct key_table *table, const void *key,
                     size_t size)
{
    return table->count == 0
               ? NULL
               : key_table_find_hashed(
                     table, key_table_hash(table->seed, key, size), key, size);
}

static void grow(struct key_table *table)
{
    size_t capacity = table->capacity > 0 ? 2 * table->capacity : CAPACITY_MIN;
    POT_ASSERT(capacity <= UINT32_MAX / 2);
    table->keys = pot_realloc(table->keys, capacity, sizeof(*table->keys));
    table->values = pot_realloc(table->values, capacity, table->value_size);
    free(table->slots);
    table->slots = pot_calloc(2 * capacity, sizeof(*table->slots));
    table->capacity = capacity;
    for (size_t i = 0; i < table->count; i++) {
        const struct key_table_key *key = &table->keys[i];
        *find_slot(table, key->hash, key->bytes, key->size) = (uint32_t)i + 1;
    }
}

void *key_table_add(struct key_table *table, const void *key, size_t size)
{
    POT_ASSERT(size > 0);
    uint64_t hash = key_table_hash(table->seed, key, size);
    void *value = key_table_find_hashed(table, hash, key, size);
    if (value != NULL) {
        return value;
    }
    if (table->count == table->capacity) {
        grow(table);
    }
    value = key_table_at(table, table->count);
    memset(value, 0, table->value_size);
    table->keys[table->count] = (struct key_table_key){
        .bytes = pot_memdup(key, size), .size = size, .hash = hash};
    *find_slot(table, hash, key, size) = (uint32_t)++table->count;
    return value;
}
