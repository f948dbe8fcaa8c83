/* exact_tile: the exact products with vectors of any width.  Included once by
 * each exact_*.c, which defines, for its instruction set:
 *
 *   TARGET              the attribute of functions that use it
 *   VECTOR, LANES       a vector and its number of floats
 *   LOAD STORE ZERO SPLAT FMA
 *   TILE_ROWS           rows of a tile: as many as the registers hold, twice
 *   FOR_TILE_ROWS(X)    X(1) to X(TILE_ROWS)
 *
 * c is cut into panels of PANEL columns; k into runs of at most RUN, between
 * which c rests in memory, which changes no bit of it.  b's part of a panel
 * is packed, so that it stays in the first cache while tiles of rows pass by
 * it; a's part is, too, where enough panels will read it again:
 *
 *   for each run of k
 *       for each block of rows      [pack a's]
 *           for each panel          pack b's
 *               for each tile       registers: one chain an element */
#ifndef POT_TRAINING_EXACT_TILE_H
#define POT_TRAINING_EXACT_TILE_H

#include "training/exact.h"

#include <stdint.h>
#include <string.h>

#define PANEL      ((size_t)(2 * LANES))
#define RUN        ((size_t)264)
#define BLOCK_ROWS ((size_t)(32 * TILE_ROWS))
/* Columns of c from which on packing a pays. */
#define PACK_COLUMNS ((size_t)256)
/* Rows of a matrix lie far apart: they are asked for before their turn. */
#define ROWS_AHEAD ((size_t)12)

_Static_assert((32 * TILE_ROWS + 2 * LANES) * 264 <= PRODUCT_SCRATCH,
               "a block's rows and a panel are packed into the scratch");
_Static_assert(TILE_ROWS <= 15, "a tile's rows have five anchors, three each");

#ifdef __clang__
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif
#define INLINE TARGET __attribute__((always_inline)) static inline

/* A matrix or a part of one.  Of a: element (i, k) is at[i * stride + k], or
 * at[k * stride + i] when k runs down.  Of b: (k, j) is at[j * stride + k],
 * or at[k * stride + j] when k runs down. */
struct operand {
    const float *at;
    size_t stride;
    bool is_k_down;
};

/* rows and vectors are constants wherever this is inlined: what is left is
 * rows * vectors chains in registers. */
INLINE void tile(float *c, size_t c_stride, struct operand a,
                 const float *panel, size_t run, bool is_added, size_t rows,
                 size_t vectors)
{
    VECTOR sums[TILE_ROWS][2];
    const float *anchors[5];
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            sums[i][v] = is_added ? LOAD(c + i * c_stride + v * LANES) : ZERO();
        }
    }
    UNROLLED
    for (size_t i = 0; i < 5; i++) {
        anchors[i] = a.at + 3 * i * (a.is_k_down ? 1 : a.stride);
    }
    for (size_t k = 0; k < run; k++) {
        VECTOR b[2];
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            b[v] = LOAD(panel + k * PANEL + v * LANES);
        }
        UNROLLED
        for (size_t i = 0; i < rows; i++) {
            VECTOR x =
                SPLAT(anchors[i / 3] + i % 3 * (a.is_k_down ? 1 : a.stride));
            UNROLLED
            for (size_t v = 0; v < vectors; v++) {
                sums[i][v] = FMA(x, b[v], sums[i][v]);
            }
        }
        UNROLLED
        for (size_t i = 0; i < 5; i++) {
            anchors[i] += a.is_k_down ? a.stride : 1;
        }
    }
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            STORE(c + i * c_stride + v * LANES, sums[i][v]);
        }
    }
}

typedef void tile_fn(float *c, size_t c_stride, struct operand a,
                     const float *panel, size_t run, bool is_added);

#define TILE(name, rows, is_down, vectors)                                     \
    TARGET static void name(float *c, size_t c_stride, struct operand a,       \
                            const float *panel, size_t run, bool is_added)     \
    {                                                                          \
        a.is_k_down = is_down;                                                 \
        tile(c, c_stride, a, panel, run, is_added, rows, vectors);             \
    }
#define TILES(rows)                                                            \
    TILE(along_##rows##_1, rows, false, 1)                                     \
    TILE(along_##rows##_2, rows, false, 2)                                     \
    TILE(down_##rows##_1, rows, true, 1)                                       \
    TILE(down_##rows##_2, rows, true, 2)
FOR_TILE_ROWS(TILES)

/* By rows, whether k runs down in a, and vectors less 1. */
#define TILE_ENTRY(rows)                                                       \
    [rows] = {{along_##rows##_1, along_##rows##_2},                            \
              {down_##rows##_1, down_##rows##_2}},
static tile_fn *const tiles[TILE_ROWS + 1][2][2] = {FOR_TILE_ROWS(TILE_ENTRY)};

/* Rows of the next tile: all tiles about as high, so that none is left with
 * too few chains to keep the processor busy. */
static size_t tile_rows(size_t rows_left)
{
    size_t count = (rows_left + TILE_ROWS - 1) / TILE_ROWS;
    return (rows_left + count - 1) / count;
}

/* ---- packing */

typedef float four __attribute__((vector_size(16)));

static inline four load_four(const float *at)
{
    four out;
    memcpy(&out, at, sizeof(out));
    return out;
}

static inline void transpose_4x4(float *out, size_t out_stride, const float *in,
                                 size_t in_stride)
{
    four a = load_four(in);
    four b = load_four(in + in_stride);
    four c = load_four(in + 2 * in_stride);
    four d = load_four(in + 3 * in_stride);
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

typedef float eight __attribute__((vector_size(32)));

/* The same for twice as many, with half of the stores. */
INLINE void transpose_8x8(float *out, size_t out_stride, const float *in,
                          size_t in_stride)
{
    eight rows[8];
    eight pairs[8];
    UNROLLED
    for (size_t i = 0; i < 8; i++) {
        memcpy(&rows[i], in + i * in_stride, sizeof(rows[i]));
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

/* out (run, count) = transpose(in (count, run)) */
TARGET static void transpose(float *out, size_t out_stride, const float *in,
                             size_t in_stride, size_t count, size_t run)
{
    size_t eights = count / 8 * 8;
    size_t fours = count / 4 * 4;
    size_t run_eights = run / 8 * 8;
    for (size_t i = 0; i < eights; i += 8) {
        for (size_t k = 0; k < run_eights; k += 8) {
            transpose_8x8(out + k * out_stride + i, out_stride,
                          in + i * in_stride + k, in_stride);
        }
    }
    for (size_t i = eights; i < fours; i += 4) {
        for (size_t k = 0; k < run_eights; k += 4) {
            transpose_4x4(out + k * out_stride + i, out_stride,
                          in + i * in_stride + k, in_stride);
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i < fours ? run_eights : 0; k < run; k++) {
            out[k * out_stride + i] = in[i * in_stride + k];
        }
    }
}

/* out (run, count), tightly: rows of whole vectors, of which what is too much
 * is overwritten by the next row; the last rows would go beyond the end. */
INLINE void gather(float *out, const float *in, size_t in_stride, size_t count,
                   size_t run)
{
    size_t vectors = (count + LANES - 1) / LANES;
    size_t k = 0;
    for (; (run - k) * count >= vectors * LANES; k++) {
        __builtin_prefetch(in + ROWS_AHEAD * in_stride);
        __builtin_prefetch(in + ROWS_AHEAD * in_stride + count - 1);
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            STORE(out + v * LANES, LOAD(in + v * LANES));
        }
        in += in_stride;
        out += count;
    }
    for (; k < run; k++) {
        memcpy(out, in, count * sizeof(float));
        in += in_stride;
        out += count;
    }
}

/* out (run, count): the same for either way of k. */
INLINE void pack(float *out, struct operand from, size_t count, size_t run)
{
    if (from.is_k_down) {
        gather(out, from.at, from.stride, count, run);
    } else {
        transpose(out, count, from.at, from.stride, count, run);
    }
}

TARGET static void pack_panel(float *panel, struct operand b, size_t columns,
                              size_t run)
{
    if (columns == PANEL) {
        pack(panel, b, PANEL, run); /* vectors of a constant number */
        return;
    }
    memset(panel, 0, run * PANEL * sizeof(float));
    if (!b.is_k_down) {
        transpose(panel, PANEL, b.at, b.stride, columns, run);
        return;
    }
    for (size_t k = 0; k < run; k++) {
        memcpy(panel + k * PANEL, b.at + k * b.stride, columns * sizeof(float));
    }
}

/* Tile behind tile: in each, k runs down. */
TARGET static void pack_rows(float *out, struct operand a, size_t rows,
                             size_t run)
{
    for (size_t i = 0; i < rows;) {
        size_t height = tile_rows(rows - i);
        struct operand from = a;
        from.at += i * (a.is_k_down ? 1 : a.stride);
        pack(out, from, height, run);
        out += height * run;
        i += height;
    }
}

/* ---- the loops around the tile */

/* A tile that is narrower than its vectors is computed beside c. */
TARGET static void narrow_tile(float *c, size_t n, struct operand a,
                               const float *panel, size_t run, bool is_added,
                               size_t rows, size_t columns)
{
    float wide[TILE_ROWS * 2 * LANES] = {0};
    for (size_t i = 0; is_added && i < rows; i++) {
        memcpy(wide + i * PANEL, c + i * n, columns * sizeof(float));
    }
    tiles[rows][a.is_k_down][columns > LANES](wide, PANEL, a, panel, run,
                                              is_added);
    for (size_t i = 0; i < rows; i++) {
        memcpy(c + i * n, wide + i * PANEL, columns * sizeof(float));
    }
}

/* c's rows lie far apart: those of the next tile are asked for before it. */
INLINE void fetch_ahead(const float *c, size_t n, size_t columns, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * n, 1);
        __builtin_prefetch(c + i * n + columns - 1, 1);
    }
}

/* All rows of a block against one panel. */
TARGET static void multiply_panel(float *c, size_t n, struct operand a,
                                  bool is_packed, const float *panel,
                                  size_t rows, size_t columns, size_t run,
                                  bool is_added)
{
    for (size_t i = 0; i < rows;) {
        size_t height = tile_rows(rows - i);
        size_t left = rows - i - height;
        struct operand part = a;
        fetch_ahead(c + (i + height) * n, n, columns,
                    left < height ? left : height);
        if (is_packed) {
            part = (struct operand){a.at + i * run, height, true};
        } else {
            part.at += i * (a.is_k_down ? 1 : a.stride);
        }
        if (columns == LANES || columns == PANEL) {
            tiles[height][part.is_k_down][columns > LANES](
                c + i * n, n, part, panel, run, is_added);
        } else {
            narrow_tile(c + i * n, n, part, panel, run, is_added, height,
                        columns);
        }
        i += height;
    }
}

TARGET static void multiply_block(float *c, size_t n, struct operand a,
                                  struct operand b, size_t rows, size_t run,
                                  bool is_added, float *scratch)
{
    float *panel = scratch;
    bool is_packed = n >= PACK_COLUMNS;
    if (is_packed) {
        float *packed = scratch + PANEL * RUN;
        pack_rows(packed, a, rows, run);
        a.at = packed;
    }
    for (size_t j = 0; j < n; j += PANEL) {
        size_t columns = n - j < PANEL ? n - j : PANEL;
        struct operand part = b;
        part.at += j * (b.is_k_down ? 1 : b.stride);
        pack_panel(panel, part, columns, run);
        multiply_panel(c + j, n, a, is_packed, panel, rows, columns, run,
                       is_added);
    }
}

/* The next run's length: all runs about as long, so that none is left with
 * too few steps to be worth c's way to memory. */
static size_t next_run(size_t k_left)
{
    size_t count = (k_left + RUN - 1) / RUN;
    size_t run = (k_left + count - 1) / count;
    return count == 1 ? k_left : (run + 7) / 8 * 8;
}

/* The next block's rows: all blocks about as high, as runs are long. */
static size_t block_height(size_t rows_left)
{
    size_t count = (rows_left + BLOCK_ROWS - 1) / BLOCK_ROWS;
    size_t rows = (rows_left + count - 1) / count;
    return count == 1 ? rows_left
                      : (rows + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
}

TARGET static void multiply(float *c, struct operand a, struct operand b,
                            size_t m, size_t n, size_t k, bool is_added,
                            float *scratch)
{
    for (size_t l = 0; l < k;) {
        size_t run = next_run(k - l);
        struct operand b_part = b;
        b_part.at += l * (b.is_k_down ? b.stride : 1);
        for (size_t i = 0; i < m;) {
            size_t rows = block_height(m - i);
            struct operand a_part = a;
            a_part.at += a.is_k_down ? l * a.stride + i : i * a.stride + l;
            multiply_block(c + i * n, n, a_part, b_part, rows, run,
                           is_added || l > 0, scratch);
            i += rows;
        }
        l += run;
    }
}

TARGET static void add_nt(float *c, const float *a, const float *b, size_t m,
                          size_t n, size_t k, float *scratch)
{
    multiply(c, (struct operand){a, k, false}, (struct operand){b, k, false}, m,
             n, k, true, scratch);
}

TARGET static void set_nn(float *c, const float *a, const float *b, size_t m,
                          size_t n, size_t k, float *scratch)
{
    multiply(c, (struct operand){a, k, false}, (struct operand){b, n, true}, m,
             n, k, false, scratch);
}

TARGET static void set_tn(float *c, const float *a, const float *b, size_t m,
                          size_t n, size_t k, float *scratch)
{
    multiply(c, (struct operand){a, m, true}, (struct operand){b, n, true}, m,
             n, k, false, scratch);
}

#endif
