#include "config.h"

#include "base/recent_set.h"

#include "base/check.h"

void recent_set_init(struct recent_set *set, size_t size)
{
    POT_ASSERT(size > 0);
    *set = (struct recent_set){.size = size};
}

void recent_set_fini(struct recent_set *set)
{
    map_fini(&set->young);
    map_fini(&set->old);
}

bool recent_set_has(const struct recent_set *set,
                    const uint8_t key[static MAP_KEY_SIZE])
{
    return map_get(&set->young, key) != NULL || map_get(&set->old, key) != NULL;
}

void recent_set_add(struct recent_set *set,
                    const uint8_t key[static MAP_KEY_SIZE])
{
    if (map_get(&set->young, key) != NULL) {
        return;
    }
    if (set->young.count == set->size) {
        map_fini(&set->old);
        set->old = set->young;
        set->young = (struct map){0};
    }
    /* Only whether it is there counts: any pointer will do. */
    (void)map_put(&set->young, key, set);
}

void recent_set_remove(struct recent_set *set,
                       const uint8_t key[static MAP_KEY_SIZE])
{
    (void)map_remove(&set->young, key);
    (void)map_remove(&set->old, key);
}
