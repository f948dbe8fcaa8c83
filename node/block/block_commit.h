/* block_commit: storing a block that was executed, and the genesis; one call
 * at a time a store. */
#ifndef POT_NODE_BLOCK_BLOCK_COMMIT_H
#define POT_NODE_BLOCK_BLOCK_COMMIT_H

#include <stdbool.h>

#include "base/err.h"
#include "proto/chain.pb-c.h"

struct certified;
struct chain_tip;
struct executed;
struct holdings;

/* block_commit: the block, executed on parent, with the certificate on it, in
 * one transaction of the store, and durable with store_sync.  executed is
 * spent, whether it succeeds or not, but for POT_EAGAIN: only executed_free is
 * left to do with it.  With may_wait it blocks: off the loop.
 *
 * Errors: those of store_commit_soon; the store is unchanged then */
POT_MUST_USE enum pot_err block_commit(const struct holdings *holdings,
                                       const struct chain_tip *parent,
                                       struct executed *executed,
                                       const struct certified *certified,
                                       bool may_wait);

/* block_commit_genesis: height 0 of an empty store, durable.  It blocks. */
POT_MUST_USE enum pot_err block_commit_genesis(const struct holdings *holdings,
                                               const Pot__Genesis *genesis);

#endif
