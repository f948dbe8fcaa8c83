/* Columns are sorted by Batcher's network (Knuth, The Art of Computer
 * Programming, volume 3, 5.2.2, Algorithm M): which rows are compared does not
 * depend on what is in them, so no gradient can make it slow, and a block of
 * columns is sorted by minima and maxima of whole rows. */
#include "config.h"

#include "ledger/aggregate_sorted.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "ledger/aggregate_rule.h"

#include <stdlib.h>

static void exchange(int64_t *restrict low, int64_t *restrict high)
{
    for (size_t i = 0; i < HELD_BLOCK; i++) {
        int64_t a = low[i];
        int64_t b = high[i];
        low[i] = a < b ? a : b;
        high[i] = a < b ? b : a;
    }
}

static void exchange_pairs(int64_t *rows, size_t count, size_t distance,
                           size_t mask, size_t wanted)
{
    for (size_t i = 0; i + distance < count; i++) {
        if ((i & mask) == wanted) {
            exchange(rows + i * HELD_BLOCK, rows + (i + distance) * HELD_BLOCK);
        }
    }
}

/* Each column of rows, (count, HELD_BLOCK), ascending. */
static void sort_columns(int64_t *rows, size_t count)
{
    size_t top = 1;
    while (2 * top < count) {
        top *= 2;
    }
    for (size_t p = top; p > 0; p /= 2) {
        exchange_pairs(rows, count, p, p, 0);
        for (size_t q = top; q > p; q /= 2) {
            exchange_pairs(rows, count, q - p, p, p);
        }
    }
}

/* What a rule makes of one sorted column. */
typedef int64_t take_column(const int64_t *column, size_t count, size_t cut);

static void each_column(const struct held *held, int64_t *out,
                        take_column *take, size_t cut)
{
    size_t parameters = held->shape->parameter_count;
    int64_t *rows = pot_calloc(held->count * HELD_BLOCK, sizeof(*rows));
    POT_ASSERT(held->count > 0);
    for (size_t first = 0; first < parameters; first += HELD_BLOCK) {
        held_read(held, first, rows);
        sort_columns(rows, held->count);
        for (size_t i = 0; i < held_block(held, first); i++) {
            out[first + i] = take(rows + i, held->count, cut);
        }
    }
    free(rows);
}

/* ---- the median */

/* The two middle ones, added up; the same one twice when the count is odd. */
static int64_t middle_twice(const int64_t *column, size_t count)
{
    return column[(count - 1) / 2 * HELD_BLOCK] +
           column[count / 2 * HELD_BLOCK];
}

static int64_t take_median(const int64_t *column, size_t count, size_t cut)
{
    (void)cut;
    return fixed_shift_right(middle_twice(column, count), 1);
}

void sorted_median(const struct held *held, int64_t *out)
{
    each_column(held, out, take_median, 0);
}

/* count times the median: exact, for one of the factors is even. */
static int64_t take_median_times(const int64_t *column, size_t count,
                                 size_t cut)
{
    int64_t twice = middle_twice(column, count);
    int64_t n = (int64_t)count;
    (void)cut;
    return n % 2 == 0 ? twice * (n / 2) : twice / 2 * n;
}

static const int64_t *finish_median(void *state,
                                    const struct model_shape *shape,
                                    uint32_t addends)
{
    struct held *held = state;
    (void)shape;
    POT_ASSERT(addends == held->count);
    each_column(held, held->result, take_median_times, 0);
    return held->result;
}

const struct aggregate_rule aggregate_median = {
    .kind = POT__AGGREGATION__AGGREGATION_MEDIAN,
    .open = held_open,
    .close = held_close,
    .add = held_add,
    .finish = finish_median,
};

/* ---- the trimmed mean */

static int64_t take_trimmed(const int64_t *column, size_t count, size_t cut)
{
    int64_t sum = 0;
    for (size_t i = cut; i < count - cut; i++) {
        sum += column[i * HELD_BLOCK];
    }
    return held_scale(sum, count, count - 2 * cut);
}

static const int64_t *finish_trimmed(void *state,
                                     const struct model_shape *shape,
                                     uint32_t addends)
{
    struct held *held = state;
    uint64_t cut = (uint64_t)addends * held->spec->trim_share_ppm / PPM_ONE;
    (void)shape;
    POT_ASSERT(addends == held->count && 2 * cut < held->count);
    each_column(held, held->result, take_trimmed, (size_t)cut);
    return held->result;
}

const struct aggregate_rule aggregate_trimmed_mean = {
    .kind = POT__AGGREGATION__AGGREGATION_TRIMMED_MEAN,
    .open = held_open,
    .close = held_close,
    .add = held_add,
    .finish = finish_trimmed,
};
