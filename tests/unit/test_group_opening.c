/* What a validator that is drawn makes of a group: over a real store, with real
 * payloads, which stay for those who take its word. */
#include "config.h"

#include "node/round/group_opening.h"

#include "ledger/keys.h"
#include "node/block/held_blobs.h"
#include "storage/store.h"
#include "storage/store_promise.h"
#include "tests/unit/heard_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static bool is_stored(const struct heard_scene *t, size_t i)
{
    return store_blob_has(t->s.f.holdings.store, &t->s.submissions[i].payload,
                          NULL);
}

static bool are_all_stored(const struct heard_scene *t)
{
    return is_stored(t, 0) && is_stored(t, 1) && is_stored(t, 2);
}

static bool are_none_stored(const struct heard_scene *t)
{
    return !is_stored(t, 0) && !is_stored(t, 1) && !is_stored(t, 2);
}

static void who_is_drawn_opens_it_and_keeps_its_payloads(void **state)
{
    struct heard_scene *t = *state;
    heard_trust(t);
    (void)heard_take(t, SCENE_MEMBERS, true, SUM_RIGHT);
    assert_int_equal(heard_waiting(t), 0);
    groups_opened(t->groups, &t->s.members[0]);
    assert_int_equal(t->s.shared.stats.groups_opened, 0); /* one is missing */
    t->are_open = true;
    groups_opened(t->groups, &t->s.members[2]);
    heard_decide(t);
    assert_int_equal(t->s.shared.stats.groups_opened, 1);
    assert_true(are_all_stored(t));
    assert_false(heard_knows_sum(t));
}

static bool is_promised(void *context)
{
    const struct heard_scene *t = context;
    struct store_promise *list;
    size_t count;
    assert_int_equal(store_promises(t->s.f.holdings.store, &list, &count),
                     POT_OK);
    free(list);
    return count == 1;
}

/* Whatever else was held is held no more. */
static void payloads_stay_while_the_round_is_open(void **state)
{
    struct heard_scene *t = *state;
    struct store *store = t->s.f.holdings.store;
    t->are_open = true;
    struct group group = heard_take(t, SCENE_MEMBERS, true, SUM_RIGHT);
    t->s.record->round = group.round;
    chain_fixture_store_task(&t->s.f, t->s.record);
    heard_decide(t);
    assert_true(is_promised(t));
    assert_int_equal(
        store_blobs_release(store, &t->s.submissions[0].payload, 1), POT_OK);
    assert_int_equal(store_blobs_release_all(store), POT_OK);
    assert_int_equal(held_blobs_end_promises(&t->s.f.holdings), POT_OK);
    assert_true(are_all_stored(t));
    t->s.record->round++;
    chain_fixture_store_task(&t->s.f, t->s.record);
    assert_int_equal(held_blobs_end_promises(&t->s.f.holdings), POT_OK);
    assert_true(are_none_stored(t));
    assert_false(is_promised(t));
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
    struct heard_scene *t = *state;
    t->are_open = true;
    (void)heard_take(t, SCENE_MEMBERS, true, SUM_RIGHT);
    heard_decide(t);
    chain_fixture_store(&t->s.f, write_too_much, &t->s.task);
    assert_int_equal(held_blobs_end_promises(&t->s.f.holdings), POT_ELIMIT);
    assert_true(is_promised(t));
    assert_true(are_all_stored(t));
}

/* It is over while its payloads are put into the store. */
static void nothing_stays_of_a_round_that_ends_meanwhile(void **state)
{
    struct heard_scene *t = *state;
    t->are_open = true;
    (void)heard_take(t, SCENE_MEMBERS, true, SUM_RIGHT);
    groups_free(t->groups);
    t->groups = NULL;
    group_scene_run(&t->s, is_promised, t);
    assert_true(are_all_stored(t));
    t->s.record->round = 1000;
    chain_fixture_store_task(&t->s.f, t->s.record);
    assert_int_equal(held_blobs_end_promises(&t->s.f.holdings), POT_OK);
    assert_true(are_none_stored(t));
}

static void a_lie_is_found_and_its_author_heard_no_more(void **state)
{
    struct heard_scene *t = *state;
    t->are_open = true;
    for (int fault = SUM_WRONG; fault < SUM_FAULTS; fault++) {
        struct group again;
        t->s.shared.stats.groups_wrong = 0;
        t->liars = 0;
        (void)heard_take(t, SCENE_MEMBERS, true, fault);
        heard_decide(t);
        assert_int_equal(t->s.shared.stats.groups_wrong, 1);
        assert_int_equal(t->s.shared.stats.groups_opened, 0);
        assert_int_equal(t->liars, 1);
        heard_open_anew(t);
        group_scene_make(&t->s, &again, SCENE_MEMBERS, true, SUM_RIGHT);
        assert_false(groups_take(t->groups, &again));
        group_trust_fini(&t->s.shared.trust);
        group_trust_init(&t->s.shared.trust);
    }
}

static void a_member_that_is_no_gradient_is_a_lie(void **state)
{
    struct heard_scene *t = *state;
    (void)heard_take(t, SCENE_MEMBERS, false, SUM_RIGHT);
    groups_malformed(t->groups, &t->s.members[1]);
    assert_int_equal(t->liars, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARD_TEST(who_is_drawn_opens_it_and_keeps_its_payloads),
        HEARD_TEST(payloads_stay_while_the_round_is_open),
        HEARD_TEST(payloads_stay_while_the_task_cannot_be_read),
        HEARD_TEST(nothing_stays_of_a_round_that_ends_meanwhile),
        HEARD_TEST(a_lie_is_found_and_its_author_heard_no_more),
        HEARD_TEST(a_member_that_is_no_gradient_is_a_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
