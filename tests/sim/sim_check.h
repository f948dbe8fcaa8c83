/* sim_check: what must hold after every step, whatever the network and up to
 * f faulty replicas do. */
#ifndef POT_TESTS_SIM_CHECK_H
#define POT_TESTS_SIM_CHECK_H

#include "tests/sim/sim_world.h"

/* sim_check_sent: an honest replica contradicts nothing that it said, and
 * says only what is on its disk. */
void sim_check_sent(struct sim_world *world, const struct sim_node *node,
                    const uint8_t *bytes, size_t size);

/* sim_check_commit: agreement and validity of a block that an honest replica
 * holds to be final. */
void sim_check_commit(struct sim_world *world, const struct sim_node *node,
                      uint64_t height, const struct sim_block *block);

#endif
