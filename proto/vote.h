/* vote: what a replica signs in consensus.
 *
 * A vote signs, under "vote" and the chain, 49 little-endian bytes:
 *
 *   u8   phase    1 pre-prepare, 2 prepare, 3 commit
 *   u64  height
 *   u64  view
 *   32   digest   hash of the block
 *
 * The signer is the key at index `replica` of the height's validator set. */
#ifndef POT_PROTO_VOTE_H
#define POT_PROTO_VOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/chain.pb-c.h"
#include "proto/validator_set.h"

/* Views above this are refused, so that view + 1 never wraps. */
#define VIEW_MAX (UINT64_C(1) << 62)

/* A vote's meaning, without its signature. */
struct vote {
    Pot__Phase phase;
    uint64_t height;
    uint64_t view;
    struct hash digest;
    uint32_t replica;
};

/* vote_read: what a vote signs, but for the replica, which it does not.  False:
 * no such bytes. */
POT_MUST_USE bool vote_read(struct vote *out, const void *bytes, size_t size);

/* vote_sign: key is the replica's own.  False: key_sign's. */
bool vote_sign(struct signature *out, const struct key *key,
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

/* vote_id: of this vote, by this signer, with this signature. */
void vote_id(struct hash *out, const struct public_key *signer,
             const struct vote *vote, const struct signature *signature);

/* vote_decode: a vote off the wire as values, its sizes and its phase checked;
 * false when they are wrong.  The signature is not verified. */
POT_MUST_USE bool vote_decode(struct vote *out, struct signature *signature,
                              const Pot__Vote *message);

#endif
