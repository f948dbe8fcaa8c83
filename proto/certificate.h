/* certificate: what a quorum of votes proves. */
#ifndef POT_PROTO_CERTIFICATE_H
#define POT_PROTO_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "proto/chain.pb-c.h"
#include "proto/validator_set.h"

enum certificate_verdict {
    CERTIFICATE_VALID,
    CERTIFICATE_MALFORMED, /* a field's size is wrong, or height is 0 */
    CERTIFICATE_TOO_FEW,   /* less than a quorum */
    CERTIFICATE_FORGED,    /* signers not ascending, unknown, or wrong */
    CERTIFICATE_OTHER,     /* of another block than the one asked for */
};

/* certificate_verify: whether a quorum of set, the validators of the
 * certificate's height, committed to its digest. */
POT_MUST_USE enum certificate_verdict certificate_verify(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate);

/* Votes, by vote_id, whose signatures were checked before. */
struct known_votes {
    bool (*has)(void *context, const struct hash *id);
    void *context;
};

/* certificate_proves: the same, and that it is for this block; set are the
 * validators of height. */
POT_MUST_USE enum certificate_verdict certificate_proves(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate, uint64_t height,
    const struct hash *block);

/* certificate_proves_by: the same; the votes that are known are not checked
 * again. */
POT_MUST_USE enum certificate_verdict certificate_proves_by(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate, uint64_t height,
    const struct hash *block, const struct known_votes *known);

/* prepared_verify: the same for the primary's pre-prepare with a quorum
 * less one of prepares of others. */
POT_MUST_USE enum certificate_verdict prepared_verify(
    const struct validator_set *set, const struct hash *chain,
    const Pot__PreparedCertificate *certificate);

const char *certificate_verdict_text(enum certificate_verdict verdict);

#endif
