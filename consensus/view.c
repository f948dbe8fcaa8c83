#include "config.h"

#include "consensus/view.h"

#include "base/check.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"

#include <string.h>

void view_clear(struct pbft *p)
{
    memset(p->own, 0, sizeof(p->own));
    pbft_block_set(&p->proposal.block, NULL);
    p->proposal.is_signed = false;
    codec_free(p->new_view);
    p->new_view = NULL;
    p->is_proposing = false;
    p->fetch.is_wanting = false;
    p->checking_ms = 0;
    p->ticks = 0;
}

void view_leave(struct pbft *p, uint64_t view, enum pbft_change why)
{
    POT_ASSERT(view > p->view);
    p->view = view;
    p->attempts++;
    p->view_changes[why]++;
    p->last_change = why;
    pace_skip(&p->pace);
    view_clear(p);
    pbft_timers_stop(p, PBFT_TIMER_VIEW);
    pbft_timers_stop(p, PBFT_TIMER_PROPOSE);
}

void view_say_change(struct pbft *p)
{
    struct signature signature;
    Pot__ViewChange made = POT__VIEW_CHANGE__INIT;
    made.height = p->height;
    made.view = p->view;
    made.prepared = p->prepared;
    made.replica = p->self;
    if (!pbft_message_sign_view_change(&signature, p->key, &p->chain, &made)) {
        return;
    }
    made.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    codec_free(p->own_change);
    p->own_change = pbft_message_copy(&made);
    struct outbox_item item = {
        .sequence = p->outbox.sequence + 1,
        .height = p->height,
        .view = p->view,
    };
    item.bytes = pbft_message_encode_view_change(&item.size, p->own_change);
    outbox_add(&p->outbox, &item);
    p->is_dirty = true;
}

void view_give_up(struct pbft *p, uint64_t view, enum pbft_change why)
{
    POT_ASSERT(view > p->view);
    if (!pbft_can_vote(p) || p->decision.is_made) {
        return;
    }
    view_leave(p, view, why);
    p->is_changing = true;
    view_say_change(p);
}

const Pot__PreparedCertificate *view_selected(const Pot__NewView *new_view)
{
    const Pot__PreparedCertificate *highest = NULL;
    size_t count = new_view == NULL ? 0 : new_view->n_view_changes;
    for (size_t i = 0; i < count; i++) {
        const Pot__PreparedCertificate *each =
            new_view->view_changes[i]->prepared;
        if (each != NULL && (highest == NULL || each->view > highest->view)) {
            highest = each;
        }
    }
    return highest;
}
