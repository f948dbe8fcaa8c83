#include "config.h"

#include "ledger/row_sums.h"

#define COLUMNS ROW_SUMS_COLUMNS
#define HALF    (ROW_SUMS_COLUMNS / 2)

static void add_plain(int64_t sums[static COLUMNS], const int32_t *panel,
                      const struct row_input *inputs, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        const int32_t *w = panel + inputs[k].index * (size_t)COLUMNS;
        int64_t x = inputs[k].value;
        for (size_t j = 0; j < HALF; j++) {
            sums[j] += x * w[2 * j];
            sums[j + HALF] += x * w[2 * j + 1];
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#ifdef __clang__
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 8")
#endif

/* Both multiply the even ones of their 32-bit integers: the odd ones are
 * moved there.  sums[i] are columns of the first half, sums[i + VECTORS] of
 * the second. */
#define VECTORS 4

__attribute__((target("avx512f"))) static void add_avx512(
    int64_t sums[static COLUMNS], const int32_t *panel,
    const struct row_input *inputs, size_t count)
{
    __m512i s[2 * VECTORS];
    UNROLLED
    for (size_t i = 0; i < 2 * VECTORS; i++) {
        s[i] = _mm512_loadu_si512(sums + 8 * i);
    }
    for (size_t k = 0; k < count; k++) {
        const int32_t *at = panel + inputs[k].index * (size_t)COLUMNS;
        __m512i x = _mm512_set1_epi32(inputs[k].value);
        UNROLLED
        for (size_t i = 0; i < VECTORS; i++) {
            __m512i w = _mm512_loadu_si512(at + 16 * i);
            __m512i odd = _mm512_srli_epi64(w, 32);
            s[i] = _mm512_add_epi64(s[i], _mm512_mul_epi32(x, w));
            s[i + VECTORS] =
                _mm512_add_epi64(s[i + VECTORS], _mm512_mul_epi32(x, odd));
        }
    }
    UNROLLED
    for (size_t i = 0; i < 2 * VECTORS; i++) {
        _mm512_storeu_si512(sums + 8 * i, s[i]);
    }
}

/* Of the panel's columns in 16 + 16: as many sums as registers hold. */
__attribute__((target("avx2"))) static void add_avx2_part(
    int64_t *sums, const int32_t *panel, const struct row_input *inputs,
    size_t count)
{
    __m256i s[2 * VECTORS];
    UNROLLED
    for (size_t i = 0; i < VECTORS; i++) {
        s[i] = _mm256_loadu_si256((const void *)(sums + 4 * i));
        s[i + VECTORS] =
            _mm256_loadu_si256((const void *)(sums + HALF + 4 * i));
    }
    for (size_t k = 0; k < count; k++) {
        const int32_t *at = panel + inputs[k].index * (size_t)COLUMNS;
        __m256i x = _mm256_set1_epi32(inputs[k].value);
        UNROLLED
        for (size_t i = 0; i < VECTORS; i++) {
            __m256i w = _mm256_loadu_si256((const void *)(at + 8 * i));
            __m256i odd = _mm256_srli_epi64(w, 32);
            s[i] = _mm256_add_epi64(s[i], _mm256_mul_epi32(x, w));
            s[i + VECTORS] =
                _mm256_add_epi64(s[i + VECTORS], _mm256_mul_epi32(x, odd));
        }
    }
    UNROLLED
    for (size_t i = 0; i < VECTORS; i++) {
        _mm256_storeu_si256((void *)(sums + 4 * i), s[i]);
        _mm256_storeu_si256((void *)(sums + HALF + 4 * i), s[i + VECTORS]);
    }
}

static void add_avx2(int64_t sums[static COLUMNS], const int32_t *panel,
                     const struct row_input *inputs, size_t count)
{
    add_avx2_part(sums, panel, inputs, count);
    add_avx2_part(sums + HALF / 2, panel + HALF, inputs, count);
}

size_t row_sums_variants(row_sums_fn *out[static ROW_SUMS_VARIANTS_MAX])
{
    size_t count = 0;
    if (__builtin_cpu_supports("avx512f")) {
        out[count++] = add_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        out[count++] = add_avx2;
    }
    out[count++] = add_plain;
    return count;
}
#else
size_t row_sums_variants(row_sums_fn *out[static ROW_SUMS_VARIANTS_MAX])
{
    out[0] = add_plain;
    return 1;
}
#endif
