/* row_sums: what a row of inputs comes to through a matrix of weights, in
 * integers.  Nothing is rounded, so neither the order of the sums nor the
 * vector instructions that make them can show.
 *
 * The weights lie in panels of ROW_SUMS_COLUMNS columns; of each input a
 * panel has its weights one behind the other, column j and column j + half
 * side by side: what a multiplication of every second integer wants. */
#ifndef POT_LEDGER_ROW_SUMS_H
#define POT_LEDGER_ROW_SUMS_H

#include <stddef.h>
#include <stdint.h>

#define ROW_SUMS_COLUMNS      64
#define ROW_SUMS_VARIANTS_MAX 3

/* row_sums_place: where a panel has column's weight, counted from the
 * input's first one; column < ROW_SUMS_COLUMNS. */
static inline size_t row_sums_place(size_t column)
{
    return 2 * (column % (ROW_SUMS_COLUMNS / 2)) +
           column / (ROW_SUMS_COLUMNS / 2);
}

struct row_input {
    int32_t value;
    uint32_t index; /* of the input */
};

/* Adds to the sums of a panel's columns count inputs times their weights.  No
 * sum may leave int64, whatever the order. */
typedef void row_sums_fn(int64_t sums[static ROW_SUMS_COLUMNS],
                         const int32_t *panel, const struct row_input *inputs,
                         size_t count);

/* row_sums_variants: those that this processor can run, the fastest first.
 * Returns their number, >= 1; the last one is plain C. */
size_t row_sums_variants(row_sums_fn *out[static ROW_SUMS_VARIANTS_MAX]);

#endif
