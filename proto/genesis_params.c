#include "config.h"

#include "proto/genesis_params.h"

#include "base/amount.h"
#include "base/limits.h"
#include "proto/genesis.h"

#include <string.h>

#define PARAM(field, type, min, max, usual)                                    \
    {                                                                          \
#field, type, offsetof(Pot__GenesisParams, field), min, max, usual     \
    }

const struct genesis_param genesis_params[GENESIS_PARAM_COUNT] = {
    PARAM(min_validator_stake, GENESIS_PARAM_AMOUNT, 1, UINT64_MAX,
          10000 * AMOUNT_UNITS_PER_POT),
    PARAM(min_miner_stake, GENESIS_PARAM_AMOUNT, 0, UINT64_MAX,
          100 * AMOUNT_UNITS_PER_POT),
    PARAM(epoch_blocks, GENESIS_PARAM_U64, 1, 1000000000, 100),
    PARAM(attesting_bps, GENESIS_PARAM_U32, 0, BPS_ONE, 1000),
    PARAM(proposing_bps, GENESIS_PARAM_U32, 0, BPS_ONE, 500),
    PARAM(absent_rounds_max, GENESIS_PARAM_U32, 1, 1000000, 5),
    PARAM(round_blocks_max, GENESIS_PARAM_U32, 1, 1000000, 20),
    PARAM(empty_rounds_max, GENESIS_PARAM_U32, 1, 1000000, 10),
    PARAM(fee_base, GENESIS_PARAM_AMOUNT, 0, UINT64_MAX, 1000000),
    PARAM(fee_byte, GENESIS_PARAM_AMOUNT, 0, AMOUNT_UNITS_PER_POT, 1000),
    PARAM(max_block_bytes, GENESIS_PARAM_U64, 64 << 10, BLOCK_BYTES_MAX,
          BLOCK_BYTES_MAX),
    PARAM(max_time_ahead_ms, GENESIS_PARAM_U64, 1, 86400000, 10000),
    PARAM(slash_equivocation_bps, GENESIS_PARAM_U32, 0, BPS_ONE, 1000),
    PARAM(finder_bps, GENESIS_PARAM_U32, 0, BPS_ONE, 1000),
    PARAM(evidence_blocks_max, GENESIS_PARAM_U64, 1, 1000000000, 100000),
    PARAM(unbonding_blocks, GENESIS_PARAM_U64, 1, 1000000000, 120000),
    PARAM(challenge_blocks, GENESIS_PARAM_U64, 1, 1000000, 20),
    PARAM(challenge_ms, GENESIS_PARAM_U64, 0, 86400000, 30000),
    PARAM(challenge_deposit, GENESIS_PARAM_AMOUNT, 0, UINT64_MAX,
          AMOUNT_UNITS_PER_POT),
    PARAM(slash_fraud_bps, GENESIS_PARAM_U32, 0, BPS_ONE, BPS_ONE),
};

uint64_t genesis_param_get(const Pot__GenesisParams *from,
                           const struct genesis_param *param)
{
    const char *at = (const char *)from + param->offset;
    uint64_t wide = 0;
    uint32_t narrow = 0;
    if (param->type == GENESIS_PARAM_U32) {
        memcpy(&narrow, at, sizeof(narrow));
        return narrow;
    }
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

void genesis_param_set(Pot__GenesisParams *to,
                       const struct genesis_param *param, uint64_t value)
{
    char *at = (char *)to + param->offset;
    if (param->type == GENESIS_PARAM_U32) {
        uint32_t narrow = (uint32_t)value;
        memcpy(at, &narrow, sizeof(narrow));
    } else {
        memcpy(at, &value, sizeof(value));
    }
}

void genesis_params_default(Pot__GenesisParams *params)
{
    pot__genesis_params__init(params);
    for (size_t i = 0; i < GENESIS_PARAM_COUNT; i++) {
        const struct genesis_param *param = &genesis_params[i];
        genesis_param_set(params, param, param->usual);
    }
}
