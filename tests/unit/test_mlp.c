/* float32 against the naive twins in double, and the twins themselves
 * against finite differences. */
#include "config.h"

#include "training/mlp.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "proto/spec.h"
#include "tests/unit/kernel_naive.h"
#include "tests/unit/mlp_gradient.h"
#include "training/exact.h"
#include "training/kernel.h"
#include "training/quantise.h"

#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS     7
#define FEATURES 6
#define WIDEST   600

/* A net in double, made of the naive twins. */
struct oracle {
    struct model_shape shape;
    Pot__Activation activation;
    Pot__Loss loss;
    double *theta;
    double *gradient;
    double x[LAYERS_MAX][ROWS * WIDEST];
    uint32_t classes[ROWS];
    double targets[ROWS * WIDEST];
};

static uint64_t random_state;

static double next_uniform(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-52 - 1.0;
}

static double oracle_loss(struct oracle *o, double *dy)
{
    const struct model_shape *s = &o->shape;
    for (size_t l = 0; l < s->layer_count; l++) {
        kernel_naive_dense_forward(o->x[l + 1], o->x[l],
                                   o->theta + s->tensors[2 * l].offset,
                                   o->theta + s->tensors[2 * l + 1].offset,
                                   ROWS, s->widths[l], s->widths[l + 1]);
        if (l + 1 < s->layer_count) {
            kernel_naive_activate(o->x[l + 1], ROWS * s->widths[l + 1],
                                  o->activation);
        }
    }
    size_t k = s->widths[s->layer_count];
    const double *y = o->x[s->layer_count];
    return o->loss == POT__LOSS__LOSS_MSE
               ? kernel_naive_mse(dy, y, o->targets, ROWS, k)
               : kernel_naive_softmax_cross_entropy(dy, y, o->classes, ROWS, k);
}

static double oracle_backward(struct oracle *o)
{
    const struct model_shape *s = &o->shape;
    double dy[ROWS * WIDEST];
    double dx[ROWS * WIDEST];
    double loss = oracle_loss(o, dy);
    for (size_t l = s->layer_count; l-- > 0;) {
        size_t w = s->tensors[2 * l].offset;
        size_t b = s->tensors[2 * l + 1].offset;
        kernel_naive_dense_backward(dx, o->gradient + w, o->gradient + b, dy,
                                    o->x[l], o->theta + w, ROWS, s->widths[l],
                                    s->widths[l + 1]);
        if (l > 0) {
            kernel_naive_activate_backward(dx, o->x[l], ROWS * s->widths[l],
                                           o->activation);
            memcpy(dy, dx, sizeof(dy));
        }
    }
    return loss;
}

/* A data set of ROWS rows, its own bytes in *file. */
static void make_dataset(struct dataset *d, uint8_t **file, uint32_t classes,
                         enum dataset_type type)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    size_t header_size;
    size_t element = type == DATASET_U8 ? 1 : 4;
    size_t label = classes > 0 ? 2 : 4;
    uint8_t *header = dataset_header(&header_size, ROWS, FEATURES, classes,
                                     type, type == DATASET_U8 ? 255 : 1, names);
    size_t size = header_size + ROWS * FEATURES * element + ROWS * label;
    *file = pot_calloc(1, size);
    memcpy(*file, header, header_size);
    free(header);
    uint8_t *at = *file + header_size;
    for (size_t i = 0; i < ROWS * FEATURES; i++, at += element) {
        int32_t value = (int32_t)lrint(next_uniform() * FIXED_ONE);
        memcpy(at, &value, element);
    }
    for (size_t i = 0; i < ROWS; i++, at += label) {
        int32_t value = (int32_t)lrint(next_uniform() * FIXED_ONE);
        uint16_t class = (uint16_t)(i % (classes > 0 ? classes : 1));
        if (classes > 0) {
            memcpy(at, &class, label);
        } else {
            memcpy(at, &value, label);
        }
    }
    assert_int_equal(dataset_view(d, *file, size), POT_OK);
}

static void load_oracle(struct oracle *o, const struct dataset *d)
{
    size_t k = o->shape.widths[o->shape.layer_count];
    memset(o->targets, 0, sizeof(o->targets));
    for (size_t i = 0; i < ROWS; i++) {
        int32_t row[FEATURES];
        dataset_row(row, d, i);
        for (size_t c = 0; c < FEATURES; c++) {
            o->x[0][i * FEATURES + c] = (double)row[c] / FIXED_ONE;
        }
        if (d->classes > 0) {
            o->classes[i] = dataset_class(d, i);
            o->targets[i * k + o->classes[i]] = 1.0;
        } else {
            o->targets[i] = (double)dataset_target(d, i) / FIXED_ONE;
        }
    }
}

struct variant {
    uint32_t widths[5];
    size_t width_count;
    Pot__Activation activation;
    Pot__Loss loss;
    uint32_t classes;
    enum dataset_type type;
};

#define RELU    POT__ACTIVATION__ACTIVATION_RELU
#define TANH    POT__ACTIVATION__ACTIVATION_TANH
#define SIGMOID POT__ACTIVATION__ACTIVATION_SIGMOID
#define SOFTMAX POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY
#define MSE     POT__LOSS__LOSS_MSE

static const struct variant variants[] = {
    {{6, 3}, 2, RELU, SOFTMAX, 3, DATASET_U8},
    {{6, 8, 3}, 3, RELU, SOFTMAX, 3, DATASET_U8},
    {{6, 8, 3}, 3, TANH, SOFTMAX, 3, DATASET_Q24},
    {{6, 8, 5}, 3, SIGMOID, SOFTMAX, 5, DATASET_Q24},
    {{6, 9, 7, 8, 4}, 5, RELU, SOFTMAX, 4, DATASET_U8},
    {{6, 9, 7, 8, 4}, 5, TANH, MSE, 4, DATASET_U8},
    {{6, 8, 1}, 3, SIGMOID, MSE, 0, DATASET_Q24},
    {{6, 16, 1}, 3, RELU, MSE, 0, DATASET_U8},
};
#define VARIANTS (sizeof(variants) / sizeof(*variants))

struct fixture {
    struct oracle oracle;
    struct mlp *mlp;
    struct dataset dataset;
    uint8_t *file;
    int32_t *theta;
};

static void fixture_init(struct fixture *f, const struct variant *v,
                         const struct product *product)
{
    memset(f, 0, sizeof(*f));
    struct oracle *o = &f->oracle;
    assert_int_equal(model_shape_init(&o->shape, v->widths, v->width_count),
                     POT_OK);
    size_t n = o->shape.parameter_count;
    o->activation = v->activation;
    o->loss = v->loss;
    o->theta = pot_calloc(n, sizeof(*o->theta));
    o->gradient = pot_calloc(n, sizeof(*o->gradient));
    f->theta = pot_calloc(n, sizeof(*f->theta));
    for (size_t i = 0; i < n; i++) {
        /* 24 bits: exact in float and in double. */
        f->theta[i] = (int32_t)lrint(next_uniform() * (FIXED_ONE - 1));
        o->theta[i] = (double)f->theta[i] / FIXED_ONE;
    }
    make_dataset(&f->dataset, &f->file, v->classes, v->type);
    load_oracle(o, &f->dataset);
    struct mlp_config config = {o->shape, v->activation, v->loss, product,
                                ROWS + 2};
    f->mlp = mlp_new(&config);
    mlp_set_parameters(f->mlp, f->theta);
}

static void fixture_fini(struct fixture *f)
{
    mlp_free(f->mlp);
    free(f->file);
    free(f->theta);
    free(f->oracle.theta);
    free(f->oracle.gradient);
}

static void compare_one(const struct variant *v, const struct product *product,
                        double tolerance)
{
    const uint64_t rows[ROWS] = {0, 1, 2, 3, 4, 5, 6};
    struct fixture f;
    double loss;
    fixture_init(&f, v, product);
    size_t n = f.oracle.shape.parameter_count;
    float *gradient = pot_calloc(n, sizeof(*gradient));
    mlp_load(f.mlp, &f.dataset, rows, ROWS);
    mlp_gradient(gradient, n, f.mlp, &loss);
    double wanted = oracle_backward(&f.oracle);
    assert_true(fabs(loss - wanted) < tolerance * (1.0 + fabs(wanted)));
    for (size_t i = 0; i < n; i++) {
        double want = f.oracle.gradient[i];
        if (fabs((double)gradient[i] - want) > tolerance * (1 + fabs(want))) {
            fail_msg("%s, %" PRIu32 " wide, parameter %zu: %g, not %g",
                     product->name, v->widths[1], i, (double)gradient[i], want);
        }
    }
    free(gradient);
    fixture_fini(&f);
}

static void compare_with_naive(const struct product *product)
{
    random_state = 1;
    for (size_t v = 0; v < VARIANTS; v++) {
        compare_one(&variants[v], product, 2e-5);
    }
}

static void gradients_are_those_of_the_naive_twins(void **state)
{
    (void)state;
    const struct product *exact[EXACT_VARIANTS_MAX];
    size_t count = exact_variants(exact);
    compare_with_naive(&product_blas);
    for (size_t i = 0; i < count; i++) {
        compare_with_naive(exact[i]);
    }
}

/* Of more weights than a slice takes. */
static void a_wide_layer_comes_in_slices(void **state)
{
    (void)state;
    static const struct variant wide = {{6, 500, 600, 3}, 4, TANH,
                                        SOFTMAX,          3, DATASET_Q24};
    const struct product *exact[EXACT_VARIANTS_MAX];
    size_t count = exact_variants(exact);
    random_state = 5;
    compare_one(&wide, &product_blas, 1e-3);
    for (size_t i = 0; i < count; i++) {
        compare_one(&wide, exact[i], 1e-3);
    }
}

static void naive_gradients_are_finite_differences(void **state)
{
    (void)state;
    random_state = 2;
    for (size_t v = 0; v < VARIANTS; v++) {
        struct fixture f;
        double dy[ROWS * WIDEST];
        const double step = 1e-6;
        fixture_init(&f, &variants[v], &product_blas);
        (void)oracle_backward(&f.oracle);
        for (size_t i = 0; i < f.oracle.shape.parameter_count; i++) {
            double *parameter = f.oracle.theta + i;
            double kept = *parameter;
            *parameter = kept + step;
            double above = oracle_loss(&f.oracle, dy);
            *parameter = kept - step;
            double below = oracle_loss(&f.oracle, dy);
            *parameter = kept;
            double slope = (above - below) / (2 * step);
            double want = f.oracle.gradient[i];
            if (fabs(slope - want) > 1e-6 * (1.0 + fabs(want))) {
                fail_msg("variant %zu, parameter %zu: %g, not %g", v, i, want,
                         slope);
            }
        }
        fixture_fini(&f);
    }
}

static void rows_may_come_in_any_number_and_order(void **state)
{
    (void)state;
    const uint64_t one[1] = {4};
    const uint64_t twice[2] = {4, 4};
    struct fixture f;
    double loss;
    double loss_twice;
    random_state = 3;
    fixture_init(&f, &variants[1], &product_blas);
    size_t n = f.oracle.shape.parameter_count;
    float *kept = pot_calloc(n, sizeof(*kept));
    mlp_load(f.mlp, &f.dataset, one, 1);
    mlp_gradient(kept, n, f.mlp, &loss);
    mlp_load(f.mlp, &f.dataset, twice, 2);
    float *gradient = pot_calloc(n, sizeof(*gradient));
    mlp_gradient(gradient, n, f.mlp, &loss_twice);
    assert_true(fabs(loss_twice - 2 * loss) < 1e-6);
    for (size_t i = 0; i < n; i++) {
        assert_true(fabsf(gradient[i] - 2 * kept[i]) < 1e-5F);
    }
    free(gradient);
    free(kept);
    fixture_fini(&f);
}

static void model_and_data_must_fit(void **state)
{
    (void)state;
    static const struct {
        size_t variant;
        uint32_t classes;
        bool fits;
    } cases[] = {
        {1, 3, true}, {1, 4, false}, {1, 0, false},
        {6, 0, true}, {6, 2, false}, {5, 4, true},
    };
    random_state = 4;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        struct dataset d;
        uint8_t *file;
        fixture_init(&f, &variants[cases[i].variant], &product_blas);
        make_dataset(&d, &file, cases[i].classes, DATASET_U8);
        assert_int_equal(mlp_fits(f.mlp, &d), cases[i].fits);
        free(file);
        fixture_fini(&f);
    }
}

static void arena_is_bounded_before_it_is_taken(void **state)
{
    (void)state;
    struct mlp_config config = {.block_rows = SIZE_MAX / 8};
    const uint32_t widths[] = {784, 128, 10};
    assert_int_equal(model_shape_init(&config.shape, widths, 3), POT_OK);
    assert_true(mlp_arena_bytes(&config) == SIZE_MAX);
    config.block_rows = 128;
    size_t bytes = mlp_arena_bytes(&config);
    /* 512 rows go through the layers at a time: four blocks. */
    size_t least = 4 * (config.shape.parameter_count + 512 * (784 + 128 + 10) +
                        512 * 2 * 128 + PRODUCT_SCRATCH);
    assert_in_range(bytes, least, least + 4 * 512 * 4);
}

static void softmax_survives_large_outputs(void **state)
{
    (void)state;
    const float y[6] = {1000.0F, 0.0F, -1000.0F, -5e4F, 5e4F, 0.0F};
    const uint32_t classes[2] = {1, 1};
    float dy[6];
    double loss = kernel_softmax_cross_entropy(dy, y, classes, 2, 3);
    assert_true(loss > 999.0 && loss < 1001.0);
    for (size_t i = 0; i < 6; i++) {
        assert_true(isfinite(dy[i]));
    }
}

/* Outputs ever farther apart, as those of a model that is sure of itself: what
 * is too small to count is nothing before it falls below the normal numbers. */
static void sure_outputs_make_no_subnormal_numbers(void **state)
{
    (void)state;
    const uint32_t classes[1] = {0};
    for (int apart = 0; apart < 200; apart++) {
        const float y[3] = {0.0F, (float)-apart, -1.5F * (float)apart};
        float dy[3];
        assert_int_equal(feclearexcept(FE_UNDERFLOW), 0);
        (void)kernel_softmax_cross_entropy(dy, y, classes, 1, 3);
        assert_int_equal(fetestexcept(FE_UNDERFLOW), 0);
        for (size_t i = 1; i < 3; i++) {
            bool is_counted = y[i] > -27.7F; /* ln 2^-40 */
            assert_true(is_counted ? dy[i] > 0x1p-42F : dy[i] == 0.0F);
        }
    }
}

static bool to_grid(int64_t *sums, const float *values, size_t count,
                    bool is_first)
{
    struct product_piece piece = kernel_row(values, 0, count, is_first);
    return kernel_to_grid(sums, &piece);
}

static void grid_takes_every_finite_float(void **state)
{
    (void)state;
    static const struct {
        float value;
        int64_t wanted;
    } cases[] = {
        {0.0F, 0},
        {1.0F, INT64_C(1) << 40},
        {-1.0F, -(INT64_C(1) << 40)},
        {0x1p-40F, 1},
        {0x1.8p-40F, 2},
        {-0x1.8p-40F, -2},
        {0x1p-42F, 0},
        {127.5F, INT64_C(255) << 39},
        {128.0F, INT64_C(1) << 47},
        {-4096.0F, -(INT64_C(1) << 52)},
        {3.0e38F, GRID_MAX},
        {-3.0e38F, -GRID_MAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t sums[2] = {5, 5};
        float values[2] = {cases[i].value, 0.0F};
        assert_true(to_grid(sums, values, 2, true));
        assert_true(sums[0] == cases[i].wanted && sums[1] == 0);
        assert_true(to_grid(sums, values, 2, false));
        int64_t twice = cases[i].wanted;
        quantise_add(&twice, &cases[i].wanted, 1);
        assert_true(sums[0] == twice);
    }
}

/* Large neighbours send a value the slow way: it comes out the same. */
static void grid_does_not_depend_on_the_company(void **state)
{
    (void)state;
    const size_t count = 20001;
    const size_t small = count / 3;
    float *values = pot_calloc(count, sizeof(*values));
    int64_t *sums = pot_calloc(count, sizeof(*sums));
    random_state = 5;
    for (size_t i = 0; i < count; i++) {
        /* At most 2^7 in the first third, 2^11 and 2^23 in the others. */
        int exponent = i < small ? 7 : i < 2 * small ? 11 : 23;
        values[i] = (float)ldexp(next_uniform(), exponent);
        sums[i] = i % 5 == 0 ? GRID_MAX - 1 : (int64_t)i;
    }
    assert_true(to_grid(sums, values, small, false));
    assert_true(to_grid(sums + small, values + small, count - small, false));
    for (size_t i = 0; i < count; i++) {
        int64_t wanted = i % 5 == 0 ? GRID_MAX - 1 : (int64_t)i;
        double scaled = rint((double)values[i] * 0x1p40);
        double most = (double)GRID_MAX;
        int64_t part = scaled >= most    ? GRID_MAX
                       : scaled <= -most ? -GRID_MAX
                                         : (int64_t)scaled;
        quantise_add(&wanted, &part, 1);
        assert_true(sums[i] == wanted);
    }
    values[count - 1] = NAN;
    assert_false(to_grid(sums, values, count, false));
    free(values);
    free(sums);
}

static void grid_refuses_what_is_no_number(void **state)
{
    (void)state;
    int64_t sums[3];
    const float with_nan[3] = {1.0F, NAN, 1.0F};
    const float with_infinity[3] = {1.0F, 1.0F, -INFINITY};
    assert_false(to_grid(sums, with_nan, 3, true));
    assert_false(to_grid(sums, with_infinity, 3, false));
}

/* Whatever of the processor it uses. */
static void steps_are_one_fused_multiply_add_each(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    float values[COUNT];
    float gradient[COUNT];
    float wanted[COUNT];
    unsigned unfused = 0;
    const float rate = 0.1F;
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = 1.0F / (float)(i + 3);
        gradient[i] = 1.0F / (float)(2 * i + 7);
        wanted[i] = fmaf(-rate, gradient[i], values[i]);
        unfused += wanted[i] != values[i] - rate * gradient[i] ? 1 : 0;
    }
    kernel_step(values, gradient, COUNT, rate);
    assert_memory_equal(values, wanted, sizeof(values));
    assert_true(unfused > 10);
}

static void bytes_become_the_values_of_the_data_set(void **state)
{
    static const uint32_t sure[] = {2, 16, 128, 255, 256, 1000};
    int32_t values[256];
    uint8_t bytes[256];
    float floats[256];
    struct kernel_bytes of;
    (void)state;
    for (uint32_t i = 0; i < 6 + 2000; i++) {
        uint32_t divisor = i < 6 ? sure[i] : i - 5;
        for (int64_t byte = 0; byte < 256; byte++) {
            bytes[byte] = (uint8_t)byte;
            values[byte] =
                fixed_saturate(fixed_divide(byte << FIXED_BITS, divisor));
        }
        bool is_computed = kernel_bytes_init(&of, values, divisor);
        assert_true(is_computed || i >= 6);
        kernel_from_bytes(floats, of, bytes, 256);
        for (size_t j = 0; is_computed && j < 256; j++) {
            assert_true(floats[j] == (float)values[j] * 0x1p-24F);
        }
        values[200] ^= 1;
        assert_false(kernel_bytes_init(&of, values, divisor) &&
                     values[200] < 1 << FIXED_BITS);
    }
}

static void activations_keep_what_is_no_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < spec_activations.count; i++) {
        float y[1] = {NAN};
        kernel_activate(y, 1, (Pot__Activation)spec_activations.all[i].value);
        assert_true(isnan(y[0]));
    }
}

static void every_activation_of_a_task_is_there_and_tried(void **state)
{
    (void)state;
    for (size_t i = 0; i < spec_activations.count; i++) {
        const struct spec_choice *choice = &spec_activations.all[i];
        bool is_tried = false;
        for (size_t v = 0; v < VARIANTS; v++) {
            is_tried |= variants[v].activation == choice->value;
        }
        if (kernel_has_activation(choice->value) != choice->is_taken) {
            fail_msg("%s: training/kernel.c or proto/spec.c", choice->name);
        }
        if (kernel_naive_has_activation(choice->value) != choice->is_taken) {
            fail_msg("%s: tests/unit/kernel_naive.c", choice->name);
        }
        if (!is_tried) {
            fail_msg("%s: no variant has it", choice->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation_of_a_task_is_there_and_tried),
        cmocka_unit_test(gradients_are_those_of_the_naive_twins),
        cmocka_unit_test(a_wide_layer_comes_in_slices),
        cmocka_unit_test(naive_gradients_are_finite_differences),
        cmocka_unit_test(rows_may_come_in_any_number_and_order),
        cmocka_unit_test(model_and_data_must_fit),
        cmocka_unit_test(arena_is_bounded_before_it_is_taken),
        cmocka_unit_test(softmax_survives_large_outputs),
        cmocka_unit_test(sure_outputs_make_no_subnormal_numbers),
        cmocka_unit_test(grid_takes_every_finite_float),
        cmocka_unit_test(grid_does_not_depend_on_the_company),
        cmocka_unit_test(grid_refuses_what_is_no_number),
        cmocka_unit_test(steps_are_one_fused_multiply_add_each),
        cmocka_unit_test(bytes_become_the_values_of_the_data_set),
        cmocka_unit_test(activations_keep_what_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
