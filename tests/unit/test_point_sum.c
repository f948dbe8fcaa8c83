#include "config.h"

#include "base/point_sum.h"

#include "base/alloc.h"
#include "tests/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_MAX 700

static decaf_255_point_t points[COUNT_MAX];
static struct point_term terms[COUNT_MAX];

static void draw_scalar(decaf_255_scalar_t out, uint64_t *rng, size_t bytes)
{
    uint8_t raw[64];
    for (size_t i = 0; i < bytes; i++) {
        raw[i] = (uint8_t)rng_next(rng);
    }
    decaf_255_scalar_decode_long(out, raw, bytes);
}

/* The points are drawn; so are the numbers, of so many bytes. */
static void draw(size_t count, uint64_t *rng, size_t bytes)
{
    decaf_255_scalar_t scalar;
    for (size_t i = 0; i < count; i++) {
        draw_scalar(scalar, rng, 32);
        decaf_255_point_scalarmul(points[i], decaf_255_point_base, scalar);
        terms[i].point = points[i];
        draw_scalar(terms[i].times, rng, bytes);
    }
}

/* One after the other, by libdecaf's own multiplication. */
static void assert_sum_is_right(size_t count)
{
    decaf_255_point_t sum;
    decaf_255_point_t naive;
    decaf_255_point_t product;
    decaf_255_point_copy(naive, decaf_255_point_identity);
    for (size_t i = 0; i < count; i++) {
        decaf_255_point_scalarmul(product, terms[i].point, terms[i].times);
        decaf_255_point_add(naive, naive, product);
    }
    point_sum(sum, terms, count);
    assert_true(decaf_255_point_valid(sum) == DECAF_TRUE);
    assert_true(decaf_255_point_eq(sum, naive) == DECAF_TRUE);
}

static void a_sum_is_that_of_the_products(void **state)
{
    (void)state;
    static const size_t counts[] = {0,  1,  2,  3,  5,   8,   13,
                                    21, 34, 55, 89, 200, 513, COUNT_MAX};
    uint64_t rng = 1;
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        draw(counts[i], &rng, 32);
        assert_sum_is_right(counts[i]);
        draw(counts[i], &rng, 16);
        assert_sum_is_right(counts[i]);
    }
}

static void numbers_at_the_ends_of_their_range_are_right(void **state)
{
    (void)state;
    uint64_t rng = 2;
    for (size_t count = 1; count < 400; count = count * 2 + 1) {
        draw(count, &rng, 32);
        for (size_t i = 0; i < count; i++) {
            decaf_255_scalar_set_unsigned(terms[i].times, i % 4);
            if (i % 8 >= 4) { /* L less that */
                decaf_255_scalar_sub(terms[i].times, decaf_255_scalar_zero,
                                     terms[i].times);
            }
        }
        assert_sum_is_right(count);
        for (size_t i = 0; i < count; i++) { /* one bit */
            decaf_255_scalar_set_unsigned(terms[i].times, 1);
            for (size_t j = 0; j < i % 252; j++) {
                decaf_255_scalar_add(terms[i].times, terms[i].times,
                                     terms[i].times);
            }
        }
        assert_sum_is_right(count);
    }
}

static void the_same_and_opposite_points_meet_in_a_bucket(void **state)
{
    (void)state;
    uint64_t rng = 3;
    for (size_t count = 2; count < 400; count *= 3) {
        draw(count, &rng, 32);
        for (size_t i = 1; i < count; i++) {
            terms[i] = terms[0];
            if (i % 3 == 0) {
                decaf_255_point_negate(points[i], points[0]);
                terms[i].point = points[i];
            } else if (i % 3 == 1) {
                terms[i].point = decaf_255_point_identity;
            }
        }
        assert_sum_is_right(count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_is_that_of_the_products),
        cmocka_unit_test(numbers_at_the_ends_of_their_range_are_right),
        cmocka_unit_test(the_same_and_opposite_points_meet_in_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
