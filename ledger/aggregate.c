#include "config.h"

#include "ledger/aggregate.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "ledger/aggregate_grid.h"
#include "ledger/aggregate_rule.h"

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
    const int64_t *all =
        aggregate->rule->finish(aggregate->state, shape, aggregate->addends);
    int32_t *values = pot_calloc(shape->parameter_count, sizeof(*values));
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span tensor = shape->tensors[t];
        const int64_t *sums = all + tensor.offset;
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
