/* optimizer: theta(t) -> theta(t+1), SGD with momentum, in integers.
 *
 *   v <- clamp(g + round((mu * v + decay * theta) / 2^28))
 *   theta <- clamp(theta - round(rate * v / 2^28))
 *
 * g is the mean gradient, rounded once to Q8.24; theta and v are Q8.24, mu,
 * decay and rate Q4.28. */
#ifndef POT_LEDGER_OPTIMIZER_H
#define POT_LEDGER_OPTIMIZER_H

#include <stdint.h>

#include "proto/chain.pb-c.h"
#include "proto/gradient.h"
#include "proto/model.h"

/* optimizer_rate: the learning rate of a round, 0 <= round < rounds, Q4.28:
 * constant: lr; cosine: lr * (1 + cos(pi * round / rounds)) / 2; step:
 * lr * factor^(round / step_rounds). */
uint32_t optimizer_rate(const Pot__OptimizerSpec *spec, uint32_t round,
                        uint32_t rounds);

/* optimizer_step: theta and momentum in place; without momentum in the spec
 * momentum may be NULL and counts as zero. */
void optimizer_step(int32_t *theta, int32_t *momentum,
                    const struct model_shape *shape,
                    const struct gradient *aggregate,
                    const Pot__OptimizerSpec *spec, uint32_t rate);

#endif
