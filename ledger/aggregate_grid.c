#include "config.h"

#include "ledger/aggregate_grid.h"

#include "base/bytes.h"
#include "base/fixed.h"
#include "base/limits.h"

#define ELEMENT_MAX (INT64_C(1) << AGGREGATE_ELEMENT_BITS)

_Static_assert(ROSTER_MAX <= 1 << (62 - AGGREGATE_ELEMENT_BITS),
               "a sum over a full roster fits an int64");

static void add_int8(int64_t *restrict sums, const uint8_t *restrict elements,
                     size_t count, int64_t scale)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] += (int8_t)elements[i] * scale;
    }
}

static void add_int16(int64_t *restrict sums, const uint8_t *restrict elements,
                      size_t count, int64_t scale)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] += (int16_t)bytes_u16_at(elements + 2 * i) * scale;
    }
}

/* Any width and any exponent: rounds and clamps. */
static void add_slowly(int64_t *sums, const struct gradient *gradient,
                       struct tensor_span tensor, int shift)
{
    for (size_t i = 0; i < tensor.count; i++) {
        int64_t value = gradient_get(gradient, tensor.offset + i);
        value = shift >= 0 ? fixed_shift_left(value, (unsigned)shift)
                           : fixed_shift_right(value, (unsigned)-shift);
        if (value > ELEMENT_MAX) {
            value = ELEMENT_MAX;
        } else if (value < -ELEMENT_MAX) {
            value = -ELEMENT_MAX;
        }
        sums[i] += value;
    }
}

void aggregate_grid_add(int64_t *all, const struct model_shape *shape,
                        const struct gradient *gradient)
{
    unsigned width = gradient->width;
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span tensor = shape->tensors[t];
        int64_t *sums = all + tensor.offset;
        const uint8_t *elements = gradient->elements + width * tensor.offset;
        int shift = gradient->exponents[t] - AGGREGATE_GRID;
        int shift_max = AGGREGATE_ELEMENT_BITS - (8 * (int)width - 1);
        if (width > 2 || shift < 0 || shift > shift_max) {
            add_slowly(sums, gradient, tensor, shift);
        } else if (width == 1) {
            add_int8(sums, elements, tensor.count, INT64_C(1) << shift);
        } else {
            add_int16(sums, elements, tensor.count, INT64_C(1) << shift);
        }
    }
}
