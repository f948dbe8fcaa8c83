#include "config.h"

#include "base/bytes.h"

#include <string.h>

void bytes_reader_init(struct bytes_reader *r, const void *data, size_t size)
{
    *r = (struct bytes_reader){.data = data, .size = size};
}

const uint8_t *bytes_borrow(struct bytes_reader *r, size_t size)
{
    if (r->is_short || size > r->size - r->offset) {
        r->is_short = true;
        return NULL;
    }
    const uint8_t *at = r->data + r->offset;
    r->offset += size;
    return at;
}

void bytes_read(struct bytes_reader *r, void *out, size_t size)
{
    const uint8_t *at = bytes_borrow(r, size);
    if (size == 0) {
        return;
    }
    if (at == NULL) {
        memset(out, 0, size);
    } else {
        memcpy(out, at, size);
    }
}

static uint64_t read_uint(struct bytes_reader *r, size_t size)
{
    uint8_t raw[8] = {0};
    uint64_t value = 0;
    bytes_read(r, raw, size);
    for (size_t i = size; i > 0; i--) {
        value = value << 8 | raw[i - 1];
    }
    return value;
}

uint8_t bytes_read_u8(struct bytes_reader *r)
{
    return (uint8_t)read_uint(r, 1);
}

uint16_t bytes_read_u16(struct bytes_reader *r)
{
    return (uint16_t)read_uint(r, 2);
}

uint32_t bytes_read_u32(struct bytes_reader *r)
{
    return (uint32_t)read_uint(r, 4);
}

uint64_t bytes_read_u64(struct bytes_reader *r)
{
    return read_uint(r, 8);
}

int32_t bytes_read_i32(struct bytes_reader *r)
{
    return (int32_t)bytes_read_u32(r);
}

int64_t bytes_read_i64(struct bytes_reader *r)
{
    return (int64_t)bytes_read_u64(r);
}

size_t bytes_left(const struct bytes_reader *r)
{
    return r->is_short ? 0 : r->size - r->offset;
}

bool bytes_is_done(const struct bytes_reader *r)
{
    return !r->is_short && r->offset == r->size;
}

void bytes_writer_init(struct bytes_writer *w, void *data, size_t size)
{
    *w = (struct bytes_writer){.data = data, .size = size};
}

void bytes_write(struct bytes_writer *w, const void *data, size_t size)
{
    if (w->is_overflown || size > w->size - w->offset) {
        w->is_overflown = true;
        return;
    }
    if (size > 0) {
        memcpy(w->data + w->offset, data, size);
        w->offset += size;
    }
}

static void write_uint(struct bytes_writer *w, uint64_t value, size_t size)
{
    uint8_t raw[8];
    for (size_t i = 0; i < size; i++) {
        raw[i] = (uint8_t)(value >> (8 * i));
    }
    bytes_write(w, raw, size);
}

void bytes_write_u8(struct bytes_writer *w, uint8_t value)
{
    write_uint(w, value, 1);
}

void bytes_write_u16(struct bytes_writer *w, uint16_t value)
{
    write_uint(w, value, 2);
}

void bytes_write_u32(struct bytes_writer *w, uint32_t value)
{
    write_uint(w, value, 4);
}

void bytes_write_u64(struct bytes_writer *w, uint64_t value)
{
    write_uint(w, value, 8);
}

void bytes_write_i64(struct bytes_writer *w, int64_t value)
{
    write_uint(w, (uint64_t)value, 8);
}
