#include "config.h"

#include "training/exact.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define PIECE ((size_t)64)

_Static_assert(FLT_EVAL_METHOD == 0, "a float is rounded to a float each time");

static float weight(struct product_weights b, size_t at)
{
    return b.fixed == NULL ? b.floats[at] : (float)b.fixed[at] * 0x1p-24F;
}

/* c += a * b, where k is row_a or step_a apart in a, and step_b in b. */
static void chains(float *c, const float *a, size_t row_a, size_t step_a,
                   struct product_weights b, size_t column_b, size_t step_b,
                   size_t m, size_t n, size_t k)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            float sum = c[i * n + j];
            for (size_t l = 0; l < k; l++) {
                sum = fmaf(a[i * row_a + l * step_a],
                           weight(b, j * column_b + l * step_b), sum);
            }
            c[i * n + j] = sum;
        }
    }
}

static void add_nt(float *c, const float *a, struct product_weights b, size_t m,
                   size_t n, size_t k, float *scratch)
{
    (void)scratch;
    for (size_t i = 0; b.bias != NULL && i < m; i++) {
        memcpy(c + i * n, b.bias, n * sizeof(float));
    }
    chains(c, a, k, 1, b, k, 1, m, n, k);
}

static void set_nn(float *c, const float *a, struct product_weights b, size_t m,
                   size_t n, size_t k, float *scratch)
{
    (void)scratch;
    memset(c, 0, m * n * sizeof(float));
    chains(c, a, k, 1, b, 1, n, m, n, k);
}

/* A piece of a row in all blocks of k. */
static bool give_piece(const struct product_taker *taker,
                       struct product_piece *piece, const float *a,
                       const float *b, size_t m, size_t n, size_t k,
                       size_t block)
{
    float sums[PIECE];
    bool is_taken = true;
    piece->values = sums;
    for (size_t l = 0; is_taken && l < k; l += block) {
        memset(sums, 0, sizeof(sums));
        chains(sums, a + l * m, 1, m,
               (struct product_weights){.floats = b + l * n}, 1, n, 1,
               piece->columns, k - l < block ? k - l : block);
        piece->is_first = l == 0;
        is_taken = taker->take(taker->context, piece);
    }
    return is_taken;
}

static bool give_tn(const struct product_taker *taker, const float *a,
                    const float *b, size_t m, size_t n, size_t k, size_t block,
                    float *scratch)
{
    bool is_taken = true;
    (void)scratch;
    for (size_t i = 0; is_taken && i < m; i++) {
        for (size_t j = 0; is_taken && j < n; j += PIECE) {
            struct product_piece piece = {
                .values_stride = PIECE,
                .first = taker->origin + i * n + j,
                .stride = n,
                .rows = 1,
                .columns = n - j < PIECE ? n - j : PIECE,
            };
            is_taken = give_piece(taker, &piece, a + i, b + j, m, n, k, block);
        }
    }
    return is_taken;
}

static void step_tn(float *c, float rate, const float *a, const float *b,
                    size_t m, size_t n, size_t k, float *scratch)
{
    (void)scratch;
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            float sum = 0.0F;
            chains(&sum, a + i, 1, m, (struct product_weights){.floats = b + j},
                   1, n, 1, 1, k);
            c[i * n + j] = fmaf(-rate, sum, c[i * n + j]);
        }
    }
}

const struct product exact_scalar = {
    "scalar", true, add_nt, set_nn, give_tn, step_tn,
};
