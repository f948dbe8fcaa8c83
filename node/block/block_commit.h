/* block_commit: storing a block that was executed, and the genesis.
 *
 * Both block: off the loop, one call at a time a store. */
#ifndef POT_NODE_BLOCK_BLOCK_COMMIT_H
#define POT_NODE_BLOCK_BLOCK_COMMIT_H

#include "base/err.h"
#include "proto/chain.pb-c.h"

struct certified;
struct chain_tip;
struct executed;
struct holdings;

/* block_commit: the block, executed on parent, with the certificate on it, in
 * one transaction of the store.  executed is spent, whether it succeeds or
 * not: only executed_free is left to do with it.
 *
 * Errors: those of store_commit; the store is unchanged then */
POT_MUST_USE enum pot_err block_commit(const struct holdings *holdings,
                                       const struct chain_tip *parent,
                                       struct executed *executed,
                                       const struct certified *certified);

/* block_commit_genesis: height 0 of an empty store. */
POT_MUST_USE enum pot_err block_commit_genesis(const struct holdings *holdings,
                                               const Pot__Genesis *genesis);

#endif
