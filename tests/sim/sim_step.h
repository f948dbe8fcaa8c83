/* sim_step: a step of a replica and what it asks for, on a disk whose writes
 * take time, with a ledger that says yes.  The caller's part of the contract
 * in pbft.h. */
#ifndef POT_TESTS_SIM_STEP_H
#define POT_TESTS_SIM_STEP_H

#include "tests/sim/sim_world.h"

/* sim_step: steps node's replica and carries the effects out. */
void sim_step(struct sim_world *world, struct sim_node *node,
              const struct pbft_event *event);

/* sim_apply: stores a committed block after a while; empties *block. */
void sim_apply(struct sim_world *world, struct sim_node *node,
               struct sim_block *block, uint64_t height, bool is_sync);

#endif
