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

static inline bool mlp_gradient_take(void *context,
                                     const struct product_piece *piece)
{
    float *out = context;
    assert_true(piece->is_first);
    for (size_t i = 0; i < piece->rows; i++) {
        for (size_t j = 0; j < piece->columns; j++) {
            float *at = out + piece->first + i * piece->stride + j;
            assert_true(isnan(*at) != 0);
            *at = piece->values[i * piece->values_stride + j];
        }
    }
    return true;
}

/* out (count): of the loaded rows, one block; count parameters there are. */
static inline void mlp_gradient(float *out, size_t count, struct mlp *m,
                                double *loss_sum)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = NAN;
    }
    assert_true(mlp_backward(
        m, loss_sum, (struct product_taker){mlp_gradient_take, out, 0}));
    for (size_t i = 0; i < count; i++) {
        assert_true(isnan(out[i]) == 0);
    }
}

#endif
