/* vouched: what f + 1 replicas say, of whom one at least is honest. */
#ifndef POT_CONSENSUS_VOUCHED_H
#define POT_CONSENSUS_VOUCHED_H

#include <stdint.h>

/* vouched_value: the highest value that f + 1 of the count replicas other
 * than self have reached; values[i] is what replica i says.  0 when they are
 * not as many. */
uint64_t vouched_value(const uint64_t *values, uint32_t count, uint32_t self);

#endif
