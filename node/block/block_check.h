/* block_check: executing a block as a replica does before it prepares. */
#ifndef POT_NODE_BLOCK_BLOCK_CHECK_H
#define POT_NODE_BLOCK_BLOCK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct chain_tip;
struct executed;
struct holdings;
struct shared_block;

#define BLOCK_WHY_SIZE 256

/* block_check: executes the block on its parent, which is the store's tip.
 * Blocks and computes: off the loop, one call at a time a store.
 *
 * In:     now_ms  its time may be max_time_ahead_ms later; 0: not looked at
 *         is_certified  a commit certificate vouches for it: signatures and
 *             time are not looked at, and rounds need their aggregates only
 * Out:    *out  fresh, holds a reference to block; NULL on an error
 *         why  one line that says which rule an invalid block breaks, or
 *             what is lacking; untouched on POT_OK
 * Errors: POT_EFORMAT   the block is invalid
 *         POT_ENOENT    what executing it takes is not held here: of the
 *                       block nothing can be said
 *         the store's   nor can it be then */
POT_MUST_USE enum pot_err block_check(struct executed **out,
                                      const struct holdings *holdings,
                                      const struct chain_tip *parent,
                                      struct shared_block *block,
                                      uint64_t now_ms, bool is_certified,
                                      char why[static BLOCK_WHY_SIZE]);

#endif
