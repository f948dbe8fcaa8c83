/* What a validator makes of aggregators' groups, and how an aggregator makes
 * them: over a real store, with real payloads; four validators, of whom two
 * open each group. */
#include "config.h"

#include "node/round/groups.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "ledger/keys.h"
#include "ledger/record.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/hold/known_parts.h"
#include "node/round/group_sum.h"
#include "node/round/grouping.h"
#include "node/round/judging.h"
#include "node/round/own_links.h"
#include "node/round/rounds_shared.h"
#include "p2p/blob_fetch.h"
#include "p2p/gossip.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/gradient.h"
#include "proto/group.h"
#include "proto/model.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "storage/store.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALIDATORS 4
#define MEMBERS    3
#define PARAMETERS 8

#define DEADLINE_MS 20000
#define TIMEOUT_MS  60000 /* of rounds */

enum { SUM_RIGHT, SUM_WRONG, ROOT_WRONG, FAULTS };

static struct {
    struct chain_fixture f;
    struct net *net;
    struct blob_fetch *fetch;
    struct rounds_shared shared;
    struct validator_set set;
    struct key *keys[VALIDATORS]; /* the first one is this node's */
    struct key *aggregator;
    struct hash task;
    Pot__TaskRecord *record;
    struct model_shape shape;
    struct groups *groups;
    struct round_submission submissions[MEMBERS];
    Pot__Signed *messages[MEMBERS];
    struct hash members[MEMBERS]; /* their hashes, ascending */
    bool are_open;
    unsigned vouched;
    unsigned lone;
    unsigned liars;
    struct group_result made;
} t;

/* ---- what groups ask for */

static const struct round_submission *find(void *context,
                                           const struct hash *submission,
                                           bool *is_open)
{
    (void)context;
    *is_open = t.are_open;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (hash_equal(&t.submissions[i].hash, submission)) {
            return &t.submissions[i];
        }
    }
    return NULL;
}

static void on_vouched(void *context, const struct hash *submission)
{
    (void)context;
    (void)submission;
    t.vouched++;
}

static void on_lone(void *context, const struct hash *submission)
{
    (void)context;
    (void)submission;
    t.lone++;
}

static void on_liar(void *context, const struct public_key *aggregator)
{
    (void)context;
    assert_true(public_key_equal(aggregator, key_public(t.aggregator)));
    t.liars++;
}

static void on_message(void *context, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    (void)context;
    (void)peer;
    (void)type;
    (void)data;
    (void)size;
}

/* ---- the task and its submissions */

static void write_set(const struct ledger_env *env, const void *what)
{
    record_store_set(&env->state, keys_validators(), what);
}

static void store_task(void)
{
    static uint32_t layers[] = {3, 2};
    size_t size;
    Pot__ModelSpec model = POT__MODEL_SPEC__INIT;
    Pot__TaskSpec spec = POT__TASK_SPEC__INIT;
    Pot__TaskRecord record = POT__TASK_RECORD__INIT;
    Pot__RosterEntry entries[MEMBERS];
    Pot__RosterEntry *list[MEMBERS];
    for (size_t i = 0; i < MEMBERS; i++) {
        pot__roster_entry__init(&entries[i]);
        entries[i].miner =
            codec_bytes(key_public(t.keys[i])->b, PUBLIC_KEY_SIZE);
        list[i] = &entries[i];
    }
    model.n_layers = 2;
    model.layers = layers;
    model.activation = POT__ACTIVATION__ACTIVATION_RELU;
    model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    spec.model = &model;
    spec.rows_per_miner = 2;
    spec.compression = POT__COMPRESSION__COMPRESSION_INT8;
    spec.aggregation = POT__AGGREGATION__AGGREGATION_MEAN;
    spec.round_timeout_ms = TIMEOUT_MS;
    t.task = (struct hash){{5}};
    record.task = codec_bytes(t.task.b, HASH_SIZE);
    record.spec = &spec;
    record.status = POT__TASK_STATUS__TASK_RUNNING;
    record.parameters_hash = record.task;
    record.n_roster = MEMBERS;
    record.roster = list;
    assert_int_equal(model_shape_from_spec(&t.shape, &model), POT_OK);
    chain_fixture_store_task(&t.f, &record);
    uint8_t *data = codec_encode(&size, &record);
    assert_int_equal(CODEC_DECODE(&t.record, pot__task_record, data, size),
                     POT_OK);
    free(data);
}

/* Of the miner with the same key as a validator; its payload is in the pool. */
static void submit(size_t i)
{
    static char core[] = "Haswell";
    const int8_t exponents[TENSORS_MAX] = {-10, -11};
    const int32_t values[PARAMETERS] = {1, -2, 3, -4, (int32_t)i};
    uint8_t payload[64];
    struct hash hash;
    Pot__SubmissionBody body = POT__SUBMISSION_BODY__INIT;
    size_t size = gradient_bytes(&t.shape, 1);
    assert_int_equal(t.shape.parameter_count, PARAMETERS);
    gradient_encode(payload, &t.shape, 1, 1, exponents, values);
    blob_hash(&hash, payload, size);
    assert_true(blob_pool_put(t.f.holdings.pool, &hash, payload, size));
    body.task = codec_bytes(t.task.b, HASH_SIZE);
    body.parameters_hash = body.task;
    body.payload_hash = codec_bytes(hash.b, HASH_SIZE);
    body.payload_bytes = size;
    body.salt = body.task;
    body.rows = 2;
    body.workers = 1;
    body.blas_core = core;
    Pot__Signed *message =
        signed_make(SIGNED_SUBMISSION, &t.f.holdings.chain, t.keys[i], &body);
    round_submission_fini(&t.submissions[i]);
    codec_free(t.messages[i]);
    t.messages[i] = message;
    assert_int_equal(round_submission_decode(&t.submissions[i], message),
                     POT_OK);
}

static int compare(const void *a, const void *b)
{
    return hash_compare(a, b);
}

static void open_groups(void)
{
    static const struct groups_calls calls = {
        .find = find, .vouched = on_vouched, .lone = on_lone};
    t.groups = groups_new(&t.shared, t.record, &t.shape, &calls);
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    chain_fixture_open(&t.f);
    t.f.holdings.parts = known_parts_new(&t.f.holdings);
    for (size_t i = 0; i < VALIDATORS; i++) {
        t.keys[i] = key_generate();
        t.set.keys[t.set.count++] = *key_public(t.keys[i]);
    }
    t.aggregator = key_generate();
    chain_fixture_store(&t.f, write_set, &t.set);
    const struct net_config net = {
        .loop = &t.f.loop, .chain = t.f.holdings.chain, .key = t.keys[0]};
    const struct net_callbacks callbacks = {.on_message = on_message};
    assert_int_equal(net_open(&t.net, &net, &callbacks), POT_OK);
    const struct blob_fetch_config fetch = {.net = t.net,
                                            .piece_timeout_ms = 1000};
    t.fetch = blob_fetch_new(&fetch);
    const struct needs_config needs = {.loop = &t.f.loop,
                                       .fetch = t.fetch,
                                       .holdings = &t.f.holdings,
                                       .timeout_ms = 1000};
    t.shared = (struct rounds_shared){
        .loop = &t.f.loop,
        .holdings = &t.f.holdings,
        .needs = needs_new(&needs),
        .gossip = gossip_new(t.net, 0),
        .key = t.keys[0],
        .links = own_links_new(t.keys[0], &t.f.holdings.chain, "draws"),
        .on_liar = on_liar,
    };
    group_trust_init(&t.shared.trust);
    store_task();
    for (size_t i = 0; i < MEMBERS; i++) {
        submit(i);
        t.members[i] = t.submissions[i].hash;
    }
    qsort(t.members, MEMBERS, sizeof(*t.members), compare);
    open_groups();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    groups_free(t.groups);
    group_trust_fini(&t.shared.trust);
    gossip_free(t.shared.gossip);
    own_links_free(t.shared.links);
    needs_stop(t.shared.needs);
    blob_fetch_free(t.fetch);
    net_close(t.net, NULL, NULL);
    (void)uv_run(&t.f.loop, UV_RUN_DEFAULT);
    needs_free(t.shared.needs);
    for (size_t i = 0; i < MEMBERS; i++) {
        round_submission_fini(&t.submissions[i]);
        codec_free(t.messages[i]);
    }
    for (size_t i = 0; i < VALIDATORS; i++) {
        key_free(t.keys[i]);
    }
    key_free(t.aggregator);
    codec_free(t.record);
    known_parts_free(t.f.holdings.parts);
    chain_fixture_close(&t.f);
    return 0;
}

/* ---- groups */

static void on_made(void *context, const struct group_result *result)
{
    bool *is_done = context;
    assert_int_equal(result->err, POT_OK);
    t.made = *result;
    *is_done = true;
}

/* The loop until what is off it is done. */
static void await(const bool *is_done)
{
    while (!*is_done) {
        (void)uv_run(&t.f.loop, UV_RUN_ONCE);
    }
}

/* What the aggregator finds of the first count members. */
static void sum_up(size_t count)
{
    bool is_done = false;
    struct group_order order = {
        .loop = &t.f.loop,
        .holdings = &t.f.holdings,
        .task = t.task,
        .members = pot_calloc(count, sizeof(*order.members)),
        .count = count,
    };
    for (size_t i = 0; i < count; i++) {
        bool is_open;
        order.members[i] = group_member_of(find(NULL, &t.members[i], &is_open));
    }
    (void)group_sum_start(&order, on_made, &is_done);
    await(&is_done);
}

/* A group of count members, which this node opens or not: of one that differs
 * in what nobody looks at the draw differs, too. */
static void make(struct group *out, size_t count, bool is_drawn, int fault)
{
    bool is = !is_drawn;
    sum_up(count);
    for (uint8_t i = 0; is != is_drawn; i++) {
        Pot__GroupBody body = POT__GROUP_BODY__INIT;
        struct group_result made = t.made;
        made.root.b[0] ^= fault == ROOT_WRONG;
        made.sum.b[0] ^= fault == SUM_WRONG;
        body.task = codec_bytes(t.task.b, HASH_SIZE);
        body.round = i;
        body.members = codec_bytes(t.members, count * HASH_SIZE);
        body.root = codec_bytes(made.root.b, HASH_SIZE);
        body.sum_hash = codec_bytes(made.sum.b, HASH_SIZE);
        body.sum_bytes = made.sum_bytes;
        Pot__Signed *message =
            signed_make(SIGNED_GROUP, &t.f.holdings.chain, t.aggregator, &body);
        assert_int_equal(group_decode(out, message), POT_OK);
        codec_free(message);
        is = group_opens(out, &t.set, key_public(t.keys[0]));
        if (is != is_drawn) {
            group_fini(out);
        }
    }
}

/* Takes the group; its hash, to speak of it. */
static struct group take(size_t count, bool is_drawn, int fault)
{
    struct group group;
    make(&group, count, is_drawn, fault);
    struct group kept = group;
    assert_true(groups_take(t.groups, &group));
    return kept;
}

/* Of the validators that are drawn, or of those that are not. */
static unsigned say(const struct group *group, bool are_drawn, bool is_right,
                    unsigned most)
{
    unsigned said = 0;
    for (size_t i = 1; i < VALIDATORS && said < most; i++) {
        const struct group_word word = {.validator = *key_public(t.keys[i]),
                                        .group = group->hash,
                                        .is_right = is_right};
        if (group_opens(group, &t.set, &word.validator) == are_drawn) {
            groups_word(t.groups, &word, 0);
            said++;
        }
    }
    return said;
}

static void run_until(bool (*is_over)(void))
{
    uint64_t end_ms = clock_steady_ms() + DEADLINE_MS;
    while (!is_over()) {
        assert_true(clock_steady_ms() < end_ms);
        (void)uv_run(&t.f.loop, UV_RUN_NOWAIT);
    }
}

static bool is_decided(void)
{
    return t.shared.stats.groups_opened + t.shared.stats.groups_wrong > 0;
}

static void trust(void)
{
    group_trust_right(&t.shared.trust, key_public(t.aggregator));
}

static unsigned waiting(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        count += groups_waits(t.groups, &t.members[i]) ? 1 : 0;
    }
    return count;
}

static void open_anew(void)
{
    uv_update_time(&t.f.loop); /* pass may have set it ahead */
    groups_free(t.groups);
    open_groups();
}

static void pass(uint64_t time_ms)
{
    t.f.loop.time += time_ms;
    groups_tick(t.groups, uv_now(&t.f.loop));
}

static bool is_stored(size_t i)
{
    return store_blob_has(t.f.holdings.store, &t.submissions[i].payload, NULL);
}

static bool is_known(void)
{
    struct round_part part;
    const struct part_source source = known_parts_source(t.f.holdings.parts);
    bool is = source.find(source.context, &t.members[0], &part);
    if (is) {
        assert_int_equal(part.member_count, MEMBERS);
        assert_true(hash_equal(&part.sum, &t.made.sum));
        free(part.members);
    }
    return is;
}

/* ---- those who open it */

static bool are_all_stored(void)
{
    return is_stored(0) && is_stored(1) && is_stored(2);
}

static bool are_none_stored(void)
{
    return !is_stored(0) && !is_stored(1) && !is_stored(2);
}

static void who_is_drawn_opens_it_and_keeps_its_payloads(void **state)
{
    (void)state;
    trust();
    (void)take(MEMBERS, true, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    groups_opened(t.groups, &t.members[0]);
    assert_int_equal(t.shared.stats.groups_opened, 0); /* one is missing */
    t.are_open = true;
    groups_opened(t.groups, &t.members[2]);
    run_until(is_decided);
    assert_int_equal(t.shared.stats.groups_opened, 1);
    assert_true(are_all_stored());
    assert_false(is_known());
    groups_close(t.groups);
    run_until(are_none_stored);
}

/* It is closed while its payloads are put into the store. */
static void nothing_stays_of_a_round_that_ends_meanwhile(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        t.are_open = true;
        (void)take(MEMBERS, true, SUM_RIGHT);
        groups_close(t.groups);
        groups_free(t.groups);
        t.groups = NULL;
        uint64_t end_ms = clock_steady_ms() + 100;
        while (clock_steady_ms() < end_ms) {
            (void)uv_run(&t.f.loop, UV_RUN_NOWAIT);
        }
        run_until(are_none_stored);
        for (size_t k = 0; k < MEMBERS; k++) {
            submit(k);
        }
        open_groups();
    }
}

/* What votes held as well goes with a block that is another one. */
static void payloads_stay_while_the_round_is_open(void **state)
{
    (void)state;
    t.are_open = true;
    (void)take(MEMBERS, true, SUM_RIGHT);
    run_until(is_decided);
    assert_int_equal(store_blobs_release_all(t.f.holdings.store), POT_OK);
    assert_true(are_none_stored());
    groups_refresh(t.groups);
    run_until(are_all_stored);
}

static void a_lie_is_found_and_its_author_heard_no_more(void **state)
{
    (void)state;
    t.are_open = true;
    for (int fault = SUM_WRONG; fault < FAULTS; fault++) {
        struct group again;
        t.shared.stats.groups_wrong = 0;
        t.liars = 0;
        (void)take(MEMBERS, true, fault);
        run_until(is_decided);
        assert_int_equal(t.shared.stats.groups_wrong, 1);
        assert_int_equal(t.shared.stats.groups_opened, 0);
        assert_int_equal(t.liars, 1);
        groups_free(t.groups);
        open_groups();
        make(&again, MEMBERS, true, SUM_RIGHT);
        assert_false(groups_take(t.groups, &again));
        group_trust_fini(&t.shared.trust);
        group_trust_init(&t.shared.trust);
    }
}

static void a_member_that_is_no_gradient_is_a_lie(void **state)
{
    (void)state;
    (void)take(MEMBERS, false, SUM_RIGHT);
    groups_malformed(t.groups, &t.members[1]);
    assert_int_equal(t.liars, 1);
}

/* ---- those who do not */

static void who_has_all_words_takes_the_sum(void **state)
{
    (void)state;
    trust();
    struct group group = take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), MEMBERS);
    assert_int_equal(say(&group, true, true, 1), 1);
    assert_int_equal(say(&group, true, true, 1), 1); /* the same one again */
    assert_int_equal(say(&group, false, true, 9), 1);
    assert_false(is_known());
    assert_int_equal(say(&group, true, true, 2), 2);
    assert_int_equal(t.vouched, MEMBERS);
    assert_true(is_known());
    assert_int_equal(t.shared.stats.payloads_spared, MEMBERS);
    groups_dissolve(t.groups);
    assert_int_equal(t.lone, MEMBERS);
    assert_false(is_known());
}

static void words_may_come_before_their_group(void **state)
{
    (void)state;
    struct group group;
    trust();
    make(&group, MEMBERS, false, SUM_RIGHT);
    assert_int_equal(say(&group, true, true, 2), 2);
    assert_true(groups_take(t.groups, &group));
    assert_int_equal(waiting(), MEMBERS);
    groups_tick(t.groups, uv_now(&t.f.loop));
    assert_int_equal(t.vouched, MEMBERS);
}

static void nobody_waits_for_a_stranger_until_it_was_right_once(void **state)
{
    (void)state;
    struct group group = take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    (void)say(&group, true, true, 2);
    assert_int_equal(t.vouched, 0);
    groups_free(t.groups);
    open_groups();
    (void)take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), MEMBERS);
}

static void a_word_that_it_is_wrong_ends_the_wait(void **state)
{
    (void)state;
    trust();
    struct group group = take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), MEMBERS);
    assert_int_equal(say(&group, false, false, 9), 1); /* was not asked */
    assert_int_equal(t.lone, 0);
    assert_int_equal(say(&group, true, false, 1), 1);
    assert_int_equal(t.lone, MEMBERS);
    assert_int_equal(t.liars, 0);
    assert_int_equal(say(&group, true, true, 2), 2);
    assert_int_equal(t.vouched, 0);
}

static void a_word_is_not_taken_back(void **state)
{
    (void)state;
    trust();
    struct group group = take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), MEMBERS);
    assert_int_equal(say(&group, true, true, 1), 1);
    assert_int_equal(say(&group, true, false, 1), 1); /* the same one */
    assert_int_equal(t.lone, 0);
    assert_int_equal(say(&group, true, true, 2), 2);
    assert_int_equal(t.vouched, MEMBERS);
    assert_int_equal(say(&group, true, false, 2), 2);
    assert_true(is_known());
    assert_int_equal(t.lone, 0);
}

static void nobody_waits_for_long(void **state)
{
    (void)state;
    trust();
    (void)take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), MEMBERS);
    pass(GROUPS_WAIT_MIN_MS - 1);
    assert_int_equal(t.lone, 0);
    pass(1);
    assert_int_equal(t.lone, MEMBERS);
    open_anew();
    (void)take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), 0); /* nor for the next one of its */
}

/* How long a group is waited for so long behind a round's opening. */
static uint64_t wait_after(uint64_t taken_ms)
{
    struct group group;
    make(&group, MEMBERS, false, SUM_RIGHT);
    trust();
    open_anew();
    t.f.loop.time += taken_ms;
    assert_true(groups_take(t.groups, &group));
    uint64_t from = uv_now(&t.f.loop);
    assert_int_equal(waiting(), MEMBERS);
    return groups_wait_end_ms(t.groups) - from;
}

static void a_wait_is_short_beside_its_round(void **state)
{
    (void)state;
    assert_int_equal(wait_after(0), GROUPS_WAIT_MIN_MS);
    assert_int_equal(wait_after(4000), 1000);
    assert_int_equal(wait_after(40000), GROUPS_WAIT_MAX_MS);
    t.record->spec->round_timeout_ms = 400;
    assert_int_equal(wait_after(4000), 50);
}

/* Those who are missing from a round begin anew behind it. */
static void when_a_wait_has_ended_is_remembered(void **state)
{
    (void)state;
    trust();
    assert_int_equal(groups_wait_end_ms(t.groups), 0);
    struct group group = take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(groups_wait_end_ms(t.groups), 0);
    assert_int_equal(waiting(), MEMBERS);
    uint64_t end = uv_now(&t.f.loop) + GROUPS_WAIT_MIN_MS;
    assert_int_equal(groups_wait_end_ms(t.groups), end);
    t.f.loop.time += 10;
    (void)say(&group, true, true, 2);
    assert_int_equal(groups_wait_end_ms(t.groups), uv_now(&t.f.loop));
}

/* Whoever opens a group waits for nothing itself. */
static void who_opens_it_knows_that_others_wait(void **state)
{
    (void)state;
    trust();
    struct group group = take(MEMBERS, true, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    uint64_t end = uv_now(&t.f.loop) + GROUPS_WAIT_MIN_MS;
    assert_int_equal(groups_wait_end_ms(t.groups), end);
    t.are_open = true;
    groups_opened(t.groups, &t.members[0]);
    run_until(is_decided);
    assert_true(groups_wait_end_ms(t.groups) >= end - GROUPS_WAIT_MIN_MS);
    (void)say(&group, true, true, 1); /* the other one */
    uint64_t ended = groups_wait_end_ms(t.groups);
    assert_int_equal(ended, uv_now(&t.f.loop));
    assert_int_equal(waiting(), 0); /* nor does it begin again */
    assert_int_equal(groups_wait_end_ms(t.groups), ended);
    pass(GROUPS_WAIT_MIN_MS);
    assert_int_equal(t.lone, 0);
}

/* A group that draws the same validators, so the same are silent. */
static void nobody_waits_for_the_silent(void **state)
{
    (void)state;
    trust();
    (void)take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), MEMBERS);
    pass(GROUPS_WAIT_MIN_MS);
    open_anew();
    trust();
    struct group group = take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    pass(GROUPS_WAIT_MIN_MS + 1);
    (void)say(&group, true, true, 2); /* too late */
    open_anew();
    group = take(MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    (void)say(&group, true, true, 1); /* one of both */
    assert_int_equal(waiting(), 0);
    (void)say(&group, true, true, 2);
    assert_int_equal(waiting(), MEMBERS);
}

/* The root of what is here is not that of the group. */
static void words_do_not_help_a_wrong_root(void **state)
{
    (void)state;
    trust();
    struct group group = take(MEMBERS, false, ROOT_WRONG);
    assert_int_equal(waiting(), MEMBERS);
    (void)say(&group, true, true, 2);
    assert_int_equal(t.vouched, 0);
    assert_int_equal(t.lone, MEMBERS);
}

static void a_submission_is_in_one_group(void **state)
{
    (void)state;
    struct group other;
    (void)take(MEMBERS, false, SUM_RIGHT);
    make(&other, MEMBERS - 1, false, SUM_RIGHT);
    assert_false(groups_take(t.groups, &other));
    t.record->n_roster = 1;
    groups_free(t.groups);
    open_groups();
    make(&other, MEMBERS - 1, false, SUM_RIGHT);
    assert_false(groups_take(t.groups, &other)); /* more than the roster */
    t.record->n_roster = MEMBERS;
}

/* Of members that nobody knows. */
static bool take_strange(const struct key *aggregator, uint8_t which)
{
    struct group group;
    const struct hash members[] = {{{which, 1}}, {{which, 2}}};
    Pot__GroupBody body = POT__GROUP_BODY__INIT;
    body.task = codec_bytes(t.task.b, HASH_SIZE);
    body.members = codec_bytes(members, sizeof(members));
    body.root = body.task;
    body.sum_hash = body.task;
    body.sum_bytes = 1;
    Pot__Signed *message =
        signed_make(SIGNED_GROUP, &t.f.holdings.chain, aggregator, &body);
    assert_int_equal(group_decode(&group, message), POT_OK);
    codec_free(message);
    return groups_take(t.groups, &group);
}

static void an_aggregator_has_few_groups_in_a_round(void **state)
{
    (void)state;
    uint8_t i = 0;
    while (i < GROUPS_OF_ONE_MAX) {
        assert_true(take_strange(t.aggregator, i++));
    }
    assert_false(take_strange(t.aggregator, i));
    assert_true(take_strange(t.keys[1], i));
}

/* ---- what becomes of the submissions */

static void on_verdict(void *context)
{
    (void)context;
}

static struct judging *open_judging(void)
{
    struct judging *judging =
        judging_new(&t.shared, t.record, &t.shape, on_verdict, NULL);
    const struct groups_calls calls = {.context = judging,
                                       .find = judging_find,
                                       .vouched = judging_vouched,
                                       .lone = judging_lone};
    groups_free(t.groups);
    t.groups = groups_new(&t.shared, t.record, &t.shape, &calls);
    judging_set_groups(judging, t.groups);
    return judging;
}

/* How many a round could be closed with. */
static size_t count_listed(const struct judging *judging)
{
    struct round_candidate candidate = {.submission_count = 0};
    judging_list(judging, &candidate);
    free(candidate.submissions);
    return candidate.submission_count;
}

static void submit_all(struct judging *judging)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        struct round_submission again;
        assert_int_equal(round_submission_decode(&again, t.messages[i]),
                         POT_OK);
        assert_true(judging_take(judging, &again, t.messages[i], 0));
    }
}

/* The sum is in the pool, and the payloads are not. */
static void drop_payloads(void)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        blob_pool_claim(t.f.holdings.pool, &t.submissions[i].payload);
        blob_pool_release(t.f.holdings.pool, &t.submissions[i].payload);
    }
}

static bool is_there(const struct judging *judging)
{
    return count_listed(judging) == MEMBERS;
}

static void a_group_that_is_split_gives_back_its_members(void **state)
{
    (void)state;
    struct judging *judging = open_judging();
    trust();
    struct group group = take(MEMBERS, false, SUM_RIGHT);
    drop_payloads();
    submit_all(judging);
    assert_true(judging_tick(judging, uv_now(&t.f.loop)));
    assert_int_equal(count_listed(judging), 0);
    (void)say(&group, true, true, 2);
    assert_false(judging_tick(judging, uv_now(&t.f.loop))); /* all accepted */
    assert_int_equal(t.shared.stats.accepted, MEMBERS);
    assert_true(is_there(judging));
    groups_dissolve(t.groups);
    assert_true(judging_is_lacking(judging));
    assert_int_equal(count_listed(judging), 0);
    for (size_t i = 0; i < MEMBERS; i++) {
        submit(i); /* and its payload is in the pool */
    }
    blob_fetch_tick(t.fetch, uv_now(&t.f.loop) + 60000); /* nobody had it */
    assert_true(judging_is_lacking(judging));
    judging_tick(judging, UINT64_MAX);
    assert_false(judging_is_lacking(judging));
    assert_true(is_there(judging));
    assert_int_equal(t.shared.stats.accepted, MEMBERS); /* once each */
    groups_free(t.groups);
    judging_free(judging);
    open_groups();
}

/* ---- who makes them */

static struct {
    struct grouping *grouping;
    unsigned published;
    unsigned passed_on; /* since then */
    bool was_passed_on; /* one was, before the first group went out */
} made;

static void on_published(void *context)
{
    (void)context;
    made.published++;
    made.was_passed_on = made.was_passed_on || made.passed_on > 0;
}

static void on_passed_on(void *context, const Pot__Signed *message,
                         uint64_t peer_id)
{
    (void)context;
    (void)message;
    assert_int_equal(peer_id, 7);
    made.passed_on++;
}

static void open_grouping(uint32_t expected)
{
    const struct grouping_config config = {
        .loop = &t.f.loop,
        .holdings = &t.f.holdings,
        .gossip = t.shared.gossip,
        .key = t.aggregator,
        .task = t.task,
        .expected = expected,
        .published = on_published,
        .pass_on = on_passed_on,
    };
    memset(&made, 0, sizeof(made));
    made.grouping = grouping_new(&config);
}

static bool bring(size_t i)
{
    Pot__Signed empty = POT__SIGNED__INIT;
    Pot__Signed *message = signed_copy(&empty);
    bool is_taken = grouping_add(made.grouping, &t.submissions[i], message, 7);
    if (!is_taken) {
        codec_free(message);
    }
    return is_taken;
}

static bool are_two_passed_on(void)
{
    return made.passed_on == 2;
}

static bool are_all_passed_on(void)
{
    return made.passed_on == MEMBERS;
}

static void a_group_goes_out_before_its_members(void **state)
{
    (void)state;
    open_grouping(0);
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_true(bring(i));
    }
    assert_false(bring(0)); /* again */
    grouping_tick(made.grouping, true);
    assert_int_equal(made.passed_on, 0);
    t.f.loop.time += GROUPING_TOGETHER_MS;
    grouping_tick(made.grouping, false); /* somebody is on the way */
    assert_int_equal(made.passed_on, 0);
    grouping_tick(made.grouping, true);
    run_until(are_all_passed_on);
    assert_int_equal(made.published, 1);
    assert_false(made.was_passed_on);
    assert_int_equal(grouping_count(made.grouping), MEMBERS);
    assert_false(bring(0));
    grouping_free(made.grouping);
}

static void nobody_waits_for_others_for_long(void **state)
{
    (void)state;
    open_grouping(0);
    assert_true(bring(0));
    t.f.loop.time += GROUPING_WAIT_MS;
    grouping_tick(made.grouping, false);
    assert_int_equal(made.passed_on, 1); /* as it is: one is no group */
    assert_int_equal(made.published, 0);
    grouping_free(made.grouping);
}

static void as_many_as_last_time_are_all(void **state)
{
    (void)state;
    open_grouping(2);
    assert_true(bring(0) && bring(1));
    run_until(are_two_passed_on);
    assert_int_equal(made.published, 1);
    grouping_free(made.grouping);
}

static void what_another_has_summed_is_not_summed_again(void **state)
{
    (void)state;
    struct group group;
    make(&group, MEMBERS - 1, false, SUM_RIGHT);
    open_grouping(0);
    grouping_skip(made.grouping, &group);
    size_t taken = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        taken += bring(i) ? 1 : 0;
    }
    assert_int_equal(taken, 1);
    assert_int_equal(grouping_count(made.grouping), 1);
    group_fini(&group);
    grouping_free(made.grouping);
}

/* Another one of the first miner, of the same payload. */
static bool bring_another(uint8_t salt)
{
    static char core[] = "Haswell";
    struct round_submission opened;
    const struct round_submission *first = &t.submissions[0];
    const struct hash salted = {{salt}};
    Pot__SubmissionBody body = POT__SUBMISSION_BODY__INIT;
    body.task = codec_bytes(t.task.b, HASH_SIZE);
    body.parameters_hash = body.task;
    body.payload_hash = codec_bytes(first->payload.b, HASH_SIZE);
    body.payload_bytes = first->body->payload_bytes;
    body.salt = codec_bytes(salted.b, HASH_SIZE);
    body.rows = 2;
    body.workers = 1;
    body.blas_core = core;
    Pot__Signed *message =
        signed_make(SIGNED_SUBMISSION, &t.f.holdings.chain, t.keys[0], &body);
    assert_int_equal(round_submission_decode(&opened, message), POT_OK);
    bool is_taken = grouping_add(made.grouping, &opened, message, 7);
    if (!is_taken) {
        codec_free(message);
    }
    round_submission_fini(&opened);
    return is_taken;
}

static void a_miner_has_one_submission_in_groups(void **state)
{
    (void)state;
    unsigned taken = 0;
    open_grouping(0);
    for (uint8_t i = 0; i < 9; i++) {
        taken += bring_another(i) ? 1 : 0;
    }
    assert_int_equal(taken, 1);
    assert_false(bring(0));
    assert_true(bring(1));
    assert_int_equal(grouping_count(made.grouping), 2);
    grouping_free(made.grouping);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_drawn_opens_it_and_keeps_its_payloads),
        TEST(payloads_stay_while_the_round_is_open),
        TEST(nothing_stays_of_a_round_that_ends_meanwhile),
        TEST(a_lie_is_found_and_its_author_heard_no_more),
        TEST(a_member_that_is_no_gradient_is_a_lie),
        TEST(who_has_all_words_takes_the_sum),
        TEST(words_may_come_before_their_group),
        TEST(nobody_waits_for_a_stranger_until_it_was_right_once),
        TEST(a_word_that_it_is_wrong_ends_the_wait),
        TEST(a_word_is_not_taken_back),
        TEST(nobody_waits_for_long),
        TEST(a_wait_is_short_beside_its_round),
        TEST(when_a_wait_has_ended_is_remembered),
        TEST(who_opens_it_knows_that_others_wait),
        TEST(nobody_waits_for_the_silent),
        TEST(words_do_not_help_a_wrong_root),
        TEST(a_submission_is_in_one_group),
        TEST(an_aggregator_has_few_groups_in_a_round),
        TEST(a_group_that_is_split_gives_back_its_members),
        TEST(a_group_goes_out_before_its_members),
        TEST(nobody_waits_for_others_for_long),
        TEST(as_many_as_last_time_are_all),
        TEST(what_another_has_summed_is_not_summed_again),
        TEST(a_miner_has_one_submission_in_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
