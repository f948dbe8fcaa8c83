/* Bans are by node key: whoever is banned has proven that key, so nobody can
 * get somebody else banned. */
#include "config.h"

#include "p2p/net_internal.h"

#define CONFIGURED_DIVISOR 20

void ban_add(struct net *net, const struct public_key *key)
{
    uint64_t ms = net->config.ban_ms;
    if (dial_find(net, key) != NULL) {
        ms /= CONFIGURED_DIVISOR;
    }
    struct ban *ban = &net->bans[net->ban_next];
    net->ban_next = (net->ban_next + 1) % NET_BANS_MAX;
    *ban = (struct ban){.key = *key, .until_ms = net_now_ms(net) + ms};
    net->stats.bans++;
}

bool ban_holds(const struct net *net, const struct public_key *key)
{
    uint64_t now = net_now_ms(net);
    for (size_t i = 0; i < NET_BANS_MAX; i++) {
        if (net->bans[i].until_ms > now &&
            public_key_equal(&net->bans[i].key, key)) {
            return true;
        }
    }
    return false;
}
