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
/* Floats of a line of the cache. */
#define LINE ((size_t)16)

_Static_assert((518 + 2 * LANES) * RUN <= PRODUCT_SCRATCH,
               "a block's rows and a panel are packed into the scratch");
_Static_assert(TILE_ROWS <= 15, "a tile's rows have five anchors, three each");

/* What is going to be needed lies far apart in memory, and is asked for while
 * a tile's chains run, one row a step of k: all at once it would make them
 * wait.  A list of these, of which the last has no rows. */
struct ahead {
    const float *at; /* a row's first and last float are asked for */
    size_t last;
    size_t stride;
    size_t rows;
};

#define ASKED_MAX (PANEL + 3)

static struct ahead *ask(struct ahead *to, const float *at, size_t last,
                         size_t stride, size_t rows)
{
    *to = (struct ahead){at, last, stride, rows};
    return rows > 0 ? to + 1 : to;
}

/* Where a panel is going to be packed from. */
struct source {
    struct operand b;
    size_t columns; /* 0: there is none */
    size_t run;
};

/* One of count tiles asks for its share of it. */
static struct ahead *ask_source(struct ahead *to, const struct source *from,
                                size_t index, size_t count)
{
    const struct operand *b = &from->b;
    size_t rows = b->is_k_down ? from->run : from->columns;
    size_t first = rows * index / count;
    size_t end = rows * (index + 1) / count;
    if (from->columns == 0) {
        return to;
    }
    if (b->is_k_down) {
        return ask(to, b->at + first * b->stride, from->columns - 1, b->stride,
                   end - first);
    }
    for (; first < end; first++) { /* two lines at a time */
        to = ask(to, b->at + first * b->stride, LINE, 2 * LINE,
                 (from->run + 2 * LINE - 1) / (2 * LINE));
    }
    return to;
}

/* rows and vectors are constants wherever this is inlined: what is left is
 * rows * vectors chains in registers. */
INLINE void add_chains(VECTOR sums[TILE_ROWS][2], const float *a,
                       size_t a_stride, bool is_k_down, const float *panel,
                       size_t run, const struct ahead *ahead, size_t rows,
                       size_t vectors)
{
    const float *anchors[5];
    struct ahead asked = *ahead;
    UNROLLED
    for (size_t i = 0; i < 5; i++) {
        anchors[i] = a + 3 * i * (is_k_down ? 1 : a_stride);
    }
    for (size_t k = 0; k < run; k++) {
        VECTOR b[2];
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            b[v] = LOAD(panel + k * PANEL + v * LANES);
        }
        if (asked.rows > 0) {
            __builtin_prefetch(asked.at, 0, 2);
            __builtin_prefetch(asked.at + asked.last, 0, 2);
            asked.at += asked.stride;
            if (--asked.rows == 0) {
                asked = *++ahead;
            }
        }
        UNROLLED
        for (size_t i = 0; i < rows; i++) {
            VECTOR x =
                SPLAT(anchors[i / 3] + i % 3 * (is_k_down ? 1 : a_stride));
            UNROLLED
            for (size_t v = 0; v < vectors; v++) {
                sums[i][v] = FMA(x, b[v], sums[i][v]);
            }
        }
        UNROLLED
        for (size_t i = 0; i < 5; i++) {
            anchors[i] += is_k_down ? a_stride : 1;
        }
    }
}

INLINE void tile(float *c, size_t c_stride, const float *a, size_t a_stride,
                 bool is_k_down, const float *panel, size_t run,
                 const float *from, size_t from_stride,
                 const struct ahead *ahead, size_t rows, size_t vectors)
{
    VECTOR sums[TILE_ROWS][2];
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            sums[i][v] = LOAD(from + i * from_stride + v * LANES);
        }
    }
    add_chains(sums, a, a_stride, is_k_down, panel, run, ahead, rows, vectors);
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            STORE(c + i * c_stride + v * LANES, sums[i][v]);
        }
    }
}

/* c = fma(-rate, chains, c).  a's part is packed. */
INLINE void step_tile(float *c, size_t c_stride, float rate, const float *a,
                      const float *panel, size_t run, const struct ahead *ahead,
                      size_t rows, size_t vectors)
{
    VECTOR sums[TILE_ROWS][2];
    const float back = -rate;
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            sums[i][v] = ZERO();
        }
    }
    add_chains(sums, a, rows, true, panel, run, ahead, rows, vectors);
    UNROLLED
    for (size_t i = 0; i < rows; i++) {
        UNROLLED
        for (size_t v = 0; v < vectors; v++) {
            float *at = c + i * c_stride + v * LANES;
            STORE(at, FMA(SPLAT(&back), sums[i][v], LOAD(at)));
        }
    }
}

/* What tells a's part and what is asked for is handed over in words of its
 * own or by reference: a structure by value would be written in small pieces
 * and read in large ones, which waits until all that was stored before, a
 * tile's sums, is in the cache. */
typedef void tile_fn(float *c, size_t c_stride, const float *a, size_t a_stride,
                     const float *panel, size_t run, const float *from,
                     size_t from_stride, const struct ahead *ahead);

#define TILE(name, rows, is_down, vectors)                                     \
    TARGET static void name(float *c, size_t c_stride, const float *a,         \
                            size_t a_stride, const float *panel, size_t run,   \
                            const float *from, size_t from_stride,             \
                            const struct ahead *ahead)                         \
    {                                                                          \
        tile(c, c_stride, a, a_stride, is_down, panel, run, from, from_stride, \
             ahead, rows, vectors);                                            \
    }
typedef void step_fn(float *c, size_t c_stride, float rate, const float *a,
                     const float *panel, size_t run, const struct ahead *ahead);

#define STEP_TILE(name, rows, vectors)                                         \
    TARGET static void name(float *c, size_t c_stride, float rate,             \
                            const float *a, const float *panel, size_t run,    \
                            const struct ahead *ahead)                         \
    {                                                                          \
        step_tile(c, c_stride, rate, a, panel, run, ahead, rows, vectors);     \
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

/* What c's chains begin with: element (i, j) is at[i * row + j * column]. */
struct start {
    const float *at;
    size_t row;
    size_t column;
};

/* A tile that is narrower than its vectors is computed beside c. */
TARGET static void narrow_tile(float *c, size_t n, const float *a,
                               size_t a_stride, bool is_k_down,
                               const float *panel, size_t run,
                               const float *from, size_t from_stride,
                               const struct ahead *ahead, size_t rows,
                               size_t columns)
{
    float wide[TILE_ROWS * 2 * LANES] = {0};
    for (size_t i = 0; i < rows; i++) {
        memcpy(wide + i * PANEL, from + i * from_stride,
               columns * sizeof(float));
    }
    tiles[rows][is_k_down][columns > LANES](wide, PANEL, a, a_stride, panel,
                                            run, wide, PANEL, ahead);
    for (size_t i = 0; i < rows; i++) {
        memcpy(c + i * n, wide + i * PANEL, columns * sizeof(float));
    }
}

/* All rows of a block against one panel, while the next one's place is asked
 * for. */
TARGET static void multiply_panel(float *c, size_t n, const struct operand *a,
                                  bool is_packed, const float *panel,
                                  const struct source *next, size_t rows,
                                  size_t columns, size_t run,
                                  const struct start *start)
{
    const size_t count = (rows + TILE_ROWS - 1) / TILE_ROWS;
    const bool is_k_down = is_packed || a->is_k_down;
    for (size_t i = 0, t = 0; i < rows; t++) {
        size_t height = tile_rows(rows - i);
        size_t left = rows - i - height;
        struct ahead ahead[ASKED_MAX];
        struct ahead *end = ask(ahead, c + (i + height) * n, columns - 1, n,
                                left < height ? left : height);
        const float *part = a->at + i * (is_packed      ? run
                                         : a->is_k_down ? 1
                                                        : a->stride);
        size_t stride = is_packed ? height : a->stride;
        end = ask_source(end, next, t, count);
        end->rows = 0;
        if (columns == LANES || columns == PANEL) {
            tiles[height][is_k_down][columns > LANES](
                c + i * n, n, part, stride, panel, run,
                start->at + i * start->row, start->row, ahead);
        } else {
            narrow_tile(c + i * n, n, part, stride, is_k_down, panel, run,
                        start->at + i * start->row, start->row, ahead, height,
                        columns);
        }
        i += height;
    }
}

TARGET static void multiply_block(float *c, size_t n, struct operand a,
                                  struct operand b, size_t rows, size_t run,
                                  struct start start, float *scratch)
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
        size_t left = n - j - columns;
        struct source next = {b, left < PANEL ? left : PANEL, run};
        struct operand part = b;
        part.at += j * (b.is_k_down ? 1 : b.stride);
        next.b.at = part.at + columns * (b.is_k_down ? 1 : b.stride);
        pack_panel(panel, part, columns, run);
        multiply_panel(c + j, n, &a, is_packed, panel, &next, rows, columns,
                       run, &start);
        start.at += start.column * PANEL;
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
                            size_t m, size_t n, size_t k, struct start start,
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
            struct start from = start;
            from.at += i * start.row;
            multiply_block(c + i * n, n, a_part, b_part, rows, run, from,
                           scratch);
            i += rows;
        }
        l += run;
        start = (struct start){c, n, 1};
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
    struct start start = {c, n, 1};
    if (b.bias != NULL) {
        start = (struct start){b.bias, 0, 1};
    }
    multiply(c, (struct operand){a, k, false, false}, weights(b, k, false), m,
             n, k, start, scratch);
}

TARGET static void set_nn(float *c, const float *a, struct product_weights b,
                          size_t m, size_t n, size_t k, float *scratch)
{
    static const float zeros[PANEL];
    multiply(c, (struct operand){a, k, false, false}, weights(b, n, true), m, n,
             k, (struct start){zeros, 0, 0}, scratch);
}

#endif
