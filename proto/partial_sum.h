/* partial_sum: the bytes of the sum over some of a round's gradients.
 *
 *   u32  magic "PTS1"
 *   u8   tensor count
 *   u8   0
 *   u16  0
 *   u32  addends
 *   u8   shift, u8 width, for each tensor
 *   ...  elements, those of each tensor in its width of 1 to 8 bytes,
 *        little-endian two's complement, in the parameters' order
 *
 * An element stands for value * 2^shift on the grid that gradients are summed
 * on (ledger/aggregate_grid.h).  Unlike an aggregate it never rounds: sums of
 * sums, in any tree, are the bits of the flat sum.  A sum has one encoding: of
 * each tensor the largest shift that loses nothing (0 for zeros) and then the
 * least width. */
#ifndef POT_PROTO_PARTIAL_SUM_H
#define POT_PROTO_PARTIAL_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/model.h"

/* One addend on the grid is at most this power of two. */
#define PARTIAL_SUM_ADDEND_BITS 50

/* partial_sum_bytes_max: of the largest encoding for this shape. */
size_t partial_sum_bytes_max(const struct model_shape *shape);

/* partial_sum_open: decodes into sums (parameter_count) and the number of
 * addends, 1 to ROSTER_MAX.  No element is larger than so many addends make
 * it.
 *
 * Errors: POT_EFORMAT not the one encoding of such a sum;
 *         POT_ESHAPE another number of tensors or elements.
 * sums may be overwritten then. */
POT_MUST_USE enum pot_err partial_sum_open(int64_t *sums, uint32_t *addends,
                                           const struct model_shape *shape,
                                           const void *data, size_t size);

/* partial_sum_encode: appends the encoding; the elements are within what so
 * many addends, 1 to ROSTER_MAX, make them. */
void partial_sum_encode(struct buf *out, const struct model_shape *shape,
                        uint32_t addends, const int64_t *sums);

#endif
