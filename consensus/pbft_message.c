#include "config.h"

#include "consensus/pbft_message.h"

#include "base/check.h"
#include "proto/codec.h"
#include "proto/word.h"

#include <stdlib.h>
#include <string.h>

static struct word change_word(const Pot__ViewChange *message)
{
    return word_view_change(message->height, message->view, message->prepared);
}

void pbft_message_view_change_digest(struct hash *out,
                                     const Pot__ViewChange *message)
{
    *out = change_word(message).hash;
}

static struct word new_view_word(const Pot__NewView *message)
{
    struct hasher h;
    struct word word = {WORD_NEW_VIEW, message->height, message->view, {{0}}};
    hasher_init(&h, "view-changes");
    for (size_t i = 0; i < message->n_view_changes; i++) {
        size_t size;
        uint8_t *data = codec_encode(&size, message->view_changes[i]);
        hasher_add_u64(&h, size);
        hasher_add(&h, data, size);
        free(data);
    }
    hasher_final(&h, &word.hash);
    return word;
}

static struct word suspicion_word(const Pot__Suspicion *message)
{
    return (struct word){WORD_SUSPICION,
                         message->height,
                         message->view,
                         {{(uint8_t)message->cause}}};
}

static bool is_by(const struct public_key *signer, const struct hash *chain,
                  struct word word, ProtobufCBinaryData signature)
{
    struct signature value;
    return codec_signature(&value, signature) &&
           word_verify(signer, chain, &word, &value);
}

bool pbft_message_is_view_change_word_by(const struct public_key *signer,
                                         const struct hash *chain,
                                         uint64_t height, uint64_t view,
                                         const struct hash *digest,
                                         const struct signature *signature)
{
    const struct word word = {WORD_VIEW_CHANGE, height, view, *digest};
    return word_verify(signer, chain, &word, signature);
}

bool pbft_message_sign_view_change(struct signature *out, const struct key *key,
                                   const struct hash *chain,
                                   const Pot__ViewChange *message)
{
    struct word word = change_word(message);
    return word_sign(out, key, chain, &word);
}

bool pbft_message_sign_new_view(struct signature *out, const struct key *key,
                                const struct hash *chain,
                                const Pot__NewView *message)
{
    struct word word = new_view_word(message);
    return word_sign(out, key, chain, &word);
}

bool pbft_message_sign_suspicion(struct signature *out, const struct key *key,
                                 const struct hash *chain,
                                 const Pot__Suspicion *message)
{
    struct word word = suspicion_word(message);
    return word_sign(out, key, chain, &word);
}

bool pbft_message_is_view_change_by(const struct public_key *signer,
                                    const struct hash *chain,
                                    const Pot__ViewChange *message)
{
    return is_by(signer, chain, change_word(message), message->signature);
}

bool pbft_message_is_new_view_by(const struct public_key *signer,
                                 const struct hash *chain,
                                 const Pot__NewView *message)
{
    return is_by(signer, chain, new_view_word(message), message->signature);
}

bool pbft_message_is_suspicion_by(const struct public_key *signer,
                                  const struct hash *chain,
                                  const Pot__Suspicion *message)
{
    return is_by(signer, chain, suspicion_word(message), message->signature);
}

static struct pbft_origin signed_origin(uint64_t height, uint64_t view,
                                        uint32_t replica)
{
    return (struct pbft_origin){height, view, replica, true};
}

static struct pbft_origin vote_origin(const Pot__Vote *vote)
{
    return signed_origin(vote->height, vote->view, vote->replica);
}

struct pbft_origin pbft_message_origin(const Pot__ConsensusMessage *message)
{
    const Pot__ViewChange *change;
    const Pot__NewView *new_view;
    const Pot__Suspicion *suspicion;
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        return vote_origin(message->pre_prepare->vote);
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        return vote_origin(message->prepare);
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        return vote_origin(message->commit);
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        change = message->view_change;
        return signed_origin(change->height, change->view, change->replica);
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
        new_view = message->new_view;
        return signed_origin(new_view->height, new_view->view,
                             new_view->replica);
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
        return (struct pbft_origin){.height = message->block_request->height};
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
        return (struct pbft_origin){.height = message->block_reply->height};
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION:
        suspicion = message->suspicion;
        return signed_origin(suspicion->height, suspicion->view,
                             suspicion->replica);
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return (struct pbft_origin){0};
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

Pot__Vote pbft_message_vote(const struct vote *vote,
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

/* protobuf-c has one type for what it owns and what it only packs. */
static void *borrow(const void *message)
{
    union {
        const void *in;
        void *out;
    } borrowed = {.in = message};
    return borrowed.out;
}

uint8_t *pbft_message_encode_vote(size_t *size, const struct vote *vote,
                                  const struct signature *signature)
{
    POT_ASSERT(vote->phase != POT__PHASE__PHASE_PRE_PREPARE);
    Pot__Vote inner = pbft_message_vote(vote, signature);
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
    Pot__Vote inner = pbft_message_vote(vote, signature);
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
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE;
    message.view_change = borrow(change);
    return codec_encode(size, &message);
}

uint8_t *pbft_message_encode_new_view(size_t *size,
                                      const Pot__NewView *new_view)
{
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW;
    message.new_view = borrow(new_view);
    return codec_encode(size, &message);
}

uint8_t *pbft_message_encode_suspicion(size_t *size,
                                       const Pot__Suspicion *suspicion)
{
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_SUSPICION;
    message.suspicion = borrow(suspicion);
    return codec_encode(size, &message);
}

uint8_t *pbft_message_encode_block_request(size_t *size, uint64_t height,
                                           const struct hash *digest)
{
    Pot__BlockRequest request = POT__BLOCK_REQUEST__INIT;
    request.height = height;
    request.digest = codec_bytes(digest->b, HASH_SIZE);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST;
    message.block_request = &request;
    return codec_encode(size, &message);
}

uint8_t *pbft_message_encode_block_reply(size_t *size, uint64_t height,
                                         const void *block, size_t block_size)
{
    Pot__BlockReply reply = POT__BLOCK_REPLY__INIT;
    reply.height = height;
    reply.block = codec_bytes(block, block_size);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY;
    message.block_reply = &reply;
    return codec_encode(size, &message);
}
