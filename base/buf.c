#include "config.h"

#include "base/buf.h"

#include "base/alloc.h"
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t size_max)
{
    *buf = (struct buf){.size_max = size_max};
}

void buf_fini(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->size_max);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->is_overflown = false;
}

static void grow(struct buf *buf, size_t need)
{
    size_t capacity = buf->capacity > 0 ? buf->capacity : 64;
    while (capacity < need) {
        capacity *= 2;
    }
    if (capacity > buf->size_max) {
        capacity = buf->size_max;
    }
    buf->data = pot_realloc(buf->data, capacity, 1);
    buf->capacity = capacity;
}

uint8_t *buf_extend(struct buf *buf, size_t size)
{
    if (buf->is_overflown || size > buf->size_max - buf->size) {
        buf->is_overflown = true;
        return NULL;
    }
    if (buf->size + size > buf->capacity || buf->data == NULL) {
        grow(buf, buf->size + size);
    }
    uint8_t *at = buf->data + buf->size;
    buf->size += size;
    return at;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
    uint8_t *at = buf_extend(buf, size);
    if (at != NULL && size > 0) {
        memcpy(at, data, size);
    }
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char small[256];
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    POT_ASSERT(length >= 0);
    if ((size_t)length < sizeof(small)) {
        buf_append(buf, small, (size_t)length);
    } else {
        char *large = pot_alloc((size_t)length + 1);
        (void)vsnprintf(large, (size_t)length + 1, format, again);
        buf_append(buf, large, (size_t)length);
        free(large);
    }
    va_end(again);
}

void buf_consume(struct buf *buf, size_t size)
{
    POT_ASSERT(size <= buf->size);
    if (size > 0) {
        memmove(buf->data, buf->data + size, buf->size - size);
        buf->size -= size;
    }
}

const char *buf_text(struct buf *buf)
{
    if (buf->size == buf->size_max && buf->size > 0) {
        buf->size--;
    }
    if (buf->size + 1 > buf->capacity) {
        grow(buf, buf->size + 1);
    }
    buf->data[buf->size] = '\0';
    return (const char *)buf->data;
}
