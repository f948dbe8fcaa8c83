/* certificate: the validators of a height, their votes, and what a quorum
 * of votes proves.
 *
 * A vote signs, under "vote" and the chain, 49 little-endian bytes:
 *
 *   u8   phase    1 pre-prepare, 2 prepare, 3 commit
 *   u64  height
 *   u64  view
 *   32   digest   hash of the block
 *
 * The signer is the key at index `replica` of the height's validator set. */
#ifndef POT_PROTO_CERTIFICATE_H
#define POT_PROTO_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "base/limits.h"
#include "proto/chain.pb-c.h"

/* Views above this are refused, so that view + 1 never wraps. */
#define VIEW_MAX (UINT64_C(1) << 62)

struct validator_set {
    struct public_key keys[VALIDATORS_MAX]; /* distinct */
    uint32_t count;                         /* 1 <= count <= VALIDATORS_MAX */
};

/* validator_set_faults: f = floor((count - 1) / 3), how many may be faulty.
 * validator_set_quorum: ceil((count + f + 1) / 2); two quorums share an
 * honest replica, and the honest ones alone make one. */
uint32_t validator_set_faults(uint32_t count);
uint32_t validator_set_quorum(uint32_t count);

/* validator_set_primary: index of view's primary, view mod count. */
uint32_t validator_set_primary(uint32_t count, uint64_t view);

/* validator_set_find: *index of key; false, and *index untouched, when it is
 * not in the set. */
POT_MUST_USE bool validator_set_find(uint32_t *index,
                                     const struct validator_set *set,
                                     const struct public_key *key);

bool validator_set_equal(const struct validator_set *a,
                         const struct validator_set *b);

/* A vote's meaning, without its signature. */
struct vote {
    Pot__Phase phase;
    uint64_t height;
    uint64_t view;
    struct hash digest;
    uint32_t replica;
};

/* vote_sign: key is the replica's own. */
void vote_sign(struct signature *out, const struct key *key,
               const struct hash *chain, const struct vote *vote);

/* vote_verify: replica is in the set and signed this. */
POT_MUST_USE bool vote_verify(const struct validator_set *set,
                              const struct hash *chain, const struct vote *vote,
                              const struct signature *signature);

/* vote_verify_key: the same for a known signer; vote->replica is ignored. */
POT_MUST_USE bool vote_verify_key(const struct public_key *signer,
                                  const struct hash *chain,
                                  const struct vote *vote,
                                  const struct signature *signature);

/* vote_open: a vote off the wire as values, its sizes and its phase checked;
 * false when they are wrong.  The signature is not verified. */
POT_MUST_USE bool vote_open(struct vote *out, struct signature *signature,
                            const Pot__Vote *message);

/* vote_signatures_verify: what every certificate is made of.  Replicas are
 * in the set, strictly ascending, and each signed `vote` (whose own replica
 * is ignored).  Says nothing about how many there are. */
POT_MUST_USE bool vote_signatures_verify(const struct validator_set *set,
                                         const struct hash *chain,
                                         const struct vote *vote,
                                         Pot__VoteSignature *const *signatures,
                                         size_t count);

enum certificate_verdict {
    CERTIFICATE_VALID,
    CERTIFICATE_MALFORMED, /* a field's size is wrong, or height is 0 */
    CERTIFICATE_TOO_FEW,   /* less than a quorum */
    CERTIFICATE_FORGED,    /* signers not ascending, unknown, or wrong */
};

/* certificate_verify: whether a quorum of set, the validators of the
 * certificate's height, committed to its digest. */
POT_MUST_USE enum certificate_verdict certificate_verify(
    const struct validator_set *set, const struct hash *chain,
    const Pot__CommitCertificate *certificate);

/* prepared_verify: the same for the primary's pre-prepare with a quorum
 * less one of prepares of others. */
POT_MUST_USE enum certificate_verdict prepared_verify(
    const struct validator_set *set, const struct hash *chain,
    const Pot__PreparedCertificate *certificate);

const char *certificate_verdict_text(enum certificate_verdict verdict);

/* evidence_verify: two votes signed by one replica of set, for different
 * digests in one phase of one view: proof that its key voted twice. */
POT_MUST_USE bool evidence_verify(const struct validator_set *set,
                                  const struct hash *chain,
                                  const Pot__Evidence *evidence);

#endif
