#include "config.h"

#include "node/round/group_vouching.h"

#include "base/alloc.h"
#include "ledger/state.h"
#include "node/block/needs.h"
#include "node/hold/holdings.h"
#include "node/hold/known_parts.h"
#include "node/round/group_heard.h"
#include "node/round/group_sum.h"
#include "node/round/group_talk.h"
#include "node/round/groups_shared.h"
#include "node/round/rounds_shared.h"
#include "proto/round.h"

#include <stdlib.h>

/* Its members here are those that it names: so is its root, or it lies. */
static bool root_holds(const struct group_heard *h)
{
    struct hash root;
    size_t count = h->group.member_count;
    struct group_member *members = group_heard_members(h);
    struct hash *leaves = pot_calloc(count, sizeof(*leaves));
    for (size_t i = 0; members != NULL && i < count; i++) {
        leaves[i] = members[i].leaf;
    }
    hash_merkle_root(&root, leaves, count);
    bool holds = members != NULL && hash_equal(&root, &h->group.root);
    free(leaves);
    free(members);
    return holds;
}

/* The ledger knows submissions by their own hashes.  In: all are here. */
static void add_part(struct group_heard *h)
{
    size_t count = h->group.member_count;
    struct hash *names = pot_calloc(count, sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        bool is_open;
        names[i] = group_heard_find(h, i, &is_open)->hash;
    }
    qsort(names, count, sizeof(*names), hash_order);
    h->known_by = names[0];
    const struct round_part part = {names, count, h->group.sum};
    known_parts_add(h->shared->rounds->holdings->parts, &part);
    free(names);
}

static void vouch(struct group_heard *h)
{
    struct rounds_shared *rounds = h->shared->rounds;
    const struct groups_calls *calls = &h->shared->calls;
    h->state = VOUCHED;
    group_heard_end_wait(h);
    add_part(h);
    rounds->stats.groups_taken++;
    rounds->stats.payloads_spared += h->group.member_count;
    for (size_t i = 0; h->state == VOUCHED && i < h->group.member_count; i++) {
        calls->vouched(calls->context, &h->group.members[i]);
    }
}

static void on_sum(void *context, bool is_held)
{
    struct group_heard *h = context;
    bool is_right =
        is_held && !holdings_has_another(h->shared->rounds->holdings,
                                         &h->group.sum, h->group.sum_bytes);
    h->state = HEARD;
    if (!is_right) {
        group_heard_give_up(h, "its sum is not to be had");
    } else if (!root_holds(h)) {
        group_heard_give_up(h, "not all of its members are here");
    } else {
        vouch(h);
    }
}

void group_vouching_try(struct group_heard *h)
{
    if (h->state == HEARD && group_heard_waits_here(h) &&
        group_talk_is_enough(h)) {
        h->state = FETCHING;
        needs_blob(h->shared->rounds->needs, &h->group.sum, h->group.sum_bytes,
                   h->peer_id, on_sum, h);
    }
}
