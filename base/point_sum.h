/* point_sum: the sum of many points, each times a number: by buckets, after N.
 * Pippenger, "On the evaluation of powers and related problems" (FOCS 1976),
 * and D. J. Bernstein, J. Doumen, T. Lange, J.-J. Oosterwijk, "Faster batch
 * forgery identification" (INDOCRYPT 2012), section 4.  Not for secrets: what
 * it takes depends on the numbers. */
#ifndef POT_BASE_POINT_SUM_H
#define POT_BASE_POINT_SUM_H

#include <decaf/point_255.h>
#include <stddef.h>

struct point_term {
    const struct decaf_255_point_s *point;
    decaf_255_scalar_t times;
};

void point_sum(decaf_255_point_t out, const struct point_term *terms,
               size_t count);

#endif
