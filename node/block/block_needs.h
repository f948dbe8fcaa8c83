/* block_needs: what executing a block takes beside the block. */
#ifndef POT_NODE_BLOCK_BLOCK_NEEDS_H
#define POT_NODE_BLOCK_BLOCK_NEEDS_H

#include <stdbool.h>

#include "node/block/wait.h"
#include "proto/block.h"

struct needs;

/* block_needs: has it fetched.
 *
 * In: is_certified  the aggregates of its rounds only; otherwise their
 *                   payloads, as far as no sum that is known and held stands
 *                   for them, the test sets of evaluations, and the data sets
 *                   that are published in it */
void block_needs(struct needs *needs, const struct block *block,
                 bool is_certified, wait_done_fn *done, void *context);

#endif
