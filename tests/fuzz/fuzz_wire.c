/* What peers send inside frames: each message decodes and encodes to the
 * same bytes, or is refused. */
#include "config.h"

#include "base/check.h"
#include "p2p/message.h"
#include "proto/batch.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL: it has a target of its own, or no encoding to speak of. */
static const ProtobufCMessageDescriptor *body_of(enum message_type type)
{
    switch (type) {
    case MESSAGE_STATUS:
        return &pot__peer_status__descriptor;
    case MESSAGE_GET_BLOCKS:
    case MESSAGE_GET_HEADERS:
        return &pot__get_blocks__descriptor;
    case MESSAGE_BLOCKS:
    case MESSAGE_HEADERS:
        return &pot__blocks__descriptor;
    case MESSAGE_GET_BLOB:
        return &pot__get_blob__descriptor;
    case MESSAGE_BLOB_PIECE:
        return &pot__blob_piece__descriptor;
    case MESSAGE_GET_SIGNED:
        return &pot__get_signed__descriptor;
    case MESSAGE_LAST_SIGNED:
        return &pot__last_signed__descriptor;
    case MESSAGE_AUTH:        /* fuzz_handshake */
    case MESSAGE_CONSENSUS:   /* fuzz_consensus */
    case MESSAGE_TX:          /* fuzz_tx */
    case MESSAGE_SUBMISSION:  /* fuzz_submission */
    case MESSAGE_COMMITMENT:  /* fuzz_submission */
    case MESSAGE_ATTESTATION: /* fuzz_submission */
    case MESSAGE_GROUP:       /* fuzz_group */
    case MESSAGE_GROUP_WORD:  /* fuzz_group */
    case MESSAGE_EVIDENCE:    /* fuzz_evidence */
    case MESSAGE_TXS:         /* check_batch */
    case MESSAGE_PING:
    case MESSAGE_PONG:
    case MESSAGE_BYE:
        break;
    }
    return NULL;
}

static void check(const ProtobufCMessageDescriptor *type, const uint8_t *data,
                  size_t size)
{
    ProtobufCMessage *message;
    enum pot_err err = codec_decode(&message, type, data, size);
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

/* What is counted comes out, and packs to the same. */
static void check_batch(const uint8_t *data, size_t size)
{
    struct bytes_reader r;
    struct buf again;
    const uint8_t *one;
    size_t one_size;
    size_t count = batch_count(data, size, TX_BATCH_MAX);
    buf_init(&again, size);
    bytes_reader_init(&r, data, size);
    while ((one = batch_next(&r, &one_size)) != NULL) {
        batch_add(&again, one, one_size);
        count--;
    }
    if (batch_count(data, size, TX_BATCH_MAX) > 0) {
        POT_ASSERT(count == 0 && again.size == size);
        POT_ASSERT(memcmp(again.data, data, size) == 0);
    }
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum message_type types[] = {
#define X(type, number, name, priority, size_max) type,
        MESSAGE_MAP(X)
#undef X
    };
    check_batch(data, size);
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (body_of(types[i]) != NULL) {
            check(body_of(types[i]), data, size);
        }
    }
    return 0;
}
