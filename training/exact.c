#include "config.h"

#include "training/exact.h"

#include "base/alloc.h"
#include "base/check.h"
#include "training/exact_variants.h"

#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
size_t exact_variants(const struct product *out[static EXACT_VARIANTS_MAX])
{
    size_t count = 0;
    if (__builtin_cpu_supports("avx512f")) {
        out[count++] = &exact_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        out[count++] = &exact_avx2;
    }
    out[count++] = &exact_scalar;
    return count;
}
#elif defined(__aarch64__)
size_t exact_variants(const struct product *out[static EXACT_VARIANTS_MAX])
{
    out[0] = &exact_neon;
    out[1] = &exact_scalar;
    return 2;
}
#else
size_t exact_variants(const struct product *out[static EXACT_VARIANTS_MAX])
{
    out[0] = &exact_scalar;
    return 1;
}
#endif

void exact_set_rounding(void)
{
    int rc = fesetenv(FE_DFL_ENV);
    POT_ASSERT(rc == 0);
}

/* ---- holding a variant against the scalar one */

#define FLOATS_MAX ((size_t)(460 * 400))

struct trial {
    uint64_t random;
    float *a;
    float *b;
    float *c;      /* what it was, then what the variant made of it */
    float *wanted; /* the same by the scalar one */
    int32_t *fixed;
    void *arena;
    float *scratch;
};

/* Numbers of all kinds but infinities: most of a size that makes every
 * rounding count, some zero, subnormal or too large to be multiplied. */
static float next_float(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    uint32_t bits = (uint32_t)(z >> 32);
    uint32_t kind = (uint32_t)z % 64;
    if (kind > 2) {
        bits = (bits & UINT32_C(0x807fffff)) | (120 + bits / 8 % 16) << 23;
    } else if (kind > 0) {
        bits &= kind == 1 ? UINT32_C(0x80000000) : UINT32_C(0x800fffff);
    } else {
        bits = (bits & UINT32_C(0x807fffff)) | UINT32_C(200) << 23;
    }
    float out;
    memcpy(&out, &bits, sizeof(out));
    return out;
}

static bool is_same(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(a + i, b + i, sizeof(*a)) != 0 &&
            !(isnan(a[i]) && isnan(b[i]))) {
            return false;
        }
    }
    return true;
}

/* Into c; a block that is not a place's first is taken from what is there. */
static bool store(void *context, const struct product_piece *piece)
{
    float *c = context;
    for (size_t i = 0; i < piece->rows; i++) {
        for (size_t j = 0; j < piece->columns; j++) {
            float *at = c + piece->first + i * piece->stride + j;
            float value = piece->values[i * piece->values_stride + j];
            *at = piece->is_first ? value : *at - value;
        }
    }
    return true;
}

static bool agrees_on_given(struct trial *t, const struct product *variant,
                            size_t m, size_t n, size_t k)
{
    const struct product_taker found = {store, t->c, 0};
    const struct product_taker wanted = {store, t->wanted, 0};
    size_t block = k > 2 ? k / 2 : k;
    memset(t->c, 0xff, m * n * sizeof(float));
    memset(t->wanted, 0xff, m * n * sizeof(float));
    return variant->give_tn(&found, t->a, t->b, m, n, k, block, t->scratch) &&
           exact_scalar.give_tn(&wanted, t->a, t->b, m, n, k, block,
                                t->scratch) &&
           is_same(t->c, t->wanted, m * n);
}

static bool agrees_on(struct trial *t, product_fn *variant, product_fn *scalar,
                      struct product_weights b, size_t m, size_t n, size_t k)
{
    POT_ASSERT(m * n <= FLOATS_MAX && m * k <= FLOATS_MAX &&
               n * k <= FLOATS_MAX);
    for (size_t i = 0; i < m * n; i++) {
        t->c[i] = next_float(&t->random);
    }
    memcpy(t->wanted, t->c, m * n * sizeof(float));
    variant(t->c, t->a, b, m, n, k, t->scratch);
    scalar(t->wanted, t->a, b, m, n, k, t->scratch);
    return is_same(t->c, t->wanted, m * n);
}

static bool agrees_on_steps(struct trial *t, const struct product *variant,
                            size_t m, size_t n, size_t k)
{
    for (size_t i = 0; i < m * n; i++) {
        t->c[i] = next_float(&t->random);
    }
    memcpy(t->wanted, t->c, m * n * sizeof(float));
    variant->step_tn(t->c, 0.3F, t->a, t->b, m, n, k, t->scratch);
    exact_scalar.step_tn(t->wanted, 0.3F, t->a, t->b, m, n, k, t->scratch);
    return is_same(t->c, t->wanted, m * n);
}

static bool agree(struct trial *t, const struct product *variant, size_t m,
                  size_t n, size_t k)
{
    const struct product_weights weights[] = {
        {.floats = t->b}, {.fixed = t->fixed}, {.floats = t->b, .bias = t->a}};
    bool is_agreed = agrees_on_given(t, variant, m, n, k) &&
                     agrees_on_steps(t, variant, m, n, k);
    for (size_t i = 0; is_agreed && i < 3; i++) {
        is_agreed = agrees_on(t, variant->add_nt, exact_scalar.add_nt,
                              weights[i], m, n, k) &&
                    agrees_on(t, variant->set_nn, exact_scalar.set_nn,
                              weights[i], m, n, k);
    }
    return is_agreed;
}

static bool agrees(struct trial *t, const struct product *variant)
{
    static const struct {
        size_t m;
        size_t n;
        size_t k;
    } shapes[] = {
        {1, 1, 1},     {3, 8, 5},    {3, 16, 5},
        {3, 24, 5},    {2, 20, 400}, /* two runs of k and a rest */
        {560, 261, 1},               /* several blocks of rows */
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        if (!agree(t, variant, shapes[i].m, shapes[i].n, shapes[i].k)) {
            return false;
        }
    }
    /* All heights of tiles, a's part packed and not. */
    for (size_t m = 1; m <= 15; m++) {
        if (!agree(t, variant, m, 37, 6) || !agree(t, variant, m, 261, 3)) {
            return false;
        }
    }
    return true;
}

bool exact_agrees(const struct product *variant)
{
    struct trial t = {.random = 1};
    t.arena = pot_calloc(4 * FLOATS_MAX + PRODUCT_SCRATCH, sizeof(float));
    t.fixed = pot_calloc(FLOATS_MAX, sizeof(*t.fixed));
    t.a = t.arena;
    t.b = t.a + FLOATS_MAX;
    t.c = t.b + FLOATS_MAX;
    t.wanted = t.c + FLOATS_MAX;
    t.scratch = t.wanted + FLOATS_MAX;
    for (size_t i = 0; i < 2 * FLOATS_MAX; i++) {
        t.a[i] = next_float(&t.random);
    }
    for (size_t i = 0; i < FLOATS_MAX; i++) {
        t.fixed[i] = (int32_t)(t.random >> i % 32);
        (void)next_float(&t.random);
    }
    bool is_agreed = agrees(&t, variant);
    free(t.fixed);
    free(t.arena);
    return is_agreed;
}
