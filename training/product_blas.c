#include "config.h"

#include "base/check.h"
#include "base/limits.h"
#include "training/product.h"

#include <cblas.h>

/* OpenBLAS counts in int. */
static int dimension(size_t value)
{
    POT_ASSERT(value > 0 && value <= LAYER_WIDTH_MAX);
    return (int)value;
}

static void add_nt(float *c, const float *a, const float *b, size_t m, size_t n,
                   size_t k, float *scratch)
{
    int inner = dimension(k);
    int columns = dimension(n);
    (void)scratch;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, dimension(m), columns,
                inner, 1.0F, a, inner, b, inner, 1.0F, c, columns);
}

static void set_nn(float *c, const float *a, const float *b, size_t m, size_t n,
                   size_t k, float *scratch)
{
    int inner = dimension(k);
    int columns = dimension(n);
    (void)scratch;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, dimension(m),
                columns, inner, 1.0F, a, inner, b, columns, 0.0F, c, columns);
}

static void set_tn(float *c, const float *a, const float *b, size_t m, size_t n,
                   size_t k, float *scratch)
{
    int rows = dimension(m);
    int columns = dimension(n);
    (void)scratch;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, columns,
                dimension(k), 1.0F, a, rows, b, columns, 0.0F, c, columns);
}

const struct product product_blas = {"blas", add_nt, set_nn, set_tn};
