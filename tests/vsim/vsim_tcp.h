/* vsim_tcp: libuv's sockets over the simulated network.  Bytes come in order
 * or the connection ends; what a blocked link loses is sent again. */
#ifndef POT_TESTS_VSIM_TCP_H
#define POT_TESTS_VSIM_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/vsim/vsim_world.h"

/* vsim_tcp_die: the node's process is gone.  Its system ends its connections,
 * unless that is gone too. */
void vsim_tcp_die(uint32_t node, bool is_silent);

/* vsim_tcp_cut: connections between the two end, and what is under way on
 * them is lost.  Returns how many. */
unsigned vsim_tcp_cut(uint32_t a, uint32_t b);

/* vsim_tcp_fini: at a life's end, when no loop is left. */
void vsim_tcp_fini(void);

#endif
