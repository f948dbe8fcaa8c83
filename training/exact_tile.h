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
 *
 * What is given out is not stored in between: its k is packed as a whole, and
 * a tile's chains go from end to end.
 *
 *   for each part of the rows       pack a's
 *       for each group of panels    pack b's
 *           for each tile
 *               for each block of k registers, and whoever takes them */
#ifndef POT_TRAINING_EXACT_TILE_H
#define POT_TRAINING_EXACT_TILE_H

#include "training/exact.h"
#include "training/exact_pack.h"

#include <string.h>

#define RUN ((size_t)264)
/* A pass of training/mlp.c, if it is of 512 rows. */
#define BLOCK_ROWS ((size_t)(518 / TILE_ROWS * TILE_ROWS))
/* Panels that are packed together when a product is given out. */
#define GROUP ((size_t)2)
/* Columns of c from which on packing a pays. */
#define PACK_COLUMNS ((size_t)256)

_Static_assert((518 + 2 * LANES) * 264 <= PRODUCT_SCRATCH,
               "a block's rows and a panel are packed into the scratch");
_Static_assert(TILE_ROWS + GROUP * 2 * LANES <= PRODUCT_SCRATCH_STEP,
               "a tile and a group of any k are packed into the scratch");
_Static_assert(TILE_ROWS <= 15, "a tile's rows have five anchors, three each");

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
            part = (struct operand){a.at + i * run, height, true, false};
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

/* ---- giving out what is not stored */

/* Rows of c against whose part of a all panels pass: as many as the scratch
 * has room for beside a group of panels, and all such parts about as high. */
static size_t part_rows(size_t m, size_t k)
{
    size_t steps = k < PRODUCT_K_MIN ? PRODUCT_K_MIN : k;
    size_t most = steps * PRODUCT_SCRATCH_STEP / k - GROUP * PANEL;
    size_t count = (m + most - 1) / most;
    size_t rows = (m + count - 1) / count;
    rows = (rows + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
    return rows < most ? rows : most / TILE_ROWS * TILE_ROWS;
}

/* A tile in all blocks of k: each is a chain of its own. */
TARGET static bool give_tile(const struct product_taker *taker,
                             struct product_piece *piece, const float *a,
                             const float *panel, size_t k, size_t block)
{
    float sums[TILE_ROWS * 2 * LANES] __attribute__((aligned(64)));
    bool is_taken = true;
    piece->values = sums;
    for (size_t l = 0; is_taken && l < k; l += block) {
        struct operand part = {a + l * piece->rows, piece->rows, true, false};
        tiles[piece->rows][1][piece->columns > LANES](
            sums, PANEL, part, panel + l * PANEL, k - l < block ? k - l : block,
            false);
        piece->is_first = l == 0;
        is_taken = taker->take(taker->context, piece);
    }
    return is_taken;
}

/* A tile's rows against a group's columns, the first of which piece has. */
TARGET static bool give_tiles(const struct product_taker *taker,
                              struct product_piece piece, const float *a,
                              const float *panels, size_t columns, size_t k,
                              size_t block)
{
    for (size_t j = 0; j < columns; j += PANEL) {
        piece.columns = columns - j < PANEL ? columns - j : PANEL;
        if (!give_tile(taker, &piece, a, panels + j * k, k, block)) {
            return false;
        }
        piece.first += PANEL;
    }
    return true;
}

/* rows of c, whose part of a is packed, from first on: a group of panels at a
 * time, so that what is given out of a row lies together. */
TARGET static bool give_part(const struct product_taker *taker, size_t first,
                             const float *packed, struct operand b, size_t rows,
                             size_t n, size_t k, size_t block, float *panels)
{
    struct product_piece piece = {.values_stride = PANEL, .stride = n};
    for (size_t j = 0; j < n; j += GROUP * PANEL) {
        size_t columns = n - j < GROUP * PANEL ? n - j : GROUP * PANEL;
        for (size_t l = 0; l < columns; l += PANEL) {
            struct operand part = {b.at + j + l, b.stride, true, false};
            pack_panel(panels + l * k, part,
                       columns - l < PANEL ? columns - l : PANEL, k);
        }
        for (size_t i = 0; i < rows; i += piece.rows) {
            piece.rows = tile_rows(rows - i);
            piece.first = first + i * n + j;
            if (!give_tiles(taker, piece, packed + i * k, panels, columns, k,
                            block)) {
                return false;
            }
        }
    }
    return true;
}

TARGET static bool give_tn(const struct product_taker *taker, const float *a,
                           const float *b, size_t m, size_t n, size_t k,
                           size_t block, float *scratch)
{
    float *packed = scratch + GROUP * PANEL * k;
    size_t height = part_rows(m, k);
    for (size_t i = 0; i < m; i += height) {
        size_t rows = m - i < height ? m - i : height;
        pack_rows(packed, (struct operand){a + i, m, true, false}, rows, k);
        if (!give_part(taker, taker->origin + i * n, packed,
                       (struct operand){b, n, true, false}, rows, n, k, block,
                       scratch)) {
            return false;
        }
    }
    return true;
}

#endif
