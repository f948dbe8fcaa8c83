/* Whose words on a group are believed, and what comes of them. */
#include "config.h"

#include "node/round/group_talk.h"

#include "tests/unit/heard_scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void who_has_all_words_takes_the_sum(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    assert_int_equal(heard_say(t, &group, true, true, 1), 1);
    assert_int_equal(heard_say(t, &group, true, true, 1),
                     1); /* the same one again */
    assert_int_equal(heard_say(t, &group, false, true, 9), 1);
    assert_false(heard_knows_sum(t));
    assert_int_equal(heard_say(t, &group, true, true, 2), 2);
    assert_int_equal(t->vouched, SCENE_MEMBERS);
    assert_true(heard_knows_sum(t));
    assert_int_equal(t->s.shared.stats.payloads_spared, SCENE_MEMBERS);
    groups_dissolve(t->groups, true);
    assert_int_equal(t->lone, SCENE_MEMBERS);
    assert_false(heard_knows_sum(t));
}

static void words_may_come_before_their_group(void **state)
{
    struct heard_scene *t = *state;
    struct group group;
    heard_trust(t);
    group_scene_make(&t->s, &group, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_say(t, &group, true, true, 2), 2);
    assert_true(groups_take(t->groups, &group));
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    groups_tick(t->groups, uv_now(&t->s.f.loop));
    assert_int_equal(t->vouched, SCENE_MEMBERS);
}

/* One that is not drawn says a lot. */
static void nobody_pushes_out_what_others_said_early(void **state)
{
    struct heard_scene *t = *state;
    struct group group;
    struct group_word word = {.is_right = true};
    heard_trust(t);
    group_scene_make(&t->s, &group, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_say(t, &group, true, true, 2), 2);
    for (size_t i = 1; i < SCENE_VALIDATORS; i++) {
        if (!group_opens(&group, &t->s.set, key_public(t->s.keys[i]))) {
            word.validator = *key_public(t->s.keys[i]);
        }
    }
    for (int i = 0; i < 1000; i++) {
        word.group.b[i % 2]++;
        groups_word(t->groups, &word, 0);
    }
    assert_true(groups_take(t->groups, &group));
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    groups_tick(t->groups, uv_now(&t->s.f.loop));
    assert_int_equal(t->vouched, SCENE_MEMBERS);
}

static void a_word_that_it_is_wrong_ends_the_wait(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    assert_int_equal(heard_say(t, &group, false, false, 9),
                     1); /* was not asked */
    assert_int_equal(t->lone, 0);
    assert_int_equal(heard_say(t, &group, true, false, 1), 1);
    assert_int_equal(t->lone, SCENE_MEMBERS);
    assert_int_equal(t->liars, 0);
    assert_int_equal(heard_say(t, &group, true, true, 2), 2);
    assert_int_equal(t->vouched, 0);
}

/* Of the other validators that are drawn, the one of this number says so. */
static const struct public_key *say_one(struct heard_scene *t,
                                        const struct group *group,
                                        unsigned number, bool is_right)
{
    size_t i = 0;
    for (unsigned found = 0; found <= number;) {
        i++;
        assert_true(i < SCENE_VALIDATORS);
        found +=
            group_opens(group, &t->s.set, key_public(t->s.keys[i])) ? 1 : 0;
    }
    const struct group_word word = {.validator = *key_public(t->s.keys[i]),
                                    .group = group->hash,
                                    .is_right = is_right};
    groups_word(t->groups, &word, 0);
    return key_public(t->s.keys[i]);
}

/* It opens the group all the same, and finds that it is right. */
static void who_opens_it_finds_false_words_out(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, true, SUM_RIGHT);
    const struct public_key *liar = say_one(t, &group, 0, false);
    assert_false(heard_is_silent(t, liar));
    t->are_open = true;
    groups_opened(t->groups, &t->s.members[0]);
    heard_decide(t);
    assert_int_equal(t->s.shared.stats.groups_opened, 1);
    assert_true(heard_is_silent(t, liar));
    assert_true(heard_is_trusted(t));
    group_trust_spoke(&t->s.shared.trust, liar);
    (void)say_one(t, &group, 0, false); /* again */
    assert_false(heard_is_silent(t, liar));
}

/* The others' words come before it, or behind it. */
static void who_stands_alone_with_its_word_is_remembered(void **state)
{
    struct heard_scene *t = *state;
    for (unsigned i = 0; i < 2; i++) {
        heard_trust(t);
        heard_open_anew(t);
        struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
        const struct public_key *first = say_one(t, &group, 0, i == 0);
        const struct public_key *last = say_one(t, &group, 1, i == 1);
        assert_int_equal(heard_is_silent(t, first), i == 1);
        assert_int_equal(heard_is_silent(t, last), i == 0);
        assert_true(heard_is_trusted(t));
        (void)say_one(t, &group, i == 0 ? 1 : 0, true); /* too late to say so */
        assert_int_equal(t->vouched, 0);
        assert_int_equal(heard_is_silent(t, last), i == 0);
        group_trust_spoke(&t->s.shared.trust, first);
        group_trust_spoke(&t->s.shared.trust, last);
    }
}

static void all_who_open_it_are_believed(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_false(heard_is_silent(t, say_one(t, &group, 0, false)));
    assert_false(heard_is_trusted(t));
    assert_false(heard_is_silent(t, say_one(t, &group, 1, false)));
    assert_false(heard_is_trusted(t));
}

static void a_word_is_not_taken_back(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    assert_int_equal(heard_say(t, &group, true, true, 1), 1);
    assert_int_equal(heard_say(t, &group, true, false, 1),
                     1); /* the same one */
    assert_int_equal(t->lone, 0);
    assert_int_equal(heard_say(t, &group, true, true, 2), 2);
    assert_int_equal(t->vouched, SCENE_MEMBERS);
    assert_int_equal(heard_say(t, &group, true, false, 2), 2);
    assert_true(heard_knows_sum(t));
    assert_int_equal(t->lone, 0);
}

/* The root of what is here is not that of the group. */
static void words_do_not_help_a_wrong_root(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, false, ROOT_WRONG);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    (void)heard_say(t, &group, true, true, 2);
    assert_int_equal(t->vouched, 0);
    assert_int_equal(t->lone, SCENE_MEMBERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARD_TEST(who_has_all_words_takes_the_sum),
        HEARD_TEST(words_may_come_before_their_group),
        HEARD_TEST(nobody_pushes_out_what_others_said_early),
        HEARD_TEST(a_word_that_it_is_wrong_ends_the_wait),
        HEARD_TEST(who_opens_it_finds_false_words_out),
        HEARD_TEST(who_stands_alone_with_its_word_is_remembered),
        HEARD_TEST(all_who_open_it_are_believed),
        HEARD_TEST(a_word_is_not_taken_back),
        HEARD_TEST(words_do_not_help_a_wrong_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
