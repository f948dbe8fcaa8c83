/* What becomes of the submissions that are in groups. */
#include "config.h"

#include "node/round/judging.h"

#include "node/hold/known_parts.h"
#include "p2p/blob_fetch.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/heard_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void on_verdict(void *context)
{
    (void)context;
}

static struct judging *open_judging(struct heard_scene *t)
{
    struct judging *judging =
        judging_new(&t->s.shared, t->s.record, &t->s.shape, on_verdict, NULL);
    const struct groups_calls calls = {.context = judging,
                                       .find = judging_find,
                                       .vouched = judging_vouched,
                                       .lone = judging_lone};
    groups_free(t->groups);
    t->groups = groups_new(&t->s.shared, t->s.record, &t->s.shape, &calls);
    judging_set_groups(judging, t->groups);
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
static Pot__Signed *sign_again(const struct heard_scene *t, size_t i)
{
    Pot__Signed *message = signed_copy(t->s.messages[i]);
    message->signature.data[0] ^= 1;
    return message;
}

static void submit(const struct heard_scene *t, struct judging *judging,
                   size_t i)
{
    struct round_submission again;
    assert_int_equal(round_submission_decode(&again, t->s.messages[i]), POT_OK);
    assert_true(judging_take(judging, &again, t->s.messages[i], 0));
}

static void submit_all(const struct heard_scene *t, struct judging *judging)
{
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        submit(t, judging, i);
    }
}

static bool is_there(const struct judging *judging)
{
    return count_listed(judging) == SCENE_MEMBERS;
}

static void a_group_that_is_split_gives_back_its_members(void **state)
{
    struct heard_scene *t = *state;
    struct judging *judging = open_judging(t);
    heard_trust(t);
    struct group group = heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    group_scene_drop_payloads(&t->s);
    submit_all(t, judging);
    assert_true(judging_tick(judging, uv_now(&t->s.f.loop)));
    assert_int_equal(count_listed(judging), 0);
    (void)heard_say(t, &group, true, true, 2);
    assert_false(
        judging_tick(judging, uv_now(&t->s.f.loop))); /* all accepted */
    assert_int_equal(t->s.shared.stats.accepted, SCENE_MEMBERS);
    assert_true(is_there(judging));
    groups_dissolve(t->groups, true);
    assert_true(judging_is_lacking(judging));
    assert_int_equal(count_listed(judging), 0);
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        group_scene_submit(&t->s, i); /* and its payload is in the pool */
    }
    blob_fetch_tick(t->s.fetch,
                    uv_now(&t->s.f.loop) + 60000); /* nobody had it */
    assert_true(judging_is_lacking(judging));
    judging_tick(judging, UINT64_MAX);
    assert_false(judging_is_lacking(judging));
    assert_true(is_there(judging));
    assert_int_equal(t->s.shared.stats.accepted, SCENE_MEMBERS); /* once each */
    heard_open_anew(t);
    judging_free(judging);
}

static void submit_last_signed_again(const struct heard_scene *t,
                                     struct judging *judging)
{
    struct round_submission again;
    size_t last = SCENE_MEMBERS - 1;
    Pot__Signed *message = sign_again(t, last);
    assert_int_equal(round_submission_decode(&again, message), POT_OK);
    assert_false(hash_equal(&again.hash, &t->s.submissions[last].hash));
    assert_true(judging_take(judging, &again, message, 0));
    codec_free(message);
}

/* Whether this validator opens the group or takes its sum. */
static void a_submission_signed_twice_is_one_member(void **state)
{
    struct heard_scene *t = *state;
    for (int is_drawn = 0; is_drawn < 2; is_drawn++) {
        struct part_source parts = known_parts_source(t->s.f.holdings.parts);
        struct round_part part;
        struct judging *judging = open_judging(t);
        heard_trust(t);
        struct group group =
            heard_take(t, SCENE_MEMBERS, is_drawn == 1, SUM_RIGHT);
        submit_last_signed_again(t, judging);
        for (size_t i = 0; i + 1 < SCENE_MEMBERS; i++) {
            submit(t, judging, i);
        }
        (void)heard_say(t, &group, true, true, 2);
        assert_false(judging_tick(judging, uv_now(&t->s.f.loop)));
        assert_true(is_there(judging));
        if (is_drawn == 1) {
            heard_decide(t);
            assert_int_equal(t->s.shared.stats.groups_opened, 1);
        } else {
            assert_int_equal(t->s.shared.stats.groups_taken, 1);
            const struct hash *name = &t->s.submissions[0].hash;
            assert_true(parts.find(parts.context, name, &part));
            for (size_t i = 1; i < part.member_count; i++) {
                assert_true(
                    hash_compare(&part.members[i - 1], &part.members[i]) < 0);
            }
            free(part.members);
        }
        heard_open_anew(t);
        judging_free(judging);
        for (size_t i = 0; i < SCENE_MEMBERS; i++) {
            group_scene_submit(&t->s, i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARD_TEST(a_group_that_is_split_gives_back_its_members),
        HEARD_TEST(a_submission_signed_twice_is_one_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
