/* Rows are taken BLOCK at a time.  Inputs that are zero are left out; the rest
 * of a row is cut into runs of RUN inputs, so that a run's weights in a panel
 * stay in the cache while the block's rows pass by them.  All of it is exact:
 * neither the order nor the vector width can show. */
#include "config.h"

#include "ledger/evaluate.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "ledger/activation.h"
#include "ledger/row_sums.h"

#include <stdlib.h>
#include <string.h>

#define INPUT_BITS   16 /* of activations */
#define SUM_BITS     (INPUT_BITS + FIXED_BITS)
#define SUM_BITS_MAX 62 /* of a sum's magnitude */
#define COLUMNS      ROW_SUMS_COLUMNS
#define BLOCK        EVALUATOR_ROWS_MAX
#define RUN          ((size_t)96)
#define CACHE_LINE   64

struct layer {
    size_t inputs;
    size_t outputs;
    size_t panels;
    size_t weights_at;
    const int32_t
        *weights;         /* (panels, inputs, COLUMNS), zeros behind the last */
    const int32_t *bias;  /* (outputs), in evaluator.biases */
    unsigned weight_bits; /* of the largest sum of magnitudes of an output */
};

struct evaluator {
    struct layer layers[LAYERS_MAX];
    size_t layer_count;
    const struct activation *activation;
    row_sums_fn *add;
    void *memory; /* of all weights */
    int32_t *biases;
    size_t widest;
    int32_t *inputs;            /* (BLOCK, widest) */
    int64_t *sums;              /* (BLOCK, widest) */
    struct row_input *occupied; /* (BLOCK, widest): a row's, not zero */
    size_t *run_ends;           /* (BLOCK, runs of widest), into a row's */
    unsigned shifts[BLOCK];
};

/* ---- making it ready */

/* Lays a weight out in panels; returns the bits of its largest row sum, bias
 * included. */
static unsigned lay_out(int32_t *panels, const struct layer *layer,
                        const int32_t *weight)
{
    uint64_t largest = 0;
    for (size_t j = 0; j < layer->outputs; j++) {
        uint64_t sum = fixed_magnitude(layer->bias[j]);
        int32_t *out = panels + j / COLUMNS * layer->inputs * COLUMNS +
                       row_sums_place(j % COLUMNS);
        for (size_t i = 0; i < layer->inputs; i++) {
            int32_t w = weight[j * layer->inputs + i];
            out[i * COLUMNS] = w;
            sum += fixed_magnitude(w);
        }
        largest = sum > largest ? sum : largest;
    }
    return fixed_bit_count(largest);
}

static size_t runs_of(size_t inputs)
{
    return (inputs + RUN - 1) / RUN;
}

/* Says where each layer's part of the weights begins; returns their number. */
static size_t place_layers(struct evaluator *n, const struct model_shape *shape)
{
    size_t count = 0;
    n->layer_count = shape->layer_count;
    n->widest = shape->widths[0];
    for (size_t l = 0; l < shape->layer_count; l++) {
        struct layer *layer = &n->layers[l];
        layer->inputs = shape->widths[l];
        layer->outputs = shape->widths[l + 1];
        layer->panels = (layer->outputs + COLUMNS - 1) / COLUMNS;
        layer->weights_at = count;
        count += layer->panels * layer->inputs * COLUMNS;
        n->widest = layer->outputs > n->widest ? layer->outputs : n->widest;
    }
    return count;
}

/* Panels begin on a cache line: vectors that lie in two take twice as long. */
static void take_weights(struct evaluator *n, const struct model_shape *shape,
                         const int32_t *theta, size_t count)
{
    n->memory = pot_calloc(count + CACHE_LINE, sizeof(int32_t));
    size_t unaligned = (uintptr_t)n->memory % CACHE_LINE;
    int32_t *weights =
        (int32_t *)(void *)((char *)n->memory + CACHE_LINE - unaligned);
    for (size_t l = 0; l < n->layer_count; l++) {
        struct layer *layer = &n->layers[l];
        const int32_t *bias = theta + shape->tensors[2 * l + 1].offset;
        int32_t *panels = weights + layer->weights_at;
        layer->bias = n->biases + l * n->widest;
        memcpy(n->biases + l * n->widest, bias, layer->outputs * sizeof(*bias));
        layer->weight_bits =
            lay_out(panels, layer, theta + shape->tensors[2 * l].offset);
        layer->weights = panels;
    }
}

struct evaluator *evaluator_new(const struct model_shape *shape,
                                const Pot__ModelSpec *model,
                                const int32_t *theta)
{
    struct evaluator *n = pot_calloc(1, sizeof(*n));
    row_sums_fn *variants[ROW_SUMS_VARIANTS_MAX];
    (void)row_sums_variants(variants);
    n->add = variants[0];
    n->activation = activation_find(model->activation);
    size_t count = place_layers(n, shape);
    n->biases = pot_calloc(n->layer_count * n->widest, sizeof(*n->biases));
    take_weights(n, shape, theta, count);
    n->inputs = pot_calloc(BLOCK * n->widest, sizeof(*n->inputs));
    n->sums = pot_calloc(BLOCK * n->widest, sizeof(*n->sums));
    n->occupied = pot_calloc(BLOCK * n->widest, sizeof(*n->occupied));
    n->run_ends = pot_calloc(BLOCK * runs_of(n->widest), sizeof(*n->run_ends));
    return n;
}

void evaluator_free(struct evaluator *evaluator)
{
    if (evaluator != NULL) {
        free(evaluator->memory);
        free(evaluator->biases);
        free(evaluator->inputs);
        free(evaluator->sums);
        free(evaluator->occupied);
        free(evaluator->run_ends);
        free(evaluator);
    }
}

/* ---- a layer */

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

static void gather(struct evaluator *n, const struct layer *layer, size_t row)
{
    const int32_t *inputs = n->inputs + row * n->widest;
    struct row_input *occupied = n->occupied + row * n->widest;
    size_t *ends = n->run_ends + row * runs_of(n->widest);
    unsigned shift = guard_shift(layer, inputs);
    size_t count = 0;
    for (size_t first = 0; first < layer->inputs; first += RUN) {
        size_t left = layer->inputs - first;
        size_t end = first + (left < RUN ? left : RUN);
        for (size_t i = first; i < end; i++) {
            int32_t x = (int32_t)fixed_shift_right(inputs[i], shift);
            occupied[count] = (struct row_input){x, (uint32_t)i};
            count += x != 0 ? 1 : 0;
        }
        *ends++ = count;
    }
    n->shifts[row] = shift;
}

/* The sums of a panel's columns for all rows, into the evaluator's. */
static void add_panel(struct evaluator *n, const struct layer *layer,
                      size_t panel, size_t rows)
{
    _Alignas(CACHE_LINE) int64_t sums[BLOCK][COLUMNS] = {{0}};
    const int32_t *weights = layer->weights + panel * layer->inputs * COLUMNS;
    size_t runs = runs_of(layer->inputs);
    for (size_t run = 0; run < runs; run++) {
        for (size_t row = 0; row < rows; row++) {
            const size_t *ends = n->run_ends + row * runs_of(n->widest);
            size_t first = run > 0 ? ends[run - 1] : 0;
            n->add(sums[row], weights, n->occupied + row * n->widest + first,
                   ends[run] - first);
        }
    }
    size_t first = panel * COLUMNS;
    size_t count = layer->outputs - first;
    count = count < COLUMNS ? count : COLUMNS;
    for (size_t row = 0; row < rows; row++) {
        int64_t *out = n->sums + row * n->widest + first;
        unsigned shift = n->shifts[row];
        for (size_t j = 0; j < count; j++) {
            int64_t bias = (int64_t)layer->bias[first + j] * (1 << INPUT_BITS);
            int64_t sum = sums[row][j] + fixed_shift_right(bias, shift);
            out[j] = shift > 0 ? fixed_shift_left(sum, shift) : sum;
        }
    }
}

/* Sums of one layer in Q.40, from and to the evaluator's memory. */
static void layer_forward(struct evaluator *n, const struct layer *layer,
                          size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        gather(n, layer, row);
    }
    for (size_t panel = 0; panel < layer->panels; panel++) {
        add_panel(n, layer, panel, rows);
    }
}

static void activate(struct evaluator *n, const struct layer *layer, size_t row)
{
    const int64_t *sums = n->sums + row * n->widest;
    int32_t *inputs = n->inputs + row * n->widest;
    for (size_t j = 0; j < layer->outputs; j++) {
        int64_t x = fixed_shift_right(sums[j], SUM_BITS - FIXED_BITS);
        inputs[j] = fixed_saturate(fixed_shift_right(n->activation->apply(x),
                                                     FIXED_BITS - INPUT_BITS));
    }
}

void evaluator_forward(int64_t *outputs, struct evaluator *evaluator,
                       const int32_t *features, size_t rows)
{
    struct evaluator *n = evaluator;
    size_t last = n->layer_count - 1;
    POT_ASSERT(rows <= BLOCK);
    for (size_t row = 0; row < rows; row++) {
        int32_t *inputs = n->inputs + row * n->widest;
        for (size_t i = 0; i < n->layers[0].inputs; i++) {
            inputs[i] = (int32_t)fixed_shift_right(*features++,
                                                   FIXED_BITS - INPUT_BITS);
        }
    }
    for (size_t l = 0; l <= last; l++) {
        layer_forward(n, &n->layers[l], rows);
        for (size_t row = 0; l < last && row < rows; row++) {
            activate(n, &n->layers[l], row);
        }
    }
    size_t width = n->layers[last].outputs;
    for (size_t row = 0; row < rows; row++) {
        memcpy(outputs + row * width, n->sums + row * n->widest,
               width * sizeof(*outputs));
    }
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

struct judge {
    const struct dataset *test;
    size_t outputs;
    bool is_mse;
    uint64_t correct;
    int64_t loss;
};

static void judge_row(struct judge *j, const int64_t *z, uint64_t row)
{
    const struct dataset *test = j->test;
    if (test->classes > 0 &&
        largest_of(z, j->outputs) == dataset_class(test, row)) {
        j->correct++;
    }
    int64_t loss = j->is_mse
                       ? squared_error(z, j->outputs, test, row)
                       : cross_entropy(z, j->outputs, dataset_class(test, row));
    j->loss = fixed_add(j->loss, loss);
}

enum pot_err evaluate(struct evaluation *out, const struct model_shape *shape,
                      const Pot__ModelSpec *model, const int32_t *theta,
                      const struct dataset *test)
{
    if (model_fits(shape, model->loss, test->features, test->classes) !=
        MODEL_FITS) {
        return POT_ESHAPE;
    }
    struct judge j = {.test = test,
                      .outputs = shape->widths[shape->width_count - 1],
                      .is_mse = model->loss == POT__LOSS__LOSS_MSE};
    struct evaluator *evaluator = evaluator_new(shape, model, theta);
    int32_t *features =
        pot_calloc((size_t)BLOCK * test->features, sizeof(*features));
    int64_t *z = pot_calloc(BLOCK * j.outputs, sizeof(*z));
    for (uint64_t first = 0; first < test->rows; first += BLOCK) {
        uint64_t left = test->rows - first;
        size_t rows = left < BLOCK ? (size_t)left : BLOCK;
        for (size_t row = 0; row < rows; row++) {
            dataset_row(features + row * test->features, test, first + row);
        }
        evaluator_forward(z, evaluator, features, rows);
        for (size_t row = 0; row < rows; row++) {
            judge_row(&j, z + row * j.outputs, first + row);
        }
    }
    free(features);
    free(z);
    evaluator_free(evaluator);
    *out = (struct evaluation){test->rows, j.correct,
                               fixed_divide(j.loss, (int64_t)test->rows)};
    return POT_OK;
}
