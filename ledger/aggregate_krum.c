/* Krum: the gradient that lies closest to its neighbours; multi-Krum: the
 * mean of several such.
 *
 * Blanchard, El Mhamdi, Guerraoui, Stainer: Machine Learning with
 * Adversaries: Byzantine Tolerant Gradient Descent (NIPS 2017), section 4: of
 * n gradients, f of them hostile and n >= 2f + 3, each is scored by the sum of
 * the squared distances to its n - f - 2 nearest others, and the lowest score
 * is taken.  Multi-Krum takes the n - f - 2 lowest, the most for which a bound
 * is known (Damaskinos et al., AggregaThor, MLSys 2019).
 *
 * Distances are exact.  A sum of them is clamped at 2^128 - 1, which only
 * gradients of a norm beyond 2^22 reach.  Among equal scores the smaller
 * bytes go first, so that the order of the miners says nothing.  n * n / 2
 * distances are held, 134 MB at most. */
#include "config.h"

#include "ledger/aggregate_rule.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/aggregate_held.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
    held_wide score;
    const struct held *held;
    size_t row;
};

/* Of rows i > j in the triangle of distances. */
static size_t pair_index(size_t i, size_t j)
{
    return i > j ? i * (i - 1) / 2 + j : j * (j - 1) / 2 + i;
}

static void add_block_distances(held_wide *distances, const int64_t *rows,
                                size_t count, size_t size)
{
    for (size_t i = 1; i < count; i++) {
        const int64_t *a = rows + i * HELD_BLOCK;
        for (size_t j = 0; j < i; j++) {
            const int64_t *b = rows + j * HELD_BLOCK;
            held_wide sum = 0;
            for (size_t k = 0; k < size; k++) {
                sum += held_square(a[k] - b[k]);
            }
            distances[pair_index(i, j)] += sum;
        }
    }
}

static held_wide *measure_distances(const struct held *held)
{
    size_t count = held->count;
    held_wide *distances = pot_calloc(pair_index(count, 0), sizeof(*distances));
    int64_t *rows = pot_calloc(count * HELD_BLOCK, sizeof(*rows));
    for (size_t first = 0; first < held->shape->parameter_count;
         first += HELD_BLOCK) {
        held_read(held, first, rows);
        add_block_distances(distances, rows, count, held_block(held, first));
    }
    free(rows);
    return distances;
}

static int compare_wide(const void *a, const void *b)
{
    const held_wide *x = a;
    const held_wide *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The sum of the `nearest` smallest distances of a row, clamped; scratch
 * holds count. */
static held_wide score_of(const held_wide *distances, size_t count, size_t row,
                          size_t nearest, held_wide *scratch)
{
    size_t others = 0;
    held_wide sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (i != row) {
            scratch[others++] = distances[pair_index(row, i)];
        }
    }
    POT_ASSERT(nearest <= others);
    qsort(scratch, others, sizeof(*scratch), compare_wide);
    for (size_t i = 0; i < nearest; i++) {
        held_wide next = sum + scratch[i];
        sum = next < sum ? ~(held_wide)0 : next;
    }
    return sum;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    int order = compare_wide(&x->score, &y->score);
    const struct model_shape *shape = x->held->shape;
    const struct gradient *g = &x->held->rows[x->row];
    const struct gradient *h = &y->held->rows[y->row];
    if (order == 0) {
        order = memcmp(g->exponents, h->exponents, shape->tensor_count);
    }
    POT_ASSERT(g->width == h->width);
    return order != 0 ? order
                      : memcmp(g->elements, h->elements,
                               g->width * shape->parameter_count);
}

static struct candidate *rank(const struct held *held, size_t nearest)
{
    size_t count = held->count;
    held_wide *distances = measure_distances(held);
    held_wide *scratch = pot_calloc(count, sizeof(*scratch));
    struct candidate *ranked = pot_calloc(count, sizeof(*ranked));
    for (size_t i = 0; i < count; i++) {
        ranked[i] = (struct candidate){
            .score = score_of(distances, count, i, nearest, scratch),
            .held = held,
            .row = i,
        };
    }
    qsort(ranked, count, sizeof(*ranked), compare_candidates);
    free(scratch);
    free(distances);
    return ranked;
}

/* The best of the ranked rows, as many as taken, as a sum over all. */
static void add_best(struct held *held, const struct candidate *ranked,
                     size_t taken)
{
    int64_t values[HELD_BLOCK];
    size_t parameters = held->shape->parameter_count;
    for (size_t first = 0; first < parameters; first += HELD_BLOCK) {
        int64_t *out = held->result + first;
        size_t size = held_block(held, first);
        memset(out, 0, size * sizeof(*out));
        for (size_t r = 0; r < taken; r++) {
            held_read_row(held, ranked[r].row, first, values);
            for (size_t i = 0; i < size; i++) {
                out[i] += values[i];
            }
        }
        for (size_t i = 0; i < size; i++) {
            out[i] = held_scale(out[i], held->count, taken);
        }
    }
}

static const int64_t *finish(struct held *held, bool is_multi)
{
    size_t faulty = held->spec->krum_faulty;
    POT_ASSERT(held->count >= 2 * faulty + 3);
    size_t nearest = held->count - faulty - 2;
    struct candidate *ranked = rank(held, nearest);
    add_best(held, ranked, is_multi ? nearest : 1);
    free(ranked);
    return held->result;
}

static const int64_t *finish_krum(void *state, const struct model_shape *shape,
                                  uint32_t addends)
{
    (void)shape;
    (void)addends;
    return finish(state, false);
}

static const int64_t *finish_multi_krum(void *state,
                                        const struct model_shape *shape,
                                        uint32_t addends)
{
    (void)shape;
    (void)addends;
    return finish(state, true);
}

const struct aggregate_rule aggregate_krum = {
    .kind = POT__AGGREGATION__AGGREGATION_KRUM,
    .open = held_open,
    .close = held_close,
    .add = held_add,
    .finish = finish_krum,
};

const struct aggregate_rule aggregate_multi_krum = {
    .kind = POT__AGGREGATION__AGGREGATION_MULTI_KRUM,
    .open = held_open,
    .close = held_close,
    .add = held_add,
    .finish = finish_multi_krum,
};
