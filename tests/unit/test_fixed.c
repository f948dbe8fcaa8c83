/* The integer functions against the C library's, over their whole range. */
#include "config.h"

#include "base/fixed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STEPS 20000

static double of_q24(int64_t x)
{
    return (double)x / FIXED_ONE;
}

static double of_unit(int64_t x)
{
    return (double)x / FIXED_UNIT;
}

static int64_t at(int64_t low, int64_t high, int step)
{
    return low + (high - low) / STEPS * step;
}

static void rounding_is_to_the_nearest_halves_away_from_zero(void **state)
{
    (void)state;
    assert_int_equal(fixed_shift_right(3, 1), 2);
    assert_int_equal(fixed_shift_right(-3, 1), -2);
    assert_int_equal(fixed_shift_right(5, 2), 1);
    assert_int_equal(fixed_shift_right(INT64_MIN, 63), -1);
    assert_int_equal(fixed_shift_right(INT64_MAX, 64), 0);
    assert_int_equal(fixed_divide(7, 2), 4);
    assert_int_equal(fixed_divide(-7, 2), -4);
    assert_int_equal(fixed_divide(7, 3), 2);
    assert_int_equal(fixed_divide(INT64_MIN, 1), INT64_MIN);
}

static void sums_and_shifts_are_clamped(void **state)
{
    (void)state;
    assert_int_equal(fixed_add(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(fixed_add(INT64_MIN, -1), INT64_MIN);
    assert_int_equal(fixed_add(INT64_MIN, INT64_MAX), -1);
    assert_int_equal(fixed_shift_left(1, 62), INT64_C(1) << 62);
    assert_int_equal(fixed_shift_left(2, 62), INT64_MAX);
    assert_int_equal(fixed_shift_left(-3, 62), INT64_MIN);
    assert_int_equal(fixed_shift_left(-3, 2), -12);
    assert_int_equal(fixed_shift_left(0, 200), 0);
    assert_int_equal(fixed_shift_left(1, 200), INT64_MAX);
    assert_int_equal(fixed_saturate(INT64_C(1) << 31), INT32_MAX);
    assert_int_equal(fixed_saturate(-(INT64_C(1) << 40)), INT32_MIN);
}

static void magnitudes_and_bits_cover_the_extremes(void **state)
{
    (void)state;
    assert_true(fixed_magnitude(INT64_MIN) == UINT64_C(1) << 63);
    assert_true(fixed_magnitude(-5) == 5);
    assert_int_equal(fixed_bit_count(0), 0);
    assert_int_equal(fixed_bit_count(1), 1);
    assert_int_equal(fixed_bit_count(UINT64_MAX), 64);
}

static void exp_is_that_of_the_c_library(void **state)
{
    (void)state;
    assert_int_equal(fixed_exp(0), FIXED_UNIT);
    assert_int_equal(fixed_exp(INT64_MIN / 4), 0);
    for (int i = 0; i <= STEPS; i++) {
        int64_t x = at(-(INT64_C(23) << FIXED_BITS), 0, i);
        assert_true(fabs(of_unit(fixed_exp(x)) - exp(of_q24(x))) < 2e-9);
    }
}

static void log_is_that_of_the_c_library(void **state)
{
    (void)state;
    assert_int_equal(fixed_log(1, 0), 0);
    assert_int_equal(fixed_log(UINT64_C(1) << 63, 63), 0);
    for (unsigned bits = 0; bits <= 60; bits += 15) {
        for (uint64_t x = 1; x < UINT64_C(1) << 62; x += x / 97 + 1) {
            double expected = log((double)x) - bits * log(2.0);
            assert_true(fabs(of_q24(fixed_log(x, bits)) - expected) < 7e-8);
        }
    }
}

static void tanh_and_sigmoid_are_those_of_the_c_library(void **state)
{
    (void)state;
    for (int i = 0; i <= STEPS; i++) {
        int64_t x =
            at(-(INT64_C(40) << FIXED_BITS), INT64_C(40) << FIXED_BITS, i);
        double real = of_q24(x);
        assert_true(fabs(of_q24(fixed_tanh(x)) - tanh(real)) < 7e-8);
        assert_true(fabs(of_q24(fixed_sigmoid(x)) - 1 / (1 + exp(-real))) <
                    7e-8);
        assert_int_equal(fixed_tanh(-x), -fixed_tanh(x));
    }
    assert_int_equal(fixed_tanh(0), 0);
    assert_int_equal(fixed_sigmoid(0), FIXED_ONE / 2);
    assert_int_equal(fixed_sigmoid(INT64_MIN), 0);
    assert_int_equal(fixed_tanh(INT64_MAX), FIXED_ONE);
}

static void cosine_is_that_of_the_c_library(void **state)
{
    (void)state;
    const double pi = acos(-1.0);
    for (uint64_t whole = 1; whole < UINT64_C(1) << 32; whole = whole * 3 + 1) {
        for (uint64_t i = 0; i <= 100; i++) {
            uint64_t part = i == 100 ? whole : whole / 100 * i;
            double expected = cos(pi * (double)part / (double)whole);
            assert_true(fabs(of_unit(fixed_cos_pi(part, whole)) - expected) <
                        5e-9);
        }
    }
    assert_int_equal(fixed_cos_pi(0, 7), FIXED_UNIT);
    assert_int_equal(fixed_cos_pi(7, 7), -(int64_t)FIXED_UNIT);
}

static void square_root_is_the_floor(void **state)
{
    (void)state;
    for (uint64_t x = 0; x < UINT64_MAX / 2; x += x / 61 + 1) {
        uint64_t root = fixed_sqrt(x);
        assert_true(root * root <= x && (root + 1) * (root + 1) > x);
    }
    assert_int_equal(fixed_sqrt(UINT64_MAX), UINT32_MAX);
    for (uint64_t root = 1; root <= UINT32_MAX; root += root / 97 + 1) {
        assert_int_equal(fixed_sqrt(root * root), root);
        assert_int_equal(fixed_sqrt(root * root - 1), root - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_to_the_nearest_halves_away_from_zero),
        cmocka_unit_test(sums_and_shifts_are_clamped),
        cmocka_unit_test(magnitudes_and_bits_cover_the_extremes),
        cmocka_unit_test(exp_is_that_of_the_c_library),
        cmocka_unit_test(log_is_that_of_the_c_library),
        cmocka_unit_test(tanh_and_sigmoid_are_those_of_the_c_library),
        cmocka_unit_test(cosine_is_that_of_the_c_library),
        cmocka_unit_test(square_root_is_the_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
