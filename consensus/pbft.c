/* One step: dispatch the event, then ask for the record to be made durable
 * when it has changed.  Messages that the record covers wait in the outbox;
 * own votes count for the replica itself only when they leave it. */
#include "config.h"

#include "consensus/pbft.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pbft_state.h"
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

bool pbft_can_vote(const struct pbft *p)
{
    return p->self != PBFT_NO_REPLICA && p->later_record == NULL;
}

uint32_t pbft_quorum(const struct pbft *p)
{
    return validator_set_quorum(p->set.count);
}

uint32_t pbft_primary(const struct pbft *p)
{
    return validator_set_primary(p->set.count, p->view);
}

bool pbft_is_primary(const struct pbft *p)
{
    return p->self == pbft_primary(p);
}

struct pbft_effect *pbft_emit(struct pbft *p, enum pbft_effect_type type)
{
    struct pbft_effects *effects = p->effects;
    if (effects->count == effects->capacity) {
        effects->capacity = effects->capacity > 0 ? 2 * effects->capacity : 8;
        effects->items = pot_realloc(effects->items, effects->capacity,
                                     sizeof(*effects->items));
    }
    struct pbft_effect *effect = &effects->items[effects->count++];
    memset(effect, 0, sizeof(*effect));
    effect->type = type;
    return effect;
}

void pbft_set_timer(struct pbft *p, enum pbft_timer timer, uint64_t delay_ms)
{
    struct pbft_effect *effect = pbft_emit(p, PBFT_SET_TIMER);
    effect->timer = timer;
    effect->generation = ++p->generations[timer];
    effect->delay_ms = delay_ms;
}

void pbft_stop_timer(struct pbft *p, enum pbft_timer timer)
{
    p->generations[timer]++;
    if (timer == PBFT_TIMER_VIEW) {
        p->is_view_timed = false;
    }
}

/* Section 2.3 of the protocol's liveness argument: the time-out doubles with
 * every view given up, so that it outgrows any delay there is. */
uint64_t pbft_timeout(const struct pbft *p)
{
    uint64_t timeout_ms = p->propose_timeout_ms;
    for (uint32_t i = 0; i < p->attempts; i++) {
        if (timeout_ms >= p->propose_timeout_max_ms) {
            break;
        }
        timeout_ms *= 2;
    }
    return timeout_ms < p->propose_timeout_max_ms ? timeout_ms
                                                  : p->propose_timeout_max_ms;
}

void pbft_time_view(struct pbft *p, uint64_t extra_ms)
{
    if (!pbft_can_vote(p) || p->is_decided) {
        return;
    }
    pbft_set_timer(p, PBFT_TIMER_VIEW, pbft_timeout(p) + extra_ms);
    p->is_view_timed = true;
    p->is_idle_granted = extra_ms > 0;
}

void pbft_leave_view(struct pbft *p, uint64_t view)
{
    POT_ASSERT(view > p->view);
    p->view = view;
    p->ticks = 0;
    p->checking_ms = 0;
    p->is_proposing = false;
    p->is_wanting = false;
    memset(p->own, 0, sizeof(p->own));
    body_set(&p->proposal.body, NULL);
    p->proposal.is_signed = false;
    codec_free(p->new_view);
    p->new_view = NULL;
    pbft_stop_timer(p, PBFT_TIMER_VIEW);
    pbft_stop_timer(p, PBFT_TIMER_PROPOSE);
}

/* Forgets all that belongs to one height. */
static void clear_height(struct pbft *p)
{
    memset(p->own, 0, sizeof(p->own));
    votes_clear(&p->votes, p->set.count);
    body_set(&p->proposal.body, NULL);
    body_set(&p->prepared_body, NULL);
    body_set(&p->fetched, NULL);
    p->proposal.is_signed = false;
    codec_free(p->prepared);
    codec_free(p->own_change);
    codec_free(p->new_view);
    p->prepared = NULL;
    p->own_change = NULL;
    p->new_view = NULL;
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        codec_free(p->changes[i]);
        p->changes[i] = NULL;
        p->is_accused[i] = false;
        p->is_answered[i] = false;
    }
    free(p->decided_certificate);
    p->decided_certificate = NULL;
    p->is_decided = false;
    p->is_commit_told = false;
    p->is_wanting = false;
    p->is_changing = false;
    p->is_proposing = false;
    p->has_work = false;
    p->attempts = 0;
    p->ticks = 0;
    p->checking_ms = 0;
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
    bool is_idle = p->proposal.body == NULL && !p->has_work;
    pbft_time_view(p, is_idle ? p->idle_interval_ms : 0);
    if (is_idle && pbft_is_primary(p)) {
        pbft_set_timer(p, PBFT_TIMER_PROPOSE, p->idle_interval_ms);
    } else {
        normal_propose(p);
    }
    normal_try_prepared(p);
    if (p->own[POT__PHASE__PHASE_COMMIT].is_durable) {
        normal_try_decide(p, p->view, &p->own[POT__PHASE__PHASE_COMMIT].digest);
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
        opened = pbft_record_open(config, record, record_size, err);
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
    p->height = config->height + 1;
    p->tip = config->tip;
    p->view = config->view;
    p->start_view = config->view;
    p->later_record = opened;
    find_self(p);
    clear_height(p);
    take_record(p);
    return p;
}

void pbft_free(struct pbft *p)
{
    if (p == NULL) {
        return;
    }
    clear_height(p);
    early_clear(p, true);
    outbox_fini(&p->outbox);
    codec_free(p->later_record);
    free(p);
}

static void on_committed(struct pbft *p, const struct pbft_event *event)
{
    uint64_t height = event->u.committed.height;
    if (height < p->height) {
        return; /* block sync and the own commit brought the same block */
    }
    const struct validator_set *set = event->u.committed.validators;
    bool is_next = height == p->height;
    bool is_same_set = validator_set_equal(set, &p->set);
    if (!is_same_set) {
        p->set = *set;
        p->set_id++;
        memset(p->heights, 0, sizeof(p->heights));
        find_self(p);
    }
    clear_height(p);
    early_clear(p, !is_next || !is_same_set);
    p->height = height + 1;
    p->tip = event->u.committed.digest;
    p->view = event->u.committed.view;
    p->start_view = p->view;
    pbft_stop_timer(p, PBFT_TIMER_VIEW);
    pbft_stop_timer(p, PBFT_TIMER_PROPOSE);
    take_record(p);
    begin_height(p);
    early_replay_next(p);
}

/* A block that takes the ledger long is no fault of the primary: as long as
 * the own check is under way the view goes on, though not for ever. */
static void on_view_timer(struct pbft *p)
{
    if (!p->is_view_timed) {
        return;
    }
    const struct body *body = p->proposal.body;
    p->checking_ms += pbft_timeout(p);
    if (body != NULL && body->is_checking &&
        p->checking_ms < p->propose_timeout_max_ms) {
        pbft_time_view(p, 0);
        return;
    }
    p->is_view_timed = false;
    view_change_begin(p, p->view + 1);
}

static void on_timer(struct pbft *p, const struct pbft_event *event)
{
    enum pbft_timer timer = event->u.timer.timer;
    if (event->u.timer.generation != p->generations[timer]) {
        return;
    }
    switch (timer) {
    case PBFT_TIMER_VIEW:
        on_view_timer(p);
        break;
    case PBFT_TIMER_RESEND:
        resend_tick(p);
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
    if (p->is_idle_granted && p->is_view_timed && !p->is_changing &&
        p->proposal.body == NULL) {
        pbft_time_view(p, 0);
    }
    normal_propose(p);
}

static void on_persisted(struct pbft *p, const struct pbft_event *event)
{
    struct outbox_item item;
    while (outbox_take(&p->outbox, &item, event->u.persisted.sequence)) {
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

void pbft_dispatch(struct pbft *p, const Pot__ConsensusMessage *message,
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
    case POT__CONSENSUS_MESSAGE__KIND_PROPOSAL_REQUEST:
        fetch_on_request(p, message->proposal_request, from);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_PROPOSAL:
        fetch_on_proposal(p, message->proposal);
        break;
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
}

static void on_message(struct pbft *p, const struct pbft_event *event)
{
    if (event->u.message.set_id == p->set_id) {
        early_sort(p, event->u.message.message, event->u.message.from);
    }
}

static void dispatch(struct pbft *p, const struct pbft_event *event)
{
    switch (event->type) {
    case PBFT_START:
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
    }
}

void pbft_step(struct pbft *p, const struct pbft_event *event,
               struct pbft_effects *effects)
{
    p->effects = effects;
    dispatch(p, event);
    if (p->is_dirty) {
        p->is_dirty = false;
        struct pbft_effect *effect = pbft_emit(p, PBFT_PERSIST);
        effect->sequence = ++p->outbox.sequence;
        effect->bytes = pbft_record_encode(&effect->size, p);
    }
    POT_ASSERT(p->start_view <= p->view);
    POT_ASSERT((p->prepared == NULL) == (p->prepared_body == NULL));
    p->effects = NULL;
}

void pbft_effects_clear(struct pbft_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        free(effects->items[i].bytes);
        free(effects->items[i].certificate);
    }
    effects->count = 0;
}

void pbft_effects_fini(struct pbft_effects *effects)
{
    pbft_effects_clear(effects);
    free(effects->items);
    memset(effects, 0, sizeof(*effects));
}

struct pbft_status pbft_status(const struct pbft *p)
{
    return (struct pbft_status){
        .height = p->height,
        .view = p->view,
        .is_changing = p->is_changing,
        .is_decided = p->is_decided,
        .replica = p->self,
        .primary = pbft_primary(p),
        .timeout_ms = pbft_timeout(p),
        .set_id = p->set_id,
        .view_changes = p->view_changes,
    };
}

const struct validator_set *pbft_validators(const struct pbft *p)
{
    return &p->set;
}
