#include "config.h"

#include "tests/unit/lone_net.h"

#include "base/check.h"
#include "p2p/gossip.h"
#include "p2p/net.h"

static void on_message(void *context, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    (void)context;
    (void)peer;
    (void)type;
    (void)data;
    (void)size;
}

void lone_net_open(struct lone_net *l, const struct hash *chain,
                   const struct key *key)
{
    const struct net_callbacks callbacks = {.on_message = on_message};
    const struct net_config config = {
        .loop = &l->loop,
        .chain = *chain,
        .key = key,
        .moniker = "",
    };
    int rc = uv_loop_init(&l->loop);
    POT_ASSERT(rc == 0);
    enum pot_err err = net_open(&l->net, &config, &callbacks);
    POT_ASSERT(err == POT_OK);
    l->gossip = gossip_new(l->net, 100);
}

void lone_net_close(struct lone_net *l)
{
    gossip_free(l->gossip);
    net_close(l->net, NULL, NULL);
    int rc = uv_run(&l->loop, UV_RUN_DEFAULT);
    POT_ASSERT(rc == 0);
    rc = uv_loop_close(&l->loop);
    POT_ASSERT(rc == 0);
}
