/* sim_forge: messages that only a faulty replica makes.  Its key is its own:
 * what it signs for others is refused. */
#ifndef POT_TESTS_SIM_FORGE_H
#define POT_TESTS_SIM_FORGE_H

#include "proto/vote.h"
#include "tests/sim/sim_world.h"

/* sim_forge_remember, sim_forge_other: digests seen at a height, and one of
 * them that is not digest, so that faulty replicas push the same two. */
void sim_forge_remember(struct sim_world *world, uint64_t height,
                        const struct hash *digest);
void sim_forge_other(struct sim_world *world, struct hash *out, uint64_t height,
                     const struct hash *digest);

/* sim_forge_sign: signs a view change anew with node's key. */
void sim_forge_sign(struct sim_world *world, const struct sim_node *node,
                    Pot__ViewChange *change);

/* sim_forge_vote: signs a vote with node's key and sends it to all. */
void sim_forge_vote(struct sim_world *world, const struct sim_node *node,
                    struct vote *vote);

/* sim_forge: says something that is refused.  sim_forge_future: says
 * something of a far height or view. */
void sim_forge(struct sim_world *world, const struct sim_node *node);
void sim_forge_future(struct sim_world *world, const struct sim_node *node);

#endif
