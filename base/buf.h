/* buf: a growable byte buffer with a stated maximum. */
#ifndef POT_BASE_BUF_H
#define POT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct buf is empty and may be passed to buf_fini. */
struct buf {
    uint8_t *data;
    size_t size; /* size <= capacity <= size_max */
    size_t capacity;
    size_t size_max;
    bool is_overflown; /* an append went over size_max and was dropped */
};

/* buf_init: an empty buffer that never grows beyond size_max bytes. */
void buf_init(struct buf *buf, size_t size_max);

/* buf_fini: frees the bytes; the buffer is empty again. */
void buf_fini(struct buf *buf);

/* buf_clear: forgets the bytes and the overflow, keeps the memory. */
void buf_clear(struct buf *buf);

/* buf_append: adds size bytes.  Sticky: after an overflow nothing more is
 * added and is_overflown stays set; check it once at the end. */
void buf_append(struct buf *buf, const void *data, size_t size);

/* buf_extend: room for size more bytes, counted at once; NULL on overflow. */
uint8_t *buf_extend(struct buf *buf, size_t size);

/* buf_printf: appends formatted text, without its terminating NUL. */
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* buf_consume: drops the first size bytes; size <= buf->size. */
void buf_consume(struct buf *buf, size_t size);

/* buf_text: the bytes as a NUL-terminated string, owned by buf; truncated by
 * one byte if the buffer is full. */
const char *buf_text(struct buf *buf);

#endif
