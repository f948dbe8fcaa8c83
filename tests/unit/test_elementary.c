/* Own functions against those of the C library in double, whose error is a
 * thousandth of what is allowed. */
#include "config.h"

#include "training/elementary.h"

#include "base/hash.h"
#include "tests/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

#define POINTS 1000000

static double error_of(double value, double wanted)
{
    return fabs(value - wanted) / fabs(wanted);
}

/* Any float within the bound, each size as likely. */
static float next_point(uint64_t *state, float bound)
{
    for (;;) {
        uint32_t bits = (uint32_t)(rng_next(state) >> 32);
        float x;
        memcpy(&x, &bits, sizeof(x));
        if (fabsf(x) <= bound) {
            return x;
        }
    }
}

static void exponential_keeps_its_bound(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (size_t i = 0; i <= POINTS; i++) {
        double even = 300.0 * (double)i / POINTS - 150.0;
        double any = (double)next_point(&random, 150.0F);
        assert_true(error_of(elementary_exp(even), exp(even)) < 0x1p-36);
        assert_true(error_of(elementary_exp(any), exp(any)) < 0x1p-36);
    }
}

static void exponential_has_its_limits(void **state)
{
    (void)state;
    assert_true(elementary_exp(0.0) == 1.0);
    assert_true(isinf((float)elementary_exp(1e30)));
    assert_true(isinf((float)elementary_exp((double)INFINITY)));
    assert_true((float)elementary_exp(-1e30) == 0.0F);
    assert_true((float)elementary_exp((double)-INFINITY) == 0.0F);
    assert_true((float)elementary_exp(-103.0) > 0.0F); /* a subnormal one */
    assert_true(isnan(elementary_exp((double)NAN)));
}

static void logarithm_keeps_its_bound(void **state)
{
    (void)state;
    for (size_t i = 0; i < POINTS; i++) {
        double x = 1.0 + 8192.0 * (double)i / POINTS;
        double small = 1.0 / x;
        double allowed = 0x1p-48 * (1.0 + fabs(log(x)));
        assert_true(fabs(elementary_log(x) - log(x)) <= allowed);
        assert_true(fabs(elementary_log(small) - log(small)) <= allowed);
        double near = 1.0 + (double)i * 0x1p-45;
        assert_true(fabs(elementary_log(near) - log(near)) <=
                    0x1p-48 * fabs(near - 1.0));
    }
    assert_true(isnan(elementary_log((double)NAN)));
    assert_true(isinf(elementary_log((double)INFINITY)));
}

static void sigmoid_and_tanh_keep_their_bounds(void **state)
{
    (void)state;
    uint64_t random = 2;
    const double allowed = 0x1p-24 + 0x1p-35; /* with the last rounding */
    for (size_t i = 0; i < POINTS; i++) {
        float x = next_point(&random, 80.0F);
        double wanted = 1.0 / (1.0 + exp(-(double)x));
        assert_true(error_of((double)elementary_sigmoid(x), wanted) < allowed);
        if (fabsf(x) >= FLT_MIN) {
            assert_true(error_of((double)elementary_tanh(x), tanh((double)x)) <
                        allowed);
        }
        assert_true(elementary_tanh(-x) == -elementary_tanh(x));
    }
    assert_true(elementary_tanh(1000.0F) == 1.0F);
    assert_true(elementary_sigmoid(-1000.0F) == 0.0F);
    assert_true(isnan(elementary_tanh(NAN)) && isnan(elementary_sigmoid(NAN)));
}

/* What the tests above cannot see: the same bits everywhere. */
static void every_machine_gets_these_bits(void **state)
{
    (void)state;
    struct hasher h;
    struct hash hash;
    char text[HASH_TEXT_SIZE];
    uint64_t random = 3;
    hasher_init(&h, "elementary");
    for (size_t i = 0; i < POINTS; i++) {
        float x = next_point(&random, 200.0F);
        double positive = 1.0 + fabs((double)x);
        float tanh_and_sigmoid[2] = {elementary_tanh(x), elementary_sigmoid(x)};
        hasher_add_u64(&h,
                       (uint64_t)elementary_bits(elementary_exp((double)x)));
        hasher_add_u64(&h, (uint64_t)elementary_bits(elementary_log(positive)));
        hasher_add(&h, tanh_and_sigmoid, sizeof(tanh_and_sigmoid));
    }
    hasher_final(&h, &hash);
    assert_string_equal(
        hash_format(&hash, text),
        "13ad005f0bc5abcd841160b396d10313d8b63e01bd1810e5a211cc8ad35c5a53");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponential_keeps_its_bound),
        cmocka_unit_test(exponential_has_its_limits),
        cmocka_unit_test(logarithm_keeps_its_bound),
        cmocka_unit_test(sigmoid_and_tanh_keep_their_bounds),
        cmocka_unit_test(every_machine_gets_these_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
