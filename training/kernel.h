/* kernel: the float32 steps of training, on raw row-major arrays.
 *
 * All but the products are the same bits on every machine: additions,
 * multiplications and divisions in a fixed order, training/elementary.h, no
 * library.  Products are of the lane that the caller chooses.
 *
 * Outputs come first; n is the number of rows.  Nothing is allocated, no
 * state is kept; arrays do not overlap unless said.  tests/unit/kernel_naive.h
 * has a plain twin of each, as an oracle. */
#ifndef POT_TRAINING_KERNEL_H
#define POT_TRAINING_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/chain.pb-c.h"
#include "training/product.h"

/* A dense layer: what its functions have in common. */
struct kernel_dense {
    const struct product *product;
    float *scratch; /* of the product */
    size_t n;
    size_t d_in;
    size_t d_out;
};

/* kernel_dense_forward: y = x * transpose(w) + b.
 * y (n, d_out), x (n, d_in), w (d_out, d_in), b (d_out) */
void kernel_dense_forward(float *y, const struct kernel_dense *dense,
                          const float *x, struct product_weights w,
                          const float *b);

/* kernel_dense_backward: dx = dy * w.
 * dx (n, d_in), dy (n, d_out), w (d_out, d_in) */
void kernel_dense_backward(float *dx, const struct kernel_dense *dense,
                           const float *dy, struct product_weights w);

/* kernel_dense_gradient: dw = transpose(dy) * x of each block of rows, block
 * long but the last, given out as training/product.h says; false: the taker
 * said so.  dw (d_out, d_in), dy (n, d_out), x (n, d_in) */
bool kernel_dense_gradient(const struct product_taker *taker,
                           const struct kernel_dense *dense, const float *dy,
                           const float *x, size_t block);

/* kernel_dense_step: w -= rate * transpose(dy) * x.
 * w (d_out, d_in), dy (n, d_out), x (n, d_in) */
void kernel_dense_step(float *w, float rate, const struct kernel_dense *dense,
                       const float *dy, const float *x);

/* kernel_dense_bias: db = sum of dy's n rows.  db (d_out), dy (n, d_out) */
void kernel_dense_bias(float *db, const float *dy, size_t n, size_t d_out);

/* kernel_has_activation: whether the two below know it; any number may be
 * asked about. */
bool kernel_has_activation(uint32_t activation);

/* kernel_activate: y = activation(y), in place. */
void kernel_activate(float *y, size_t count, Pot__Activation activation);

/* kernel_activate_backward: dy *= activation'(), told from its result y. */
void kernel_activate_backward(float *dy, const float *y, size_t count,
                              Pot__Activation activation);

/* kernel_softmax_cross_entropy: dy = softmax(y) - one_hot(classes); returns
 * the sum of the rows' losses.  dy, y (n, k); dy may be y. */
double kernel_softmax_cross_entropy(float *dy, const float *y,
                                    const uint32_t *classes, size_t n,
                                    size_t k);

/* kernel_mse: dy = 2 / k * (y - t), t (n, k) given, or one-hot of classes
 * when t is NULL; returns the sum of the rows' losses. */
double kernel_mse(float *dy, const float *y, const float *t,
                  const uint32_t *classes, size_t n, size_t k);

/* A byte's value in Q8.24, byte / divisor rounded to 2^-24, as a float: for
 * vectors, in two parts that are exact or rounded to 2^-24. */
struct kernel_bytes {
    float whole;
    float rest;
};

/* kernel_bytes_init: for the bytes' values; false: there are other values than
 * so computed ones, and *of is not to be used. */
bool kernel_bytes_init(struct kernel_bytes *of,
                       const int32_t values[static 256], uint32_t divisor);

/* kernel_from_bytes: out (count), (float)value / 2^24 of each byte. */
void kernel_from_bytes(float *out, struct kernel_bytes of, const uint8_t *bytes,
                       size_t count);

/* kernel_from_fixed: Q8.24 to float: exact scaling, one rounding. */
void kernel_from_fixed(float *out, const int32_t *values, size_t count);

/* kernel_step: values -= rate * gradient, each one fused multiply-add: the
 * same bits on every machine. */
void kernel_step(float *values, const float *gradient, size_t count,
                 float rate);

/* kernel_row: the piece that a row of count values is. */
struct product_piece kernel_row(const float *values, size_t first, size_t count,
                                bool is_first);

/* kernel_to_grid: sums = the piece if it is the first, or += it, rounded to
 * the grid of training/quantise.h; what lies beyond it is clamped.  False: a
 * value is not finite, and sums are not to be used. */
bool kernel_to_grid(int64_t *sums, const struct product_piece *piece);

#endif
