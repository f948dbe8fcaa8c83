/* quantise: gradients as small integers.  Integers only.
 *
 * Workers return sums over rows on a fixed grid: int64_t, units of
 * 2^-GRID_BITS.  Integer sums do not depend on their order, so the split of
 * the rows over workers leaves no trace.  The mean over the rows is rounded
 * to the grid, then to a multiple of 2^exponent, one exponent a tensor: the
 * smallest one at which every element of the tensor fits; training/compress.h
 * makes a payload of that. */
#ifndef POT_TRAINING_QUANTISE_H
#define POT_TRAINING_QUANTISE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/model.h"

#define GRID_BITS 40
/* A sum beyond this is clamped to it: 2^22 in value.  Two such fit. */
#define GRID_MAX ((INT64_C(1) << 62) - 1)

/* quantise_add: sums += part, clamped at GRID_MAX. */
void quantise_add(int64_t *restrict sums, const int64_t *restrict part,
                  size_t count);

/* quantise_exponents: the exponent of each tensor at which its elements fit
 * within +-bound, which is above 0. */
void quantise_exponents(int8_t exponents[static TENSORS_MAX],
                        const struct model_shape *shape, const int64_t *sums,
                        uint64_t rows, int32_t bound);

/* quantise_mean: round(sum / rows) on the grid; rows > 0. */
int64_t quantise_mean(int64_t sum, uint64_t rows);

/* quantise_means: quantise_mean of each. */
void quantise_means(int64_t *out, const int64_t *sums, size_t count,
                    uint64_t rows);

/* quantise_round: round(mean / 2^shift) of each, clamped into +-bound.  Where
 * shift is negative no mean may leave int64 when it goes left by one more. */
void quantise_round(int32_t *restrict out, const int64_t *restrict means,
                    size_t count, int shift, int32_t bound);

/* quantise_value: one element at a given exponent, clamped into +-bound;
 * rows > 0. */
int32_t quantise_value(int64_t sum, uint64_t rows, int exponent, int32_t bound);

#endif
