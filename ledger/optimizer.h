/* optimizer: theta(t) -> theta(t+1), in integers.
 *
 * theta is Q8.24; rates are Q4.28; g is the mean gradient, rounded once to
 * Q8.24.  Each round() and each clamp() is one of base/fixed.h.
 *
 *   sgd, momentum   v <- clamp(g + round((mu * v + decay * theta) / 2^28))
 *                   theta <- clamp(theta - round(rate * v / 2^28))
 *   nesterov        d = clamp(g + round(decay * theta / 2^28))
 *                   v <- clamp(d + round(mu * v / 2^28))
 *                   theta <- clamp(theta - round(rate * (d + mu * v) / 2^28))
 *   adam            ledger/optimizer_adam.c: g and the first moment are Q4.28
 *                   there, clamped at 8; decay is decoupled (AdamW)
 *
 * Beside the same rules in double precision, over 300 steps of random
 * gradients at usual rates, theta stays within 2^-18 (64 of its units) for
 * sgd, momentum and nesterov, and within 1/2000 of the way that the steps can
 * go, steps * rate, for adam where gradients are above 2^-16
 * (tests/unit/test_optimizer.c). */
#ifndef POT_LEDGER_OPTIMIZER_H
#define POT_LEDGER_OPTIMIZER_H

#include <stdint.h>

#include "proto/chain.pb-c.h"
#include "proto/gradient.h"
#include "proto/model.h"
#include "proto/spec.h"

/* optimizer_step: theta and the moments in place.
 *
 * In:     moments[i], i < spec_moments(spec), one int32_t a parameter, zero
 *         at first; those beyond are not looked at.  steps: how many were
 *         done before */
void optimizer_step(int32_t *theta, int32_t *const moments[SPEC_MOMENTS_MAX],
                    const struct model_shape *shape,
                    const struct gradient *aggregate,
                    const Pot__OptimizerSpec *spec, uint32_t rate,
                    uint32_t steps);

#endif
