#include "config.h"

#include "training/quantise.h"

#include "base/check.h"
#include "base/fixed.h"
#include "proto/gradient.h"

static int64_t clamp(int64_t value)
{
    if (value > GRID_MAX) {
        return GRID_MAX;
    }
    return value < -GRID_MAX ? -GRID_MAX : value;
}

void quantise_add(int64_t *sums, const int64_t *part, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] = clamp(clamp(sums[i]) + clamp(part[i]));
    }
}

static uint64_t peak_of(const int64_t *sums, size_t count)
{
    uint64_t peak = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t sum = clamp(sums[i]);
        uint64_t size = (uint64_t)(sum < 0 ? -sum : sum);
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
        uint64_t peak = peak_of(sums + span.offset, span.count);
        int64_t mean = fixed_divide((int64_t)peak, (int64_t)rows);
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
