#include "config.h"

#include "base/map.h"

#include "base/alloc.h"
#include "base/check.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16

_Static_assert(crypto_shorthash_BYTES == 8, "a slot's number is 64 bits");

static uint8_t secret[crypto_shorthash_KEYBYTES];
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void draw_secret(void)
{
    int rc = sodium_init();
    POT_ASSERT(rc >= 0);
    randombytes_buf(secret, sizeof(secret));
}

uint64_t map_key_number(const uint8_t key[static MAP_KEY_SIZE])
{
    uint64_t number;
    (void)pthread_once(&secret_once, draw_secret);
    (void)crypto_shorthash((unsigned char *)&number, key, MAP_KEY_SIZE, secret);
    return number;
}

static size_t home_of(const struct map *map, const uint8_t *key)
{
    return (size_t)map_key_number(key) & (map->capacity - 1);
}

/* The slot of key, or the free one where it would go. */
static struct map_slot *find(const struct map *map, const uint8_t *key)
{
    size_t i = home_of(map, key);
    while (map->slots[i].value != NULL &&
           memcmp(map->slots[i].key, key, MAP_KEY_SIZE) != 0) {
        i = (i + 1) & (map->capacity - 1);
    }
    return &map->slots[i];
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity > 0 ? 2 * old.capacity : CAPACITY_MIN;
    map->slots = pot_calloc(map->capacity, sizeof(*map->slots));
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].value != NULL) {
            *find(map, old.slots[i].key) = old.slots[i];
        }
    }
    free(old.slots);
}

void map_fini(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

void map_fini_free(struct map *map)
{
    for (size_t i = 0; i < map->capacity; i++) {
        free(map->slots[i].value);
    }
    map_fini(map);
}

void *map_get(const struct map *map, const uint8_t key[static MAP_KEY_SIZE])
{
    return map->count > 0 ? find(map, key)->value : NULL;
}

void *map_put(struct map *map, const uint8_t key[static MAP_KEY_SIZE],
              void *value)
{
    POT_ASSERT(value != NULL);
    if (2 * (map->count + 1) > map->capacity) {
        grow(map);
    }
    struct map_slot *slot = find(map, key);
    void *old = slot->value;
    if (old == NULL) {
        memcpy(slot->key, key, MAP_KEY_SIZE);
        map->count++;
    }
    slot->value = value;
    return old;
}

/* Moves back what stood behind a slot that became free, so that a search
 * never stops short of its key. */
static void close_gap(struct map *map, size_t gap)
{
    size_t mask = map->capacity - 1;
    for (size_t i = (gap + 1) & mask; map->slots[i].value != NULL;
         i = (i + 1) & mask) {
        size_t home = home_of(map, map->slots[i].key);
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            map->slots[gap] = map->slots[i];
            map->slots[i].value = NULL;
            gap = i;
        }
    }
}

void *map_remove(struct map *map, const uint8_t key[static MAP_KEY_SIZE])
{
    if (map->count == 0) {
        return NULL;
    }
    struct map_slot *slot = find(map, key);
    void *old = slot->value;
    if (old != NULL) {
        slot->value = NULL;
        map->count--;
        close_gap(map, (size_t)(slot - map->slots));
    }
    return old;
}

const struct map_slot *map_next(const struct map *map, size_t *cursor)
{
    while (*cursor < map->capacity) {
        const struct map_slot *slot = &map->slots[(*cursor)++];
        if (slot->value != NULL) {
            return slot;
        }
    }
    return NULL;
}

void **map_values(const struct map *map)
{
    void **values = pot_calloc(map->count, sizeof(*values));
    const struct map_slot *slot;
    size_t cursor = 0;
    for (size_t i = 0; (slot = map_next(map, &cursor)) != NULL; i++) {
        values[i] = slot->value;
    }
    return values;
}
