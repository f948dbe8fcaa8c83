/* What a validator makes of aggregators' groups: over a real store, with real
 * payloads; four validators, of whom two open each group. */
#include "config.h"

#include "node/round/groups.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "ledger/keys.h"
#include "node/block/held_blobs.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/hold/known_parts.h"
#include "node/round/group_places.h"
#include "node/round/group_waits.h"
#include "node/round/judging.h"
#include "node/round/own_links.h"
#include "node/round/rounds_shared.h"
#include "p2p/blob_fetch.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "storage/store.h"
#include "storage/store_promise.h"
#include "tests/unit/group_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct group_scene s;
    struct blob_fetch *fetch;
    struct rounds_shared shared;
    struct groups *groups;
    bool are_open;
    unsigned vouched;
    unsigned lone;
    unsigned liars;
} t;

/* ---- what groups ask for */

static const struct round_submission *find(void *context,
                                           const struct hash *member,
                                           bool *is_open)
{
    (void)context;
    *is_open = t.are_open;
    return group_scene_find(&t.s, member);
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
    assert_true(public_key_equal(aggregator, key_public(t.s.aggregator)));
    t.liars++;
}

static void open_groups(void)
{
    static const struct groups_calls calls = {
        .find = find, .vouched = on_vouched, .lone = on_lone};
    t.groups = groups_new(&t.shared, t.s.record, &t.s.shape, &calls);
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    group_scene_open(&t.s);
    const struct blob_fetch_config fetch = {.net = t.s.net.net,
                                            .piece_timeout_ms = 1000};
    t.fetch = blob_fetch_new(&fetch);
    const struct needs_config needs = {.loop = &t.s.f.loop,
                                       .fetch = t.fetch,
                                       .holdings = &t.s.f.holdings,
                                       .timeout_ms = 1000};
    t.shared = (struct rounds_shared){
        .loop = &t.s.f.loop,
        .holdings = &t.s.f.holdings,
        .needs = needs_new(&needs),
        .gossip = t.s.net.gossip,
        .key = t.s.keys[0],
        .links = own_links_new(t.s.keys[0], &t.s.f.holdings.chain, "draws"),
        .on_liar = on_liar,
    };
    group_trust_init(&t.shared.trust);
    open_groups();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    groups_free(t.groups);
    group_trust_fini(&t.shared.trust);
    own_links_free(t.shared.links);
    needs_stop(t.shared.needs);
    (void)uv_run(&t.s.f.loop, UV_RUN_DEFAULT);
    needs_free(t.shared.needs);
    blob_fetch_free(t.fetch);
    group_scene_close(&t.s);
    return 0;
}

/* ---- groups */

/* Takes the group; its hash, to speak of it. */
static struct group take(size_t count, bool is_drawn, int fault)
{
    struct group group;
    group_scene_make(&t.s, &group, count, is_drawn, fault);
    struct group kept = group;
    assert_true(groups_take(t.groups, &group));
    return kept;
}

/* Of the validators that are drawn, or of those that are not. */
static unsigned say(const struct group *group, bool are_drawn, bool is_right,
                    unsigned most)
{
    unsigned said = 0;
    for (size_t i = 1; i < SCENE_VALIDATORS && said < most; i++) {
        const struct group_word word = {.validator = *key_public(t.s.keys[i]),
                                        .group = group->hash,
                                        .is_right = is_right};
        if (group_opens(group, &t.s.set, &word.validator) == are_drawn) {
            groups_word(t.groups, &word, 0);
            said++;
        }
    }
    return said;
}

static bool is_decided(void)
{
    return t.shared.stats.groups_opened + t.shared.stats.groups_wrong > 0;
}

static void trust(void)
{
    group_trust_right(&t.shared.trust, key_public(t.s.aggregator));
}

static unsigned waiting(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        count += groups_waits(t.groups, &t.s.members[i]) ? 1 : 0;
    }
    return count;
}

static void open_anew(void)
{
    uv_update_time(&t.s.f.loop); /* pass may have set it ahead */
    groups_free(t.groups);
    open_groups();
}

static void pass(uint64_t time_ms)
{
    t.s.f.loop.time += time_ms;
    groups_tick(t.groups, uv_now(&t.s.f.loop));
}

static bool is_stored(size_t i)
{
    return store_blob_has(t.s.f.holdings.store, &t.s.submissions[i].payload,
                          NULL);
}

static bool is_known(void)
{
    struct round_part part;
    const struct part_source source = known_parts_source(t.s.f.holdings.parts);
    const struct hash *name = &group_scene_find(&t.s, &t.s.members[0])->hash;
    bool is = source.find(source.context, name, &part);
    if (is) {
        assert_int_equal(part.member_count, SCENE_MEMBERS);
        assert_true(hash_equal(&part.sum, &t.s.made.sum));
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
    (void)take(SCENE_MEMBERS, true, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    groups_opened(t.groups, &t.s.members[0]);
    assert_int_equal(t.shared.stats.groups_opened, 0); /* one is missing */
    t.are_open = true;
    groups_opened(t.groups, &t.s.members[2]);
    group_scene_run(&t.s, is_decided);
    assert_int_equal(t.shared.stats.groups_opened, 1);
    assert_true(are_all_stored());
    assert_false(is_known());
}

static bool is_promised(void)
{
    struct store_promise *list;
    size_t count;
    assert_int_equal(store_promises(t.s.f.holdings.store, &list, &count),
                     POT_OK);
    free(list);
    return count == 1;
}

/* Whatever else was held is held no more. */
static void payloads_stay_while_the_round_is_open(void **state)
{
    (void)state;
    struct store *store = t.s.f.holdings.store;
    t.are_open = true;
    struct group group = take(SCENE_MEMBERS, true, SUM_RIGHT);
    t.s.record->round = group.round;
    chain_fixture_store_task(&t.s.f, t.s.record);
    group_scene_run(&t.s, is_decided);
    assert_true(is_promised());
    assert_int_equal(store_blobs_release(store, &t.s.submissions[0].payload, 1),
                     POT_OK);
    assert_int_equal(store_blobs_release_all(store), POT_OK);
    assert_int_equal(held_blobs_end_promises(&t.s.f.holdings), POT_OK);
    assert_true(are_all_stored());
    t.s.record->round++;
    chain_fixture_store_task(&t.s.f, t.s.record);
    assert_int_equal(held_blobs_end_promises(&t.s.f.holdings), POT_OK);
    assert_true(are_none_stored());
    assert_false(is_promised());
}

/* No task is so large: such a record cannot be read. */
static void write_too_much(const struct ledger_env *env, const void *task)
{
    static const uint8_t data[(1 << 20) + 1];
    struct state_key key = keys_task(task);
    env->state.put(env->state.context, key.b, key.size, data, sizeof(data));
}

static void payloads_stay_while_the_task_cannot_be_read(void **state)
{
    (void)state;
    t.are_open = true;
    (void)take(SCENE_MEMBERS, true, SUM_RIGHT);
    group_scene_run(&t.s, is_decided);
    chain_fixture_store(&t.s.f, write_too_much, &t.s.task);
    assert_int_equal(held_blobs_end_promises(&t.s.f.holdings), POT_ELIMIT);
    assert_true(is_promised());
    assert_true(are_all_stored());
}

/* It is over while its payloads are put into the store. */
static void nothing_stays_of_a_round_that_ends_meanwhile(void **state)
{
    (void)state;
    t.are_open = true;
    (void)take(SCENE_MEMBERS, true, SUM_RIGHT);
    groups_free(t.groups);
    t.groups = NULL;
    group_scene_run(&t.s, is_promised);
    assert_true(are_all_stored());
    t.s.record->round = 1000;
    chain_fixture_store_task(&t.s.f, t.s.record);
    assert_int_equal(held_blobs_end_promises(&t.s.f.holdings), POT_OK);
    assert_true(are_none_stored());
}

static void a_lie_is_found_and_its_author_heard_no_more(void **state)
{
    (void)state;
    t.are_open = true;
    for (int fault = SUM_WRONG; fault < SUM_FAULTS; fault++) {
        struct group again;
        t.shared.stats.groups_wrong = 0;
        t.liars = 0;
        (void)take(SCENE_MEMBERS, true, fault);
        group_scene_run(&t.s, is_decided);
        assert_int_equal(t.shared.stats.groups_wrong, 1);
        assert_int_equal(t.shared.stats.groups_opened, 0);
        assert_int_equal(t.liars, 1);
        groups_free(t.groups);
        open_groups();
        group_scene_make(&t.s, &again, SCENE_MEMBERS, true, SUM_RIGHT);
        assert_false(groups_take(t.groups, &again));
        group_trust_fini(&t.shared.trust);
        group_trust_init(&t.shared.trust);
    }
}

static void a_member_that_is_no_gradient_is_a_lie(void **state)
{
    (void)state;
    (void)take(SCENE_MEMBERS, false, SUM_RIGHT);
    groups_malformed(t.groups, &t.s.members[1]);
    assert_int_equal(t.liars, 1);
}

/* ---- those who do not */

static void who_has_all_words_takes_the_sum(void **state)
{
    (void)state;
    trust();
    struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), SCENE_MEMBERS);
    assert_int_equal(say(&group, true, true, 1), 1);
    assert_int_equal(say(&group, true, true, 1), 1); /* the same one again */
    assert_int_equal(say(&group, false, true, 9), 1);
    assert_false(is_known());
    assert_int_equal(say(&group, true, true, 2), 2);
    assert_int_equal(t.vouched, SCENE_MEMBERS);
    assert_true(is_known());
    assert_int_equal(t.shared.stats.payloads_spared, SCENE_MEMBERS);
    groups_dissolve(t.groups, true);
    assert_int_equal(t.lone, SCENE_MEMBERS);
    assert_false(is_known());
}

static void words_may_come_before_their_group(void **state)
{
    (void)state;
    struct group group;
    trust();
    group_scene_make(&t.s, &group, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(say(&group, true, true, 2), 2);
    assert_true(groups_take(t.groups, &group));
    assert_int_equal(waiting(), SCENE_MEMBERS);
    groups_tick(t.groups, uv_now(&t.s.f.loop));
    assert_int_equal(t.vouched, SCENE_MEMBERS);
}

/* One that is not drawn says a lot. */
static void nobody_pushes_out_what_others_said_early(void **state)
{
    (void)state;
    struct group group;
    struct group_word word = {.is_right = true};
    trust();
    group_scene_make(&t.s, &group, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(say(&group, true, true, 2), 2);
    for (size_t i = 1; i < SCENE_VALIDATORS; i++) {
        if (!group_opens(&group, &t.s.set, key_public(t.s.keys[i]))) {
            word.validator = *key_public(t.s.keys[i]);
        }
    }
    for (int i = 0; i < 1000; i++) {
        word.group.b[i % 2]++;
        groups_word(t.groups, &word, 0);
    }
    assert_true(groups_take(t.groups, &group));
    assert_int_equal(waiting(), SCENE_MEMBERS);
    groups_tick(t.groups, uv_now(&t.s.f.loop));
    assert_int_equal(t.vouched, SCENE_MEMBERS);
}

static void nobody_waits_for_a_stranger_until_it_was_right_once(void **state)
{
    (void)state;
    struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    (void)say(&group, true, true, 2);
    assert_int_equal(t.vouched, 0);
    groups_free(t.groups);
    open_groups();
    (void)take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), SCENE_MEMBERS);
}

static void a_word_that_it_is_wrong_ends_the_wait(void **state)
{
    (void)state;
    trust();
    struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), SCENE_MEMBERS);
    assert_int_equal(say(&group, false, false, 9), 1); /* was not asked */
    assert_int_equal(t.lone, 0);
    assert_int_equal(say(&group, true, false, 1), 1);
    assert_int_equal(t.lone, SCENE_MEMBERS);
    assert_int_equal(t.liars, 0);
    assert_int_equal(say(&group, true, true, 2), 2);
    assert_int_equal(t.vouched, 0);
}

/* Of the other validators that are drawn, the one of this number says so. */
static const struct public_key *say_one(const struct group *group,
                                        unsigned number, bool is_right)
{
    size_t i = 0;
    for (unsigned found = 0; found <= number;) {
        i++;
        assert_true(i < SCENE_VALIDATORS);
        found += group_opens(group, &t.s.set, key_public(t.s.keys[i])) ? 1 : 0;
    }
    const struct group_word word = {.validator = *key_public(t.s.keys[i]),
                                    .group = group->hash,
                                    .is_right = is_right};
    groups_word(t.groups, &word, 0);
    return key_public(t.s.keys[i]);
}

static bool is_proven(void)
{
    return group_trust_waits(&t.shared.trust, key_public(t.s.aggregator));
}

/* It opens the group all the same, and finds that it is right. */
static void who_opens_it_finds_false_words_out(void **state)
{
    (void)state;
    trust();
    struct group group = take(SCENE_MEMBERS, true, SUM_RIGHT);
    const struct public_key *liar = say_one(&group, 0, false);
    assert_false(group_trust_is_silent(&t.shared.trust, liar));
    t.are_open = true;
    groups_opened(t.groups, &t.s.members[0]);
    group_scene_run(&t.s, is_decided);
    assert_int_equal(t.shared.stats.groups_opened, 1);
    assert_true(group_trust_is_silent(&t.shared.trust, liar));
    assert_true(is_proven());
    group_trust_spoke(&t.shared.trust, liar);
    (void)say_one(&group, 0, false); /* again */
    assert_false(group_trust_is_silent(&t.shared.trust, liar));
}

/* The others' words come before it, or behind it. */
static void who_stands_alone_with_its_word_is_remembered(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        trust();
        open_anew();
        struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
        const struct public_key *first = say_one(&group, 0, i == 0);
        const struct public_key *last = say_one(&group, 1, i == 1);
        assert_int_equal(group_trust_is_silent(&t.shared.trust, first), i == 1);
        assert_int_equal(group_trust_is_silent(&t.shared.trust, last), i == 0);
        assert_true(is_proven());
        (void)say_one(&group, i == 0 ? 1 : 0, true); /* too late to say so */
        assert_int_equal(t.vouched, 0);
        assert_int_equal(group_trust_is_silent(&t.shared.trust, last), i == 0);
        group_trust_spoke(&t.shared.trust, first);
        group_trust_spoke(&t.shared.trust, last);
    }
}

static void all_who_open_it_are_believed(void **state)
{
    (void)state;
    trust();
    struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_false(
        group_trust_is_silent(&t.shared.trust, say_one(&group, 0, false)));
    assert_false(is_proven());
    assert_false(
        group_trust_is_silent(&t.shared.trust, say_one(&group, 1, false)));
    assert_false(is_proven());
}

static void a_word_is_not_taken_back(void **state)
{
    (void)state;
    trust();
    struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), SCENE_MEMBERS);
    assert_int_equal(say(&group, true, true, 1), 1);
    assert_int_equal(say(&group, true, false, 1), 1); /* the same one */
    assert_int_equal(t.lone, 0);
    assert_int_equal(say(&group, true, true, 2), 2);
    assert_int_equal(t.vouched, SCENE_MEMBERS);
    assert_int_equal(say(&group, true, false, 2), 2);
    assert_true(is_known());
    assert_int_equal(t.lone, 0);
}

static void nobody_waits_for_long(void **state)
{
    (void)state;
    trust();
    (void)take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), SCENE_MEMBERS);
    pass(GROUPS_WAIT_MIN_MS - 1);
    assert_int_equal(t.lone, 0);
    pass(1);
    assert_int_equal(t.lone, SCENE_MEMBERS);
    open_anew();
    (void)take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), 0); /* nor for the next one of its */
}

/* How long a group is waited for so long behind a round's opening. */
static uint64_t wait_after(uint64_t taken_ms)
{
    struct group group;
    group_scene_make(&t.s, &group, SCENE_MEMBERS, false, SUM_RIGHT);
    group_trust_fini(&t.shared.trust);
    group_trust_init(&t.shared.trust);
    trust();
    open_anew();
    t.s.f.loop.time += taken_ms;
    assert_true(groups_take(t.groups, &group));
    assert_int_equal(waiting(), SCENE_MEMBERS);
    for (t.lone = 0; t.lone == 0;) {
        pass(1);
    }
    return groups_waited_ms(t.groups);
}

static void a_wait_is_short_beside_its_round(void **state)
{
    (void)state;
    assert_int_equal(wait_after(0), GROUPS_WAIT_MIN_MS);
    assert_int_equal(wait_after(4000), 1000);
    assert_int_equal(wait_after(40000), GROUPS_WAIT_MAX_MS);
    t.s.record->spec->round_timeout_ms = 400;
    assert_int_equal(wait_after(4000), 50);
}

/* Of two groups, 30 ms of which are the same. */
static void waits_are_measured_together(void **state)
{
    (void)state;
    struct group first;
    struct group last;
    size_t half = SCENE_MEMBERS / 2;
    trust();
    group_scene_make_of(&t.s, &first, 0, half, false, SUM_RIGHT);
    group_scene_make_of(&t.s, &last, half, half, false, SUM_RIGHT);
    open_anew();
    const struct group groups[] = {first, last};
    assert_true(groups_take(t.groups, &first));
    assert_true(groups_take(t.groups, &last));
    pass(5);
    assert_true(groups_waits(t.groups, &t.s.members[0]));
    pass(10);
    assert_true(groups_waits(t.groups, &t.s.members[half]));
    pass(30);
    assert_int_equal(groups_waited_ms(t.groups), 40);
    (void)say(&groups[0], true, true, 2);
    pass(7);
    assert_int_equal(groups_waited_ms(t.groups), 47);
    (void)say(&groups[1], true, true, 2);
    pass(1000);
    assert_int_equal(groups_waited_ms(t.groups), 47);
}

/* Whoever opens a group waits for nothing itself. */
static void who_opens_it_knows_that_others_wait(void **state)
{
    (void)state;
    trust();
    struct group group = take(SCENE_MEMBERS, true, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    uint64_t from = uv_now(&t.s.f.loop);
    t.are_open = true;
    groups_opened(t.groups, &t.s.members[0]);
    group_scene_run(&t.s, is_decided);
    assert_int_equal(groups_waited_ms(t.groups), uv_now(&t.s.f.loop) - from);
    (void)say(&group, true, true, 1); /* the other one */
    uint64_t waited = groups_waited_ms(t.groups);
    assert_int_equal(waiting(), 0); /* nor does it begin again */
    pass(GROUPS_WAIT_MIN_MS);
    assert_int_equal(groups_waited_ms(t.groups), waited);
    assert_int_equal(t.lone, 0);
}

/* A group that draws the same validators, so the same are silent. */
static void nobody_waits_for_the_silent(void **state)
{
    (void)state;
    trust();
    (void)take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), SCENE_MEMBERS);
    pass(GROUPS_WAIT_MIN_MS);
    open_anew();
    trust();
    struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    pass(GROUPS_WAIT_MIN_MS + 1);
    (void)say(&group, true, true, 2); /* too late */
    open_anew();
    group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(waiting(), 0);
    (void)say(&group, true, true, 1); /* one of both */
    assert_int_equal(waiting(), 0);
    (void)say(&group, true, true, 2);
    assert_int_equal(waiting(), SCENE_MEMBERS);
}

/* The root of what is here is not that of the group. */
static void words_do_not_help_a_wrong_root(void **state)
{
    (void)state;
    trust();
    struct group group = take(SCENE_MEMBERS, false, ROOT_WRONG);
    assert_int_equal(waiting(), SCENE_MEMBERS);
    (void)say(&group, true, true, 2);
    assert_int_equal(t.vouched, 0);
    assert_int_equal(t.lone, SCENE_MEMBERS);
}

static void a_submission_is_in_one_group(void **state)
{
    (void)state;
    struct group other;
    (void)take(SCENE_MEMBERS, false, SUM_RIGHT);
    group_scene_make(&t.s, &other, SCENE_MEMBERS - 1, false, SUM_RIGHT);
    assert_false(groups_take(t.groups, &other));
    t.s.record->n_roster = 1;
    groups_free(t.groups);
    open_groups();
    group_scene_make(&t.s, &other, SCENE_MEMBERS - 1, false, SUM_RIGHT);
    assert_false(groups_take(t.groups, &other)); /* more than the roster */
    t.s.record->n_roster = SCENE_MEMBERS;
}

static void no_group_is_waited_for_once_all_are_dissolved(void **state)
{
    (void)state;
    trust();
    struct group group;
    (void)take(SCENE_MEMBERS / 2, false, SUM_RIGHT);
    assert_int_equal(waiting(), SCENE_MEMBERS / 2);
    groups_dissolve(t.groups, false); /* it is not split */
    assert_int_equal(t.lone, 0);
    groups_dissolve(t.groups, true);
    assert_int_equal(t.lone, SCENE_MEMBERS / 2);
    group_scene_make_of(&t.s, &group, SCENE_MEMBERS / 2, SCENE_MEMBERS / 2,
                        false, SUM_RIGHT);
    assert_true(groups_take(t.groups, &group));
    assert_int_equal(waiting(), 0);
}

static bool take_naming(const struct key *aggregator,
                        const struct hash members[2])
{
    struct group group;
    Pot__GroupBody body = POT__GROUP_BODY__INIT;
    body.task = codec_bytes(t.s.task.b, HASH_SIZE);
    body.members = codec_bytes(members[0].b, 2 * HASH_SIZE);
    body.root = body.task;
    body.sum_hash = body.task;
    body.sum_bytes = 1;
    Pot__Signed *message =
        signed_make(SIGNED_GROUP, &t.s.f.holdings.chain, aggregator, &body);
    assert_int_equal(group_decode(&group, message), POT_OK);
    codec_free(message);
    return groups_take(t.groups, &group);
}

/* Of members that nobody knows. */
static bool take_strange(const struct key *aggregator, uint8_t which)
{
    const struct hash members[] = {{{which, 1}}, {{which, 2}}};
    return take_naming(aggregator, members);
}

static void who_knows_commitments_alone_names_nobody(void **state)
{
    (void)state;
    struct hash digests[2];
    struct key *stranger = key_generate();
    round_commitment_digest(&digests[0], t.s.messages[0]);
    round_commitment_digest(&digests[1], t.s.messages[1]);
    if (hash_compare(&digests[0], &digests[1]) > 0) {
        const struct hash last = digests[0];
        digests[0] = digests[1];
        digests[1] = last;
    }
    assert_true(take_naming(stranger, digests));
    (void)take(SCENE_MEMBERS, false, SUM_RIGHT);
    key_free(stranger);
}

static void an_aggregator_has_few_groups_in_a_round(void **state)
{
    (void)state;
    uint8_t i = 0;
    while (i < GROUPS_OF_ONE_MAX) {
        assert_true(take_strange(t.s.aggregator, i++));
    }
    assert_false(take_strange(t.s.aggregator, i));
    assert_true(take_strange(t.s.keys[1], i));
}

/* Of so many keys, each new. */
static size_t take_of_strangers(size_t keys, uint8_t first)
{
    size_t taken = 0;
    for (size_t i = 0; i < keys; i++) {
        struct key *key = key_generate();
        for (uint8_t k = 0; k < GROUPS_OF_ONE_MAX; k++) {
            taken += take_strange(key, first++) ? 1 : 0;
        }
        key_free(key);
    }
    return taken;
}

static void strangers_do_not_keep_others_out(void **state)
{
    (void)state;
    assert_int_equal(take_of_strangers(10, 1), GROUPS_UNPROVEN_MAX);
    assert_false(take_strange(t.s.keys[1], 60));
    trust();
    for (uint8_t i = 0; i < GROUPS_OF_ONE_MAX; i++) {
        assert_true(take_strange(t.s.aggregator, 61 + i));
    }
    pass(GROUPS_WAIT_MIN_MS - 1);
    assert_false(take_strange(t.s.keys[1], 66));
    pass(1); /* none of their members is known */
    assert_false(take_strange(t.s.aggregator, 66)); /* had its four */
    assert_true(take_strange(t.s.keys[1], 66));
    assert_int_equal(take_of_strangers(10, 67), GROUPS_UNPROVEN_MAX - 1);
}

/* Its members are free for another one. */
static void what_comes_with_its_members_keeps_its_place(void **state)
{
    (void)state;
    struct group again;
    struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    pass(GROUPS_WAIT_MIN_MS);
    group_scene_make(&t.s, &again, SCENE_MEMBERS - 1, false, SUM_RIGHT);
    assert_false(groups_take(t.groups, &again)); /* they are in that one */
    trust();
    assert_int_equal(waiting(), SCENE_MEMBERS);
    (void)say(&group, true, true, 2);
    assert_int_equal(t.vouched, SCENE_MEMBERS);
}

/* Each that was taken was told to others. */
static void places_are_given_up_a_few_times_only(void **state)
{
    (void)state;
    size_t taken = 0;
    struct group_places places = {0};
    const struct public_key proven = {{1}};
    for (uint8_t i = 2; i < 255; i++) {
        const struct public_key key = {{i}};
        for (int k = 0; k < GROUPS_OF_ONE_MAX; k++) {
            if (group_places_take(&places, &key, false)) {
                group_places_give_up(&places, &key);
                taken++;
            }
        }
    }
    assert_int_equal(taken, GROUPS_UNPROVEN_ALL);
    assert_true(group_places_take(&places, &proven, true));
    group_places_fini(&places);
}

/* ---- what becomes of the submissions */

static void on_verdict(void *context)
{
    (void)context;
}

static struct judging *open_judging(void)
{
    struct judging *judging =
        judging_new(&t.shared, t.s.record, &t.s.shape, on_verdict, NULL);
    const struct groups_calls calls = {.context = judging,
                                       .find = judging_find,
                                       .vouched = judging_vouched,
                                       .lone = judging_lone};
    groups_free(t.groups);
    t.groups = groups_new(&t.shared, t.s.record, &t.s.shape, &calls);
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

/* What its miner has signed once more, as it came to nobody else. */
static Pot__Signed *sign_again(size_t i)
{
    Pot__Signed *message = signed_copy(t.s.messages[i]);
    message->signature.data[0] ^= 1;
    return message;
}

static void submit(struct judging *judging, size_t i)
{
    struct round_submission again;
    assert_int_equal(round_submission_decode(&again, t.s.messages[i]), POT_OK);
    assert_true(judging_take(judging, &again, t.s.messages[i], 0));
}

static void submit_all(struct judging *judging)
{
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        submit(judging, i);
    }
}

/* The sum is in the pool, and the payloads are not. */
static void drop_payloads(void)
{
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        blob_pool_claim(t.s.f.holdings.pool, &t.s.submissions[i].payload);
        blob_pool_release(t.s.f.holdings.pool, &t.s.submissions[i].payload);
    }
}

static bool is_there(const struct judging *judging)
{
    return count_listed(judging) == SCENE_MEMBERS;
}

static void a_group_that_is_split_gives_back_its_members(void **state)
{
    (void)state;
    struct judging *judging = open_judging();
    trust();
    struct group group = take(SCENE_MEMBERS, false, SUM_RIGHT);
    drop_payloads();
    submit_all(judging);
    assert_true(judging_tick(judging, uv_now(&t.s.f.loop)));
    assert_int_equal(count_listed(judging), 0);
    (void)say(&group, true, true, 2);
    assert_false(judging_tick(judging, uv_now(&t.s.f.loop))); /* all accepted */
    assert_int_equal(t.shared.stats.accepted, SCENE_MEMBERS);
    assert_true(is_there(judging));
    groups_dissolve(t.groups, true);
    assert_true(judging_is_lacking(judging));
    assert_int_equal(count_listed(judging), 0);
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        group_scene_submit(&t.s, i); /* and its payload is in the pool */
    }
    blob_fetch_tick(t.fetch, uv_now(&t.s.f.loop) + 60000); /* nobody had it */
    assert_true(judging_is_lacking(judging));
    judging_tick(judging, UINT64_MAX);
    assert_false(judging_is_lacking(judging));
    assert_true(is_there(judging));
    assert_int_equal(t.shared.stats.accepted, SCENE_MEMBERS); /* once each */
    groups_free(t.groups);
    judging_free(judging);
    open_groups();
}

static void submit_last_signed_again(struct judging *judging)
{
    struct round_submission again;
    size_t last = SCENE_MEMBERS - 1;
    Pot__Signed *message = sign_again(last);
    assert_int_equal(round_submission_decode(&again, message), POT_OK);
    assert_false(hash_equal(&again.hash, &t.s.submissions[last].hash));
    assert_true(judging_take(judging, &again, message, 0));
    codec_free(message);
}

/* Whether this validator opens the group or takes its sum. */
static void a_submission_signed_twice_is_one_member(void **state)
{
    (void)state;
    for (int is_drawn = 0; is_drawn < 2; is_drawn++) {
        struct part_source parts = known_parts_source(t.s.f.holdings.parts);
        struct round_part part;
        struct judging *judging = open_judging();
        trust();
        struct group group = take(SCENE_MEMBERS, is_drawn == 1, SUM_RIGHT);
        submit_last_signed_again(judging);
        for (size_t i = 0; i + 1 < SCENE_MEMBERS; i++) {
            submit(judging, i);
        }
        (void)say(&group, true, true, 2);
        assert_false(judging_tick(judging, uv_now(&t.s.f.loop)));
        assert_true(is_there(judging));
        if (is_drawn == 1) {
            group_scene_run(&t.s, is_decided);
            assert_int_equal(t.shared.stats.groups_opened, 1);
        } else {
            assert_int_equal(t.shared.stats.groups_taken, 1);
            const struct hash *name = &t.s.submissions[0].hash;
            assert_true(parts.find(parts.context, name, &part));
            for (size_t i = 1; i < part.member_count; i++) {
                assert_true(
                    hash_compare(&part.members[i - 1], &part.members[i]) < 0);
            }
            free(part.members);
        }
        groups_free(t.groups);
        judging_free(judging);
        for (size_t i = 0; i < SCENE_MEMBERS; i++) {
            group_scene_submit(&t.s, i);
        }
        open_groups();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_drawn_opens_it_and_keeps_its_payloads),
        TEST(payloads_stay_while_the_round_is_open),
        TEST(payloads_stay_while_the_task_cannot_be_read),
        TEST(nothing_stays_of_a_round_that_ends_meanwhile),
        TEST(a_lie_is_found_and_its_author_heard_no_more),
        TEST(a_member_that_is_no_gradient_is_a_lie),
        TEST(who_has_all_words_takes_the_sum),
        TEST(words_may_come_before_their_group),
        TEST(nobody_pushes_out_what_others_said_early),
        TEST(nobody_waits_for_a_stranger_until_it_was_right_once),
        TEST(a_word_that_it_is_wrong_ends_the_wait),
        TEST(who_opens_it_finds_false_words_out),
        TEST(who_stands_alone_with_its_word_is_remembered),
        TEST(all_who_open_it_are_believed),
        TEST(a_word_is_not_taken_back),
        TEST(nobody_waits_for_long),
        TEST(a_wait_is_short_beside_its_round),
        TEST(waits_are_measured_together),
        TEST(who_opens_it_knows_that_others_wait),
        TEST(nobody_waits_for_the_silent),
        TEST(words_do_not_help_a_wrong_root),
        TEST(a_submission_is_in_one_group),
        TEST(no_group_is_waited_for_once_all_are_dissolved),
        TEST(who_knows_commitments_alone_names_nobody),
        TEST(an_aggregator_has_few_groups_in_a_round),
        TEST(strangers_do_not_keep_others_out),
        TEST(what_comes_with_its_members_keeps_its_place),
        TEST(places_are_given_up_a_few_times_only),
        TEST(a_group_that_is_split_gives_back_its_members),
        TEST(a_submission_signed_twice_is_one_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
