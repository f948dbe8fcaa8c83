#include "config.h"

#include "base/fixed.h"

#include "base/check.h"

#include <stdbool.h>

#define LN2_Q32 UINT64_C(2977044472)
#define LN2_Q40 INT64_C(762123384786)
#define PI2_Q28 UINT64_C(2649351758) /* pi squared */

unsigned fixed_bit_count(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

int64_t fixed_add(int64_t a, int64_t b)
{
    if (b > 0 && a > INT64_MAX - b) {
        return INT64_MAX;
    }
    if (b < 0 && a < INT64_MIN - b) {
        return INT64_MIN;
    }
    return a + b;
}

int64_t fixed_shift_left(int64_t value, unsigned bits)
{
    if (value == 0) {
        return 0;
    }
    if (bits > 62 || value > INT64_MAX >> bits) {
        return value > 0 ? INT64_MAX : INT64_MIN;
    }
    if (value < -(INT64_MAX >> bits)) {
        return INT64_MIN;
    }
    return value * (INT64_C(1) << bits);
}

/* e^-n = 2^-k * e^-r with n = k * ln 2 + r and 0 <= r < ln 2; e^-r is its
 * Taylor series to the twelfth power, in Q.32. */
uint32_t fixed_exp(int64_t x)
{
    POT_ASSERT(x <= 0);
    const int64_t least = -(INT64_C(22) << FIXED_BITS); /* below 2^-31 */
    if (x < least) {
        return 0;
    }
    const uint64_t one = UINT64_C(1) << 32;
    uint64_t n = (uint64_t)-x << 8;
    uint64_t k = n / LN2_Q32;
    uint64_t r = n % LN2_Q32;
    uint64_t sum = one;
    for (uint64_t i = 12; i > 0; i--) {
        sum = one - (r * sum >> 32) / i;
    }
    unsigned shift = (unsigned)k + 32 - FIXED_UNIT_BITS;
    return (uint32_t)((sum + (UINT64_C(1) << (shift - 1))) >> shift);
}

/* x / 2^bits = 2^e * m with 1 <= m < 2; ln m = 2 artanh y for
 * y = (m - 1) / (m + 1) <= 1/3, by its series to y^21, in Q.31. */
int64_t fixed_log(uint64_t x, unsigned bits)
{
    POT_ASSERT(x > 0 && bits <= 63);
    const uint64_t one = UINT64_C(1) << 31;
    unsigned top = fixed_bit_count(x) - 1;
    x <<= 63 - top;
    uint64_t above = (x << 1) >> 32; /* m - 1, Q.32 */
    uint64_t y = (above << 31) / (above + (UINT64_C(2) << 32));
    uint64_t square = y * y >> 31;
    uint64_t sum = 0;
    for (uint64_t k = 11; k-- > 0;) {
        sum = one / (2 * k + 1) + (sum * square >> 31);
    }
    int64_t fraction = (int64_t)(2 * y * sum >> 31);
    int64_t exponent = (int64_t)top - (int64_t)bits;
    return fixed_shift_right(exponent * LN2_Q40 + fraction * (1 << 9), 16);
}

/* (1 - E) / (1 + E) with E = e^(-2|x|) */
int32_t fixed_tanh(int64_t x)
{
    const int64_t beyond = INT64_C(16) << FIXED_BITS;
    if (x >= beyond || x <= -beyond) {
        return x > 0 ? FIXED_ONE : -FIXED_ONE;
    }
    int64_t e = fixed_exp(x < 0 ? 2 * x : -2 * x);
    int64_t unit = FIXED_UNIT;
    int64_t t = fixed_divide((unit - e) * FIXED_ONE, unit + e);
    return (int32_t)(x < 0 ? -t : t);
}

/* 1 / (1 + E) for x >= 0, E / (1 + E) below, with E = e^-|x| */
int32_t fixed_sigmoid(int64_t x)
{
    const int64_t beyond = INT64_C(32) << FIXED_BITS;
    if (x >= beyond || x <= -beyond) {
        return x > 0 ? FIXED_ONE : 0;
    }
    int64_t e = fixed_exp(x < 0 ? x : -x);
    int64_t unit = FIXED_UNIT;
    return (int32_t)fixed_divide((x < 0 ? e : unit) * FIXED_ONE, unit + e);
}

/* The Taylor series to the sixteenth power on [0, pi/2]. */
int32_t fixed_cos_pi(uint64_t part, uint64_t whole)
{
    POT_ASSERT(whole > 0 && whole >> 32 == 0 && part <= whole);
    bool is_mirrored = 2 * part > whole;
    uint64_t ratio = ((is_mirrored ? whole - part : part) << 32) / whole;
    int64_t square = (int64_t)((ratio * ratio >> 32) * PI2_Q28 >> 30);
    int64_t sum = FIXED_UNIT;
    for (int64_t k = 8; k > 0; k--) {
        int64_t term = fixed_shift_right(square * sum, FIXED_UNIT_BITS);
        sum = FIXED_UNIT - fixed_divide(term, 2 * k * (2 * k - 1));
    }
    return (int32_t)(is_mirrored ? -sum : sum);
}

/* Newton's steps from above, the first one from a power of two, by which it
 * can divide with a shift: four more or so. */
uint32_t fixed_sqrt(uint64_t x)
{
    if (x == 0) {
        return 0;
    }
    unsigned half = fixed_bit_count(x) / 2;
    uint64_t root = ((UINT64_C(1) << half) + (x >> half)) / 2 + 1;
    for (;;) {
        uint64_t next = (root + x / root) / 2;
        if (next >= root) {
            return (uint32_t)root;
        }
        root = next;
    }
}
