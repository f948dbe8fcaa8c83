#include "config.h"

#include "proto/packed.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/clones.h"
#include "base/fixed.h"

#include <stdbool.h>
#include <string.h>

#define MAGIC        UINT32_C(0x31435450) /* "PTC1", little-endian */
#define HEADER_BYTES 8
#define NIBBLE_BITS  4

static bool is_whole_bytes(const struct packed_form *form)
{
    return form->compression == POT__COMPRESSION__COMPRESSION_INT8 ||
           form->compression == POT__COMPRESSION__COMPRESSION_INT16;
}

static unsigned width_of(const struct packed_form *form)
{
    return form->compression == POT__COMPRESSION__COMPRESSION_INT16 ? 2 : 1;
}

void packed_form_init(struct packed_form *out, const Pot__TaskSpec *spec,
                      const struct model_shape *shape)
{
    *out = (struct packed_form){.compression = spec->compression};
    if (spec->compression == POT__COMPRESSION__COMPRESSION_TOPK) {
        uint64_t share = spec->topk_share_ppm;
        uint64_t kept =
            (shape->parameter_count * share + PPM_ONE / 2) / PPM_ONE;
        POT_ASSERT(share <= PPM_ONE);
        out->kept = kept > 0 ? (size_t)kept : 1;
    }
}

int32_t packed_bound(const struct packed_form *form)
{
    if (form->compression == POT__COMPRESSION__COMPRESSION_INT4) {
        return 7;
    }
    return gradient_bound(width_of(form));
}

/* ---- sizes */

/* Low bits of an index: as many as make the high parts about as many as the
 * indices. */
static unsigned low_bits(size_t parameters, size_t kept)
{
    POT_ASSERT(kept > 0 && kept <= parameters);
    return fixed_bit_count(parameters / kept) - 1;
}

static size_t high_size(size_t parameters, size_t kept)
{
    return kept + ((parameters - 1) >> low_bits(parameters, kept));
}

static size_t bytes_of_bits(size_t bits)
{
    return bits / 8 + (bits % 8 != 0);
}

static size_t body_bytes(const struct model_shape *shape,
                         const struct packed_form *form)
{
    size_t n = shape->parameter_count;
    size_t kept = form->kept;
    if (form->compression == POT__COMPRESSION__COMPRESSION_INT4) {
        return bytes_of_bits(NIBBLE_BITS * n);
    }
    if (form->compression == POT__COMPRESSION__COMPRESSION_SIGN) {
        return shape->tensor_count + bytes_of_bits(n);
    }
    POT_ASSERT(form->compression == POT__COMPRESSION__COMPRESSION_TOPK);
    return bytes_of_bits(low_bits(n, kept) * kept + high_size(n, kept)) + kept;
}

size_t packed_bytes(const struct model_shape *shape,
                    const struct packed_form *form)
{
    return is_whole_bytes(form)
               ? gradient_bytes(shape, width_of(form))
               : HEADER_BYTES + shape->tensor_count + body_bytes(shape, form);
}

/* ---- bits */

static bool bit_at(const uint8_t *bits, size_t index)
{
    return (bits[index / 8] >> index % 8 & 1) != 0;
}

static void set_bit(uint8_t *bits, size_t index)
{
    bits[index / 8] = (uint8_t)(bits[index / 8] | 1U << index % 8);
}

static bool are_clear(const uint8_t *bits, size_t from, size_t to)
{
    while (from < to && !bit_at(bits, from)) {
        from++;
    }
    return from >= to;
}

/* ---- int4 */

/* False: one of them is -8. */
CLONES static bool open_pairs(int8_t *restrict room,
                              const uint8_t *restrict body, size_t pairs)
{
    uint8_t wrong = 0;
#pragma omp simd reduction(| : wrong)
    for (size_t i = 0; i < pairs; i++) {
        uint8_t low = body[i] & 15;
        uint8_t high = body[i] >> NIBBLE_BITS;
        wrong = (uint8_t)(wrong | (low == 8) | (high == 8));
        room[2 * i] = (int8_t)((low ^ 8) - 8);
        room[2 * i + 1] = (int8_t)((high ^ 8) - 8);
    }
    return wrong == 0;
}

static bool open_nibbles(int8_t *room, size_t count, const uint8_t *body)
{
    bool is_right = open_pairs(room, body, count / 2);
    if (count % 2 == 1) {
        unsigned last = body[count / 2];
        room[count - 1] = (int8_t)((int)(last ^ 8) - 8);
        is_right = is_right && last != 8 && last >> NIBBLE_BITS == 0;
    }
    return is_right;
}

/* False: one of them is not within +-7. */
CLONES static bool encode_pairs(uint8_t *restrict body,
                                const int32_t *restrict values, size_t pairs)
{
    uint32_t wrong = 0;
#pragma omp simd reduction(| : wrong)
    for (size_t i = 0; i < pairs; i++) {
        uint32_t low = (uint32_t)values[2 * i];
        uint32_t high = (uint32_t)values[2 * i + 1];
        wrong |= (low + 7 > 14) | (high + 7 > 14);
        body[i] = (uint8_t)((low & 15) | (high & 15) << NIBBLE_BITS);
    }
    return wrong == 0;
}

static void encode_nibbles(uint8_t *body, size_t count, const int32_t *values)
{
    bool is_right = encode_pairs(body, values, count / 2);
    if (count % 2 == 1) {
        const int32_t last[] = {values[count - 1], 0};
        is_right = encode_pairs(body + count / 2, last, 1) && is_right;
    }
    POT_ASSERT(is_right);
}

/* ---- sign */

static bool open_signs(int8_t *room, const struct model_shape *shape,
                       const uint8_t *body)
{
    const uint8_t *bits = body + shape->tensor_count;
    size_t count = shape->parameter_count;
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span span = shape->tensors[t];
        size_t end = span.offset + span.count;
        if (body[t] > INT8_MAX ||
            (body[t] == 0 && !are_clear(bits, span.offset, end))) {
            return false;
        }
        int size = body[t];
        for (size_t i = span.offset; i < end; i++) {
            room[i] = (int8_t)(bit_at(bits, i) ? -size : size);
        }
    }
    return are_clear(bits, count, 8 * bytes_of_bits(count));
}

static void encode_signs(uint8_t *body, const struct model_shape *shape,
                         const int32_t *values)
{
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span span = shape->tensors[t];
        uint64_t size = fixed_magnitude(values[span.offset]);
        POT_ASSERT(size <= INT8_MAX);
        body[t] = (uint8_t)size;
        for (size_t i = span.offset; i < span.offset + span.count; i++) {
            POT_ASSERT(fixed_magnitude(values[i]) == size);
            if (values[i] < 0) {
                set_bit(body + shape->tensor_count, i);
            }
        }
    }
}

/* ---- topk */

static bool open_top(int8_t *room, size_t count, size_t kept,
                     const uint8_t *body)
{
    unsigned low = low_bits(count, kept);
    size_t at = low * kept; /* of the bit string */
    size_t end = at + high_size(count, kept);
    const uint8_t *values = body + bytes_of_bits(end);
    size_t next = 0; /* the least that the next index may be */
    size_t high = 0;
    memset(room, 0, count);
    for (size_t n = 0; n < kept; n++, at++) {
        while (at < end && !bit_at(body, at)) {
            high++;
            at++;
        }
        size_t index = high << low;
        for (unsigned b = 0; b < low; b++) {
            index |= (size_t)bit_at(body, n * low + b) << b;
        }
        bool is_needed = values[n] != 0 || index == n;
        if (at >= end || index < next || index >= count || !is_needed ||
            values[n] == 0x80) {
            return false;
        }
        room[index] = (int8_t)values[n];
        next = index + 1;
    }
    return are_clear(body, at, 8 * bytes_of_bits(end));
}

static void encode_top(uint8_t *body, size_t count, size_t kept,
                       const int32_t *values)
{
    unsigned low = low_bits(count, kept);
    size_t at = low * kept;
    uint8_t *out = body + bytes_of_bits(at + high_size(count, kept));
    size_t spare = kept; /* elements of 0 that make up the number */
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        POT_ASSERT(spare > 0 || values[i] == 0);
        spare -= values[i] != 0 ? 1 : 0;
    }
    for (size_t i = 0; i < count && n < kept; i++) {
        if (values[i] == 0 && spare == 0) {
            continue;
        }
        spare -= values[i] == 0 ? 1 : 0;
        for (unsigned b = 0; b < low; b++) {
            if ((i >> b & 1) != 0) {
                set_bit(body, n * low + b);
            }
        }
        set_bit(body, at + (i >> low) + n);
        out[n++] = (uint8_t)(int8_t)values[i];
    }
    POT_ASSERT(n == kept);
}

/* ---- all */

static bool open_body(int8_t *room, const struct model_shape *shape,
                      const struct packed_form *form, const uint8_t *body)
{
    if (form->compression == POT__COMPRESSION__COMPRESSION_INT4) {
        return open_nibbles(room, shape->parameter_count, body);
    }
    if (form->compression == POT__COMPRESSION__COMPRESSION_SIGN) {
        return open_signs(room, shape, body);
    }
    return open_top(room, shape->parameter_count, form->kept, body);
}

static enum pot_err open_bits(struct gradient *out, int8_t *room,
                              const struct model_shape *shape,
                              const struct packed_form *form, const void *data,
                              size_t size)
{
    struct bytes_reader r;
    if (size != packed_bytes(shape, form)) {
        return POT_ESHAPE;
    }
    bytes_reader_init(&r, data, size);
    uint32_t magic = bytes_read_u32(&r);
    uint32_t compression = bytes_read_u8(&r);
    size_t tensor_count = bytes_read_u8(&r);
    uint16_t zero = bytes_read_u16(&r);
    if (magic != MAGIC || compression != (uint32_t)form->compression ||
        tensor_count != shape->tensor_count || zero != 0) {
        return POT_EFORMAT;
    }
    *out = (struct gradient){
        .width = 1, .addends = 1, .elements = (const uint8_t *)room};
    bytes_read(&r, out->exponents, tensor_count);
    for (size_t t = 0; t < tensor_count; t++) {
        if (!gradient_is_exponent(out->exponents[t])) {
            return POT_EFORMAT;
        }
    }
    return open_body(room, shape, form, bytes_borrow(&r, bytes_left(&r)))
               ? POT_OK
               : POT_EFORMAT;
}

enum pot_err packed_open(struct gradient *out, int8_t *room,
                         const struct model_shape *shape,
                         const struct packed_form *form, const void *data,
                         size_t size)
{
    if (!is_whole_bytes(form)) {
        return open_bits(out, room, shape, form, data, size);
    }
    enum pot_err err = gradient_view(out, shape, data, size);
    if (err == POT_OK && (out->width != width_of(form) || out->addends != 1)) {
        err = POT_EFORMAT;
    }
    return err;
}

void packed_encode(uint8_t *out, const struct model_shape *shape,
                   const struct packed_form *form, const int8_t *exponents,
                   const int32_t *values)
{
    struct bytes_writer w;
    size_t size = packed_bytes(shape, form);
    if (is_whole_bytes(form)) {
        gradient_encode(out, shape, width_of(form), 1, exponents, values);
        return;
    }
    memset(out, 0, size);
    bytes_writer_init(&w, out, size);
    bytes_write_u32(&w, MAGIC);
    bytes_write_u8(&w, (uint8_t)form->compression);
    bytes_write_u8(&w, (uint8_t)shape->tensor_count);
    bytes_write_u16(&w, 0);
    bytes_write(&w, exponents, shape->tensor_count);
    uint8_t *body = out + w.offset;
    if (form->compression == POT__COMPRESSION__COMPRESSION_INT4) {
        encode_nibbles(body, shape->parameter_count, values);
    } else if (form->compression == POT__COMPRESSION__COMPRESSION_SIGN) {
        encode_signs(body, shape, values);
    } else {
        encode_top(body, shape->parameter_count, form->kept, values);
    }
}
