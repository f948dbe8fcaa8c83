/* bytes: little-endian readers and writers over bounded memory.
 *
 * Both are sticky cursors: after the first short read every read yields
 * zero, after the first write past the end nothing is written.  Check once,
 * at the end. */
#ifndef POT_BASE_BYTES_H
#define POT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* bytes_u16_at, bytes_u32_at: little-endian, at any alignment; for arrays
 * whose bounds are known. */
static inline uint16_t bytes_u16_at(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t bytes_u32_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* bytes_put_u32: likewise. */
static inline void bytes_put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)(value >> 16);
    at[3] = (uint8_t)(value >> 24);
}

struct bytes_reader {
    const uint8_t *data;
    size_t size; /* offset <= size */
    size_t offset;
    bool is_short; /* something was read beyond the end */
};

void bytes_reader_init(struct bytes_reader *r, const void *data, size_t size);
uint8_t bytes_read_u8(struct bytes_reader *r);
uint16_t bytes_read_u16(struct bytes_reader *r);
uint32_t bytes_read_u32(struct bytes_reader *r);
uint64_t bytes_read_u64(struct bytes_reader *r);
int32_t bytes_read_i32(struct bytes_reader *r);
int64_t bytes_read_i64(struct bytes_reader *r);

/* bytes_read: copies size bytes to out, or zeroes it when they are missing. */
void bytes_read(struct bytes_reader *r, void *out, size_t size);

/* bytes_borrow: the next size bytes in place, NULL when they are missing. */
const uint8_t *bytes_borrow(struct bytes_reader *r, size_t size);

size_t bytes_left(const struct bytes_reader *r);

/* bytes_is_done: all was there and nothing is left over. */
bool bytes_is_done(const struct bytes_reader *r);

struct bytes_writer {
    uint8_t *data;
    size_t size; /* offset <= size */
    size_t offset;
    bool is_overflown;
};

void bytes_writer_init(struct bytes_writer *w, void *data, size_t size);
void bytes_write_u8(struct bytes_writer *w, uint8_t value);
void bytes_write_u16(struct bytes_writer *w, uint16_t value);
void bytes_write_u32(struct bytes_writer *w, uint32_t value);
void bytes_write_u64(struct bytes_writer *w, uint64_t value);
void bytes_write_i64(struct bytes_writer *w, int64_t value);
void bytes_write(struct bytes_writer *w, const void *data, size_t size);

#endif
