/* Any bytes as a stream of worker messages: one that decodes is encoded
 * again to the same bytes, unless a text in it had to be made printable. */
#include "config.h"

#include "base/check.h"
#include "training/worker_protocol.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf in;
    struct worker_message message;
    uint8_t bytes[WORKER_MESSAGE_BYTES_MAX];
    const uint8_t *at = data;
    buf_init(&in, 1 << 20);
    buf_append(&in, data, size);
    while (worker_take(&message, &in) == WORKER_TAKE_MESSAGE) {
        size_t taken = size - (size_t)(at - data) - in.size;
        size_t made = worker_encode(bytes, &message);
        bool has_text =
            message.type == WORKER_HELLO || message.type == WORKER_ERROR;
        POT_ASSERT(has_text || (made == taken && memcmp(bytes, at, made) == 0));
        at += taken;
    }
    buf_fini(&in);
    return 0;
}
