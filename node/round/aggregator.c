/* A member's way, with the function on each edge:
 *
 *   aggregator_take -> WAITING --advance--> FETCHING --on_payload--> grouped,
 * or ^  |                   |  |                passed on aggregator_ ---'  |
 * on_payload:  |  '-- no gradient: dropped refresh, on_tick  |      not to be
 * had
 *                          '<------------------'
 *
 * WAITING is for the block that opens its round, or for the next try.  When the
 * round is over, its members are dropped from any state. */
#include "config.h"

#include "node/round/aggregator.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/aggregate.h"
#include "ledger/ledger.h"
#include "ledger/submission.h"
#include "node/block/needs.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/loop/loop_timer.h"
#include "node/round/group_sum.h"
#include "node/round/grouping.h"
#include "node/round/newcomers.h"
#include "node/round/reminder.h"
#include "node/round/tellers.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/group.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "proto/validator_set.h"

#include <stdlib.h>

#define TICK_MS  50
#define GREET_MS 3000

struct member { /* a submission that was not passed on yet */
    struct member *next;
    struct gathering *gathering;
    struct round_submission opened;
    Pot__Signed *message;
    uint64_t peer_id; /* who brought it, and holds its payload */
    bool is_fetching;
};

struct gathering { /* of a task */
    struct aggregator *aggregator;
    struct hash task;
    Pot__TaskRecord *record; /* at the tip */
    struct model_shape shape;
    struct member *members;
    size_t count;
    struct grouping *grouping; /* of the record's round; NULL: none is due */
    struct reminder *reminder;
};

struct aggregator {
    struct aggregator_config config;
    struct map gatherings; /* task -> struct gathering */
    struct group_sums sums;
    struct validator_set validators; /* at the tip */
    struct newcomers newcomers;      /* of them */
    struct tellers tellers;          /* other aggregators */
    struct loop_timer timer;
    bool is_stopped;
    struct aggregator_stats stats;
};

/* ---- members */

static void drop(struct member *m)
{
    struct aggregator *aggregator = m->gathering->aggregator;
    struct member **at = &m->gathering->members;
    while (*at != m) {
        at = &(*at)->next;
    }
    *at = m->next;
    m->gathering->count--;
    aggregator->stats.waiting--;
    if (m->is_fetching) {
        needs_forget(aggregator->config.needs, m);
    }
    round_submission_fini(&m->opened);
    codec_free(m->message);
    free(m);
}

static void pass_on(void *context, const Pot__Signed *message, uint64_t peer_id)
{
    const struct gathering *g = context;
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    struct gossip *gossip = g->aggregator->config.gossip;
    g->aggregator->stats.passed_on++;
    if (gossip_is_teller(gossip, peer_id)) {
        gossip_forward_out(gossip, MESSAGE_SUBMISSION, data, size);
    } else {
        gossip_forward(gossip, MESSAGE_SUBMISSION, data, size, peer_id);
    }
    if (!gossip_is_fellow(gossip, peer_id)) { /* whoever has told them */
        reminder_note(g->reminder, REMINDER_SUBMISSION, g->record->round,
                      message, uv_now(g->aggregator->config.loop));
    }
    free(data);
}

static bool is_promised(const struct member *m)
{
    const struct aggregator_config *c = &m->gathering->aggregator->config;
    return c->is_promised == NULL || c->is_promised(c->context, &m->opened);
}

/* What a teller has brought, validators have: it is in somebody's group, or in
 * none.  The rest goes on with the sum of all that came with it. */
static void take_in(struct member *m)
{
    struct gathering *g = m->gathering;
    bool is_late = m->opened.body->round != g->record->round;
    if (g->grouping != NULL && !is_late &&
        !gossip_is_teller(g->aggregator->config.gossip, m->peer_id) &&
        is_promised(m) &&
        grouping_add(g->grouping, &m->opened, m->message, m->peer_id)) {
        m->message = NULL;
    } else {
        pass_on(g, m->message, m->peer_id);
    }
}

static bool is_gradient(const struct member *m, const struct buf *payload)
{
    const struct gathering *g = m->gathering;
    struct gradient gradient;
    int8_t *room = pot_alloc(g->shape.parameter_count);
    bool is_good =
        ledger_open_payload(&gradient, room, g->record, &g->shape, &m->opened,
                            payload->data, payload->size) == POT_OK;
    free(room);
    return is_good;
}

static void refuse(const struct member *m)
{
    struct aggregator *aggregator = m->gathering->aggregator;
    char miner[ADDRESS_TEXT_SIZE];
    aggregator->stats.refused++;
    LOG(LOG_WARN, "node", "submission not passed on",
        log_u64("round", m->opened.body->round),
        log_text("miner", address_format(&m->opened.miner, miner)),
        log_text("why", "its payload is no gradient of this model"));
}

static void on_payload(void *context, bool is_held)
{
    struct member *m = context;
    const struct holdings *holdings = m->gathering->aggregator->config.holdings;
    const struct hash *hash = &m->opened.payload;
    uint64_t size = m->opened.body->payload_bytes;
    struct buf payload;
    m->is_fetching = false;
    if (is_held && holdings_has_another(holdings, hash, size)) {
        refuse(m);
        drop(m);
        return;
    }
    buf_init(&payload, size);
    if (is_held && holdings_get_blob(holdings, hash, &payload)) {
        if (is_gradient(m, &payload)) {
            take_in(m);
        } else {
            refuse(m);
        }
        drop(m);
    }
    buf_fini(&payload);
}

/* Its payload is fetched, if its round is open at the tip. */
static void advance(struct member *m)
{
    const struct gathering *g = m->gathering;
    if (!m->is_fetching &&
        ledger_check_submission(g->record, &g->shape, &m->opened) ==
            ROUND_ACCEPTED) {
        m->is_fetching = true;
        needs_blob(g->aggregator->config.needs, &m->opened.payload,
                   m->opened.body->payload_bytes, m->peer_id, on_payload, m);
    }
}

static void advance_all(const struct gathering *g)
{
    for (struct member *m = g->members, *next; m != NULL; m = next) {
        next = m->next;
        advance(m);
    }
}

/* ---- gatherings */

static Pot__TaskRecord *read_task(const struct aggregator *aggregator,
                                  const struct hash *task)
{
    const struct state state = stored_state(aggregator->config.holdings->store);
    Pot__TaskRecord *record = ledger_task(&state, task);
    if (record != NULL && record->status != POT__TASK_STATUS__TASK_RUNNING) {
        codec_free(record);
        record = NULL;
    }
    return record;
}

static bool is_told(void *context)
{
    const struct gathering *g = context;
    const struct aggregator *aggregator = g->aggregator;
    size_t all = aggregator->validators.count;
    return all > 0 && gossip_count_fellows(aggregator->config.gossip) == all;
}

static void on_group(void *context)
{
    const struct gathering *g = context;
    g->aggregator->stats.groups++;
}

/* For the round that is open now; what waits of another one goes. */
static void open_grouping(struct gathering *g, uint32_t expected)
{
    const struct aggregator_config *c = &g->aggregator->config;
    const struct grouping_config config = {
        .loop = c->loop,
        .holdings = c->holdings,
        .sums = &g->aggregator->sums,
        .gossip = c->gossip,
        .key = c->key,
        .task = g->task,
        .round = g->record->round,
        .expected = expected,
        .context = g,
        .is_told = is_told,
        .published = on_group,
        .pass_on = pass_on,
    };
    grouping_free(g->grouping);
    g->grouping =
        aggregate_takes_sums(g->record->spec) ? grouping_new(&config) : NULL;
}

/* NULL: no such task is running. */
static struct gathering *gathering_of(struct aggregator *aggregator,
                                      const struct hash *task)
{
    struct gathering *g = map_get(&aggregator->gatherings, task->b);
    if (g != NULL) {
        return g;
    }
    Pot__TaskRecord *record = read_task(aggregator, task);
    if (record == NULL) {
        return NULL;
    }
    g = pot_calloc(1, sizeof(*g));
    g->aggregator = aggregator;
    g->task = *task;
    g->record = record;
    enum pot_err err = model_shape_from_spec(&g->shape, record->spec->model);
    POT_ASSERT(err == POT_OK); /* the ledger took the task */
    g->reminder = reminder_new(aggregator->config.gossip);
    open_grouping(g, 0);
    (void)map_put(&aggregator->gatherings, task->b, g);
    return g;
}

static void gathering_free(struct gathering *g)
{
    while (g->members != NULL) {
        drop(g->members);
    }
    grouping_free(g->grouping);
    reminder_free(g->reminder);
    codec_free(g->record);
    free(g);
}

static void drop_past(struct gathering *g)
{
    for (struct member *m = g->members, *next; m != NULL; m = next) {
        next = m->next;
        if (m->opened.body->round < g->record->round) {
            drop(m);
        }
    }
}

/* A task that has ended goes. */
static void follow(struct gathering *g)
{
    struct aggregator *aggregator = g->aggregator;
    Pot__TaskRecord *record = read_task(aggregator, &g->task);
    if (record == NULL) {
        (void)map_remove(&aggregator->gatherings, g->task.b);
        gathering_free(g);
        return;
    }
    bool is_next = g->record->round != record->round;
    codec_free(g->record);
    g->record = record;
    if (is_next && g->grouping != NULL) {
        open_grouping(g, grouping_count(g->grouping));
    }
    drop_past(g);
    reminder_open(g->reminder, record->round);
    advance_all(g);
}

/* Miners that have no other peer fetch a task's data here. */
static void hold_data(const struct aggregator *aggregator)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&aggregator->gatherings, &cursor)) != NULL) {
        const struct gathering *g = slot->value;
        needs_task_data(aggregator->config.needs, g->record->spec, NULL, NULL);
    }
}

void aggregator_refresh(struct aggregator *aggregator)
{
    const struct state state = stored_state(aggregator->config.holdings->store);
    size_t count = aggregator->gatherings.count;
    void **all = map_values(&aggregator->gatherings);
    ledger_validators(&state, &aggregator->validators);
    for (size_t i = 0; i < count; i++) {
        follow(all[i]);
    }
    free(all);
    Pot__HashList *running = ledger_running(&state);
    for (size_t i = 0; i < running->n_hashes; i++) {
        struct hash task;
        if (codec_hash(&task, running->hashes[i])) {
            (void)gathering_of(aggregator, &task);
        }
    }
    codec_free(running);
    hold_data(aggregator);
}

/* A miner has one submission in a round.  NULL: none that waits. */
static struct member *member_of(const struct gathering *g,
                                const struct round_submission *opened)
{
    struct member *m = g->members;
    while (m != NULL && (m->opened.body->round != opened->body->round ||
                         !public_key_equal(&m->opened.miner, &opened->miner))) {
        m = m->next;
    }
    return m;
}

/* A teller has brought it so far, and validators are not told what tellers say:
 * now its miner does, who has the payload in any case. */
static void take_over(struct member *m, const struct round_submission *opened,
                      uint64_t peer_id)
{
    const struct aggregator *aggregator = m->gathering->aggregator;
    if (!hash_equal(&m->opened.hash, &opened->hash) ||
        gossip_is_teller(aggregator->config.gossip, peer_id)) {
        return;
    }
    m->peer_id = peer_id;
    if (m->is_fetching) {
        needs_forget(aggregator->config.needs, m);
        m->is_fetching = false;
    }
    advance(m);
}

void aggregator_take(struct aggregator *aggregator, const Pot__Signed *message,
                     uint64_t peer_id)
{
    struct round_submission opened;
    if (aggregator->is_stopped ||
        round_submission_decode(&opened, message) != POT_OK) {
        return;
    }
    struct gathering *g = gathering_of(aggregator, &opened.task);
    struct member *m = g != NULL ? member_of(g, &opened) : NULL;
    if (m != NULL) {
        take_over(m, &opened, peer_id);
    }
    if (g == NULL || m != NULL || g->count >= AGGREGATOR_WAITING_MAX) {
        round_submission_fini(&opened);
        return;
    }
    m = pot_calloc(1, sizeof(*m));
    m->gathering = g;
    m->opened = opened;
    m->message = signed_copy(message);
    m->peer_id = peer_id;
    m->next = g->members;
    g->members = m;
    g->count++;
    aggregator->stats.waiting++;
    advance(m);
}

void aggregator_commitment(struct aggregator *aggregator,
                           const Pot__Signed *message, uint64_t peer_id)
{
    struct round_commitment opened;
    if (aggregator->is_stopped ||
        gossip_is_fellow(aggregator->config.gossip, peer_id) ||
        round_commitment_decode(&opened, message) != POT_OK) {
        return;
    }
    const struct gathering *g = gathering_of(aggregator, &opened.task);
    if (g != NULL && opened.round >= g->record->round) {
        reminder_note(g->reminder, REMINDER_COMMITMENT, opened.round, message,
                      uv_now(aggregator->config.loop));
    }
}

bool aggregator_group(struct aggregator *aggregator, const Pot__Signed *message,
                      const struct public_key *from)
{
    struct group group;
    if (aggregator->is_stopped || group_decode(&group, message) != POT_OK) {
        return false;
    }
    const struct gathering *g = gathering_of(aggregator, &group.task);
    bool is_taken = public_key_equal(&group.aggregator, from) && g != NULL &&
                    g->grouping != NULL && g->record->round == group.round &&
                    group.member_count <= g->record->n_roster &&
                    grouping_skip(g->grouping, &group);
    if (is_taken) {
        tellers_note(&aggregator->tellers, &group.aggregator, group.is_told,
                     uv_now(aggregator->config.loop));
    }
    group_fini(&group);
    return is_taken;
}

bool aggregator_is_teller(const struct aggregator *aggregator,
                          const struct public_key *key)
{
    return tellers_has(&aggregator->tellers, key,
                       uv_now(aggregator->config.loop));
}

bool aggregator_is_validator(const struct aggregator *aggregator,
                             const struct public_key *key)
{
    uint32_t index;
    return validator_set_find(&index, &aggregator->validators, key);
}

void aggregator_greet(struct aggregator *aggregator,
                      const struct public_key *key, uint64_t peer_id)
{
    newcomers_add(&aggregator->newcomers, key, peer_id,
                  uv_now(aggregator->config.loop));
}

/* ---- all of it */

static void tell(void *context, uint64_t peer_id)
{
    const struct aggregator *aggregator = context;
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&aggregator->gatherings, &cursor)) != NULL) {
        const struct gathering *g = slot->value;
        reminder_tell(g->reminder, peer_id);
    }
}

static void on_tick(void *context)
{
    struct aggregator *aggregator = context;
    uint64_t now = uv_now(aggregator->config.loop);
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&aggregator->gatherings, &cursor)) != NULL) {
        struct gathering *g = slot->value;
        advance_all(g);
        reminder_tick(g->reminder, now);
        if (g->grouping != NULL) {
            grouping_tick(g->grouping, g->count == 0);
        }
    }
    newcomers_tick(&aggregator->newcomers, now, tell, aggregator);
}

struct aggregator *aggregator_new(const struct aggregator_config *config)
{
    struct aggregator *aggregator = pot_calloc(1, sizeof(*aggregator));
    aggregator->config = *config;
    newcomers_init(&aggregator->newcomers, GREET_MS);
    loop_timer_open(&aggregator->timer, config->loop, on_tick, aggregator);
    loop_timer_start(&aggregator->timer, TICK_MS, TICK_MS);
    return aggregator;
}

void aggregator_stop(struct aggregator *aggregator)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    aggregator->is_stopped = true;
    while ((slot = map_next(&aggregator->gatherings, &cursor)) != NULL) {
        gathering_free(slot->value);
    }
    map_fini(&aggregator->gatherings);
    loop_timer_close(&aggregator->timer);
}

void aggregator_free(struct aggregator *aggregator)
{
    if (aggregator != NULL) {
        POT_ASSERT(!aggregator->timer.is_open);
        newcomers_fini(&aggregator->newcomers);
        tellers_fini(&aggregator->tellers);
        free(aggregator);
    }
}

void aggregator_stats(const struct aggregator *aggregator,
                      struct aggregator_stats *out)
{
    *out = aggregator->stats;
}
