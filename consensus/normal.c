/* The normal case (section 4.2): pre-prepare, prepare, commit.
 *
 *   primary   PROPOSE -> block -> CHECK -> pre-prepare
 *   backup    pre-prepare -> CHECK -> prepare
 *   all       a quorum less one of prepares -> prepared -> commit
 *             a quorum of commits -> decided -> COMMIT
 *
 * Nothing is voted for that the ledger has not found valid. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

static const Pot__PreparedCertificate *selected(const struct pbft *p)
{
    return p->new_view == NULL ? NULL : view_change_selected(p->new_view);
}

/* The phase of the first vote in a view: the pre-prepare is the primary's
 * prepare, and it sends no other. */
static Pot__Phase first_phase(const struct pbft *p)
{
    return pbft_is_primary(p) ? POT__PHASE__PHASE_PRE_PREPARE
                              : POT__PHASE__PHASE_PREPARE;
}

static void cast(struct pbft *p, Pot__Phase phase)
{
    const struct body *body = p->proposal.body;
    struct own_vote *own = &p->own[phase];
    POT_ASSERT(pbft_can_vote(p) && !p->is_changing);
    POT_ASSERT(!own->is_cast && body->is_valid);
    struct outbox_item item = {
        .is_vote = true,
        .height = p->height,
        .view = p->view,
        .vote = {.phase = phase,
                 .height = p->height,
                 .view = p->view,
                 .digest = body->digest,
                 .replica = p->self},
    };
    vote_sign(&item.signature, p->key, &p->chain, &item.vote);
    own->is_cast = true;
    own->digest = body->digest;
    own->signature = item.signature;
    if (phase == POT__PHASE__PHASE_PRE_PREPARE) {
        p->proposal.vote = item.vote;
        p->proposal.signature = item.signature;
        p->proposal.is_signed = true;
        item.bytes = pbft_message_encode_pre_prepare(
            &item.size, &item.vote, &item.signature, body->data, body->size);
    } else {
        item.bytes =
            pbft_message_encode_vote(&item.size, &item.vote, &item.signature);
    }
    outbox_add(&p->outbox, &item);
    p->is_dirty = true;
}

/* Votes for the view's block, or has it checked first. */
static void consider(struct pbft *p)
{
    struct body *body = p->proposal.body;
    if (!pbft_can_vote(p)) {
        return;
    }
    if (body->is_valid) {
        cast(p, first_phase(p));
        return;
    }
    if (body->is_checking) {
        return;
    }
    body->is_checking = true;
    struct pbft_effect *effect = pbft_emit(p, PBFT_CHECK);
    effect->height = p->height;
    effect->digest = body->digest;
    effect->bytes = pot_memdup(body->data, body->size);
    effect->size = body->size;
}

static void propose_again_later(struct pbft *p)
{
    uint64_t delay_ms = p->propose_timeout_ms / 4;
    pbft_set_timer(p, PBFT_TIMER_PROPOSE, delay_ms > 0 ? delay_ms : 1);
}

/* Section 4.4: the new view's primary proposes what its new view selects,
 * and is free only when that is nothing. */
static void propose_selected(struct pbft *p,
                             const Pot__PreparedCertificate *certificate)
{
    struct hash digest;
    bool is_digest = codec_hash(&digest, certificate->digest);
    POT_ASSERT(is_digest);
    struct body *body = fetch_find(p, &digest);
    if (body == NULL) {
        fetch_want(p, &digest);
        return;
    }
    body_set(&p->proposal.body, body);
    consider(p);
}

void normal_propose(struct pbft *p)
{
    if (!pbft_can_vote(p) || !pbft_is_primary(p) || p->is_changing ||
        p->is_decided || p->is_proposing || p->proposal.body != NULL) {
        return;
    }
    POT_ASSERT(!p->own[POT__PHASE__PHASE_PRE_PREPARE].is_cast);
    const Pot__PreparedCertificate *certificate = selected(p);
    if (certificate != NULL) {
        propose_selected(p, certificate);
        return;
    }
    p->is_proposing = true;
    pbft_stop_timer(p, PBFT_TIMER_PROPOSE);
    struct pbft_effect *effect = pbft_emit(p, PBFT_PROPOSE);
    effect->height = p->height;
    effect->view = p->view;
}

/* A block for this height, on our tip, by the primary of the view in which
 * it was first proposed; a fresh one belongs to this view. */
static bool fits(const struct pbft *p, const struct body *body, bool is_fresh)
{
    uint32_t proposer = validator_set_primary(p->set.count, body->view);
    return body->height == p->height && hash_equal(&body->parent, &p->tip) &&
           hash_equal(&body->chain, &p->chain) && body->view <= p->view &&
           (!is_fresh || body->view == p->view) &&
           memcmp(body->proposer, p->set.keys[proposer].b, PUBLIC_KEY_SIZE) ==
               0;
}

void normal_on_proposal(struct pbft *p, const struct pbft_event *event)
{
    if (event->u.proposal.height != p->height ||
        event->u.proposal.view != p->view || !p->is_proposing) {
        return;
    }
    p->is_proposing = false;
    if (p->is_changing || p->is_decided || p->proposal.body != NULL ||
        selected(p) != NULL) {
        normal_propose(p); /* a new view told what to propose meanwhile */
        return;
    }
    struct body *body =
        body_open(event->u.proposal.block, event->u.proposal.block_size);
    if (body == NULL || !fits(p, body, true)) {
        body_drop(body);
        propose_again_later(p);
        return;
    }
    body_set(&p->proposal.body, body);
    body_drop(body);
    consider(p);
}

void normal_on_checked(struct pbft *p, const struct pbft_event *event)
{
    if (event->u.checked.height != p->height) {
        return;
    }
    struct body *body = fetch_find(p, &event->u.checked.digest);
    if (body == NULL || !body->is_checking) {
        return;
    }
    body->is_checking = false;
    body->is_valid = event->u.checked.is_valid;
    if (body != p->proposal.body || p->is_changing || p->is_decided ||
        p->own[first_phase(p)].is_cast) {
        return;
    }
    if (body->is_valid) {
        cast(p, first_phase(p));
        pbft_time_view(p, 0); /* others may take as long */
    } else if (pbft_is_primary(p) && selected(p) == NULL) {
        body_set(&p->proposal.body, NULL);
        propose_again_later(p);
    } else {
        view_change_begin(p, p->view + 1);
    }
}

/* Section 4.2: accepted when it is of this view, no other one was accepted,
 * and (section 4.4) it is what the view's new view selects. */
static void accept(struct pbft *p, const Pot__PrePrepare *message,
                   const struct vote *vote, const struct signature *signature)
{
    const Pot__PreparedCertificate *certificate = selected(p);
    bool is_fresh = certificate == NULL;
    if (is_fresh ? p->new_view == NULL && p->view != p->start_view
                 : !codec_bytes_equal(certificate->digest, vote->digest.b,
                                      HASH_SIZE)) {
        return;
    }
    struct body *known = fetch_find(p, &vote->digest);
    struct body *body =
        known != NULL ? body_ref(known)
                      : body_open(message->block.data, message->block.len);
    if (body != NULL && hash_equal(&body->digest, &vote->digest) &&
        fits(p, body, is_fresh)) {
        body_set(&p->proposal.body, body);
        p->proposal.vote = *vote;
        p->proposal.signature = *signature;
        p->proposal.is_signed = true;
        pbft_time_view(p, 0);
        consider(p);
        normal_try_prepared(p);
    }
    body_drop(body);
}

void normal_on_pre_prepare(struct pbft *p, const Pot__PrePrepare *message)
{
    struct vote vote;
    struct signature signature;
    bool is_open = vote_open(&vote, &signature, message->vote);
    POT_ASSERT(is_open && vote.height == p->height);
    normal_add_vote(p, &vote, &signature);
    if (p->is_decided) {
        fetch_on_block(p, &vote.digest, message->block.data,
                       message->block.len);
        return;
    }
    if (vote.view == p->view && !p->is_changing && p->proposal.body == NULL &&
        !pbft_is_primary(p)) {
        accept(p, message, &vote, &signature);
    }
}

static void accuse(struct pbft *p, const struct vote *vote,
                   const struct signature *signature)
{
    const struct votes_entry *other =
        votes_find(&p->votes, vote->phase, vote->view, vote->replica);
    if (p->is_accused[vote->replica] || vote->replica == p->self) {
        return;
    }
    p->is_accused[vote->replica] = true;
    struct vote first = *vote;
    first.digest = other->digest;
    Pot__Evidence evidence = POT__EVIDENCE__INIT;
    evidence.first = pbft_message_vote(&first, &other->signature);
    evidence.second = pbft_message_vote(vote, signature);
    struct pbft_effect *effect = pbft_emit(p, PBFT_EVIDENCE);
    effect->height = p->height;
    effect->replica = vote->replica;
    effect->bytes = codec_encode(&effect->size, &evidence);
    codec_free(evidence.first);
    codec_free(evidence.second);
}

void normal_add_vote(struct pbft *p, const struct vote *vote,
                     const struct signature *signature)
{
    switch (votes_add(&p->votes, vote, signature)) {
    case VOTES_NEW:
        break;
    case VOTES_CONFLICT:
        accuse(p, vote, signature);
        return;
    case VOTES_KNOWN:
    case VOTES_OLD:
        return;
    }
    if (vote->phase == POT__PHASE__PHASE_COMMIT) {
        normal_try_decide(p, vote->view, &vote->digest);
    } else {
        normal_try_prepared(p);
    }
}

void normal_on_vote(struct pbft *p, const Pot__Vote *message)
{
    struct vote vote;
    struct signature signature;
    bool is_open = vote_open(&vote, &signature, message);
    POT_ASSERT(is_open && vote.height == p->height);
    normal_add_vote(p, &vote, &signature);
}

static Pot__PreparedCertificate *make_prepared(const struct pbft *p)
{
    Pot__PreparedCertificate made = POT__PREPARED_CERTIFICATE__INIT;
    Pot__VoteSignature pre_prepare = POT__VOTE_SIGNATURE__INIT;
    const struct proposal *proposal = &p->proposal;
    made.height = p->height;
    made.view = p->view;
    made.digest = codec_bytes(proposal->vote.digest.b, HASH_SIZE);
    pre_prepare.replica = pbft_primary(p);
    pre_prepare.signature = codec_bytes(proposal->signature.b, SIGNATURE_SIZE);
    made.pre_prepare = &pre_prepare;
    made.n_prepares =
        votes_collect(&p->votes, &made.prepares, POT__PHASE__PHASE_PREPARE,
                      p->view, &proposal->vote.digest, pbft_quorum(p) - 1);
    Pot__PreparedCertificate *copy = pbft_message_copy(&made);
    for (size_t i = 0; i < made.n_prepares; i++) {
        codec_free(made.prepares[i]);
    }
    free(made.prepares);
    return copy;
}

/* Section 4.2: prepared(m, v, n, i) holds when i has the request, a
 * pre-prepare for it and 2f matching prepares from different backups. */
void normal_try_prepared(struct pbft *p)
{
    const struct proposal *proposal = &p->proposal;
    if (!pbft_can_vote(p) || p->is_changing || p->is_decided ||
        proposal->body == NULL || !proposal->is_signed ||
        !p->own[first_phase(p)].is_durable ||
        p->own[POT__PHASE__PHASE_COMMIT].is_cast ||
        votes_count(&p->votes, POT__PHASE__PHASE_PREPARE, p->view,
                    &proposal->body->digest) +
                1 <
            pbft_quorum(p)) {
        return;
    }
    POT_ASSERT(p->prepared == NULL || p->prepared->view < p->view);
    codec_free(p->prepared);
    p->prepared = make_prepared(p);
    body_set(&p->prepared_body, proposal->body);
    cast(p, POT__PHASE__PHASE_COMMIT);
}

static void keep_certificate(struct pbft *p)
{
    Pot__CommitCertificate made = POT__COMMIT_CERTIFICATE__INIT;
    made.height = p->height;
    made.view = p->decided_view;
    made.digest = codec_bytes(p->decided_digest.b, HASH_SIZE);
    made.n_signatures =
        votes_collect(&p->votes, &made.signatures, POT__PHASE__PHASE_COMMIT,
                      p->decided_view, &p->decided_digest, p->set.count);
    POT_ASSERT(made.n_signatures >= pbft_quorum(p));
    p->decided_certificate = codec_encode(&p->decided_certificate_size, &made);
    for (size_t i = 0; i < made.n_signatures; i++) {
        codec_free(made.signatures[i]);
    }
    free(made.signatures);
}

/* A quorum of commits decides in any view, also in one that was left. */
void normal_try_decide(struct pbft *p, uint64_t view, const struct hash *digest)
{
    if (p->is_decided || votes_count(&p->votes, POT__PHASE__PHASE_COMMIT, view,
                                     digest) < pbft_quorum(p)) {
        return;
    }
    p->is_decided = true;
    p->decided_view = view;
    p->decided_digest = *digest;
    keep_certificate(p);
    pbft_stop_timer(p, PBFT_TIMER_VIEW);
    pbft_stop_timer(p, PBFT_TIMER_PROPOSE);
    normal_tell_commit(p);
}

void normal_tell_commit(struct pbft *p)
{
    POT_ASSERT(p->is_decided && !p->is_commit_told);
    const struct body *body = fetch_find(p, &p->decided_digest);
    if (body == NULL) {
        fetch_want(p, &p->decided_digest);
        return;
    }
    p->is_commit_told = true;
    p->is_wanting = false;
    struct pbft_effect *effect = pbft_emit(p, PBFT_COMMIT);
    effect->height = p->height;
    effect->view = p->decided_view;
    effect->digest = p->decided_digest;
    effect->bytes = pot_memdup(body->data, body->size);
    effect->size = body->size;
    effect->certificate =
        pot_memdup(p->decided_certificate, p->decided_certificate_size);
    effect->certificate_size = p->decided_certificate_size;
}
