#include "config.h"

#include "tests/unit/intake_fixture.h"

#include "node/block/needs.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "node/tx/pending.h"

static void on_work(void *context)
{
    (void)context;
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
    *f = (struct intake_fixture){.answered = 0};
    chain_fixture_open(&f->chain);
    lone_net_open(&f->net, &f->chain.holdings.chain, f->chain.client);
    open_pending(f, txs_max);
    const struct intake_config config = {
        .loop = &f->chain.loop,
        .holdings = &f->chain.holdings,
        .chain = f->chain.chain,
        .mempool = f->mempool,
        .pending = f->pending,
        .gossip = f->net.gossip,
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
    lone_net_close(&f->net);
    chain_fixture_close(&f->chain);
}
