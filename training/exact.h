/* exact: matrix products with the same bits on every machine.
 *
 * An element of a product is one chain of fused multiply-adds, each rounded
 * once, k ascending:
 *
 *   add_nt            c = fma(a[k], b[k], c) from the c that is there, or from
 *                     the bias
 *   set_nn, give_tn   the same from c = +0; give_tn in each block of k
 *   step_tn           the same from +0, then c = fma(-rate, chain, c)
 *
 * Variants compute many chains side by side but never split one, so that
 * vectors, blocks, alignment and threads leave no trace.  Rounding is to the
 * nearest, and subnormal numbers are kept: exact_set_rounding.  Which NaN a
 * result is is not said; whether it is one is. */
#ifndef POT_TRAINING_EXACT_H
#define POT_TRAINING_EXACT_H

#include <stdbool.h>
#include <stddef.h>

#include "training/product.h"

#define EXACT_VARIANTS_MAX 4

/* The plainest loops, for any processor; what the others are held against. */
extern const struct product exact_scalar;

/* exact_variants: those that run on this processor, the fastest first, the
 * scalar one last; returns their number. */
size_t exact_variants(const struct product *out[static EXACT_VARIANTS_MAX]);

/* exact_agrees: whether a variant gives the scalar one's bits on a set of
 * small products that touches all of its code; milliseconds. */
bool exact_agrees(const struct product *variant);

/* exact_set_rounding: this thread rounds to the nearest and keeps subnormal
 * numbers from now on, whatever a library did to it when it was loaded. */
void exact_set_rounding(void);

#endif
