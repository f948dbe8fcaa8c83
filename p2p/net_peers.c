/* Who is there, and what is sent to them. */
#include "config.h"

#include "p2p/net.h"

#include "base/check.h"
#include "base/cpu_time.h"
#include "base/log.h"
#include "p2p/net_impl.h"

struct peer *net_find(const struct net *net, const struct public_key *key)
{
    const struct peer_entry *entry = peer_table_find(&net->table, key);
    return entry != NULL ? entry->peer : NULL;
}

struct peer *net_find_id(const struct net *net, uint64_t id)
{
    const struct peer_entry *entry = peer_table_find_id(&net->table, id);
    return entry != NULL ? entry->peer : NULL;
}

size_t net_peer_count(const struct net *net)
{
    return net->table.peer_count;
}

struct peer *net_peer_at(const struct net *net, size_t index)
{
    POT_ASSERT(index < net->table.peer_count);
    return net->table.peers[index]->peer;
}

/* --- sending ---------------------------------------------------------- */

static struct parcel *parcel_for(struct net *net, uint8_t type,
                                 const void *data, size_t size)
{
    const struct message_rule *rule = message_rule(type);
    POT_ASSERT(rule != NULL && type >= MESSAGE_CONSENSUS);
    if (size > rule->size_max) {
        net->stats.types[type].dropped++;
        LOG(LOG_ERROR, "p2p", "message too large to send",
            log_text("type", rule->name), log_u64("bytes", size),
            log_u64("limit", rule->size_max));
        return NULL;
    }
    return parcel_new(type, data, size);
}

bool net_send(struct net *net, struct peer *peer, uint8_t type,
              const void *data, size_t size)
{
    struct parcel *parcel = parcel_for(net, type, data, size);
    if (parcel == NULL) {
        return false;
    }
    bool is_taken = peer_push(peer, parcel);
    parcel_unref(parcel);
    return is_taken;
}

size_t net_multicast(struct net *net, uint8_t type, const void *data,
                     size_t size,
                     bool (*filter)(void *context, const struct peer *peer),
                     void *context)
{
    size_t taken = 0;
    struct parcel *parcel = parcel_for(net, type, data, size);
    if (parcel == NULL) {
        return 0;
    }
    enum cpu_part before = cpu_time_enter(CPU_NETWORK); /* once for all */
    for (size_t i = 0; i < net_peer_count(net); i++) {
        struct peer *peer = net_peer_at(net, i);
        if (filter(context, peer)) {
            taken += peer_push(peer, parcel);
        }
    }
    (void)cpu_time_enter(before);
    parcel_unref(parcel);
    return taken;
}

static bool is_other(void *context, const struct peer *peer)
{
    return peer != context;
}

size_t net_broadcast(struct net *net, uint8_t type, const void *data,
                     size_t size, const struct peer *except)
{
    union {
        const struct peer *in;
        void *out;
    } context = {.in = except};
    return net_multicast(net, type, data, size, is_other, context.out);
}
