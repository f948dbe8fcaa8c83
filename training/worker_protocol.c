#include "config.h"

#include "training/worker_protocol.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"

#include <string.h>

#define MAGIC      UINT32_C(0x31575450) /* "PTW1", little-endian */
#define CACHE_LINE 64

_Static_assert(WORKER_CORE_SIZE + WORKER_EXACT_SIZE + WORKER_CONFIG_SIZE + 8 <=
                   WORKER_BODY_BYTES_MAX,
               "a HELLO fits");

static void encode_part(struct bytes_writer *w, const struct worker_part *part)
{
    POT_ASSERT(part->width_count <= LAYERS_MAX);
    bytes_write_u64(w, part->job);
    bytes_write_u64(w, part->shared_bytes);
    bytes_write_u64(w, part->theta_offset);
    bytes_write_u64(w, part->rows_offset);
    bytes_write_u64(w, part->sums_offset);
    bytes_write_u64(w, part->row_count);
    bytes_write_u32(w, part->block_rows);
    bytes_write_u32(w, part->activation);
    bytes_write_u32(w, part->loss);
    bytes_write_u32(w, part->numerics);
    bytes_write_u32(w, part->local_steps);
    bytes_write_u32(w, part->local_rate);
    bytes_write_u32(w, part->width_count);
    for (uint32_t i = 0; i < part->width_count; i++) {
        bytes_write_u32(w, part->widths[i]);
    }
    size_t path_size = strnlen(part->path, WORKER_PATH_SIZE - 1);
    bytes_write_u32(w, (uint32_t)path_size);
    bytes_write(w, part->path, path_size);
}

static void encode_body(struct bytes_writer *w,
                        const struct worker_message *message)
{
    switch (message->type) {
    case WORKER_HELLO:
        bytes_write_u32(w, message->hello.version);
        bytes_write_u32(w, 0);
        bytes_write(w, message->hello.core, WORKER_CORE_SIZE);
        bytes_write(w, message->hello.exact, WORKER_EXACT_SIZE);
        bytes_write(w, message->hello.config, WORKER_CONFIG_SIZE);
        break;
    case WORKER_PART:
        encode_part(w, &message->part);
        break;
    case WORKER_DONE:
        bytes_write_u64(w, message->done.job);
        bytes_write_u64(w, message->done.rows);
        bytes_write_i64(w, message->done.loss_sum);
        bytes_write_u64(w, message->done.elapsed_us);
        break;
    case WORKER_ERROR:
        bytes_write_u64(w, message->error.job);
        bytes_write(w, message->error.text,
                    strnlen(message->error.text, WORKER_TEXT_SIZE - 1));
        break;
    case WORKER_DIVERGED:
        bytes_write_u64(w, message->diverged.job);
        break;
    }
}

size_t worker_encode(uint8_t out[static WORKER_MESSAGE_BYTES_MAX],
                     const struct worker_message *message)
{
    struct bytes_writer body;
    struct bytes_writer header;
    bytes_writer_init(&body, out + WORKER_HEADER_BYTES, WORKER_BODY_BYTES_MAX);
    encode_body(&body, message);
    POT_ASSERT(!body.is_overflown);
    bytes_writer_init(&header, out, WORKER_HEADER_BYTES);
    bytes_write_u32(&header, MAGIC);
    bytes_write_u32(&header, (uint32_t)message->type);
    bytes_write_u32(&header, (uint32_t)body.offset);
    bytes_write_u32(&header, 0);
    return WORKER_HEADER_BYTES + body.offset;
}

/* A worker is not trusted with a log or a terminal: other bytes become '?'. */
static void read_text(char *text, size_t text_size, struct bytes_reader *r,
                      size_t size)
{
    POT_ASSERT(size <= text_size);
    memset(text, 0, text_size);
    bytes_read(r, text, size);
    text[text_size - 1] = '\0';
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            text[i] = '?';
        }
    }
}

static bool decode_part(struct worker_part *part, struct bytes_reader *r)
{
    part->job = bytes_read_u64(r);
    part->shared_bytes = bytes_read_u64(r);
    part->theta_offset = bytes_read_u64(r);
    part->rows_offset = bytes_read_u64(r);
    part->sums_offset = bytes_read_u64(r);
    part->row_count = bytes_read_u64(r);
    part->block_rows = bytes_read_u32(r);
    part->activation = bytes_read_u32(r);
    part->loss = bytes_read_u32(r);
    part->numerics = bytes_read_u32(r);
    part->local_steps = bytes_read_u32(r);
    part->local_rate = bytes_read_u32(r);
    part->width_count = bytes_read_u32(r);
    if (part->width_count > LAYERS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < part->width_count; i++) {
        part->widths[i] = bytes_read_u32(r);
    }
    uint32_t path_size = bytes_read_u32(r);
    if (path_size >= WORKER_PATH_SIZE) {
        return false;
    }
    bytes_read(r, part->path, path_size);
    return memchr(part->path, '\0', path_size) == NULL || path_size == 0;
}

static bool decode_body(struct worker_message *message, uint32_t type,
                        struct bytes_reader *r)
{
    bool is_known = true;
    switch (type) {
    case WORKER_HELLO:
        message->hello.version = bytes_read_u32(r);
        is_known = bytes_read_u32(r) == 0;
        read_text(message->hello.core, WORKER_CORE_SIZE, r, WORKER_CORE_SIZE);
        read_text(message->hello.exact, WORKER_EXACT_SIZE, r,
                  WORKER_EXACT_SIZE);
        read_text(message->hello.config, WORKER_CONFIG_SIZE, r,
                  WORKER_CONFIG_SIZE);
        break;
    case WORKER_PART:
        is_known = decode_part(&message->part, r);
        break;
    case WORKER_DONE:
        message->done.job = bytes_read_u64(r);
        message->done.rows = bytes_read_u64(r);
        message->done.loss_sum = bytes_read_i64(r);
        message->done.elapsed_us = bytes_read_u64(r);
        break;
    case WORKER_ERROR:
        message->error.job = bytes_read_u64(r);
        is_known = bytes_left(r) < WORKER_TEXT_SIZE;
        if (is_known) {
            read_text(message->error.text, WORKER_TEXT_SIZE, r, bytes_left(r));
        }
        break;
    case WORKER_DIVERGED:
        message->diverged.job = bytes_read_u64(r);
        break;
    default:
        is_known = false;
    }
    message->type = (enum worker_type)type;
    return is_known && bytes_is_done(r);
}

enum worker_take worker_take(struct worker_message *out, struct buf *in)
{
    struct bytes_reader r;
    if (in->size < WORKER_HEADER_BYTES) {
        return in->is_overflown ? WORKER_TAKE_BROKEN : WORKER_TAKE_MORE;
    }
    bytes_reader_init(&r, in->data, WORKER_HEADER_BYTES);
    uint32_t magic = bytes_read_u32(&r);
    uint32_t type = bytes_read_u32(&r);
    uint32_t size = bytes_read_u32(&r);
    uint32_t zero = bytes_read_u32(&r);
    if (in->is_overflown || magic != MAGIC || zero != 0 ||
        size > WORKER_BODY_BYTES_MAX) {
        return WORKER_TAKE_BROKEN;
    }
    if (in->size - WORKER_HEADER_BYTES < size) {
        return WORKER_TAKE_MORE;
    }
    memset(out, 0, sizeof(*out));
    bytes_reader_init(&r, in->data + WORKER_HEADER_BYTES, size);
    if (!decode_body(out, type, &r)) {
        return WORKER_TAKE_BROKEN;
    }
    buf_consume(in, WORKER_HEADER_BYTES + size);
    return WORKER_TAKE_MESSAGE;
}

static uint64_t line_up(uint64_t offset)
{
    return (offset + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

enum pot_err worker_layout_init(struct worker_layout *out,
                                uint64_t parameter_count, uint64_t row_count)
{
    if (parameter_count > PARAMETERS_MAX || row_count > DATASET_ROWS_MAX) {
        return POT_ELIMIT;
    }
    out->theta_offset = 0;
    out->rows_offset = line_up(parameter_count * sizeof(int32_t));
    out->sums_offset = out->rows_offset + line_up(row_count * sizeof(uint64_t));
    out->size = out->sums_offset + line_up(parameter_count * sizeof(int64_t));
    return POT_OK;
}
