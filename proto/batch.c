#include "config.h"

#include "proto/batch.h"

#include "base/check.h"

const uint8_t *batch_next(struct bytes_reader *r, size_t *size)
{
    *size = 0;
    if (bytes_left(r) == 0) {
        return NULL;
    }
    *size = bytes_read_u32(r);
    if (*size < BATCH_ITEM_MIN) {
        r->is_short = true;
        return NULL;
    }
    return bytes_borrow(r, *size);
}

size_t batch_count(const void *data, size_t size, size_t count_max)
{
    struct bytes_reader r;
    size_t count = 0;
    size_t one;
    bytes_reader_init(&r, data, size);
    while (batch_next(&r, &one) != NULL) {
        count++;
    }
    return bytes_is_done(&r) && count <= count_max ? count : 0;
}

void batch_add(struct buf *batch, const void *data, size_t size)
{
    struct bytes_writer w;
    uint8_t frame[BATCH_FRAME_BYTES];
    POT_ASSERT(size > 0 && size <= UINT32_MAX);
    bytes_writer_init(&w, frame, sizeof(frame));
    bytes_write_u32(&w, (uint32_t)size);
    buf_append(batch, frame, sizeof(frame));
    buf_append(batch, data, size);
}
