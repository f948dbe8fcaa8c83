#include "config.h"

#include "training/exact_variants.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define TARGET
#define VECTOR           float32x4_t
#define LANES            4
#define LOAD(at)         vld1q_f32(at)
#define STORE(at, value) vst1q_f32(at, value)
#define ZERO()           vdupq_n_f32(0.0F)
#define SPLAT(at)        vld1q_dup_f32(at)
#define FMA(a, b, c)     vfmaq_f32(c, a, b)
/* 24 sums, a panel's two vectors and an element of a: 27 of 32 registers. */
#define TILE_ROWS 12
#define FOR_TILE_ROWS(X)                                                       \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)

#include "training/exact_give.h"

const struct product exact_neon = {
    "neon", true, add_nt, set_nn, give_tn, step_tn,
};
#endif
