#include "config.h"

#include "training/kernel_naive.h"

#include <math.h>

void kernel_naive_dense_forward(double *y, const double *x, const double *w,
                                const double *b, size_t n, size_t d_in,
                                size_t d_out)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t o = 0; o < d_out; o++) {
            double sum = b[o];
            for (size_t c = 0; c < d_in; c++) {
                sum += x[i * d_in + c] * w[o * d_in + c];
            }
            y[i * d_out + o] = sum;
        }
    }
}

void kernel_naive_dense_backward(double *dx, double *dw, double *db,
                                 const double *dy, const double *x,
                                 const double *w, size_t n, size_t d_in,
                                 size_t d_out)
{
    for (size_t o = 0; o < d_out; o++) {
        db[o] = 0.0;
        for (size_t i = 0; i < n; i++) {
            db[o] += dy[i * d_out + o];
        }
        for (size_t c = 0; c < d_in; c++) {
            dw[o * d_in + c] = 0.0;
            for (size_t i = 0; i < n; i++) {
                dw[o * d_in + c] += dy[i * d_out + o] * x[i * d_in + c];
            }
        }
    }
    for (size_t i = 0; i < n && dx != NULL; i++) {
        for (size_t c = 0; c < d_in; c++) {
            dx[i * d_in + c] = 0.0;
            for (size_t o = 0; o < d_out; o++) {
                dx[i * d_in + c] += dy[i * d_out + o] * w[o * d_in + c];
            }
        }
    }
}

void kernel_naive_activate(double *y, size_t count, Pot__Activation activation)
{
    for (size_t i = 0; i < count; i++) {
        if (activation == POT__ACTIVATION__ACTIVATION_RELU) {
            y[i] = y[i] > 0.0 ? y[i] : 0.0;
        } else if (activation == POT__ACTIVATION__ACTIVATION_TANH) {
            y[i] = tanh(y[i]);
        } else {
            y[i] = 1.0 / (1.0 + exp(-y[i]));
        }
    }
}

void kernel_naive_activate_backward(double *dy, const double *y, size_t count,
                                    Pot__Activation activation)
{
    for (size_t i = 0; i < count; i++) {
        if (activation == POT__ACTIVATION__ACTIVATION_RELU) {
            dy[i] = y[i] > 0.0 ? dy[i] : 0.0;
        } else if (activation == POT__ACTIVATION__ACTIVATION_TANH) {
            dy[i] *= 1.0 - y[i] * y[i];
        } else {
            dy[i] *= y[i] * (1.0 - y[i]);
        }
    }
}

double kernel_naive_softmax_cross_entropy(double *dy, const double *y,
                                          const uint32_t *classes, size_t n,
                                          size_t k)
{
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < k; j++) {
            sum += exp(y[i * k + j]);
        }
        for (size_t j = 0; j < k; j++) {
            dy[i * k + j] = exp(y[i * k + j]) / sum - (j == classes[i]);
        }
        loss += log(sum) - y[i * k + classes[i]];
    }
    return loss;
}

double kernel_naive_mse(double *dy, const double *y, const double *t, size_t n,
                        size_t k)
{
    double loss = 0.0;
    for (size_t i = 0; i < n * k; i++) {
        dy[i] = 2.0 * (y[i] - t[i]) / (double)k;
        loss += (y[i] - t[i]) * (y[i] - t[i]) / (double)k;
    }
    return loss;
}
