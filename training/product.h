/* product: the matrix products of a dense layer, in float32, row-major.
 *
 * A task says which lane multiplies for it:
 *
 *   blas   OpenBLAS's sgemm: as fast as it gets, with bits that differ from
 *          kernel to kernel
 *   exact  training/exact.h: the same bits on every machine */
#ifndef POT_TRAINING_PRODUCT_H
#define POT_TRAINING_PRODUCT_H

#include <stddef.h>

/* Floats of scratch that a product may use, aligned to a cache line. */
#define PRODUCT_SCRATCH ((size_t)(480 * 264))

/* c (m, n), none of them 0; the arrays do not overlap. */
typedef void product_fn(float *c, const float *a, const float *b, size_t m,
                        size_t n, size_t k, float *scratch);

struct product {
    const char *name;
    product_fn *add_nt; /* c += a * transpose(b): a (m, k), b (n, k) */
    product_fn *set_nn; /* c = a * b: a (m, k), b (k, n) */
    product_fn *set_tn; /* c = transpose(a) * b: a (k, m), b (k, n) */
};

/* OpenBLAS on the kernel that it chose, or OPENBLAS_CORETYPE. */
extern const struct product product_blas;

#endif
