/* What peers send inside frames: each message decodes and encodes to the
 * same bytes, or is refused. */
#include "config.h"

#include "base/check.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &pot__peer_status__descriptor, &pot__get_blocks__descriptor,
        &pot__blocks__descriptor,      &pot__get_blob__descriptor,
        &pot__blob_piece__descriptor,
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        ProtobufCMessage *message;
        enum pot_err err = codec_decode(&message, types[i], data, size);
        POT_ASSERT((err == POT_OK) == (message != NULL));
        if (message != NULL) {
            size_t again_size;
            uint8_t *again = codec_encode(&again_size, message);
            POT_ASSERT(again_size == size);
            POT_ASSERT(size == 0 || memcmp(again, data, size) == 0);
            free(again);
            codec_free(message);
        }
    }
    return 0;
}
