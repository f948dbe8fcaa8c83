#include "config.h"

#include "node/block/delivery.h"

#include "base/alloc.h"
#include "node/block/block_needs.h"
#include "node/block/certified.h"
#include "node/block/shared_block.h"

#include <stdlib.h>

struct delivering {
    const struct delivery *delivery;
    const struct certified *certified;
    chain_done_fn *done;
    void *context;
};

static void apply(struct delivering *d)
{
    chain_apply(d->delivery->chain, d->certified, d->done, d->context);
    free(d);
}

static void give_up(struct delivering *d, enum pot_err err, const char *why)
{
    d->done(d->context, err, why);
    free(d);
}

static void on_checked(void *context, enum pot_err err, const char *why)
{
    struct delivering *d = context;
    if (err == POT_OK || err == POT_ECANCELLED) {
        apply(d); /* a stale one is told so */
    } else {
        give_up(d, err, why);
    }
}

static void on_payloads(void *context, bool is_held)
{
    struct delivering *d = context;
    if (is_held) {
        chain_check(d->delivery->chain, d->certified->block, 0, on_checked, d);
    } else {
        give_up(d, POT_ENOENT, "what it needs cannot be had");
    }
}

/* Nobody has the aggregate: with the gradients that went into it, it can be
 * made again, by executing the block in full. */
static void on_needs(void *context, bool is_held)
{
    struct delivering *d = context;
    if (is_held) {
        apply(d);
    } else {
        block_needs(d->delivery->needs, d->certified->block->block, false,
                    on_payloads, d);
    }
}

void delivery_apply(const struct delivery *delivery,
                    const struct certified *certified, chain_done_fn *done,
                    void *context)
{
    const struct block *block = certified->block->block;
    if (block->header->height != chain_tip(delivery->chain)->height + 1 ||
        chain_find_kept(delivery->chain, &block->hash) != NULL) {
        chain_apply(delivery->chain, certified, done, context);
        return;
    }
    struct delivering *d = pot_calloc(1, sizeof(*d));
    d->delivery = delivery;
    d->certified = certified;
    d->done = done;
    d->context = context;
    block_needs(delivery->needs, block, true, on_needs, d);
}
