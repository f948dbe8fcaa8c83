#include "config.h"

#include "training/exact.h"

#include <float.h>
#include <math.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "a float is rounded to a float each time");

/* c += a * b, where k is row_a or step_a apart in a, and step_b in b. */
static void chains(float *c, const float *a, size_t row_a, size_t step_a,
                   const float *b, size_t column_b, size_t step_b, size_t m,
                   size_t n, size_t k)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            float sum = c[i * n + j];
            for (size_t l = 0; l < k; l++) {
                sum = fmaf(a[i * row_a + l * step_a],
                           b[j * column_b + l * step_b], sum);
            }
            c[i * n + j] = sum;
        }
    }
}

static void add_nt(float *c, const float *a, const float *b, size_t m, size_t n,
                   size_t k, float *scratch)
{
    (void)scratch;
    chains(c, a, k, 1, b, k, 1, m, n, k);
}

static void set_nn(float *c, const float *a, const float *b, size_t m, size_t n,
                   size_t k, float *scratch)
{
    (void)scratch;
    memset(c, 0, m * n * sizeof(float));
    chains(c, a, k, 1, b, 1, n, m, n, k);
}

static void set_tn(float *c, const float *a, const float *b, size_t m, size_t n,
                   size_t k, float *scratch)
{
    (void)scratch;
    memset(c, 0, m * n * sizeof(float));
    chains(c, a, 1, m, b, 1, n, m, n, k);
}

const struct product exact_scalar = {"scalar", add_nt, set_nn, set_tn};
