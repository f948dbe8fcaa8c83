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
                          const float *x, struct product_weights w,
                          const float *b)
{
    w.bias = b;
    dense->product->add_nt(y, x, w, dense->n, dense->d_out, dense->d_in,
                           dense->scratch);
}

void kernel_dense_backward(float *dx, const struct kernel_dense *dense,
                           const float *dy, struct product_weights w)
{
    dense->product->set_nn(dx, dy, w, dense->n, dense->d_in, dense->d_out,
                           dense->scratch);
}

bool kernel_dense_gradient(const struct product_taker *taker,
                           const struct kernel_dense *dense, const float *dy,
                           const float *x, size_t block)
{
    return dense->product->give_tn(taker, dy, x, dense->d_out, dense->d_in,
                                   dense->n, block, dense->scratch);
}

void kernel_dense_step(float *w, float rate, const struct kernel_dense *dense,
                       const float *dy, const float *x)
{
    dense->product->step_tn(w, rate, dy, x, dense->d_out, dense->d_in, dense->n,
                            dense->scratch);
}

/* One sum a column, its rows ascending. */
CLONES void kernel_dense_bias(float *restrict db, const float *restrict dy,
                              size_t n, size_t d_out)
{
    memset(db, 0, d_out * sizeof(float));
    for (size_t i = 0; i < n; i++) {
#pragma omp simd
        for (size_t o = 0; o < d_out; o++) {
            db[o] += dy[i * d_out + o];
        }
    }
}

CLONES static void relu(float *y, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        /* Not a number stays one: it must be seen. */
        y[i] = y[i] < 0.0F ? 0.0F : y[i];
    }
}

CLONES static void relu_backward(float *restrict dy, const float *restrict y,
                                 size_t count)
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

/* Beside the largest, which is 1: what is below the grid's unit is nothing.  A
 * model that is sure of itself has many such, and multiplied by each layer's
 * weights they would end below the normal numbers, where a multiply-add takes
 * some processors fifty times as long. */
#define EXPONENTIAL_MIN 0x1p-40

_Static_assert(GRID_BITS == 40, "EXPONENTIAL_MIN is the grid's unit");

CLONES static void exponentials(float *restrict out, const float *y, float peak,
                                size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        double e = elementary_exp((double)(y[i] - peak));
        out[i] = (float)(e < EXPONENTIAL_MIN ? 0.0 : e);
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

#define ROUND_HALF 0.75F /* 1.5 * 2^23 units of 2^-24: see ROUNDER */

static float of_byte(struct kernel_bytes of, uint8_t byte)
{
    float value = (float)byte;
    return value * of.whole + ((value * of.rest + ROUND_HALF) - ROUND_HALF);
}

bool kernel_bytes_init(struct kernel_bytes *of,
                       const int32_t values[static 256], uint32_t divisor)
{
    POT_ASSERT(divisor > 0);
    uint32_t whole = (UINT32_C(1) << FIXED_BITS) / divisor;
    uint32_t rest = (UINT32_C(1) << FIXED_BITS) % divisor;
    of->whole = (float)whole * 0x1p-24F;
    of->rest = (float)((double)rest / divisor * 0x1p-24);
    for (size_t i = 0; i < 256; i++) {
        if (!(of_byte(*of, (uint8_t)i) == (float)values[i] * 0x1p-24F)) {
            return false;
        }
    }
    return true;
}

CLONES void kernel_from_bytes(float *restrict out, struct kernel_bytes of,
                              const uint8_t *restrict bytes, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        out[i] = of_byte(of, bytes[i]);
    }
}

CLONES void kernel_from_fixed(float *restrict out,
                              const int32_t *restrict values, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)values[i] * 0x1p-24F;
    }
}

struct product_piece kernel_row(const float *values, size_t first, size_t count,
                                bool is_first)
{
    return (struct product_piece){.values = values,
                                  .values_stride = count,
                                  .first = first,
                                  .stride = count,
                                  .rows = 1,
                                  .columns = count,
                                  .is_first = is_first};
}

CLONES_FUSED void kernel_step(float *restrict values,
                              const float *restrict gradient, size_t count,
                              float rate)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        values[i] = fmaf(-rate, gradient[i], values[i]);
    }
}

#define CACHE_LINE    64
#define INFINITY_BITS INT32_C(0x7f800000)
/* Bits of 2048.0F: below it ROUNDER works.  Larger patterns without the sign
 * are larger values, then infinity, then NaN. */
#define FAST_BITS INT32_C(0x45000000)
/* Floats that are looked at and then added while they are in the cache. */
#define GRID_PIECE ((size_t)4096)

CLONES static int32_t peak_bits(const struct product_piece *piece)
{
    /* Rows without gaps are one: the largest of each is not asked for. */
    bool is_dense = piece->columns == piece->values_stride;
    size_t rows = is_dense ? 1 : piece->rows;
    size_t columns = is_dense ? piece->rows * piece->columns : piece->columns;
    int32_t peak = 0;
    for (size_t i = 0; i < rows; i++) {
        const float *values = piece->values + i * piece->values_stride;
#pragma omp simd reduction(max : peak)
        for (size_t j = 0; j < columns; j++) {
            int32_t bits;
            memcpy(&bits, values + j, sizeof(bits));
            bits &= INT32_MAX;
            peak = bits > peak ? bits : peak;
        }
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

/* Fetches a line that is going to be written, from whoever wrote it last.  A
 * processor without the instruction takes it for none; the compiler would use
 * another, which fetches for reading. */
static inline void fetch(const int64_t *at)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw (%0)" : : "r"(at));
#else
    __builtin_prefetch(at, 1);
#endif
}

/* The rows below are likely to be the next piece's; where rows lie apart they
 * are asked for before their turn. */
static void fetch_ahead(const int64_t *sums, const struct product_piece *piece)
{
    const int64_t *at = sums + piece->first + piece->rows * piece->stride;
    for (size_t i = 0; i < piece->rows; i++, at += piece->stride) {
        for (size_t j = 0; j < piece->columns; j += CACHE_LINE / sizeof(*at)) {
            fetch(at + j);
        }
    }
}

CLONES static void set_fast(int64_t *restrict sums,
                            const struct product_piece *restrict piece)
{
    size_t columns = piece->columns;
    for (size_t i = 0; i < piece->rows; i++) {
        const float *restrict values = piece->values + i * piece->values_stride;
        int64_t *restrict at = sums + piece->first + i * piece->stride;
#pragma omp simd
        for (size_t j = 0; j < columns; j++) {
            at[j] = round_fast(values[j]);
        }
    }
}

CLONES static void add_fast(int64_t *restrict sums,
                            const struct product_piece *restrict piece)
{
    size_t columns = piece->columns;
    for (size_t i = 0; i < piece->rows; i++) {
        const float *restrict values = piece->values + i * piece->values_stride;
        int64_t *restrict at = sums + piece->first + i * piece->stride;
#pragma omp simd
        for (size_t j = 0; j < columns; j++) {
            int64_t sum = at[j] + round_fast(values[j]);
            sum = sum > GRID_MAX ? GRID_MAX : sum;
            at[j] = sum < -GRID_MAX ? -GRID_MAX : sum;
        }
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

static void put_any(int64_t *sums, const struct product_piece *piece)
{
    for (size_t i = 0; i < piece->rows; i++) {
        for (size_t j = 0; j < piece->columns; j++) {
            int64_t *at = sums + piece->first + i * piece->stride + j;
            int64_t part =
                round_any(piece->values[i * piece->values_stride + j]);
            *at = piece->is_first ? 0 : *at;
            quantise_add(at, &part, 1);
        }
    }
}

/* A piece that the first cache holds. */
static bool put(int64_t *sums, const struct product_piece *piece)
{
    int32_t peak = peak_bits(piece);
    if (peak >= INFINITY_BITS) {
        return false;
    }
    if (peak >= FAST_BITS) {
        put_any(sums, piece);
    } else if (piece->is_first) {
        if (piece->columns < piece->stride) {
            fetch_ahead(sums, piece);
        }
        set_fast(sums, piece);
    } else {
        add_fast(sums, piece);
    }
    return true;
}

bool kernel_to_grid(int64_t *sums, const struct product_piece *piece)
{
    if (piece->rows * piece->columns <= GRID_PIECE) {
        return put(sums, piece); /* most are: no division for them */
    }
    size_t height = GRID_PIECE / piece->columns;
    height = height == 0 ? 1 : height;
    for (size_t i = 0; i < piece->rows; i += height) {
        struct product_piece part = *piece;
        size_t left = piece->rows - i;
        part.values += i * piece->values_stride;
        part.first += i * piece->stride;
        part.rows = left < height ? left : height;
        if (!put(sums, &part)) {
            return false;
        }
    }
    return true;
}
