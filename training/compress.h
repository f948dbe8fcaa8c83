/* compress: a miner's sums as the payload that its task asks for.  Integers
 * only, and nothing but the sums decides, so that an audit makes the same.
 *
 *   int8, int16  training/quantise.h
 *   int4         of the exponents at which all of a tensor's elements fit, or
 *                at most INT4_CLIP smaller, at which the largest are clamped,
 *                the one with the least sum of squared errors
 *   sign         the elements' signs, and for each tensor the mean of their
 *                sizes; where an element is 0, a bit of a hash of all sums
 *   topk         the largest elements, the first ones of those that are
 *                equal, and zeros for the others */
#ifndef POT_TRAINING_COMPRESS_H
#define POT_TRAINING_COMPRESS_H

#include <stdint.h>

#include "proto/model.h"
#include "proto/packed.h"

/* compress_payload: packed_bytes(shape, form) at out.
 *
 * In: sums on training/quantise.h's grid, divided by rows > 0 */
void compress_payload(uint8_t *out, const struct model_shape *shape,
                      const struct packed_form *form, const int64_t *sums,
                      uint64_t rows);

#endif
