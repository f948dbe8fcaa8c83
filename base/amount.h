/* amount: sums of money in base units, 1 POT = 10^9; nothing wraps. */
#ifndef POT_BASE_AMOUNT_H
#define POT_BASE_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define AMOUNT_UNITS_PER_POT UINT64_C(1000000000)
#define AMOUNT_TEXT_SIZE     32

struct amount {
    uint64_t units;
};

/* amount_add, amount_mul: false, and out untouched, when the
 * result is not below 2^64. */
POT_MUST_USE bool amount_add(struct amount *out, struct amount a,
                             struct amount b);
POT_MUST_USE bool amount_mul(struct amount *out, struct amount a,
                             uint64_t factor);

/* amount_part: floor(a * numerator / denominator), exact in between;
 * numerator <= denominator, denominator > 0. */
struct amount amount_part(struct amount a, uint64_t numerator,
                          uint64_t denominator);

/* amount_parse: "12.5", up to nine decimals, in POT.
 * Errors: POT_EFORMAT not such a number; POT_ERANGE too large. */
POT_MUST_USE enum pot_err amount_parse(struct amount *out, const char *text);

/* amount_format: the inverse, without trailing zeros; returns text. */
const char *amount_format(struct amount a, char text[static AMOUNT_TEXT_SIZE]);

#endif
