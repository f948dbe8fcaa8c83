/* Which groups are waited for, and how long. */
#include "config.h"

#include "node/round/group_waits.h"

#include "tests/unit/heard_scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void nobody_waits_for_a_stranger_until_it_was_right_once(void **state)
{
    struct heard_scene *t = *state;
    struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), 0);
    (void)heard_say(t, &group, true, true, 2);
    assert_int_equal(t->vouched, 0);
    heard_open_anew(t);
    (void)heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
}

static void nobody_waits_for_long(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    (void)heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    heard_pass(t, GROUPS_WAIT_MIN_MS - 1);
    assert_int_equal(t->lone, 0);
    heard_pass(t, 1);
    assert_int_equal(t->lone, SCENE_MEMBERS);
    heard_open_anew(t);
    (void)heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), 0); /* nor for the next one of its */
}

/* How long a group is waited for so long behind a round's opening. */
static uint64_t wait_after(struct heard_scene *t, uint64_t taken_ms)
{
    struct group group;
    group_scene_make(&t->s, &group, SCENE_MEMBERS, false, SUM_RIGHT);
    group_trust_fini(&t->s.shared.trust);
    group_trust_init(&t->s.shared.trust);
    heard_trust(t);
    heard_open_anew(t);
    t->s.f.loop.time += taken_ms;
    assert_true(groups_take(t->groups, &group));
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    for (t->lone = 0; t->lone == 0;) {
        heard_pass(t, 1);
    }
    return groups_waited_ms(t->groups);
}

static void a_wait_is_short_beside_its_round(void **state)
{
    struct heard_scene *t = *state;
    assert_int_equal(wait_after(t, 0), GROUPS_WAIT_MIN_MS);
    assert_int_equal(wait_after(t, 4000), 1000);
    assert_int_equal(wait_after(t, 40000), GROUPS_WAIT_MAX_MS);
    t->s.record->spec->round_timeout_ms = 400;
    assert_int_equal(wait_after(t, 4000), 50);
}

/* Of two groups, 30 ms of which are the same. */
static void waits_are_measured_together(void **state)
{
    struct heard_scene *t = *state;
    struct group first;
    struct group last;
    size_t half = SCENE_MEMBERS / 2;
    heard_trust(t);
    group_scene_make_of(&t->s, &first, 0, half, false, SUM_RIGHT);
    group_scene_make_of(&t->s, &last, half, half, false, SUM_RIGHT);
    heard_open_anew(t);
    const struct group groups[] = {first, last};
    assert_true(groups_take(t->groups, &first));
    assert_true(groups_take(t->groups, &last));
    heard_pass(t, 5);
    assert_true(groups_waits(t->groups, &t->s.members[0]));
    heard_pass(t, 10);
    assert_true(groups_waits(t->groups, &t->s.members[half]));
    heard_pass(t, 30);
    assert_int_equal(groups_waited_ms(t->groups), 40);
    (void)heard_say(t, &groups[0], true, true, 2);
    heard_pass(t, 7);
    assert_int_equal(groups_waited_ms(t->groups), 47);
    (void)heard_say(t, &groups[1], true, true, 2);
    heard_pass(t, 1000);
    assert_int_equal(groups_waited_ms(t->groups), 47);
}

/* Whoever opens a group waits for nothing itself. */
static void who_opens_it_knows_that_others_wait(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, true, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), 0);
    uint64_t from = uv_now(&t->s.f.loop);
    t->are_open = true;
    groups_opened(t->groups, &t->s.members[0]);
    heard_decide(t);
    assert_int_equal(groups_waited_ms(t->groups), uv_now(&t->s.f.loop) - from);
    (void)heard_say(t, &group, true, true, 1); /* the other one */
    uint64_t waited = groups_waited_ms(t->groups);
    assert_int_equal(heard_waiting(t), 0); /* nor does it begin again */
    heard_pass(t, GROUPS_WAIT_MIN_MS);
    assert_int_equal(groups_waited_ms(t->groups), waited);
    assert_int_equal(t->lone, 0);
}

/* A group that draws the same validators, so the same are silent. */
static void nobody_waits_for_the_silent(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    (void)heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    heard_pass(t, GROUPS_WAIT_MIN_MS);
    heard_open_anew(t);
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), 0);
    heard_pass(t, GROUPS_WAIT_MIN_MS + 1);
    (void)heard_say(t, &group, true, true, 2); /* too late */
    heard_open_anew(t);
    group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), 0);
    (void)heard_say(t, &group, true, true, 1); /* one of both */
    assert_int_equal(heard_waiting(t), 0);
    (void)heard_say(t, &group, true, true, 2);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
}

static void no_group_is_waited_for_once_all_are_dissolved(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    struct group group;
    (void)heard_take(t, SCENE_MEMBERS / 2, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS / 2);
    groups_dissolve(t->groups, false); /* it is not split */
    assert_int_equal(t->lone, 0);
    groups_dissolve(t->groups, true);
    assert_int_equal(t->lone, SCENE_MEMBERS / 2);
    group_scene_make_of(&t->s, &group, SCENE_MEMBERS / 2, SCENE_MEMBERS / 2,
                        false, SUM_RIGHT);
    assert_true(groups_take(t->groups, &group));
    assert_int_equal(heard_waiting(t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARD_TEST(nobody_waits_for_a_stranger_until_it_was_right_once),
        HEARD_TEST(nobody_waits_for_long),
        HEARD_TEST(a_wait_is_short_beside_its_round),
        HEARD_TEST(waits_are_measured_together),
        HEARD_TEST(who_opens_it_knows_that_others_wait),
        HEARD_TEST(nobody_waits_for_the_silent),
        HEARD_TEST(no_group_is_waited_for_once_all_are_dissolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
