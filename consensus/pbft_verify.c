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

static bool verify_suspicion(const struct validator_set *set,
                             const struct hash *chain,
                             const Pot__Suspicion *message)
{
    return message != NULL && message->height > 0 &&
           message->view <= VIEW_MAX && message->replica < set->count &&
           (message->cause == POT__CAUSE__CAUSE_SLOW ||
            message->cause == POT__CAUSE__CAUSE_CENSOR) &&
           pbft_message_is_suspicion_by(&set->keys[message->replica], chain,
                                        message);
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
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION:
        return verify_suspicion(set, chain, message->suspicion);
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return false;
}

/* 0: it says of none. */
static uint64_t claimed_height(const Pot__ConsensusMessage *message)
{
    const Pot__PrePrepare *p = message->pre_prepare;
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        return p != NULL && p->vote != NULL ? p->vote->height : 0;
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        return message->prepare != NULL ? message->prepare->height : 0;
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        return message->commit != NULL ? message->commit->height : 0;
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        return message->view_change != NULL ? message->view_change->height : 0;
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
        return message->new_view != NULL ? message->new_view->height : 0;
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION:
        return message->suspicion != NULL ? message->suspicion->height : 0;
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST: /* need no validators */
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return 0;
}

bool pbft_is_breach(const Pot__ConsensusMessage *message, uint64_t height)
{
    uint64_t claimed = claimed_height(message);
    return claimed == 0 || claimed == height;
}

/* On the wire a signature takes these and its two bytes of tag and size. */
#define SIGNATURE_WIRE (SIGNATURE_SIZE + 2)
/* The first byte of a ConsensusMessage tells its kind. */
#define KIND_TAG(number) ((number) << 3 | 2)

uint32_t pbft_signatures(const void *data, size_t size)
{
    uint8_t tag = size > 0 ? *(const uint8_t *)data : 0;
    bool is_many = tag == KIND_TAG(POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE) ||
                   tag == KIND_TAG(POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW);
    return 1 + (is_many ? (uint32_t)(size / SIGNATURE_WIRE) : 0);
}
