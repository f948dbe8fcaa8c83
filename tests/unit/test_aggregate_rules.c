/* Each rule against its definition in float64, whatever the order, with
 * hostile gradients among honest ones, and at the ends of the range. */
#include "config.h"

#include "ledger/aggregate.h"
#include "ledger/aggregate_grid.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "proto/aggregation.h"
#include "proto/spec.h"
#include "tests/unit/ledger_random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_MAX   48
#define PARAMETERS 66 /* of 5, 7, 3: more than a block of coordinates */
#define GRID       (1.0 / (INT64_C(1) << -AGGREGATE_GRID))

#define TRIMMED  POT__AGGREGATION__AGGREGATION_TRIMMED_MEAN
#define MEDIAN   POT__AGGREGATION__AGGREGATION_MEDIAN
#define KRUM     POT__AGGREGATION__AGGREGATION_KRUM
#define MULTI    POT__AGGREGATION__AGGREGATION_MULTI_KRUM
#define CLIPPED  POT__AGGREGATION__AGGREGATION_CLIPPED_MEAN
#define CENTERED POT__AGGREGATION__AGGREGATION_CENTERED_CLIPPING

static const Pot__Aggregation all_rules[] = {
    POT__AGGREGATION__AGGREGATION_MEAN,
    TRIMMED,
    MEDIAN,
    KRUM,
    MULTI,
    CLIPPED,
    CENTERED,
};
#define RULES (sizeof(all_rules) / sizeof(*all_rules))

struct fixture {
    struct model_shape shape;
    Pot__TaskSpec spec;
    uint8_t *payloads[ROWS_MAX];
    struct gradient gradients[ROWS_MAX];
    double rows[ROWS_MAX][PARAMETERS]; /* the same in float64, exactly */
    size_t count;
};

static void open_fixture(struct fixture *f, Pot__Aggregation rule)
{
    static const uint32_t widths[] = {5, 7, 3};
    *f = (struct fixture){.count = 0};
    assert_int_equal(model_shape_init(&f->shape, widths, 3), POT_OK);
    assert_int_equal(f->shape.parameter_count, PARAMETERS);
    pot__task_spec__init(&f->spec);
    f->spec.aggregation = rule;
}

static void close_fixture(struct fixture *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->payloads[i]);
    }
}

static void add_row(struct fixture *f, unsigned width, const int8_t *exponents,
                    const int32_t *values)
{
    size_t size = gradient_bytes(&f->shape, width);
    size_t row = f->count++;
    f->payloads[row] = pot_alloc(size);
    gradient_encode(f->payloads[row], &f->shape, width, 1, exponents, values);
    assert_int_equal(
        gradient_view(&f->gradients[row], &f->shape, f->payloads[row], size),
        POT_OK);
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        struct tensor_span span = f->shape.tensors[t];
        for (size_t i = span.offset; i < span.offset + span.count; i++) {
            f->rows[row][i] = ldexp(values[i], exponents[t]);
        }
    }
}

/* Elements up to bound, of exponents from low to high. */
static void add_random(struct fixture *f, struct ledger_random *r,
                       int64_t bound, int low, int high)
{
    int8_t exponents[TENSORS_MAX];
    int32_t values[PARAMETERS];
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        exponents[t] = (int8_t)ledger_random_between(r, low, high);
    }
    for (size_t i = 0; i < PARAMETERS; i++) {
        values[i] = (int32_t)ledger_random_between(r, -bound, bound);
    }
    add_row(f, 2, exponents, values);
}

/* Two elements of -1, 0 and 1, the others zero: equal columns, distances and
 * lengths. */
static void add_alike(struct fixture *f, struct ledger_random *r)
{
    int8_t exponents[TENSORS_MAX] = {0};
    int32_t values[PARAMETERS] = {0};
    values[0] = (int32_t)ledger_random_between(r, -1, 1);
    values[PARAMETERS - 1] = (int32_t)ledger_random_between(r, -1, 1);
    add_row(f, 2, exponents, values);
}

/* All elements +-INT16_MAX at this exponent: what a hostile miner can say. */
static void add_extreme(struct fixture *f, int sign, int exponent)
{
    int8_t exponents[TENSORS_MAX];
    int32_t values[PARAMETERS];
    memset(exponents, exponent, sizeof(exponents));
    for (size_t i = 0; i < PARAMETERS; i++) {
        values[i] = sign * INT16_MAX;
    }
    add_row(f, 2, exponents, values);
}

static void encode(const struct fixture *f, struct buf *out,
                   const size_t *order)
{
    struct aggregate *aggregate = aggregate_new(&f->spec, &f->shape);
    for (size_t i = 0; i < f->count; i++) {
        aggregate_add(aggregate, &f->gradients[order != NULL ? order[i] : i]);
    }
    buf_init(out, 1 << 20);
    aggregate_encode(aggregate, out);
    aggregate_free(aggregate);
}

/* What the optimizer will make of it: values divided by the addends. */
static void run(const struct fixture *f, double out[static PARAMETERS])
{
    struct buf bytes;
    struct gradient g;
    encode(f, &bytes, NULL);
    assert_int_equal(gradient_view(&g, &f->shape, bytes.data, bytes.size),
                     POT_OK);
    assert_int_equal(g.addends, f->count);
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        struct tensor_span span = f->shape.tensors[t];
        for (size_t i = span.offset; i < span.offset + span.count; i++) {
            out[i] =
                ldexp(gradient_get(&g, i), g.exponents[t]) / (double)f->count;
        }
    }
    buf_fini(&bytes);
}

/* ---- the definitions, in float64 */

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void sorted_column(const struct fixture *f, size_t i, double *column)
{
    for (size_t row = 0; row < f->count; row++) {
        column[row] = f->rows[row][i];
    }
    qsort(column, f->count, sizeof(*column), compare_doubles);
}

static void refer_trimmed(const struct fixture *f, size_t cut, double *out)
{
    double column[ROWS_MAX];
    for (size_t i = 0; i < PARAMETERS; i++) {
        double sum = 0;
        sorted_column(f, i, column);
        for (size_t row = cut; row < f->count - cut; row++) {
            sum += column[row];
        }
        out[i] = sum / (double)(f->count - 2 * cut);
    }
}

/* The mean of the one or two middle ones. */
static void refer_median(const struct fixture *f, double *out)
{
    refer_trimmed(f, (f->count - 1) / 2, out);
}

static double distance(const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < PARAMETERS; i++) {
        double d = a[i] - (b != NULL ? b[i] : 0);
        sum += d * d;
    }
    return sqrt(sum);
}

static double krum_score(const struct fixture *f, size_t row, size_t nearest)
{
    double squares[ROWS_MAX];
    size_t others = 0;
    double score = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (i != row) {
            double d = distance(f->rows[row], f->rows[i]);
            squares[others++] = d * d;
        }
    }
    qsort(squares, others, sizeof(*squares), compare_doubles);
    for (size_t i = 0; i < nearest; i++) {
        score += squares[i];
    }
    return score;
}

static void refer_krum(const struct fixture *f, double *out)
{
    double scores[ROWS_MAX];
    double sorted[ROWS_MAX];
    size_t nearest = f->count - f->spec.krum_faulty - 2;
    size_t taken = f->spec.aggregation == KRUM ? 1 : nearest;
    for (size_t row = 0; row < f->count; row++) {
        scores[row] = sorted[row] = krum_score(f, row, nearest);
    }
    qsort(sorted, f->count, sizeof(*sorted), compare_doubles);
    memset(out, 0, PARAMETERS * sizeof(*out));
    for (size_t row = 0; row < f->count; row++) {
        for (size_t i = 0; i < PARAMETERS && scores[row] <= sorted[taken - 1];
             i++) {
            out[i] += f->rows[row][i] / (double)taken;
        }
    }
}

static void refer_clip_step(const struct fixture *f, double *centre)
{
    double lengths[ROWS_MAX];
    double sorted[ROWS_MAX];
    double sums[PARAMETERS] = {0};
    for (size_t row = 0; row < f->count; row++) {
        lengths[row] = sorted[row] = distance(f->rows[row], centre);
    }
    qsort(sorted, f->count, sizeof(*sorted), compare_doubles);
    double radius = f->spec.clip_norm > 0
                        ? ldexp(f->spec.clip_norm, -AGGREGATION_CLIP_BITS)
                        : sorted[(f->count - 1) / 2];
    for (size_t row = 0; row < f->count; row++) {
        double factor = lengths[row] > radius ? radius / lengths[row] : 1;
        for (size_t i = 0; i < PARAMETERS; i++) {
            sums[i] += (f->rows[row][i] - centre[i]) * factor;
        }
    }
    for (size_t i = 0; i < PARAMETERS; i++) {
        centre[i] += sums[i] / (double)f->count;
    }
}

static void refer(const struct fixture *f, double *out)
{
    memset(out, 0, PARAMETERS * sizeof(*out));
    switch ((uint32_t)f->spec.aggregation) {
    case TRIMMED:
        refer_trimmed(f, f->count * f->spec.trim_share_ppm / PPM_ONE, out);
        break;
    case MEDIAN:
        refer_median(f, out);
        break;
    case KRUM:
    case MULTI:
        refer_krum(f, out);
        break;
    case CLIPPED:
        refer_clip_step(f, out);
        break;
    case CENTERED:
        refer_median(f, out);
        for (int step = 0; step < AGGREGATION_CLIP_STEPS; step++) {
            refer_clip_step(f, out);
        }
        break;
    default:
        refer_trimmed(f, 0, out);
    }
}

static void give_options(struct fixture *f, struct ledger_random *r)
{
    Pot__Aggregation rule = f->spec.aggregation;
    if (rule == TRIMMED) {
        f->spec.trim_share_ppm = (uint32_t)ledger_random_between(r, 1, 499999);
    } else if (rule == KRUM || rule == MULTI) {
        f->spec.krum_faulty =
            (uint32_t)ledger_random_below(r, (f->count - 3) / 2 + 1);
    } else if (rule == CLIPPED || rule == CENTERED) {
        f->spec.clip_norm = (uint32_t)ledger_random_below(r, 3)
                            << AGGREGATION_CLIP_BITS;
    }
}

/* The bound: half a unit of the grid for what is finer and half for the
 * result, the encoding's 31 bits, and for what is clipped two units a step
 * and 2^-30 of the longest gradient. */
static double bound_of(const struct fixture *f, const double *expected,
                       bool is_finer)
{
    double peak = 0;
    double longest = 0;
    for (size_t i = 0; i < PARAMETERS; i++) {
        peak = fmax(peak, fabs(expected[i]));
    }
    for (size_t row = 0; row < f->count; row++) {
        longest = fmax(longest, distance(f->rows[row], NULL));
    }
    bool clips =
        f->spec.aggregation == CLIPPED || f->spec.aggregation == CENTERED;
    double step = 2 * GRID + ldexp(2 * longest, -30);
    return (is_finer ? GRID : GRID / 2) + ldexp(peak, -30) +
           (clips ? AGGREGATION_CLIP_STEPS * step : 0);
}

static void rules_are_what_their_papers_define(void **state)
{
    (void)state;
    struct ledger_random r = {11};
    for (size_t turn = 0; turn < 60 * RULES; turn++) {
        struct fixture f;
        double got[PARAMETERS];
        double expected[PARAMETERS];
        open_fixture(&f, all_rules[turn % RULES]);
        /* Of three, the two nearest to each other have the same score. */
        size_t count = 4 + ledger_random_below(&r, ROWS_MAX - 3);
        bool is_krum =
            f.spec.aggregation == KRUM || f.spec.aggregation == MULTI;
        int low = (int)ledger_random_between(&r, is_krum ? -30 : -44, -14);
        for (size_t i = 0; i < count; i++) {
            add_random(&f, &r, INT16_MAX, low, low + 4);
        }
        give_options(&f, &r);
        run(&f, got);
        refer(&f, expected);
        double bound = bound_of(&f, expected, low < AGGREGATE_GRID);
        for (size_t i = 0; i < PARAMETERS; i++) {
            if (!(fabs(got[i] - expected[i]) <= bound)) {
                fail_msg("rule %u, %zu rows, element %zu: %.17g for %.17g",
                         (unsigned)f.spec.aggregation, count, i, got[i],
                         expected[i]);
            }
        }
        close_fixture(&f);
    }
}

/* ---- the order */

static void shuffle(size_t *order, size_t count, struct ledger_random *r)
{
    for (size_t i = 0; i < count; i++) {
        size_t other = ledger_random_below(r, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
}

static void the_order_of_the_miners_does_not_show(void **state)
{
    (void)state;
    struct ledger_random r = {12};
    for (size_t turn = 0; turn < 60 * RULES; turn++) {
        struct fixture f;
        struct buf first;
        open_fixture(&f, all_rules[turn % RULES]);
        size_t count = 3 + ledger_random_below(&r, 20);
        for (size_t i = 0; i < count; i++) {
            if (turn % 2 == 0) {
                add_random(&f, &r, INT16_MAX, GRADIENT_EXPONENT_MIN,
                           GRADIENT_EXPONENT_MAX);
            } else {
                add_alike(&f, &r);
            }
        }
        give_options(&f, &r);
        encode(&f, &first, NULL);
        for (int again = 0; again < 5; again++) {
            size_t order[ROWS_MAX];
            struct buf other;
            shuffle(order, count, &r);
            encode(&f, &other, order);
            assert_int_equal(other.size, first.size);
            assert_memory_equal(other.data, first.data, first.size);
            buf_fini(&other);
        }
        buf_fini(&first);
        close_fixture(&f);
    }
}

/* ---- hostile miners */

/* count rows; the last `hostile` of them say what they like. */
static void fill_hostile(struct fixture *f, struct ledger_random *r,
                         size_t count, size_t hostile)
{
    for (size_t i = 0; i < count; i++) {
        if (i < count - hostile) {
            add_random(f, r, INT16_MAX, -18, -16);
        } else if (ledger_random_below(r, 2) == 0) {
            add_random(f, r, INT16_MAX, GRADIENT_EXPONENT_MIN,
                       GRADIENT_EXPONENT_MAX);
        } else {
            int sign = ledger_random_below(r, 2) == 0 ? -1 : 1;
            add_extreme(
                f, sign,
                (int)ledger_random_between(r, -16, GRADIENT_EXPONENT_MAX));
        }
    }
}

static void assert_in_honest_range(const struct fixture *f, size_t honest,
                                   const double *got)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        double low = f->rows[0][i];
        double high = f->rows[0][i];
        for (size_t row = 1; row < honest; row++) {
            low = fmin(low, f->rows[row][i]);
            high = fmax(high, f->rows[row][i]);
        }
        if (!(got[i] >= low - GRID && got[i] <= high + GRID)) {
            fail_msg("rule %u, %zu of %zu honest, element %zu: %g not in"
                     " [%g, %g]",
                     (unsigned)f->spec.aggregation, honest, f->count, i, got[i],
                     low, high);
        }
    }
}

static void coordinates_stay_within_the_honest_ones(void **state)
{
    (void)state;
    struct ledger_random r = {13};
    static const Pot__Aggregation rules[] = {TRIMMED, MEDIAN, KRUM, MULTI};
    for (size_t turn = 0; turn < 200; turn++) {
        struct fixture f;
        double got[PARAMETERS];
        open_fixture(&f, rules[turn % 4]);
        size_t count = 3 + ledger_random_below(&r, ROWS_MAX - 2);
        size_t hostile = ledger_random_below(&r, (count - 1) / 2 + 1);
        if (f.spec.aggregation == TRIMMED) {
            f.spec.trim_share_ppm = 400000;
            hostile = count * 2 / 5;
        } else if (f.spec.aggregation != MEDIAN) {
            hostile = hostile * 2 + 3 > count ? (count - 3) / 2 : hostile;
            f.spec.krum_faulty = (uint32_t)hostile;
        }
        fill_hostile(&f, &r, count, hostile);
        run(&f, got);
        assert_in_honest_range(&f, count - hostile, got);
        close_fixture(&f);
    }
}

/* With a given radius a hostile row moves the result by two radii of n. */
static void clipped_rows_move_the_mean_by_their_radius(void **state)
{
    (void)state;
    struct ledger_random r = {14};
    for (size_t turn = 0; turn < 100; turn++) {
        double got[2][PARAMETERS];
        size_t hostile = 1 + turn % 9;
        for (int side = 0; side < 2; side++) {
            struct fixture f;
            struct ledger_random honest = {turn};
            open_fixture(&f, CLIPPED);
            f.spec.clip_norm = 1 << (AGGREGATION_CLIP_BITS - turn % 8);
            fill_hostile(&f, &honest, 10, 0);
            fill_hostile(&f, &r, hostile, hostile);
            run(&f, got[side]);
            close_fixture(&f);
        }
        double radius = ldexp(1, -(int)(turn % 8));
        double most = 2 * (double)hostile * radius / (double)(10 + hostile);
        assert_true(distance(got[0], got[1]) <= most + PARAMETERS * GRID);
    }
}

static void centered_clipping_stays_near_the_median(void **state)
{
    (void)state;
    struct ledger_random r = {15};
    for (size_t turn = 0; turn < 100; turn++) {
        struct fixture f;
        double got[PARAMETERS];
        double median[PARAMETERS];
        open_fixture(&f, CENTERED);
        f.spec.clip_norm = 1 << (AGGREGATION_CLIP_BITS - turn % 8);
        fill_hostile(&f, &r, 20, turn % 10);
        run(&f, got);
        refer_median(&f, median);
        double most = AGGREGATION_CLIP_STEPS * ldexp(1, -(int)(turn % 8));
        assert_true(distance(got, median) <=
                    most + AGGREGATION_CLIP_STEPS * PARAMETERS * GRID);
        close_fixture(&f);
    }
}

/* Without one, no row counts for more than an honest one is long. */
static void the_median_length_is_no_more_than_an_honest_one(void **state)
{
    (void)state;
    struct ledger_random r = {16};
    for (size_t turn = 0; turn < 100; turn++) {
        struct fixture f;
        double got[PARAMETERS];
        double longest = 0;
        open_fixture(&f, CLIPPED);
        fill_hostile(&f, &r, 21, turn % 11);
        for (size_t row = 0; row < 21 - turn % 11; row++) {
            longest = fmax(longest, distance(f.rows[row], NULL));
        }
        run(&f, got);
        assert_true(distance(got, NULL) <= longest + PARAMETERS * GRID);
        close_fixture(&f);
    }
}

/* ---- the ends of the range */

/* A model of two parameters, and a round of many at the largest element. */
static void a_full_roster_of_extremes_fits(void **state)
{
    (void)state;
    static const uint32_t widths[] = {1, 1};
    struct model_shape shape;
    uint8_t payload[32];
    struct gradient one;
    assert_int_equal(model_shape_init(&shape, widths, 2), POT_OK);
    assert_true(gradient_bytes(&shape, 2) <= sizeof(payload));
    for (size_t rule = 0; rule < RULES; rule++) {
        bool is_krum = all_rules[rule] == KRUM || all_rules[rule] == MULTI;
        size_t count = is_krum ? 301 : ROSTER_MAX;
        Pot__TaskSpec spec = POT__TASK_SPEC__INIT;
        struct buf bytes;
        struct gradient sum;
        spec.aggregation = all_rules[rule];
        spec.trim_share_ppm = 250000;
        struct aggregate *aggregate = aggregate_new(&spec, &shape);
        for (size_t i = 0; i < count; i++) {
            int8_t exponents[TENSORS_MAX] = {24, 24};
            int32_t values[2] = {INT16_MAX, i % 4 == 0 ? 1 : -INT16_MAX};
            gradient_encode(payload, &shape, 2, 1, exponents, values);
            assert_int_equal(
                gradient_view(&one, &shape, payload, gradient_bytes(&shape, 2)),
                POT_OK);
            aggregate_add(aggregate, &one);
        }
        buf_init(&bytes, 64);
        aggregate_encode(aggregate, &bytes);
        aggregate_free(aggregate);
        assert_int_equal(gradient_view(&sum, &shape, bytes.data, bytes.size),
                         POT_OK);
        double first = ldexp(gradient_get(&sum, 0), sum.exponents[0]);
        double second = ldexp(gradient_get(&sum, 1), sum.exponents[1]);
        double most = ldexp(1, AGGREGATE_ELEMENT_BITS + AGGREGATE_GRID);
        assert_true(fabs(first / (double)count - most) <= most * ldexp(1, -29));
        assert_true(second < 0 &&
                    second >= -most * (double)count * (1 + ldexp(1, -29)));
        buf_fini(&bytes);
    }
}

/* Opposite ends, as far apart as elements can be. */
static void the_longest_distances_are_measured(void **state)
{
    (void)state;
    for (size_t rule = 0; rule < RULES; rule++) {
        struct fixture f;
        double got[PARAMETERS];
        double most = ldexp(1, AGGREGATE_ELEMENT_BITS + AGGREGATE_GRID);
        open_fixture(&f, all_rules[rule]);
        f.spec.trim_share_ppm = 400000;
        f.spec.krum_faulty = 2;
        for (int i = 0; i < 7; i++) {
            add_extreme(&f, i < 2 ? -1 : 1, GRADIENT_EXPONENT_MAX);
        }
        run(&f, got);
        for (size_t i = 0; i < PARAMETERS; i++) {
            if (all_rules[rule] == POT__AGGREGATION__AGGREGATION_MEAN) {
                assert_true(fabs(got[i] - most * 3 / 7) < 1);
            } else if (all_rules[rule] != CLIPPED &&
                       all_rules[rule] != CENTERED) {
                assert_true(fabs(got[i] - most) < 1);
            } else {
                assert_true(got[i] > 0 && got[i] <= most);
            }
        }
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_what_their_papers_define),
        cmocka_unit_test(the_order_of_the_miners_does_not_show),
        cmocka_unit_test(coordinates_stay_within_the_honest_ones),
        cmocka_unit_test(clipped_rows_move_the_mean_by_their_radius),
        cmocka_unit_test(centered_clipping_stays_near_the_median),
        cmocka_unit_test(the_median_length_is_no_more_than_an_honest_one),
        cmocka_unit_test(a_full_roster_of_extremes_fits),
        cmocka_unit_test(the_longest_distances_are_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
