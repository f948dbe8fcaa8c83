/* activation: the functions of hidden layers, one table entry each. */
#ifndef POT_LEDGER_ACTIVATION_H
#define POT_LEDGER_ACTIVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/chain.pb-c.h"

struct activation {
    Pot__Activation kind;
    int64_t (*apply)(int64_t x); /* Q40.24 to Q40.24 */
    bool is_rectifier;           /* initial weights follow He, not Xavier */
};

/* activation_find: kind is one that a task may name (spec_activations). */
const struct activation *activation_find(Pot__Activation kind);

#endif
