/* kernel_naive: what training/kernel.h computes, in the plainest loops, in
 * double: an oracle. */
#ifndef POT_TESTS_UNIT_KERNEL_NAIVE_H
#define POT_TESTS_UNIT_KERNEL_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/chain.pb-c.h"

void kernel_naive_dense_forward(double *y, const double *x, const double *w,
                                const double *b, size_t n, size_t d_in,
                                size_t d_out);

/* dx may be NULL. */
void kernel_naive_dense_backward(double *dx, double *dw, double *db,
                                 const double *dy, const double *x,
                                 const double *w, size_t n, size_t d_in,
                                 size_t d_out);

/* kernel_naive_has_activation: any number may be asked about. */
bool kernel_naive_has_activation(uint32_t activation);

void kernel_naive_activate(double *y, size_t count, Pot__Activation activation);

void kernel_naive_activate_backward(double *dy, const double *y, size_t count,
                                    Pot__Activation activation);

double kernel_naive_softmax_cross_entropy(double *dy, const double *y,
                                          const uint32_t *classes, size_t n,
                                          size_t k);

double kernel_naive_mse(double *dy, const double *y, const double *t, size_t n,
                        size_t k);

#endif
