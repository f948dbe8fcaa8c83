#include "config.h"

#include "node/round/grouping.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "node/round/group_places.h"
#include "node/round/group_sum.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/group.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "proto/wire.pb-c.h"

#include <stdlib.h>

#define SEEN_MAX (2 * ROSTER_MAX)

struct grouped { /* a submission that waits to be passed on */
    struct group_member member;
    Pot__Signed *message;
    uint64_t peer_id;
};

struct batch { /* that is being summed */
    struct batch *next;
    struct grouping *grouping;
    struct grouped *list; /* by ascending name */
    size_t count;
    struct group_sum *sum;
};

struct grouping {
    struct grouping_config config;
    struct grouped *ready; /* GROUPING_MEMBERS_MAX */
    size_t ready_count;
    uint64_t first_ms; /* of the ready ones */
    uint64_t last_ms;
    struct batch *batches;
    uint32_t came;
    struct map seen;   /* names -> this; those of others' groups, too */
    struct map miners; /* of those that came -> this */
    struct public_key others[GROUPS_MAX]; /* a time for each of their groups */
    size_t other_count;
    struct hash *sums; /* claimed in the pool */
    size_t sum_count;
};

struct grouping *grouping_new(const struct grouping_config *config)
{
    struct grouping *g = pot_calloc(1, sizeof(*g));
    g->config = *config;
    g->ready = pot_calloc(GROUPING_MEMBERS_MAX, sizeof(*g->ready));
    return g;
}

static void free_list(struct grouped *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        codec_free(list[i].message);
    }
    free(list);
}

static void batch_free(struct batch *batch)
{
    group_sum_forget(batch->sum);
    free_list(batch->list, batch->count);
    free(batch);
}

void grouping_free(struct grouping *grouping)
{
    if (grouping == NULL) {
        return;
    }
    while (grouping->batches != NULL) {
        struct batch *next = grouping->batches->next;
        batch_free(grouping->batches);
        grouping->batches = next;
    }
    for (size_t i = 0; i < grouping->sum_count; i++) {
        blob_pool_release(grouping->config.holdings->pool, &grouping->sums[i]);
    }
    free_list(grouping->ready, grouping->ready_count);
    map_fini(&grouping->seen);
    map_fini(&grouping->miners);
    free(grouping->sums);
    free(grouping);
}

/* ---- a batch goes out */

/* Validators may ask for the sum until the round is closed. */
static void claim(struct grouping *g, const struct hash *sum)
{
    g->sums = pot_realloc(g->sums, g->sum_count + 1, sizeof(*g->sums));
    g->sums[g->sum_count++] = *sum;
    blob_pool_claim(g->config.holdings->pool, sum);
}

static void fill_members(Pot__GroupBody *body, const struct batch *batch)
{
    size_t size = batch->count * HASH_SIZE;
    struct hash *members = pot_alloc(size);
    for (size_t i = 0; i < batch->count; i++) {
        members[i] = batch->list[i].member.name;
    }
    body->members = (ProtobufCBinaryData){size, (uint8_t *)members};
}

static void publish(struct batch *batch, const struct group_result *result)
{
    size_t size;
    struct grouping *g = batch->grouping;
    const struct grouping_config *c = &g->config;
    Pot__GroupBody body = POT__GROUP_BODY__INIT;
    body.task = codec_bytes(c->task.b, HASH_SIZE);
    body.round = c->round;
    fill_members(&body, batch);
    body.root = codec_bytes(result->root.b, HASH_SIZE);
    body.sum_hash = codec_bytes(result->sum.b, HASH_SIZE);
    body.sum_bytes = result->sum_bytes;
    body.is_told = c->is_told(c->context);
    Pot__Signed *message =
        signed_make(SIGNED_GROUP, &c->holdings->chain, c->key, &body);
    if (message != NULL) {
        uint8_t *data = codec_encode(&size, message);
        claim(g, &result->sum);
        c->published(c->context);
        gossip_publish(c->gossip, MESSAGE_GROUP, data, size);
        free(data);
        codec_free(message);
    }
    free(body.members.data);
}

static void unlink_batch(struct batch *batch)
{
    struct batch **at = &batch->grouping->batches;
    while (*at != batch) {
        at = &(*at)->next;
    }
    *at = batch->next;
}

static void pass_on(struct batch *batch)
{
    const struct grouping_config *c = &batch->grouping->config;
    unlink_batch(batch);
    for (size_t i = 0; i < batch->count; i++) {
        c->pass_on(c->context, batch->list[i].message, batch->list[i].peer_id);
    }
    batch_free(batch);
}

static void on_summed(void *context, const struct group_result *result)
{
    struct batch *batch = context;
    batch->sum = NULL;
    if (result->err == POT_OK) {
        publish(batch, result);
    } else {
        LOG(LOG_WARN, "node", "group not summed up",
            log_u64("round", batch->grouping->config.round),
            log_text("why", err_text(result->err)));
    }
    pass_on(batch);
}

static int compare_grouped(const void *a, const void *b)
{
    const struct grouped *x = a;
    const struct grouped *y = b;
    return hash_compare(&x->member.name, &y->member.name);
}

static void sum_up(struct batch *batch)
{
    const struct grouping_config *c = &batch->grouping->config;
    struct group_order order = {
        .sums = c->sums,
        .loop = c->loop,
        .holdings = c->holdings,
        .task = c->task,
        .members = pot_calloc(batch->count, sizeof(*order.members)),
        .count = batch->count,
    };
    for (size_t i = 0; i < batch->count; i++) {
        order.members[i] = batch->list[i].member;
    }
    batch->sum = group_sum_start(&order, on_summed, batch);
}

/* What is ready is closed to others. */
static void close_batch(struct grouping *g)
{
    struct batch *batch = pot_calloc(1, sizeof(*batch));
    batch->grouping = g;
    batch->list = g->ready;
    batch->count = g->ready_count;
    batch->next = g->batches;
    g->batches = batch;
    g->ready = pot_calloc(GROUPING_MEMBERS_MAX, sizeof(*g->ready));
    g->ready_count = 0;
    if (batch->count < GROUP_MEMBERS_MIN) {
        pass_on(batch);
        return;
    }
    qsort(batch->list, batch->count, sizeof(*batch->list), compare_grouped);
    sum_up(batch);
}

/* ---- coming in */

bool grouping_add(struct grouping *grouping,
                  const struct round_submission *submission,
                  Pot__Signed *message, uint64_t peer_id)
{
    uint64_t now = uv_now(grouping->config.loop);
    if (grouping->miners.count >= ROSTER_MAX ||
        map_get(&grouping->seen, submission->name.b) != NULL ||
        map_put(&grouping->miners, submission->miner.b, grouping) != NULL) {
        return false;
    }
    (void)map_put(&grouping->seen, submission->name.b, grouping);
    grouping->came++;
    grouping->ready[grouping->ready_count++] = (struct grouped){
        .member = group_member_of(submission),
        .message = message,
        .peer_id = peer_id,
    };
    grouping->first_ms = grouping->ready_count == 1 ? now : grouping->first_ms;
    grouping->last_ms = now;
    if (grouping->ready_count == GROUPING_MEMBERS_MAX ||
        grouping->came == grouping->config.expected) {
        close_batch(grouping);
    }
    return true;
}

/* Those of the others' groups that are of this aggregator. */
static size_t count_of(const struct grouping *grouping,
                       const struct public_key *aggregator)
{
    size_t count = 0;
    for (size_t i = 0; i < grouping->other_count; i++) {
        count += public_key_equal(&grouping->others[i], aggregator) ? 1 : 0;
    }
    return count;
}

bool grouping_skip(struct grouping *grouping, const struct group *group)
{
    if (grouping->other_count >= GROUPS_MAX ||
        count_of(grouping, &group->aggregator) >= GROUPS_OF_ONE_MAX ||
        grouping->seen.count + group->member_count > SEEN_MAX) {
        return false;
    }
    grouping->others[grouping->other_count++] = group->aggregator;
    for (size_t i = 0; i < group->member_count; i++) {
        (void)map_put(&grouping->seen, group->members[i].b, grouping);
    }
    return true;
}

void grouping_tick(struct grouping *grouping, bool is_last)
{
    uint64_t now = uv_now(grouping->config.loop);
    if (grouping->ready_count > 0 &&
        (now >= grouping->first_ms + GROUPING_WAIT_MS ||
         (is_last && now >= grouping->last_ms + GROUPING_TOGETHER_MS))) {
        close_batch(grouping);
    }
}

uint32_t grouping_count(const struct grouping *grouping)
{
    return grouping->came;
}
