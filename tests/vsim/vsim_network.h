/* vsim_network: who reaches whom, and how fast.  A node's address is
 * 10.0.x.y by its index, its port VSIM_PORT. */
#ifndef POT_TESTS_VSIM_NETWORK_H
#define POT_TESTS_VSIM_NETWORK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/vsim/vsim_world.h"

#define VSIM_PORT 9000

void vsim_network_address(struct sockaddr_in *out, uint32_t node,
                          uint16_t port);

/* vsim_network_node: whose address it is, or VSIM_NOBODY. */
uint32_t vsim_network_node(const struct sockaddr *address);

/* vsim_network_delay_us: of size bytes from one to the other, this time. */
uint64_t vsim_network_delay_us(uint32_t from, uint32_t to, size_t size);

/* vsim_network_resend_us: until a lost packet is sent again. */
uint64_t vsim_network_resend_us(void);

/* vsim_network_heal: everybody reaches everybody, without extra delay.
 * vsim_network_split: falls apart in one of several ways.
 * vsim_network_slow: each link gets an extra delay of its own. */
void vsim_network_heal(void);
void vsim_network_split(void);
void vsim_network_slow(void);

#endif
