#include "config.h"

#include "base/check.h"
#include "p2p/message.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "tests/byz/byz.h"

void byz_vote_make(struct byz_vote *out, const struct byz *b,
                   const struct vote *vote)
{
    *out = (struct byz_vote){.message = POT__VOTE__INIT, .vote = *vote};
    vote_sign(&out->signature, b->key, &b->chain, vote);
    out->message.phase = vote->phase;
    out->message.height = vote->height;
    out->message.view = vote->view;
    out->message.replica = vote->replica;
    out->message.digest = codec_bytes(out->vote.digest.b, HASH_SIZE);
    out->message.signature = codec_bytes(out->signature.b, SIGNATURE_SIZE);
}

void byz_say(struct pbft_effects *out, uint32_t to,
             const Pot__ConsensusMessage *message)
{
    struct pbft_effect *effect =
        pbft_effects_add(out, to == BYZ_ALL ? PBFT_BROADCAST : PBFT_SEND);
    effect->replica = to == BYZ_ALL ? 0 : to;
    effect->bytes = codec_encode(&effect->size, message);
}

void byz_say_vote(const struct byz *b, struct pbft_effects *out, uint32_t to,
                  const struct vote *vote)
{
    struct byz_vote v;
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    byz_vote_make(&v, b, vote);
    if (vote->phase == POT__PHASE__PHASE_COMMIT) {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_COMMIT;
        message.commit = &v.message;
    } else {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PREPARE;
        message.prepare = &v.message;
    }
    byz_say(out, to, &message);
}

void byz_say_block(const struct byz *b, struct pbft_effects *out, uint32_t to,
                   const struct vote *vote, ProtobufCBinaryData block)
{
    struct byz_vote v;
    Pot__PrePrepare pre_prepare = POT__PRE_PREPARE__INIT;
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    byz_vote_make(&v, b, vote);
    pre_prepare.vote = &v.message;
    pre_prepare.block = block;
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE;
    message.pre_prepare = &pre_prepare;
    byz_say(out, to, &message);
}

void byz_move(struct pbft_effects *out, struct pbft_effect *effect)
{
    *pbft_effects_add(out, effect->type) = *effect;
    effect->bytes = NULL;
    effect->opened = NULL;
    effect->certificate = NULL;
}

bool byz_vote_of(struct vote *out, const Pot__ConsensusMessage *message)
{
    struct signature signature;
    const Pot__Vote *vote = NULL;
    if (message->kind_case == POT__CONSENSUS_MESSAGE__KIND_PREPARE) {
        vote = message->prepare;
    } else if (message->kind_case == POT__CONSENSUS_MESSAGE__KIND_COMMIT) {
        vote = message->commit;
    } else if (message->kind_case == POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE) {
        vote = message->pre_prepare->vote;
    }
    return vote != NULL && vote_decode(out, &signature, vote);
}

struct hash byz_other(const struct hash *hash)
{
    struct hash other = *hash;
    other.b[0] ^= 1;
    return other;
}

uint8_t *byz_twin(struct hash *hash, size_t *size, ProtobufCBinaryData block)
{
    struct block *decoded;
    if (block_decode(&decoded, block.data, block.len) != POT_OK) {
        return NULL;
    }
    decoded->header->time_ms++;
    block_seal(hash, decoded->body, decoded->header);
    uint8_t *data = codec_encode(size, decoded->body);
    block_free(decoded);
    return data;
}

bool byz_twist_piece(uint8_t type, const uint8_t *data, size_t size,
                     struct buf *out, void (*twist)(Pot__BlobPiece *piece))
{
    Pot__BlobPiece *piece;
    if (type != MESSAGE_BLOB_PIECE ||
        CODEC_DECODE(&piece, pot__blob_piece, data, size) != POT_OK) {
        return false;
    }
    twist(piece);
    codec_append(out, piece);
    codec_free(piece);
    return true;
}
