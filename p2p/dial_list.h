/* dial_list: the configured peers, a dial each.  The loop alone. */
#ifndef POT_P2P_DIAL_LIST_H
#define POT_P2P_DIAL_LIST_H

#include <stddef.h>

#include "base/key.h"
#include "p2p/dial.h"

#define NET_DIALS_MAX 256

/* A zeroed list is empty. */
struct dial_list {
    struct dial *dials[NET_DIALS_MAX];
    size_t count; /* <= NET_DIALS_MAX */
};

/* dial_list_find: the dial for the key, or NULL. */
struct dial *dial_list_find(const struct dial_list *list,
                            const struct public_key *key);

/* dial_list_add: the list owns dial until it is taken. */
void dial_list_add(struct dial_list *list, struct dial *dial);

/* dial_list_take_unlisted: takes out a dial whose address is not among those
 * of peers; NULL: there is none.  With count 0 it takes any. */
struct dial *dial_list_take_unlisted(struct dial_list *list,
                                     const struct net_address *peers,
                                     size_t count);

#endif
