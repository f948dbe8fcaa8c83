/* delivery: certified blocks on their way to the tip, whether consensus or
 * block sync brought them: what they need is fetched, then they are applied,
 * each height once.  On the loop.
 *
 * A certified block needs the aggregates of its rounds.  When one is not to be
 * had, its payloads may be: with them the block is checked in full, as for a
 * vote but for its time, which makes the aggregate again. */
#ifndef POT_NODE_BLOCK_DELIVERY_H
#define POT_NODE_BLOCK_DELIVERY_H

#include "node/block/chain.h"

struct needs;

struct delivery {
    struct chain *chain;
    struct needs *needs;
};

/* delivery_apply: the certificate was verified.
 *
 * In:     certified  borrowed until done is called
 * Errors: those of chain_apply; POT_ENOENT too when something that the
 *         block needs is not to be had now */
void delivery_apply(const struct delivery *delivery,
                    const struct certified *certified, chain_done_fn *done,
                    void *context);

#endif
