/* Which groups a validator takes of whom. */
#include "config.h"

#include "node/round/groups.h"

#include "node/round/group_places.h"
#include "node/round/group_waits.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/heard_scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_submission_is_in_one_group(void **state)
{
    struct heard_scene *t = *state;
    struct group other;
    (void)heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    group_scene_make(&t->s, &other, SCENE_MEMBERS - 1, false, SUM_RIGHT);
    assert_false(groups_take(t->groups, &other));
    t->s.record->n_roster = 1;
    heard_open_anew(t);
    group_scene_make(&t->s, &other, SCENE_MEMBERS - 1, false, SUM_RIGHT);
    assert_false(groups_take(t->groups, &other)); /* more than the roster */
    t->s.record->n_roster = SCENE_MEMBERS;
}

static bool take_naming(struct heard_scene *t, const struct key *aggregator,
                        const struct hash members[2])
{
    struct group group;
    Pot__GroupBody body = POT__GROUP_BODY__INIT;
    body.task = codec_bytes(t->s.task.b, HASH_SIZE);
    body.members = codec_bytes(members[0].b, 2 * HASH_SIZE);
    body.root = body.task;
    body.sum_hash = body.task;
    body.sum_bytes = 1;
    Pot__Signed *message =
        signed_make(SIGNED_GROUP, &t->s.f.holdings.chain, aggregator, &body);
    assert_int_equal(group_decode(&group, message), POT_OK);
    codec_free(message);
    return groups_take(t->groups, &group);
}

/* Of members that nobody knows. */
static bool take_strange(struct heard_scene *t, const struct key *aggregator,
                         uint8_t which)
{
    const struct hash members[] = {{{which, 1}}, {{which, 2}}};
    return take_naming(t, aggregator, members);
}

static void who_knows_commitments_alone_names_nobody(void **state)
{
    struct heard_scene *t = *state;
    struct hash digests[2];
    struct key *stranger = key_generate();
    round_commitment_digest(&digests[0], t->s.messages[0]);
    round_commitment_digest(&digests[1], t->s.messages[1]);
    if (hash_compare(&digests[0], &digests[1]) > 0) {
        const struct hash last = digests[0];
        digests[0] = digests[1];
        digests[1] = last;
    }
    assert_true(take_naming(t, stranger, digests));
    (void)heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    key_free(stranger);
}

static void an_aggregator_has_few_groups_in_a_round(void **state)
{
    struct heard_scene *t = *state;
    uint8_t i = 0;
    while (i < GROUPS_OF_ONE_MAX) {
        assert_true(take_strange(t, t->s.aggregator, i++));
    }
    assert_false(take_strange(t, t->s.aggregator, i));
    assert_true(take_strange(t, t->s.keys[1], i));
}

/* Of so many keys, each new. */
static size_t take_of_strangers(struct heard_scene *t, size_t keys,
                                uint8_t first)
{
    size_t taken = 0;
    for (size_t i = 0; i < keys; i++) {
        struct key *key = key_generate();
        for (uint8_t k = 0; k < GROUPS_OF_ONE_MAX; k++) {
            taken += take_strange(t, key, first++) ? 1 : 0;
        }
        key_free(key);
    }
    return taken;
}

static void strangers_do_not_keep_others_out(void **state)
{
    struct heard_scene *t = *state;
    assert_int_equal(take_of_strangers(t, 10, 1), GROUPS_UNPROVEN_MAX);
    assert_false(take_strange(t, t->s.keys[1], 60));
    heard_trust(t);
    for (uint8_t i = 0; i < GROUPS_OF_ONE_MAX; i++) {
        assert_true(take_strange(t, t->s.aggregator, 61 + i));
    }
    heard_pass(t, GROUPS_WAIT_MIN_MS - 1);
    assert_false(take_strange(t, t->s.keys[1], 66));
    heard_pass(t, 1); /* none of their members is known */
    assert_false(take_strange(t, t->s.aggregator, 66)); /* had its four */
    assert_true(take_strange(t, t->s.keys[1], 66));
    assert_int_equal(take_of_strangers(t, 10, 67), GROUPS_UNPROVEN_MAX - 1);
}

/* Its members are free for another one. */
static void what_comes_with_its_members_keeps_its_place(void **state)
{
    struct heard_scene *t = *state;
    struct group again;
    struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    heard_pass(t, GROUPS_WAIT_MIN_MS);
    group_scene_make(&t->s, &again, SCENE_MEMBERS - 1, false, SUM_RIGHT);
    assert_false(groups_take(t->groups, &again)); /* they are in that one */
    heard_trust(t);
    assert_int_equal(heard_waiting(t), SCENE_MEMBERS);
    (void)heard_say(t, &group, true, true, 2);
    assert_int_equal(t->vouched, SCENE_MEMBERS);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARD_TEST(a_submission_is_in_one_group),
        HEARD_TEST(who_knows_commitments_alone_names_nobody),
        HEARD_TEST(an_aggregator_has_few_groups_in_a_round),
        HEARD_TEST(strangers_do_not_keep_others_out),
        HEARD_TEST(what_comes_with_its_members_keeps_its_place),
        cmocka_unit_test(places_are_given_up_a_few_times_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
