/* sim_sync: block sync by asking around, among peers that lie. */
#ifndef POT_TESTS_SIM_SYNC_H
#define POT_TESTS_SIM_SYNC_H

#include "tests/sim/sim_world.h"

/* sim_sync: asks one peer for the next block; event->flag: this once. */
void sim_sync(struct sim_world *world, struct sim_node *node,
              const struct sim_event *event);

#endif
