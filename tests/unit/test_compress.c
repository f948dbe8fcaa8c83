/* Payloads in all forms: what is kept of a gradient, and how it is written. */
#include "config.h"

#include "training/compress.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "tests/rng.h"
#include "training/quantise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ONE (INT64_C(1) << GRID_BITS)

struct fixture {
    struct model_shape shape;
    size_t count;
    int64_t *sums;
    uint8_t *payload;
    int8_t *room;
    struct gradient gradient;
};

static void open_fixture(struct fixture *f, uint32_t inputs, uint32_t outputs)
{
    const uint32_t widths[] = {inputs, outputs};
    *f = (struct fixture){.count = 0};
    assert_int_equal(model_shape_init(&f->shape, widths, 2), POT_OK);
    f->count = f->shape.parameter_count;
    f->sums = pot_calloc(f->count, sizeof(*f->sums));
    f->room = pot_alloc(f->count);
}

static void close_fixture(struct fixture *f)
{
    free(f->sums);
    free(f->room);
    free(f->payload);
}

static void compress(struct fixture *f, const struct packed_form *form,
                     uint64_t rows)
{
    size_t size = packed_bytes(&f->shape, form);
    free(f->payload);
    f->payload = pot_alloc(size);
    compress_payload(f->payload, &f->shape, form, f->sums, rows);
    assert_int_equal(
        packed_open(&f->gradient, f->room, &f->shape, form, f->payload, size),
        POT_OK);
    assert_int_equal(f->gradient.addends, 1);
}

static double value_of(const struct fixture *f, size_t i)
{
    size_t t = i < f->shape.tensors[1].offset ? 0 : 1;
    return ldexp(gradient_get(&f->gradient, i), f->gradient.exponents[t]);
}

static struct packed_form form_of(Pot__Compression compression, size_t kept)
{
    return (struct packed_form){.compression = compression, .kept = kept};
}

/* Values that the form can hold. */
static void draw_values(int32_t *values, uint64_t *seed,
                        const struct model_shape *shape,
                        const struct packed_form *form)
{
    uint64_t bound = (uint64_t)packed_bound(form);
    memset(values, 0, shape->parameter_count * sizeof(*values));
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span span = shape->tensors[t];
        int32_t size = (int32_t)(rng_next(seed) % (bound + 1));
        for (size_t i = span.offset; i < span.offset + span.count; i++) {
            values[i] =
                (int32_t)(rng_next(seed) % (2 * bound + 1)) - (int32_t)bound;
            if (form->compression == POT__COMPRESSION__COMPRESSION_SIGN) {
                values[i] = values[i] < 0 ? -size : size;
            }
        }
    }
    size_t kept = 0;
    for (size_t n = shape->parameter_count; form->kept > 0 && n > 0; n--) {
        bool is_kept = kept < form->kept && rng_next(seed) % 4 > 0;
        values[n - 1] = is_kept ? values[n - 1] : 0;
        kept += values[n - 1] != 0 ? 1 : 0;
    }
}

static void values_survive_every_form(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned n = 0; n < 2000; n++) {
        struct fixture f;
        open_fixture(&f, 1 + (uint32_t)(rng_next(&seed) % 20),
                     1 + (uint32_t)(rng_next(&seed) % 9));
        int compression = 1 + (int)(n % 5);
        bool is_topk = compression == POT__COMPRESSION__COMPRESSION_TOPK;
        const struct packed_form form =
            form_of((Pot__Compression)compression,
                    is_topk ? 1 + rng_next(&seed) % f.count : 0);
        size_t size = packed_bytes(&f.shape, &form);
        int32_t *values = pot_calloc(f.count, sizeof(*values));
        const int8_t exponents[TENSORS_MAX] = {-5, 7};
        draw_values(values, &seed, &f.shape, &form);
        f.payload = pot_alloc(size);
        packed_encode(f.payload, &f.shape, &form, exponents, values);
        assert_int_equal(
            packed_open(&f.gradient, f.room, &f.shape, &form, f.payload, size),
            POT_OK);
        assert_memory_equal(f.gradient.exponents, exponents, 2);
        for (size_t i = 0; i < f.count; i++) {
            assert_int_equal(gradient_get(&f.gradient, i), values[i]);
        }
        free(values);
        close_fixture(&f);
    }
}

/* Whatever opens is the one encoding of its values. */
static void a_gradient_has_one_encoding(void **state)
{
    (void)state;
    uint64_t seed = 2;
    size_t opened = 0;
    for (unsigned n = 0; n < 20000; n++) {
        struct fixture f;
        open_fixture(&f, 3, 3);
        int compression = POT__COMPRESSION__COMPRESSION_TOPK + (int)(n % 3);
        const struct packed_form form =
            form_of((Pot__Compression)compression, n % 3 == 0 ? 4 : 0);
        size_t size = packed_bytes(&f.shape, &form);
        int32_t *values = pot_calloc(f.count, sizeof(*values));
        const int8_t exponents[TENSORS_MAX] = {0};
        uint8_t again[64];
        draw_values(values, &seed, &f.shape, &form);
        f.payload = pot_alloc(size);
        packed_encode(f.payload, &f.shape, &form, exponents, values);
        size_t at = rng_next(&seed) % size;
        f.payload[at] = (uint8_t)(f.payload[at] ^ 1U << rng_next(&seed) % 8);
        if (packed_open(&f.gradient, f.room, &f.shape, &form, f.payload,
                        size) == POT_OK) {
            opened++;
            for (size_t i = 0; i < f.count; i++) {
                values[i] = gradient_get(&f.gradient, i);
            }
            assert_true(size <= sizeof(again));
            packed_encode(again, &f.shape, &form, f.gradient.exponents, values);
            assert_memory_equal(again, f.payload, size);
        }
        free(values);
        close_fixture(&f);
    }
    assert_in_range(opened, 1000, 19000);
}

static void what_no_form_can_be_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 4, 3); /* 15 parameters */
    const struct packed_form int4 =
        form_of(POT__COMPRESSION__COMPRESSION_INT4, 0);
    const struct packed_form sign =
        form_of(POT__COMPRESSION__COMPRESSION_SIGN, 0);
    size_t size = packed_bytes(&f.shape, &int4);
    compress(&f, &int4, 1);
    assert_int_equal(
        packed_open(&f.gradient, f.room, &f.shape, &int4, f.payload, size - 1),
        POT_ESHAPE);
    /* At each of these a byte that cannot stand there. */
    static const struct {
        size_t at;
        uint8_t value;
    } cases[] = {{0, 'X'}, {4, 5},    {5, 3},     {6, 1},
                 {8, 99},  {10, 0x8}, {10, 0x80}, {17, 0x10}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t old = f.payload[cases[i].at];
        f.payload[cases[i].at] = cases[i].value;
        assert_int_equal(
            packed_open(&f.gradient, f.room, &f.shape, &int4, f.payload, size),
            POT_EFORMAT);
        f.payload[cases[i].at] = old;
    }
    compress(&f, &sign, 1);
    size = packed_bytes(&f.shape, &sign);
    assert_int_equal(f.payload[10], 0);
    f.payload[12] = 1; /* a sign in a tensor of zeros */
    assert_int_equal(
        packed_open(&f.gradient, f.room, &f.shape, &sign, f.payload, size),
        POT_EFORMAT);
    close_fixture(&f);
}

static void bytes_hold_the_quantised_means(void **state)
{
    (void)state;
    const int64_t sums[6] = {4 * ONE,  -2 * ONE, ONE,
                             ONE / 64, 8 * ONE,  -8 * ONE};
    const int32_t wanted[6] = {64, -32, 16, 0, 64, -64};
    struct fixture f;
    open_fixture(&f, 2, 2);
    memcpy(f.sums, sums, sizeof(sums));
    const struct packed_form int8 =
        form_of(POT__COMPRESSION__COMPRESSION_INT8, 0);
    compress(&f, &int8, 4);
    assert_int_equal(f.gradient.exponents[0], -6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(gradient_get(&f.gradient, i), wanted[i]);
    }
    const struct packed_form int16 =
        form_of(POT__COMPRESSION__COMPRESSION_INT16, 0);
    compress(&f, &int16, 4);
    assert_int_equal(f.gradient.exponents[0], -14);
    close_fixture(&f);
}

/* Sums about a normal distribution, tails and all. */
static void draw_sums(struct fixture *f, uint64_t *seed, double size)
{
    for (size_t i = 0; i < f->count; i++) {
        double sum = 0;
        for (unsigned n = 0; n < 6; n++) {
            sum += (double)(rng_next(seed) >> 11) * 0x1p-53 - 0.5;
        }
        f->sums[i] = (int64_t)(sum * size * (double)ONE);
    }
}

static double error_at(const struct fixture *f, int exponent)
{
    double error = 0;
    for (size_t i = 0; i < f->shape.tensors[1].offset; i++) {
        double value =
            ldexp(quantise_value(f->sums[i], 1, exponent, 7), exponent);
        error += pow(ldexp((double)f->sums[i], -GRID_BITS) - value, 2);
    }
    return error;
}

static void int4_takes_the_exponent_of_the_least_error(void **state)
{
    (void)state;
    uint64_t seed = 3;
    const struct packed_form int4 =
        form_of(POT__COMPRESSION__COMPRESSION_INT4, 0);
    unsigned clipped = 0;
    for (unsigned n = 0; n < 200; n++) {
        struct fixture f;
        int8_t fits[TENSORS_MAX];
        open_fixture(&f, 60, 20);
        draw_sums(&f, &seed, ldexp(1.0, -(int)(n % 20)));
        if (n % 2 == 0) {
            f.sums[5] *= 8;
        }
        compress(&f, &int4, 1);
        quantise_exponents(fits, &f.shape, f.sums, 1, 7);
        double error = error_at(&f, f.gradient.exponents[0]);
        for (int clip = 0; clip <= 4; clip++) {
            assert_true(error <= error_at(&f, fits[0] - clip) * 1.001);
        }
        clipped += f.gradient.exponents[0] < fits[0] ? 1 : 0;
        close_fixture(&f);
    }
    assert_in_range(clipped, 100, 200);
}

/* ---- int4, one element after the other */

#define FINE 8

static int64_t fine_of(int64_t sum, uint64_t rows, int exponent)
{
    int64_t mean = quantise_mean(sum, rows);
    int shift = GRID_BITS + exponent - FINE;
    return shift >= 0 ? fixed_shift_right(mean, (unsigned)shift)
                      : fixed_shift_left(mean, (unsigned)-shift);
}

static uint64_t plain_errors(const struct fixture *f, struct tensor_span span,
                             uint64_t rows, int exponent, unsigned clip)
{
    uint64_t errors = 0;
    for (size_t i = span.offset; i < span.offset + span.count; i++) {
        int64_t fine = fine_of(f->sums[i], rows, exponent);
        int64_t value = fixed_shift_right(fine, FINE - clip);
        value = value > 7 ? 7 : value;
        value = value < -7 ? -7 : value;
        int64_t error = fine - value * (INT64_C(1) << (FINE - clip));
        errors += (uint64_t)(error * error);
    }
    return errors;
}

static int plain_exponent(const struct fixture *f, size_t t, uint64_t rows)
{
    int8_t fits[TENSORS_MAX];
    unsigned best = 0;
    uint64_t least = UINT64_MAX;
    quantise_exponents(fits, &f->shape, f->sums, rows, 7);
    for (unsigned clip = 0; clip <= 4 && fits[t] - (int)clip >= -GRID_BITS;
         clip++) {
        uint64_t errors =
            plain_errors(f, f->shape.tensors[t], rows, fits[t], clip);
        if (errors < least) {
            least = errors;
            best = clip;
        }
    }
    return fits[t] - (int)best;
}

static void int4_is_that_of_each_element_alone(void **state)
{
    (void)state;
    uint64_t seed = 6;
    const struct packed_form int4 =
        form_of(POT__COMPRESSION__COMPRESSION_INT4, 0);
    for (unsigned n = 0; n < 400; n++) {
        struct fixture f;
        uint64_t rows = n % 2 == 0 ? 1 : 1 + rng_next(&seed) % 100;
        open_fixture(&f, 1 + (uint32_t)(rng_next(&seed) % 700), 3);
        draw_sums(&f, &seed, ldexp(1.0, 22 - (int)(n % 63)));
        f.sums[0] = n % 7 == 0 ? INT64_MIN : f.sums[0];
        compress(&f, &int4, rows);
        for (size_t i = 0; i < f.count; i++) {
            size_t t = i < f.shape.tensors[1].offset ? 0 : 1;
            int exponent = f.gradient.exponents[t];
            if (i == f.shape.tensors[t].offset) {
                assert_int_equal(exponent, plain_exponent(&f, t, rows));
            }
            assert_int_equal(gradient_get(&f.gradient, i),
                             quantise_value(f.sums[i], rows, exponent, 7));
        }
        close_fixture(&f);
    }
}

static void sign_keeps_the_mean_size(void **state)
{
    (void)state;
    uint64_t seed = 4;
    const struct packed_form sign =
        form_of(POT__COMPRESSION__COMPRESSION_SIGN, 0);
    struct fixture f;
    open_fixture(&f, 60, 20);
    draw_sums(&f, &seed, 0.01);
    for (size_t i = 0; i < 600; i++) {
        f.sums[i] = 0;
    }
    compress(&f, &sign, 3);
    double mean = 0;
    size_t count = f.shape.tensors[0].count;
    size_t negative = 0;
    for (size_t i = 0; i < count; i++) {
        mean += fabs(ldexp((double)f.sums[i], -GRID_BITS)) / 3 / (double)count;
        if (f.sums[i] == 0) {
            negative += value_of(&f, i) < 0 ? 1 : 0;
        } else {
            assert_true((f.sums[i] < 0) == (value_of(&f, i) < 0));
        }
    }
    assert_true(fabs(fabs(value_of(&f, 0)) - mean) < mean / 100);
    assert_in_range(negative, 240, 360); /* of 600 zeros */
    close_fixture(&f);
}

static void topk_keeps_the_largest_and_the_first_of_equals(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (unsigned n = 0; n < 200; n++) {
        struct fixture f;
        open_fixture(&f, 9, 7);
        size_t kept = 1 + rng_next(&seed) % f.count;
        const struct packed_form topk =
            form_of(POT__COMPRESSION__COMPRESSION_TOPK, kept);
        for (size_t i = 0; i < f.count; i++) { /* few sizes: many equals */
            f.sums[i] = ((int64_t)(rng_next(&seed) % 9) - 4) * ONE;
        }
        compress(&f, &topk, 1);
        for (size_t i = 0; i < f.count; i++) {
            size_t before = 0;
            for (size_t k = 0; k < f.count; k++) {
                uint64_t mine = fixed_magnitude(f.sums[i]);
                uint64_t other = fixed_magnitude(f.sums[k]);
                before += other > mine || (other == mine && k < i) ? 1 : 0;
            }
            double wanted =
                before < kept ? ldexp((double)f.sums[i], -GRID_BITS) : 0;
            assert_true(fabs(value_of(&f, i) - wanted) < 1e-9);
        }
        close_fixture(&f);
    }
}

/* 1 % of a model: 8 bits a value, and 8.6 a place. */
static void payloads_are_as_small_as_they_are_said_to_be(void **state)
{
    (void)state;
    const uint32_t widths[] = {784, 128, 10};
    struct model_shape shape;
    assert_int_equal(model_shape_init(&shape, widths, 3), POT_OK);
    const struct packed_form forms[] = {
        form_of(POT__COMPRESSION__COMPRESSION_INT4, 0),
        form_of(POT__COMPRESSION__COMPRESSION_SIGN, 0),
        form_of(POT__COMPRESSION__COMPRESSION_TOPK, 1018),
    };
    assert_int_equal(packed_bytes(&shape, &forms[0]), 12 + 50885);
    assert_int_equal(packed_bytes(&shape, &forms[1]), 16 + 12722);
    assert_int_equal(packed_bytes(&shape, &forms[2]), 12 + 1090 + 1018);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_survive_every_form),
        cmocka_unit_test(a_gradient_has_one_encoding),
        cmocka_unit_test(what_no_form_can_be_is_refused),
        cmocka_unit_test(bytes_hold_the_quantised_means),
        cmocka_unit_test(int4_takes_the_exponent_of_the_least_error),
        cmocka_unit_test(int4_is_that_of_each_element_alone),
        cmocka_unit_test(sign_keeps_the_mean_size),
        cmocka_unit_test(topk_keeps_the_largest_and_the_first_of_equals),
        cmocka_unit_test(payloads_are_as_small_as_they_are_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
