#include "config.h"

#include "ctl/safetensors.h"

#include "base/bytes.h"
#include "base/fixed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 48

static json_t *tensor_json(const struct model_shape *shape, size_t tensor)
{
    const struct tensor_span *span = &shape->tensors[tensor];
    size_t layer = tensor / 2;
    json_int_t out = shape->widths[layer + 1];
    json_int_t in = shape->widths[layer];
    json_int_t from = (json_int_t)(sizeof(float) * span->offset);
    json_int_t to = from + (json_int_t)(sizeof(float) * span->count);
    json_t *dims =
        tensor % 2 == 0 ? json_pack("[II]", out, in) : json_pack("[I]", out);
    return json_pack("{ss so s[II]}", "dtype", "F32", "shape", dims,
                     "data_offsets", from, to);
}

static char *header_text(const struct model_shape *shape, json_t *metadata)
{
    json_t *header = json_object();
    (void)json_object_set(header, "__metadata__", metadata);
    for (size_t i = 0; i < shape->tensor_count; i++) {
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof(name), "layers.%zu.%s", i / 2,
                       i % 2 == 0 ? "weight" : "bias");
        (void)json_object_set_new(header, name, tensor_json(shape, i));
    }
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    return text;
}

static void append_header(struct buf *out, const char *text)
{
    struct bytes_writer w;
    uint8_t size[8];
    size_t padded = (strlen(text) + 7) / 8 * 8;
    bytes_writer_init(&w, size, sizeof(size));
    bytes_write_u64(&w, padded);
    buf_append(out, size, sizeof(size));
    buf_append(out, text, strlen(text));
    buf_append(out, "       ", padded - strlen(text));
}

static void append_float(struct buf *out, float value)
{
    struct bytes_writer w;
    uint8_t raw[4];
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    bytes_writer_init(&w, raw, sizeof(raw));
    bytes_write_u32(&w, bits);
    buf_append(out, raw, sizeof(raw));
}

enum pot_err safetensors_append(struct buf *out,
                                const struct model_shape *shape,
                                const void *theta, size_t size,
                                json_t *metadata)
{
    struct bytes_reader r;
    if (size != sizeof(int32_t) * shape->parameter_count) {
        return POT_ESHAPE;
    }
    char *text = header_text(shape, metadata);
    append_header(out, text);
    free(text);
    bytes_reader_init(&r, theta, size);
    for (size_t i = 0; i < shape->parameter_count; i++) {
        append_float(out, ldexpf((float)bytes_read_i32(&r), -FIXED_BITS));
    }
    return POT_OK;
}
