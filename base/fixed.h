/* fixed: integer stand-ins for real numbers; every machine gets the same
 * bytes.
 *
 * Q8.24 is an int32_t holding value * 2^24.  Rounding is to the nearest,
 * halves away from zero, everywhere. */
#ifndef POT_BASE_FIXED_H
#define POT_BASE_FIXED_H

#include <stdint.h>

#include "base/check.h"

#define FIXED_BITS 24
#define FIXED_ONE  (INT32_C(1) << FIXED_BITS)

/* Rates (learning rate, momentum, decay) are Q4.28 in a uint32_t. */
#define RATE_BITS 28
#define RATE_ONE  (UINT32_C(1) << RATE_BITS)

/* fixed_saturate: value clamped into int32_t. */
static inline int32_t fixed_saturate(int64_t value)
{
    if (value > INT32_MAX) {
        return INT32_MAX;
    }
    return value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* fixed_magnitude: |value|.  fixed_signed: -size where sign is negative.
 * Without a branch: signs are often as good as random. */
static inline uint64_t fixed_magnitude(int64_t value)
{
    uint64_t mask = 0 - ((uint64_t)value >> 63);
    return ((uint64_t)value ^ mask) - mask;
}

static inline int64_t fixed_signed(uint64_t size, int64_t sign)
{
    uint64_t mask = 0 - ((uint64_t)sign >> 63);
    return (int64_t)((size ^ mask) - mask);
}

/* fixed_bit_count: bits of value, 0 for 0. */
unsigned fixed_bit_count(uint64_t value);

/* fixed_add: the sum, clamped into int64_t. */
int64_t fixed_add(int64_t a, int64_t b);

/* fixed_shift_left: value * 2^bits, clamped into int64_t. */
int64_t fixed_shift_left(int64_t value, unsigned bits);

/* fixed_halve: round(value / 2^bits), 1 <= bits <= 63: what a loop that the
 * compiler makes vectors of has room for. */
static inline int64_t fixed_halve(int64_t value, unsigned bits)
{
    uint64_t half = UINT64_C(1) << (bits - 1);
    return fixed_signed((fixed_magnitude(value) + half) >> bits, value);
}

/* fixed_shift_right: round(value / 2^bits), bits >= 0; beyond 63 it is 0. */
static inline int64_t fixed_shift_right(int64_t value, unsigned bits)
{
    if (bits == 0 || bits > 63) {
        return bits == 0 ? value : 0;
    }
    return fixed_halve(value, bits);
}

/* fixed_divide: round(value / divisor), divisor > 0. */
static inline int64_t fixed_divide(int64_t value, int64_t divisor)
{
    POT_ASSERT(divisor > 0);
    uint64_t size = fixed_magnitude(value);
    uint64_t by = (uint64_t)divisor;
    uint64_t quotient = size / by;
    uint64_t rest = size % by;
    quotient += rest >= by - rest ? 1 : 0;
    return fixed_signed(quotient, value);
}

/* Elementary functions, right to about 2^-28 of the full scale; the bits of
 * each result are part of the protocol. */
#define FIXED_UNIT_BITS 30 /* of results in [0, 1] and [-1, 1] */
#define FIXED_UNIT      (UINT32_C(1) << FIXED_UNIT_BITS)

/* fixed_exp: e^x in Q2.30; x is Q40.24 and at most 0. */
uint32_t fixed_exp(int64_t x);

/* fixed_log: ln(x / 2^bits) in Q40.24; x > 0, bits <= 63. */
int64_t fixed_log(uint64_t x, unsigned bits);

/* fixed_tanh, fixed_sigmoid: x in Q40.24, results in Q8.24. */
int32_t fixed_tanh(int64_t x);
int32_t fixed_sigmoid(int64_t x);

/* fixed_cos_pi: cos(pi * part / whole) in Q2.30; part <= whole < 2^32,
 * whole > 0. */
int32_t fixed_cos_pi(uint64_t part, uint64_t whole);

/* fixed_sqrt: floor of the square root. */
uint32_t fixed_sqrt(uint64_t x);

#endif
