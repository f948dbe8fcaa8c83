/* Against a naive forward pass: in double precision for what it means, in
 * plain integer loops for its bits. */
#include "config.h"

#include "ledger/evaluate.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "ledger/activation.h"
#include "ledger/parameters.h"
#include "ledger/row_sums.h"
#include "proto/spec.h"
#include "tests/unit/kernel_naive.h"
#include "tests/unit/ledger_random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDEST 64

struct fixture {
    uint32_t layers[4];
    Pot__ModelSpec model;
    struct model_shape shape;
    int32_t *theta;
};

static void open_fixture(struct fixture *f, Pot__Activation activation,
                         uint64_t seed)
{
    *f = (struct fixture){.layers = {20, 40, 30, 10}};
    pot__model_spec__init(&f->model);
    f->model.n_layers = 4;
    f->model.layers = f->layers;
    f->model.activation = activation;
    f->model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    f->model.seed = seed;
    assert_int_equal(model_shape_from_spec(&f->shape, &f->model), POT_OK);
    f->theta = parameters_start(&f->shape, &f->model);
}

static double activate(Pot__Activation kind, double x)
{
    kernel_naive_activate(&x, 1, kind);
    return x;
}

static void forward_naive(double *out, const struct fixture *f,
                          const int32_t *features)
{
    double a[WIDEST];
    for (size_t i = 0; i < f->shape.widths[0]; i++) {
        a[i] = (double)features[i] / FIXED_ONE;
    }
    for (size_t l = 0; l < f->shape.layer_count; l++) {
        const int32_t *w = f->theta + f->shape.tensors[2 * l].offset;
        const int32_t *b = f->theta + f->shape.tensors[2 * l + 1].offset;
        double z[WIDEST];
        size_t inputs = f->shape.widths[l];
        for (size_t j = 0; j < f->shape.widths[l + 1]; j++) {
            z[j] = (double)b[j] / FIXED_ONE;
            for (size_t i = 0; i < inputs; i++) {
                z[j] += (double)w[j * inputs + i] / FIXED_ONE * a[i];
            }
        }
        bool is_last = l + 1 == f->shape.layer_count;
        for (size_t j = 0; j < f->shape.widths[l + 1]; j++) {
            a[j] = is_last ? z[j] : activate(f->model.activation, z[j]);
        }
    }
    memcpy(out, a, f->shape.widths[f->shape.layer_count] * sizeof(*out));
}

static size_t argmax(const double *z, size_t count)
{
    size_t best = 0;
    for (size_t j = 1; j < count; j++) {
        best = z[j] > z[best] ? j : best;
    }
    return best;
}

/* Random rows with what the naive pass says of them as labels. */
static uint8_t *make_rows(struct dataset *out, const struct fixture *f,
                          size_t rows, double *loss_mean)
{
    static const char *const names[] = {"0", "1", "2", "3", "4",
                                        "5", "6", "7", "8", "9"};
    struct ledger_random r = {f->model.seed};
    size_t header_size;
    uint8_t *header =
        dataset_header(&header_size, rows, 20, 10, DATASET_Q24, 1, names);
    size_t size = header_size + rows * (20 * 4 + 2);
    uint8_t *data = pot_calloc(size, 1);
    memcpy(data, header, header_size);
    free(header);
    uint8_t *labels = data + header_size + rows * 20 * 4;
    double loss = 0;
    for (size_t row = 0; row < rows; row++) {
        int32_t x[20];
        double z[WIDEST];
        for (size_t i = 0; i < 20; i++) {
            x[i] = (int32_t)ledger_random_between(&r, -2 * FIXED_ONE,
                                                  2 * FIXED_ONE);
            x[i] = ledger_random_below(&r, 3) == 0 ? 0 : x[i];
        }
        uint8_t *bytes = parameters_encode(x, 20);
        memcpy(data + header_size + row * 80, bytes, 80);
        free(bytes);
        forward_naive(z, f, x);
        size_t best = argmax(z, 10);
        labels[2 * row] = (uint8_t)best;
        double sum = 0;
        for (size_t j = 0; j < 10; j++) {
            sum += exp(z[j] - z[best]);
        }
        loss += log(sum);
    }
    *loss_mean = loss / (double)rows;
    assert_int_equal(dataset_view(out, data, size), POT_OK);
    return data;
}

static void classes_and_losses_are_those_of_a_double_forward(void **state)
{
    (void)state;
    size_t rows = 4000;
    for (size_t k = 0; k < spec_activations.count; k++) {
        Pot__Activation kind = (Pot__Activation)spec_activations.all[k].value;
        struct fixture f;
        struct dataset test;
        struct evaluation e;
        double loss;
        open_fixture(&f, kind, (uint64_t)kind);
        uint8_t *data = make_rows(&test, &f, rows, &loss);
        assert_int_equal(evaluate(&e, &f.shape, &f.model, f.theta, &test),
                         POT_OK);
        assert_int_equal(e.rows, rows);
        assert_true(e.correct * 1000 >= rows * 999);
        assert_true(fabs((double)e.loss / FIXED_ONE - loss) < 1e-4);
        free(data);
        free(f.theta);
    }
}

static void the_activations_are_those_that_a_task_may_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < spec_activations.count; i++) {
        const struct spec_choice *choice = &spec_activations.all[i];
        if (activation_is_known(choice->value) != choice->is_taken) {
            fail_msg("%s: ledger/activation.c or proto/spec.c", choice->name);
        }
        if (kernel_naive_has_activation(choice->value) != choice->is_taken) {
            fail_msg("%s: tests/unit/kernel_naive.c", choice->name);
        }
    }
}

static void every_sum_is_exact(void **state)
{
    (void)state;
    struct ledger_random r = {9};
    static uint32_t layers[] = {50, 7};
    Pot__ModelSpec model = POT__MODEL_SPEC__INIT;
    struct model_shape shape;
    model.n_layers = 2;
    model.layers = layers;
    model.activation = POT__ACTIVATION__ACTIVATION_RELU;
    assert_int_equal(model_shape_from_spec(&shape, &model), POT_OK);
    int32_t theta[50 * 7 + 7];
    for (size_t i = 0; i < 357; i++) {
        theta[i] = (int32_t)ledger_random_between(&r, -FIXED_ONE, FIXED_ONE);
    }
    struct evaluator *evaluator = evaluator_new(&shape, &model, theta);
    for (size_t round = 0; round < 200; round++) {
        int32_t x[50];
        for (size_t i = 0; i < 50; i++) {
            x[i] = (int32_t)ledger_random_between(&r, -3, 3) * 100003;
        }
        int64_t z[7];
        evaluator_forward(z, evaluator, x, 1);
        for (size_t j = 0; j < 7; j++) {
            int64_t sum = (int64_t)theta[350 + j] * 65536;
            for (size_t i = 0; i < 50; i++) {
                sum += theta[j * 50 + i] * fixed_shift_right(x[i], 8);
            }
            assert_int_equal(z[j], sum);
        }
    }
    evaluator_free(evaluator);
}

/* ---- the bits, by loops that leave nothing out and take one row at a time */

#define BITS_LAYERS 3
static const uint32_t bits_widths[BITS_LAYERS + 1] = {300, 131, 70, 10};

static unsigned plain_shift(const int32_t *w, const int32_t *b,
                            const int32_t *x, size_t inputs, size_t outputs)
{
    uint64_t heaviest = 0;
    uint64_t largest = 65536;
    for (size_t j = 0; j < outputs; j++) {
        uint64_t sum = fixed_magnitude(b[j]);
        for (size_t i = 0; i < inputs; i++) {
            sum += fixed_magnitude(w[j * inputs + i]);
        }
        heaviest = sum > heaviest ? sum : heaviest;
    }
    for (size_t i = 0; i < inputs; i++) {
        uint64_t size = fixed_magnitude(x[i]);
        largest = size > largest ? size : largest;
    }
    unsigned bits = fixed_bit_count(heaviest) + fixed_bit_count(largest);
    return bits > 62 ? bits - 62 : 0;
}

/* Returns whether a sum had to be guarded. */
static bool plain_forward(int64_t *z, const struct model_shape *shape,
                          Pot__Activation kind, const int32_t *theta,
                          const int32_t *features)
{
    const struct activation *activation = activation_find(kind);
    bool is_guarded = false;
    int32_t x[300];
    for (size_t i = 0; i < bits_widths[0]; i++) {
        x[i] = (int32_t)fixed_shift_right(features[i], 8);
    }
    for (size_t l = 0; l < BITS_LAYERS; l++) {
        const int32_t *w = theta + shape->tensors[2 * l].offset;
        const int32_t *b = theta + shape->tensors[2 * l + 1].offset;
        size_t inputs = bits_widths[l];
        size_t outputs = bits_widths[l + 1];
        unsigned shift = plain_shift(w, b, x, inputs, outputs);
        is_guarded = is_guarded || shift > 0;
        for (size_t j = 0; j < outputs; j++) {
            z[j] = fixed_shift_right((int64_t)b[j] * 65536, shift);
            for (size_t i = 0; i < inputs; i++) {
                z[j] += w[j * inputs + i] * fixed_shift_right(x[i], shift);
            }
            z[j] = fixed_shift_left(z[j], shift);
        }
        for (size_t j = 0; j < outputs; j++) {
            int64_t y = activation->apply(fixed_shift_right(z[j], 16));
            x[j] = fixed_saturate(fixed_shift_right(y, 8));
        }
    }
    return is_guarded;
}

/* Of all sizes: most weights are small, some models have some of any size. */
static int32_t *any_theta(struct ledger_random *r, size_t count, bool is_wild)
{
    int32_t *theta = pot_calloc(count, sizeof(*theta));
    for (size_t i = 0; i < count; i++) {
        bool is_large = is_wild && ledger_random_below(r, 50) == 0;
        int64_t bound = is_large ? INT32_MAX : FIXED_ONE / 4;
        theta[i] = (int32_t)ledger_random_between(r, -bound - 1, bound);
    }
    return theta;
}

static void any_features(struct ledger_random *r, int32_t *x, size_t count)
{
    int64_t zeros = (int64_t)ledger_random_below(r, 101);
    int64_t bound = ledger_random_below(r, 8) == 0 ? INT32_MAX : FIXED_ONE;
    for (size_t i = 0; i < count; i++) {
        x[i] = (int64_t)ledger_random_below(r, 100) < zeros
                   ? 0
                   : (int32_t)ledger_random_between(r, -bound - 1, bound);
    }
}

static void rows_come_to_the_bits_of_plain_loops(void **state)
{
    (void)state;
    struct ledger_random r = {21};
    size_t guarded = 0;
    size_t tried = 0;
    for (size_t round = 0; round < 12; round++) {
        Pot__ModelSpec model = POT__MODEL_SPEC__INIT;
        uint32_t widths[BITS_LAYERS + 1];
        struct model_shape shape;
        memcpy(widths, bits_widths, sizeof(widths));
        model.n_layers = BITS_LAYERS + 1;
        model.layers = widths;
        model.activation = (Pot__Activation)spec_activations
                               .all[round % spec_activations.count]
                               .value;
        assert_int_equal(model_shape_from_spec(&shape, &model), POT_OK);
        int32_t *theta = any_theta(&r, shape.parameter_count, round % 2 == 1);
        struct evaluator *evaluator = evaluator_new(&shape, &model, theta);
        static int32_t x[EVALUATOR_ROWS_MAX * 300];
        static int64_t z[EVALUATOR_ROWS_MAX * 10];
        size_t rows = 1 + (size_t)ledger_random_below(&r, EVALUATOR_ROWS_MAX);
        for (size_t row = 0; row < rows; row++) {
            any_features(&r, x + row * 300, 300);
        }
        evaluator_forward(z, evaluator, x, rows);
        for (size_t row = 0; row < rows; row++) {
            int64_t plain[131];
            guarded += plain_forward(plain, &shape, model.activation, theta,
                                     x + row * 300);
            tried++;
            assert_memory_equal(z + row * 10, plain, 10 * sizeof(*plain));
        }
        evaluator_free(evaluator);
        free(theta);
    }
    assert_in_range(guarded, tried / 8, tried - tried / 8);
}

static void every_variant_adds_the_same(void **state)
{
    (void)state;
    struct ledger_random r = {22};
    row_sums_fn *variants[ROW_SUMS_VARIANTS_MAX];
    size_t count = row_sums_variants(variants);
    static int32_t panel[100 * ROW_SUMS_COLUMNS];
    struct row_input inputs[100];
    assert_in_range(count, 1, ROW_SUMS_VARIANTS_MAX);
    for (size_t i = 0; i < 100 * (size_t)ROW_SUMS_COLUMNS; i++) {
        panel[i] = (int32_t)ledger_random_between(&r, INT32_MIN, INT32_MAX);
    }
    for (size_t round = 0; round < 200; round++) {
        size_t size = (size_t)ledger_random_below(&r, 101);
        int64_t before[ROW_SUMS_COLUMNS];
        for (size_t j = 0; j < ROW_SUMS_COLUMNS; j++) {
            before[j] = ledger_random_between(&r, INT32_MIN, INT32_MAX);
        }
        for (size_t k = 0; k < size; k++) {
            inputs[k].index = (uint32_t)ledger_random_below(&r, 100);
            inputs[k].value = (int32_t)ledger_random_between(
                &r, INT32_MIN / 128, INT32_MAX / 128);
        }
        for (size_t v = 0; v < count; v++) {
            int64_t sums[ROW_SUMS_COLUMNS];
            memcpy(sums, before, sizeof(sums));
            variants[v](sums, panel, inputs, size);
            for (size_t j = 0; j < ROW_SUMS_COLUMNS; j++) {
                int64_t sum = before[j];
                for (size_t k = 0; k < size; k++) {
                    const int32_t *w =
                        panel + inputs[k].index * (size_t)ROW_SUMS_COLUMNS;
                    sum += (int64_t)inputs[k].value * w[row_sums_place(j)];
                }
                assert_int_equal(sums[j], sum);
            }
        }
    }
}

static void absurd_weights_are_clamped_and_keep_their_sign(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, POT__ACTIVATION__ACTIVATION_RELU, 3);
    size_t last = f.shape.tensors[4].offset;
    for (size_t i = 0; i < f.shape.parameter_count; i++) {
        f.theta[i] = INT32_MAX;
    }
    for (size_t i = 0; i < 30; i++) {
        f.theta[last + 30 * 4 + i] = INT32_MIN;
    }
    int32_t x[20];
    for (size_t i = 0; i < 20; i++) {
        x[i] = INT32_MAX;
    }
    struct evaluator *evaluator = evaluator_new(&f.shape, &f.model, f.theta);
    int64_t z[10];
    evaluator_forward(z, evaluator, x, 1);
    for (size_t j = 0; j < 10; j++) {
        assert_true(j == 4 ? z[j] < 0 : z[j] > 0);
        assert_true(j == 4 || z[j] >= INT64_C(1) << 62);
    }
    evaluator_free(evaluator);
    free(f.theta);
}

static void regression_is_judged_by_its_squared_error(void **state)
{
    (void)state;
    static uint32_t layers[] = {1, 1};
    const int32_t theta[] = {2 * FIXED_ONE, FIXED_ONE}; /* 2x + 1 */
    struct model_shape shape;
    struct dataset test;
    struct evaluation e;
    Pot__ModelSpec model = POT__MODEL_SPEC__INIT;
    model.n_layers = 2;
    model.layers = layers;
    model.activation = POT__ACTIVATION__ACTIVATION_TANH;
    model.loss = POT__LOSS__LOSS_MSE;
    assert_int_equal(model_shape_from_spec(&shape, &model), POT_OK);
    size_t header_size;
    uint8_t *data = dataset_header(&header_size, 2, 1, 0, DATASET_Q24, 1, NULL);
    const int32_t values[] = {FIXED_ONE, -FIXED_ONE, 4 * FIXED_ONE, 0};
    uint8_t *bytes = parameters_encode(values, 4);
    data = pot_realloc(data, header_size + 16, 1);
    memcpy(data + header_size, bytes, 16);
    assert_int_equal(dataset_view(&test, data, header_size + 16), POT_OK);
    assert_int_equal(evaluate(&e, &shape, &model, theta, &test), POT_OK);
    assert_int_equal(e.rows, 2);
    assert_int_equal(e.correct, 0);
    assert_int_equal(e.loss, FIXED_ONE); /* (3-4)^2 and (-1-0)^2 */
    model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    assert_int_equal(evaluate(&e, &shape, &model, theta, &test), POT_ESHAPE);
    free(bytes);
    free(data);
}

static void equal_outputs_go_to_the_lowest_class(void **state)
{
    (void)state;
    struct fixture f;
    struct dataset test;
    struct evaluation e;
    double loss;
    open_fixture(&f, POT__ACTIVATION__ACTIVATION_RELU, 5);
    uint8_t *data = make_rows(&test, &f, 100, &loss);
    size_t zeros = 0;
    for (uint64_t row = 0; row < 100; row++) {
        zeros += dataset_class(&test, row) == 0;
    }
    memset(f.theta, 0, 4 * f.shape.parameter_count);
    assert_int_equal(evaluate(&e, &f.shape, &f.model, f.theta, &test), POT_OK);
    assert_int_equal(e.correct, zeros);
    assert_true(fabs((double)e.loss / FIXED_ONE - log(10)) < 1e-6);
    free(data);
    free(f.theta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_activations_are_those_that_a_task_may_name),
        cmocka_unit_test(classes_and_losses_are_those_of_a_double_forward),
        cmocka_unit_test(every_sum_is_exact),
        cmocka_unit_test(rows_come_to_the_bits_of_plain_loops),
        cmocka_unit_test(every_variant_adds_the_same),
        cmocka_unit_test(absurd_weights_are_clamped_and_keep_their_sign),
        cmocka_unit_test(regression_is_judged_by_its_squared_error),
        cmocka_unit_test(equal_outputs_go_to_the_lowest_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
