/* execution_impl: what node/block/execution.c and node/block/proposal.c share.
 */
#ifndef POT_NODE_BLOCK_EXECUTION_IMPL_H
#define POT_NODE_BLOCK_EXECUTION_IMPL_H

#include "node/block/execution.h"

/* execution_next_validators: hash of the set that signs the next height. */
void execution_next_validators(struct hash *out, const struct state *state);

#endif
