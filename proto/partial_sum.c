#include "config.h"

#include "proto/partial_sum.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/clones.h"
#include "base/fixed.h"
#include "base/limits.h"

#define MAGIC         UINT32_C(0x31535450) /* "PTS1", little-endian */
#define HEADER_BYTES  12
#define TENSOR_BYTES  2
#define WIDTH_MAX     8
#define SHIFT_MAX     62
#define ADDENDS_BOUND (INT64_C(1) << PARTIAL_SUM_ADDEND_BITS)

struct form { /* of a tensor */
    unsigned shift;
    unsigned width;
};

size_t partial_sum_bytes_max(const struct model_shape *shape)
{
    return HEADER_BYTES + TENSOR_BYTES * shape->tensor_count +
           WIDTH_MAX * shape->parameter_count;
}

/* The bits of them all, and of negative ones the complement's beside them. */
struct extent {
    uint64_t all;
    uint64_t sizes;
};

CLONES static void measure(struct extent *out, const int64_t *values,
                           size_t count)
{
    uint64_t all = 0;
    uint64_t sizes = 0;
#pragma omp simd reduction(| : all, sizes)
    for (size_t i = 0; i < count; i++) {
        all |= (uint64_t)values[i];
        sizes |= (uint64_t)(values[i] ^ values[i] >> 63);
    }
    *out = (struct extent){all, sizes};
}

static struct form form_of(const int64_t *values, size_t count)
{
    struct extent extent;
    struct form form = {0, 1};
    measure(&extent, values, count);
    while (extent.all != 0 && (extent.all >> form.shift & 1) == 0) {
        form.shift++;
    }
    /* The complement's low bits are ones: they go with the shift, too. */
    form.width = fixed_bit_count(extent.sizes >> form.shift) / 8 + 1;
    return form;
}

/* False: a shift lost bits. */
CLONES static bool read_elements(int64_t *restrict out,
                                 const uint8_t *restrict at, size_t count,
                                 struct form form)
{
    uint64_t sign = UINT64_C(1) << (8 * form.width - 1);
    uint64_t lost = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        for (unsigned b = 0; b < form.width; b++) {
            value |= (uint64_t)at[i * form.width + b] << 8 * b;
        }
        value = (value ^ sign) - sign;
        out[i] = (int64_t)(value << form.shift);
        lost |= (uint64_t)(out[i] >> form.shift) ^ value;
    }
    return lost == 0;
}

static void write_elements(uint8_t *restrict out,
                           const int64_t *restrict values, size_t count,
                           struct form form)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = (uint64_t)(values[i] >> form.shift);
        for (unsigned b = 0; b < form.width; b++) {
            out[i * form.width + b] = (uint8_t)(value >> 8 * b);
        }
    }
}

static bool are_within(const int64_t *values, size_t count, int64_t bound)
{
    bool are = true;
    for (size_t i = 0; i < count; i++) {
        are = are && values[i] <= bound && values[i] >= -bound;
    }
    return are;
}

static bool open_tensor(int64_t *out, const uint8_t *at, size_t count,
                        struct form form, int64_t bound)
{
    bool is_whole = read_elements(out, at, count, form);
    struct form again = form_of(out, count);
    return is_whole && again.shift == form.shift && again.width == form.width &&
           are_within(out, count, bound);
}

static enum pot_err open_forms(struct form *forms, size_t *bytes,
                               const struct model_shape *shape,
                               struct bytes_reader *r)
{
    *bytes = 0;
    for (size_t t = 0; t < shape->tensor_count; t++) {
        forms[t].shift = bytes_read_u8(r);
        forms[t].width = bytes_read_u8(r);
        if (forms[t].shift > SHIFT_MAX || forms[t].width < 1 ||
            forms[t].width > WIDTH_MAX) {
            return POT_EFORMAT;
        }
        *bytes += forms[t].width * shape->tensors[t].count;
    }
    return POT_OK;
}

enum pot_err partial_sum_open(int64_t *sums, uint32_t *addends,
                              const struct model_shape *shape, const void *data,
                              size_t size)
{
    struct form forms[TENSORS_MAX];
    struct bytes_reader r;
    size_t bytes;
    bytes_reader_init(&r, data, size);
    uint32_t magic = bytes_read_u32(&r);
    size_t tensor_count = bytes_read_u8(&r);
    unsigned zeros = bytes_read_u8(&r) | (unsigned)bytes_read_u16(&r);
    uint32_t count = bytes_read_u32(&r);
    if (r.is_short || magic != MAGIC || zeros != 0 || count == 0 ||
        count > ROSTER_MAX) {
        return POT_EFORMAT;
    }
    if (tensor_count != shape->tensor_count) {
        return POT_ESHAPE;
    }
    enum pot_err err = open_forms(forms, &bytes, shape, &r);
    if (err != POT_OK || bytes_left(&r) != bytes) {
        return err != POT_OK ? err : POT_ESHAPE;
    }
    for (size_t t = 0; t < tensor_count; t++) {
        struct tensor_span tensor = shape->tensors[t];
        const uint8_t *at = bytes_borrow(&r, forms[t].width * tensor.count);
        if (!open_tensor(sums + tensor.offset, at, tensor.count, forms[t],
                         (int64_t)count * ADDENDS_BOUND)) {
            return POT_EFORMAT;
        }
    }
    *addends = count;
    return POT_OK;
}

static void write_header(uint8_t *at, const struct model_shape *shape,
                         uint32_t addends, const struct form *forms)
{
    struct bytes_writer w;
    bytes_writer_init(&w, at,
                      HEADER_BYTES + TENSOR_BYTES * shape->tensor_count);
    bytes_write_u32(&w, MAGIC);
    bytes_write_u8(&w, (uint8_t)shape->tensor_count);
    bytes_write_u8(&w, 0);
    bytes_write_u16(&w, 0);
    bytes_write_u32(&w, addends);
    for (size_t t = 0; t < shape->tensor_count; t++) {
        bytes_write_u8(&w, (uint8_t)forms[t].shift);
        bytes_write_u8(&w, (uint8_t)forms[t].width);
    }
    POT_ASSERT(!w.is_overflown);
}

void partial_sum_encode(struct buf *out, const struct model_shape *shape,
                        uint32_t addends, const int64_t *sums)
{
    struct form forms[TENSORS_MAX];
    size_t header = HEADER_BYTES + TENSOR_BYTES * shape->tensor_count;
    size_t size = header;
    POT_ASSERT(addends > 0 && addends <= ROSTER_MAX);
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span tensor = shape->tensors[t];
        forms[t] = form_of(sums + tensor.offset, tensor.count);
        size += forms[t].width * tensor.count;
    }
    uint8_t *at = buf_extend(out, size);
    POT_ASSERT(at != NULL);
    write_header(at, shape, addends, forms);
    at += header;
    for (size_t t = 0; t < shape->tensor_count; t++) {
        struct tensor_span tensor = shape->tensors[t];
        write_elements(at, sums + tensor.offset, tensor.count, forms[t]);
        at += forms[t].width * tensor.count;
    }
}
