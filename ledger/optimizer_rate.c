#include "config.h"

#include "ledger/optimizer_rate.h"

#include "base/check.h"
#include "ledger/optimizer_rule.h"

uint64_t optimizer_power(uint64_t factor, uint32_t exponent)
{
    uint64_t result = RATE_ONE;
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) {
            result = optimizer_multiply(result, factor);
        }
        factor = optimizer_multiply(factor, factor);
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

static uint32_t step_rate(uint32_t rate, const Pot__OptimizerSpec *spec,
                          uint32_t round)
{
    POT_ASSERT(spec->step_rounds > 0 && spec->step_factor <= RATE_ONE);
    uint64_t factor =
        optimizer_power(spec->step_factor, round / spec->step_rounds);
    return (uint32_t)optimizer_multiply(rate, factor);
}

static uint32_t scheduled(uint32_t rate, const Pot__OptimizerSpec *spec,
                          uint32_t round, uint32_t rounds)
{
    POT_ASSERT(round < rounds);
    if (spec->schedule == POT__SCHEDULE__SCHEDULE_COSINE) {
        rate = cosine_rate(rate, round, rounds);
    } else if (spec->schedule == POT__SCHEDULE__SCHEDULE_STEP) {
        rate = step_rate(rate, spec, round);
    }
    if (round >= spec->warmup_rounds) {
        return rate;
    }
    int64_t part = (int64_t)rate * ((int64_t)round + 1);
    return (uint32_t)fixed_divide(part, spec->warmup_rounds);
}

uint32_t optimizer_rate(const Pot__OptimizerSpec *spec, uint32_t round,
                        uint32_t rounds)
{
    return spec->local_rate > 0
               ? spec->learning_rate
               : scheduled(spec->learning_rate, spec, round, rounds);
}

uint32_t optimizer_local_rate(const Pot__OptimizerSpec *spec, uint32_t round,
                              uint32_t rounds)
{
    return scheduled(spec->local_rate, spec, round, rounds);
}
