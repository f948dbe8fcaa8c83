#include "config.h"

#include "p2p/ban.h"

void ban_add(struct ban_list *list, const struct public_key *key,
             uint64_t until_ms)
{
    list->bans[list->next].key = *key;
    list->bans[list->next].until_ms = until_ms;
    list->next = (list->next + 1) % BANS_MAX;
}

bool ban_holds(const struct ban_list *list, const struct public_key *key,
               uint64_t now_ms)
{
    for (size_t i = 0; i < BANS_MAX; i++) {
        if (list->bans[i].until_ms > now_ms &&
            public_key_equal(&list->bans[i].key, key)) {
            return true;
        }
    }
    return false;
}
