/* map: from 32-byte keys that are hashes or public keys to pointers.
 *
 * Open addressing; the key's own bytes choose the slot, mixed with a secret
 * drawn per process, so that nobody can aim for collisions.  The order of
 * map_next is therefore arbitrary: nothing that replicas must agree on may
 * depend on it. */
#ifndef POT_BASE_MAP_H
#define POT_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#define MAP_KEY_SIZE 32

struct map_slot {
    uint8_t key[MAP_KEY_SIZE];
    void *value; /* NULL: free */
};

/* map_key_number: the key, mixed with the secret. */
uint64_t map_key_number(const uint8_t key[static MAP_KEY_SIZE]);

/* A zeroed struct map is empty. */
struct map {
    struct map_slot *slots; /* capacity of them, a power of two */
    size_t capacity;
    size_t count; /* 2 * count <= capacity */
};

/* map_fini, _fini_free: it is empty again; the values stay the caller's, or are
 * its own and free()d. */
void map_fini(struct map *map);
void map_fini_free(struct map *map);

/* map_get: the value, or NULL. */
void *map_get(const struct map *map, const uint8_t key[static MAP_KEY_SIZE]);

/* map_put: sets the value, which is not NULL; returns the old one or NULL. */
void *map_put(struct map *map, const uint8_t key[static MAP_KEY_SIZE],
              void *value);

/* map_remove: returns the value that was there, or NULL. */
void *map_remove(struct map *map, const uint8_t key[static MAP_KEY_SIZE]);

/* map_next: walks all slots; start with *cursor = 0, NULL at the end.  The
 * map must not change meanwhile. */
const struct map_slot *map_next(const struct map *map, size_t *cursor);

/* map_values: the map's `count` values in fresh memory, for a walk that
 * changes the map; free(). */
void **map_values(const struct map *map);

#endif
