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
static int64_t on_grid(int32_t element, int shift)
{
    int64_t value = shift >= 0 ? fixed_shift_left(element, (unsigned)shift)
                               : fixed_shift_right(element, (unsigned)-shift);
    if (value > ELEMENT_MAX) {
        return ELEMENT_MAX;
    }
    return value < -ELEMENT_MAX ? -ELEMENT_MAX : value;
}

static void add_slowly(int64_t *sums, const struct gradient *gradient,
                       struct tensor_span tensor, int shift)
{
    for (size_t i = 0; i < tensor.count; i++) {
        sums[i] += on_grid(gradient_get(gradient, tensor.offset + i), shift);
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

void aggregate_grid_read(int64_t *values, const struct model_shape *shape,
                         const struct gradient *gradient, size_t first,
                         size_t count)
{
    size_t end = first + count;
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span tensor = shape->tensors[t];
        size_t tensor_end = tensor.offset + tensor.count;
        size_t i = tensor.offset > first ? tensor.offset : first;
        int shift = gradient->exponents[t] - AGGREGATE_GRID;
        for (; i < end && i < tensor_end; i++) {
            values[i - first] = on_grid(gradient_get(gradient, i), shift);
        }
    }
}
