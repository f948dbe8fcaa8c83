/* pbft_message: consensus messages in memory: signing and copying them.
 *
 * A view change signs, under "view-change", u64 height | u64 view | the hash
 * of its encoded prepared certificate (zero when it has none).  A new view
 * signs, under "new-view", u64 height | u64 view | the hash over its encoded
 * view changes, each behind its u64 size. */
#ifndef POT_CONSENSUS_PBFT_MESSAGE_H
#define POT_CONSENSUS_PBFT_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/certificate.h"
#include "proto/consensus.pb-c.h"

#define PBFT_MESSAGE_SIGNED_BYTES (8 + 8 + HASH_SIZE)

/* pbft_message_view_change_bytes, pbft_message_new_view_bytes: what is signed.
 */
void pbft_message_view_change_bytes(
    uint8_t out[static PBFT_MESSAGE_SIGNED_BYTES],
    const Pot__ViewChange *message);
void pbft_message_new_view_bytes(uint8_t out[static PBFT_MESSAGE_SIGNED_BYTES],
                                 const Pot__NewView *message);

/* pbft_message_copy: a deep copy; codec_free releases it. */
void *pbft_message_copy(const void *message);

/* pbft_message_vote: fresh; codec_free releases it. */
Pot__Vote *pbft_message_vote(const struct vote *vote,
                             const struct signature *signature);

/* The encoded ConsensusMessage of each kind; free() releases it. */
uint8_t *pbft_message_encode_vote(size_t *size, const struct vote *vote,
                                  const struct signature *signature);
uint8_t *pbft_message_encode_pre_prepare(size_t *size, const struct vote *vote,
                                         const struct signature *signature,
                                         const void *block, size_t block_size);
uint8_t *pbft_message_encode_view_change(size_t *size,
                                         const Pot__ViewChange *change);
uint8_t *pbft_message_encode_new_view(size_t *size,
                                      const Pot__NewView *new_view);
uint8_t *pbft_message_encode_request(size_t *size, uint64_t height,
                                     const struct hash *digest);
uint8_t *pbft_message_encode_proposal(size_t *size, uint64_t height,
                                      const void *block, size_t block_size);

#endif
