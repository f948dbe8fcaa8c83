#include "config.h"

#include "ledger/activation.h"

#include "base/check.h"
#include "base/fixed.h"

#include <stddef.h>

static int64_t relu(int64_t x)
{
    return x > 0 ? x : 0;
}

static int64_t tanh_of(int64_t x)
{
    return fixed_tanh(x);
}

static int64_t sigmoid(int64_t x)
{
    return fixed_sigmoid(x);
}

static const struct activation table[] = {
    {POT__ACTIVATION__ACTIVATION_RELU, relu, true},
    {POT__ACTIVATION__ACTIVATION_TANH, tanh_of, false},
    {POT__ACTIVATION__ACTIVATION_SIGMOID, sigmoid, false},
};

const struct activation *activation_find(Pot__Activation kind)
{
    size_t i = 0;
    while (table[i].kind != kind) {
        i++;
        POT_ASSERT(i < sizeof(table) / sizeof(*table));
    }
    return &table[i];
}
