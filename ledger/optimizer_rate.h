/* optimizer_rate: learning rates over a task's rounds, Q4.28.  Integers only:
 * the chain's own step and those of miners and their auditors agree on them. */
#ifndef POT_LEDGER_OPTIMIZER_RATE_H
#define POT_LEDGER_OPTIMIZER_RATE_H

#include <stdint.h>

#include "proto/chain.pb-c.h"

/* optimizer_rate: the learning rate of a round, 0 <= round < rounds, Q4.28:
 * constant: lr; cosine: lr * (1 + cos(pi * round / rounds)) / 2; step:
 * lr * factor^(round / step_rounds).  In the first warmup_rounds it is
 * multiplied by (round + 1) / warmup_rounds.
 *
 * Where miners make steps of their own, schedule and warm-up are for those,
 * optimizer_local_rate, and the rate of the chain's step is constant. */
uint32_t optimizer_rate(const Pot__OptimizerSpec *spec, uint32_t round,
                        uint32_t rounds);
uint32_t optimizer_local_rate(const Pot__OptimizerSpec *spec, uint32_t round,
                              uint32_t rounds);

#endif
