#include "config.h"

#include "tests/unit/kernel_naive.h"

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

static double relu(double x)
{
    return x > 0.0 ? x : 0.0;
}

static double relu_slope(double y)
{
    return y > 0.0 ? 1.0 : 0.0;
}

static double tanh_slope(double y)
{
    return 1.0 - y * y;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double sigmoid_slope(double y)
{
    return y * (1.0 - y);
}

/* By Pot__Activation; the slope is told from the activation's result. */
static const struct {
    double (*of)(double x);
    double (*slope)(double y);
} activations[] = {
    [POT__ACTIVATION__ACTIVATION_RELU] = {relu, relu_slope},
    [POT__ACTIVATION__ACTIVATION_TANH] = {tanh, tanh_slope},
    [POT__ACTIVATION__ACTIVATION_SIGMOID] = {sigmoid, sigmoid_slope},
};

bool kernel_naive_has_activation(uint32_t activation)
{
    return activation < sizeof(activations) / sizeof(*activations) &&
           activations[activation].of != NULL;
}

void kernel_naive_activate(double *y, size_t count, Pot__Activation activation)
{
    for (size_t i = 0; i < count; i++) {
        y[i] = activations[activation].of(y[i]);
    }
}

void kernel_naive_activate_backward(double *dy, const double *y, size_t count,
                                    Pot__Activation activation)
{
    for (size_t i = 0; i < count; i++) {
        dy[i] *= activations[activation].slope(y[i]);
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
