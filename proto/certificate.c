#include "config.h"

#include "proto/certificate.h"

#include "base/limits.h"
#include "proto/codec.h"
#include "proto/vote.h"

static bool is_known(const struct known_votes *known,
                     const struct validator_set *set, const struct vote *vote,
                     const struct signature *signature)
{
    struct hash id;
    if (known == NULL) {
        return false;
    }
    vote_id(&id, &set->keys[vote->replica], vote, signature);
    return known->has(known->context, &id);
}

/* What every certificate is made of: replicas are in the set, strictly
 * ascending, and each signed `vote`, whose own replica is ignored. */
static bool signatures_hold(const struct validator_set *set,
                            const struct hash *chain, const struct vote *vote,
                            Pot__VoteSignature *const *signatures, size_t count,
                            const struct known_votes *known)
{
    struct vote each = *vote;
    bool hold = true;
    for (size_t i = 0; hold && i < count; i++) {
        struct signature signature;
        each.replica = signatures[i]->replica;
        hold = (i == 0 || each.replica > signatures[i - 1]->replica) &&
               each.replica < set->count &&
               codec_signature(&signature, signatures[i]->signature) &&
               (is_known(known, set, &each, &signature) ||
                vote_verify(set, chain, &each, &signature));
    }
    return hold;
}

static enum certificate_verdict verify(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate, const struct known_votes *known)
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
    return signatures_hold(set, chain, &vote, certificate->signatures,
                           certificate->n_signatures, known)
               ? CERTIFICATE_VALID
               : CERTIFICATE_FORGED;
}

enum certificate_verdict certificate_verify(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate)
{
    return verify(set, chain, certificate, NULL);
}

enum certificate_verdict certificate_proves_by(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate, uint64_t height,
    const struct hash *block, const struct known_votes *known)
{
    if (certificate->height != height ||
        !codec_bytes_equal(certificate->digest, block->b, HASH_SIZE)) {
        return CERTIFICATE_OTHER;
    }
    return verify(set, chain, certificate, known);
}

enum certificate_verdict certificate_proves(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate, uint64_t height,
    const struct hash *block)
{
    return certificate_proves_by(set, chain, certificate, height, block, NULL);
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
    return signatures_hold(set, chain, &vote, certificate->prepares,
                           certificate->n_prepares, NULL)
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
    case CERTIFICATE_OTHER:
        return "of another block";
    }
    return "unknown";
}
