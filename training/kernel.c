#include "config.h"

#include "training/kernel.h"

#include "base/check.h"
#include "base/clones.h"
#include "base/fixed.h"
#include "training/elementary.h"
#include "training/quantise.h"

#include <math.h>
#include <string.h>

void kernel_dense_forward(float *y, const struct kernel_dense *dense,
                          const float *x, const float *w, const float *b)
{
    for (size_t i = 0; i < dense->n; i++) {
        memcpy(y + i * dense->d_out, b, dense->d_out * sizeof(float));
    }
    dense->product->add_nt(y, x, w, dense->n, dense->d_out, dense->d_in,
                           dense->scratch);
}

void kernel_dense_backward(float *dx, const struct kernel_dense *dense,
                           const float *dy, const float *w)
{
    dense->product->set_nn(dx, dy, w, dense->n, dense->d_in, dense->d_out,
                           dense->scratch);
}

void kernel_dense_gradient(float *dw, float *columns,
                           const struct kernel_dense *dense, const float *dy,
                           const float *x, size_t first, size_t count)
{
    for (size_t i = 0; i < dense->n; i++) {
        memcpy(columns + i * count, dy + i * dense->d_out + first,
               count * sizeof(float));
    }
    dense->product->set_tn(dw, columns, x, count, dense->d_in, dense->n,
                           dense->scratch);
}

/* One sum a column, its rows ascending. */
void kernel_dense_bias(float *db, const struct kernel_dense *dense,
                       const float *dy)
{
    size_t d_out = dense->d_out;
    memset(db, 0, d_out * sizeof(float));
    for (size_t i = 0; i < dense->n; i++) {
#pragma omp simd
        for (size_t o = 0; o < d_out; o++) {
            db[o] += dy[i * d_out + o];
        }
    }
}

static void relu(float *y, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        /* Not a number stays one: it must be seen. */
        y[i] = y[i] < 0.0F ? 0.0F : y[i];
    }
}

static void relu_backward(float *dy, const float *y, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        dy[i] = y[i] > 0.0F ? dy[i] : 0.0F;
    }
}

CLONES static void tanh_forward(float *y, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        y[i] = elementary_tanh(y[i]);
    }
}

static void tanh_backward(float *dy, const float *y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dy[i] *= 1.0F - y[i] * y[i];
    }
}

CLONES static void sigmoid(float *y, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        y[i] = elementary_sigmoid(y[i]);
    }
}

static void sigmoid_backward(float *dy, const float *y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dy[i] *= y[i] * (1.0F - y[i]);
    }
}

/* By Pot__Activation; the derivative is told from the activation's result. */
static const struct {
    void (*forward)(float *y, size_t count);
    void (*backward)(float *dy, const float *y, size_t count);
} activations[] = {
    [POT__ACTIVATION__ACTIVATION_RELU] = {relu, relu_backward},
    [POT__ACTIVATION__ACTIVATION_TANH] = {tanh_forward, tanh_backward},
    [POT__ACTIVATION__ACTIVATION_SIGMOID] = {sigmoid, sigmoid_backward},
};

bool kernel_has_activation(uint32_t activation)
{
    return activation < sizeof(activations) / sizeof(*activations) &&
           activations[activation].forward != NULL;
}

void kernel_activate(float *y, size_t count, Pot__Activation activation)
{
    POT_ASSERT(kernel_has_activation(activation));
    activations[activation].forward(y, count);
}

void kernel_activate_backward(float *dy, const float *y, size_t count,
                              Pot__Activation activation)
{
    POT_ASSERT(kernel_has_activation(activation));
    activations[activation].backward(dy, y, count);
}

CLONES static void exponentials(float *restrict out, const float *y, float peak,
                                size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)elementary_exp((double)(y[i] - peak));
    }
}

/* One row: the largest output is taken out first, so that no exponential
 * overflows. */
static double softmax_row(float *dy, const float *y, uint32_t class, size_t k)
{
    float peak = y[0];
    float own = y[class];
    float sum = 0.0F;
    for (size_t j = 1; j < k; j++) {
        peak = y[j] > peak ? y[j] : peak;
    }
    exponentials(dy, y, peak, k);
    for (size_t j = 0; j < k; j++) {
        sum += dy[j];
    }
    float scale = 1.0F / sum;
    for (size_t j = 0; j < k; j++) {
        dy[j] *= scale;
    }
    dy[class] -= 1.0F;
    return elementary_log((double)sum) + (double)(peak - own);
}

double kernel_softmax_cross_entropy(float *dy, const float *y,
                                    const uint32_t *classes, size_t n, size_t k)
{
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        POT_ASSERT(classes[i] < k);
        loss += softmax_row(dy + i * k, y + i * k, classes[i], k);
    }
    return loss;
}

double kernel_mse(float *dy, const float *y, const float *t,
                  const uint32_t *classes, size_t n, size_t k)
{
    double loss = 0.0;
    float scale = 2.0F / (float)k;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < k; j++) {
            float one_hot = t == NULL && classes[i] == j ? 1.0F : 0.0F;
            float wanted = t != NULL ? t[i * k + j] : one_hot;
            float difference = y[i * k + j] - wanted;
            loss += (double)difference * (double)difference / (double)k;
            dy[i * k + j] = scale * difference;
        }
    }
    return loss;
}

CLONES void kernel_from_fixed(float *restrict out,
                              const int32_t *restrict values, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)values[i] * 0x1p-24F;
    }
}

CLONES_FUSED void kernel_step(float *restrict values,
                              const float *restrict gradient, float rate,
                              size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        values[i] = fmaf(-rate, gradient[i], values[i]);
    }
}

#define INFINITY_BITS INT32_C(0x7f800000)
/* Bits of 2048.0F: below it ROUNDER works.  Larger patterns without the sign
 * are larger values, then infinity, then NaN. */
#define FAST_BITS INT32_C(0x45000000)
/* Floats that are looked at and then added while they are in the cache. */
#define GRID_PIECE ((size_t)4096)

CLONES static int32_t peak_bits(const float *values, size_t count)
{
    int32_t peak = 0;
#pragma omp simd reduction(max : peak)
    for (size_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, values + i, sizeof(bits));
        bits &= INT32_MAX;
        peak = bits > peak ? bits : peak;
    }
    return peak;
}

#define GRID_SCALE 0x1p40
/* Added to a number below 2^51, it leaves that number's integer, rounded, in
 * the low bits of the sum's pattern. */
#define ROUNDER 0x1.8p52

_Static_assert(FIXED_BITS == 24, "kernel_from_fixed scales by it");
_Static_assert(GRID_BITS == 40, "GRID_SCALE is the grid's");

static int64_t pattern_of(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static int64_t round_fast(float value)
{
    double shifted = (double)value * GRID_SCALE + ROUNDER;
    return pattern_of(shifted) - pattern_of(ROUNDER);
}

CLONES static void set_fast(int64_t *restrict sums,
                            const float *restrict values, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        sums[i] = round_fast(values[i]);
    }
}

CLONES static void add_fast(int64_t *restrict sums,
                            const float *restrict values, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        int64_t sum = sums[i] + round_fast(values[i]);
        sum = sum > GRID_MAX ? GRID_MAX : sum;
        sums[i] = sum < -GRID_MAX ? -GRID_MAX : sum;
    }
}

static int64_t round_any(float value)
{
    double scaled = (double)value * GRID_SCALE;
    if (fabs(scaled) >= (double)GRID_MAX) {
        return scaled < 0.0 ? -GRID_MAX : GRID_MAX;
    }
    return llrint(scaled);
}

static void add_any(int64_t *sums, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t part = round_any(values[i]);
        quantise_add(sums + i, &part, 1);
    }
}

bool kernel_to_grid(int64_t *sums, const float *values, size_t count,
                    bool is_added)
{
    for (size_t i = 0; i < count; i += GRID_PIECE) {
        size_t piece = count - i < GRID_PIECE ? count - i : GRID_PIECE;
        int32_t peak = peak_bits(values + i, piece);
        if (peak >= INFINITY_BITS) {
            return false;
        }
        if (peak < FAST_BITS) {
            (is_added ? add_fast : set_fast)(sums + i, values + i, piece);
            continue;
        }
        if (!is_added) {
            memset(sums + i, 0, piece * sizeof(*sums));
        }
        add_any(sums + i, values + i, piece);
    }
    return true;
}
