/* The flat sum is the oracle: what a tree of parts comes to has its bits. */
#include "config.h"

#include "proto/partial_sum.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "ledger/aggregate.h"
#include "proto/gradient.h"
#include "proto/spec.h"
#include "tests/unit/ledger_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDENDS_MAX 24
#define PARAMETERS  66

static const Pot__TaskSpec mean = {
    .aggregation = POT__AGGREGATION__AGGREGATION_MEAN,
};

static struct model_shape shape;

static int open_shape(void **state)
{
    static const uint32_t widths[] = {5, 7, 3};
    (void)state;
    return model_shape_init(&shape, widths, 3) == POT_OK &&
                   shape.parameter_count == PARAMETERS
               ? 0
               : -1;
}

/* What a node of a tree comes to: one gradient, or a part. */
static void add_gradient(struct aggregate *to, struct ledger_random *r)
{
    uint8_t payload[GRADIENT_HEADER_BYTES + TENSORS_MAX + 2 * PARAMETERS];
    int8_t exponents[TENSORS_MAX];
    int32_t values[PARAMETERS];
    struct gradient gradient;
    for (size_t t = 0; t < shape.tensor_count; t++) {
        exponents[t] = (int8_t)ledger_random_between(r, GRADIENT_EXPONENT_MIN,
                                                     GRADIENT_EXPONENT_MAX);
    }
    for (size_t i = 0; i < PARAMETERS; i++) {
        values[i] = (int32_t)ledger_random_between(r, -INT16_MAX, INT16_MAX);
    }
    gradient_encode(payload, &shape, 2, 1, exponents, values);
    assert_int_equal(
        gradient_view(&gradient, &shape, payload, gradient_bytes(&shape, 2)),
        POT_OK);
    aggregate_add(to, &gradient);
}

/* Parts that wait for their place in a tree. */
struct forest {
    struct buf parts[ADDENDS_MAX];
    size_t count;
};

static void plant(struct forest *f, struct aggregate *part)
{
    struct buf *bytes = &f->parts[f->count++];
    buf_init(bytes, partial_sum_bytes_max(&shape));
    aggregate_encode_sum(part, bytes);
    aggregate_free(part);
}

/* One to four of the first ones grow together behind the last one. */
static void graft(struct forest *f, struct ledger_random *r)
{
    struct aggregate *part = aggregate_new(&mean, &shape);
    size_t taken = 1 + ledger_random_below(r, 4);
    taken = taken < f->count ? taken : f->count;
    for (size_t i = 0; i < taken; i++) {
        assert_int_equal(
            aggregate_add_sum(part, f->parts[i].data, f->parts[i].size),
            POT_OK);
        buf_fini(&f->parts[i]);
    }
    f->count -= taken;
    memmove(f->parts, f->parts + taken, f->count * sizeof(*f->parts));
    plant(f, part);
}

static void any_tree_of_any_groups_is_the_flat_sum(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct ledger_random r = {seed};
        struct ledger_random shapes = {~seed};
        struct ledger_random again = r;
        struct forest f = {.count = 0};
        struct buf sums[2];
        size_t count = 1 + ledger_random_below(&shapes, ADDENDS_MAX);
        struct aggregate *flat = aggregate_new(&mean, &shape);
        struct aggregate *tree = aggregate_new(&mean, &shape);
        for (size_t i = 0; i < count; i++) {
            add_gradient(flat, &r);
        }
        for (size_t done = 0; done < count;) {
            size_t left = 1 + ledger_random_below(&shapes, count - done);
            bool is_single = left == 1 && ledger_random_below(&shapes, 2) == 0;
            struct aggregate *part =
                is_single ? tree : aggregate_new(&mean, &shape);
            for (size_t end = done + left; done < end; done++) {
                add_gradient(part, &again);
            }
            if (!is_single) {
                plant(&f, part);
            }
        }
        while (f.count > 1) {
            graft(&f, &shapes);
        }
        if (f.count == 1) {
            assert_int_equal(
                aggregate_add_sum(tree, f.parts[0].data, f.parts[0].size),
                POT_OK);
            buf_fini(&f.parts[0]);
        }
        for (size_t i = 0; i < 2; i++) {
            buf_init(&sums[i], gradient_bytes(&shape, 4));
            aggregate_encode(i == 0 ? flat : tree, &sums[i]);
        }
        assert_int_equal(sums[0].size, sums[1].size);
        assert_memory_equal(sums[0].data, sums[1].data, sums[0].size);
        buf_fini(&sums[0]);
        buf_fini(&sums[1]);
        aggregate_free(flat);
        aggregate_free(tree);
    }
}

/* ---- the encoding */

static enum pot_err open_bytes(const struct buf *bytes, int64_t *sums)
{
    uint32_t addends;
    return partial_sum_open(sums, &addends, &shape, bytes->data, bytes->size);
}

static void encode(struct buf *out, uint32_t addends, const int64_t *sums)
{
    buf_init(out, partial_sum_bytes_max(&shape));
    partial_sum_encode(out, &shape, addends, sums);
}

static void whatever_fits_comes_back(void **state)
{
    (void)state;
    struct ledger_random r = {1};
    for (size_t i = 0; i < 2000; i++) {
        struct buf bytes;
        int64_t sums[PARAMETERS];
        int64_t opened[PARAMETERS];
        uint32_t addends;
        uint32_t count = 1 + (uint32_t)ledger_random_below(&r, ROSTER_MAX);
        int64_t bound = (int64_t)count << PARTIAL_SUM_ADDEND_BITS;
        for (size_t t = 0; t < shape.tensor_count; t++) {
            unsigned shift = (unsigned)ledger_random_below(&r, 63);
            int64_t most = bound >> ledger_random_below(&r, 63) >> shift;
            for (size_t k = 0; k < shape.tensors[t].count; k++) {
                sums[shape.tensors[t].offset + k] =
                    ledger_random_between(&r, -most, most) *
                    (INT64_C(1) << shift);
            }
        }
        encode(&bytes, count, sums);
        assert_int_equal(
            partial_sum_open(opened, &addends, &shape, bytes.data, bytes.size),
            POT_OK);
        assert_int_equal(addends, count);
        assert_memory_equal(opened, sums, sizeof(sums));
        buf_fini(&bytes);
    }
}

static void a_tensor_takes_the_bytes_of_its_largest_sum(void **state)
{
    (void)state;
    struct buf bytes;
    int64_t sums[PARAMETERS] = {0};
    sums[0] = INT64_C(127) << 20;
    sums[1] = -(INT64_C(128) << 20);
    sums[shape.tensors[1].offset] = 128;
    sums[shape.tensors[1].offset + 1] = 1;
    encode(&bytes, 2, sums);
    assert_int_equal(bytes.data[12], 20);
    assert_int_equal(bytes.data[13], 1);
    assert_int_equal(bytes.data[14], 0);
    assert_int_equal(bytes.data[15], 2);
    assert_int_equal(bytes.size,
                     12 + 2 * 4 + PARAMETERS + shape.tensors[1].count);
    buf_fini(&bytes);
}

/* Where the encoding of zeros with one 64 in the first tensor is changed. */
static void another_encoding_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 'Q'}, {4, 3},  {5, 1},  {6, 1},  {8, 0},  {9, 17},
        {12, 63}, {13, 0}, {13, 2}, {13, 9}, {14, 1}, {20, 2},
    };
    int64_t sums[PARAMETERS] = {64};
    int64_t opened[PARAMETERS];
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        struct buf bytes;
        encode(&bytes, 1, sums);
        assert_int_equal(open_bytes(&bytes, opened), POT_OK);
        bytes.data[changes[i].at] = changes[i].value;
        if (open_bytes(&bytes, opened) == POT_OK) {
            fail_msg("byte %zu may be %u", changes[i].at, changes[i].value);
        }
        buf_fini(&bytes);
    }
}

/* The same elements in two bytes each where one would do. */
static void a_wider_encoding_is_refused(void **state)
{
    (void)state;
    struct buf bytes;
    struct buf wider;
    int64_t opened[PARAMETERS];
    int64_t sums[PARAMETERS] = {64};
    size_t header = 12 + 2 * shape.tensor_count;
    size_t first = shape.tensors[0].count;
    const uint8_t zero = 0;
    encode(&bytes, 1, sums);
    buf_init(&wider, bytes.size + first);
    buf_append(&wider, bytes.data, header);
    wider.data[13] = 2;
    for (size_t i = header; i < bytes.size; i++) {
        buf_append(&wider, &bytes.data[i], 1);
        if (i < header + first) {
            buf_append(&wider, &zero, 1);
        }
    }
    assert_int_equal(open_bytes(&wider, opened), POT_EFORMAT);
    buf_fini(&wider);
    buf_fini(&bytes);
}

static void another_size_is_refused(void **state)
{
    (void)state;
    struct buf bytes;
    uint32_t addends;
    int64_t opened[PARAMETERS];
    int64_t sums[PARAMETERS] = {64};
    encode(&bytes, 1, sums);
    for (size_t size = 0; size < bytes.size; size++) {
        assert_int_not_equal(
            partial_sum_open(opened, &addends, &shape, bytes.data, size),
            POT_OK);
    }
    assert_non_null(buf_extend(&bytes, 1));
    assert_int_equal(open_bytes(&bytes, opened), POT_ESHAPE);
    buf_fini(&bytes);
}

/* The addends of a true sum are lowered below what its elements take. */
static void an_element_beyond_its_addends_is_refused(void **state)
{
    (void)state;
    struct buf bytes;
    int64_t opened[PARAMETERS];
    int64_t sums[PARAMETERS] = {0};
    sums[3] = -(INT64_C(3) << PARTIAL_SUM_ADDEND_BITS);
    encode(&bytes, 3, sums);
    assert_int_equal(open_bytes(&bytes, opened), POT_OK);
    bytes_put_u32(bytes.data + 8, 2);
    assert_int_equal(open_bytes(&bytes, opened), POT_EFORMAT);
    buf_fini(&bytes);
}

/* ---- what may be summed in parts */

static void a_full_roster_is_the_most_that_is_added(void **state)
{
    (void)state;
    struct buf bytes;
    int64_t sums[PARAMETERS] = {1};
    struct aggregate *all = aggregate_new(&mean, &shape);
    encode(&bytes, ROSTER_MAX, sums);
    assert_int_equal(aggregate_add_sum(all, bytes.data, bytes.size), POT_OK);
    bytes_put_u32(bytes.data + 8, 1);
    assert_int_equal(aggregate_add_sum(all, bytes.data, bytes.size),
                     POT_ELIMIT);
    buf_fini(&bytes);
    aggregate_free(all);
}

static void the_mean_alone_takes_sums(void **state)
{
    (void)state;
    for (size_t i = 0; i < spec_aggregations.count; i++) {
        uint32_t rule = spec_aggregations.all[i].value;
        const Pot__TaskSpec spec = {.aggregation = (Pot__Aggregation)rule};
        bool is_mean = rule == POT__AGGREGATION__AGGREGATION_MEAN;
        assert_int_equal(aggregate_takes_sums(&spec), is_mean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_tree_of_any_groups_is_the_flat_sum),
        cmocka_unit_test(whatever_fits_comes_back),
        cmocka_unit_test(a_tensor_takes_the_bytes_of_its_largest_sum),
        cmocka_unit_test(another_encoding_is_refused),
        cmocka_unit_test(a_wider_encoding_is_refused),
        cmocka_unit_test(another_size_is_refused),
        cmocka_unit_test(an_element_beyond_its_addends_is_refused),
        cmocka_unit_test(a_full_roster_is_the_most_that_is_added),
        cmocka_unit_test(the_mean_alone_takes_sums),
    };
    return cmocka_run_group_tests(tests, open_shape, NULL);
}
