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

static const struct activation *find(uint32_t kind)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (table[i].kind == kind) {
            return &table[i];
        }
    }
    return NULL;
}

bool activation_is_known(uint32_t kind)
{
    return find(kind) != NULL;
}

const struct activation *activation_find(Pot__Activation kind)
{
    const struct activation *found = find((uint32_t)kind);
    POT_ASSERT(found != NULL);
    return found;
}
