#include "config.h"

#include "proto/certificate.h"

#include "base/bytes.h"
#include "base/check.h"
#include "proto/codec.h"

#include <string.h>

#define VOTE_BYTES (1 + 8 + 8 + HASH_SIZE)

_Static_assert(POT__PHASE__PHASE_PRE_PREPARE == 1 &&
                   POT__PHASE__PHASE_PREPARE == 2 &&
                   POT__PHASE__PHASE_COMMIT == 3,
               "phases are signed as they stand in the header");

uint32_t validator_set_faults(uint32_t count)
{
    POT_ASSERT(count > 0);
    return (count - 1) / 3;
}

uint32_t validator_set_quorum(uint32_t count)
{
    return (count + validator_set_faults(count) + 2) / 2;
}

uint32_t validator_set_primary(uint32_t count, uint64_t view)
{
    POT_ASSERT(count > 0);
    return (uint32_t)(view % count);
}

bool validator_set_find(uint32_t *index, const struct validator_set *set,
                        const struct public_key *key)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (public_key_equal(&set->keys[i], key)) {
            *index = i;
            return true;
        }
    }
    return false;
}

bool validator_set_equal(const struct validator_set *a,
                         const struct validator_set *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!public_key_equal(&a->keys[i], &b->keys[i])) {
            return false;
        }
    }
    return true;
}

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

void vote_sign(struct signature *out, const struct key *key,
               const struct hash *chain, const struct vote *vote)
{
    uint8_t bytes[VOTE_BYTES];
    vote_write(bytes, vote);
    key_sign(out, key, "vote", chain, bytes, sizeof(bytes));
}

bool vote_verify_key(const struct public_key *signer, const struct hash *chain,
                     const struct vote *vote, const struct signature *signature)
{
    uint8_t bytes[VOTE_BYTES];
    vote_write(bytes, vote);
    return key_verify(signer, "vote", chain, bytes, sizeof(bytes), signature);
}

bool vote_verify(const struct validator_set *set, const struct hash *chain,
                 const struct vote *vote, const struct signature *signature)
{
    return vote->replica < set->count &&
           vote_verify_key(&set->keys[vote->replica], chain, vote, signature);
}

bool vote_open(struct vote *out, struct signature *signature,
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

bool vote_signatures_verify(const struct validator_set *set,
                            const struct hash *chain, const struct vote *vote,
                            Pot__VoteSignature *const *signatures, size_t count)
{
    struct vote each = *vote;
    for (size_t i = 0; i < count; i++) {
        struct signature signature;
        each.replica = signatures[i]->replica;
        if ((i > 0 && each.replica <= signatures[i - 1]->replica) ||
            !codec_signature(&signature, signatures[i]->signature) ||
            !vote_verify(set, chain, &each, &signature)) {
            return false;
        }
    }
    return true;
}

enum certificate_verdict certificate_verify(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate)
{
    struct vote vote = {
        .phase = POT__PHASE__PHASE_COMMIT,
        .height = certificate->height,
        .view = certificate->view,
    };
    if (vote.height == 0 || vote.view > VIEW_MAX ||
        !codec_hash(&vote.digest, certificate->digest)) {
        return CERTIFICATE_MALFORMED;
    }
    if (certificate->n_signatures < validator_set_quorum(set->count)) {
        return CERTIFICATE_TOO_FEW;
    }
    return vote_signatures_verify(set, chain, &vote, certificate->signatures,
                                  certificate->n_signatures)
               ? CERTIFICATE_VALID
               : CERTIFICATE_FORGED;
}

/* The primary's pre-prepare stands for its prepare: it has no other. */
static bool has_prepare_of(const Pot__PreparedCertificate *certificate,
                           uint32_t replica)
{
    for (size_t i = 0; i < certificate->n_prepares; i++) {
        if (certificate->prepares[i]->replica == replica) {
            return true;
        }
    }
    return false;
}

enum certificate_verdict prepared_verify(
    const struct validator_set *set, const struct hash *chain,
    const Pot__PreparedCertificate *certificate)
{
    uint32_t primary = validator_set_primary(set->count, certificate->view);
    struct vote vote = {
        .phase = POT__PHASE__PHASE_PRE_PREPARE,
        .height = certificate->height,
        .view = certificate->view,
        .replica = primary,
    };
    if (vote.height == 0 || vote.view > VIEW_MAX ||
        certificate->pre_prepare == NULL ||
        !codec_hash(&vote.digest, certificate->digest)) {
        return CERTIFICATE_MALFORMED;
    }
    if (certificate->n_prepares + 1 < validator_set_quorum(set->count)) {
        return CERTIFICATE_TOO_FEW;
    }
    struct signature signature;
    if (certificate->pre_prepare->replica != primary ||
        has_prepare_of(certificate, primary) ||
        !codec_signature(&signature, certificate->pre_prepare->signature) ||
        !vote_verify(set, chain, &vote, &signature)) {
        return CERTIFICATE_FORGED;
    }
    vote.phase = POT__PHASE__PHASE_PREPARE;
    return vote_signatures_verify(set, chain, &vote, certificate->prepares,
                                  certificate->n_prepares)
               ? CERTIFICATE_VALID
               : CERTIFICATE_FORGED;
}

const char *certificate_verdict_text(enum certificate_verdict verdict)
{
    switch (verdict) {
    case CERTIFICATE_VALID:
        return "valid";
    case CERTIFICATE_MALFORMED:
        return "malformed";
    case CERTIFICATE_TOO_FEW:
        return "less than a quorum of signatures";
    case CERTIFICATE_FORGED:
        return "a signature is not that of the validator it names";
    }
    return "unknown";
}

bool evidence_verify(const struct validator_set *set, const struct hash *chain,
                     const Pot__Evidence *evidence)
{
    struct vote a;
    struct vote b;
    struct signature signature_a;
    struct signature signature_b;
    return evidence->first != NULL && evidence->second != NULL &&
           vote_open(&a, &signature_a, evidence->first) &&
           vote_open(&b, &signature_b, evidence->second) &&
           a.phase == b.phase && a.height == b.height && a.view == b.view &&
           a.replica == b.replica && !hash_equal(&a.digest, &b.digest) &&
           vote_verify(set, chain, &a, &signature_a) &&
           vote_verify(set, chain, &b, &signature_b);
}
