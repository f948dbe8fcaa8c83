/* sim_scenario: what a seed says: the network, who is faulty and how, and
 * when something happens to whom. */
#ifndef POT_TESTS_SIM_SCENARIO_H
#define POT_TESTS_SIM_SCENARIO_H

#include "tests/sim/sim_world.h"

/* sim_scenario_draw: into a world that was just made; nobody is up yet. */
void sim_scenario_draw(struct sim_world *world);

#endif
