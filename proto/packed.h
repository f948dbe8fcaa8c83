/* packed: what a miner submits, in the form that its task asks for.
 *
 * int8 and int16 are the encoding of proto/gradient.h, of width 1 or 2.  The
 * others begin with
 *
 *   u32  magic "PTC1"
 *   u8   form, as Pot__Compression has it
 *   u8   tensor count
 *   u16  0
 *   i8   exponent, for each tensor
 *
 * and go on with, bits from the lowest of a byte on and those left over 0:
 *
 *   int4  4 bits an element, two's complement, -7 to 7
 *   sign  u8 for each tensor, the size of its elements, 0 to 127; a bit an
 *         element: 1 where it is negative; all 0 in a tensor of size 0
 *   topk  the indices of `kept` elements, ascending: l low bits of each, then
 *         a bit string in which bit (index >> l) + n is 1 for the n-th index
 *         (Elias and Fano); then, from a whole byte on, i8 each, -127 to 127.
 *         Elements of 0 are listed only to make up the number: the first ones
 *
 * A gradient has one encoding in each form that can hold it. */
#ifndef POT_PROTO_PACKED_H
#define POT_PROTO_PACKED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/chain.pb-c.h"
#include "proto/gradient.h"
#include "proto/model.h"

struct packed_form {
    Pot__Compression compression;
    size_t kept; /* topk: 0 < kept <= parameters; 0 for others */
};

/* packed_form_init: of a task that was found sound, for its model's shape. */
void packed_form_init(struct packed_form *out, const Pot__TaskSpec *spec,
                      const struct model_shape *shape);

/* packed_bound: the largest element of a form; its negative is the smallest. */
int32_t packed_bound(const struct packed_form *form);

/* packed_bytes: size of the encoding, the same for all gradients. */
size_t packed_bytes(const struct model_shape *shape,
                    const struct packed_form *form);

/* packed_open: a view of what a miner submitted, as int8 or int16 elements.
 *
 * In:     data, which must outlive out; room for an element a parameter, which
 *         must, too: forms below a byte are unpacked there
 * Errors: POT_EFORMAT, POT_ESHAPE: not one miner's gradient in that form */
POT_MUST_USE enum pot_err packed_open(struct gradient *out, int8_t *room,
                                      const struct model_shape *shape,
                                      const struct packed_form *form,
                                      const void *data, size_t size);

/* packed_encode: packed_bytes() at out.  Values are within packed_bound; sign:
 * of one size in each tensor; topk: at most `kept` of them are not 0. */
void packed_encode(uint8_t *out, const struct model_shape *shape,
                   const struct packed_form *form, const int8_t *exponents,
                   const int32_t *values);

#endif
