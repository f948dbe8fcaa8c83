#include "config.h"

#include "base/recent_set.h"

#include "base/alloc.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* All places stand in one circle, from the oldest key to the latest: those
 * without a key are the oldest.  A place with a key is in the list that the
 * key chooses, too. */
struct recent_key {
    uint8_t key[MAP_KEY_SIZE];
    uint32_t older; /* in the circle */
    uint32_t newer;
    uint32_t next; /* in its list, NONE: the last */
    bool is_used;
};

#define NONE UINT32_MAX

/* The circle's end, between the latest and the oldest, is the place behind
 * all others. */
static uint32_t end_of(const struct recent_set *set)
{
    return (uint32_t)set->size;
}

static void unlink_place(struct recent_set *set, uint32_t at)
{
    const struct recent_key *k = &set->keys[at];
    set->keys[k->older].newer = k->newer;
    set->keys[k->newer].older = k->older;
}

static void link_behind(struct recent_set *set, uint32_t at, uint32_t older)
{
    uint32_t newer = set->keys[older].newer;
    set->keys[at].older = older;
    set->keys[at].newer = newer;
    set->keys[older].newer = at;
    set->keys[newer].older = at;
}

static void make_latest(struct recent_set *set, uint32_t at)
{
    unlink_place(set, at);
    link_behind(set, at, set->keys[end_of(set)].older);
}

void recent_set_init(struct recent_set *set, size_t size)
{
    POT_ASSERT(size > 0 && size < NONE);
    *set = (struct recent_set){
        .size = size,
        .keys = pot_calloc(size + 1, sizeof(*set->keys)),
        .first = pot_calloc(size, sizeof(*set->first)),
    };
    set->keys[size].older = set->keys[size].newer = (uint32_t)size;
    for (uint32_t i = 0; i < size; i++) {
        set->first[i] = NONE;
        link_behind(set, i, end_of(set));
    }
}

void recent_set_fini(struct recent_set *set)
{
    free(set->keys);
    free(set->first);
    *set = (struct recent_set){0};
}

/* What names the key's place, or ends its list. */
static uint32_t *find(const struct recent_set *set, const uint8_t *key)
{
    uint32_t *at = &set->first[map_key_number(key) % set->size];
    while (*at != NONE && memcmp(set->keys[*at].key, key, MAP_KEY_SIZE) != 0) {
        at = &set->keys[*at].next;
    }
    return at;
}

static void leave_list(struct recent_set *set, uint32_t *place)
{
    struct recent_key *k = &set->keys[*place];
    *place = k->next;
    k->is_used = false;
}

bool recent_set_has(const struct recent_set *set,
                    const uint8_t key[static MAP_KEY_SIZE])
{
    return *find(set, key) != NONE;
}

void recent_set_add(struct recent_set *set,
                    const uint8_t key[static MAP_KEY_SIZE])
{
    uint32_t at = *find(set, key);
    if (at == NONE) {
        at = set->keys[end_of(set)].newer;
        struct recent_key *k = &set->keys[at];
        if (k->is_used) {
            leave_list(set, find(set, k->key));
        }
        memcpy(k->key, key, MAP_KEY_SIZE);
        k->is_used = true;
        k->next = NONE;
        *find(set, key) = at;
    }
    make_latest(set, at);
}

void recent_set_remove(struct recent_set *set,
                       const uint8_t key[static MAP_KEY_SIZE])
{
    uint32_t *place = find(set, key);
    uint32_t at = *place;
    if (at != NONE) {
        leave_list(set, place);
        unlink_place(set, at);
        link_behind(set, at, end_of(set));
    }
}
