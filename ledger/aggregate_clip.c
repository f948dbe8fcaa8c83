/* Clipping: a gradient that is longer than a radius is shortened to it.
 *
 * The clipped mean (Sun, Kairouz, Suresh, McMahan: Can You Really Backdoor
 * Federated Learning?, 2019, section 4, norm thresholding) clips around zero:
 *
 *   (1/n) sum over i of g_i min(1, radius / |g_i|)
 *
 * Centered clipping (Karimireddy, He, Jaggi: Learning from History for
 * Byzantine Robust Optimization, ICML 2021, section 4) clips around an
 * estimate v, and repeats:
 *
 *   v <- v + (1/n) sum over i of (g_i - v) min(1, radius / |g_i - v|)
 *
 * There v begins at the last round's; here at the coordinate-wise median of
 * this one, so that a round depends on nothing but its gradients, and takes
 * AGGREGATION_CLIP_STEPS steps.
 *
 * The radius is clip_norm, or, when that is 0, the median of the lengths (the
 * lower of two): with fewer hostile gradients than honest ones it is no larger
 * than an honest one's.  Lengths are rounded up and factors down (to 2^-30),
 * so what is clipped is no longer than the radius, but for half a unit of the
 * grid in each coordinate: f hostile gradients move the clipped mean by at
 * most 2 f radius / n, and centered clipping ends within
 * AGGREGATION_CLIP_STEPS radii of the median. */
#include "config.h"

#include "ledger/aggregate_rule.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "ledger/aggregate_grid.h"
#include "ledger/aggregate_held.h"
#include "ledger/aggregate_sorted.h"
#include "proto/aggregation.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FACTOR_BITS 30

/* ---- lengths */

/* The square root, rounded up; below 2^64. */
static uint64_t root_above(held_wide x)
{
    held_wide rest = x;
    held_wide root = 0;
    for (held_wide bit = (held_wide)1 << 126; bit > 0; bit >>= 2) {
        held_wide trial = root + bit;
        root >>= 1;
        if (rest >= trial) {
            rest -= trial;
            root += bit;
        }
    }
    return (uint64_t)root + (rest > 0 ? 1 : 0);
}

/* A block of row i, less the centre. */
static size_t read_difference(const struct held *held, size_t row, size_t first,
                              const int64_t *centre, int64_t *values)
{
    size_t size = held_block(held, first);
    held_read_row(held, row, first, values);
    for (size_t i = 0; i < size; i++) {
        values[i] -= centre[first + i];
    }
    return size;
}

static uint64_t length_of(const struct held *held, size_t row,
                          const int64_t *centre)
{
    int64_t values[HELD_BLOCK];
    held_wide sum = 0;
    for (size_t first = 0; first < held->shape->parameter_count;
         first += HELD_BLOCK) {
        size_t size = read_difference(held, row, first, centre, values);
        for (size_t i = 0; i < size; i++) {
            sum += held_square(values[i]);
        }
    }
    return root_above(sum);
}

static int compare_lengths(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static uint64_t radius_of(const struct held *held, const uint64_t *lengths)
{
    size_t count = held->count;
    if (held->spec->clip_norm > 0) {
        return (uint64_t)held->spec->clip_norm
               << (-AGGREGATE_GRID - AGGREGATION_CLIP_BITS);
    }
    uint64_t *sorted = pot_memdup(lengths, count * sizeof(*lengths));
    qsort(sorted, count, sizeof(*sorted), compare_lengths);
    uint64_t radius = sorted[(count - 1) / 2];
    free(sorted);
    return radius;
}

/* ---- clipping */

/* radius / length in units of 2^-30, rounded down; radius < length. */
static uint64_t factor_of(uint64_t radius, uint64_t length)
{
    held_wide rest = radius;
    uint64_t factor = 0;
    for (unsigned i = 0; i < FACTOR_BITS; i++) {
        rest *= 2;
        factor *= 2;
        if (rest >= length) {
            rest -= length;
            factor++;
        }
    }
    return factor;
}

/* round(value * factor / 2^30); factor < 2^30, |value| <= 2^51. */
static int64_t shorten(int64_t value, uint64_t factor)
{
    uint64_t size = fixed_magnitude(value);
    uint64_t low = size & ((UINT64_C(1) << FACTOR_BITS) - 1);
    uint64_t half = UINT64_C(1) << (FACTOR_BITS - 1);
    return fixed_signed((size >> FACTOR_BITS) * factor +
                            ((low * factor + half) >> FACTOR_BITS),
                        value);
}

static void add_clipped(int64_t *sums, const struct held *held, size_t row,
                        const int64_t *centre, uint64_t length, uint64_t radius)
{
    int64_t values[HELD_BLOCK];
    bool is_long = length > radius;
    uint64_t factor = is_long ? factor_of(radius, length) : 0;
    for (size_t first = 0; first < held->shape->parameter_count;
         first += HELD_BLOCK) {
        size_t size = read_difference(held, row, first, centre, values);
        for (size_t i = 0; i < size; i++) {
            sums[first + i] += is_long ? shorten(values[i], factor) : values[i];
        }
    }
}

/* sums: of the differences to the centre, clipped. */
static void sum_clipped(int64_t *sums, const struct held *held,
                        const int64_t *centre)
{
    uint64_t *lengths = pot_calloc(held->count, sizeof(*lengths));
    for (size_t i = 0; i < held->count; i++) {
        lengths[i] = length_of(held, i, centre);
    }
    uint64_t radius = radius_of(held, lengths);
    memset(sums, 0, held->shape->parameter_count * sizeof(*sums));
    for (size_t i = 0; i < held->count; i++) {
        add_clipped(sums, held, i, centre, lengths[i], radius);
    }
    free(lengths);
}

/* ---- the rules */

static const int64_t *finish_clipped(void *state,
                                     const struct model_shape *shape,
                                     uint32_t addends)
{
    struct held *held = state;
    int64_t *zero = pot_calloc(shape->parameter_count, sizeof(*zero));
    POT_ASSERT(addends == held->count);
    sum_clipped(held->result, held, zero);
    free(zero);
    return held->result;
}

static const int64_t *finish_centered(void *state,
                                      const struct model_shape *shape,
                                      uint32_t addends)
{
    struct held *held = state;
    int64_t n = (int64_t)addends;
    size_t count = shape->parameter_count;
    int64_t *centre = pot_calloc(count, sizeof(*centre));
    POT_ASSERT(addends == held->count);
    sorted_median(held, centre);
    for (unsigned step = 1; step < AGGREGATION_CLIP_STEPS; step++) {
        sum_clipped(held->result, held, centre);
        for (size_t i = 0; i < count; i++) {
            centre[i] += fixed_divide(held->result[i], n);
        }
    }
    sum_clipped(held->result, held, centre);
    for (size_t i = 0; i < count; i++) {
        held->result[i] += n * centre[i];
    }
    free(centre);
    return held->result;
}

const struct aggregate_rule aggregate_clipped_mean = {
    .kind = POT__AGGREGATION__AGGREGATION_CLIPPED_MEAN,
    .open = held_open,
    .close = held_close,
    .add = held_add,
    .finish = finish_clipped,
};

const struct aggregate_rule aggregate_centered_clipping = {
    .kind = POT__AGGREGATION__AGGREGATION_CENTERED_CLIPPING,
    .open = held_open,
    .close = held_close,
    .add = held_add,
    .finish = finish_centered,
};
