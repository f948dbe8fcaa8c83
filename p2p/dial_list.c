#include "config.h"

#include "p2p/dial_list.h"

#include "base/check.h"

struct dial *dial_list_find(const struct dial_list *list,
                            const struct public_key *key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (public_key_equal(&dial_address(list->dials[i])->key, key)) {
            return list->dials[i];
        }
    }
    return NULL;
}

void dial_list_add(struct dial_list *list, struct dial *dial)
{
    POT_ASSERT(list->count < NET_DIALS_MAX);
    list->dials[list->count++] = dial;
}

static bool is_listed(const struct net_address *peers, size_t count,
                      const struct net_address *address)
{
    for (size_t i = 0; i < count; i++) {
        if (net_address_equal(&peers[i], address)) {
            return true;
        }
    }
    return false;
}

struct dial *dial_list_take_unlisted(struct dial_list *list,
                                     const struct net_address *peers,
                                     size_t count)
{
    for (size_t i = 0; i < list->count; i++) {
        struct dial *dial = list->dials[i];
        if (!is_listed(peers, count, dial_address(dial))) {
            list->dials[i] = list->dials[--list->count];
            return dial;
        }
    }
    return NULL;
}
