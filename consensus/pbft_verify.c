/* What needs no state: a message's form and every signature in it.  Nothing
 * reaches the replica's dispatch that has not passed here, and a missing
 * sub-message, an index out of the set or a phase of another kind ends
 * here. */
#include "config.h"

#include "consensus/pbft_verify.h"

#include "base/limits.h"
#include "consensus/pbft_message.h"
#include "proto/certificate.h"

static bool verify_block_size(size_t size)
{
    return size > 0 && size <= BLOCK_BYTES_MAX;
}

/* A vote's signer is the primary exactly in the pre-prepare phase: the
 * pre-prepare is the primary's prepare. */
static bool verify_vote(const struct validator_set *set,
                        const struct hash *chain, const Pot__Vote *message,
                        Pot__Phase phase)
{
    struct vote vote;
    struct signature signature;
    if (message == NULL || message->phase != phase ||
        !vote_decode(&vote, &signature, message)) {
        return false;
    }
    bool is_primary =
        vote.replica == validator_set_primary(set->count, vote.view);
    if ((phase == POT__PHASE__PHASE_PRE_PREPARE && !is_primary) ||
        (phase == POT__PHASE__PHASE_PREPARE && is_primary)) {
        return false;
    }
    return vote_verify(set, chain, &vote, &signature);
}

static bool verify_pre_prepare(const struct validator_set *set,
                               const struct hash *chain,
                               const Pot__PrePrepare *message)
{
    return message != NULL && verify_block_size(message->block.len) &&
           verify_vote(set, chain, message->vote,
                       POT__PHASE__PHASE_PRE_PREPARE);
}

static bool verify_view_change(const struct validator_set *set,
                               const struct hash *chain,
                               const Pot__ViewChange *message)
{
    if (message == NULL || message->height == 0 || message->view == 0 ||
        message->view > VIEW_MAX || message->replica >= set->count) {
        return false;
    }
    const Pot__PreparedCertificate *prepared = message->prepared;
    if (prepared != NULL && (prepared->height != message->height ||
                             prepared->view >= message->view)) {
        return false;
    }
    return pbft_message_is_view_change_by(&set->keys[message->replica], chain,
                                          message) &&
           (prepared == NULL ||
            prepared_verify(set, chain, prepared) == CERTIFICATE_VALID);
}

/* Section 4.4: a new view is proved by a quorum of view changes for it. */
static bool verify_new_view(const struct validator_set *set,
                            const struct hash *chain,
                            const Pot__NewView *message)
{
    if (message == NULL || message->height == 0 || message->view > VIEW_MAX ||
        message->replica != validator_set_primary(set->count, message->view) ||
        message->n_view_changes < validator_set_quorum(set->count) ||
        message->n_view_changes > set->count ||
        !pbft_message_is_new_view_by(&set->keys[message->replica], chain,
                                     message)) {
        return false;
    }
    for (size_t i = 0; i < message->n_view_changes; i++) {
        const Pot__ViewChange *change = message->view_changes[i];
        if (change->height != message->height ||
            change->view != message->view ||
            (i > 0 &&
             change->replica <= message->view_changes[i - 1]->replica) ||
            !verify_view_change(set, chain, change)) {
            return false;
        }
    }
    return true;
}

bool pbft_verify(const struct validator_set *set, const struct hash *chain,
                 const Pot__ConsensusMessage *message)
{
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        return verify_pre_prepare(set, chain, message->pre_prepare);
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        return verify_vote(set, chain, message->prepare,
                           POT__PHASE__PHASE_PREPARE);
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        return verify_vote(set, chain, message->commit,
                           POT__PHASE__PHASE_COMMIT);
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        return verify_view_change(set, chain, message->view_change);
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
        return verify_new_view(set, chain, message->new_view);
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
        return message->block_request != NULL &&
               message->block_request->height > 0 &&
               message->block_request->digest.len == HASH_SIZE;
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
        return message->block_reply != NULL &&
               message->block_reply->height > 0 &&
               verify_block_size(message->block_reply->block.len);
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return false;
}
