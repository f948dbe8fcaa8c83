/* aggregate_grid: the integers in which gradients are aggregated: multiples
 * of 2^AGGREGATE_GRID, at most 2^AGGREGATE_ELEMENT_BITS of them in an
 * element of a gradient. */
#ifndef POT_LEDGER_AGGREGATE_GRID_H
#define POT_LEDGER_AGGREGATE_GRID_H

#include <stdint.h>

#include "proto/gradient.h"
#include "proto/model.h"

#define AGGREGATE_GRID         (-36)
#define AGGREGATE_ELEMENT_BITS 50

/* aggregate_grid_add: adds the gradient's elements to sums (parameter_count).
 * An element of a finer exponent is rounded to the grid (base/fixed.h); a
 * larger one than the grid takes is clamped. */
void aggregate_grid_add(int64_t *sums, const struct model_shape *shape,
                        const struct gradient *gradient);

/* aggregate_grid_read: the elements from `first` on, count of them, likewise
 * on the grid; values is overwritten. */
void aggregate_grid_read(int64_t *values, const struct model_shape *shape,
                         const struct gradient *gradient, size_t first,
                         size_t count);

#endif
