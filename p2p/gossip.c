#include "config.h"

#include "p2p/gossip.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"

#include <stdlib.h>

struct gossip {
    struct net *net;
    size_t seen_max;
    struct map newer; /* count <= seen_max */
    struct map older; /* of newer, when that was full */
};

struct gossip *gossip_new(struct net *net, size_t seen_max)
{
    struct gossip *gossip = pot_calloc(1, sizeof(*gossip));
    gossip->net = net;
    gossip->seen_max = seen_max != 0 ? seen_max : GOSSIP_SEEN_MAX;
    return gossip;
}

void gossip_free(struct gossip *gossip)
{
    if (gossip != NULL) {
        map_fini(&gossip->newer);
        map_fini(&gossip->older);
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

static bool is_marked(const struct gossip *gossip, const struct hash *mark)
{
    return map_get(&gossip->newer, mark->b) != NULL ||
           map_get(&gossip->older, mark->b) != NULL;
}

static void put_mark(struct gossip *gossip, const struct hash *mark)
{
    if (is_marked(gossip, mark)) {
        return;
    }
    if (gossip->newer.count == gossip->seen_max) {
        map_fini(&gossip->older);
        gossip->older = gossip->newer;
        gossip->newer = (struct map){0};
    }
    (void)map_put(&gossip->newer, mark->b, gossip); /* any value but NULL */
    POT_ASSERT(gossip->newer.count <= gossip->seen_max);
}

bool gossip_receive(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size)
{
    struct hash mark;
    mark_of(&mark, type, data, size);
    if (is_marked(gossip, &mark)) {
        return false;
    }
    put_mark(gossip, &mark);
    return true;
}

void gossip_publish(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size)
{
    struct hash mark;
    mark_of(&mark, type, data, size);
    put_mark(gossip, &mark);
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
    (void)map_remove(&gossip->newer, mark.b);
    (void)map_remove(&gossip->older, mark.b);
}
