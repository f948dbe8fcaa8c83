#include "config.h"

#include "tests/unit/group_scene.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "ledger/keys.h"
#include "ledger/record.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/hold/known_parts.h"
#include "node/round/own_links.h"
#include "p2p/blob_fetch.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 20000

static void write_set(const struct ledger_env *env, const void *what)
{
    record_store_set(&env->state, keys_validators(), what);
}

Pot__TaskRecord *group_scene_record(const struct group_scene *s)
{
    return small_task_record(&s->task, s->set.keys, SCENE_MEMBERS);
}

static void store_task(struct group_scene *s)
{
    s->task = (struct hash){{5}};
    s->record = group_scene_record(s);
    enum pot_err err = model_shape_from_spec(&s->shape, s->record->spec->model);
    POT_ASSERT(err == POT_OK);
    chain_fixture_store_task(&s->f, s->record);
}

void group_scene_submit(struct group_scene *s, size_t i)
{
    uint8_t payload[SMALL_TASK_PAYLOAD_MAX];
    struct hash hash;
    size_t size = small_task_payload(payload, (int32_t)i);
    blob_hash(&hash, payload, size);
    bool is_put = blob_pool_put(s->f.holdings.pool, &hash, payload, size);
    POT_ASSERT(is_put);
    const struct small_task_answer answer = {.chain = &s->f.holdings.chain,
                                             .task = &s->task,
                                             .payload = &hash,
                                             .payload_bytes = size,
                                             .salt = &s->task};
    round_submission_fini(&s->submissions[i]);
    codec_free(s->messages[i]);
    s->messages[i] = small_task_submission(&answer, s->keys[i]);
    enum pot_err err =
        round_submission_decode(&s->submissions[i], s->messages[i]);
    POT_ASSERT(err == POT_OK);
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *const *x = a;
    const struct key *const *y = b;
    return public_key_compare(key_public(*x), key_public(*y));
}

static void make_validators(struct group_scene *s)
{
    for (size_t i = 0; i < SCENE_VALIDATORS; i++) {
        s->keys[i] = key_generate();
    }
    qsort(s->keys, SCENE_VALIDATORS, sizeof(*s->keys), compare_keys);
    for (size_t i = 0; i < SCENE_VALIDATORS; i++) {
        s->set.keys[s->set.count++] = *key_public(s->keys[i]);
    }
}

static void on_news(void *context)
{
    (void)context;
}

static void on_reveal(void *context, const struct hash *task)
{
    (void)context;
    (void)task;
}

static void open_shared(struct group_scene *s)
{
    const struct blob_fetch_config fetch = {.net = s->net.net,
                                            .piece_timeout_ms = 1000};
    s->fetch = blob_fetch_new(&fetch);
    const struct needs_config needs = {.loop = &s->f.loop,
                                       .fetch = s->fetch,
                                       .holdings = &s->f.holdings,
                                       .timeout_ms = 1000};
    s->shared = (struct rounds_shared){
        .loop = &s->f.loop,
        .holdings = &s->f.holdings,
        .needs = needs_new(&needs),
        .gossip = s->net.gossip,
        .key = s->keys[0],
        .links = own_links_new(s->keys[0], &s->f.holdings.chain, "draws"),
        .on_news = on_news,
        .on_reveal = on_reveal,
    };
    group_trust_init(&s->shared.trust);
}

static void close_shared(struct group_scene *s)
{
    group_trust_fini(&s->shared.trust);
    own_links_free(s->shared.links);
    needs_stop(s->shared.needs);
    (void)uv_run(&s->f.loop, UV_RUN_DEFAULT);
    needs_free(s->shared.needs);
    blob_fetch_free(s->fetch);
}

void group_scene_open(struct group_scene *s)
{
    memset(s, 0, sizeof(*s));
    chain_fixture_open(&s->f);
    s->f.holdings.parts = known_parts_new(&s->f.holdings);
    make_validators(s);
    s->aggregator = key_generate();
    chain_fixture_store(&s->f, write_set, &s->set);
    lone_net_open(&s->net, &s->f.holdings.chain, s->keys[0]);
    store_task(s);
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        group_scene_submit(s, i);
        s->members[i] = s->submissions[i].name;
    }
    qsort(s->members, SCENE_MEMBERS, sizeof(*s->members), hash_order);
    open_shared(s);
}

void group_scene_close(struct group_scene *s)
{
    close_shared(s);
    lone_net_close(&s->net);
    (void)uv_run(&s->f.loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        round_submission_fini(&s->submissions[i]);
        codec_free(s->messages[i]);
    }
    for (size_t i = 0; i < SCENE_VALIDATORS; i++) {
        key_free(s->keys[i]);
    }
    key_free(s->aggregator);
    codec_free(s->record);
    known_parts_free(s->f.holdings.parts);
    chain_fixture_close(&s->f);
}

void group_scene_drop_payloads(struct group_scene *s)
{
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        blob_pool_claim(s->f.holdings.pool, &s->submissions[i].payload);
        blob_pool_release(s->f.holdings.pool, &s->submissions[i].payload);
    }
}

const struct round_submission *group_scene_find(const struct group_scene *s,
                                                const struct hash *member)
{
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        if (hash_equal(&s->submissions[i].name, member)) {
            return &s->submissions[i];
        }
    }
    return NULL;
}

static void on_made(void *context, const struct group_result *result)
{
    struct group_scene *s = context;
    POT_ASSERT(result->err == POT_OK);
    s->made = *result;
    s->is_made = true;
}

/* What the aggregator finds of so many members. */
static void sum_up(struct group_scene *s, size_t first, size_t count)
{
    struct group_order order = {
        .sums = &s->sums,
        .loop = &s->f.loop,
        .holdings = &s->f.holdings,
        .task = s->task,
        .members = pot_calloc(count, sizeof(*order.members)),
        .count = count,
    };
    for (size_t i = 0; i < count; i++) {
        order.members[i] =
            group_member_of(group_scene_find(s, &s->members[first + i]));
    }
    s->is_made = false;
    (void)group_sum_start(&order, on_made, s);
    while (!s->is_made) {
        (void)uv_run(&s->f.loop, UV_RUN_ONCE);
    }
}

/* Of a group that differs in what nobody looks at the draw differs, too. */
void group_scene_make_of(struct group_scene *s, struct group *out, size_t first,
                         size_t count, bool is_drawn, int fault)
{
    bool is = !is_drawn;
    sum_up(s, first, count);
    for (uint8_t i = 0; is != is_drawn; i++) {
        Pot__GroupBody body = POT__GROUP_BODY__INIT;
        struct group_result made = s->made;
        made.root.b[0] ^= fault == ROOT_WRONG;
        made.sum.b[0] ^= fault == SUM_WRONG;
        body.task = codec_bytes(s->task.b, HASH_SIZE);
        body.round = i;
        body.members = codec_bytes(s->members[first].b, count * HASH_SIZE);
        body.root = codec_bytes(made.root.b, HASH_SIZE);
        body.sum_hash = codec_bytes(made.sum.b, HASH_SIZE);
        body.sum_bytes = made.sum_bytes;
        Pot__Signed *message = signed_make(SIGNED_GROUP, &s->f.holdings.chain,
                                           s->aggregator, &body);
        enum pot_err err = group_decode(out, message);
        POT_ASSERT(err == POT_OK);
        codec_free(message);
        is = group_opens(out, &s->set, key_public(s->keys[0]));
        if (is != is_drawn) {
            group_fini(out);
        }
    }
}

void group_scene_make(struct group_scene *s, struct group *out, size_t count,
                      bool is_drawn, int fault)
{
    group_scene_make_of(s, out, 0, count, is_drawn, fault);
}

void group_scene_run(struct group_scene *s, bool (*is_over)(void *context),
                     void *context)
{
    uint64_t end_ms = clock_steady_ms() + DEADLINE_MS;
    while (!is_over(context)) {
        POT_ASSERT(clock_steady_ms() < end_ms);
        (void)uv_run(&s->f.loop, UV_RUN_NOWAIT);
    }
}
