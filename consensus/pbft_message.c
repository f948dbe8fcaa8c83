#include "config.h"

#include "consensus/pbft_message.h"

#include "base/bytes.h"
#include "base/check.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

static void write_signed(uint8_t out[static PBFT_MESSAGE_SIGNED_BYTES],
                         uint64_t height, uint64_t view,
                         const struct hash *hash)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, PBFT_MESSAGE_SIGNED_BYTES);
    bytes_write_u64(&w, height);
    bytes_write_u64(&w, view);
    bytes_write(&w, hash->b, HASH_SIZE);
    POT_ASSERT(w.offset == PBFT_MESSAGE_SIGNED_BYTES);
}

void pbft_message_view_change_bytes(
    uint8_t out[static PBFT_MESSAGE_SIGNED_BYTES],
    const Pot__ViewChange *message)
{
    struct hash hash = {{0}};
    if (message->prepared != NULL) {
        size_t size;
        uint8_t *data = codec_encode(&size, message->prepared);
        hash_bytes(&hash, "prepared", data, size);
        free(data);
    }
    write_signed(out, message->height, message->view, &hash);
}

void pbft_message_new_view_bytes(uint8_t out[static PBFT_MESSAGE_SIGNED_BYTES],
                                 const Pot__NewView *message)
{
    struct hasher h;
    struct hash hash;
    hasher_init(&h, "view-changes");
    for (size_t i = 0; i < message->n_view_changes; i++) {
        size_t size;
        uint8_t *data = codec_encode(&size, message->view_changes[i]);
        hasher_add_u64(&h, size);
        hasher_add(&h, data, size);
        free(data);
    }
    hasher_final(&h, &hash);
    write_signed(out, message->height, message->view, &hash);
}

void *pbft_message_copy(const void *message)
{
    size_t size;
    const ProtobufCMessage *base = message;
    uint8_t *data = codec_encode(&size, message);
    void *copy = protobuf_c_message_unpack(base->descriptor, NULL, size, data);
    POT_ASSERT(copy != NULL);
    free(data);
    return copy;
}

/* A vote that borrows its bytes. */
static Pot__Vote borrowed_vote(const struct vote *vote,
                               const struct signature *signature)
{
    Pot__Vote message = POT__VOTE__INIT;
    message.phase = vote->phase;
    message.height = vote->height;
    message.view = vote->view;
    message.digest = codec_bytes(vote->digest.b, HASH_SIZE);
    message.replica = vote->replica;
    message.signature = codec_bytes(signature->b, SIGNATURE_SIZE);
    return message;
}

Pot__Vote *pbft_message_vote(const struct vote *vote,
                             const struct signature *signature)
{
    Pot__Vote message = borrowed_vote(vote, signature);
    return pbft_message_copy(&message);
}

uint8_t *pbft_message_encode_vote(size_t *size, const struct vote *vote,
                                  const struct signature *signature)
{
    POT_ASSERT(vote->phase != POT__PHASE__PHASE_PRE_PREPARE);
    Pot__Vote inner = borrowed_vote(vote, signature);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    if (vote->phase == POT__PHASE__PHASE_PREPARE) {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PREPARE;
        message.prepare = &inner;
    } else {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_COMMIT;
        message.commit = &inner;
    }
    return codec_encode(size, &message);
}

uint8_t *pbft_message_encode_pre_prepare(size_t *size, const struct vote *vote,
                                         const struct signature *signature,
                                         const void *block, size_t block_size)
{
    POT_ASSERT(vote->phase == POT__PHASE__PHASE_PRE_PREPARE);
    Pot__Vote inner = borrowed_vote(vote, signature);
    Pot__PrePrepare pre_prepare = POT__PRE_PREPARE__INIT;
    pre_prepare.vote = &inner;
    pre_prepare.block = codec_bytes(block, block_size);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE;
    message.pre_prepare = &pre_prepare;
    return codec_encode(size, &message);
}

uint8_t *pbft_message_encode_view_change(size_t *size,
                                         const Pot__ViewChange *change)
{
    Pot__ViewChange *inner = pbft_message_copy(change);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE;
    message.view_change = inner;
    uint8_t *data = codec_encode(size, &message);
    codec_free(inner);
    return data;
}

uint8_t *pbft_message_encode_new_view(size_t *size,
                                      const Pot__NewView *new_view)
{
    Pot__NewView *inner = pbft_message_copy(new_view);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW;
    message.new_view = inner;
    uint8_t *data = codec_encode(size, &message);
    codec_free(inner);
    return data;
}

uint8_t *pbft_message_encode_request(size_t *size, uint64_t height,
                                     const struct hash *digest)
{
    Pot__ProposalRequest request = POT__PROPOSAL_REQUEST__INIT;
    request.height = height;
    request.digest = codec_bytes(digest->b, HASH_SIZE);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PROPOSAL_REQUEST;
    message.proposal_request = &request;
    return codec_encode(size, &message);
}

uint8_t *pbft_message_encode_proposal(size_t *size, uint64_t height,
                                      const void *block, size_t block_size)
{
    Pot__Proposal proposal = POT__PROPOSAL__INIT;
    proposal.height = height;
    proposal.block = codec_bytes(block, block_size);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PROPOSAL;
    message.proposal = &proposal;
    return codec_encode(size, &message);
}
