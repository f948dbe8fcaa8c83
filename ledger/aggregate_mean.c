/* The mean of all gradients, which the encoding's addends make of their
 * sum. */
#include "config.h"

#include "ledger/aggregate_rule.h"

#include "base/alloc.h"
#include "ledger/aggregate_grid.h"

#include <stdlib.h>

static void *open_sums(const Pot__TaskSpec *spec,
                       const struct model_shape *shape)
{
    (void)spec;
    return pot_calloc(shape->parameter_count, sizeof(int64_t));
}

static void add(void *state, const struct model_shape *shape,
                const struct gradient *gradient)
{
    aggregate_grid_add(state, shape, gradient);
}

static void add_sum(void *state, const struct model_shape *shape,
                    const int64_t *sums)
{
    int64_t *all = state;
    for (size_t i = 0; i < shape->parameter_count; i++) {
        all[i] += sums[i];
    }
}

static const int64_t *finish(void *state, const struct model_shape *shape,
                             uint32_t addends)
{
    (void)shape;
    (void)addends;
    return state;
}

const struct aggregate_rule aggregate_mean = {
    .kind = POT__AGGREGATION__AGGREGATION_MEAN,
    .open = open_sums,
    .close = free,
    .add = add,
    .add_sum = add_sum,
    .finish = finish,
};
