/* Sums of blocks, and local steps, beside the same by hand. */
#include "config.h"

#include "training/mlp.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "tests/byte_dataset.h"
#include "tests/rng.h"
#include "tests/scratch.h"
#include "tests/unit/mlp_gradient.h"
#include "training/exact.h"
#include "training/kernel.h"
#include "training/quantise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA_ROWS 60
#define FEATURES  20
#define CLASSES   5
#define ROWS_MAX  1200

struct fixture {
    char *folder;
    char *file;
    struct dataset data;
};

struct net {
    uint32_t widths[4];
    size_t width_count;
    Pot__Activation activation;
    Pot__Loss loss;
};

#define SOFTMAX POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY
#define MSE     POT__LOSS__LOSS_MSE

/* Widths that no vector divides. */
static const struct net nets[] = {
    {{FEATURES, CLASSES}, 2, POT__ACTIVATION__ACTIVATION_RELU, SOFTMAX},
    {{FEATURES, 33, CLASSES}, 3, POT__ACTIVATION__ACTIVATION_RELU, SOFTMAX},
    {{FEATURES, 33, 17, CLASSES}, 4, POT__ACTIVATION__ACTIVATION_TANH, SOFTMAX},
    {{FEATURES, 19, CLASSES}, 3, POT__ACTIVATION__ACTIVATION_SIGMOID, MSE},
};
#define NETS (sizeof(nets) / sizeof(*nets))

static const struct {
    uint32_t steps;
    size_t batch_rows;
} cuts[] = {{1, 20}, {8, 3}, {8, 32}, {100, 5}, {3, 1}};
#define CUTS (sizeof(cuts) / sizeof(*cuts))

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    char path[BYTE_DATASET_PATH_SIZE];
    size_t size;
    f->folder = scratch_folder();
    byte_dataset_write(path, f->folder, DATA_ROWS, FEATURES, CLASSES);
    assert_int_equal(file_read(&f->file, &size, path, 1 << 20), POT_OK);
    assert_int_equal(dataset_view(&f->data, f->file, size), POT_OK);
    exact_set_rounding();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scratch_remove(f->folder);
    free(f->file);
    free(f);
    return 0;
}

static struct mlp *make_mlp(const struct net *net,
                            const struct product *product, size_t block_rows,
                            size_t *count)
{
    struct mlp_config config = {.activation = net->activation,
                                .loss = net->loss,
                                .product = product,
                                .block_rows = block_rows};
    assert_int_equal(
        model_shape_init(&config.shape, net->widths, net->width_count), POT_OK);
    *count = config.shape.parameter_count;
    return mlp_new(&config);
}

/* Within a quarter of 0. */
static int32_t *make_theta(size_t count, uint64_t seed)
{
    int32_t *theta = pot_calloc(count, sizeof(*theta));
    for (size_t i = 0; i < count; i++) {
        theta[i] = (int32_t)(rng_next(&seed) % (FIXED_ONE / 2)) - FIXED_ONE / 4;
    }
    return theta;
}

static void draw_rows(uint64_t *rows, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        rows[i] = rng_next(&seed) % DATA_ROWS;
    }
}

/* The parameters are kept here too, so that what mlp_step does is seen. */
static void walk_by_hand(int64_t *sums, int64_t *loss_sum, struct mlp *m,
                         size_t count, const struct mlp_walk *walk,
                         const struct dataset *data, const uint64_t *rows)
{
    float rate = ldexpf((float)walk->rate, -RATE_BITS);
    rate /= (float)walk->batch_rows;
    float *parameters = pot_calloc(count, sizeof(*parameters));
    float *gradient = pot_calloc(count, sizeof(*gradient));
    for (size_t i = 0; i < count; i++) {
        parameters[i] = ldexpf((float)walk->theta[i], -FIXED_BITS);
    }
    *loss_sum = 0;
    mlp_set_parameters(m, walk->theta);
    for (uint32_t step = 0; step < walk->steps; step++) {
        double loss;
        mlp_load(m, data, rows, walk->batch_rows);
        mlp_gradient(gradient, count, m, &loss);
        for (size_t i = 0; i < count; i++) {
            parameters[i] = fmaf(-rate, gradient[i], parameters[i]);
        }
        (void)mlp_step(m, rate);
        *loss_sum += llrint(ldexp(loss, FIXED_BITS));
        rows += walk->batch_rows;
    }
    for (size_t i = 0; i < count; i++) {
        float way = ldexpf((float)walk->theta[i], -FIXED_BITS) - parameters[i];
        sums[i] = llrint(ldexp((double)way, GRID_BITS));
    }
    free(gradient);
    free(parameters);
}

/* Out: sums, of the plain kernel, to hold the others against */
static void compare(const struct fixture *f, const struct net *net,
                    const struct product *product, struct mlp_walk walk,
                    int64_t *sums, bool is_first)
{
    size_t count;
    uint64_t rows[ROWS_MAX];
    struct mlp *m = make_mlp(net, product, walk.batch_rows, &count);
    int32_t *theta = make_theta(count, 3);
    int64_t *walked = pot_calloc(count, sizeof(*walked));
    int64_t *wanted = pot_calloc(count, sizeof(*wanted));
    int64_t loss;
    int64_t wanted_loss;
    walk.theta = theta;
    draw_rows(rows, walk.steps * walk.batch_rows, walk.steps);
    walk_by_hand(wanted, &wanted_loss, m, count, &walk, &f->data, rows);
    assert_true(mlp_walk(walked, &loss, m, &walk, &f->data, rows));
    assert_memory_equal(walked, wanted, count * sizeof(*wanted));
    assert_true(loss == wanted_loss && loss > 0);
    if (is_first) {
        memcpy(sums, walked, count * sizeof(*walked));
    }
    assert_memory_equal(walked, sums, count * sizeof(*walked));
    free(wanted);
    free(walked);
    free(theta);
    mlp_free(m);
}

static void a_walk_is_its_steps_by_hand_on_every_kernel(void **state)
{
    const struct product *variants[EXACT_VARIANTS_MAX];
    size_t variant_count = exact_variants(variants);
    int64_t sums[2048];
    for (size_t n = 0; n < NETS; n++) {
        for (size_t c = 0; c < CUTS; c++) {
            struct mlp_walk walk = {.rate = RATE_ONE / 10,
                                    .steps = cuts[c].steps,
                                    .batch_rows = cuts[c].batch_rows};
            for (size_t v = variant_count; v-- > 0;) {
                bool is_first = v + 1 == variant_count;
                compare(*state, &nets[n], variants[v], walk, sums, is_first);
            }
        }
    }
}

/* Each batch's gradient is its mean: batches of one row over and over, taken
 * once or in fives, go the same way but for rounding. */
static void a_step_does_not_depend_on_the_size_of_its_batch(void **state)
{
    const struct fixture *f = *state;
    enum { STEPS = 8, TIMES = 5 };
    uint64_t rows[STEPS * TIMES];
    size_t count;
    int64_t loss;
    int64_t loss_of_five;
    struct mlp *m = make_mlp(&nets[2], &exact_scalar, TIMES, &count);
    int32_t *theta = make_theta(count, 4);
    int64_t *one = pot_calloc(count, sizeof(*one));
    int64_t *five = pot_calloc(count, sizeof(*five));
    struct mlp_walk walk = {theta, RATE_ONE / 10, STEPS, 1};
    draw_rows(rows, STEPS, 5);
    assert_true(mlp_walk(one, &loss, m, &walk, &f->data, rows));
    for (size_t i = STEPS * TIMES; i-- > 0;) {
        rows[i] = rows[i / TIMES];
    }
    walk.batch_rows = TIMES;
    assert_true(mlp_walk(five, &loss_of_five, m, &walk, &f->data, rows));
    double way = 0;
    for (size_t i = 0; i < count; i++) {
        way = fmax(way, fabs(ldexp((double)one[i], -GRID_BITS)));
        assert_true(fabs(ldexp((double)(one[i] - five[i]), -GRID_BITS)) < 1e-5);
    }
    assert_true(way > 0.01);
    assert_true(fabs((double)(loss_of_five - TIMES * loss)) < 1000);
    free(five);
    free(one);
    free(theta);
    mlp_free(m);
}

static void a_walk_to_where_no_number_is_is_refused(void **state)
{
    const struct fixture *f = *state;
    uint64_t rows[ROWS_MAX];
    size_t count;
    int64_t loss;
    struct mlp *m = make_mlp(&nets[3], &exact_scalar, 3, &count);
    int32_t *theta = make_theta(count, 6);
    int64_t *sums = pot_calloc(count, sizeof(*sums));
    struct mlp_walk walk = {theta, UINT32_MAX, ROWS_MAX / 3, 3};
    draw_rows(rows, ROWS_MAX, 7);
    assert_false(mlp_walk(sums, &loss, m, &walk, &f->data, rows));
    walk.rate = RATE_ONE / 10;
    assert_true(mlp_walk(sums, &loss, m, &walk, &f->data, rows));
    free(sums);
    free(theta);
    mlp_free(m);
}

static void sum_by_hand(int64_t *sums, int64_t *loss_sum, struct mlp *m,
                        size_t count, const struct dataset *data,
                        const uint64_t *rows, size_t row_count, size_t block)
{
    float *gradient = pot_calloc(count, sizeof(*gradient));
    *loss_sum = 0;
    for (size_t i = 0; i < row_count; i += block) {
        double loss;
        size_t left = row_count - i;
        mlp_load(m, data, rows + i, left < block ? left : block);
        mlp_gradient(gradient, count, m, &loss);
        struct product_piece piece = kernel_row(gradient, 0, count, i == 0);
        assert_true(kernel_to_grid(sums, &piece));
        *loss_sum += llrint(ldexp(loss, FIXED_BITS));
    }
    free(gradient);
}

static void sum_both_ways(const struct fixture *f, const struct net *net,
                          const struct product *product, size_t row_count,
                          size_t block)
{
    uint64_t rows[ROWS_MAX];
    size_t count;
    int64_t loss;
    int64_t wanted_loss;
    struct mlp *m = make_mlp(net, product, block, &count);
    int32_t *theta = make_theta(count, 8);
    int64_t *sums = pot_calloc(count, sizeof(*sums));
    int64_t *wanted = pot_calloc(count, sizeof(*wanted));
    draw_rows(rows, row_count, row_count);
    mlp_set_parameters(m, theta);
    sum_by_hand(wanted, &wanted_loss, m, count, &f->data, rows, row_count,
                block);
    mlp_borrow_parameters(m, theta);
    assert_true(mlp_sum(sums, &loss, m, &f->data, rows, row_count));
    assert_memory_equal(sums, wanted, count * sizeof(*wanted));
    assert_true(loss == wanted_loss && loss > 0);
    free(wanted);
    free(sums);
    free(theta);
    mlp_free(m);
}

/* Rows go through the layers many blocks at a time, and weights are read as
 * they come: neither changes a bit. */
static void sums_are_those_of_their_blocks(void **state)
{
    static const struct {
        size_t rows;
        size_t block;
    } parts[] = {{40, 40}, {100, 7}, {1030, 128}, {1100, 1}, {1200, 600}};
    const struct product *variants[EXACT_VARIANTS_MAX];
    size_t variant_count = exact_variants(variants);
    for (size_t n = 0; n < NETS; n++) {
        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
            for (size_t v = 0; v < variant_count; v++) {
                sum_both_ways(*state, &nets[n], variants[v], parts[i].rows,
                              parts[i].block);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_their_blocks),
        cmocka_unit_test(a_walk_is_its_steps_by_hand_on_every_kernel),
        cmocka_unit_test(a_step_does_not_depend_on_the_size_of_its_batch),
        cmocka_unit_test(a_walk_to_where_no_number_is_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
