#include "config.h"

#include "proto/gradient.h"
#include "tests/rng.h"
#include "training/quantise.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ONE (INT64_C(1) << GRID_BITS)

static struct model_shape make_shape(void)
{
    struct model_shape shape;
    const uint32_t widths[] = {2, 2};
    assert_int_equal(model_shape_init(&shape, widths, 2), POT_OK);
    return shape;
}

static void exponent_is_the_smallest_that_fits(void **state)
{
    (void)state;
    struct model_shape shape = make_shape();
    const struct {
        int64_t sum;
        uint64_t rows;
        unsigned width;
        int exponent;
    } cases[] = {
        {0, 1, 1, -GRID_BITS},
        {127, 1, 1, -GRID_BITS},
        {128, 1, 1, -GRID_BITS + 1},
        {-128, 1, 1, -GRID_BITS + 1},
        /* 254 / 2 fits as 127, 255 / 2 rounds up to 128, which does not. */
        {254, 1, 1, -GRID_BITS + 1},
        {255, 1, 1, -GRID_BITS + 2},
        {ONE, 1, 1, -6},
        {100 * ONE, 100, 1, -6},
        {ONE, 1, 2, -14},
        {GRID_MAX, 1, 1, 16},
        {INT64_MIN, 1, 1, 16},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t sums[6] = {0, cases[i].sum, 0, 0, 0, 0};
        int8_t exponents[TENSORS_MAX];
        quantise_exponents(exponents, &shape, sums, cases[i].rows,
                           gradient_bound(cases[i].width));
        assert_int_equal(exponents[0], cases[i].exponent);
        assert_int_equal(exponents[1], -GRID_BITS);
    }
}

static void values_round_to_the_nearest_and_are_clamped(void **state)
{
    (void)state;
    assert_int_equal(quantise_value(ONE, 1, -6, INT8_MAX), 64);
    assert_int_equal(quantise_value(-ONE, 1, -6, INT8_MAX), -64);
    assert_int_equal(quantise_value(3, 2, -GRID_BITS, INT8_MAX), 2);
    assert_int_equal(quantise_value(-3, 2, -GRID_BITS, INT8_MAX), -2);
    assert_int_equal(quantise_value(ONE, 3, 0, INT8_MAX), 0);
    assert_int_equal(quantise_value(2 * ONE, 3, 0, INT8_MAX), 1);
    assert_int_equal(quantise_value(ONE, 1, -20, INT8_MAX), 127);
    assert_int_equal(quantise_value(-ONE, 1, -20, INT8_MAX), -127);
    assert_int_equal(quantise_value(-ONE, 1, -20, INT16_MAX), -32767);
    assert_int_equal(quantise_value(ONE, 1, 24, INT8_MAX), 0);
}

static void sums_do_not_depend_on_their_order(void **state)
{
    (void)state;
    int64_t parts[3][4] = {
        {1, -5, ONE, -ONE}, {7, 5, -3 * ONE, 2}, {-8, 0, 2 * ONE, ONE - 2}};
    int64_t forward[4] = {0};
    int64_t backward[4] = {0};
    for (size_t i = 0; i < 3; i++) {
        quantise_add(forward, parts[i], 4);
        quantise_add(backward, parts[2 - i], 4);
    }
    const int64_t wanted[4] = {0, 0, 0, 0};
    assert_memory_equal(forward, wanted, sizeof(wanted));
    assert_memory_equal(backward, wanted, sizeof(wanted));
}

static void sums_are_clamped_and_never_wrap(void **state)
{
    (void)state;
    int64_t sums[2] = {INT64_MAX, INT64_MIN};
    const int64_t part[2] = {INT64_MAX, INT64_MIN};
    quantise_add(sums, part, 2);
    assert_true(sums[0] == GRID_MAX);
    assert_true(sums[1] == -GRID_MAX);
}

#define MANY 37 /* no multiple of any vector's */

static void many_are_as_each_alone(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int exponent = -GRID_BITS; exponent <= GRADIENT_EXPONENT_MAX;
         exponent++) {
        int64_t sums[MANY];
        int64_t means[MANY];
        int32_t values[MANY];
        uint64_t rows = exponent % 2 == 0 ? 1 : 1 + rng_next(&seed) % 1000;
        for (size_t i = 0; i < MANY; i++) {
            sums[i] = (int64_t)rng_next(&seed) >> rng_next(&seed) % 64;
        }
        sums[0] = INT64_MIN;
        sums[1] = INT64_MAX;
        quantise_means(means, sums, MANY, rows);
        quantise_round(values, means, MANY, GRID_BITS + exponent, INT16_MAX);
        for (size_t i = 0; i < MANY; i++) {
            assert_true(means[i] == quantise_mean(sums[i], rows));
            assert_int_equal(
                values[i], quantise_value(sums[i], rows, exponent, INT16_MAX));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponent_is_the_smallest_that_fits),
        cmocka_unit_test(values_round_to_the_nearest_and_are_clamped),
        cmocka_unit_test(sums_do_not_depend_on_their_order),
        cmocka_unit_test(sums_are_clamped_and_never_wrap),
        cmocka_unit_test(many_are_as_each_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
