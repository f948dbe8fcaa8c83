#include "config.h"

#include "consensus/vouched.h"

#include "proto/validator_set.h"

uint64_t vouched_value(const uint64_t *values, uint32_t count, uint32_t self)
{
    uint32_t need = validator_set_faults(count) + 1;
    uint64_t best = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t as_high = 0;
        for (uint32_t j = 0; j < count; j++) {
            as_high += j != self && values[j] >= values[i];
        }
        if (as_high >= need && values[i] > best) {
            best = values[i];
        }
    }
    return best;
}
