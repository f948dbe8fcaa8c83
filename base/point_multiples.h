/* point_multiples: a point's multiples, kept, so that to take it times a number
 * costs a few dozen additions and hardly a doubling: E. F. Brickell, D. M.
 * Gordon, K. S. McCurley, D. B. Wilson, "Fast exponentiation with
 * precomputation" (EUROCRYPT 1992).  Not for secrets: what it takes depends on
 * the numbers. */
#ifndef POT_BASE_POINT_MULTIPLES_H
#define POT_BASE_POINT_MULTIPLES_H

#include <decaf/point_255.h>
#include <stddef.h>

struct point_multiples; /* opaque, 190 KiB: base/point_multiples.c */

/* point_multiples_new: a quarter of a millisecond; free() releases it. */
struct point_multiples *point_multiples_new(
    const struct decaf_255_point_s *point);

/* point_multiples_add: out = a times x + b times y. */
void point_multiples_add(decaf_255_point_t out, const struct point_multiples *a,
                         const decaf_255_scalar_t x,
                         const struct point_multiples *b,
                         const decaf_255_scalar_t y);

#endif
