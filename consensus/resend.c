#include "config.h"

#include "consensus/resend.h"

#include "base/check.h"
#include "consensus/accuse.h"
#include "consensus/pbft_state.h"

#include <string.h>

/* Ticks between two sendings of a block grow up to this. */
#define BLOCK_TICKS_MAX 16

static bool is_block_tick(const struct pbft *p)
{
    return (p->ticks & (p->ticks - 1)) == 0 || p->ticks % BLOCK_TICKS_MAX == 0;
}

static void broadcast_own(struct pbft *p, Pot__Phase phase)
{
    const struct own_vote *own = &p->own[phase];
    if (!own->is_durable) {
        return;
    }
    struct vote vote = pbft_own_vote(p, phase);
    struct pbft_effect *effect = pbft_emit(p, PBFT_BROADCAST);
    effect->bytes =
        pbft_message_encode_vote(&effect->size, &vote, &own->signature);
}

static void resend_view_change(struct pbft *p)
{
    const Pot__ViewChange *own = p->changes[p->self];
    if (own == NULL || own->view != p->view) {
        return; /* not durable yet */
    }
    struct pbft_effect *effect = pbft_emit(p, PBFT_BROADCAST);
    effect->bytes = pbft_message_encode_view_change(&effect->size, own);
}

void resend_new_view(struct pbft *p, uint32_t replica)
{
    if (p->new_view == NULL || p->is_answered[replica]) {
        return;
    }
    p->is_answered[replica] = true;
    struct pbft_effect *effect = pbft_emit(p, PBFT_SEND);
    effect->replica = replica;
    effect->bytes = pbft_message_encode_new_view(&effect->size, p->new_view);
}

static bool has_voted(const struct pbft *p, uint32_t replica)
{
    return votes_find(&p->votes, POT__PHASE__PHASE_PREPARE, p->view, replica) !=
               NULL ||
           votes_find(&p->votes, POT__PHASE__PHASE_COMMIT, p->view, replica) !=
               NULL;
}

static void send_pre_prepare(struct pbft *p, uint32_t replica)
{
    const struct proposal *proposal = &p->proposal;
    struct pbft_effect *effect = pbft_emit(p, PBFT_SEND);
    effect->replica = replica;
    effect->bytes = pbft_message_encode_pre_prepare(
        &effect->size, &proposal->vote, &proposal->signature,
        proposal->block->data, proposal->block->size);
}

/* The primary's part: what opened the view, and its block. */
static void resend_proposal(struct pbft *p)
{
    bool is_proposed = p->own[POT__PHASE__PHASE_PRE_PREPARE].is_durable;
    POT_ASSERT(!is_proposed || p->proposal.block != NULL);
    for (uint32_t i = 0; i < p->set.count; i++) {
        if (i == p->self || has_voted(p, i)) {
            continue;
        }
        resend_new_view(p, i);
        if (is_proposed) {
            send_pre_prepare(p, i);
        }
    }
}

void resend_later(struct pbft *p)
{
    uint64_t delay_ms = p->propose_timeout_ms / 2;
    pbft_timers_set(p, PBFT_TIMER_RESEND, delay_ms > 0 ? delay_ms : 1);
}

void resend_tick(struct pbft *p)
{
    resend_later(p);
    memset(p->is_answered, 0, sizeof(p->is_answered));
    p->ticks++;
    ahead_tell(p, true);
    fetch_ask(p);
    accuse_answer(p);
    if (!pbft_can_vote(p)) {
        return;
    }
    if (p->is_changing) {
        resend_view_change(p);
        return;
    }
    suspicion_tell(p);
    broadcast_own(p, POT__PHASE__PHASE_PREPARE);
    broadcast_own(p, POT__PHASE__PHASE_COMMIT);
    if (pbft_is_primary(p) && is_block_tick(p)) {
        resend_proposal(p);
    }
}
