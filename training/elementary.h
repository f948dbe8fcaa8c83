/* elementary: functions that every C library rounds in its own way, out of
 * additions, multiplications and divisions in a fixed order: the same bits on
 * every machine, if the compiler does not fuse them (-ffp-contract=off).
 *
 * They are computed in double for results in float: what is stated is their
 * relative error before that last rounding. */
#ifndef POT_TRAINING_ELEMENTARY_H
#define POT_TRAINING_ELEMENTARY_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "a double is rounded to a double");

#define ELEMENTARY_LN2 0x1.62e42fefa39efp-1
/* The upper 32 bits of it, so that small multiples are exact, and the rest. */
#define ELEMENTARY_LN2_HIGH 0x1.62e42feep-1
#define ELEMENTARY_LN2_LOW  0x1.a39ef35793c76p-33
#define ELEMENTARY_LOG2_E   0x1.71547652b82fep+0
/* Added to a number below 2^51, it leaves that number's integer, rounded, in
 * the low bits of the sum's pattern. */
#define ELEMENTARY_ROUNDER 0x1.8p52

static inline int64_t elementary_bits(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline double elementary_of_bits(int64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* elementary_exp: error below 2^-36 between -150 and 150, beyond which it
 * stays what it is there: zero and infinity for a float.
 *
 * x = k ln 2 + r, |r| <= ln 2 / 2; exp(x) = 2^k (1 + r + ... + r^9 / 9!) */
static inline double elementary_exp(double x)
{
    x = x < -150.0 ? -150.0 : x;
    x = x > 150.0 ? 150.0 : x;
    double shifted = x * ELEMENTARY_LOG2_E + ELEMENTARY_ROUNDER;
    double k = shifted - ELEMENTARY_ROUNDER;
    double r = (x - k * ELEMENTARY_LN2_HIGH) - k * ELEMENTARY_LN2_LOW;
    double p = 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    /* k's low bits become the exponent of 2^k. */
    uint64_t exponent = (uint64_t)elementary_bits(shifted) << 52;
    uint64_t one = (uint64_t)elementary_bits(1.0);
    return p * elementary_of_bits((int64_t)(exponent + one));
}

/* elementary_log: of a normal number above 0, error below 2^-48 or, near 1,
 * as much of the distance from 1.  What is no number stays one.
 *
 * x = 2^e m, sqrt(1/2) <= m < sqrt(2); s = (m - 1) / (m + 1);
 * log(x) = e ln 2 + 2 (s + s^3 / 3 + ... + s^17 / 17) */
static inline double elementary_log(double x)
{
    if (!(x >= DBL_MIN && x <= DBL_MAX)) {
        return x;
    }
    int64_t bits = elementary_bits(x);
    int64_t above = bits - elementary_bits(0x1.6a09e667f3bcdp-1);
    int64_t e =
        (above - (above & INT64_C(0x000fffffffffffff))) / (INT64_C(1) << 52);
    double m = elementary_of_bits(bits - e * (INT64_C(1) << 52));
    double s = (m - 1.0) / (m + 1.0);
    double z = s * s;
    double p = 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    p = p * z + 1.0;
    return (double)e * ELEMENTARY_LN2 + 2.0 * s * p;
}

/* elementary_sigmoid, elementary_tanh: error below 2^-35. */
static inline float elementary_sigmoid(float x)
{
    return (float)(1.0 / (1.0 + elementary_exp(-(double)x)));
}

static inline float elementary_tanh(float x)
{
    double size = fabs((double)x);
    double e = elementary_exp(-2.0 * size);
    float out = copysignf((float)((1.0 - e) / (1.0 + e)), x);
    return size < 0x1p-18 ? x : out; /* the next term is x^3 / 3 */
}

#endif
