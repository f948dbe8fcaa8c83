/* product: the matrix products of a dense layer, in float32, row-major.
 *
 * A task says which lane multiplies for it:
 *
 *   blas   OpenBLAS's sgemm: as fast as it gets, with bits that differ from
 *          kernel to kernel
 *   exact  training/exact.h: the same bits on every machine */
#ifndef POT_TRAINING_PRODUCT_H
#define POT_TRAINING_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Floats of scratch that a product may use, aligned to a cache line: so many
 * for each step of the longest k that give_tn is asked for, which is taken to
 * be PRODUCT_K_MIN at least. */
#define PRODUCT_SCRATCH_STEP ((size_t)582)
#define PRODUCT_K_MIN        ((size_t)512)
#define PRODUCT_SCRATCH      (PRODUCT_K_MIN * PRODUCT_SCRATCH_STEP)

/* A layer's weights: floats, or Q8.24 for a product that takes it, which makes
 * floats of it on the way: exact scaling, one rounding. */
struct product_weights {
    const float *floats;
    const int32_t *fixed; /* NULL: they are floats */
    const float *bias;    /* add_nt: what each row of c begins with (n), NULL:
                             with what is there */
};

/* c (m, n), none of them 0; the arrays do not overlap. */
typedef void product_fn(float *c, const float *a, struct product_weights b,
                        size_t m, size_t n, size_t k, float *scratch);

/* A rectangle of c that is given out instead of being stored, borrowed for
 * the call. */
struct product_piece {
    const float *values; /* (rows, columns), rows values_stride apart */
    size_t values_stride;
    size_t first;  /* where its first value stands in what is taken */
    size_t stride; /* from row to row there */
    size_t rows;
    size_t columns;
    bool is_first; /* of the pieces for this place */
};

/* Who takes them.  False: take no more. */
struct product_taker {
    bool (*take)(void *context, const struct product_piece *piece);
    void *context;
    size_t origin; /* where c stands in what is taken */
};

/* c = transpose(a) * b for each block of k, block steps long but the last:
 * each place of c is given out once a block, the blocks in their order.
 * False: the taker said so. */
typedef bool product_give_fn(const struct product_taker *taker, const float *a,
                             const float *b, size_t m, size_t n, size_t k,
                             size_t block, float *scratch);

/* c -= rate * transpose(a) * b; rate > 0 */
typedef void product_step_fn(float *c, float rate, const float *a,
                             const float *b, size_t m, size_t n, size_t k,
                             float *scratch);

struct product {
    const char *name;
    bool takes_fixed;   /* weights in Q8.24 */
    product_fn *add_nt; /* c += a * transpose(b): a (m, k), b (n, k); or from
                           b's bias on */
    product_fn *set_nn; /* c = a * b: a (m, k), b (k, n) */
    product_give_fn *give_tn; /* a (k, m), b (k, n) */
    product_step_fn *step_tn; /* the same */
};

/* OpenBLAS on the kernel that it chose, or OPENBLAS_CORETYPE. */
extern const struct product product_blas;

#endif
