/* sim_node: a node around a replica, as small as can be: it starts, crashes
 * and loses what was not synced, and hands events to its replica. */
#ifndef POT_TESTS_SIM_NODE_H
#define POT_TESTS_SIM_NODE_H

#include "tests/sim/sim_world.h"

/* sim_node_start, sim_node_crash: nothing when it is up, or down, already. */
void sim_node_start(struct sim_world *world, struct sim_node *node);
void sim_node_crash(struct sim_world *world, struct sim_node *node);

/* sim_node_handle: an event of one node, void if it was for an earlier life
 * of it. */
void sim_node_handle(struct sim_world *world, struct sim_event *event);

#endif
