#include "config.h"

#include "ledger/optimizer.h"

#include "base/check.h"
#include "base/fixed.h"

#include <stdbool.h>
#include <stddef.h>

/* a * b for Q4.28, rounded; both at most RATE_ONE. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
    return (a * b + RATE_ONE / 2) >> RATE_BITS;
}

/* By repeated squaring, rounded at each product. */
static uint64_t power(uint64_t factor, uint32_t exponent)
{
    uint64_t result = RATE_ONE;
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) {
            result = multiply(result, factor);
        }
        factor = multiply(factor, factor);
    }
    return result;
}

static uint32_t cosine_rate(uint32_t rate, uint32_t round, uint32_t rounds)
{
    uint64_t weight = (uint64_t)(INT64_C(1) << FIXED_UNIT_BITS) +
                      (uint64_t)(int64_t)fixed_cos_pi(round, rounds);
    uint64_t half = UINT64_C(1) << FIXED_UNIT_BITS;
    return (uint32_t)((rate * weight + half) >> (FIXED_UNIT_BITS + 1));
}

static uint32_t step_rate(const Pot__OptimizerSpec *spec, uint32_t round)
{
    POT_ASSERT(spec->step_rounds > 0 && spec->step_factor <= RATE_ONE);
    uint64_t factor = power(spec->step_factor, round / spec->step_rounds);
    return (uint32_t)multiply(spec->learning_rate, factor);
}

uint32_t optimizer_rate(const Pot__OptimizerSpec *spec, uint32_t round,
                        uint32_t rounds)
{
    POT_ASSERT(round < rounds);
    if (spec->schedule == POT__SCHEDULE__SCHEDULE_COSINE) {
        return cosine_rate(spec->learning_rate, round, rounds);
    }
    if (spec->schedule == POT__SCHEDULE__SCHEDULE_STEP) {
        return step_rate(spec, round);
    }
    return spec->learning_rate;
}

/* How a tensor's sums become means: the same for all of its elements. */
struct scale {
    unsigned left;   /* shift before the division */
    int64_t divisor; /* then by this, or */
    unsigned right;  /* where it is a power of two, by a shift */
    bool is_shift;
};

static struct scale scale_of(int exponent, int64_t addends)
{
    struct scale s = {.divisor = addends};
    int shift = exponent + FIXED_BITS;
    if (shift < 0) {
        s.divisor = addends * (INT64_C(1) << -shift);
    } else {
        s.left = (unsigned)shift;
    }
    s.is_shift = (s.divisor & (s.divisor - 1)) == 0;
    s.right = fixed_bit_count((uint64_t)s.divisor) - 1;
    return s;
}

/* round(sum * 2^exponent / addends) in Q8.24, clamped. */
static int64_t mean_of(int32_t sum, const struct scale *s)
{
    int64_t value = s->left == 0 ? sum : fixed_shift_left(sum, s->left);
    return fixed_saturate(s->is_shift ? fixed_shift_right(value, s->right)
                                      : fixed_divide(value, s->divisor));
}

void optimizer_step(int32_t *theta, int32_t *momentum,
                    const struct model_shape *shape,
                    const struct gradient *aggregate,
                    const Pot__OptimizerSpec *spec, uint32_t rate)
{
    int64_t mu = spec->momentum;
    int64_t decay = spec->weight_decay;
    POT_ASSERT(mu == 0 || momentum != NULL);
    POT_ASSERT(mu < RATE_ONE && decay < RATE_ONE);
    for (size_t t = 0; t < shape->tensor_count; t++) {
        size_t begin = shape->tensors[t].offset;
        size_t end = begin + shape->tensors[t].count;
        const struct scale scale =
            scale_of(aggregate->exponents[t], aggregate->addends);
        for (size_t i = begin; i < end; i++) {
            int64_t g = mean_of(gradient_get(aggregate, i), &scale);
            int64_t old = mu == 0 ? 0 : momentum[i];
            int64_t drift =
                fixed_shift_right(mu * old + decay * theta[i], RATE_BITS);
            int64_t v = fixed_saturate(g + drift);
            if (mu != 0) {
                momentum[i] = (int32_t)v;
            }
            theta[i] = fixed_saturate(theta[i] -
                                      fixed_shift_right(rate * v, RATE_BITS));
        }
    }
}
