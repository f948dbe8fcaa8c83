/* When an open round closes in which there are groups: whose payloads are
 * fetched where it counts some members of one and not others, and how long is
 * waited; four miners in two groups, neither of which this validator opens. */
#include "config.h"

#include "node/round/open_round.h"

#include "node/hold/blob_pool.h"
#include "p2p/blob_fetch.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/group_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OF_ONE (SCENE_MEMBERS / 2) /* members of a group */
#define HEIGHT 1
/* Bits of members, by ascending name. */
#define NOBODY      0
#define FIRST       1U
#define LAST        (1U << (SCENE_MEMBERS - 1))
#define ALL         ((1U << SCENE_MEMBERS) - 1)
#define FIRST_GROUP ((1U << OF_ONE) - 1)
#define SHOWN_MS    300 /* until words count that nobody had pledged */

static const Pot__Verdict none = POT__VERDICT__VERDICT_NONE;
static const Pot__Verdict refuse = POT__VERDICT__VERDICT_REFUSE;

static struct {
    struct group_scene s;
    Pot__TaskRecord *record; /* the round's */
    struct open_round *round;
    struct group groups[2]; /* the round's, once they are taken */
    struct hash names[2];
    uint64_t opened_ms;
    uint32_t sequence; /* of the last attestations */
} t;

static void pass(uint64_t time_ms)
{
    t.s.f.loop.time += time_ms;
    open_round_tick(t.round, uv_now(&t.s.f.loop));
}

static bool should_close(void)
{
    return open_round_should_close(t.round, HEIGHT);
}

/* ---- the round as it is at first: all is in, by two sums */

static void commit(void)
{
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        struct round_commitment commitment = {.miner = t.s.submissions[i].miner,
                                              .task = t.s.task};
        round_commitment_digest(&commitment.digest, t.s.messages[i]);
        assert_true(open_round_commitment(t.round, &commitment));
    }
}

static bool attest(const struct key *validator,
                   const Pot__AttestationBody *body)
{
    struct round_attestation opened;
    Pot__Signed *message =
        signed_make(SIGNED_ATTESTATION, &t.s.f.holdings.chain, validator, body);
    assert_int_equal(round_attestation_decode(&opened, message), POT_OK);
    bool is_taken = open_round_attestation(t.round, &opened, message);
    codec_free(message);
    return is_taken;
}

static void reveal(void)
{
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    body.task = codec_bytes(t.s.task.b, HASH_SIZE);
    body.closes = true;
    for (size_t i = 1; i < SCENE_VALIDATORS; i++) {
        assert_true(attest(t.s.keys[i], &body));
    }
    assert_true(open_round_may_reveal(t.round));
}

static void submit(size_t i)
{
    struct round_submission opened;
    assert_int_equal(round_submission_decode(&opened, t.s.messages[i]), POT_OK);
    assert_true(open_round_submission(t.round, &opened, t.s.messages[i], 0));
}

static void say_right(size_t group)
{
    for (size_t i = 1; i < SCENE_VALIDATORS; i++) {
        const struct group_word word = {.validator = *key_public(t.s.keys[i]),
                                        .group = t.names[group],
                                        .is_right = true};
        open_round_group_word(t.round, &word, 0);
    }
}

/* The loop runs for it: before time is set. */
static void make_groups(void)
{
    for (size_t i = 0; i < 2; i++) {
        group_scene_make_of(&t.s, &t.groups[i], i * OF_ONE, OF_ONE, false,
                            SUM_RIGHT);
        t.names[i] = t.groups[i].hash;
    }
    uv_update_time(&t.s.f.loop);
}

static void take_groups(void)
{
    group_trust_right(&t.s.shared.trust, key_public(t.s.aggregator));
    for (size_t i = 0; i < 2; i++) {
        assert_true(open_round_group(t.round, &t.groups[i]));
    }
    group_scene_drop_payloads(&t.s);
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        submit(i);
    }
}

static void take_sums(void)
{
    take_groups();
    say_right(0);
    say_right(1);
    assert_int_equal(t.s.shared.stats.groups_taken, 2);
}

/* ---- what validators say */

static size_t place_of(const struct hash *member)
{
    const struct hash *found = bsearch(member, t.s.members, SCENE_MEMBERS,
                                       sizeof(*t.s.members), hash_order);
    return (size_t)(found - t.s.members);
}

static int compare_judgements(const void *a, const void *b)
{
    const Pot__Judgement *const *x = a;
    const Pot__Judgement *const *y = b;
    return memcmp((*x)->submission.data, (*y)->submission.data, HASH_SIZE);
}

/* The other validators accept all members but those of these bits, on whom they
 * have the other verdict, or none. */
static void judge(unsigned others, Pot__Verdict verdict)
{
    Pot__Judgement judgements[SCENE_MEMBERS];
    Pot__Judgement *list[SCENE_MEMBERS];
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        pot__judgement__init(&judgements[i]);
        struct hash name = group_scene_find(&t.s, &t.s.members[i])->hash;
        judgements[i].submission = codec_copy_bytes(name.b, HASH_SIZE);
        judgements[i].verdict =
            (others >> i & 1) != 0 ? verdict : POT__VERDICT__VERDICT_ACCEPT;
        if (judgements[i].verdict != none) {
            list[body.n_judgements++] = &judgements[i];
        }
    }
    qsort(list, body.n_judgements, sizeof(*list), compare_judgements);
    body.task = codec_bytes(t.s.task.b, HASH_SIZE);
    body.sequence = ++t.sequence;
    body.draw = body.task;
    body.judgements = list;
    for (size_t i = 1; i < SCENE_VALIDATORS; i++) {
        assert_true(attest(t.s.keys[i], &body));
    }
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        free(judgements[i].submission.data);
    }
}

/* Bits of the members that the round could be closed with. */
static unsigned listed(void)
{
    struct round_candidate candidate;
    unsigned bits = 0;
    open_round_collect(t.round, &candidate);
    for (size_t i = 0; i < candidate.submission_count; i++) {
        bits |= 1U << place_of(&candidate.submissions[i].opened.name);
    }
    round_candidate_fini(&candidate);
    return bits;
}

/* Of the second group. */
static void bring_payloads(void)
{
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        const struct round_submission *s = &t.s.submissions[i];
        uint8_t payload[SMALL_TASK_PAYLOAD_MAX];
        size_t size = small_task_payload(payload, (int32_t)i);
        if (place_of(&s->name) >= OF_ONE) {
            (void)blob_pool_put(t.s.f.holdings.pool, &s->payload, payload,
                                size);
        }
    }
    blob_fetch_tick(t.s.fetch, uv_now(&t.s.f.loop) + 60000); /* nobody had it */
    pass(1000); /* then it is asked for again */
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    group_scene_open(&t.s);
    make_groups();
    t.record = group_scene_record(&t.s);
    t.round = open_round_new(&t.s.shared, &t.s.task, t.record, 0);
    t.opened_ms = uv_now(&t.s.f.loop);
    commit();
    reveal();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    open_round_free(t.round);
    group_scene_close(&t.s);
    return 0;
}

static void go_to(uint64_t after_ms)
{
    t.s.f.loop.time = t.opened_ms + after_ms;
    open_round_tick(t.round, uv_now(&t.s.f.loop));
}

/* So long behind the opening the others are heard. */
static void judge_at(uint64_t after_ms, unsigned others, Pot__Verdict verdict)
{
    go_to(after_ms - SHOWN_MS);
    judge(others, verdict);
    pass(0);
    pass(SHOWN_MS);
}

/* ---- */

static void whole_groups_close_it(void **state)
{
    (void)state;
    take_sums();
    judge_at(5000, NOBODY, none);
    assert_true(should_close());
    assert_int_equal(listed(), ALL);
}

static void the_other_group_stays(void **state)
{
    (void)state;
    take_sums();
    judge_at(5000, LAST, refuse);
    assert_int_equal(listed(), ALL);
    assert_false(should_close());
    assert_int_equal(listed(), FIRST_GROUP);
    bring_payloads();
    assert_int_equal(listed(), ALL);
    assert_true(should_close());
}

static void payloads_have_the_time_of_the_missing(void **state)
{
    (void)state;
    take_sums();
    judge_at(5000, LAST, refuse);
    assert_false(should_close());
    go_to(9999);
    assert_false(should_close());
    go_to(10000);
    assert_true(should_close());
    assert_int_equal(listed(), FIRST_GROUP);
}

/* One is undecided: the time that it gets is for payloads, too, and does not
 * begin anew when they are here, without which it could not be closed. */
static void nobody_gets_time_twice(void **state)
{
    (void)state;
    take_sums();
    t.record->spec->min_submissions = OF_ONE + 1;
    chain_fixture_store_task(&t.s.f, t.record);
    judge_at(5000, LAST, none);
    assert_false(should_close());
    go_to(7499);
    assert_false(should_close());
    assert_int_equal(listed(), ALL);
    go_to(7500);
    assert_false(should_close());
    assert_int_equal(listed(), FIRST_GROUP);
    go_to(8000);
    bring_payloads();
    assert_int_equal(listed(), ALL);
    go_to(9999);
    assert_false(should_close());
    go_to(10000);
    assert_true(should_close());
}

static void nobody_is_waited_for_behind_the_timeout(void **state)
{
    (void)state;
    take_sums();
    judge_at(SMALL_TASK_TIMEOUT_MS - 10000, LAST, none);
    assert_false(should_close());
    assert_int_equal(listed(), ALL);
    go_to(SMALL_TASK_TIMEOUT_MS - 5000);
    assert_false(should_close());
    assert_int_equal(listed(), FIRST_GROUP);
    go_to(SMALL_TASK_TIMEOUT_MS - 1);
    assert_false(should_close());
    go_to(SMALL_TASK_TIMEOUT_MS);
    assert_true(should_close());
}

/* Who changes its mind splits the other group as well. */
static void groups_are_split_twice_at_most(void **state)
{
    (void)state;
    take_sums();
    judge_at(5000, LAST, refuse);
    assert_false(should_close());
    go_to(7000);
    bring_payloads();
    judge(FIRST | LAST, refuse);
    assert_false(should_close());
    assert_int_equal(listed(), ALL & ~FIRST_GROUP);
    go_to(12999);
    assert_false(should_close());
    go_to(13000);
    assert_true(should_close());
}

/* Nothing is known of the last two but that they were submitted. */
static void a_wait_is_added_to_the_time_of_the_missing(void **state)
{
    (void)state;
    go_to(1000);
    take_groups();
    go_to(1100);
    say_right(0);
    say_right(1);
    judge_at(5000, ALL & ~FIRST_GROUP, none);
    assert_false(should_close());
    go_to(10099);
    assert_false(should_close());
    go_to(10100);
    assert_true(should_close());
    assert_int_equal(listed(), ALL);
}

/* However long it is that a group is waited for. */
static void waits_do_not_more_than_double_it(void **state)
{
    (void)state;
    judge_at(400, NOBODY, none);
    t.s.f.loop.time = t.opened_ms + 500;
    take_groups();
    say_right(0);
    assert_false(should_close());
    t.s.f.loop.time = t.opened_ms + 1499;
    assert_false(should_close());
    t.s.f.loop.time = t.opened_ms + 1500;
    assert_true(should_close());
    assert_int_equal(listed(), FIRST_GROUP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_groups_close_it),
        TEST(the_other_group_stays),
        TEST(payloads_have_the_time_of_the_missing),
        TEST(nobody_gets_time_twice),
        TEST(nobody_is_waited_for_behind_the_timeout),
        TEST(groups_are_split_twice_at_most),
        TEST(a_wait_is_added_to_the_time_of_the_missing),
        TEST(waits_do_not_more_than_double_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
