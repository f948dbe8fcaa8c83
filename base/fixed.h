/* fixed: integer stand-ins for real numbers; every machine gets the same
 * bytes.
 *
 * Q8.24 is an int32_t holding value * 2^24.  Rounding is to the nearest,
 * halves away from zero, everywhere. */
#ifndef POT_BASE_FIXED_H
#define POT_BASE_FIXED_H

#include <stdint.h>

#define FIXED_BITS 24
#define FIXED_ONE  (INT32_C(1) << FIXED_BITS)

/* Rates (learning rate, momentum, decay) are Q4.28 in a uint32_t. */
#define RATE_BITS 28
#define RATE_ONE  (UINT32_C(1) << RATE_BITS)

/* fixed_saturate: value clamped into int32_t. */
int32_t fixed_saturate(int64_t value);

/* fixed_shift_right: round(value / 2^bits), bits >= 0; beyond 63 it is 0. */
int64_t fixed_shift_right(int64_t value, unsigned bits);

/* fixed_divide: round(value / divisor), divisor > 0. */
int64_t fixed_divide(int64_t value, int64_t divisor);

#endif
