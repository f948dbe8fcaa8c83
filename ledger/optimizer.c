#include "config.h"

#include "ledger/optimizer.h"

#include "base/check.h"
#include "base/clones.h"
#include "ledger/optimizer_rule.h"

#include <stddef.h>

static const struct {
    uint32_t kind;
    optimizer_rule_fn *step;
} rules[] = {
    {POT__OPTIMIZER__OPTIMIZER_MOMENTUM, optimizer_heavy_ball},
    {POT__OPTIMIZER__OPTIMIZER_SGD, optimizer_heavy_ball},
    {POT__OPTIMIZER__OPTIMIZER_NESTEROV, optimizer_nesterov},
    {POT__OPTIMIZER__OPTIMIZER_ADAM, optimizer_adam},
};

static optimizer_rule_fn *find_rule(uint32_t kind)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        if (rules[i].kind == kind) {
            return rules[i].step;
        }
    }
    return NULL;
}

void optimizer_step(int32_t *theta, int32_t *const moments[SPEC_MOMENTS_MAX],
                    const struct model_shape *shape,
                    const struct gradient *aggregate,
                    const Pot__OptimizerSpec *spec, uint32_t rate,
                    uint32_t steps)
{
    optimizer_rule_fn *step = find_rule((uint32_t)spec->kind);
    struct optimizer_run run = {
        .theta = theta,
        .aggregate = aggregate,
        .spec = spec,
        .rate = rate,
        .steps = steps,
    };
    POT_ASSERT(step != NULL);
    POT_ASSERT(spec->momentum < RATE_ONE && spec->weight_decay < RATE_ONE);
    for (unsigned i = 0; i < spec_moments(spec); i++) {
        POT_ASSERT(moments[i] != NULL);
        run.moments[i] = moments[i];
    }
    for (size_t t = 0; t < shape->tensor_count; t++) {
        step(&run, shape->tensors[t], aggregate->exponents[t]);
    }
}

/* ---- the mean gradient */

/* Sums go left by no more than this without being clamped. */
#define LEFT_MAX 30

/* round(value * 2^left / 2^right), left <= LEFT_MAX + 1, right >= 1 */
CLONES static void shift_all(int32_t *values, size_t count, unsigned left,
                             unsigned right)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        int64_t value = values[i] * (INT64_C(1) << left);
        values[i] = fixed_saturate(fixed_halve(value, right));
    }
}

void optimizer_means(int32_t *out, const struct gradient *aggregate,
                     const struct optimizer_scale *s, size_t first,
                     size_t count)
{
    gradient_read(out, aggregate, first, count);
    if (s->is_shift && s->left <= LEFT_MAX) {
        unsigned more = s->right == 0 ? 1 : 0; /* there and back */
        shift_all(out, count, s->left + more, s->right + more);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = (int32_t)optimizer_mean(out[i], s);
    }
}

/* ---- sgd, momentum, nesterov */

/* Elements at once: few enough for the first cache. */
#define PIECE ((size_t)1024)

/* What is the same for all elements of a step. */
struct factors {
    int32_t mu;
    int32_t decay;
    int64_t rate;
};

/* One step of count elements, g being their mean gradient. */
typedef void piece_fn(int32_t *restrict theta, int32_t *restrict moment,
                      const int32_t *restrict g, size_t count,
                      struct factors by);

/* A kind that keeps no moment has one of zeros, of which nothing is left. */
static void step_pieces(const struct optimizer_run *run,
                        struct tensor_span tensor, int exponent, piece_fn *step)
{
    int32_t g[PIECE];
    int32_t none[PIECE] = {0};
    const struct optimizer_scale scale =
        optimizer_scale(exponent, run->aggregate->addends, FIXED_BITS);
    const struct factors by = {
        .mu = run->moments[0] != NULL ? (int32_t)run->spec->momentum : 0,
        .decay = (int32_t)run->spec->weight_decay,
        .rate = run->rate,
    };
    size_t end = tensor.offset + tensor.count;
    for (size_t i = tensor.offset; i < end; i += PIECE) {
        size_t count = end - i < PIECE ? end - i : PIECE;
        int32_t *moment = run->moments[0] != NULL ? run->moments[0] + i : none;
        optimizer_means(g, run->aggregate, &scale, i, count);
        step(run->theta + i, moment, g, count, by);
    }
}

CLONES static void heavy_ball(int32_t *restrict theta, int32_t *restrict moment,
                              const int32_t *restrict g, size_t count,
                              struct factors by)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        int64_t drift = fixed_halve((int64_t)by.mu * moment[i] +
                                        (int64_t)by.decay * theta[i],
                                    RATE_BITS);
        int32_t v = fixed_saturate(g[i] + drift);
        moment[i] = v;
        theta[i] =
            fixed_saturate(theta[i] - fixed_halve(by.rate * v, RATE_BITS));
    }
}

void optimizer_heavy_ball(const struct optimizer_run *run,
                          struct tensor_span tensor, int exponent)
{
    step_pieces(run, tensor, exponent, heavy_ball);
}

CLONES static void nesterov(int32_t *restrict theta, int32_t *restrict moment,
                            const int32_t *restrict g, size_t count,
                            struct factors by)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        int64_t drag = fixed_halve((int64_t)by.decay * theta[i], RATE_BITS);
        int64_t d = fixed_saturate(g[i] + drag);
        int32_t v = fixed_saturate(
            d + fixed_halve((int64_t)by.mu * moment[i], RATE_BITS));
        int32_t ahead =
            fixed_saturate(d + fixed_halve((int64_t)by.mu * v, RATE_BITS));
        moment[i] = v;
        theta[i] =
            fixed_saturate(theta[i] - fixed_halve(by.rate * ahead, RATE_BITS));
    }
}

void optimizer_nesterov(const struct optimizer_run *run,
                        struct tensor_span tensor, int exponent)
{
    step_pieces(run, tensor, exponent, nesterov);
}
