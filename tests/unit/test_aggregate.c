/* The oracle adds with 192-bit integers on the finest grid there is, 2^-60,
 * and compares values, not encodings. */
#include "config.h"

#include "ledger/aggregate.h"
#include "ledger/aggregate_grid.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "proto/spec.h"
#include "tests/unit/ledger_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDENDS_MAX 40
#define LIMBS       6

/* Two's complement, 32 bits a limb, the lowest first. */
struct wide {
    uint32_t limbs[LIMBS];
};

static void wide_add(struct wide *sum, int32_t value, unsigned shift)
{
    struct wide addend;
    uint32_t fill = value < 0 ? UINT32_MAX : 0;
    uint64_t bits = (uint64_t)(int64_t)value << (shift % 32);
    for (size_t i = 0; i < LIMBS; i++) {
        size_t from = shift / 32;
        addend.limbs[i] = i < from ? 0 : fill;
        if (i == from) {
            addend.limbs[i] = (uint32_t)bits;
        } else if (i == from + 1) {
            addend.limbs[i] = (uint32_t)(bits >> 32);
        }
    }
    uint64_t carry = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        carry += (uint64_t)sum->limbs[i] + addend.limbs[i];
        sum->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

struct fixture {
    struct model_shape shape;
    uint8_t *payloads[ADDENDS_MAX];
    struct gradient gradients[ADDENDS_MAX];
    size_t count;
};

static void open_fixture(struct fixture *f)
{
    static const uint32_t widths[] = {5, 7, 3};
    *f = (struct fixture){.count = 0};
    assert_int_equal(model_shape_init(&f->shape, widths, 3), POT_OK);
}

static void close_fixture(struct fixture *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->payloads[i]);
    }
}

static void add_gradient(struct fixture *f, unsigned width,
                         const int8_t *exponents, const int32_t *values)
{
    size_t size = gradient_bytes(&f->shape, width);
    uint8_t *payload = pot_alloc(size);
    gradient_encode(payload, &f->shape, width, 1, exponents, values);
    f->payloads[f->count] = payload;
    assert_int_equal(
        gradient_view(&f->gradients[f->count++], &f->shape, payload, size),
        POT_OK);
}

static void add_random(struct fixture *f, struct ledger_random *r,
                       unsigned width, int low, int high)
{
    int8_t exponents[TENSORS_MAX];
    int32_t values[128];
    int64_t bound = (INT64_C(1) << (8 * width - 1)) - 1;
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        exponents[t] = (int8_t)ledger_random_between(r, low, high);
    }
    for (size_t i = 0; i < f->shape.parameter_count; i++) {
        values[i] = (int32_t)ledger_random_between(r, -bound - 1, bound);
    }
    add_gradient(f, width, exponents, values);
}

/* The sum of all gradients, opened; the bytes are in out. */
static struct gradient sum_of(const struct fixture *f, struct buf *out,
                              size_t first)
{
    struct gradient sum;
    Pot__TaskSpec spec = POT__TASK_SPEC__INIT;
    spec.aggregation = POT__AGGREGATION__AGGREGATION_MEAN;
    struct aggregate *aggregate = aggregate_new(&spec, &f->shape);
    for (size_t i = 0; i < f->count; i++) {
        aggregate_add(aggregate, &f->gradients[(first + i) % f->count]);
    }
    buf_init(out, 1 << 20);
    aggregate_encode(aggregate, out);
    aggregate_free(aggregate);
    assert_int_equal(gradient_view(&sum, &f->shape, out->data, out->size),
                     POT_OK);
    return sum;
}

static void assert_exact(const struct fixture *f, const struct gradient *sum)
{
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        struct tensor_span tensor = f->shape.tensors[t];
        for (size_t k = 0; k < tensor.count; k++) {
            size_t i = tensor.offset + k;
            struct wide expected = {{0}};
            struct wide got = {{0}};
            for (size_t g = 0; g < f->count; g++) {
                const struct gradient *one = &f->gradients[g];
                wide_add(&expected, gradient_get(one, i),
                         (unsigned)(one->exponents[t] + 60));
            }
            wide_add(&got, gradient_get(sum, i),
                     (unsigned)(sum->exponents[t] + 60));
            assert_memory_equal(&expected, &got, sizeof(got));
        }
    }
}

static void a_sum_is_that_of_big_integers(void **state)
{
    (void)state;
    struct ledger_random r = {1};
    for (size_t round = 0; round < 200; round++) {
        struct fixture f;
        struct buf bytes;
        open_fixture(&f);
        size_t count = 1 + ledger_random_below(&r, ADDENDS_MAX);
        int low = (int)ledger_random_between(&r, AGGREGATE_GRID, -5);
        for (size_t i = 0; i < count; i++) {
            add_random(&f, &r, 1, low, low + 12);
        }
        struct gradient sum = sum_of(&f, &bytes, 0);
        assert_int_equal(sum.addends, count);
        assert_exact(&f, &sum);
        buf_fini(&bytes);
        close_fixture(&f);
    }
}

static void the_order_of_the_addends_does_not_show(void **state)
{
    (void)state;
    struct ledger_random r = {2};
    struct fixture f;
    struct buf first;
    open_fixture(&f);
    for (size_t i = 0; i < ADDENDS_MAX; i++) {
        add_random(&f, &r, 2, GRADIENT_EXPONENT_MIN, GRADIENT_EXPONENT_MAX);
    }
    (void)sum_of(&f, &first, 0);
    for (size_t start = 1; start < ADDENDS_MAX; start++) {
        struct buf other;
        (void)sum_of(&f, &other, start);
        assert_int_equal(other.size, first.size);
        assert_memory_equal(other.data, first.data, first.size);
        buf_fini(&other);
    }
    buf_fini(&first);
    close_fixture(&f);
}

static void wide_sums_are_rounded_to_31_bits(void **state)
{
    (void)state;
    struct ledger_random r = {3};
    struct fixture f;
    struct buf bytes;
    open_fixture(&f);
    for (size_t i = 0; i < ADDENDS_MAX; i++) {
        add_random(&f, &r, 2, -30, -4);
    }
    struct gradient sum = sum_of(&f, &bytes, 0);
    for (size_t t = 0; t < f.shape.tensor_count; t++) {
        struct tensor_span tensor = f.shape.tensors[t];
        for (size_t i = tensor.offset; i < tensor.offset + tensor.count; i++) {
            int64_t exact = 0; /* in units of 2^-36 */
            for (size_t g = 0; g < f.count; g++) {
                exact += gradient_get(&f.gradients[g], i) *
                         (INT64_C(1) << (f.gradients[g].exponents[t] + 36));
            }
            unsigned shift = (unsigned)(sum.exponents[t] - AGGREGATE_GRID);
            assert_int_equal(gradient_get(&sum, i),
                             fixed_shift_right(exact, shift));
        }
    }
    buf_fini(&bytes);
    close_fixture(&f);
}

static void the_encoding_is_the_smallest_that_loses_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct buf bytes;
    int8_t exponents[TENSORS_MAX] = {-8, -8, -8, -8};
    int32_t values[128] = {0};
    open_fixture(&f);
    values[0] = 64;
    values[1] = -32;
    add_gradient(&f, 1, exponents, values);
    add_gradient(&f, 1, exponents, values);
    struct gradient sum = sum_of(&f, &bytes, 0);
    assert_int_equal(sum.width, 1);
    assert_int_equal(sum.exponents[0], -2);
    assert_int_equal(gradient_get(&sum, 0), 2);
    assert_int_equal(gradient_get(&sum, 1), -1);
    assert_int_equal(sum.exponents[1], 0);
    buf_fini(&bytes);
    close_fixture(&f);
}

static void extreme_elements_are_clamped_and_fine_ones_rounded(void **state)
{
    (void)state;
    struct fixture f;
    struct buf bytes;
    int8_t exponents[TENSORS_MAX] = {24, 24, -60, -60};
    int32_t values[128] = {0};
    open_fixture(&f);
    values[0] = 127;
    values[1] = -128;
    values[f.shape.tensors[2].offset] = 127;
    for (size_t i = 0; i < ADDENDS_MAX; i++) {
        add_gradient(&f, 1, exponents, values);
    }
    struct gradient sum = sum_of(&f, &bytes, 0);
    int64_t first = gradient_get(&sum, 0) *
                    (INT64_C(1) << (sum.exponents[0] - AGGREGATE_GRID));
    assert_int_equal(first, ADDENDS_MAX * (INT64_C(1) << 50));
    assert_int_equal(gradient_get(&sum, 1), -gradient_get(&sum, 0));
    assert_int_equal(gradient_get(&sum, f.shape.tensors[2].offset), 0);
    buf_fini(&bytes);
    close_fixture(&f);
}

static void the_rules_are_those_that_a_task_may_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < spec_aggregations.count; i++) {
        const struct spec_choice *choice = &spec_aggregations.all[i];
        if (aggregate_has_rule(choice->value) != choice->is_taken) {
            fail_msg("%s: ledger/aggregate.c or proto/spec.c", choice->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_is_that_of_big_integers),
        cmocka_unit_test(the_order_of_the_addends_does_not_show),
        cmocka_unit_test(wide_sums_are_rounded_to_31_bits),
        cmocka_unit_test(the_encoding_is_the_smallest_that_loses_nothing),
        cmocka_unit_test(extreme_elements_are_clamped_and_fine_ones_rounded),
        cmocka_unit_test(the_rules_are_those_that_a_task_may_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
