/* recent_set: which 32-byte keys were met lately, in bounded memory.
 *
 * Two generations: when the young one is full it becomes the old one, and
 * what was old is forgotten.  One thread at a time. */
#ifndef POT_BASE_RECENT_SET_H
#define POT_BASE_RECENT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct recent_set {
    size_t size;      /* of a generation, > 0 */
    struct map young; /* count <= size */
    struct map old;   /* of young, when that was full */
};

/* recent_set_init: remembers at least the `size` latest keys, and at most
 * 2 * size. */
void recent_set_init(struct recent_set *set, size_t size);
void recent_set_fini(struct recent_set *set);

bool recent_set_has(const struct recent_set *set,
                    const uint8_t key[static MAP_KEY_SIZE]);

/* recent_set_add: the key is the latest one now. */
void recent_set_add(struct recent_set *set,
                    const uint8_t key[static MAP_KEY_SIZE]);

/* recent_set_remove: as if it had never been met. */
void recent_set_remove(struct recent_set *set,
                       const uint8_t key[static MAP_KEY_SIZE]);

#endif
