/* How an aggregator makes groups of what its miners submit: over a real store,
 * with real payloads. */
#include "config.h"

#include "node/round/grouping.h"

#include "base/alloc.h"
#include "node/round/group_places.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/group_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PEER 7 /* from whom all comes */

static struct {
    struct group_scene s;
    struct grouping *grouping;
    unsigned published;
    unsigned passed_on; /* since then */
    bool was_passed_on; /* one was, before the first group went out */
} t;

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    group_scene_open(&t.s);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    grouping_free(t.grouping);
    group_scene_close(&t.s);
    return 0;
}

static bool is_told(void *context)
{
    (void)context;
    return true;
}

static void on_published(void *context)
{
    (void)context;
    t.published++;
    t.was_passed_on = t.was_passed_on || t.passed_on > 0;
}

static void on_passed_on(void *context, const Pot__Signed *message,
                         uint64_t peer_id)
{
    (void)context;
    (void)message;
    assert_int_equal(peer_id, PEER);
    t.passed_on++;
}

static void open_grouping(uint32_t expected)
{
    const struct grouping_config config = {
        .loop = &t.s.f.loop,
        .holdings = &t.s.f.holdings,
        .sums = &t.s.sums,
        .gossip = t.s.net.gossip,
        .key = t.s.aggregator,
        .task = t.s.task,
        .expected = expected,
        .is_told = is_told,
        .published = on_published,
        .pass_on = on_passed_on,
    };
    t.grouping = grouping_new(&config);
}

static bool bring(size_t i)
{
    Pot__Signed empty = POT__SIGNED__INIT;
    Pot__Signed *message = signed_copy(&empty);
    bool is_taken =
        grouping_add(t.grouping, &t.s.submissions[i], message, PEER);
    if (!is_taken) {
        codec_free(message);
    }
    return is_taken;
}

static bool are_two_passed_on(void *context)
{
    (void)context;
    return t.passed_on == 2;
}

static bool are_all_passed_on(void *context)
{
    (void)context;
    return t.passed_on == SCENE_MEMBERS;
}

static void a_group_goes_out_before_its_members(void **state)
{
    (void)state;
    open_grouping(0);
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        assert_true(bring(i));
    }
    assert_false(bring(0)); /* again */
    grouping_tick(t.grouping, true);
    assert_int_equal(t.passed_on, 0);
    t.s.f.loop.time += GROUPING_TOGETHER_MS;
    grouping_tick(t.grouping, false); /* somebody is on the way */
    assert_int_equal(t.passed_on, 0);
    grouping_tick(t.grouping, true);
    group_scene_run(&t.s, are_all_passed_on, NULL);
    assert_int_equal(t.published, 1);
    assert_false(t.was_passed_on);
    assert_int_equal(grouping_count(t.grouping), SCENE_MEMBERS);
    assert_false(bring(0));
}

static void nobody_waits_for_others_for_long(void **state)
{
    (void)state;
    open_grouping(0);
    assert_true(bring(0));
    t.s.f.loop.time += GROUPING_WAIT_MS;
    grouping_tick(t.grouping, false);
    assert_int_equal(t.passed_on, 1); /* as it is: one is no group */
    assert_int_equal(t.published, 0);
}

static void as_many_as_last_time_are_all(void **state)
{
    (void)state;
    open_grouping(2);
    assert_true(bring(0) && bring(1));
    group_scene_run(&t.s, are_two_passed_on, NULL);
    assert_int_equal(t.published, 1);
}

static void what_another_has_summed_is_not_summed_again(void **state)
{
    (void)state;
    struct group group;
    group_scene_make(&t.s, &group, SCENE_MEMBERS - 1, false, SUM_RIGHT);
    open_grouping(0);
    assert_true(grouping_skip(t.grouping, &group));
    size_t taken = 0;
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        taken += bring(i) ? 1 : 0;
    }
    assert_int_equal(taken, 1);
    assert_int_equal(grouping_count(t.grouping), 1);
    group_fini(&group);
}

/* Of members that nobody knows, by the key of this number. */
static bool skip_strange(uint8_t key, uint8_t which)
{
    struct hash members[] = {{{which, 1}}, {{which, 2}}};
    const struct group group = {
        .aggregator = {{key}}, .members = members, .member_count = 2};
    return grouping_skip(t.grouping, &group);
}

static void strangers_groups_are_few(void **state)
{
    (void)state;
    unsigned taken = 0;
    open_grouping(0);
    for (uint8_t i = 0; i < 9; i++) {
        taken += skip_strange(1, i) ? 1 : 0;
    }
    assert_int_equal(taken, GROUPS_OF_ONE_MAX);
    for (uint8_t i = 9; i < 200; i++) {
        taken += skip_strange(i, i) ? 1 : 0;
    }
    assert_int_equal(taken, GROUPS_MAX);
}

/* Another one of the first miner, of the same payload. */
static bool bring_another(uint8_t salt)
{
    struct round_submission opened;
    const struct round_submission *first = &t.s.submissions[0];
    const struct hash salted = {{salt}};
    const struct small_task_answer answer = {
        .chain = &t.s.f.holdings.chain,
        .task = &t.s.task,
        .payload = &first->payload,
        .payload_bytes = first->body->payload_bytes,
        .salt = &salted,
    };
    Pot__Signed *message = small_task_submission(&answer, t.s.keys[0]);
    assert_int_equal(round_submission_decode(&opened, message), POT_OK);
    bool is_taken = grouping_add(t.grouping, &opened, message, PEER);
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
    assert_int_equal(grouping_count(t.grouping), 2);
}

/* ---- sums, one at a time */

static void on_summed(void *context, const struct group_result *result)
{
    const uint32_t *which = context;
    assert_int_equal(result->err, POT_OK);
    assert_int_equal(*which, t.published); /* in the order of the starts */
    t.published++;
}

static struct group_sum *start_sum(uint32_t *which)
{
    struct group_order order = {
        .sums = &t.s.sums,
        .loop = &t.s.f.loop,
        .holdings = &t.s.f.holdings,
        .task = t.s.task,
        .members = pot_calloc(1, sizeof(*order.members)),
        .count = 1,
    };
    order.members[0] = group_member_of(&t.s.submissions[0]);
    return group_sum_start(&order, on_summed, which);
}

static bool are_three_summed(void *context)
{
    (void)context;
    return t.published == 3;
}

static void sums_wait_for_each_other(void **state)
{
    (void)state;
    static uint32_t numbers[] = {0, 1, 2};
    unsigned before = t.s.f.loop.active_reqs.count;
    (void)start_sum(&numbers[0]);
    struct group_sum *forgotten = start_sum(&numbers[0]);
    (void)start_sum(&numbers[1]);
    group_sum_forget(forgotten);
    (void)start_sum(&numbers[2]);
    assert_int_equal(t.s.f.loop.active_reqs.count, before + 1);
    group_scene_run(&t.s, are_three_summed, NULL);
    assert_null(t.s.sums.first);
    forgotten = start_sum(&numbers[0]);
    group_sum_forget(forgotten); /* at work */
    while (t.s.sums.first != NULL) {
        (void)uv_run(&t.s.f.loop, UV_RUN_ONCE);
    }
    assert_int_equal(t.published, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_group_goes_out_before_its_members),
        TEST(nobody_waits_for_others_for_long),
        TEST(as_many_as_last_time_are_all),
        TEST(what_another_has_summed_is_not_summed_again),
        TEST(strangers_groups_are_few),
        TEST(a_miner_has_one_submission_in_groups),
        TEST(sums_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
