#include "config.h"

#include "ledger/aggregate.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clones.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "ledger/aggregate_grid.h"
#include "ledger/aggregate_rule.h"
#include "proto/partial_sum.h"

#include <stdlib.h>

#define ELEMENT_BITS 31 /* of an int32 without its sign */

static const struct aggregate_rule *const rules[] = {
    &aggregate_mean,
    &aggregate_trimmed_mean,
    &aggregate_median,
    &aggregate_krum,
    &aggregate_multi_krum,
    &aggregate_clipped_mean,
    &aggregate_centered_clipping,
};

struct aggregate {
    const struct aggregate_rule *rule;
    const struct model_shape *shape;
    void *state; /* the rule's */
    uint32_t addends;
};

static const struct aggregate_rule *find_rule(uint32_t kind)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        if (rules[i]->kind == kind) {
            return rules[i];
        }
    }
    return NULL;
}

bool aggregate_has_rule(uint32_t rule)
{
    return find_rule(rule) != NULL;
}

struct aggregate *aggregate_new(const Pot__TaskSpec *spec,
                                const struct model_shape *shape)
{
    struct aggregate *a = pot_calloc(1, sizeof(*a));
    a->rule = find_rule((uint32_t)spec->aggregation);
    POT_ASSERT(a->rule != NULL);
    a->shape = shape;
    a->state = a->rule->open(spec, shape);
    return a;
}

void aggregate_free(struct aggregate *aggregate)
{
    if (aggregate != NULL) {
        aggregate->rule->close(aggregate->state);
        free(aggregate);
    }
}

void aggregate_add(struct aggregate *aggregate, const struct gradient *gradient)
{
    POT_ASSERT(aggregate->addends < ROSTER_MAX);
    aggregate->addends++;
    aggregate->rule->add(aggregate->state, aggregate->shape, gradient);
}

/* ---- in parts */

_Static_assert(PARTIAL_SUM_ADDEND_BITS == AGGREGATE_ELEMENT_BITS,
               "a part's bound is the grid's");

bool aggregate_takes_sums(const Pot__TaskSpec *spec)
{
    const struct aggregate_rule *rule = find_rule((uint32_t)spec->aggregation);
    return rule != NULL && rule->add_sum != NULL;
}

enum pot_err aggregate_add_sum(struct aggregate *aggregate, const void *data,
                               size_t size)
{
    uint32_t addends;
    const struct model_shape *shape = aggregate->shape;
    int64_t *sums = pot_alloc(shape->parameter_count * sizeof(*sums));
    POT_ASSERT(aggregate->rule->add_sum != NULL);
    enum pot_err err = partial_sum_open(sums, &addends, shape, data, size);
    if (err == POT_OK && addends > ROSTER_MAX - aggregate->addends) {
        err = POT_ELIMIT;
    }
    if (err == POT_OK) {
        aggregate->addends += addends;
        aggregate->rule->add_sum(aggregate->state, shape, sums);
    }
    free(sums);
    return err;
}

void aggregate_encode_sum(struct aggregate *aggregate, struct buf *out)
{
    POT_ASSERT(aggregate->rule->add_sum != NULL && aggregate->addends > 0);
    partial_sum_encode(out, aggregate->shape, aggregate->addends,
                       aggregate->rule->finish(aggregate->state,
                                               aggregate->shape,
                                               aggregate->addends));
}

/* ---- the canonical form */

struct extent {
    uint64_t all; /* the bits of the magnitudes, together */
    uint64_t largest;
};

CLONES static void measure(struct extent *out, const int64_t *sums,
                           size_t count)
{
    uint64_t all = 0;
    int64_t largest = 0; /* a sum's magnitude is at most 2^62 */
#pragma omp simd reduction(| : all) reduction(max : largest)
    for (size_t i = 0; i < count; i++) {
        uint64_t magnitude = fixed_magnitude(sums[i]);
        all |= magnitude;
        largest = (int64_t)magnitude > largest ? (int64_t)magnitude : largest;
    }
    *out = (struct extent){all, (uint64_t)largest};
}

/* By how many bits a tensor's sums go right: exactly, as far as all of them
 * end in zeros, and beyond that only to fit. */
static unsigned shift_of(const int64_t *sums, size_t count)
{
    struct extent extent;
    measure(&extent, sums, count);
    if (extent.all == 0) {
        return -AGGREGATE_GRID; /* exponent 0 */
    }
    unsigned shift = 0;
    while (shift < GRADIENT_EXPONENT_MAX - AGGREGATE_GRID &&
           (extent.all >> shift & 1) == 0) {
        shift++;
    }
    unsigned bits = fixed_bit_count(extent.largest);
    if (bits > ELEMENT_BITS && bits - ELEMENT_BITS > shift) {
        shift = bits - ELEMENT_BITS;
        uint64_t rounded =
            (extent.largest + (UINT64_C(1) << (shift - 1))) >> shift;
        shift += fixed_bit_count(rounded) > ELEMENT_BITS ? 1 : 0;
    }
    int64_t most = fixed_shift_right((int64_t)extent.largest, shift);
    POT_ASSERT(most <= INT32_MAX);
    return shift;
}

CLONES static void shift_all(int32_t *restrict values,
                             const int64_t *restrict sums, size_t count,
                             unsigned shift)
{
    /* One to the left and back again is no shift; such sums are small. */
    unsigned left = shift == 0 ? 1 : 0;
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        int64_t value = sums[i] * (INT64_C(1) << left);
        values[i] = (int32_t)fixed_halve(value, shift + left);
    }
}

void aggregate_encode(struct aggregate *aggregate, struct buf *out)
{
    const struct model_shape *shape = aggregate->shape;
    size_t parameters = shape->parameter_count;
    int8_t exponents[TENSORS_MAX];
    POT_ASSERT(aggregate->addends > 0);
    const int64_t *all =
        aggregate->rule->finish(aggregate->state, shape, aggregate->addends);
    int32_t *values = pot_alloc(parameters * sizeof(*values));
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span tensor = shape->tensors[t];
        const int64_t *sums = all + tensor.offset;
        unsigned shift = shift_of(sums, tensor.count);
        exponents[t] = (int8_t)(AGGREGATE_GRID + (int)shift);
        shift_all(values + tensor.offset, sums, tensor.count, shift);
    }
    unsigned width = gradient_width(values, parameters);
    uint8_t *at = buf_extend(out, gradient_bytes(shape, width));
    POT_ASSERT(at != NULL);
    gradient_encode(at, shape, width, aggregate->addends, exponents, values);
    free(values);
}
