#include "config.h"

#include "p2p/gossip.h"

#include "base/alloc.h"
#include "base/recent_set.h"

#include <stdlib.h>

struct gossip {
    struct net *net;
    struct recent_set seen; /* marks of messages */
    gossip_fellow_fn *is_fellow;
    void *context;
    gossip_fellow_fn *is_teller;
    void *teller_context;
};

static bool has_none(void *context, const struct peer *peer)
{
    (void)context;
    (void)peer;
    return false;
}

struct gossip *gossip_new(struct net *net, size_t seen_max)
{
    struct gossip *gossip = pot_calloc(1, sizeof(*gossip));
    gossip->net = net;
    gossip->is_fellow = has_none;
    gossip->is_teller = has_none;
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

void gossip_set_fellows(struct gossip *gossip, gossip_fellow_fn *is_fellow,
                        void *context)
{
    gossip->is_fellow = is_fellow;
    gossip->context = context;
}

bool gossip_is_fellow(const struct gossip *gossip, uint64_t peer_id)
{
    const struct peer *peer = net_find_id(gossip->net, peer_id);
    return peer != NULL && gossip->is_fellow(gossip->context, peer);
}

size_t gossip_count_fellows(const struct gossip *gossip)
{
    size_t count = 0;
    for (size_t i = 0; i < net_peer_count(gossip->net); i++) {
        count +=
            gossip->is_fellow(gossip->context, net_peer_at(gossip->net, i));
    }
    return count;
}

void gossip_set_tellers(struct gossip *gossip, gossip_fellow_fn *is_teller,
                        void *context)
{
    gossip->is_teller = is_teller;
    gossip->teller_context = context;
}

static bool is_teller(const struct gossip *gossip, const struct peer *peer)
{
    return gossip->is_fellow(gossip->context, peer) ||
           gossip->is_teller(gossip->teller_context, peer);
}

bool gossip_is_teller(const struct gossip *gossip, uint64_t peer_id)
{
    const struct peer *peer = net_find_id(gossip->net, peer_id);
    return peer != NULL && is_teller(gossip, peer);
}

/* Added to the type of what tellers alone have brought. */
#define TOLD UINT32_C(0x100)

static void mark_of(struct hash *mark, uint32_t type, const void *data,
                    size_t size)
{
    struct hasher h;
    hasher_init(&h, "gossip");
    hasher_add_u32(&h, type);
    hasher_add(&h, data, size);
    hasher_final(&h, mark);
}

static bool is_first(struct gossip *gossip, uint32_t type, const void *data,
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

bool gossip_receive(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size)
{
    return is_first(gossip, type, data, size);
}

bool gossip_receive_told(struct gossip *gossip, uint8_t type, const void *data,
                         size_t size)
{
    struct hash mark;
    mark_of(&mark, type, data, size);
    return !recent_set_has(&gossip->seen, mark.b) &&
           is_first(gossip, type | TOLD, data, size);
}

bool gossip_receive_twice(struct gossip *gossip, uint8_t type, const void *data,
                          size_t size)
{
    struct hash mark;
    mark_of(&mark, type | TOLD, data, size);
    return !recent_set_has(&gossip->seen, mark.b) &&
           is_first(gossip, type, data, size);
}

void gossip_mark(struct gossip *gossip, uint8_t type, const void *data,
                 size_t size)
{
    struct hash mark;
    mark_of(&mark, type, data, size);
    recent_set_add(&gossip->seen, mark.b);
}

static bool is_hearer(void *from, const struct peer *peer)
{
    return peer != from && peer_follows(peer);
}

void gossip_publish(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size)
{
    gossip_mark(gossip, type, data, size);
    (void)net_multicast(gossip->net, type, data, size, is_hearer, NULL);
}

void gossip_forward(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size, uint64_t from_peer_id)
{
    struct peer *from =
        from_peer_id != 0 ? net_find_id(gossip->net, from_peer_id) : NULL;
    (void)net_multicast(gossip->net, type, data, size, is_hearer, from);
}

static bool is_fellow(void *context, const struct peer *peer)
{
    const struct gossip *gossip = context;
    return gossip->is_fellow(gossip->context, peer);
}

static bool is_none(void *context, const struct peer *peer)
{
    return peer_follows(peer) && !is_teller(context, peer);
}

void gossip_forward_out(struct gossip *gossip, uint8_t type, const void *data,
                        size_t size)
{
    (void)net_multicast(gossip->net, type, data, size, is_none, gossip);
}

void gossip_tell_fellows(struct gossip *gossip, uint8_t type, const void *data,
                         size_t size)
{
    (void)net_multicast(gossip->net, type, data, size, is_fellow, gossip);
}

static bool hears(const struct gossip *gossip, const struct peer *peer)
{
    return peer_follows(peer) || gossip->is_fellow(gossip->context, peer);
}

void gossip_tell(const struct gossip *gossip, uint64_t peer_id, uint8_t type,
                 const void *data, size_t size)
{
    struct peer *peer = net_find_id(gossip->net, peer_id);
    if (peer != NULL && hears(gossip, peer)) {
        (void)net_send(gossip->net, peer, type, data, size);
    }
}

void gossip_forget(struct gossip *gossip, uint8_t type, const void *data,
                   size_t size)
{
    struct hash mark;
    mark_of(&mark, type, data, size);
    recent_set_remove(&gossip->seen, mark.b);
    mark_of(&mark, type | TOLD, data, size);
    recent_set_remove(&gossip->seen, mark.b);
}
