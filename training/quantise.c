#include "config.h"

#include "training/quantise.h"

#include "base/check.h"
#include "base/clones.h"
#include "base/fixed.h"
#include "proto/gradient.h"

static int64_t clamp(int64_t value)
{
    if (value > GRID_MAX) {
        return GRID_MAX;
    }
    return value < -GRID_MAX ? -GRID_MAX : value;
}

CLONES void quantise_add(int64_t *restrict sums, const int64_t *restrict part,
                         size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        sums[i] = clamp(clamp(sums[i]) + clamp(part[i]));
    }
}

CLONES static int64_t peak_of(const int64_t *sums, size_t count)
{
    int64_t peak = 0;
#pragma omp simd reduction(max : peak)
    for (size_t i = 0; i < count; i++) {
        int64_t size = (int64_t)fixed_magnitude(clamp(sums[i]));
        peak = size > peak ? size : peak;
    }
    return peak;
}

void quantise_exponents(int8_t exponents[static TENSORS_MAX],
                        const struct model_shape *shape, const int64_t *sums,
                        uint64_t rows, int32_t bound)
{
    POT_ASSERT(bound > 0);
    POT_ASSERT(rows > 0 && rows <= INT64_MAX);
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span span = shape->tensors[t];
        int64_t peak = peak_of(sums + span.offset, span.count);
        int64_t mean = fixed_divide(peak, (int64_t)rows);
        int exponent = -GRID_BITS;
        while (fixed_shift_right(mean, (unsigned)(GRID_BITS + exponent)) >
               bound) {
            exponent++;
        }
        POT_ASSERT(exponent <= GRADIENT_EXPONENT_MAX);
        exponents[t] = (int8_t)exponent;
    }
}

int64_t quantise_mean(int64_t sum, uint64_t rows)
{
    return rows == 1 ? clamp(sum) : fixed_divide(clamp(sum), (int64_t)rows);
}

int32_t quantise_value(int64_t sum, uint64_t rows, int exponent, int32_t bound)
{
    POT_ASSERT(exponent >= -GRID_BITS && exponent <= GRADIENT_EXPONENT_MAX);
    int64_t mean = quantise_mean(sum, rows);
    int64_t value = fixed_shift_right(mean, (unsigned)(GRID_BITS + exponent));
    if (value > bound) {
        return bound;
    }
    return value < -bound ? -bound : (int32_t)value;
}

CLONES static void clamp_all(int64_t *restrict out,
                             const int64_t *restrict sums, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        out[i] = clamp(sums[i]);
    }
}

void quantise_means(int64_t *out, const int64_t *sums, size_t count,
                    uint64_t rows)
{
    if (rows == 1) {
        clamp_all(out, sums, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = quantise_mean(sums[i], rows);
    }
}

CLONES void quantise_round(int32_t *restrict out, const int64_t *restrict means,
                           size_t count, int shift, int32_t bound)
{
    /* One to the left and back again is no shift; of 63 nothing is left. */
    unsigned left = shift > 0 ? 0 : (unsigned)(1 - shift);
    unsigned right = shift > 63 ? 63 : shift > 0 ? (unsigned)shift : 1;
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        int64_t value = means[i] * (INT64_C(1) << left);
        value = fixed_halve(value, right);
        value = value > bound ? bound : value;
        out[i] = (int32_t)(value < -bound ? -bound : value);
    }
}
