#include "config.h"

#include "tests/unit/intake_fixture.h"

#include "base/check.h"
#include "node/block/needs.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "node/tx/pending.h"
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

static void on_work(void *context)
{
    (void)context;
}

static void open_gossip(struct intake_fixture *f)
{
    const struct net_callbacks callbacks = {.on_message = on_message};
    const struct net_config config = {
        .loop = &f->net_loop,
        .chain = f->chain.holdings.chain,
        .key = f->chain.client,
        .moniker = "",
    };
    int rc = uv_loop_init(&f->net_loop);
    POT_ASSERT(rc == 0);
    enum pot_err err = net_open(&f->net, &config, &callbacks);
    POT_ASSERT(err == POT_OK);
    f->gossip = gossip_new(f->net, 100);
}

static void open_pending(struct intake_fixture *f, uint64_t txs_max)
{
    const struct needs_config needs = {
        .loop = &f->chain.loop,
        .holdings = &f->chain.holdings,
    };
    f->needs = needs_new(&needs);
    needs_stop(f->needs);
    f->mempool = mempool_new(txs_max, 1 << 20);
    const struct pending_config config = {
        .loop = &f->chain.loop,
        .holdings = &f->chain.holdings,
        .mempool = f->mempool,
        .needs = f->needs,
        .on_work = on_work,
    };
    f->pending = pending_new(&config);
}

void intake_fixture_open(struct intake_fixture *f, uint64_t txs_max)
{
    *f = (struct intake_fixture){.net = NULL};
    chain_fixture_open(&f->chain);
    open_gossip(f);
    open_pending(f, txs_max);
    const struct intake_config config = {
        .loop = &f->chain.loop,
        .holdings = &f->chain.holdings,
        .chain = f->chain.chain,
        .pending = f->pending,
        .gossip = f->gossip,
    };
    f->intake = intake_new(&config);
}

void intake_fixture_run(struct intake_fixture *f)
{
    (void)uv_run(&f->chain.loop, UV_RUN_DEFAULT);
}

void intake_fixture_close(struct intake_fixture *f)
{
    intake_stop(f->intake);
    intake_fixture_run(f);
    intake_free(f->intake);
    pending_free(f->pending);
    mempool_free(f->mempool);
    needs_free(f->needs);
    gossip_free(f->gossip);
    net_close(f->net, NULL, NULL);
    int rc = uv_run(&f->net_loop, UV_RUN_DEFAULT);
    POT_ASSERT(rc == 0);
    rc = uv_loop_close(&f->net_loop);
    POT_ASSERT(rc == 0);
    chain_fixture_close(&f->chain);
}
