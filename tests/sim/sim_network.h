/* sim_network: messages between nodes: lost, doubled, delayed, cut off. */
#ifndef POT_TESTS_SIM_NETWORK_H
#define POT_TESTS_SIM_NETWORK_H

#include "tests/sim/sim_world.h"

/* sim_message_new: takes bytes, whatever they are; one reference. */
struct sim_message *sim_message_new(uint8_t *bytes, size_t size);

/* sim_send: to every node of an identity, as the network pleases. */
void sim_send(struct sim_world *world, const struct sim_node *from,
              uint32_t to_identity, struct sim_message *message);

/* sim_send_to, sim_send_to_all: bytes, which they take, to one identity, or
 * to all others. */
void sim_send_to(struct sim_world *world, const struct sim_node *from,
                 uint32_t to_identity, uint8_t *bytes, size_t size);
void sim_send_to_all(struct sim_world *world, const struct sim_node *from,
                     uint8_t *bytes, size_t size);

/* sim_partition: a new state of the network: whole, in groups, or with dead
 * links; whole once it is healed. */
void sim_partition(struct sim_world *world);

#endif
