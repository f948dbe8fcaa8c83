#include "config.h"

#include "base/point_multiples.h"

#include "tests/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SCALARS 600

static decaf_255_scalar_t scalars[SCALARS];

/* Small ones and L less those, one bit, one bit less 1, and random ones. */
static void draw_scalars(void)
{
    uint64_t rng = 5;
    decaf_255_scalar_t bit;
    size_t count = 0;
    for (uint64_t i = 0; i < 34; i++) {
        decaf_255_scalar_set_unsigned(scalars[count], i);
        decaf_255_scalar_sub(scalars[count + 1], decaf_255_scalar_zero,
                             scalars[count]);
        count += 2;
    }
    decaf_255_scalar_copy(bit, decaf_255_scalar_one);
    for (size_t i = 0; i < 252; i++) {
        decaf_255_scalar_copy(scalars[count], bit);
        decaf_255_scalar_sub(scalars[count + 1], bit, decaf_255_scalar_one);
        decaf_255_scalar_add(bit, bit, bit);
        count += 2;
    }
    for (; count < SCALARS; count++) {
        uint8_t raw[40];
        for (size_t i = 0; i < sizeof(raw); i++) {
            raw[i] = (uint8_t)rng_next(&rng);
        }
        decaf_255_scalar_decode_long(scalars[count], raw, sizeof(raw));
    }
}

static void expect_right(const struct decaf_255_point_s *a,
                         const struct decaf_255_point_s *b)
{
    decaf_255_point_t naive;
    decaf_255_point_t sum;
    struct point_multiples *of_a = point_multiples_new(a);
    struct point_multiples *of_b = point_multiples_new(b);
    for (size_t i = 0; i < SCALARS; i++) {
        const struct decaf_255_scalar_s *x = scalars[i];
        const struct decaf_255_scalar_s *y = scalars[(i * 7 + 3) % SCALARS];
        decaf_255_point_double_scalarmul(naive, a, x, b, y);
        point_multiples_add(sum, of_a, x, of_b, y);
        assert_true(decaf_255_point_valid(sum) == DECAF_TRUE);
        assert_true(decaf_255_point_eq(sum, naive) == DECAF_TRUE);
    }
    free(of_a);
    free(of_b);
}

static void a_sum_is_that_of_the_products(void **state)
{
    (void)state;
    decaf_255_point_t other;
    decaf_255_point_t opposite;
    draw_scalars();
    decaf_255_point_scalarmul(other, decaf_255_point_base,
                              scalars[SCALARS - 1]);
    decaf_255_point_negate(opposite, other);
    expect_right(decaf_255_point_base, other);
    expect_right(other, opposite);
    expect_right(other, other);
    expect_right(decaf_255_point_identity, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_is_that_of_the_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
