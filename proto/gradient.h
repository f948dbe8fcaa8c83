/* gradient: the bytes of a miner's gradient and of an aggregate.
 *
 *   u32  magic "PTG1"
 *   u8   width: bytes an element, 1, 2 or 4
 *   u8   tensor count
 *   u16  0
 *   u32  addends: 1 in a miner's gradient, N in the sum over N miners
 *   i8   exponent, for each tensor
 *   ...  elements, little-endian two's complement, in the parameters' order
 *
 * An element stands for value * 2^exponent of its tensor; a sum's mean is
 * that divided by addends. */
#ifndef POT_PROTO_GRADIENT_H
#define POT_PROTO_GRADIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "proto/model.h"

/* The largest encoding of this width. */
#define GRADIENT_HEADER_BYTES 12 /* before the exponents */
#define GRADIENT_BYTES_MAX(width)                                              \
    (GRADIENT_HEADER_BYTES + TENSORS_MAX + (size_t)(width)*PARAMETERS_MAX)

#define GRADIENT_EXPONENT_MIN (-60)
#define GRADIENT_EXPONENT_MAX 24

/* gradient_bound: the largest element of a width of 1 or 2 that a miner may
 * use; its negative is the smallest. */
int32_t gradient_bound(unsigned width);

/* gradient_is_exponent: whether it is one that an encoding may hold. */
bool gradient_is_exponent(int exponent);

struct gradient {
    unsigned width; /* 1, 2, 4 */
    uint32_t addends;
    int8_t exponents[TENSORS_MAX];
    const uint8_t *elements; /* borrowed */
};

/* gradient_bytes: size of the encoding for this shape and width. */
size_t gradient_bytes(const struct model_shape *shape, unsigned width);

/* gradient_view: a view into data, which must outlive it.  Everything is
 * checked: magic, width, counts, exponents in range, exact size.
 * Errors: POT_EFORMAT; POT_ESHAPE another number of tensors or elements. */
POT_MUST_USE enum pot_err gradient_view(struct gradient *out,
                                        const struct model_shape *shape,
                                        const void *data, size_t size);

/* gradient_get: element i, 0 <= i < shape->parameter_count. */
int32_t gradient_get(const struct gradient *g, size_t i);

/* gradient_read: elements from `first` on, count of them, all of which it
 * has. */
void gradient_read(int32_t *out, const struct gradient *g, size_t first,
                   size_t count);

/* gradient_width: the least width that they fit. */
unsigned gradient_width(const int32_t *values, size_t count);

/* gradient_encode: values must fit the width; out has gradient_bytes(). */
void gradient_encode(uint8_t *out, const struct model_shape *shape,
                     unsigned width, uint32_t addends, const int8_t *exponents,
                     const int32_t *values);

#endif
