/* sim_attack: what faulty replicas do.  Most run the real replica and twist
 * what it says. */
#ifndef POT_TESTS_SIM_ATTACK_H
#define POT_TESTS_SIM_ATTACK_H

#include "tests/sim/sim_world.h"

/* sim_attack_twist: what a faulty replica does instead of sending effect;
 * false: nothing, it is sent. */
bool sim_attack_twist(struct sim_world *world, const struct sim_node *node,
                      const struct pbft_effect *effect);

/* sim_attack_in: what it does when it gets a message. */
void sim_attack_in(struct sim_world *world, struct sim_node *node,
                   struct sim_message *message);

/* sim_attack_now: what it does now and then, and when the next time is. */
void sim_attack_now(struct sim_world *world, struct sim_node *node);

#endif
