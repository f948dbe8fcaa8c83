#include "config.h"

#include "training/kernel.h"

#include "base/check.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "training/quantise.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* Compiled for several instruction sets, the machine's being chosen when the
 * program starts; for loops whose results do not depend on it.  clang 14 names
 * the clones of other files wrongly, and ThreadSanitizer is not there yet when
 * the choice is made. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&         \
    !defined(__SANITIZE_THREAD__)
#define KERNEL_CLONES                                                          \
    __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define KERNEL_CLONES
#endif

/* OpenBLAS counts in int. */
static int dimension(size_t value)
{
    POT_ASSERT(value > 0 && value <= LAYER_WIDTH_MAX);
    return (int)value;
}

void kernel_dense_forward(float *y, const float *x, const float *w,
                          const float *b, size_t n, size_t d_in, size_t d_out)
{
    int rows = dimension(n);
    int in = dimension(d_in);
    int out = dimension(d_out);
    for (size_t i = 0; i < n; i++) {
        memcpy(y + i * d_out, b, d_out * sizeof(float));
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, out, in, 1.0F, x,
                in, w, in, 1.0F, y, out);
}

void kernel_dense_backward(float *dx, float *dw, float *db, const float *dy,
                           const float *x, const float *w, size_t n,
                           size_t d_in, size_t d_out)
{
    int rows = dimension(n);
    int in = dimension(d_in);
    int out = dimension(d_out);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, rows, 1.0F,
                dy, out, x, in, 0.0F, dw, in);
    memset(db, 0, d_out * sizeof(float));
    for (size_t i = 0; i < n; i++) {
#pragma omp simd
        for (size_t o = 0; o < d_out; o++) {
            db[o] += dy[i * d_out + o];
        }
    }
    if (dx != NULL) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, in, out,
                    1.0F, dy, out, w, in, 0.0F, dx, in);
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

static void tanh_forward(float *y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        y[i] = tanhf(y[i]);
    }
}

static void tanh_backward(float *dy, const float *y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dy[i] *= 1.0F - y[i] * y[i];
    }
}

static void sigmoid(float *y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        y[i] = 1.0F / (1.0F + expf(-y[i]));
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
    for (size_t j = 0; j < k; j++) {
        dy[j] = expf(y[j] - peak);
        sum += dy[j];
    }
    float scale = 1.0F / sum;
    for (size_t j = 0; j < k; j++) {
        dy[j] *= scale;
    }
    dy[class] -= 1.0F;
    return (double)logf(sum) + (double)(peak - own);
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

KERNEL_CLONES void kernel_from_fixed(float *restrict out,
                                     const int32_t *restrict values,
                                     size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)values[i] * 0x1p-24F;
    }
}

/* Bits of 128.0F.  Below it the fast way holds: KERNEL_BLOCKS_MAX such
 * blocks stay below GRID_MAX.  Larger patterns without the sign are larger
 * values, then infinity, then NaN. */
#define FAST_BITS     INT32_C(0x43000000)
#define INFINITY_BITS INT32_C(0x7f800000)

KERNEL_CLONES static int32_t peak_bits(const float *values, size_t count)
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
_Static_assert(KERNEL_BLOCKS_MAX *(INT64_C(128) << GRID_BITS) <= GRID_MAX + 1,
               "no sum overflows");

static int64_t pattern_of(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

KERNEL_CLONES static void put_fast(int64_t *restrict sums,
                                   const float *restrict values, size_t count)
{
    const int64_t base = pattern_of(ROUNDER);
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        double shifted = (double)values[i] * GRID_SCALE + ROUNDER;
        sums[i] = pattern_of(shifted) - base;
    }
}

KERNEL_CLONES static void add_fast(int64_t *restrict sums,
                                   const float *restrict values, size_t count)
{
    const int64_t base = pattern_of(ROUNDER);
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        double shifted = (double)values[i] * GRID_SCALE + ROUNDER;
        sums[i] += pattern_of(shifted) - base;
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

static void put_any(int64_t *sums, const float *values, size_t count,
                    bool is_added)
{
    for (size_t i = 0; i < count; i++) {
        int64_t sum = is_added ? sums[i] : 0;
        int64_t part = round_any(values[i]);
        quantise_add(&sum, &part, 1);
        sums[i] = sum;
    }
}

bool kernel_to_grid(int64_t *sums, const float *values, size_t count,
                    bool is_added)
{
    int32_t peak = peak_bits(values, count);
    if (peak >= INFINITY_BITS) {
        return false;
    }
    if (peak >= FAST_BITS) {
        put_any(sums, values, count, is_added);
    } else if (is_added) {
        add_fast(sums, values, count);
    } else {
        put_fast(sums, values, count);
    }
    return true;
}
