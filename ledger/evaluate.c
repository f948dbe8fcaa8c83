/* Weights lie transposed, (d_in, d_out), so that a layer is, for each input
 * that is not zero, one addition of a scaled row to the sums; inputs are
 * taken four at a time.  All of it is exact, so neither the order nor the
 * vector width can show. */
#include "config.h"

#include "ledger/evaluate.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "ledger/activation.h"

#include <stdlib.h>
#include <string.h>

#define INPUT_BITS   16 /* of activations */
#define SUM_BITS     (INPUT_BITS + FIXED_BITS)
#define SUM_BITS_MAX 62 /* of a sum's magnitude */
#define LANES        4

struct layer {
    size_t inputs;
    size_t outputs;
    const int32_t *weight; /* (inputs, outputs), in evaluator.weights */
    const int32_t *bias;   /* (outputs) */
    unsigned weight_bits;  /* of the largest sum of magnitudes of an output */
};

struct evaluator {
    struct layer layers[LAYERS_MAX];
    size_t layer_count;
    const struct activation *activation;
    int32_t *weights;   /* as theta, each weight transposed */
    int32_t *inputs;    /* (widest) */
    int64_t *sums;      /* (widest) */
    uint32_t *occupied; /* (widest) which inputs are not zero */
};

/* ---- making it ready */

/* Transposes one weight; returns the bits of its largest row sum, bias
 * included. */
static unsigned transpose(int32_t *out, const int32_t *weight,
                          const int32_t *bias, size_t inputs, size_t outputs)
{
    uint64_t largest = 0;
    for (size_t j = 0; j < outputs; j++) {
        uint64_t sum = fixed_magnitude(bias[j]);
        for (size_t i = 0; i < inputs; i++) {
            int32_t w = weight[j * inputs + i];
            out[i * outputs + j] = w;
            sum += fixed_magnitude(w);
        }
        largest = sum > largest ? sum : largest;
    }
    return fixed_bit_count(largest);
}

struct evaluator *evaluator_new(const struct model_shape *shape,
                                const Pot__ModelSpec *model,
                                const int32_t *theta)
{
    struct evaluator *n = pot_calloc(1, sizeof(*n));
    n->layer_count = shape->layer_count;
    n->activation = activation_find(model->activation);
    n->weights = pot_calloc(shape->parameter_count, sizeof(*n->weights));
    size_t widest = 0;
    for (size_t l = 0; l < shape->width_count; l++) {
        widest = shape->widths[l] > widest ? shape->widths[l] : widest;
    }
    for (size_t l = 0; l < shape->layer_count; l++) {
        struct layer *layer = &n->layers[l];
        size_t weight_at = shape->tensors[2 * l].offset;
        struct tensor_span bias = shape->tensors[2 * l + 1];
        layer->inputs = shape->widths[l];
        layer->outputs = shape->widths[l + 1];
        layer->weight = n->weights + weight_at;
        layer->bias = n->weights + bias.offset;
        memcpy(n->weights + bias.offset, theta + bias.offset,
               bias.count * sizeof(*theta));
        layer->weight_bits =
            transpose(n->weights + weight_at, theta + weight_at,
                      theta + bias.offset, layer->inputs, layer->outputs);
    }
    n->inputs = pot_calloc(widest, sizeof(*n->inputs));
    n->sums = pot_calloc(widest, sizeof(*n->sums));
    n->occupied = pot_calloc(widest, sizeof(*n->occupied));
    return n;
}

void evaluator_free(struct evaluator *evaluator)
{
    if (evaluator != NULL) {
        free(evaluator->weights);
        free(evaluator->inputs);
        free(evaluator->sums);
        free(evaluator->occupied);
        free(evaluator);
    }
}

/* ---- one row */

static void add_four(int64_t *restrict sums, const int32_t *restrict weight,
                     size_t outputs, const int32_t *inputs,
                     const uint32_t *indices)
{
    const int32_t *w0 = weight + indices[0] * outputs;
    const int32_t *w1 = weight + indices[1] * outputs;
    const int32_t *w2 = weight + indices[2] * outputs;
    const int32_t *w3 = weight + indices[3] * outputs;
    int64_t a0 = inputs[indices[0]];
    int64_t a1 = inputs[indices[1]];
    int64_t a2 = inputs[indices[2]];
    int64_t a3 = inputs[indices[3]];
    for (size_t j = 0; j < outputs; j++) {
        sums[j] += a0 * w0[j] + a1 * w1[j] + a2 * w2[j] + a3 * w3[j];
    }
}

static void add_one(int64_t *restrict sums, const int32_t *restrict weight,
                    size_t outputs, int64_t input)
{
    for (size_t j = 0; j < outputs; j++) {
        sums[j] += input * weight[j];
    }
}

/* By how many bits the inputs must go right for the sums to stay in int64.
 * The bias counts as an input of one, 2^16. */
static unsigned guard_shift(const struct layer *layer, const int32_t *inputs)
{
    uint64_t largest = UINT64_C(1) << INPUT_BITS;
    for (size_t i = 0; i < layer->inputs; i++) {
        uint64_t magnitude = fixed_magnitude(inputs[i]);
        largest = magnitude > largest ? magnitude : largest;
    }
    unsigned bits = fixed_bit_count(largest) + layer->weight_bits;
    return bits > SUM_BITS_MAX ? bits - SUM_BITS_MAX : 0;
}

static size_t gather(struct evaluator *n, const struct layer *layer,
                     unsigned shift)
{
    size_t count = 0;
    for (size_t i = 0; i < layer->inputs; i++) {
        if (shift > 0) {
            n->inputs[i] = (int32_t)fixed_shift_right(n->inputs[i], shift);
        }
        n->occupied[count] = (uint32_t)i;
        count += n->inputs[i] != 0 ? 1 : 0;
    }
    return count;
}

/* Sums of one layer in Q.40, from and to the evaluator's memory. */
static void layer_forward(struct evaluator *n, const struct layer *layer)
{
    size_t outputs = layer->outputs;
    unsigned shift = guard_shift(layer, n->inputs);
    for (size_t j = 0; j < outputs; j++) {
        n->sums[j] = fixed_shift_right(
            (int64_t)layer->bias[j] * (1 << INPUT_BITS), shift);
    }
    size_t count = gather(n, layer, shift);
    size_t k = 0;
    for (; k + LANES <= count; k += LANES) {
        add_four(n->sums, layer->weight, outputs, n->inputs, n->occupied + k);
    }
    for (; k < count; k++) {
        size_t i = n->occupied[k];
        add_one(n->sums, layer->weight + i * outputs, outputs, n->inputs[i]);
    }
    for (size_t j = 0; j < outputs && shift > 0; j++) {
        n->sums[j] = fixed_shift_left(n->sums[j], shift);
    }
}

const int64_t *evaluator_forward(struct evaluator *evaluator,
                                 const int32_t *features)
{
    const struct layer *layers = evaluator->layers;
    for (size_t i = 0; i < layers[0].inputs; i++) {
        evaluator->inputs[i] =
            (int32_t)fixed_shift_right(features[i], FIXED_BITS - INPUT_BITS);
    }
    for (size_t l = 0; l < evaluator->layer_count; l++) {
        layer_forward(evaluator, &layers[l]);
        if (l + 1 == evaluator->layer_count) {
            break;
        }
        for (size_t j = 0; j < layers[l].outputs; j++) {
            int64_t x =
                fixed_shift_right(evaluator->sums[j], SUM_BITS - FIXED_BITS);
            evaluator->inputs[j] = fixed_saturate(fixed_shift_right(
                evaluator->activation->apply(x), FIXED_BITS - INPUT_BITS));
        }
    }
    return evaluator->sums;
}

/* ---- a test set */

static size_t largest_of(const int64_t *outputs, size_t count)
{
    size_t best = 0;
    for (size_t j = 1; j < count; j++) {
        best = outputs[j] > outputs[best] ? j : best;
    }
    return best;
}

/* ln(sum of e^z) - z(label), with the largest z taken out first. */
static int64_t cross_entropy(const int64_t *outputs, size_t count, size_t label)
{
    const unsigned bits = SUM_BITS - FIXED_BITS;
    int64_t top = fixed_shift_right(outputs[largest_of(outputs, count)], bits);
    uint64_t sum = 0;
    for (size_t j = 0; j < count; j++) {
        sum += fixed_exp(fixed_shift_right(outputs[j], bits) - top);
    }
    int64_t own = fixed_shift_right(outputs[label], bits);
    return fixed_log(sum, FIXED_UNIT_BITS) + (top - own);
}

/* The mean of the squares over the outputs; a class is its one-hot vector.
 * Differences are Q15.16, clamped. */
static int64_t squared_error(const int64_t *outputs, size_t count,
                             const struct dataset *test, uint64_t row)
{
    int64_t sum = 0;
    for (size_t j = 0; j < count; j++) {
        int64_t target = 0;
        if (test->classes == 0) {
            target = dataset_target(test, row);
        } else if (dataset_class(test, row) == j) {
            target = FIXED_ONE;
        }
        int64_t z = fixed_shift_right(outputs[j], SUM_BITS - FIXED_BITS);
        int64_t d = fixed_saturate(
            fixed_shift_right(z - target, FIXED_BITS - INPUT_BITS));
        sum = fixed_add(sum,
                        fixed_shift_right(d * d, 2 * INPUT_BITS - FIXED_BITS));
    }
    return fixed_divide(sum, (int64_t)count);
}

enum pot_err evaluate(struct evaluation *out, const struct model_shape *shape,
                      const Pot__ModelSpec *model, const int32_t *theta,
                      const struct dataset *test)
{
    if (model_fits(shape, model->loss, test->features, test->classes) !=
        MODEL_FITS) {
        return POT_ESHAPE;
    }
    struct evaluator *evaluator = evaluator_new(shape, model, theta);
    int32_t *features = pot_calloc(test->features, sizeof(*features));
    size_t outputs = shape->widths[shape->width_count - 1];
    bool is_mse = model->loss == POT__LOSS__LOSS_MSE;
    struct evaluation e = {.rows = test->rows};
    int64_t loss = 0;
    for (uint64_t row = 0; row < test->rows; row++) {
        dataset_row(features, test, row);
        const int64_t *z = evaluator_forward(evaluator, features);
        if (test->classes > 0 &&
            largest_of(z, outputs) == dataset_class(test, row)) {
            e.correct++;
        }
        loss = fixed_add(
            loss, is_mse ? squared_error(z, outputs, test, row)
                         : cross_entropy(z, outputs, dataset_class(test, row)));
    }
    e.loss = fixed_divide(loss, (int64_t)test->rows);
    free(features);
    evaluator_free(evaluator);
    *out = e;
    return POT_OK;
}
