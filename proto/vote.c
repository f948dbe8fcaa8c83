#include "config.h"

#include "proto/vote.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/key_often.h"
#include "proto/codec.h"

#define VOTE_BYTES (1 + 8 + 8 + HASH_SIZE)

_Static_assert(POT__PHASE__PHASE_PRE_PREPARE == 1 &&
                   POT__PHASE__PHASE_PREPARE == 2 &&
                   POT__PHASE__PHASE_COMMIT == 3,
               "phases are signed as they stand in the header");

static void vote_write(uint8_t out[static VOTE_BYTES], const struct vote *vote)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, VOTE_BYTES);
    bytes_write_u8(&w, (uint8_t)vote->phase);
    bytes_write_u64(&w, vote->height);
    bytes_write_u64(&w, vote->view);
    bytes_write(&w, vote->digest.b, HASH_SIZE);
    POT_ASSERT(w.offset == VOTE_BYTES && !w.is_overflown);
}

bool vote_read(struct vote *out, const void *bytes, size_t size)
{
    struct bytes_reader r;
    bytes_reader_init(&r, bytes, size);
    uint8_t phase = bytes_read_u8(&r);
    *out = (struct vote){.phase = (Pot__Phase)phase};
    out->height = bytes_read_u64(&r);
    out->view = bytes_read_u64(&r);
    bytes_read(&r, out->digest.b, HASH_SIZE);
    return bytes_is_done(&r) && phase >= POT__PHASE__PHASE_PRE_PREPARE &&
           phase <= POT__PHASE__PHASE_COMMIT;
}

bool vote_sign(struct signature *out, const struct key *key,
               const struct hash *chain, const struct vote *vote)
{
    uint8_t bytes[VOTE_BYTES];
    vote_write(bytes, vote);
    return key_sign(out, key, "vote", chain, bytes, sizeof(bytes));
}

static void make_claim(struct key_claim *out, const struct public_key *signer,
                       const struct hash *chain, const struct vote *vote,
                       const struct signature *signature)
{
    uint8_t bytes[VOTE_BYTES];
    vote_write(bytes, vote);
    key_claim_init(out, signer, "vote", chain, bytes, sizeof(bytes), signature);
}

bool vote_verify_key(const struct public_key *signer, const struct hash *chain,
                     const struct vote *vote, const struct signature *signature)
{
    struct key_claim claim;
    make_claim(&claim, signer, chain, vote, signature);
    return key_claim_holds(&claim);
}

bool vote_verify(const struct validator_set *set, const struct hash *chain,
                 const struct vote *vote, const struct signature *signature)
{
    struct key_claim claim;
    if (vote->replica >= set->count) {
        return false;
    }
    make_claim(&claim, &set->keys[vote->replica], chain, vote, signature);
    return key_often_holds(&claim);
}

void vote_id(struct hash *out, const struct public_key *signer,
             const struct vote *vote, const struct signature *signature)
{
    struct hasher h;
    uint8_t bytes[VOTE_BYTES];
    vote_write(bytes, vote);
    hasher_init(&h, "vote-id");
    hasher_add(&h, signer->b, PUBLIC_KEY_SIZE);
    hasher_add(&h, bytes, sizeof(bytes));
    hasher_add(&h, signature->b, SIGNATURE_SIZE);
    hasher_final(&h, out);
}

bool vote_decode(struct vote *out, struct signature *signature,
                 const Pot__Vote *message)
{
    bool is_phase = message->phase == POT__PHASE__PHASE_PRE_PREPARE ||
                    message->phase == POT__PHASE__PHASE_PREPARE ||
                    message->phase == POT__PHASE__PHASE_COMMIT;
    if (!is_phase || message->height == 0 || message->view > VIEW_MAX ||
        !codec_hash(&out->digest, message->digest) ||
        !codec_signature(signature, message->signature)) {
        return false;
    }
    out->phase = message->phase;
    out->height = message->height;
    out->view = message->view;
    out->replica = message->replica;
    return true;
}
