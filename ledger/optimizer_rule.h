/* optimizer_rule: what a kind of optimizer is; for ledger/optimizer*.c.
 *
 * A kind is a value of Optimizer (proto/chain.proto) and its entry in
 * spec_optimizers (proto/spec.c), with the moments that it keeps in
 * spec_moments; a step, declared below; and an entry in the table of
 * ledger/optimizer.c. */
#ifndef POT_LEDGER_OPTIMIZER_RULE_H
#define POT_LEDGER_OPTIMIZER_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fixed.h"
#include "proto/chain.pb-c.h"
#include "proto/gradient.h"
#include "proto/model.h"
#include "proto/spec.h"

/* One step over all tensors. */
struct optimizer_run {
    int32_t *theta;
    int32_t *moments[SPEC_MOMENTS_MAX]; /* NULL: not kept by this kind */
    const struct gradient *aggregate;
    const Pot__OptimizerSpec *spec;
    uint32_t rate;  /* Q4.28 */
    uint32_t steps; /* that the moments have seen before */
};

/* Of one tensor. */
typedef void optimizer_rule_fn(const struct optimizer_run *run,
                               struct tensor_span tensor, int exponent);

optimizer_rule_fn optimizer_heavy_ball; /* SGD, with momentum or without */
optimizer_rule_fn optimizer_nesterov;
optimizer_rule_fn optimizer_adam;

/* optimizer_power: factor^exponent for Q4.28, factor <= 1; by repeated
 * squaring, rounded at each product. */
uint64_t optimizer_power(uint64_t factor, uint32_t exponent);

/* optimizer_multiply: a * b for Q4.28, rounded; both at most 16 and one of
 * them at most 1. */
static inline uint64_t optimizer_multiply(uint64_t a, uint64_t b)
{
    return (a * b + RATE_ONE / 2) >> RATE_BITS;
}

/* ---- the mean gradient */

/* How a tensor's sums become means: the same for all of its elements. */
struct optimizer_scale {
    unsigned left;   /* shift before the division */
    int64_t divisor; /* then by this, or */
    unsigned right;  /* where it is a power of two, by a shift */
    bool is_shift;
};

/* optimizer_scale: to bits behind the point. */
static inline struct optimizer_scale optimizer_scale(int exponent,
                                                     int64_t addends, int bits)
{
    struct optimizer_scale s = {.divisor = addends};
    int shift = exponent + bits;
    if (shift < 0) {
        s.divisor = addends * (INT64_C(1) << -shift);
    } else {
        s.left = (unsigned)shift;
    }
    s.is_shift = (s.divisor & (s.divisor - 1)) == 0;
    s.right = fixed_bit_count((uint64_t)s.divisor) - 1;
    return s;
}

/* optimizer_mean: round(sum * 2^exponent / addends), clamped. */
static inline int64_t optimizer_mean(int32_t sum,
                                     const struct optimizer_scale *s)
{
    int64_t value = s->left == 0 ? sum : fixed_shift_left(sum, s->left);
    return fixed_saturate(s->is_shift ? fixed_shift_right(value, s->right)
                                      : fixed_divide(value, s->divisor));
}

/* optimizer_means: those of elements first to first + count - 1. */
void optimizer_means(int32_t *out, const struct gradient *aggregate,
                     const struct optimizer_scale *s, size_t first,
                     size_t count);

#endif
