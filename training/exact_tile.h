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
 *               for each tile       registers: one chain an element
 */
#ifndef POT_TRAINING_EXACT_TILE_H
#define POT_TRAINING_EXACT_TILE_H

#include "training/exact.h"
#include "training/exact_pack.h"

#include <string.h>

/* Steps of k whose part of a panel the first cache holds. */
#define RUN ((size_t)344)
/* A pass of training/mlp.c, if it is of 512 rows. */
#define BLOCK_ROWS ((size_t)(518 / TILE_ROWS * TILE_ROWS))
/* Columns of c from which on packing a pays. */
#define PACK_COLUMNS ((size_t)256)

_Static_assert((518 + 2 * LANES) * RUN <= PRODUCT_SCRATCH,
               "a block's rows and a panel are packed into the scratch");
_Static_assert(TILE_ROWS <= 15, "a tile's rows have five anchors, three each");

/* Rows of c that are going to be written, asked for one a step of k: all at
 * once they would make the chains wait, as they lie far apart. */
struct ahead {
    const float *at;
    size_t stride;
    size_t rows;
    size_t last; /* column */
};

/* rows and vectors are constants wherever this is inlined: what is left is
 * rows * vectors chains in registers. */
INLINE void add_chains(VECTOR sums[TILE_ROWS][2], struct operand a,
                       const float *panel, size_t run, struct ahead ahead,
                       size_t rows, size_t vectors)
{
    const float *anchors[5];
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
        if (k < ahead.rows) {
            __builtin_prefetch(ahead.at, 1);
            __builtin_prefetch(ahead.at + ahead.last, 1);
            ahead.at += ahead.stride;
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
}

INLINE void tile(float *c, size_t c_stride, struct operand a,
                 const float *panel, size_t run, bool is_added,
                 struct ahead ahead, size_t rows, size_t vectors)
{
    VECTOR sums[TILE_ROWS][2];
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            sums[i][v] = is_added ? LOAD(c + i * c_stride + v * LANES) : ZERO();
        }
    }
    add_chains(sums, a, panel, run, ahead, rows, vectors);
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            STORE(c + i * c_stride + v * LANES, sums[i][v]);
        }
    }
}

/* c = fma(-rate, chains, c).  a's part is packed; c is asked for at first and
 * needed at last. */
INLINE void step_tile(float *c, size_t c_stride, float rate, const float *a,
                      const float *panel, size_t run, size_t rows,
                      size_t vectors)
{
    VECTOR sums[TILE_ROWS][2];
    const float back = -rate;
    const struct operand packed = {a, rows, true, false};
    const struct ahead own = {c, c_stride, rows, vectors * LANES - 1};
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            sums[i][v] = ZERO();
        }
    }
    add_chains(sums, packed, panel, run, own, rows, vectors);
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            float *at = c + i * c_stride + v * LANES;
            STORE(at, FMA(SPLAT(&back), sums[i][v], LOAD(at)));
        }
    }
}

typedef void tile_fn(float *c, size_t c_stride, struct operand a,
                     const float *panel, size_t run, bool is_added,
                     struct ahead ahead);

#define TILE(name, rows, is_down, vectors)                                     \
    TARGET static void name(float *c, size_t c_stride, struct operand a,       \
                            const float *panel, size_t run, bool is_added,     \
                            struct ahead ahead)                                \
    {                                                                          \
        a.is_k_down = is_down;                                                 \
        tile(c, c_stride, a, panel, run, is_added, ahead, rows, vectors);      \
    }
typedef void step_fn(float *c, size_t c_stride, float rate, const float *a,
                     const float *panel, size_t run);

#define STEP_TILE(name, rows, vectors)                                         \
    TARGET static void name(float *c, size_t c_stride, float rate,             \
                            const float *a, const float *panel, size_t run)    \
    {                                                                          \
        step_tile(c, c_stride, rate, a, panel, run, rows, vectors);            \
    }
#define TILES(rows)                                                            \
    TILE(along_##rows##_1, rows, false, 1)                                     \
    TILE(along_##rows##_2, rows, false, 2)                                     \
    TILE(down_##rows##_1, rows, true, 1)                                       \
    TILE(down_##rows##_2, rows, true, 2)                                       \
    STEP_TILE(step_##rows##_1, rows, 1)                                        \
    STEP_TILE(step_##rows##_2, rows, 2)
FOR_TILE_ROWS(TILES)

/* By rows, whether k runs down in a, and vectors less 1. */
#define TILE_ENTRY(rows)                                                       \
    [rows] = {{along_##rows##_1, along_##rows##_2},                            \
              {down_##rows##_1, down_##rows##_2}},
static tile_fn *const tiles[TILE_ROWS + 1][2][2] = {FOR_TILE_ROWS(TILE_ENTRY)};

/* By rows, and vectors less 1. */
#define STEP_ENTRY(rows) [rows] = {step_##rows##_1, step_##rows##_2},
static step_fn *const step_tiles[TILE_ROWS + 1][2] = {
    FOR_TILE_ROWS(STEP_ENTRY)};

/* Rows of the next tile: all tiles about as high, so that none is left with
 * too few chains to keep the processor busy. */
static size_t tile_rows(size_t rows_left)
{
    size_t count = (rows_left + TILE_ROWS - 1) / TILE_ROWS;
    return (rows_left + count - 1) / count;
}

/* Tile behind tile: in each, k runs down. */
TARGET static void pack_rows(float *out, struct operand a, size_t rows,
                             size_t run)
{
    for (size_t i = 0; i < rows;) {
        size_t height = tile_rows(rows - i);
        struct operand from = a;
        from.at += i * (a.is_k_down ? 1 : a.stride);
        if (a.is_k_down) {
            gather(out, from.at, from.stride, height, run, false);
        } else {
            transpose_floats(out, height, from.at, from.stride, height, run);
        }
        out += height * run;
        i += height;
    }
}

/* ---- the loops around the tile */

/* A tile that is narrower than its vectors is computed beside c. */
TARGET static void narrow_tile(float *c, size_t n, struct operand a,
                               const float *panel, size_t run, bool is_added,
                               struct ahead ahead, size_t rows, size_t columns)
{
    float wide[TILE_ROWS * 2 * LANES] = {0};
    for (size_t i = 0; is_added && i < rows; i++) {
        memcpy(wide + i * PANEL, c + i * n, columns * sizeof(float));
    }
    tiles[rows][a.is_k_down][columns > LANES](wide, PANEL, a, panel, run,
                                              is_added, ahead);
    for (size_t i = 0; i < rows; i++) {
        memcpy(c + i * n, wide + i * PANEL, columns * sizeof(float));
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
        struct ahead next = {c + (i + height) * n, n,
                             left < height ? left : height, columns - 1};
        if (is_packed) {
            part = (struct operand){a.at + i * run, height, true, false};
        } else {
            part.at += i * (a.is_k_down ? 1 : a.stride);
        }
        if (columns == LANES || columns == PANEL) {
            tiles[height][part.is_k_down][columns > LANES](
                c + i * n, n, part, panel, run, is_added, next);
        } else {
            narrow_tile(c + i * n, n, part, panel, run, is_added, next, height,
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

static struct operand weights(struct product_weights b, size_t stride,
                              bool is_k_down)
{
    const float *at =
        b.fixed == NULL ? b.floats : (const float *)(const void *)b.fixed;
    return (struct operand){at, stride, is_k_down, b.fixed != NULL};
}

TARGET static void add_nt(float *c, const float *a, struct product_weights b,
                          size_t m, size_t n, size_t k, float *scratch)
{
    multiply(c, (struct operand){a, k, false, false}, weights(b, k, false), m,
             n, k, true, scratch);
}

TARGET static void set_nn(float *c, const float *a, struct product_weights b,
                          size_t m, size_t n, size_t k, float *scratch)
{
    multiply(c, (struct operand){a, k, false, false}, weights(b, n, true), m, n,
             k, false, scratch);
}

#endif
