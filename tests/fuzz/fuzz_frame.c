/* The frame reader.  The input is what comes from the wire, in feeds of
 * sizes it chooses itself; and it is a list of bodies, which must come out
 * as they went in. */
#include "config.h"

#include "base/check.h"
#include "base/limits.h"
#include "p2p/frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[FRAME_KEY_SIZE] = {42};

static void read_foreign(const uint8_t *data, size_t size)
{
    struct frame_reader reader;
    struct frame frame;
    enum reason reason = REASON_NONE;
    frame_reader_init(&reader, key, FRAME_PRE_AUTH_MAX);
    while (size > 0 && reason == REASON_NONE) {
        size_t feed = 1 + (size_t)data[0] * 4;
        feed = feed < size ? feed : size;
        frame_reader_feed(&reader, data, feed);
        reason = frame_reader_next(&reader, &frame);
        POT_ASSERT(frame.body == NULL); /* nobody guesses a tag */
        data += feed;
        size -= feed;
    }
    frame_reader_fini(&reader);
}

static void read_own(const uint8_t *data, size_t size)
{
    struct frame_cipher cipher;
    struct frame_reader reader;
    struct frame frame;
    struct buf wire;
    frame_cipher_init(&cipher, key);
    frame_reader_init(&reader, key, FRAME_BYTES_MAX + FRAME_OVERHEAD);
    buf_init(&wire, 4096);
    for (unsigned i = 0; i < 64 && size > 0; i++) {
        size_t take = (size_t)data[0] + 1;
        take = take < size ? take : size;
        frame_seal(&cipher, &wire, data[0], data, take);
        frame_reader_feed(&reader, wire.data, wire.size);
        buf_clear(&wire);
        POT_ASSERT(frame_reader_next(&reader, &frame) == REASON_NONE);
        POT_ASSERT(frame.body != NULL && frame.size == take);
        POT_ASSERT(frame.type == data[0]);
        POT_ASSERT(memcmp(frame.body, data, take) == 0);
        data += take;
        size -= take;
    }
    buf_fini(&wire);
    frame_reader_fini(&reader);
    frame_cipher_fini(&cipher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_foreign(data, size);
    read_own(data, size);
    return 0;
}
