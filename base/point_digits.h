/* point_digits: a scalar's digits of a few bits, between -half and half - 1: a
 * negative one takes the opposite of its multiple. */
#ifndef POT_BASE_POINT_DIGITS_H
#define POT_BASE_POINT_DIGITS_H

#include <decaf/point_255.h>
#include <stdint.h>

#define POINT_DIGITS_BITS_MAX 8
#define POINT_DIGITS_WORDS    5 /* 255 bits in the widest digits */

/* How many digits of so many bits a scalar has. */
#define POINT_DIGITS_OF(bits) ((DECAF_255_SCALAR_BITS + 2 + (bits)-1) / (bits))

/* With half a digit added at each place, so that digits are never negative. */
struct point_digits {
    uint64_t words[POINT_DIGITS_WORDS];
    unsigned bits;
};

/* point_digits_init: 2 <= bits <= POINT_DIGITS_BITS_MAX. */
void point_digits_init(struct point_digits *digits,
                       const decaf_255_scalar_t scalar, unsigned bits);

/* point_digits_at: index < POINT_DIGITS_OF(bits), the lowest one first. */
int point_digits_at(const struct point_digits *digits, unsigned index);

#endif
