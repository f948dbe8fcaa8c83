/* A body that opens as a submission, a commitment or an attestation is well
 * formed and packs to the same bytes. */
#include "config.h"

#include "base/check.h"
#include "proto/codec.h"
#include "proto/round.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(const void *body, const uint8_t *data, size_t size)
{
    size_t again_size;
    uint8_t *again = codec_encode(&again_size, body);
    POT_ASSERT(again_size == size);
    POT_ASSERT(size == 0 || memcmp(again, data, size) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zeros[SIGNATURE_SIZE];
    struct round_submission submission;
    struct round_commitment commitment;
    struct round_attestation attestation;
    Pot__Signed message = POT__SIGNED__INIT;
    message.body = codec_bytes(data, size);
    message.public_key = codec_bytes(zeros, PUBLIC_KEY_SIZE);
    message.signature = codec_bytes(zeros, SIGNATURE_SIZE);
    if (round_submission_decode(&submission, &message) == POT_OK) {
        POT_ASSERT(submission.body->rows > 0);
        check_bytes(submission.body, data, size);
        round_submission_fini(&submission);
    }
    if (round_commitment_decode(&commitment, &message) == POT_OK) {
        Pot__CommitmentBody body = POT__COMMITMENT_BODY__INIT;
        body.task = codec_bytes(commitment.task.b, HASH_SIZE);
        body.round = commitment.round;
        body.digest = codec_bytes(commitment.digest.b, HASH_SIZE);
        check_bytes(&body, data, size);
    }
    if (round_attestation_decode(&attestation, &message) == POT_OK) {
        const Pot__AttestationBody *body = attestation.body;
        for (size_t i = 0; i < body->n_judgements; i++) {
            struct hash name;
            POT_ASSERT(codec_hash(&name, body->judgements[i]->submission));
            POT_ASSERT(round_verdict_on(&attestation, &name) ==
                       body->judgements[i]->verdict);
        }
        if (round_is_pledge(&attestation)) {
            POT_ASSERT(body->n_judgements == 0 && body->draw.len == 0);
            POT_ASSERT(body->covers.data[body->covers.len - 1] != 0);
        }
        check_bytes(body, data, size);
        round_attestation_fini(&attestation);
    }
    return 0;
}
