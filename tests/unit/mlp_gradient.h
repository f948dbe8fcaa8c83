/* mlp_gradient: a whole gradient, put together from the pieces in which
 * training/mlp.h gives it out; each parameter's once, as it promises. */
#ifndef POT_TESTS_UNIT_MLP_GRADIENT_H
#define POT_TESTS_UNIT_MLP_GRADIENT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "training/mlp.h"

static inline bool mlp_gradient_take(void *context, const float *values,
                                     size_t first, size_t count)
{
    float *out = context;
    for (size_t i = 0; i < count; i++) {
        assert_true(isnan(out[first + i]) != 0);
        out[first + i] = values[i];
    }
    return true;
}

/* out (count): of the loaded rows; count parameters there are. */
static inline void mlp_gradient(float *out, size_t count, struct mlp *m,
                                double *loss_sum)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = NAN;
    }
    assert_true(
        mlp_backward(m, loss_sum, (struct mlp_taker){mlp_gradient_take, out}));
    for (size_t i = 0; i < count; i++) {
        assert_true(isnan(out[i]) == 0);
    }
}

#endif
