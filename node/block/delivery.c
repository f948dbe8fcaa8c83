#include "config.h"

#include "node/block/delivery.h"

#include "base/alloc.h"
#include "node/block/block_needs.h"
#include "node/block/certified.h"
#include "node/block/shared_block.h"

#include <stdlib.h>

struct parcel {
    const struct delivery *delivery;
    const struct certified *certified;
    chain_done_fn *done;
    void *context;
};

static void apply(struct parcel *p)
{
    chain_apply(p->delivery->chain, p->certified, p->done, p->context);
    free(p);
}

static void give_up(struct parcel *p, enum pot_err err, const char *why)
{
    p->done(p->context, err, why);
    free(p);
}

static void on_checked(void *context, enum pot_err err, const char *why)
{
    struct parcel *p = context;
    if (err == POT_OK || err == POT_ECANCELLED) {
        apply(p); /* a stale one is told so */
    } else {
        give_up(p, err, why);
    }
}

static void on_payloads(void *context, bool is_held)
{
    struct parcel *p = context;
    if (is_held) {
        chain_check(p->delivery->chain, p->certified->block, 0, on_checked, p);
    } else {
        give_up(p, POT_ENOENT, "what it needs cannot be had");
    }
}

/* Nobody has the aggregate: with the gradients that went into it, it can be
 * made again, by executing the block in full. */
static void on_needs(void *context, bool is_held)
{
    struct parcel *p = context;
    if (is_held) {
        apply(p);
    } else {
        block_needs(p->delivery->needs, p->certified->block->block, false,
                    on_payloads, p);
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
    struct parcel *p = pot_calloc(1, sizeof(*p));
    p->delivery = delivery;
    p->certified = certified;
    p->done = done;
    p->context = context;
    block_needs(delivery->needs, block, true, on_needs, p);
}
