#include "config.h"

#include "consensus/view_change.h"

#include "base/check.h"
#include "consensus/accuse.h"
#include "consensus/normal.h"
#include "consensus/pbft_state.h"
#include "consensus/resend.h"
#include "consensus/vouched.h"
#include "proto/codec.h"

/* Replicas known to want this view or a later one. */
static uint32_t count_wanting(const struct pbft *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->set.count; i++) {
        count += p->changes[i] != NULL && p->changes[i]->view >= p->view;
    }
    return count;
}

static uint32_t count_for_view(const struct pbft *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->set.count; i++) {
        count += p->changes[i] != NULL && p->changes[i]->view == p->view;
    }
    return count;
}

/* Section 4.5.2: "if a replica receives a set of f+1 valid view-change
 * messages from other replicas for views greater than its current view, it
 * sends a view-change message for the smallest view in the set".  The set
 * taken is that of the f + 1 highest. */
static void join_others(struct pbft *p)
{
    uint64_t views[VALIDATORS_MAX];
    for (uint32_t i = 0; i < p->set.count; i++) {
        views[i] = p->changes[i] == NULL ? 0 : p->changes[i]->view;
    }
    uint64_t view = vouched_value(views, p->set.count, p->self);
    if (view > p->view) {
        view_give_up(p, view, PBFT_CHANGE_JOINED);
    }
}

/* Who has left the view that it leads proposes nothing in it any more: nobody
 * waits for that.  It may end its own view, as it may by saying nothing. */
static void join_primary(struct pbft *p)
{
    const Pot__ViewChange *word = p->changes[pbft_primary(p)];
    if (!p->is_changing && word != NULL && word->view > p->view) {
        view_give_up(p, p->view + 1, PBFT_CHANGE_JOINED);
    }
}

/* The block that came before its view was open. */
static void replay_proposal(struct pbft *p)
{
    Pot__ConsensusMessage *message = early_take_proposal(&p->early, p->view);
    if (message != NULL) {
        normal_on_pre_prepare(p, message->pre_prepare);
        codec_free(message);
    }
}

/* Takes new_view. */
static void enter(struct pbft *p, Pot__NewView *new_view)
{
    if (new_view->view > p->view) {
        view_leave(p, new_view->view, PBFT_CHANGE_JOINED);
    }
    POT_ASSERT(p->proposal.block == NULL);
    p->is_changing = false;
    codec_free(p->new_view);
    p->new_view = new_view;
    pbft_timers_give_view(p, 0);
    replay_proposal(p);
    normal_propose(p);
}

/* Section 4.4: the primary multicasts new-view once it holds a quorum of
 * view changes, its own among them.  All that are held go in. */
static void open_view(struct pbft *p)
{
    struct signature signature;
    Pot__ViewChange *changes[VALIDATORS_MAX];
    Pot__NewView made = POT__NEW_VIEW__INIT;
    made.height = p->height;
    made.view = p->view;
    made.replica = p->self;
    made.view_changes = changes;
    for (uint32_t i = 0; i < p->set.count; i++) {
        if (p->changes[i] != NULL && p->changes[i]->view == p->view) {
            changes[made.n_view_changes++] = p->changes[i];
        }
    }
    if (!pbft_message_sign_new_view(&signature, p->key, &p->chain, &made)) {
        return;
    }
    made.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    Pot__NewView *new_view = pbft_message_copy(&made);
    struct pbft_effect *effect = pbft_emit(p, PBFT_BROADCAST);
    effect->bytes = pbft_message_encode_new_view(&effect->size, new_view);
    enter(p, new_view);
}

/* What the view changes held now call for. */
static void weigh(struct pbft *p)
{
    if (!pbft_can_vote(p) || p->decision.is_made) {
        return;
    }
    join_others(p);
    join_primary(p);
    if (!p->is_changing) {
        return;
    }
    if (!p->timers.is_view_timed && count_wanting(p) >= pbft_quorum(p)) {
        pbft_timers_give_view(p, 0);
    }
    const Pot__ViewChange *own = p->changes[p->self];
    if (pbft_is_primary(p) && own != NULL && own->view == p->view &&
        count_for_view(p) >= pbft_quorum(p)) {
        open_view(p);
    }
}

void view_change_on_own(struct pbft *p)
{
    POT_ASSERT(p->own_change->view == p->view);
    codec_free(p->changes[p->self]);
    p->changes[p->self] = pbft_message_copy(p->own_change);
    weigh(p);
}

void view_change_resume(struct pbft *p)
{
    POT_ASSERT(p->is_changing && pbft_can_vote(p));
    if (p->own_change == NULL || p->own_change->view != p->view) {
        view_say_change(p);
    } else {
        view_change_on_own(p);
    }
}

/* The pre-prepare inside is a vote like any other: it shows a primary that
 * told different replicas different things. */
static void take_pre_prepare(struct pbft *p,
                             const Pot__PreparedCertificate *prepared)
{
    struct vote vote = {
        .phase = POT__PHASE__PHASE_PRE_PREPARE,
        .height = prepared->height,
        .view = prepared->view,
        .replica = prepared->pre_prepare->replica,
    };
    struct signature signature;
    if (codec_hash(&vote.digest, prepared->digest) &&
        codec_signature(&signature, prepared->pre_prepare->signature)) {
        normal_add_vote(p, &vote, &signature);
    }
}

void view_change_on_message(struct pbft *p, const Pot__ViewChange *message)
{
    uint32_t replica = message->replica;
    POT_ASSERT(message->height == p->height && replica < p->set.count);
    if (replica == p->self) {
        return; /* what the record does not know was not said */
    }
    accuse_change(p, message);
    if (message->prepared != NULL) {
        take_pre_prepare(p, message->prepared);
    }
    if (message->view <= p->view && !p->is_changing) {
        resend_new_view(p, replica);
    }
    if (p->changes[replica] != NULL &&
        p->changes[replica]->view >= message->view) {
        return;
    }
    codec_free(p->changes[replica]);
    p->changes[replica] = pbft_message_copy(message);
    weigh(p);
}

static bool selects_same(const Pot__NewView *a, const Pot__NewView *b)
{
    const Pot__PreparedCertificate *x = view_selected(a);
    const Pot__PreparedCertificate *y = view_selected(b);
    return x == NULL || y == NULL
               ? x == y
               : codec_bytes_equal(x->digest, y->digest.data, y->digest.len);
}

/* A view that is open already may be opened again, after its primary has
 * restarted and forgotten how: fine as long as nothing was accepted in it.
 * The view's timer is not wound up again by that. */
static void reopen(struct pbft *p, const Pot__NewView *message)
{
    if (p->proposal.block != NULL || pbft_is_primary(p) ||
        selects_same(message, p->new_view)) {
        return;
    }
    codec_free(p->new_view);
    p->new_view = pbft_message_copy(message);
    replay_proposal(p);
}

void view_change_on_new_view(struct pbft *p, const Pot__NewView *message)
{
    POT_ASSERT(message->height == p->height);
    for (size_t i = 0; i < message->n_view_changes; i++) {
        accuse_change(p, message->view_changes[i]);
    }
    if (p->decision.is_made || message->view < p->view ||
        message->replica == p->self) {
        return;
    }
    if (message->view == p->view && !p->is_changing) {
        reopen(p, message);
        return;
    }
    enter(p, pbft_message_copy(message));
}
