/* mlp: float32 gradients of a multi-layer perceptron, in the lane of its
 * products.  For pot-worker and tests only.
 *
 * Row-major; n rows of a block, widths as struct model_shape has them:
 *
 *   forward   z = x * transpose(w) + b,  y = activation(z), the last layer's
 *             y = z
 *   loss      of a row, with outputs y and k = their number:
 *             softmax cross-entropy: log(sum(exp(y))) - y[class]
 *             mse: sum((y - t)^2) / k; t is one-hot for classes
 *   backward  dw = transpose(dz) * x,  db = sum of dz's rows,  dx = dz * w
 *
 * A block's gradient is the sum over its rows, not the mean. */
#ifndef POT_TRAINING_MLP_H
#define POT_TRAINING_MLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dataset.h"
#include "proto/model.h"
#include "training/product.h"

struct mlp_config {
    struct model_shape shape;
    Pot__Activation activation;
    Pot__Loss loss;
    const struct product *product; /* training/product.h: the lane */
    size_t block_rows;             /* of all blocks but the last */
};

struct mlp; /* one arena: training/mlp.c */

/* mlp_new: everything that training takes is allocated here; the block's
 * rows are bounded by mlp_arena_bytes.  mlp_free: NULL is fine. */
struct mlp *mlp_new(const struct mlp_config *config);
void mlp_free(struct mlp *m);

/* mlp_arena_bytes: what mlp_new would allocate; SIZE_MAX on overflow. */
size_t mlp_arena_bytes(const struct mlp_config *config);

/* mlp_set_parameters: Q8.24 to float: exact scaling, one rounding. */
void mlp_set_parameters(struct mlp *m, const int32_t *theta);

/* mlp_borrow_parameters: the same for gradients at theta, which is read while
 * they are computed and not afterwards: steps are not to be taken. */
void mlp_borrow_parameters(struct mlp *m, const int32_t *theta);

/* mlp_fits: whether a data set's rows fit the model: as many features as
 * inputs, as many outputs as classes, or one for a number (mse only). */
bool mlp_fits(const struct mlp *m, const struct dataset *d);

/* mlp_load: features and labels of count rows, which is block_rows at most
 * (training/mlp.c may load several blocks); every row < d->rows, and d fits. */
void mlp_load(struct mlp *m, const struct dataset *d, const uint64_t *rows,
              size_t count);

/* mlp_forward: outputs of the loaded rows (count, last width), borrowed
 * until the next call.  mlp_backward begins with it; benchmarks ask for it
 * alone. */
const float *mlp_forward(struct mlp *m);

/* mlp_backward: forward and backward.  losses: of each block of the loaded
 * rows, the sum over it.  taker: of the gradient, the sum over a block's rows;
 * it comes in pieces (training/product.h) that a cache holds, each parameter's
 * once a block, the blocks in their order.  A layer's parameters are not read
 * any more once a piece of theirs is given out.  False: the taker said so. */
bool mlp_backward(struct mlp *m, double *losses, struct product_taker taker);

/* mlp_step: forward and backward of the loaded rows, which are one block, and
 * parameters -= rate * the gradient; returns the sum of the losses. */
double mlp_step(struct mlp *m, float rate);

/* mlp_sum: the gradient over count > 0 rows of d, which fits, as integers:
 * block_rows at a time, the blocks added up on the grid of
 * training/quantise.h, so that it does not matter who computes which.
 *
 * Out:    sums (parameter_count), *loss_sum in Q40.24: over the rows
 * False:  the loss or the gradient is not a finite number */
bool mlp_sum(int64_t *sums, int64_t *loss_sum, struct mlp *m,
             const struct dataset *d, const uint64_t *rows, size_t count);

struct mlp_walk {         /* steps of its own from theta, one a batch */
    const int32_t *theta; /* Q8.24 */
    uint32_t rate;        /* Q4.28 */
    uint32_t steps;
    size_t batch_rows; /* <= block_rows */
};

/* mlp_walk: steps of parameters -= rate * the mean gradient of a batch, over
 * steps * batch_rows rows of d; sums is how far that went, theta - parameters,
 * on the same grid.  Out and False as of mlp_sum. */
bool mlp_walk(int64_t *sums, int64_t *loss_sum, struct mlp *m,
              const struct mlp_walk *walk, const struct dataset *d,
              const uint64_t *rows);

#endif
