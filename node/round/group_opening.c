#include "config.h"

#include "node/round/group_opening.h"

#include "node/round/group_heard.h"
#include "node/round/group_sum.h"
#include "node/round/group_talk.h"
#include "node/round/group_trust.h"
#include "node/round/groups_shared.h"
#include "node/round/rounds_shared.h"

static const char no_gradient[] =
    "a payload of its is no gradient of this model";

/* What its aggregator signed does not hold: there is no honest way to that. */
static void convict(struct group_heard *h, const char *why)
{
    struct rounds_shared *rounds = h->shared->rounds;
    rounds->stats.groups_wrong++;
    group_heard_tell(h, "group is wrong", why);
    group_trust_lied(&rounds->trust, &h->group.aggregator);
    group_talk_say(h, false);
    group_heard_drop(h);
    rounds->on_liar(rounds->context, &h->group.aggregator);
}

static const char *fault_of(const struct group *group,
                            const struct group_result *result)
{
    if (result->err == POT_EFORMAT) {
        return no_gradient;
    }
    if (!hash_equal(&result->root, &group->root)) {
        return "its root is not that of its members";
    }
    if (!hash_equal(&result->sum, &group->sum) ||
        result->sum_bytes != group->sum_bytes) {
        return "its sum is not that of its members";
    }
    return NULL;
}

static void on_opened(void *context, const struct group_result *result)
{
    struct group_heard *h = context;
    struct rounds_shared *rounds = h->shared->rounds;
    h->sum = NULL;
    if (result->err != POT_OK && result->err != POT_EFORMAT) {
        h->state = HEARD; /* no word; later, if a payload comes again */
        group_heard_tell(h, "group not opened", err_text(result->err));
        return;
    }
    const char *fault = fault_of(&h->group, result);
    if (fault != NULL) {
        convict(h, fault);
        return;
    }
    h->state = OPENED;
    rounds->stats.groups_opened++;
    group_trust_right(&rounds->trust, &h->group.aggregator);
    group_talk_blame_false(h);
    group_talk_say(h, true);
    if (group_talk_is_enough(h)) {
        group_heard_end_wait(h); /* elsewhere it goes on with the sum alone */
    }
}

static bool are_all_open(const struct group_heard *h)
{
    bool are = true;
    for (size_t i = 0; are && i < h->group.member_count; i++) {
        are = group_heard_find(h, i, &are) != NULL && are;
    }
    return are;
}

void group_opening_try(struct group_heard *h)
{
    struct rounds_shared *rounds = h->shared->rounds;
    if (!h->is_drawn || h->state != HEARD || !are_all_open(h)) {
        return;
    }
    const struct group_order order = {
        .sums = &rounds->sums,
        .loop = rounds->loop,
        .holdings = rounds->holdings,
        .task = h->group.task,
        .members = group_heard_members(h),
        .count = h->group.member_count,
        .is_promised = true,
        .promise = {h->group.task, h->group.round, h->group.hash, 0},
    };
    h->state = OPENING;
    h->sum = group_sum_start(&order, on_opened, h);
}

void group_opening_malformed(struct group_heard *h)
{
    if (h->state != DROPPED) {
        convict(h, no_gradient);
    }
}
