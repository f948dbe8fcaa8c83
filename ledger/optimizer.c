#include "config.h"

#include "ledger/optimizer.h"

#include "base/check.h"
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

/* ---- sgd, momentum, nesterov */

void optimizer_heavy_ball(const struct optimizer_run *run,
                          struct tensor_span tensor, int exponent)
{
    int32_t *theta = run->theta;
    int32_t *moment = run->moments[0];
    int64_t mu = run->spec->momentum;
    int64_t decay = run->spec->weight_decay;
    const struct optimizer_scale scale =
        optimizer_scale(exponent, run->aggregate->addends, FIXED_BITS);
    for (size_t i = tensor.offset; i < tensor.offset + tensor.count; i++) {
        int64_t g = optimizer_mean(gradient_get(run->aggregate, i), &scale);
        int64_t old = moment == NULL ? 0 : moment[i];
        int64_t drift =
            fixed_shift_right(mu * old + decay * theta[i], RATE_BITS);
        int64_t v = fixed_saturate(g + drift);
        if (moment != NULL) {
            moment[i] = (int32_t)v;
        }
        theta[i] = fixed_saturate(theta[i] -
                                  fixed_shift_right(run->rate * v, RATE_BITS));
    }
}

void optimizer_nesterov(const struct optimizer_run *run,
                        struct tensor_span tensor, int exponent)
{
    int32_t *theta = run->theta;
    int32_t *moment = run->moments[0];
    int64_t mu = run->spec->momentum;
    int64_t decay = run->spec->weight_decay;
    const struct optimizer_scale scale =
        optimizer_scale(exponent, run->aggregate->addends, FIXED_BITS);
    for (size_t i = tensor.offset; i < tensor.offset + tensor.count; i++) {
        int64_t g = optimizer_mean(gradient_get(run->aggregate, i), &scale);
        int64_t drag = fixed_shift_right(decay * theta[i], RATE_BITS);
        int64_t d = fixed_saturate(g + drag);
        moment[i] =
            fixed_saturate(d + fixed_shift_right(mu * moment[i], RATE_BITS));
        int64_t ahead =
            fixed_saturate(d + fixed_shift_right(mu * moment[i], RATE_BITS));
        theta[i] = fixed_saturate(
            theta[i] - fixed_shift_right(run->rate * ahead, RATE_BITS));
    }
}
