/* clock: the time of day, and time that only goes forward.  Any thread.
 *
 * What replicas must agree on reads no clock: consensus/ and ledger/ may not
 * include this (tools/check-source). */
#ifndef POT_BASE_CLOCK_H
#define POT_BASE_CLOCK_H

#include <stdint.h>

/* clock_wall_ms: milliseconds since 1970, as people set the clock. */
uint64_t clock_wall_ms(void);

/* clock_steady_us, _ms: time since some moment before the program began, for
 * deadlines and durations; only goes forward. */
uint64_t clock_steady_us(void);
uint64_t clock_steady_ms(void);

#endif
