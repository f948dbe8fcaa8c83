#include "config.h"

#include "training/exact_variants.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET           __attribute__((target("avx2,fma")))
#define VECTOR           __m256
#define LANES            8
#define LOAD(at)         _mm256_loadu_ps(at)
#define STORE(at, value) _mm256_storeu_ps(at, value)
#define ZERO()           _mm256_setzero_ps()
#define SPLAT(at)        _mm256_broadcast_ss(at)
#define FMA(a, b, c)     _mm256_fmadd_ps(a, b, c)
/* 12 sums, a panel's two vectors and an element of a: 15 of 16 registers. */
#define TILE_ROWS        6
#define FOR_TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)

#include "training/exact_give.h"

const struct product exact_avx2 = {
    "avx2", true, add_nt, set_nn, give_tn, step_tn,
};
#endif
