/* batch: several signed messages behind each other, as clients and peers send
 * transactions: each a u32 size and that many bytes, which are more than a key
 * and a signature.  Shorter ones would make much work of few bytes. */
#ifndef POT_PROTO_BATCH_H
#define POT_PROTO_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/key.h"

#define BATCH_FRAME_BYTES 4 /* in front of each */
#define BATCH_ITEM_MIN    (PUBLIC_KEY_SIZE + SIGNATURE_SIZE)

/* batch_count: how many there are; 0 when there are more than count_max, or
 * something is cut off or left over. */
size_t batch_count(const void *data, size_t size, size_t count_max);

/* batch_next: the next one in place; NULL at the end, and where the batch is
 * broken.  In: r  over the whole batch, as bytes_reader_init leaves it */
const uint8_t *batch_next(struct bytes_reader *r, size_t *size);

/* batch_add: one more at the end. */
void batch_add(struct buf *batch, const void *data, size_t size);

#endif
