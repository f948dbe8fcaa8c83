/* Open addressing with linear probing, at most half full; nothing is ever
 * taken out, so a probe ends at the first empty slot. */
#include "config.h"

#include "storage/write_set.h"

#include "base/alloc.h"
#include "base/check.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64

void write_set_init(struct write_set *set)
{
    _Static_assert(sizeof(set->seed) == crypto_shorthash_KEYBYTES, "a key");
    *set = (struct write_set){.count = 0};
    randombytes_buf(set->seed, sizeof(set->seed));
}

void write_set_fini(struct write_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->entries[i].key);
        free(set->entries[i].value);
    }
    free(set->entries);
    free(set->slots);
    *set = (struct write_set){.count = 0};
}

/* The slot where key is, or where it would go. */
static size_t slot_of(const struct write_set *set, const void *key,
                      size_t key_size)
{
    uint8_t hash[crypto_shorthash_BYTES];
    size_t slot;
    (void)crypto_shorthash(hash, key, key_size, set->seed);
    memcpy(&slot, hash, sizeof(slot));
    for (;; slot++) {
        slot &= set->slot_count - 1;
        if (set->slots[slot] == 0) {
            return slot;
        }
        const struct write_entry *entry = &set->entries[set->slots[slot] - 1];
        if (entry->key_size == key_size &&
            memcmp(entry->key, key, key_size) == 0) {
            return slot;
        }
    }
}

struct write_entry *write_set_find(const struct write_set *set, const void *key,
                                   size_t key_size)
{
    if (set->count == 0) {
        return NULL;
    }
    uint32_t place = set->slots[slot_of(set, key, key_size)];
    return place == 0 ? NULL : &set->entries[place - 1];
}

static void grow(struct write_set *set)
{
    free(set->slots);
    set->slot_count = set->slot_count == 0 ? SLOTS_MIN : 2 * set->slot_count;
    set->capacity = set->slot_count / 2;
    set->slots = pot_calloc(set->slot_count, sizeof(*set->slots));
    set->entries =
        pot_realloc(set->entries, set->capacity, sizeof(*set->entries));
    for (size_t i = 0; i < set->count; i++) {
        const struct write_entry *entry = &set->entries[i];
        set->slots[slot_of(set, entry->key, entry->key_size)] =
            (uint32_t)(i + 1);
    }
}

struct write_entry *write_set_add(struct write_set *set, const void *key,
                                  size_t key_size)
{
    POT_ASSERT(key_size > 0);
    if (set->count == set->capacity) {
        grow(set);
    }
    size_t slot = slot_of(set, key, key_size);
    if (set->slots[slot] == 0) {
        POT_ASSERT(set->count < UINT32_MAX);
        set->entries[set->count] = (struct write_entry){
            .key = pot_memdup(key, key_size), .key_size = key_size};
        set->slots[slot] = (uint32_t)++set->count;
    }
    return &set->entries[set->slots[slot] - 1];
}

void write_entry_set(struct write_entry *entry, const void *value,
                     size_t value_size)
{
    uint8_t *copy = pot_memdup(value, value_size);
    free(entry->value);
    entry->value = copy;
    entry->value_size = value_size;
    entry->is_deleted = false;
}
