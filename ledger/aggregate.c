#include "config.h"

#include "ledger/aggregate.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/limits.h"

#include <stdlib.h>

#define ELEMENT_MAX  (INT64_C(1) << AGGREGATE_ELEMENT_BITS)
#define ELEMENT_BITS 31 /* of an int32 without its sign */

_Static_assert(ROSTER_MAX <= 1 << (62 - AGGREGATE_ELEMENT_BITS),
               "a sum over a full roster fits an int64");

/* A rule: how a gradient enters the sums, and what is made of them in the
 * end; finish NULL: nothing, the encoding says by how many to divide. */
struct rule {
    Pot__Aggregation kind;
    void (*add)(struct aggregate *aggregate, const struct gradient *gradient);
    void (*finish)(struct aggregate *aggregate);
};

struct aggregate {
    const struct rule *rule;
    const struct model_shape *shape;
    int64_t *sums; /* (parameter_count), in units of 2^AGGREGATE_GRID */
    uint32_t addends;
};

/* ---- adding */

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

/* A gradient's elements, on the grid, to what stands in all[]. */
static void add_on_grid(int64_t *all, const struct model_shape *shape,
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

/* ---- the rules */

static void mean_add(struct aggregate *a, const struct gradient *gradient)
{
    add_on_grid(a->sums, a->shape, gradient);
}

static const struct rule rules[] = {
    {POT__AGGREGATION__AGGREGATION_MEAN, mean_add, NULL},
};

static const struct rule *find_rule(Pot__Aggregation kind)
{
    size_t i = 0;
    while (rules[i].kind != kind) {
        i++;
        POT_ASSERT(i < sizeof(rules) / sizeof(*rules));
    }
    return &rules[i];
}

struct aggregate *aggregate_new(Pot__Aggregation rule,
                                const struct model_shape *shape)
{
    struct aggregate *a = pot_calloc(1, sizeof(*a));
    a->rule = find_rule(rule);
    a->shape = shape;
    a->sums = pot_calloc(shape->parameter_count, sizeof(*a->sums));
    return a;
}

void aggregate_free(struct aggregate *aggregate)
{
    if (aggregate != NULL) {
        free(aggregate->sums);
        free(aggregate);
    }
}

void aggregate_add(struct aggregate *aggregate, const struct gradient *gradient)
{
    POT_ASSERT(aggregate->addends < ROSTER_MAX);
    aggregate->addends++;
    aggregate->rule->add(aggregate, gradient);
}

/* ---- the canonical form */

/* By how many bits a tensor's sums go right: exactly, as far as all of them
 * end in zeros, and beyond that only to fit. */
static unsigned shift_of(const int64_t *sums, size_t count)
{
    uint64_t all = 0;
    uint64_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t magnitude = fixed_magnitude(sums[i]);
        all |= magnitude;
        largest = magnitude > largest ? magnitude : largest;
    }
    if (all == 0) {
        return -AGGREGATE_GRID; /* exponent 0 */
    }
    unsigned shift = 0;
    while (shift < GRADIENT_EXPONENT_MAX - AGGREGATE_GRID &&
           (all >> shift & 1) == 0) {
        shift++;
    }
    unsigned bits = fixed_bit_count(largest);
    if (bits > ELEMENT_BITS && bits - ELEMENT_BITS > shift) {
        shift = bits - ELEMENT_BITS;
        uint64_t rounded = (largest + (UINT64_C(1) << (shift - 1))) >> shift;
        shift += fixed_bit_count(rounded) > ELEMENT_BITS ? 1 : 0;
    }
    return shift;
}

static unsigned width_of(const int32_t *values, size_t count)
{
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)values[i];
        all |= values[i] < 0 ? ~bits : bits;
    }
    if (all < UINT32_C(1) << 7) {
        return 1;
    }
    return all < UINT32_C(1) << 15 ? 2 : 4;
}

void aggregate_encode(struct aggregate *aggregate, struct buf *out)
{
    const struct model_shape *shape = aggregate->shape;
    int8_t exponents[TENSORS_MAX];
    POT_ASSERT(aggregate->addends > 0);
    if (aggregate->rule->finish != NULL) {
        aggregate->rule->finish(aggregate);
    }
    int32_t *values = pot_calloc(shape->parameter_count, sizeof(*values));
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span tensor = shape->tensors[t];
        const int64_t *sums = aggregate->sums + tensor.offset;
        unsigned shift = shift_of(sums, tensor.count);
        exponents[t] = (int8_t)(AGGREGATE_GRID + (int)shift);
        for (size_t i = 0; i < tensor.count; i++) {
            int64_t value = fixed_shift_right(sums[i], shift);
            POT_ASSERT(value >= INT32_MIN && value <= INT32_MAX);
            values[tensor.offset + i] = (int32_t)value;
        }
    }
    unsigned width = width_of(values, shape->parameter_count);
    uint8_t *at = buf_extend(out, gradient_bytes(shape, width));
    POT_ASSERT(at != NULL);
    gradient_encode(at, shape, width, aggregate->addends, exponents, values);
    free(values);
}
