/* One step: dispatch the event, then ask for the record to be made durable
 * when it has changed.  Messages that the record covers wait in the outbox;
 * own votes count for the replica itself only when they leave it. */
#include "config.h"

#include "consensus/pbft.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/accuse.h"
#include "consensus/normal.h"
#include "consensus/pbft_record.h"
#include "consensus/pbft_state.h"
#include "consensus/resend.h"
#include "consensus/spare.h"
#include "consensus/view_change.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

static void find_self(struct pbft *p)
{
    if (p->key == NULL ||
        !validator_set_find(&p->self, &p->set, key_public(p->key))) {
        p->self = PBFT_NO_REPLICA;
    }
}

/* Forgets all that belongs to one height. */
static void clear_height(struct pbft *p)
{
    view_clear(p);
    votes_clear(&p->votes, p->set.count);
    decision_clear(&p->decision);
    codec_free(p->prepared);
    p->prepared = NULL;
    pbft_block_set(&p->prepared_block, NULL);
    pbft_block_set(&p->fetch.block, NULL);
    codec_free(p->own_change);
    p->own_change = NULL;
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        codec_free(p->changes[i]);
        p->changes[i] = NULL;
    }
    memset(p->is_accused, 0, sizeof(p->is_accused));
    memset(p->is_answered, 0, sizeof(p->is_answered));
    p->is_changing = false;
    p->has_work = false;
    p->attempts = 0;
}

/* What an earlier life signed in these views is not known: in them nothing is
 * signed any more. */
static void skip_spent(struct pbft *p)
{
    if (p->spent.height == p->height && p->view < p->spent.views &&
        p->self != PBFT_NO_REPLICA) {
        p->view = p->spent.views;
        p->is_changing = true;
    }
}

/* To the beginning of the height after a block's. */
static void enter_height(struct pbft *p, uint64_t height,
                         const struct hash *tip, uint64_t view)
{
    clear_height(p);
    p->height = height + 1;
    p->tip = *tip;
    p->view = view;
    p->start_view = view;
    skip_spent(p);
}

/* The record of the height reached is the word given at it. */
static void take_record(struct pbft *p)
{
    if (p->later_record == NULL || p->later_record->height > p->height) {
        return;
    }
    Pot__PbftRecord *record = p->later_record;
    p->later_record = NULL;
    if (record->height == p->height) {
        pbft_record_restore(p, record);
    }
    codec_free(record);
}

/* Sets the height in motion; the state is that of its beginning, or what
 * the record told. */
static void begin_height(struct pbft *p)
{
    resend_tick(p);
    if (!pbft_can_vote(p)) {
        return;
    }
    if (p->is_changing) {
        view_change_resume(p);
        return;
    }
    bool is_idle = p->proposal.block == NULL && !p->has_work;
    pbft_timers_give_view(p, is_idle ? p->idle_interval_ms : 0);
    if (is_idle && pbft_is_primary(p)) {
        pbft_timers_set(p, PBFT_TIMER_PROPOSE, p->idle_interval_ms);
    } else {
        normal_propose(p);
    }
    normal_try_prepared(p);
    if (p->own[POT__PHASE__PHASE_COMMIT].is_durable) {
        decision_try(p, p->view, &p->own[POT__PHASE__PHASE_COMMIT].digest);
    }
    suspicion_weigh(p);
}

/* What the record tells beyond votes at the height reached. */
static void open_record(struct pbft *p, Pot__PbftRecord *record)
{
    if (record == NULL) {
        return;
    }
    p->signed_last = pbft_record_mark(record);
    if (record->next_views > 0) {
        p->spent = (struct advance){record->height + 1, record->next_views};
    }
    if (record->trusted) {
        p->is_held = false;
        codec_free(record);
    } else if (record->recovering) {
        p->is_held = true;
        p->is_recovering = true;
        codec_free(record);
    } else {
        p->later_record = record;
    }
}

struct pbft *pbft_new(const struct pbft_config *config, const void *record,
                      size_t record_size, enum pot_err *err)
{
    POT_ASSERT(config->propose_timeout_ms > 0);
    POT_ASSERT(config->propose_timeout_max_ms >= config->propose_timeout_ms);
    POT_ASSERT(config->validators->count > 0);
    POT_ASSERT(config->validators->count <= VALIDATORS_MAX);
    *err = POT_OK;
    Pot__PbftRecord *opened = NULL;
    if (record_size > 0) {
        opened = pbft_record_decode(config, record, record_size, err);
        if (opened == NULL) {
            return NULL;
        }
    }
    struct pbft *p = pot_calloc(1, sizeof(*p));
    p->chain = config->chain;
    p->key = config->key;
    p->propose_timeout_ms = config->propose_timeout_ms;
    p->propose_timeout_max_ms = config->propose_timeout_max_ms;
    p->idle_interval_ms = config->idle_interval_ms;
    p->set = *config->validators;
    p->is_held = config->is_held;
    p->is_counted = config->is_counted;
    open_record(p, opened);
    find_self(p);
    enter_height(p, config->height, &config->tip, config->view);
    take_record(p);
    return p;
}

void pbft_free(struct pbft *p)
{
    if (p == NULL) {
        return;
    }
    clear_height(p);
    accuse_forget(p);
    early_clear_proposal(&p->early);
    early_clear_next(&p->early);
    outbox_fini(&p->outbox);
    codec_free(p->later_record);
    free(p);
}

/* A message of this height, by its kind. */
static void dispatch(struct pbft *p, const Pot__ConsensusMessage *message,
                     uint32_t from)
{
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        normal_on_pre_prepare(p, message->pre_prepare);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        normal_on_vote(p, message->prepare);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        normal_on_vote(p, message->commit);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        view_change_on_message(p, message->view_change);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
        view_change_on_new_view(p, message->new_view);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
        fetch_on_block_request(p, message->block_request, from);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
        normal_on_block_reply(p, message->block_reply);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION: /* taken at any height */
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
}

/* A block for a view that is not open yet. */
static bool is_early(const struct pbft *p, const Pot__ConsensusMessage *message,
                     uint64_t view)
{
    return message->kind_case == POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE &&
           (view > p->view || (view == p->view && p->is_changing)) &&
           !p->decision.is_made;
}

/* By height: what is old proves a fault at most, what is of this height is
 * taken now or kept until its view is open, what is of the next one is kept.
 * What is further ahead only says how far its signer is. */
static void take_message(struct pbft *p, const Pot__ConsensusMessage *message,
                         uint32_t from)
{
    struct pbft_origin origin = pbft_message_origin(message);
    if (origin.is_signed) {
        POT_ASSERT(origin.replica < p->set.count);
        ahead_note(&p->ahead, origin.replica, origin.height);
    }
    if (message->kind_case == POT__CONSENSUS_MESSAGE__KIND_SUSPICION) {
        suspicion_on_message(p, message->suspicion);
    } else if (origin.height > p->height) {
        if (origin.height == p->height + 1) {
            early_keep_next(&p->early, message, p->view);
        }
        ahead_tell(p, false);
    } else if (origin.height == p->height) {
        if (is_early(p, message, origin.view)) {
            early_keep_proposal(&p->early, message, p->view);
        } else {
            dispatch(p, message, from);
        }
    } else if (accuse_is_late(p, origin.height)) {
        accuse_late(p, message);
    }
}

static void on_message(struct pbft *p, const struct pbft_event *event)
{
    if (event->u.message.is_spare) {
        spare_keep(p, event->u.message.message);
    } else if (event->u.message.set_id == p->set_id) {
        take_message(p, event->u.message.message, event->u.message.from);
    }
}

/* Keeps what came for the next height only if that is the height reached,
 * and its signers are who they were. */
static void take_set(struct pbft *p, const struct validator_set *set,
                     bool is_next)
{
    bool is_same = validator_set_equal(set, &p->set);
    if (!is_same) {
        p->set = *set;
        p->set_id++;
        memset(p->ahead.heights, 0, sizeof(p->ahead.heights));
        memset(&p->suspicion, 0, sizeof(p->suspicion));
        memset(&p->pace, 0, sizeof(p->pace));
        find_self(p);
    }
    early_clear_proposal(&p->early);
    if (!is_same || !is_next) {
        early_clear_next(&p->early);
    }
}

static void take_next(struct pbft *p)
{
    Pot__ConsensusMessage *message;
    while ((message = early_take_next(&p->early)) != NULL) {
        take_message(p, message, PBFT_NO_REPLICA);
        codec_free(message);
    }
}

/* A height tells how its primary did if it was agreed on in the view in which
 * it began. */
static void end_pace(struct pbft *p, const struct pbft_event *event)
{
    const struct pace_rule rule = {
        .view = p->start_view,
        .primary = validator_set_primary(p->set.count, p->start_view),
        .faults = validator_set_faults(p->set.count),
        .timeout_ms = p->propose_timeout_ms,
    };
    if (event->u.committed.height != p->height ||
        event->u.committed.view != p->start_view) {
        pace_skip(&p->pace);
    }
    pace_end(&p->pace, &rule, p->now_ms);
}

static void on_committed(struct pbft *p, const struct pbft_event *event)
{
    uint64_t height = event->u.committed.height;
    if (height < p->height) {
        return; /* block sync and the own commit brought the same block */
    }
    end_pace(p, event);
    if (height == p->height) {
        accuse_keep(p, &event->u.committed.digest);
    }
    take_set(p, event->u.committed.validators, height == p->height);
    enter_height(p, height, &event->u.committed.digest,
                 event->u.committed.view);
    pbft_timers_stop(p, PBFT_TIMER_VIEW);
    pbft_timers_stop(p, PBFT_TIMER_PROPOSE);
    take_record(p);
    begin_height(p);
    take_next(p);
}

/* A block that takes the ledger long is no fault of the primary: as long as
 * the own check is under way the view goes on, though not for ever. */
static void on_view_timer(struct pbft *p)
{
    if (!p->timers.is_view_timed) {
        return;
    }
    const struct pbft_block *block = p->proposal.block;
    p->checking_ms += pbft_timers_timeout_ms(p);
    if (block != NULL && block->is_checking &&
        p->checking_ms < p->propose_timeout_max_ms) {
        pbft_timers_give_view(p, 0);
        return;
    }
    p->timers.is_view_timed = false;
    view_give_up(p, p->view + 1, PBFT_CHANGE_TIMEOUT);
}

/* What the key did not sign when it was due (key_sign). */
static void sign_again(struct pbft *p)
{
    if (!pbft_can_vote(p) || p->decision.is_made) {
        return;
    }
    const Pot__ViewChange *own = p->own_change;
    if (!p->is_changing) {
        normal_resume(p);
        normal_try_prepared(p);
    } else if (own == NULL || own->view != p->view) {
        view_say_change(p);
    } else if (p->changes[p->self] != NULL &&
               p->changes[p->self]->view == p->view) {
        view_change_on_own(p); /* as the primary: its new view */
    }
}

static void on_timer(struct pbft *p, const struct pbft_event *event)
{
    enum pbft_timer timer = event->u.timer.timer;
    if (event->u.timer.generation != p->timers.generations[timer]) {
        return;
    }
    switch (timer) {
    case PBFT_TIMER_VIEW:
        on_view_timer(p);
        break;
    case PBFT_TIMER_RESEND:
        resend_tick(p);
        sign_again(p);
        break;
    case PBFT_TIMER_PROPOSE:
        normal_propose(p);
        break;
    }
}

static void on_work(struct pbft *p)
{
    if (p->has_work) {
        return;
    }
    p->has_work = true;
    pace_owe(&p->pace, p->now_ms);
    if (p->timers.is_idle_granted && p->timers.is_view_timed &&
        !p->is_changing && p->proposal.block == NULL) {
        pbft_timers_give_view(p, 0);
    }
    normal_propose(p);
}

/* What the outbox has no record to wait for any more. */
static void send_ready(struct pbft *p)
{
    struct outbox_item item;
    while (outbox_take(&p->outbox, &item)) {
        struct pbft_effect *effect = pbft_emit(p, PBFT_BROADCAST);
        effect->bytes = item.bytes;
        effect->size = item.size;
        if (item.height != p->height) {
            continue;
        }
        bool is_current = item.view == p->view;
        if (item.is_vote) {
            if (is_current) {
                p->own[item.vote.phase].is_durable = true;
            }
            normal_add_vote(p, &item.vote, &item.signature);
        } else if (is_current && p->is_changing) {
            view_change_on_own(p);
        }
    }
}

static void on_persisted(struct pbft *p, const struct pbft_event *event)
{
    p->outbox.durable = event->u.persisted.sequence;
    send_ready(p);
}

static void on_recover(struct pbft *p)
{
    POT_ASSERT(p->is_held);
    POT_ASSERT(p->advance.height == 0); /* nothing was cast yet */
    p->is_recovering = true;
    p->is_dirty = true;
}

static void on_release(struct pbft *p)
{
    if (p->is_held) {
        p->is_held = false;
        p->is_recovering = false;
        begin_height(p);
        normal_resume(p);
    }
}

static void take_event(struct pbft *p, const struct pbft_event *event)
{
    switch (event->type) {
    case PBFT_START:
        p->is_started = true;
        begin_height(p);
        break;
    case PBFT_MESSAGE:
        on_message(p, event);
        break;
    case PBFT_TIMER:
        on_timer(p, event);
        break;
    case PBFT_WORK:
        on_work(p);
        break;
    case PBFT_SUSPECT:
        suspicion_of_caller(p, event->u.suspect.view);
        break;
    case PBFT_PROPOSAL:
        normal_on_proposal(p, event);
        break;
    case PBFT_CHECKED:
        normal_on_checked(p, event);
        break;
    case PBFT_PERSISTED:
        on_persisted(p, event);
        break;
    case PBFT_COMMITTED:
        on_committed(p, event);
        break;
    case PBFT_RECOVER:
        on_recover(p);
        break;
    case PBFT_RELEASE:
        on_release(p);
        break;
    }
}

/* Where the own votes and view change of this view stand. */
static void note_signed(struct pbft *p)
{
    struct pbft_mark mark = {.height = p->height};
    if (p->spent.height == p->height + 1) {
        mark.next_views = p->spent.views;
    }
    if (p->own_change != NULL) {
        mark.view = p->own_change->view;
        pbft_message_view_change_digest(&mark.digest, p->own_change);
    }
    for (int i = POT__PHASE__PHASE_PRE_PREPARE; i <= POT__PHASE__PHASE_COMMIT;
         i++) {
        if (p->own[i].is_cast) {
            mark.view = p->view;
            mark.rank = (uint32_t)i;
            mark.digest = p->own[i].digest;
        }
    }
    if (pbft_mark_compare(&mark, &p->signed_last) > 0) {
        p->signed_last = mark;
    }
}

/* Every half time-out the resend timer takes a step.  If none was taken for
 * much longer, the process stood still, and what ran out meanwhile says
 * nothing about the primary: first the others are heard. */
static void note_time(struct pbft *p, uint64_t now_ms)
{
    bool is_late = p->is_started && now_ms > p->now_ms + p->propose_timeout_ms;
    p->now_ms = now_ms;
    if (!is_late) {
        return;
    }
    pace_skip(&p->pace);
    resend_later(p);
    if (p->timers.is_view_timed) {
        pbft_timers_give_view(p, p->timers.is_idle_granted ? p->idle_interval_ms
                                                           : 0);
    }
    normal_propose_later(p);
}

void pbft_step(struct pbft *p, const struct pbft_event *event,
               struct pbft_effects *effects)
{
    p->effects = effects;
    note_time(p, event->now_ms);
    take_event(p, event);
    if (p->is_ahead) {
        p->is_ahead = false;
        note_signed(p);
        send_ready(p); /* may bring about the commit */
    }
    if (p->is_dirty) {
        p->is_dirty = false;
        note_signed(p);
        struct pbft_effect *effect = pbft_emit(p, PBFT_PERSIST);
        effect->sequence = ++p->outbox.sequence;
        effect->bytes = pbft_record_encode(&effect->size, p);
    }
    POT_ASSERT(p->start_view <= p->view);
    POT_ASSERT((p->prepared == NULL) == (p->prepared_block == NULL));
    POT_ASSERT(p->decision.is_made == (p->decision.certificate != NULL));
    POT_ASSERT(p->decision.is_made || !p->decision.is_told);
    p->effects = NULL;
}

struct pbft_status pbft_status(const struct pbft *p)
{
    struct pbft_status status = {
        .height = p->height,
        .view = p->view,
        .start_view = p->start_view,
        .is_changing = p->is_changing,
        .is_decided = p->decision.is_made,
        .count = p->set.count,
        .replica = p->self,
        .primary = pbft_primary(p),
        .timeout_ms = pbft_timers_timeout_ms(p),
        .set_id = p->set_id,
        .is_held = p->is_held,
        .is_recovering = p->is_recovering,
        .signed_last = p->signed_last,
        .is_silent = !pbft_can_vote(p),
        .is_view_timed = p->timers.is_view_timed,
        .last_change = p->last_change,
    };
    memcpy(status.view_changes, p->view_changes, sizeof(status.view_changes));
    return status;
}

void pbft_heard(struct pbft_heard *out, const struct pbft *pbft,
                uint32_t replica)
{
    const struct votes_entry *prepare = votes_find(
        &pbft->votes, POT__PHASE__PHASE_PREPARE, pbft->view, replica);
    const struct votes_entry *commit =
        votes_find(&pbft->votes, POT__PHASE__PHASE_COMMIT, pbft->view, replica);
    if (prepare == NULL) {
        prepare = votes_find(&pbft->votes, POT__PHASE__PHASE_PRE_PREPARE,
                             pbft->view, replica);
    }
    *out = (struct pbft_heard){.has_prepared = prepare != NULL,
                               .has_committed = commit != NULL};
    if (prepare != NULL) {
        out->prepared = prepare->digest;
    }
    if (commit != NULL) {
        out->committed = commit->digest;
    }
}

const char *pbft_change_name(enum pbft_change change)
{
    static const char *const names[] = {
#define X(name, text) text,
        PBFT_CHANGE_MAP(X)
#undef X
    };
    POT_ASSERT(change < PBFT_CHANGES);
    return names[change];
}

bool pbft_is_spare(struct pbft *p, const Pot__ConsensusMessage *message,
                   const struct public_key *from)
{
    return spare_is(p, message, from);
}

const struct validator_set *pbft_validators(const struct pbft *p)
{
    return &p->set;
}
