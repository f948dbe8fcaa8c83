#include "config.h"

#include "consensus/normal.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/accuse.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"

/* The phase of the first vote in a view: the pre-prepare is the primary's
 * prepare, and it sends no other. */
static Pot__Phase first_phase(const struct pbft *p)
{
    return pbft_is_primary(p) ? POT__PHASE__PHASE_PRE_PREPARE
                              : POT__PHASE__PHASE_PREPARE;
}

static void keep_primarys_vote(struct pbft *p, const struct vote *vote,
                               const struct signature *signature)
{
    p->proposal.vote = *vote;
    p->proposal.signature = *signature;
    p->proposal.is_signed = true;
}

/* Whether the record asked for last knows that this vote may be cast. */
static bool is_foreseen(const struct pbft *p, Pot__Phase phase)
{
    return phase == first_phase(p) && p->view == p->start_view &&
           p->advance.height == p->height && p->view < p->advance.views;
}

/* A commit's record lets the first vote of the next height go ahead. */
static void foresee(struct pbft *p)
{
    p->advance = (struct advance){p->height + 1, p->view + 1};
}

/* Signs a vote for the view's block; it goes out, and counts, once a durable
 * record has it or foresees it.  When the key does not sign, nothing was cast:
 * normal_resume tries again. */
static void cast(struct pbft *p, Pot__Phase phase)
{
    const struct pbft_block *block = p->proposal.block;
    struct own_vote *own = &p->own[phase];
    POT_ASSERT(pbft_can_vote(p) && !p->is_changing);
    POT_ASSERT(!own->is_cast && block->is_valid);
    own->digest = block->digest;
    struct vote vote = pbft_own_vote(p, phase);
    own->is_cast = vote_sign(&own->signature, p->key, &p->chain, &vote);
    if (!own->is_cast) {
        return;
    }
    bool is_ahead = is_foreseen(p, phase);
    struct outbox_item item = {
        .sequence = p->outbox.sequence + (is_ahead ? 0 : 1),
        .is_vote = true,
        .height = p->height,
        .view = p->view,
        .vote = vote,
        .signature = own->signature,
    };
    if (phase == POT__PHASE__PHASE_PRE_PREPARE) {
        keep_primarys_vote(p, &vote, &own->signature);
        item.bytes = pbft_message_encode_pre_prepare(
            &item.size, &vote, &own->signature, block->data, block->size);
    } else {
        item.bytes =
            pbft_message_encode_vote(&item.size, &vote, &own->signature);
    }
    outbox_add(&p->outbox, &item);
    if (phase == POT__PHASE__PHASE_COMMIT && !p->is_counted) {
        foresee(p);
    }
    *(is_ahead ? &p->is_ahead : &p->is_dirty) = true;
}

/* Votes for the view's block, or has it checked first. */
static void consider(struct pbft *p)
{
    struct pbft_block *block = p->proposal.block;
    if (!pbft_can_vote(p)) {
        return;
    }
    if (block->is_valid) {
        cast(p, first_phase(p));
        return;
    }
    if (block->is_checking) {
        return;
    }
    block->is_checking = true;
    struct pbft_effect *effect = pbft_emit(p, PBFT_CHECK);
    effect->height = p->height;
    effect->digest = block->digest;
    effect->bytes = pot_memdup(block->data, block->size);
    effect->size = block->size;
    effect->opened = pbft_block_give(block);
}

/* The next try is soon, but not now. */
static void propose_again_later(struct pbft *p)
{
    uint64_t delay_ms = p->propose_timeout_ms / 4;
    pbft_timers_set(p, PBFT_TIMER_PROPOSE, delay_ms > 0 ? delay_ms : 1);
}

/* Section 4.4: the new view's primary proposes what its new view selects,
 * and is free only when that is nothing. */
static void propose_selected(struct pbft *p,
                             const Pot__PreparedCertificate *certificate)
{
    struct hash digest;
    bool is_digest = codec_hash(&digest, certificate->digest);
    POT_ASSERT(is_digest);
    struct pbft_block *block = fetch_find(p, &digest);
    if (block == NULL) {
        fetch_want(p, &digest);
        return;
    }
    pbft_block_set(&p->proposal.block, block);
    consider(p);
}

static bool may_propose(const struct pbft *p)
{
    return pbft_can_vote(p) && pbft_is_primary(p) && !p->is_changing &&
           !p->decision.is_made && !p->is_proposing &&
           p->proposal.block == NULL;
}

void normal_propose(struct pbft *p)
{
    if (!may_propose(p)) {
        return;
    }
    POT_ASSERT(!p->own[POT__PHASE__PHASE_PRE_PREPARE].is_cast);
    const Pot__PreparedCertificate *certificate = view_selected(p->new_view);
    if (certificate != NULL) {
        propose_selected(p, certificate);
        return;
    }
    p->is_proposing = true;
    pbft_timers_stop(p, PBFT_TIMER_PROPOSE);
    struct pbft_effect *effect = pbft_emit(p, PBFT_PROPOSE);
    effect->height = p->height;
    effect->view = p->view;
}

void normal_propose_later(struct pbft *p)
{
    if (may_propose(p)) {
        propose_again_later(p);
    }
}

/* A block for this height, on our tip, by the primary of the view in which
 * it was first proposed; a fresh one belongs to this view. */
static bool fits(const struct pbft *p, const struct pbft_block *block,
                 bool is_fresh)
{
    uint32_t proposer = validator_set_primary(p->set.count, block->view);
    return block->height == p->height && hash_equal(&block->parent, &p->tip) &&
           hash_equal(&block->chain, &p->chain) && block->view <= p->view &&
           (!is_fresh || block->view == p->view) &&
           public_key_equal(&block->proposer, &p->set.keys[proposer]);
}

void normal_resume(struct pbft *p)
{
    if (p->proposal.block != NULL && !p->is_changing && !p->decision.is_made &&
        !p->own[first_phase(p)].is_cast) {
        consider(p);
    }
}

void normal_on_proposal(struct pbft *p, const struct pbft_event *event)
{
    if (event->u.proposal.height != p->height ||
        event->u.proposal.view != p->view || !p->is_proposing) {
        return;
    }
    p->is_proposing = false;
    if (p->is_changing || p->decision.is_made || p->proposal.block != NULL ||
        view_selected(p->new_view) != NULL) {
        normal_propose(p); /* a new view told what to propose meanwhile */
        return;
    }
    const struct block *opened = event->u.proposal.opened;
    const void *data = event->u.proposal.block;
    size_t size = event->u.proposal.block_size;
    struct pbft_block *block = opened != NULL
                                   ? pbft_block_of(opened, data, size)
                                   : pbft_block_new(data, size);
    if (block == NULL || !fits(p, block, true)) {
        pbft_block_unref(block);
        propose_again_later(p);
        return;
    }
    pbft_block_set(&p->proposal.block, block);
    pbft_block_unref(block);
    pace_got(&p->pace, p->now_ms);
    consider(p);
}

void normal_on_checked(struct pbft *p, const struct pbft_event *event)
{
    if (event->u.checked.height != p->height) {
        return;
    }
    struct pbft_block *block = fetch_find(p, &event->u.checked.digest);
    if (block == NULL || !block->is_checking) {
        return;
    }
    block->is_checking = false;
    block->is_valid = event->u.checked.is_valid;
    pace_checked(&p->pace, p->now_ms, event->u.checked.lacked_ms);
    if (block != p->proposal.block || p->is_changing || p->decision.is_made ||
        p->own[first_phase(p)].is_cast) {
        return;
    }
    if (block->is_valid) {
        cast(p, first_phase(p));
        pbft_timers_give_view(p, 0); /* others may take as long */
    } else if (pbft_is_primary(p) && view_selected(p->new_view) == NULL) {
        pbft_block_set(&p->proposal.block, NULL);
        propose_again_later(p);
    } else {
        view_give_up(p, p->view + 1, PBFT_CHANGE_INVALID);
    }
}

/* Section 4.2: accepted when it is of this view, no other one was accepted,
 * and (section 4.4) it is what the view's new view selects. */
static void accept(struct pbft *p, const Pot__PrePrepare *message,
                   const struct vote *vote, const struct signature *signature)
{
    const Pot__PreparedCertificate *certificate = view_selected(p->new_view);
    bool is_fresh = certificate == NULL;
    if (is_fresh ? p->new_view == NULL && p->view != p->start_view
                 : !codec_bytes_equal(certificate->digest, vote->digest.b,
                                      HASH_SIZE)) {
        return;
    }
    struct pbft_block *known = fetch_find(p, &vote->digest);
    struct pbft_block *block =
        known != NULL ? pbft_block_ref(known)
                      : pbft_block_new(message->block.data, message->block.len);
    if (block != NULL && hash_equal(&block->digest, &vote->digest) &&
        fits(p, block, is_fresh)) {
        pbft_block_set(&p->proposal.block, block);
        keep_primarys_vote(p, vote, signature);
        pace_got(&p->pace, p->now_ms);
        pbft_timers_give_view(p, 0);
        consider(p);
        normal_try_prepared(p);
    }
    pbft_block_unref(block);
}

/* The block that was wanted has come: it is what the height waits for. */
static void take_block(struct pbft *p, ProtobufCBinaryData block)
{
    if (!fetch_take(p, block.data, block.len)) {
        return;
    }
    if (p->decision.is_made) {
        decision_tell(p);
    } else {
        normal_propose(p);
    }
}

void normal_on_block_reply(struct pbft *p, const Pot__BlockReply *message)
{
    if (message->height == p->height) {
        take_block(p, message->block);
    }
}

void normal_on_pre_prepare(struct pbft *p, const Pot__PrePrepare *message)
{
    struct vote vote;
    struct signature signature;
    bool is_open = vote_decode(&vote, &signature, message->vote);
    POT_ASSERT(is_open && vote.height == p->height);
    normal_add_vote(p, &vote, &signature);
    if (p->decision.is_made) {
        take_block(p, message->block);
        return;
    }
    if (vote.view == p->view && !p->is_changing && p->proposal.block == NULL &&
        !pbft_is_primary(p)) {
        accept(p, message, &vote, &signature);
    }
}

void normal_add_vote(struct pbft *p, const struct vote *vote,
                     const struct signature *signature)
{
    accuse_vote(p, vote, signature);
    if (votes_add(&p->votes, vote, signature) != VOTES_NEW) {
        return;
    }
    if (vote->phase == POT__PHASE__PHASE_COMMIT) {
        decision_try(p, vote->view, &vote->digest);
    } else {
        normal_try_prepared(p);
    }
}

void normal_on_vote(struct pbft *p, const Pot__Vote *message)
{
    struct vote vote;
    struct signature signature;
    bool is_open = vote_decode(&vote, &signature, message);
    POT_ASSERT(is_open && vote.height == p->height);
    normal_add_vote(p, &vote, &signature);
}

static Pot__PreparedCertificate *make_prepared(const struct pbft *p)
{
    const struct proposal *proposal = &p->proposal;
    struct votes_signatures prepares;
    Pot__PreparedCertificate made = POT__PREPARED_CERTIFICATE__INIT;
    Pot__VoteSignature pre_prepare = POT__VOTE_SIGNATURE__INIT;
    votes_collect(&prepares, &p->votes, POT__PHASE__PHASE_PREPARE, p->view,
                  &proposal->vote.digest, pbft_quorum(p) - 1);
    pre_prepare.replica = pbft_primary(p);
    pre_prepare.signature = codec_bytes(proposal->signature.b, SIGNATURE_SIZE);
    made.height = p->height;
    made.view = p->view;
    made.digest = codec_bytes(proposal->vote.digest.b, HASH_SIZE);
    made.pre_prepare = &pre_prepare;
    made.n_prepares = prepares.count;
    made.prepares = prepares.list;
    return pbft_message_copy(&made);
}

void normal_try_prepared(struct pbft *p)
{
    const struct proposal *proposal = &p->proposal;
    if (!pbft_can_vote(p) || p->is_changing || p->decision.is_made ||
        proposal->block == NULL || !proposal->is_signed ||
        !p->own[first_phase(p)].is_durable ||
        p->own[POT__PHASE__PHASE_COMMIT].is_cast ||
        votes_count(&p->votes, POT__PHASE__PHASE_PREPARE, p->view,
                    &proposal->block->digest) +
                1 <
            pbft_quorum(p)) {
        return;
    }
    if (p->prepared == NULL || p->prepared->view < p->view) {
        codec_free(p->prepared);
        p->prepared = make_prepared(p);
        pbft_block_set(&p->prepared_block, proposal->block);
    } /* else the commit could not be signed before */
    cast(p, POT__PHASE__PHASE_COMMIT);
}
