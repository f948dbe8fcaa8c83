/* An open round at a node that judges nothing: which attestations it takes, and
 * how long it needs payloads. */
#include "config.h"

#include "node/round/open_round.h"

#include "base/alloc.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/round/rounds_shared.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/small_task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct table {
    struct chain_fixture f;
    struct rounds_shared shared;
    struct hash task;
    struct open_round *round;
};

static void on_news(void *context)
{
    (void)context;
}

static Pot__TaskRecord *make_record(const struct hash *task)
{
    const struct public_key miners[] = {{{1}}, {{2}}, {{3}}, {{4}}};
    return small_task_record(task, miners, sizeof(miners) / sizeof(*miners));
}

static int set_up(void **state)
{
    struct table *t = pot_calloc(1, sizeof(*t));
    chain_fixture_open(&t->f);
    const struct needs_config needs = {
        .loop = &t->f.loop,
        .holdings = &t->f.holdings,
    };
    t->shared = (struct rounds_shared){
        .loop = &t->f.loop,
        .holdings = &t->f.holdings,
        .needs = needs_new(&needs),
        .on_news = on_news,
    };
    t->round = open_round_new(&t->shared, &t->task, make_record(&t->task), 0);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct table *t = *state;
    open_round_free(t->round);
    needs_stop(t->shared.needs);
    needs_free(t->shared.needs);
    chain_fixture_close(&t->f);
    free(t);
    return 0;
}

/* The validator's verdicts on so many submissions. */
static bool attest(struct table *t, uint32_t sequence, uint8_t count,
                   bool has_link)
{
    uint8_t names[SMALL_TASK_ROSTER_MAX + 1][HASH_SIZE] = {{0}};
    Pot__Judgement judgements[SMALL_TASK_ROSTER_MAX + 1];
    Pot__Judgement *list[SMALL_TASK_ROSTER_MAX + 1];
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    struct round_attestation opened;
    for (uint8_t i = 0; i < count; i++) {
        names[i][0] = i;
        pot__judgement__init(&judgements[i]);
        judgements[i].submission = codec_bytes(names[i], HASH_SIZE);
        judgements[i].verdict = POT__VERDICT__VERDICT_ACCEPT;
        list[i] = &judgements[i];
    }
    body.task = codec_bytes(t->task.b, HASH_SIZE);
    body.sequence = sequence;
    body.n_judgements = count;
    if (has_link) {
        body.draw = codec_bytes(t->task.b, HASH_SIZE);
    }
    body.judgements = list;
    Pot__Signed *message = signed_make(SIGNED_ATTESTATION, &t->f.holdings.chain,
                                       t->f.validator, &body);
    assert_int_equal(round_attestation_decode(&opened, message), POT_OK);
    bool is_taken = open_round_attestation(t->round, &opened, message);
    codec_free(message);
    return is_taken;
}

static void a_padded_attestation_is_not_taken(void **state)
{
    struct table *t = *state;
    assert_true(attest(t, 1, 1, true));
    assert_false(attest(t, 2, SMALL_TASK_ROSTER_MAX + 1, true));
    assert_true(attest(t, 2, SMALL_TASK_ROSTER_MAX, true));
    assert_false(attest(t, 2, SMALL_TASK_ROSTER_MAX, true)); /* it is known */
}

static void an_attestation_without_a_link_is_not_taken(void **state)
{
    struct table *t = *state;
    assert_false(attest(t, 1, 1, false));
    assert_true(attest(t, 1, 1, true));
}

static void submit(struct table *t, struct open_round *round)
{
    const struct hash payload = {{7}};
    const struct small_task_answer answer = {.chain = &t->f.holdings.chain,
                                             .task = open_round_task(round),
                                             .payload = &payload,
                                             .payload_bytes = 1,
                                             .salt = &payload};
    struct round_submission opened;
    Pot__Signed *message = small_task_submission(&answer, t->f.client);
    assert_int_equal(round_submission_decode(&opened, message), POT_OK);
    assert_true(open_round_submission(round, &opened, message, 0));
    codec_free(message);
}

/* A submission may name any payload, another task's too. */
static void a_payload_stays_as_long_as_a_round_that_named_it(void **state)
{
    struct table *t = *state;
    const struct hash other = {{1}};
    const struct hash payload = {{7}};
    struct blob_pool *pool = t->f.holdings.pool;
    struct open_round *round =
        open_round_new(&t->shared, &other, make_record(&other), 0);
    submit(t, t->round);
    submit(t, t->round); /* the same again: by another way */
    submit(t, round);
    assert_true(blob_pool_put(pool, &payload, "p", 1));
    open_round_close(round);
    assert_true(blob_pool_has(pool, &payload, NULL));
    open_round_close(t->round);
    assert_false(blob_pool_has(pool, &payload, NULL));
    t->round = open_round_new(&t->shared, &t->task, make_record(&t->task), 0);
}

/* At a height at which it may close empty, so much later. */
static bool should_close(struct table *t, uint64_t after_ms)
{
    t->f.loop.time += after_ms;
    return open_round_should_close(t->round,
                                   t->f.genesis.params->round_blocks_max);
}

static void a_round_that_nobody_committed_to_ends_at_its_timeout(void **state)
{
    struct table *t = *state;
    Pot__TaskRecord *record = make_record(&t->task);
    chain_fixture_store_task(&t->f, record);
    codec_free(record);
    assert_false(should_close(t, SMALL_TASK_TIMEOUT_MS - 1));
    assert_true(should_close(t, 1));
}

/* Commitments may be awaited for all of that time: who is gone behind an empty
 * round must not make the next one empty too. */
static void what_was_committed_to_has_time_to_be_revealed(void **state)
{
    struct table *t = *state;
    Pot__TaskRecord *record = make_record(&t->task);
    const struct round_commitment commitment = {.miner = {{1}},
                                                .task = t->task};
    chain_fixture_store_task(&t->f, record);
    codec_free(record);
    assert_true(open_round_commitment(t->round, &commitment));
    assert_false(should_close(t, SMALL_TASK_TIMEOUT_MS));
    assert_false(should_close(t, SMALL_TASK_TIMEOUT_MS / 2 - 1));
    assert_true(should_close(t, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_padded_attestation_is_not_taken),
        TEST(a_round_that_nobody_committed_to_ends_at_its_timeout),
        TEST(what_was_committed_to_has_time_to_be_revealed),
        TEST(a_payload_stays_as_long_as_a_round_that_named_it),
        TEST(an_attestation_without_a_link_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
