/* genesis_params: the table of Pot__GenesisParams, a line a parameter: its key
 * in genesis.json, its bounds and its usual value. */
#ifndef POT_PROTO_GENESIS_PARAMS_H
#define POT_PROTO_GENESIS_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/chain.pb-c.h"

#define GENESIS_PARAM_COUNT 20

enum genesis_param_type {
    GENESIS_PARAM_AMOUNT, /* uint64_t; base units, text in the file */
    GENESIS_PARAM_U64,
    GENESIS_PARAM_U32,
};

struct genesis_param {
    const char *key;
    enum genesis_param_type type;
    size_t offset; /* in Pot__GenesisParams */
    uint64_t min;
    uint64_t max;
    uint64_t usual;
};

extern const struct genesis_param genesis_params[GENESIS_PARAM_COUNT];

/* genesis_param_get, genesis_param_set: the parameter's member. */
uint64_t genesis_param_get(const Pot__GenesisParams *from,
                           const struct genesis_param *param);
void genesis_param_set(Pot__GenesisParams *to,
                       const struct genesis_param *param, uint64_t value);

/* genesis_params_default: what `potctl testnet init` writes. */
void genesis_params_default(Pot__GenesisParams *params);

#endif
