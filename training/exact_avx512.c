#include "config.h"

#include "training/exact_variants.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET           __attribute__((target("avx512f")))
#define VECTOR           __m512
#define LANES            16
#define LOAD(at)         _mm512_loadu_ps(at)
#define STORE(at, value) _mm512_storeu_ps(at, value)
#define ZERO()           _mm512_setzero_ps()
#define SPLAT(at)        _mm512_set1_ps(*(at))
#define FMA(a, b, c)     _mm512_fmadd_ps(a, b, c)
/* 28 sums, a panel's two vectors and an element of a: 31 of 32 registers. */
#define TILE_ROWS 14
#define FOR_TILE_ROWS(X)                                                       \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)

#include "training/exact_give.h"

const struct product exact_avx512 = {
    "avx512", true, add_nt, set_nn, give_tn, step_tn,
};
#endif
