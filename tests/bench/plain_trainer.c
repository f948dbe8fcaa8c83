#include "config.h"

#include "tests/bench/plain_trainer.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "proto/model.h"
#include "tests/rng.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEARNING_RATE 0.01F

struct plain_trainer {
    struct model_shape shape;
    float *data;
    uint32_t *classes;
    uint32_t *batch_classes;
    float *w[LAYERS_MAX];
    float *b[LAYERS_MAX];
    float *dw[LAYERS_MAX];
    float *x[LAYERS_MAX];
    float *dx[LAYERS_MAX];
};

static float *random_floats(size_t count, float size)
{
    uint64_t random = count;
    float *out = pot_calloc(count, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        float unit = (float)(rng_next(&random) >> 40) * 0x1p-24F;
        out[i] = (unit - 0.5F) * size;
    }
    return out;
}

struct plain_trainer *plain_trainer_new(const struct model_shape *shape,
                                        size_t data_rows, size_t batch_rows)
{
    struct plain_trainer *t = pot_calloc(1, sizeof(*t));
    uint32_t outputs = shape->widths[shape->layer_count];
    t->shape = *shape;
    t->data = random_floats(data_rows * shape->widths[0], 1.0F);
    t->classes = pot_calloc(data_rows, sizeof(*t->classes));
    t->batch_classes = pot_calloc(batch_rows, sizeof(*t->batch_classes));
    for (size_t i = 0; i < data_rows; i++) {
        t->classes[i] = (uint32_t)(i % outputs);
    }
    for (size_t l = 0; l < shape->width_count; l++) {
        t->x[l] = pot_calloc(batch_rows * shape->widths[l], sizeof(float));
        t->dx[l] = pot_calloc(batch_rows * shape->widths[l], sizeof(float));
        if (l < shape->layer_count) {
            size_t weights = (size_t)shape->widths[l] * shape->widths[l + 1];
            t->w[l] = random_floats(weights, 0.1F);
            t->b[l] = random_floats(shape->widths[l + 1], 0.1F);
            t->dw[l] = pot_calloc(weights, sizeof(float));
        }
    }
    return t;
}

void plain_trainer_free(struct plain_trainer *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t l = 0; l < LAYERS_MAX; l++) {
        free(t->w[l]);
        free(t->b[l]);
        free(t->dw[l]);
        free(t->x[l]);
        free(t->dx[l]);
    }
    free(t->data);
    free(t->classes);
    free(t->batch_classes);
    free(t);
}

static void load(struct plain_trainer *t, const uint64_t *rows, size_t count)
{
    size_t features = t->shape.widths[0];
    for (size_t i = 0; i < count; i++) {
        memcpy(t->x[0] + i * features, t->data + rows[i] * features,
               features * sizeof(float));
        t->batch_classes[i] = t->classes[rows[i]];
    }
}

static void relu(float *y, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        y[i] = y[i] > 0.0F ? y[i] : 0.0F;
    }
}

static void relu_backward(float *restrict dy, const float *restrict y,
                          size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        dy[i] = y[i] > 0.0F ? dy[i] : 0.0F;
    }
}

static void forward(struct plain_trainer *t, size_t l, size_t count)
{
    int in = (int)t->shape.widths[l];
    int out = (int)t->shape.widths[l + 1];
    float *y = t->x[l + 1];
    for (size_t i = 0; i < count; i++) {
        memcpy(y + i * (size_t)out, t->b[l], (size_t)out * sizeof(float));
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, out, in,
                1.0F, t->x[l], in, t->w[l], in, 1.0F, y, out);
    if (l + 1 < t->shape.layer_count) {
        relu(y, count * (size_t)out);
    }
}

/* The mean's gradient; returns the mean. */
static float loss(struct plain_trainer *t, size_t count)
{
    size_t outputs = t->shape.widths[t->shape.layer_count];
    float sum_of_losses = 0.0F;
    for (size_t i = 0; i < count; i++) {
        const float *y = t->x[t->shape.layer_count] + i * outputs;
        float *dy = t->dx[t->shape.layer_count] + i * outputs;
        uint32_t class = t->batch_classes[i];
        float peak = y[0];
        float sum = 0.0F;
        for (size_t j = 1; j < outputs; j++) {
            peak = y[j] > peak ? y[j] : peak;
        }
        for (size_t j = 0; j < outputs; j++) {
            dy[j] = expf(y[j] - peak);
            sum += dy[j];
        }
        sum_of_losses += logf(sum) + peak - y[class];
        for (size_t j = 0; j < outputs; j++) {
            float wanted = j == class ? 1.0F : 0.0F;
            dy[j] = (dy[j] / sum - wanted) / (float)count;
        }
    }
    return sum_of_losses / (float)count;
}

static void step(float *restrict w, const float *restrict dw, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        w[i] -= LEARNING_RATE * dw[i];
    }
}

static void step_bias(float *restrict b, const float *restrict dy, size_t count,
                      size_t out)
{
    for (size_t i = 0; i < count; i++) {
        step(b, dy + i * out, out);
    }
}

static void backward(struct plain_trainer *t, size_t l, size_t count)
{
    int in = (int)t->shape.widths[l];
    int out = (int)t->shape.widths[l + 1];
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, (int)count,
                1.0F, t->dx[l + 1], out, t->x[l], in, 0.0F, t->dw[l], in);
    if (l > 0) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, in,
                    out, 1.0F, t->dx[l + 1], out, t->w[l], in, 0.0F, t->dx[l],
                    in);
        relu_backward(t->dx[l], t->x[l], count * (size_t)in);
    }
    step(t->w[l], t->dw[l], (size_t)in * (size_t)out);
    step_bias(t->b[l], t->dx[l + 1], count, (size_t)out);
}

float plain_trainer_step(struct plain_trainer *t, const uint64_t *rows,
                         size_t count)
{
    load(t, rows, count);
    for (size_t l = 0; l < t->shape.layer_count; l++) {
        forward(t, l, count);
    }
    float mean = loss(t, count);
    for (size_t l = t->shape.layer_count; l-- > 0;) {
        backward(t, l, count);
    }
    return mean;
}
