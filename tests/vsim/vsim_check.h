/* vsim_check: what must hold after every step.
 *
 *   agreement     one block a height, on all nodes, for ever
 *   one word      one digest for each (signer, phase, height, view)
 *   durable       no vote leaves that is not synced in the sign state, and a
 *                 node that starts has all blocks below the height of its own
 *   certificates  a quorum of the height's validators signed each block
 *   exactly once  a transaction stands in one block, and a node that said
 *                 where says so for ever
 *   supply        what all accounts hold adds up to it
 *   innocence     nobody here signs twice, so nobody's stake is taken */
#ifndef POT_TESTS_VSIM_CHECK_H
#define POT_TESTS_VSIM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/vsim/vsim_world.h"

struct public_key;

void vsim_check_init(void);
void vsim_check_fini(void);

/* vsim_check_account: an account whose units count. */
void vsim_check_account(const struct public_key *key);

/* vsim_check_start: of a node that has just started.  Its tip may be below the
 * one that it had: the block of its last commit comes again. */
void vsim_check_start(struct vsim_node *node);

/* vsim_check_node: after a step of the node, which is up. */
void vsim_check_node(struct vsim_node *node);

/* vsim_check_stands: whether some node had it in a block. */
bool vsim_check_stands(const struct hash *tx);

/* vsim_check_acknowledged: a client was told that tx stands there. */
void vsim_check_acknowledged(const struct hash *tx, uint64_t height,
                             uint32_t index);

/* vsim_check_end: of all that was acknowledged, on each node; and, of a few
 * lives, every page of each store. */
void vsim_check_end(void);

/* vsim_check_height: how high the chain is. */
uint64_t vsim_check_height(void);

#endif
