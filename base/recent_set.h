/* recent_set: which 32-byte keys were met lately.
 *
 * All its memory, 52 bytes a key, is taken and written when it is made: a node
 * that has run for a month takes no more than one that has just begun.  One
 * thread at a time. */
#ifndef POT_BASE_RECENT_SET_H
#define POT_BASE_RECENT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct recent_key; /* base/recent_set.c */

struct recent_set {
    size_t size;             /* keys at most, > 0 */
    struct recent_key *keys; /* size of them, and one where their circle ends */
    uint32_t *first;         /* of each of size lists: a place in keys */
};

/* recent_set_init: remembers the `size` latest keys, < 2^32 - 1. */
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
