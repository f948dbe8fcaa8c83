/* pbft_message: consensus messages in memory: what they sign, copies, and
 * their bytes.
 *
 * A view change signs, under "view-change", u64 height | u64 view | the hash
 * of its encoded prepared certificate (zero when it has none).  A new view
 * signs, under "new-view", u64 height | u64 view | the hash over its encoded
 * view changes, each behind its u64 size.  A suspicion signs, under
 * "suspicion", u64 height | u64 view | u8 cause and 31 zero bytes. */
#ifndef POT_CONSENSUS_PBFT_MESSAGE_H
#define POT_CONSENSUS_PBFT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "proto/consensus.pb-c.h"
#include "proto/vote.h"

/* pbft_message_sign_...: key's signature over what the message says; the
 * fields replica and signature are not looked at.  False: key_sign's.
 * pbft_message_is_..._by: whether the signature in the message is signer's. */
bool pbft_message_sign_view_change(struct signature *out, const struct key *key,
                                   const struct hash *chain,
                                   const Pot__ViewChange *message);
bool pbft_message_sign_new_view(struct signature *out, const struct key *key,
                                const struct hash *chain,
                                const Pot__NewView *message);
bool pbft_message_sign_suspicion(struct signature *out, const struct key *key,
                                 const struct hash *chain,
                                 const Pot__Suspicion *message);
POT_MUST_USE bool pbft_message_is_view_change_by(
    const struct public_key *signer, const struct hash *chain,
    const Pot__ViewChange *message);
POT_MUST_USE bool pbft_message_is_new_view_by(const struct public_key *signer,
                                              const struct hash *chain,
                                              const Pot__NewView *message);

/* pbft_message_view_change_digest: what a view change signs beside height and
 * view.  pbft_message_is_view_change_word_by: the same check for these three.
 */
void pbft_message_view_change_digest(struct hash *out,
                                     const Pot__ViewChange *message);
POT_MUST_USE bool pbft_message_is_view_change_word_by(
    const struct public_key *signer, const struct hash *chain, uint64_t height,
    uint64_t view, const struct hash *digest,
    const struct signature *signature);
POT_MUST_USE bool pbft_message_is_suspicion_by(const struct public_key *signer,
                                               const struct hash *chain,
                                               const Pot__Suspicion *message);

/* Where a message belongs, and who signed it; requests and replies are
 * signed by nobody. */
struct pbft_origin {
    uint64_t height;
    uint64_t view; /* these two are 0 unless is_signed */
    uint32_t replica;
    bool is_signed;
};

/* pbft_message_origin: of a message that pbft_verify let through. */
struct pbft_origin pbft_message_origin(const Pot__ConsensusMessage *message);

/* pbft_message_copy: a deep copy; codec_free releases it. */
void *pbft_message_copy(const void *message);

/* pbft_message_vote: a message that borrows vote and signature. */
Pot__Vote pbft_message_vote(const struct vote *vote,
                            const struct signature *signature);

/* The encoded ConsensusMessage of each kind; free() releases it.
 * pbft_message_encode_vote: a prepare or a commit. */
uint8_t *pbft_message_encode_vote(size_t *size, const struct vote *vote,
                                  const struct signature *signature);
uint8_t *pbft_message_encode_pre_prepare(size_t *size, const struct vote *vote,
                                         const struct signature *signature,
                                         const void *block, size_t block_size);
uint8_t *pbft_message_encode_view_change(size_t *size,
                                         const Pot__ViewChange *change);
uint8_t *pbft_message_encode_new_view(size_t *size,
                                      const Pot__NewView *new_view);
uint8_t *pbft_message_encode_suspicion(size_t *size,
                                       const Pot__Suspicion *suspicion);
uint8_t *pbft_message_encode_block_request(size_t *size, uint64_t height,
                                           const struct hash *digest);
uint8_t *pbft_message_encode_block_reply(size_t *size, uint64_t height,
                                         const void *block, size_t block_size);

#endif
