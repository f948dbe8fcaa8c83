#include "config.h"

#include "proto/gradient.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/clones.h"

#include <string.h>

#define MAGIC UINT32_C(0x31475450) /* "PTG1", little-endian */

int32_t gradient_bound(unsigned width)
{
    POT_ASSERT(width == 1 || width == 2);
    return width == 1 ? INT8_MAX : INT16_MAX;
}

bool gradient_is_exponent(int exponent)
{
    return exponent >= GRADIENT_EXPONENT_MIN &&
           exponent <= GRADIENT_EXPONENT_MAX;
}

size_t gradient_bytes(const struct model_shape *shape, unsigned width)
{
    return GRADIENT_HEADER_BYTES + shape->tensor_count +
           (size_t)width * shape->parameter_count;
}

enum pot_err gradient_view(struct gradient *out,
                           const struct model_shape *shape, const void *data,
                           size_t size)
{
    struct bytes_reader r;
    struct gradient g = {0};
    bytes_reader_init(&r, data, size);
    uint32_t magic = bytes_read_u32(&r);
    g.width = bytes_read_u8(&r);
    size_t tensor_count = bytes_read_u8(&r);
    uint16_t zero = bytes_read_u16(&r);
    g.addends = bytes_read_u32(&r);
    if (r.is_short || magic != MAGIC || zero != 0 || g.addends == 0 ||
        (g.width != 1 && g.width != 2 && g.width != 4)) {
        return POT_EFORMAT;
    }
    if (tensor_count != shape->tensor_count ||
        size != gradient_bytes(shape, g.width)) {
        return POT_ESHAPE;
    }
    bytes_read(&r, g.exponents, tensor_count);
    for (size_t i = 0; i < tensor_count; i++) {
        if (!gradient_is_exponent(g.exponents[i])) {
            return POT_EFORMAT;
        }
    }
    g.elements = bytes_borrow(&r, g.width * shape->parameter_count);
    POT_ASSERT(bytes_is_done(&r));
    *out = g;
    return POT_OK;
}

int32_t gradient_get(const struct gradient *g, size_t i)
{
    const uint8_t *at = g->elements + i * g->width;
    if (g->width == 1) {
        return (int8_t)at[0];
    }
    if (g->width == 2) {
        return (int16_t)bytes_u16_at(at);
    }
    return (int32_t)bytes_u32_at(at);
}

CLONES static void read_elements(int32_t *restrict out,
                                 const uint8_t *restrict at, size_t count,
                                 unsigned width)
{
    if (width == 1) {
#pragma omp simd
        for (size_t i = 0; i < count; i++) {
            out[i] = (int8_t)at[i];
        }
    } else if (width == 2) {
#pragma omp simd
        for (size_t i = 0; i < count; i++) {
            out[i] = (int16_t)bytes_u16_at(at + 2 * i);
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            out[i] = (int32_t)bytes_u32_at(at + 4 * i);
        }
    }
}

void gradient_read(int32_t *out, const struct gradient *g, size_t first,
                   size_t count)
{
    read_elements(out, g->elements + first * g->width, count, g->width);
}

/* The bits of them all, of negative ones the complement's. */
CLONES static uint32_t bits_of(const int32_t *values, size_t count)
{
    uint32_t all = 0;
#pragma omp simd reduction(| : all)
    for (size_t i = 0; i < count; i++) {
        all |= (uint32_t)(values[i] ^ values[i] >> 31);
    }
    return all;
}

unsigned gradient_width(const int32_t *values, size_t count)
{
    uint32_t all = bits_of(values, count);
    if (all < UINT32_C(1) << 7) {
        return 1;
    }
    return all < UINT32_C(1) << 15 ? 2 : 4;
}

/* Their low `width` bytes. */
CLONES static void write_elements(uint8_t *restrict out,
                                  const int32_t *restrict values, size_t count,
                                  unsigned width)
{
    if (width == 1) {
#pragma omp simd
        for (size_t i = 0; i < count; i++) {
            out[i] = (uint8_t)values[i];
        }
    } else if (width == 2) {
#pragma omp simd
        for (size_t i = 0; i < count; i++) {
            out[2 * i] = (uint8_t)values[i];
            out[2 * i + 1] = (uint8_t)(values[i] >> 8);
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            bytes_put_u32(out + 4 * i, (uint32_t)values[i]);
        }
    }
}

void gradient_encode(uint8_t *out, const struct model_shape *shape,
                     unsigned width, uint32_t addends, const int8_t *exponents,
                     const int32_t *values)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, gradient_bytes(shape, width));
    bytes_write_u32(&w, MAGIC);
    bytes_write_u8(&w, (uint8_t)width);
    bytes_write_u8(&w, (uint8_t)shape->tensor_count);
    bytes_write_u16(&w, 0);
    bytes_write_u32(&w, addends);
    bytes_write(&w, exponents, shape->tensor_count);
    POT_ASSERT(gradient_width(values, shape->parameter_count) <= width);
    write_elements(out + w.offset, values, shape->parameter_count, width);
}
