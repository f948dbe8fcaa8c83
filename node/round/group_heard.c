#include "config.h"

#include "node/round/group_heard.h"

#include "base/alloc.h"
#include "base/log.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "node/hold/known_parts.h"
#include "node/round/group_sum.h"
#include "node/round/group_trust.h"
#include "node/round/groups_shared.h"
#include "node/round/rounds_shared.h"

#include <stdlib.h>

static const struct holdings *holdings_of(const struct group_heard *h)
{
    return h->shared->rounds->holdings;
}

struct group_heard *group_heard_new(struct groups_shared *shared,
                                    struct group *group)
{
    struct group_heard *h = pot_calloc(1, sizeof(*h));
    h->shared = shared;
    h->group = *group;
    h->is_drawn = group_opens(&h->group, &shared->validators,
                              key_public(shared->rounds->key));
    blob_pool_claim(holdings_of(h)->pool, &h->group.sum);
    return h;
}

static void halt(struct group_heard *h)
{
    if (h->state == FETCHING) {
        needs_forget(h->shared->rounds->needs, h);
    } else if (h->state == VOUCHED) {
        known_parts_remove(holdings_of(h)->parts, &h->known_by);
    }
    group_sum_forget(h->sum);
    h->sum = NULL;
}

void group_heard_free(struct group_heard *h)
{
    halt(h);
    blob_pool_release(holdings_of(h)->pool, &h->group.sum);
    group_fini(&h->group);
    free(h->voices);
    free(h);
}

/* ---- its members */

const struct round_submission *group_heard_find(const struct group_heard *h,
                                                size_t i, bool *is_open)
{
    const struct groups_calls *calls = &h->shared->calls;
    return calls->find(calls->context, &h->group.members[i], is_open);
}

struct group_member *group_heard_members(const struct group_heard *h)
{
    size_t count = h->group.member_count;
    struct group_member *members = pot_calloc(count, sizeof(*members));
    for (size_t i = 0; i < count; i++) {
        bool is_open;
        const struct round_submission *s = group_heard_find(h, i, &is_open);
        if (s == NULL) {
            free(members);
            return NULL;
        }
        members[i] = group_member_of(s);
    }
    return members;
}

/* ---- waiting for it */

bool group_heard_waits_here(const struct group_heard *h)
{
    return h->is_waiting && !h->is_drawn;
}

void group_heard_begin_wait(struct group_heard *h)
{
    h->is_awaited = true;
    group_waits_begin(&h->shared->waits, uv_now(h->shared->rounds->loop));
}

void group_heard_end_wait(struct group_heard *h)
{
    if (h->is_awaited) {
        h->is_awaited = false;
        group_waits_end(&h->shared->waits, uv_now(h->shared->rounds->loop));
    }
}

/* ---- the end of it */

void group_heard_tell(const struct group_heard *h, const char *what,
                      const char *why)
{
    char aggregator[ADDRESS_TEXT_SIZE];
    LOG(LOG_WARN, "node", what, log_u64("round", h->group.round),
        log_text("aggregator",
                 address_format(&h->group.aggregator, aggregator)),
        log_u64("members", h->group.member_count), log_text("why", why));
}

void group_heard_drop(struct group_heard *h)
{
    const struct groups_calls *calls = &h->shared->calls;
    if (h->state == DROPPED || h->state == OPENED) {
        return;
    }
    halt(h);
    group_heard_end_wait(h);
    h->state = DROPPED;
    size_t waiting = group_heard_waits_here(h) ? h->group.member_count : 0;
    for (size_t i = 0; i < waiting; i++) {
        calls->lone(calls->context, &h->group.members[i]);
    }
}

void group_heard_give_up(struct group_heard *h, const char *why)
{
    struct rounds_shared *rounds = h->shared->rounds;
    if (h->is_drawn) {
        group_heard_end_wait(h); /* finds out itself, others do not */
        return;
    }
    group_trust_late(&rounds->trust, &h->group.aggregator);
    if (group_heard_waits_here(h) && h->state != DROPPED) {
        rounds->stats.groups_given_up++;
        group_heard_tell(h, "group given up", why);
    }
    group_heard_drop(h);
}
