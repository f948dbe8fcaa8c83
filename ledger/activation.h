/* activation: the functions of hidden layers, in fixed point.
 *
 * One is a value of Activation (proto/chain.proto) and its entry in
 * spec_activations (proto/spec.c); an entry in the table of activation.c; its
 * two directions in the table of training/kernel.c and, as the reference, in
 * tests/unit/kernel_naive.c. */
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

/* activation_is_known: any number may be asked about.  Outside this module
 * tests ask it. */
bool activation_is_known(uint32_t kind);

/* activation_find: kind is one that a task may name (spec_activations). */
const struct activation *activation_find(Pot__Activation kind);

#endif
