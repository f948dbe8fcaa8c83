/* lone_net: a network where nobody else is, for parts that send. */
#ifndef POT_TESTS_UNIT_LONE_NET_H
#define POT_TESTS_UNIT_LONE_NET_H

#include <uv.h>

#include "base/hash.h"
#include "base/key.h"

struct lone_net {
    uv_loop_t loop; /* it is not run before the end */
    struct net *net;
    struct gossip *gossip;
};

void lone_net_open(struct lone_net *l, const struct hash *chain,
                   const struct key *key);

/* lone_net_close: who sends by it is freed before. */
void lone_net_close(struct lone_net *l);

#endif
