#include "config.h"

#include "consensus/pbft_mark.h"

#include "base/check.h"
#include "consensus/pbft_message.h"
#include "proto/codec.h"
#include "proto/vote.h"

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int pbft_mark_compare(const struct pbft_mark *a, const struct pbft_mark *b)
{
    int order = compare(a->height, b->height);
    order = order != 0 ? order : compare(a->view, b->view);
    return order != 0 ? order : compare(a->rank, b->rank);
}

static bool may_be_forgotten(const struct pbft_mark *seen,
                             const struct pbft_mark *own)
{
    return seen->height == own->height + 1 && seen->view < own->next_views &&
           (seen->rank == (uint32_t)POT__PHASE__PHASE_PRE_PREPARE ||
            seen->rank == (uint32_t)POT__PHASE__PHASE_PREPARE);
}

/* A view change may be said again with a higher certificate, after a restart
 * that found none durable. */
bool pbft_mark_contradicts(const struct pbft_mark *seen,
                           const struct pbft_mark *own)
{
    int order = pbft_mark_compare(seen, own);
    return (order > 0 && !may_be_forgotten(seen, own)) ||
           (order == 0 && seen->rank > 0 &&
            !hash_equal(&seen->digest, &own->digest));
}

static bool of_vote(struct pbft_mark *out, uint32_t *replica,
                    struct signature *signature, const Pot__Vote *message)
{
    struct vote vote;
    bool is_open = vote_decode(&vote, signature, message);
    POT_ASSERT(is_open);
    *out = (struct pbft_mark){.height = vote.height,
                              .view = vote.view,
                              .rank = (uint32_t)vote.phase,
                              .digest = vote.digest};
    *replica = vote.replica;
    return true;
}

static bool of_view_change(struct pbft_mark *out, uint32_t *replica,
                           struct signature *signature,
                           const Pot__ViewChange *message)
{
    bool is_open = codec_signature(signature, message->signature);
    POT_ASSERT(is_open);
    *out = (struct pbft_mark){.height = message->height, .view = message->view};
    pbft_message_view_change_digest(&out->digest, message);
    *replica = message->replica;
    return true;
}

bool pbft_mark_of_message(struct pbft_mark *out, uint32_t *replica,
                          struct signature *signature,
                          const Pot__ConsensusMessage *message)
{
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        return of_vote(out, replica, signature, message->pre_prepare->vote);
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        return of_vote(out, replica, signature, message->prepare);
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        return of_vote(out, replica, signature, message->commit);
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        return of_view_change(out, replica, signature, message->view_change);
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION: /* may be said again */
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return false;
}

bool pbft_mark_verify(const struct pbft_mark *mark,
                      const struct public_key *signer, const struct hash *chain,
                      const struct signature *signature)
{
    if (mark->rank == 0) {
        return pbft_message_is_view_change_word_by(
            signer, chain, mark->height, mark->view, &mark->digest, signature);
    }
    if (mark->rank > (uint32_t)POT__PHASE__PHASE_COMMIT) {
        return false;
    }
    const struct vote vote = {.phase = (Pot__Phase)mark->rank,
                              .height = mark->height,
                              .view = mark->view,
                              .digest = mark->digest};
    return vote_verify_key(signer, chain, &vote, signature);
}
