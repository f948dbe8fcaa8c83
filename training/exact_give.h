/* exact_give: the exact products that are not stored: given out, or a step that
 * is taken with them.  For the exact_*.c, behind training/exact_tile.h, whose
 * tiles it uses.
 *
 * What is given out is not stored in between: its k is packed as a whole, and
 * a tile's chains go from end to end.
 *
 *   for each part of the rows       pack a's
 *       for each group of panels    pack b's
 *           for each tile
 *               for each block of k registers, and whoever takes them; or
 *                                   all of k, and c itself */
#ifndef POT_TRAINING_EXACT_GIVE_H
#define POT_TRAINING_EXACT_GIVE_H

#include "training/exact_tile.h"

#include <string.h>

/* Panels that are packed together. */
#define GROUP ((size_t)2)

_Static_assert(TILE_ROWS + GROUP * 2 * LANES <= PRODUCT_SCRATCH_STEP,
               "a tile and a group of any k are packed into the scratch");

/* What becomes of a product: taken, or without a taker a step of c. */
struct target {
    const struct product_taker *taker;
    float *c;
    float rate;
};

/* Rows of c against whose part of a all panels pass: as many as the scratch
 * has room for beside a group of panels, and all such parts about as high.  b
 * is packed anew for each part, which costs more than that no cache near by
 * holds the part. */
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
                             const float *panel, size_t k, size_t block,
                             const struct ahead *ahead)
{
    static const float zeros[PANEL];
    const struct ahead none = {.rows = 0};
    float sums[TILE_ROWS * 2 * LANES] __attribute__((aligned(64)));
    bool is_taken = true;
    piece->values = sums;
    for (size_t l = 0; is_taken && l < k; l += block) {
        tiles[piece->rows][1][piece->columns > LANES](
            sums, PANEL, a + l * piece->rows, piece->rows, panel + l * PANEL,
            k - l < block ? k - l : block, zeros, 0, l == 0 ? ahead : &none);
        piece->is_first = l == 0;
        is_taken = taker->take(taker->context, piece);
    }
    return is_taken;
}

/* The place of c that piece says. */
TARGET static void step_with_tile(const struct target *to,
                                  const struct product_piece *piece,
                                  const float *a, const float *panel, size_t k,
                                  const struct ahead *ahead)
{
    float *c = to->c + piece->first;
    size_t columns = piece->columns;
    step_fn *step = step_tiles[piece->rows][columns > LANES];
    if (columns == LANES || columns == PANEL) {
        step(c, piece->stride, to->rate, a, panel, k, ahead);
        return;
    }
    float wide[TILE_ROWS * 2 * LANES] = {0};
    for (size_t i = 0; i < piece->rows; i++) {
        memcpy(wide + i * PANEL, c + i * piece->stride,
               columns * sizeof(float));
    }
    step(wide, PANEL, to->rate, a, panel, k, ahead);
    for (size_t i = 0; i < piece->rows; i++) {
        memcpy(c + i * piece->stride, wide + i * PANEL,
               columns * sizeof(float));
    }
}

/* A tile's rows against a group's columns, the first of which piece has; the
 * tile is the index-th of count that ask for the next group's place. */
TARGET static bool give_tiles(const struct target *to,
                              struct product_piece piece, const float *a,
                              const float *panels, size_t columns, size_t k,
                              size_t block, const struct source *next,
                              size_t index, size_t count)
{
    struct source source = *next;
    for (size_t j = 0; j < columns; j += PANEL) {
        const float *panel = panels + j * k;
        struct ahead ahead[ASKED_MAX];
        struct ahead *end = ahead;
        piece.columns = columns - j < PANEL ? columns - j : PANEL;
        if (to->taker == NULL) { /* at first, as it is needed at last */
            end = ask(end, to->c + piece.first, piece.columns - 1, piece.stride,
                      piece.rows);
        }
        size_t left = next->columns > j ? next->columns - j : 0;
        source.columns = left < PANEL ? left : PANEL;
        end = ask_source(end, &source, index, count);
        end->rows = 0;
        if (to->taker == NULL) {
            step_with_tile(to, &piece, a, panel, k, ahead);
        } else if (!give_tile(to->taker, &piece, a, panel, k, block, ahead)) {
            return false;
        }
        piece.first += PANEL;
        source.b.at += PANEL;
    }
    return true;
}

/* rows of c, whose part of a is packed, from first on: a group of panels at a
 * time, so that what is given out of a row lies together. */
TARGET static bool give_part(const struct target *to, size_t first,
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
        size_t left = n - j - columns;
        struct source next = {b, left < GROUP * PANEL ? left : GROUP * PANEL,
                              k};
        next.b.at += j + columns;
        for (size_t i = 0, t = 0; i < rows; i += piece.rows, t++) {
            piece.rows = tile_rows(rows - i);
            piece.first = first + i * n + j;
            if (!give_tiles(to, piece, packed + i * k, panels, columns, k,
                            block, &next, t,
                            (rows + TILE_ROWS - 1) / TILE_ROWS)) {
                return false;
            }
        }
    }
    return true;
}

TARGET static bool give_parts(const struct target *to, size_t origin,
                              const float *a, const float *b, size_t m,
                              size_t n, size_t k, size_t block, float *scratch)
{
    float *packed = scratch + GROUP * PANEL * k;
    size_t height = part_rows(m, k);
    for (size_t i = 0; i < m; i += height) {
        size_t rows = m - i < height ? m - i : height;
        pack_rows(packed, (struct operand){a + i, m, true, false}, rows, k);
        if (!give_part(to, origin + i * n, packed,
                       (struct operand){b, n, true, false}, rows, n, k, block,
                       scratch)) {
            return false;
        }
    }
    return true;
}

TARGET static bool give_tn(const struct product_taker *taker, const float *a,
                           const float *b, size_t m, size_t n, size_t k,
                           size_t block, float *scratch)
{
    const struct target to = {.taker = taker};
    return give_parts(&to, taker->origin, a, b, m, n, k, block, scratch);
}

TARGET static void step_tn(float *c, float rate, const float *a, const float *b,
                           size_t m, size_t n, size_t k, float *scratch)
{
    const struct target to = {.c = c, .rate = rate};
    (void)give_parts(&to, 0, a, b, m, n, k, k, scratch);
}

#endif
