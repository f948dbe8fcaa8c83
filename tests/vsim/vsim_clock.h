/* vsim_clock: time and randomness as nodes see them. */
#ifndef POT_TESTS_VSIM_CLOCK_H
#define POT_TESTS_VSIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define VSIM_GENESIS_MS UINT64_C(1800000000000)

/* vsim_clock_open: before anything else asks for randomness. */
bool vsim_clock_open(void);

/* vsim_clock_delay_us: the life's time in which the clock of the node at work
 * tells so many milliseconds. */
uint64_t vsim_clock_delay_us(uint64_t delay_ms);

#endif
