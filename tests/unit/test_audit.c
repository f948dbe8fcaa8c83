#include "config.h"

#include "training/audit.h"

#include "base/alloc.h"
#include "proto/blob.h"
#include "proto/plant.h"
#include "training/quantise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 8

struct fixture {
    struct model_shape shape;
    int64_t *sums;   /* the validator's */
    int32_t *values; /* the submitted elements */
    int8_t exponents[TENSORS_MAX];
    uint8_t *bytes;
    struct audit_result result;
};

/* A gradient with every value of an int8 in it, more or less. */
static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    const uint32_t widths[] = {100, 40, 10};
    assert_int_equal(model_shape_init(&f->shape, widths, 3), POT_OK);
    size_t n = f->shape.parameter_count;
    f->sums = pot_calloc(n, sizeof(*f->sums));
    f->values = pot_calloc(n, sizeof(*f->values));
    f->bytes = pot_alloc(gradient_bytes(&f->shape, 2));
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        struct tensor_span span = f->shape.tensors[t];
        for (size_t i = 0; i < span.count; i++) {
            int32_t value = (int32_t)(i * 37 % 255) - 127;
            value = i == 0 ? 127 : value;
            f->values[span.offset + i] = value;
            f->sums[span.offset + i] =
                value * ROWS * (INT64_C(1) << (GRID_BITS - 10 - t));
        }
        f->exponents[t] = (int8_t)(-10 - (int)t);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->sums);
    free(f->values);
    free(f->bytes);
    free(f);
    return 0;
}

static enum audit_verdict judge(struct fixture *f)
{
    struct gradient g;
    gradient_encode(f->bytes, &f->shape, 1, 1, f->exponents, f->values);
    assert_int_equal(
        gradient_view(&g, &f->shape, f->bytes, gradient_bytes(&f->shape, 1)),
        POT_OK);
    audit_compare(&f->result, &f->shape, &g, f->sums, ROWS);
    return f->result.verdict;
}

/* Moves count elements of small size by one unit. */
static void flip(struct fixture *f, size_t count)
{
    for (size_t i = 1; count > 0; i++) {
        assert_true(i < f->shape.parameter_count);
        if (f->values[i] < 120) {
            f->values[i]++;
            count--;
        }
    }
}

static void same_gradient_is_equal(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(judge(f), AUDIT_EQUAL);
    assert_int_equal(f->result.flips, 0);
    assert_int_equal(f->result.excess_ppm, 0);
}

static void allowed_flips_are_within_the_bound(void **state)
{
    struct fixture *f = *state;
    flip(f, (size_t)audit_flips_allowed(f->shape.parameter_count, 1));
    assert_int_equal(judge(f), AUDIT_WITHIN);
    assert_int_equal(f->result.flips, f->result.flips_allowed);
    assert_int_equal(f->result.excess_ppm, 0);
}

static void one_flip_too_many_is_undecided(void **state)
{
    struct fixture *f = *state;
    flip(f, (size_t)audit_flips_allowed(f->shape.parameter_count, 1) + 1);
    assert_int_equal(judge(f), AUDIT_UNDECIDED);
    assert_in_range(f->result.excess_ppm, 10, 1000);
}

static const struct packed_form int8 = {
    .compression = POT__COMPRESSION__COMPRESSION_INT8,
};

/* plant: NULL, or the secret by which they are said to be planted. */
static enum audit_verdict judge_bytes(struct fixture *f,
                                      const struct hash *plant)
{
    struct hash hash;
    blob_hash(&hash, f->bytes, gradient_bytes(&f->shape, 1));
    audit_compare_exact(&f->result, &f->shape, &int8, &hash, f->sums, ROWS,
                        plant);
    return f->result.verdict;
}

static enum audit_verdict judge_exactly(struct fixture *f)
{
    gradient_encode(f->bytes, &f->shape, 1, 1, f->exponents, f->values);
    return judge_bytes(f, NULL);
}

static void a_plant_is_known_by_its_secret_alone(void **state)
{
    struct fixture *f = *state;
    const struct hash secret = {{1}};
    const struct hash other = {{2}};
    assert_int_equal(judge_exactly(f), AUDIT_EQUAL);
    assert_int_equal(judge_bytes(f, &secret), AUDIT_EQUAL);
    assert_true(plant_payload(f->bytes, &f->shape, &int8, &secret));
    assert_int_equal(judge_bytes(f, &secret), AUDIT_PLANTED);
    assert_int_equal(judge_bytes(f, &other), AUDIT_REFUSED);
    assert_int_equal(judge_bytes(f, NULL), AUDIT_REFUSED);
    f->bytes[gradient_bytes(&f->shape, 1) - 1] ^= 1;
    assert_int_equal(judge_bytes(f, &secret), AUDIT_REFUSED);
}

static void the_exact_lane_takes_the_same_bytes_only(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(judge_exactly(f), AUDIT_EQUAL);
    flip(f, 1);
    assert_int_equal(judge_exactly(f), AUDIT_REFUSED);
    f->values[1]--;
    assert_int_equal(judge_exactly(f), AUDIT_EQUAL);
    f->exponents[1]++;
    assert_int_equal(judge_exactly(f), AUDIT_REFUSED);
}

static void flips_everywhere_are_not_accepted(void **state)
{
    struct fixture *f = *state;
    flip(f, f->shape.parameter_count / 2);
    assert_int_equal(judge(f), AUDIT_UNDECIDED);
}

static void larger_difference_is_never_within_the_bound(void **state)
{
    struct fixture *f = *state;
    f->values[1] += 2;
    assert_int_equal(judge(f), AUDIT_UNDECIDED);
    assert_int_equal(f->result.others, 1);
    assert_int_equal(f->result.flips, 0);
}

static void other_gradient_is_refused(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 1; i < f->shape.parameter_count; i++) {
        f->values[i] = f->values[i] == -127 ? -127 : -f->values[i];
    }
    assert_int_equal(judge(f), AUDIT_REFUSED);
    assert_in_range(f->result.excess_ppm, 1500000, 2000000);
}

static void excess_is_the_relative_l2(void **state)
{
    struct fixture *f = *state;
    /* A tensor of its own: all of weight 0's energy is taken away. */
    double all = 0.0;
    double lost = 0.0;
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        struct tensor_span span = f->shape.tensors[t];
        double unit = 1.0 / (double)(1U << t);
        for (size_t i = span.offset; i < span.offset + span.count; i++) {
            double value = f->values[i] * unit;
            all += value * value;
            if (t == 1 && i > span.offset) {
                lost += value * value;
                f->values[i] = 0;
            }
        }
    }
    (void)judge(f);
    double wanted = lost / all * 1e12;
    double got = (double)f->result.excess_ppm * (double)f->result.excess_ppm;
    assert_true(got > wanted * 0.99 && got < wanted * 1.01);
}

static void coarse_exponents_are_refused(void **state)
{
    struct fixture *f = *state;
    /* All zeros at a coarse scale would equal anything. */
    memset(f->values, 0, f->shape.parameter_count * sizeof(*f->values));
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        f->exponents[t] = GRADIENT_EXPONENT_MAX;
    }
    assert_int_equal(judge(f), AUDIT_REFUSED);
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        f->exponents[t] = GRADIENT_EXPONENT_MIN;
    }
    assert_int_equal(judge(f), AUDIT_REFUSED);
}

static void exponent_one_off_is_compared(void **state)
{
    struct fixture *f = *state;
    struct tensor_span span = f->shape.tensors[3];
    f->exponents[3]++;
    for (size_t i = span.offset; i < span.offset + span.count; i++) {
        f->values[i] =
            quantise_value(f->sums[i], ROWS, f->exponents[3], INT8_MAX);
    }
    assert_int_equal(judge(f), AUDIT_EQUAL);
}

static void zero_gradient_equals_zero_only(void **state)
{
    struct fixture *f = *state;
    size_t n = f->shape.parameter_count;
    memset(f->sums, 0, n * sizeof(*f->sums));
    memset(f->values, 0, n * sizeof(*f->values));
    memset(f->exponents, -GRID_BITS, sizeof(f->exponents));
    assert_int_equal(judge(f), AUDIT_EQUAL);
    f->values[3] = 2;
    assert_int_equal(judge(f), AUDIT_REFUSED);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(same_gradient_is_equal),
        WITH(allowed_flips_are_within_the_bound),
        WITH(one_flip_too_many_is_undecided),
        WITH(the_exact_lane_takes_the_same_bytes_only),
        WITH(a_plant_is_known_by_its_secret_alone),
        WITH(flips_everywhere_are_not_accepted),
        WITH(larger_difference_is_never_within_the_bound),
        WITH(other_gradient_is_refused),
        WITH(excess_is_the_relative_l2),
        WITH(coarse_exponents_are_refused),
        WITH(exponent_one_off_is_compared),
        WITH(zero_gradient_equals_zero_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
