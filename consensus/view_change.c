/* View changes (section 4.4).
 *
 * A replica whose timer ran out sends a view change for the next view with
 * the highest prepared certificate it holds.  The primary of that view
 * collects a quorum of them into a new view; whatever of the certificates in
 * it is of the highest view names the block to propose again, since no other
 * can have been committed.
 *
 * Three rules keep it live (section 4.5.2):
 *   - the timer of a view change runs only once a quorum wants to be in that
 *     view or a later one, so a lone replica or half a network does not run
 *     away in views;
 *   - it doubles each time;
 *   - a replica that sees f + 1 others in later views goes there at once. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"

#include <stdlib.h>

const Pot__PreparedCertificate *view_change_selected(
    const Pot__NewView *new_view)
{
    const Pot__PreparedCertificate *highest = NULL;
    for (size_t i = 0; i < new_view->n_view_changes; i++) {
        const Pot__PreparedCertificate *each =
            new_view->view_changes[i]->prepared;
        if (each != NULL && (highest == NULL || each->view > highest->view)) {
            highest = each;
        }
    }
    return highest;
}

/* The replica's word that it leaves all views before this one; said once,
 * and kept in the record, because of what it claims to have prepared. */
static void say_view_change(struct pbft *p)
{
    uint8_t bytes[PBFT_MESSAGE_SIGNED_BYTES];
    struct signature signature;
    Pot__ViewChange made = POT__VIEW_CHANGE__INIT;
    made.height = p->height;
    made.view = p->view;
    made.prepared = p->prepared;
    made.replica = p->self;
    pbft_message_view_change_bytes(bytes, &made);
    key_sign(&signature, p->key, "view-change", &p->chain, bytes,
             sizeof(bytes));
    made.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    codec_free(p->own_change);
    p->own_change = pbft_message_copy(&made);
    struct outbox_item item = {.height = p->height, .view = p->view};
    item.bytes = pbft_message_encode_view_change(&item.size, p->own_change);
    outbox_add(&p->outbox, &item);
    p->is_dirty = true;
}

void view_change_begin(struct pbft *p, uint64_t view)
{
    POT_ASSERT(view > p->view);
    if (!pbft_can_vote(p) || p->is_decided) {
        return;
    }
    pbft_leave_view(p, view);
    p->is_changing = true;
    p->attempts++;
    p->view_changes++;
    say_view_change(p);
}

/* After a restart: the record said that view was not open yet, or what
 * opened it is forgotten. */
void view_change_resume(struct pbft *p)
{
    POT_ASSERT(p->is_changing && pbft_can_vote(p));
    if (p->own_change == NULL || p->own_change->view != p->view) {
        say_view_change(p);
        return;
    }
    view_change_on_own(p);
}

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
 * taken is that of the f + 1 highest: one of them is honest.  0: no set. */
static uint64_t view_to_join(const struct pbft *p)
{
    uint32_t need = validator_set_faults(p->set.count) + 1;
    uint64_t best = 0;
    for (uint32_t i = 0; i < p->set.count; i++) {
        if (i == p->self || p->changes[i] == NULL) {
            continue;
        }
        uint64_t view = p->changes[i]->view;
        uint32_t as_high = 0;
        for (uint32_t j = 0; j < p->set.count; j++) {
            as_high += j != p->self && p->changes[j] != NULL &&
                       p->changes[j]->view >= view;
        }
        if (as_high >= need && view > best) {
            best = view;
        }
    }
    return best > p->view ? best : 0;
}

/* Takes new_view. */
static void enter(struct pbft *p, Pot__NewView *new_view)
{
    if (new_view->view > p->view) {
        pbft_leave_view(p, new_view->view);
        p->attempts++;
    }
    POT_ASSERT(p->proposal.body == NULL);
    p->is_changing = false;
    codec_free(p->new_view);
    p->new_view = new_view;
    pbft_time_view(p, 0);
    early_replay_proposal(p);
    normal_propose(p);
}

/* Section 4.4: the primary multicasts new-view once it holds a quorum of
 * view changes, its own among them.  All that are held go in. */
static void open_view(struct pbft *p)
{
    uint8_t bytes[PBFT_MESSAGE_SIGNED_BYTES];
    struct signature signature;
    Pot__NewView made = POT__NEW_VIEW__INIT;
    made.height = p->height;
    made.view = p->view;
    made.replica = p->self;
    made.view_changes = pot_calloc(p->set.count, sizeof(*made.view_changes));
    for (uint32_t i = 0; i < p->set.count; i++) {
        if (p->changes[i] != NULL && p->changes[i]->view == p->view) {
            made.view_changes[made.n_view_changes++] = p->changes[i];
        }
    }
    pbft_message_new_view_bytes(bytes, &made);
    key_sign(&signature, p->key, "new-view", &p->chain, bytes, sizeof(bytes));
    made.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    Pot__NewView *new_view = pbft_message_copy(&made);
    free(made.view_changes);
    struct pbft_effect *effect = pbft_emit(p, PBFT_BROADCAST);
    effect->bytes = pbft_message_encode_new_view(&effect->size, new_view);
    enter(p, new_view);
}

/* What the view changes held now call for. */
static void weigh(struct pbft *p)
{
    if (!pbft_can_vote(p) || p->is_decided) {
        return;
    }
    uint64_t view = view_to_join(p);
    if (view != 0) {
        view_change_begin(p, view);
    }
    if (!p->is_changing) {
        return;
    }
    if (!p->is_view_timed && count_wanting(p) >= pbft_quorum(p)) {
        pbft_time_view(p, 0);
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

/* The pre-prepare inside is a vote like any other: it shows a primary that
 * told different replicas different things. */
static void look_for_evidence(struct pbft *p,
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
    if (message->prepared != NULL) {
        look_for_evidence(p, message->prepared);
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
    const Pot__PreparedCertificate *x = view_change_selected(a);
    const Pot__PreparedCertificate *y =
        b == NULL ? NULL : view_change_selected(b);
    return x == NULL || y == NULL
               ? x == y
               : codec_bytes_equal(x->digest, y->digest.data, y->digest.len);
}

/* A view that is open already may be opened again, after its primary has
 * restarted and forgotten how: fine as long as nothing was accepted in it.
 * The view's timer is not wound up again by that. */
static void reopen(struct pbft *p, const Pot__NewView *message)
{
    if (p->proposal.body != NULL || pbft_is_primary(p) ||
        selects_same(message, p->new_view)) {
        return;
    }
    codec_free(p->new_view);
    p->new_view = pbft_message_copy(message);
    early_replay_proposal(p);
}

void view_change_on_new_view(struct pbft *p, const Pot__NewView *message)
{
    POT_ASSERT(message->height == p->height);
    if (p->is_decided || message->view < p->view ||
        message->replica == p->self) {
        return;
    }
    if (message->view == p->view && !p->is_changing) {
        reopen(p, message);
        return;
    }
    enter(p, pbft_message_copy(message));
}
