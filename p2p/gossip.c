#include "config.h"

#include "p2p/gossip.h"

#include "base/alloc.h"
#include "base/recent_set.h"

#include <stdlib.h>

struct gossip {
    struct net *net;
    struct recent_set seen; /* marks of messages */
};

struct gossip *gossip_new(struct net *net, size_t seen_max)
{
    struct gossip *gossip = pot_calloc(1, sizeof(*gossip));
    gossip->net = net;
    recent_set_init(&gossip->seen, seen_max != 0 ? seen_max : GOSSIP_SEEN_MAX);
    return gossip;
}

void gossip_free(struct gossip *gossip)
{
    if (gossip != NULL) {
        recent_set_fini(&gossip->seen);
        free(gossip);
    }
}

static void mark_of(struct hash *mark, uint8_t type, const void *data,
                    size_t size)
{
    struct hasher h;
    hasher_init(&h, "gossip");
    hasher_add_u32(&h, type);
    hasher_add(&h, data, size);
    hasher_final(&h, mark);
}

bool gossip_receive(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size)
{
    struct hash mark;
    mark_of(&mark, type, data, size);
    if (recent_set_has(&gossip->seen, mark.b)) {
        return false;
    }
    recent_set_add(&gossip->seen, mark.b);
    return true;
}

void gossip_mark(struct gossip *gossip, uint8_t type, const void *data,
                 size_t size)
{
    struct hash mark;
    mark_of(&mark, type, data, size);
    recent_set_add(&gossip->seen, mark.b);
}

void gossip_publish(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size)
{
    gossip_mark(gossip, type, data, size);
    (void)net_broadcast(gossip->net, type, data, size, NULL);
}

void gossip_forward(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size, uint64_t from_peer_id)
{
    const struct peer *from =
        from_peer_id != 0 ? net_find_id(gossip->net, from_peer_id) : NULL;
    (void)net_broadcast(gossip->net, type, data, size, from);
}

void gossip_forget(struct gossip *gossip, uint8_t type, const void *data,
                   size_t size)
{
    struct hash mark;
    mark_of(&mark, type, data, size);
    recent_set_remove(&gossip->seen, mark.b);
}
