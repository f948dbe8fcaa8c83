#include "config.h"

#include "base/check.h"
#include "base/limits.h"
#include "training/product.h"

#include <cblas.h>
#include <string.h>

/* A gradient is given out in rectangles that the second cache holds. */
#define PIECE         ((size_t)(144 * 1024))
#define PIECE_COLUMNS ((size_t)1024)

_Static_assert(PIECE <= PRODUCT_SCRATCH, "a rectangle lies in the scratch");

/* OpenBLAS counts in int. */
static int dimension(size_t value)
{
    POT_ASSERT(value > 0 && value <= LAYER_WIDTH_MAX);
    return (int)value;
}

static void add_nt(float *c, const float *a, struct product_weights b, size_t m,
                   size_t n, size_t k, float *scratch)
{
    POT_ASSERT(b.fixed == NULL);
    int inner = dimension(k);
    int columns = dimension(n);
    (void)scratch;
    for (size_t i = 0; b.bias != NULL && i < m; i++) {
        memcpy(c + i * n, b.bias, n * sizeof(float));
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, dimension(m), columns,
                inner, 1.0F, a, inner, b.floats, inner, 1.0F, c, columns);
}

static void set_nn(float *c, const float *a, struct product_weights b, size_t m,
                   size_t n, size_t k, float *scratch)
{
    POT_ASSERT(b.fixed == NULL);
    int inner = dimension(k);
    int columns = dimension(n);
    (void)scratch;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, dimension(m),
                columns, inner, 1.0F, a, inner, b.floats, columns, 0.0F, c,
                columns);
}

/* Columns of a rectangle: all about as wide. */
static size_t piece_columns(size_t n)
{
    size_t count = (n + PIECE_COLUMNS - 1) / PIECE_COLUMNS;
    return (n + count - 1) / count;
}

/* One rectangle in all blocks of k. */
static bool give_piece(const struct product_taker *taker,
                       struct product_piece *piece, const float *a,
                       const float *b, size_t m, size_t n, size_t k,
                       size_t block, float *scratch)
{
    int columns = dimension(piece->columns);
    bool is_taken = true;
    for (size_t l = 0; is_taken && l < k; l += block) {
        size_t steps = k - l < block ? k - l : block;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans,
                    dimension(piece->rows), columns, dimension(steps), 1.0F,
                    a + l * m, dimension(m), b + l * n, dimension(n), 0.0F,
                    scratch, columns);
        piece->is_first = l == 0;
        is_taken = taker->take(taker->context, piece);
    }
    return is_taken;
}

static bool give_tn(const struct product_taker *taker, const float *a,
                    const float *b, size_t m, size_t n, size_t k, size_t block,
                    float *scratch)
{
    size_t width = piece_columns(n);
    size_t height = PIECE / width;
    bool is_taken = true;
    for (size_t i = 0; is_taken && i < m; i += height) {
        for (size_t j = 0; is_taken && j < n; j += width) {
            struct product_piece piece = {
                .values = scratch,
                .first = taker->origin + i * n + j,
                .stride = n,
                .rows = m - i < height ? m - i : height,
                .columns = n - j < width ? n - j : width,
            };
            piece.values_stride = piece.columns;
            is_taken = give_piece(taker, &piece, a + i, b + j, m, n, k, block,
                                  scratch);
        }
    }
    return is_taken;
}

static void step_tn(float *c, float rate, const float *a, const float *b,
                    size_t m, size_t n, size_t k, float *scratch)
{
    (void)scratch;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, dimension(m),
                dimension(n), dimension(k), -rate, a, dimension(m), b,
                dimension(n), 1.0F, c, dimension(n));
}

const struct product product_blas = {
    "blas", false, add_nt, set_nn, give_tn, step_tn,
};
