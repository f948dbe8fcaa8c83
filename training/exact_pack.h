/* exact_pack: parts of matrices, brought into the order in which a tile reads
 * them: k after k, of a panel of b's columns PANEL floats each, of a tile of
 * a's rows as many as it has.  For training/exact_tile.h, which says what must
 * be defined before. */
#ifndef POT_TRAINING_EXACT_PACK_H
#define POT_TRAINING_EXACT_PACK_H

#include "base/fixed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PANEL       ((size_t)(2 * LANES))
#define WEIGHT_UNIT 0x1p-24F
/* Rows of a matrix lie far apart: they are asked for before their turn. */
#define ROWS_AHEAD ((size_t)12)

_Static_assert(FIXED_BITS == 24, "WEIGHT_UNIT is the unit of Q8.24");

#ifdef __clang__
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif
#define INLINE TARGET __attribute__((always_inline)) static inline

/* A matrix or a part of one.  Of a: element (i, k) is at[i * stride + k], or
 * at[k * stride + i] when k runs down.  Of b: (k, j) is at[j * stride + k],
 * or at[k * stride + j] when k runs down; b may hold Q8.24 in place of the
 * floats, which packing makes of it. */
struct operand {
    const float *at;
    size_t stride;
    bool is_k_down;
    bool is_fixed;
};

typedef float four __attribute__((vector_size(16)));
typedef float eight __attribute__((vector_size(32)));
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t four_fixed __attribute__((vector_size(16)));
typedef int32_t eight_fixed __attribute__((vector_size(32)));
typedef int32_t lanes_fixed __attribute__((vector_size(4 * LANES)));

/* out = a vector of floats at from, or of Q8.24. */
#define TAKE(type, out, from, is_fixed)                                        \
    do {                                                                       \
        type##_fixed taken_;                                                   \
        memcpy(&taken_, from, sizeof(taken_));                                 \
        if (is_fixed) {                                                        \
            out = __builtin_convertvector(taken_, type) * WEIGHT_UNIT;         \
        } else {                                                               \
            memcpy(&out, &taken_, sizeof(taken_));                             \
        }                                                                      \
    } while (0)

INLINE float take_one(const float *from, bool is_fixed)
{
    int32_t fixed;
    memcpy(&fixed, from, sizeof(fixed));
    return is_fixed ? (float)fixed * WEIGHT_UNIT : *from;
}

INLINE void transpose_4x4(float *out, size_t out_stride, const float *in,
                          size_t in_stride, bool is_fixed)
{
    four a;
    four b;
    four c;
    four d;
    TAKE(four, a, in, is_fixed);
    TAKE(four, b, in + in_stride, is_fixed);
    TAKE(four, c, in + 2 * in_stride, is_fixed);
    TAKE(four, d, in + 3 * in_stride, is_fixed);
    four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    four rows[4] = {
        __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
        __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
        __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
        __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7),
    };
    for (size_t i = 0; i < 4; i++) {
        memcpy(out + i * out_stride, &rows[i], sizeof(rows[i]));
    }
}

/* The same for twice as many, with half of the stores. */
INLINE void transpose_8x8(float *out, size_t out_stride, const float *in,
                          size_t in_stride, bool is_fixed)
{
    eight rows[8];
    eight pairs[8];
    UNROLLED
    for (size_t i = 0; i < 8; i++) {
        TAKE(eight, rows[i], in + i * in_stride, is_fixed);
    }
    UNROLLED
    for (size_t i = 0; i < 8; i += 2) {
        pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 1, 9, 4,
                                           12, 5, 13);
        pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 10, 3,
                                               11, 6, 14, 7, 15);
    }
    UNROLLED
    for (size_t i = 0; i < 8; i += 4) {
        UNROLLED
        for (size_t j = 0; j < 2; j++) {
            rows[i + 2 * j] = __builtin_shufflevector(
                pairs[i + j], pairs[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            rows[i + 2 * j + 1] = __builtin_shufflevector(
                pairs[i + j], pairs[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    UNROLLED
    for (size_t i = 0; i < 4; i++) {
        eight low = __builtin_shufflevector(rows[i], rows[i + 4], 0, 1, 2, 3, 8,
                                            9, 10, 11);
        eight high = __builtin_shufflevector(rows[i], rows[i + 4], 4, 5, 6, 7,
                                             12, 13, 14, 15);
        memcpy(out + i * out_stride, &low, sizeof(low));
        memcpy(out + (i + 4) * out_stride, &high, sizeof(high));
    }
}

/* out (run, count) = transpose(in (count, run)): squares, of which the last
 * lies over the one before where they do not fill the height. */
INLINE void transpose(float *out, size_t out_stride, const float *in,
                      size_t in_stride, size_t count, size_t run, bool is_fixed)
{
    size_t side = count < 8 ? 4 : 8;
    size_t squares = count < side ? 0 : run / side * side;
    for (size_t i = 0; squares > 0 && i < count; i += side) {
        size_t row = count - i < side ? count - side : i;
        const float *from = in + row * in_stride;
        for (size_t k = 0; k < squares; k += side) {
            float *to = out + k * out_stride + row;
            if (side == 8) {
                transpose_8x8(to, out_stride, from + k, in_stride, is_fixed);
            } else {
                transpose_4x4(to, out_stride, from + k, in_stride, is_fixed);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = squares; k < run; k++) {
            out[k * out_stride + i] =
                take_one(in + i * in_stride + k, is_fixed);
        }
    }
}

TARGET static void transpose_floats(float *out, size_t out_stride,
                                    const float *in, size_t in_stride,
                                    size_t count, size_t run)
{
    transpose(out, out_stride, in, in_stride, count, run, false);
}

TARGET static void transpose_fixed(float *out, size_t out_stride,
                                   const float *in, size_t in_stride,
                                   size_t count, size_t run)
{
    transpose(out, out_stride, in, in_stride, count, run, true);
}

/* out (run, count), tightly: rows of whole vectors, of which what is too much
 * is overwritten by the next row; the last rows would go beyond the end. */
INLINE void gather(float *out, const float *in, size_t in_stride, size_t count,
                   size_t run, bool is_fixed)
{
    size_t vectors = (count + LANES - 1) / LANES;
    size_t k = 0;
    for (; (run - k) * count >= vectors * LANES; k++) {
        __builtin_prefetch(in + ROWS_AHEAD * in_stride);
        __builtin_prefetch(in + ROWS_AHEAD * in_stride + count - 1);
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            lanes taken;
            TAKE(lanes, taken, in + v * LANES, is_fixed);
            memcpy(out + v * LANES, &taken, sizeof(taken));
        }
        in += in_stride;
        out += count;
    }
    for (; k < run; k++) {
        for (size_t i = 0; i < count; i++) {
            out[i] = take_one(in + i, is_fixed);
        }
        in += in_stride;
        out += count;
    }
}

TARGET static void pack_panel(float *panel, struct operand b, size_t columns,
                              size_t run)
{
    if (columns < PANEL) {
        memset(panel, 0, run * PANEL * sizeof(float));
    }
    if (!b.is_k_down) {
        (b.is_fixed ? transpose_fixed : transpose_floats)(
            panel, PANEL, b.at, b.stride, columns, run);
    } else if (columns < PANEL) {
        for (size_t k = 0; k < run; k++) {
            for (size_t j = 0; j < columns; j++) {
                panel[k * PANEL + j] =
                    take_one(b.at + k * b.stride + j, b.is_fixed);
            }
        }
    } else if (b.is_fixed) { /* vectors of a constant number */
        gather(panel, b.at, b.stride, PANEL, run, true);
    } else {
        gather(panel, b.at, b.stride, PANEL, run, false);
    }
}

#endif
