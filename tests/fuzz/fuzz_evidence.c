/* A body that opens as evidence packs to the same bytes; whatever is in it,
 * it is judged, and nothing that nobody signed proves anything.  In their
 * order the words stay as they are. */
#include "config.h"

#include "base/check.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/evidence.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_body(Pot__EvidenceBody *body, const uint8_t *data,
                       size_t size)
{
    /* The corpus is signed on another chain. */
    static const struct hash chain = {{1}};
    size_t again_size;
    uint8_t *again = codec_encode(&again_size, body);
    POT_ASSERT(again_size == size && memcmp(again, data, size) == 0);
    free(again);
    enum evidence_verdict verdict = evidence_check_body(&chain, body);
    POT_ASSERT(verdict != EVIDENCE_PROVES && verdict != EVIDENCE_MALFORMED);
    POT_ASSERT(evidence_kind(body) != NULL);
    evidence_order(body);
    POT_ASSERT(evidence_check_body(&chain, body) != EVIDENCE_ORDER);
    const Pot__SignedWord *first = body->first;
    evidence_order(body);
    POT_ASSERT(body->first == first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zeros[SIGNATURE_SIZE];
    Pot__Signed proof = POT__SIGNED__INIT;
    proof.body = codec_bytes(data, size);
    proof.public_key = codec_bytes(zeros, PUBLIC_KEY_SIZE);
    proof.signature = codec_bytes(zeros, SIGNATURE_SIZE);
    Pot__EvidenceBody *body = evidence_decode(&proof);
    if (body != NULL) {
        POT_ASSERT(size <= EVIDENCE_BYTES_MAX);
        check_body(body, data, size);
        codec_free(body);
    }
    return 0;
}
