/* Messages by height.  What is old is dropped, what is of this height is
 * dispatched, what is of the next one is kept: a bounded number, encoded.
 * What is further ahead only says how far its signer is; once f + 1 say so,
 * one of them is honest and the blocks before are committed. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

struct origin {
    uint64_t height;
    uint64_t view;
    uint32_t replica; /* its signer, PBFT_NO_REPLICA when unsigned */
};

static struct origin vote_origin(const Pot__Vote *vote)
{
    return (struct origin){vote->height, vote->view, vote->replica};
}

static struct origin origin_of(const Pot__ConsensusMessage *m)
{
    switch (m->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        return vote_origin(m->pre_prepare->vote);
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        return vote_origin(m->prepare);
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        return vote_origin(m->commit);
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        return (struct origin){m->view_change->height, m->view_change->view,
                               m->view_change->replica};
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
        return (struct origin){m->new_view->height, m->new_view->view,
                               m->new_view->replica};
    case POT__CONSENSUS_MESSAGE__KIND_PROPOSAL_REQUEST:
        return (struct origin){m->proposal_request->height, 0, PBFT_NO_REPLICA};
    case POT__CONSENSUS_MESSAGE__KIND_PROPOSAL:
        return (struct origin){m->proposal->height, 0, PBFT_NO_REPLICA};
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return (struct origin){0, 0, PBFT_NO_REPLICA};
}

static void keep(struct early_message *slot,
                 const Pot__ConsensusMessage *message, uint64_t view)
{
    free(slot->data);
    slot->data = codec_encode(&slot->size, message);
    slot->view = view;
}

static void forget(struct early_message *slot)
{
    free(slot->data);
    memset(slot, 0, sizeof(*slot));
}

/* A block for a view that is not open yet; the nearest view's is kept. */
static bool keep_proposal(struct pbft *p, const Pot__ConsensusMessage *message,
                          uint64_t view)
{
    bool is_early =
        message->kind_case == POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE &&
        (view > p->view || (view == p->view && p->is_changing)) &&
        !p->is_decided;
    if (is_early) {
        struct early_message *slot = &p->early_proposal;
        if (slot->data == NULL || slot->view < p->view || view < slot->view) {
            keep(slot, message, view);
        }
    }
    return is_early;
}

/* One of each kind and replica; a new view is large and sent again. */
static void keep_next(struct pbft *p, const Pot__ConsensusMessage *message,
                      const struct origin *origin)
{
    struct early_message *slot = &p->next_proposal;
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        /* Most likely the view goes on as it is. */
        if (slot->data == NULL ||
            (origin->view == p->view && slot->view != p->view)) {
            keep(slot, message, origin->view);
        }
        break;
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        keep(&p->next[origin->replica][0], message, origin->view);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        keep(&p->next[origin->replica][1], message, origin->view);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        keep(&p->next[origin->replica][2], message, origin->view);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
    case POT__CONSENSUS_MESSAGE__KIND_PROPOSAL_REQUEST:
    case POT__CONSENSUS_MESSAGE__KIND_PROPOSAL:
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
}

void early_sort(struct pbft *p, const Pot__ConsensusMessage *message,
                uint32_t from)
{
    struct origin origin = origin_of(message);
    if (origin.replica != PBFT_NO_REPLICA) {
        POT_ASSERT(origin.replica < p->set.count);
        if (origin.height > p->heights[origin.replica]) {
            p->heights[origin.replica] = origin.height;
        }
    }
    if (origin.height > p->height) {
        if (origin.height == p->height + 1 &&
            origin.replica != PBFT_NO_REPLICA) {
            keep_next(p, message, &origin);
        }
        early_tell_sync(p, false);
        return;
    }
    if (origin.height == p->height && !keep_proposal(p, message, origin.view)) {
        pbft_dispatch(p, message, from);
    }
}

/* The highest block that f + 1 replicas' votes show to be committed. */
static uint64_t proven_height(const struct pbft *p)
{
    uint32_t need = validator_set_faults(p->set.count) + 1;
    uint64_t best = 0;
    for (uint32_t i = 0; i < p->set.count; i++) {
        uint32_t as_high = 0;
        for (uint32_t j = 0; j < p->set.count; j++) {
            as_high += j != p->self && p->heights[j] >= p->heights[i];
        }
        if (as_high >= need && p->heights[i] > best) {
            best = p->heights[i];
        }
    }
    return best > 0 ? best - 1 : 0;
}

void early_tell_sync(struct pbft *p, bool is_again)
{
    uint64_t height = proven_height(p);
    if (height < p->height || (!is_again && height <= p->sync_told)) {
        return;
    }
    p->sync_told = height;
    pbft_emit(p, PBFT_SYNC)->height = height;
}

static void replay(struct pbft *p, struct early_message *slot)
{
    if (slot->data == NULL) {
        return;
    }
    struct early_message taken = *slot;
    memset(slot, 0, sizeof(*slot));
    Pot__ConsensusMessage *message;
    enum pot_err err =
        CODEC_DECODE(&message, pot__consensus_message, taken.data, taken.size);
    POT_ASSERT(err == POT_OK);
    free(taken.data);
    early_sort(p, message, PBFT_NO_REPLICA);
    codec_free(message);
}

void early_replay_proposal(struct pbft *p)
{
    if (p->early_proposal.data != NULL && p->early_proposal.view <= p->view) {
        replay(p, &p->early_proposal);
    }
}

void early_replay_next(struct pbft *p)
{
    replay(p, &p->next_proposal);
    for (uint32_t i = 0; i < p->set.count; i++) {
        for (size_t kind = 0; kind < 3; kind++) {
            replay(p, &p->next[i][kind]);
        }
    }
}

void early_clear(struct pbft *p, bool is_next_too)
{
    forget(&p->early_proposal);
    if (!is_next_too) {
        return;
    }
    forget(&p->next_proposal);
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        for (size_t kind = 0; kind < 3; kind++) {
            forget(&p->next[i][kind]);
        }
    }
}
