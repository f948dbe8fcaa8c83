/* exact_variants: the vector variants that this build has; training/exact.c
 * asks the processor for each. */
#ifndef POT_TRAINING_EXACT_VARIANTS_H
#define POT_TRAINING_EXACT_VARIANTS_H

#include "training/product.h"

#if defined(__x86_64__)
extern const struct product exact_avx512;
extern const struct product exact_avx2;
#elif defined(__aarch64__)
extern const struct product exact_neon;
#endif

#endif
