/* Which group is whose, and who is told of what; what one goes through stands
 * in node/round/group_heard.h. */
#include "config.h"

#include "node/round/groups.h"

#include "base/alloc.h"
#include "base/map.h"
#include "ledger/aggregate.h"
#include "ledger/ledger.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/group_early.h"
#include "node/round/group_heard.h"
#include "node/round/group_opening.h"
#include "node/round/group_places.h"
#include "node/round/group_split.h"
#include "node/round/group_talk.h"
#include "node/round/group_trust.h"
#include "node/round/group_vouching.h"
#include "node/round/groups_shared.h"
#include "node/round/rounds_shared.h"
#include "proto/group.h"
#include "proto/partial_sum.h"

#include <stdlib.h>

struct groups {
    struct groups_shared shared;
    const Pot__TaskRecord *task;
    const struct model_shape *shape;
    uint64_t opened_ms; /* the round, on the loop's clock */
    bool are_dissolved; /* no more sums are taken */
    struct group_places places;
    struct group_early early;
    struct group_split split; /* by the last tally */
    struct map heard;         /* hash -> struct group_heard, owned */
    struct map members;       /* name -> struct group_heard */
};

struct groups *groups_new(struct rounds_shared *shared,
                          const Pot__TaskRecord *task,
                          const struct model_shape *shape,
                          const struct groups_calls *calls)
{
    struct groups *groups = pot_calloc(1, sizeof(*groups));
    groups->shared.rounds = shared;
    groups->shared.calls = *calls;
    groups->task = task;
    groups->shape = shape;
    groups->opened_ms = uv_now(shared->loop);
    groups_refresh(groups);
    return groups;
}

void groups_free(struct groups *groups)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    if (groups == NULL) {
        return;
    }
    while ((slot = map_next(&groups->heard, &cursor)) != NULL) {
        group_heard_free(slot->value);
    }
    map_fini(&groups->heard);
    map_fini(&groups->members);
    group_split_fini(&groups->split);
    group_places_fini(&groups->places);
    group_early_fini(&groups->early);
    free(groups);
}

static uint64_t now_of(const struct groups *groups)
{
    return uv_now(groups->shared.rounds->loop);
}

/* ---- what comes */

void groups_refresh(struct groups *groups)
{
    const struct state state =
        stored_state(groups->shared.rounds->holdings->store);
    ledger_validators(&state, &groups->shared.validators);
}

void groups_opened(struct groups *groups, const struct hash *member)
{
    struct group_heard *h = map_get(&groups->members, member->b);
    if (h != NULL) {
        group_opening_try(h);
    }
}

void groups_malformed(struct groups *groups, const struct hash *member)
{
    struct group_heard *h = map_get(&groups->members, member->b);
    if (h != NULL) {
        group_opening_malformed(h);
    }
}

void groups_word(struct groups *groups, const struct group_word *word,
                 uint64_t peer_id)
{
    uint32_t index;
    const struct validator_set *set = &groups->shared.validators;
    struct group_heard *h = map_get(&groups->heard, word->group.b);
    if (h == NULL) {
        if (validator_set_find(&index, set, &word->validator)) {
            group_early_keep(&groups->early, word);
        }
    } else if (!group_opens(&h->group, set, &word->validator)) {
        return; /* nobody asked */
    } else if (!word->is_right) {
        group_talk_wrong(h, &word->validator);
    } else if (group_talk_right(h, &word->validator, peer_id)) {
        group_vouching_try(h);
    }
}

static bool may_take(const struct groups *groups, const struct group *group)
{
    const struct group_trust *trust = &groups->shared.rounds->trust;
    if (group_trust_is_liar(trust, &group->aggregator) ||
        group->member_count > groups->task->n_roster ||
        group->sum_bytes > partial_sum_bytes_max(groups->shape) ||
        !aggregate_takes_sums(groups->task->spec)) {
        return false;
    }
    /* The first group that names a submission has it. */
    for (size_t i = 0; i < group->member_count; i++) {
        if (map_get(&groups->members, group->members[i].b) != NULL) {
            return false;
        }
    }
    return true;
}

static uint64_t deadline_from_now(const struct groups *groups)
{
    return group_waits_deadline(groups->opened_ms,
                                groups->task->spec->round_timeout_ms,
                                now_of(groups));
}

static void take_early(void *context, const struct group_word *word)
{
    groups_word(context, word, 0);
}

bool groups_take(struct groups *groups, struct group *group)
{
    const struct group_trust *trust = &groups->shared.rounds->trust;
    if (!may_take(groups, group) ||
        !group_places_take(&groups->places, &group->aggregator,
                           group_trust_waits(trust, &group->aggregator))) {
        group_fini(group);
        return false;
    }
    struct group_heard *h = group_heard_new(&groups->shared, group);
    tellers_note(&groups->shared.rounds->tellers, &h->group.aggregator,
                 h->group.is_told, now_of(groups));
    h->deadline_ms = deadline_from_now(groups);
    (void)map_put(&groups->heard, h->group.hash.b, h);
    for (size_t i = 0; i < h->group.member_count; i++) {
        (void)map_put(&groups->members, h->group.members[i].b, h);
    }
    group_early_replay(&groups->early, &h->group.hash, take_early, groups);
    group_opening_try(h);
    return true;
}

/* ---- who waits */

static bool is_worth_it(const struct group_heard *h)
{
    return h->is_waiting ||
           group_trust_is_worth(&h->shared->rounds->trust, &h->group,
                                &h->shared->validators);
}

bool groups_waits(struct groups *groups, const struct hash *member)
{
    struct group_heard *h = map_get(&groups->members, member->b);
    if (h == NULL || h->state == DROPPED || h->state == VOUCHED ||
        groups->are_dissolved || !is_worth_it(h)) {
        return false;
    }
    if (!h->is_waiting) {
        h->is_waiting = true;
        h->deadline_ms = deadline_from_now(groups);
        group_heard_begin_wait(h);
    }
    return !h->is_drawn; /* if it has its words already, groups_tick goes on */
}

uint64_t groups_waited_ms(const struct groups *groups)
{
    return group_waits_total(&groups->shared.waits, now_of(groups));
}

/* Who opens it waits for nothing, and goes on. */
static void end_in_vain(struct group_heard *h)
{
    if (!h->is_drawn) {
        group_talk_blame_silent(h);
        group_heard_give_up(h, "nobody has opened it in time");
    } else if (h->state == OPENED) {
        group_talk_blame_silent(h);
    }
    group_heard_end_wait(h);
}

/* ---- what the round counts */

void groups_count(struct groups *groups, const struct hash *counted,
                  size_t count)
{
    group_split_count(&groups->split, counted, count);
}

bool groups_are_split(const struct groups *groups)
{
    bool are = false;
    size_t cursor = 0;
    const struct map_slot *slot;
    while (!are && (slot = map_next(&groups->heard, &cursor)) != NULL) {
        are = group_split_has(&groups->split, slot->value);
    }
    return are;
}

void groups_dissolve(struct groups *groups, bool are_all)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    groups->are_dissolved = groups->are_dissolved || are_all;
    while ((slot = map_next(&groups->heard, &cursor)) != NULL) {
        struct group_heard *h = slot->value;
        if (group_split_has(&groups->split, h) || (are_all && !h->is_drawn)) {
            h->is_dissolved = true;
            group_heard_drop(h);
        }
    }
}

/* ---- as time passes */

/* None of its members has come with it. */
static bool is_strange(struct group_heard *h, uint64_t now_ms)
{
    bool is_open;
    if (h->state != HEARD || now_ms < h->deadline_ms) {
        return false;
    }
    for (size_t i = 0; !h->is_known && i < h->group.member_count; i++) {
        h->is_known = group_heard_find(h, i, &is_open) != NULL;
    }
    return !h->is_known;
}

static struct group_heard *find_strange(const struct groups *groups,
                                        uint64_t now_ms)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&groups->heard, &cursor)) != NULL) {
        if (is_strange(slot->value, now_ms)) {
            return slot->value;
        }
    }
    return NULL;
}

/* Its place is free, and so are the submissions that it names. */
static void forget(struct groups *groups, struct group_heard *h)
{
    group_places_give_up(&groups->places, &h->group.aggregator);
    (void)map_remove(&groups->heard, h->group.hash.b);
    for (size_t i = 0; i < h->group.member_count; i++) {
        (void)map_remove(&groups->members, h->group.members[i].b);
    }
    group_heard_free(h);
}

void groups_tick(struct groups *groups, uint64_t now_ms)
{
    struct group_heard *strange;
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&groups->heard, &cursor)) != NULL) {
        struct group_heard *h = slot->value;
        if (h->is_awaited && now_ms >= h->deadline_ms) {
            end_in_vain(h);
        } else {
            group_vouching_try(h);
        }
    }
    while ((strange = find_strange(groups, now_ms)) != NULL) {
        forget(groups, strange);
    }
}
