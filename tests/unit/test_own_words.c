/* An open round at one of four validators: it pledges what it says, and says
 * it when others have pledged; over real connections. */
#include "config.h"

#include "node/round/open_round.h"

#include "base/alloc.h"
#include "ledger/roster.h"
#include "node/hold/blob_pool.h"
#include "node/round/own_links.h"
#include "node/round/rounds_shared.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/hearers.h"
#include "tests/unit/plant_scene.h"

#include <stdlib.h>
#include <string.h>

#define MINERS     2
#define TIMEOUT_MS 60000

/* We are validator 0; both miners have committed, a quorum has closed. */
struct table {
    struct plant_scene scene;
    struct rounds_shared shared;
    Pot__TaskRecord *record;
    struct open_round *round;
    Pot__Signed *submissions[MINERS];
    struct hearers hearers;
    unsigned told[HEARERS];  /* attestations of all kinds, to each */
    struct buf words;        /* those that are looked for, */
    unsigned heard[HEARERS]; /* and how often each has heard them */
};

static void ignore(void *context)
{
    (void)context;
}

static void ignore_task(void *context, const struct hash *task)
{
    (void)context;
    (void)task;
}

/* ---- who hears us */

static void on_heard(void *context, enum hearer who, uint8_t type,
                     const uint8_t *data, size_t size)
{
    struct table *t = context;
    t->told[who] += type == MESSAGE_ATTESTATION;
    t->heard[who] += type == MESSAGE_ATTESTATION && size == t->words.size &&
                     memcmp(data, t->words.data, size) == 0;
}

/* ---- the round */

static uint64_t now_of(const struct table *t)
{
    return t->scene.node.chain.loop.time;
}

static void tick(struct table *t, uint64_t after_ms)
{
    t->scene.node.chain.loop.time += after_ms;
    open_round_tick(t->round, now_of(t));
}

static void commit(struct table *t, size_t miner)
{
    struct round_submission opened;
    t->submissions[miner] = fixture_submission(
        &t->scene.f, fixture_miner(&t->scene.f, miner), &t->scene.task, miner);
    assert_int_equal(round_submission_decode(&opened, t->submissions[miner]),
                     POT_OK);
    const struct round_commitment commitment = {
        .miner = opened.miner, .task = opened.task, .digest = opened.digest};
    assert_true(open_round_commitment(t->round, &commitment));
    round_submission_fini(&opened);
}

static bool hear(struct table *t, size_t validator, Pot__AttestationBody *body)
{
    struct round_attestation opened;
    body->task = t->record->task;
    body->round = t->record->round;
    Pot__Signed *message =
        signed_make(SIGNED_ATTESTATION, &t->scene.f.chain,
                    fixture_validator(&t->scene.f, validator), body);
    assert_int_equal(round_attestation_decode(&opened, message), POT_OK);
    bool is_taken = open_round_attestation(t->round, &opened, message);
    codec_free(message);
    return is_taken;
}

static void close_commitments(struct table *t)
{
    tick(t, 0); /* everyone has committed: we close */
    for (size_t i = 1; i < 3; i++) {
        Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
        body.closes = true;
        assert_false(open_round_may_reveal(t->round));
        assert_true(hear(t, i, &body));
    }
    assert_true(open_round_may_reveal(t->round));
}

static int set_up(void **state)
{
    struct table *t = pot_calloc(1, sizeof(*t));
    plant_scene_open(&t->scene, 0);
    plant_scene_store(&t->scene);
    struct chain_fixture *chain = &t->scene.node.chain;
    const struct key *key = fixture_validator(&t->scene.f, 0);
    t->hearers.on_heard = on_heard;
    t->hearers.context = t;
    buf_init(&t->words, FRAME_BYTES_MAX);
    hearers_open(&t->hearers);
    t->shared = (struct rounds_shared){
        .loop = &chain->loop,
        .holdings = &chain->holdings,
        .needs = t->scene.node.needs,
        .gossip = t->hearers.gossip,
        .key = key,
        .links = own_links_new(key, &t->scene.f.chain, "draws"),
        .on_news = ignore,
        .on_reveal = ignore_task,
    };
    t->record = plant_scene_record(&t->scene);
    Pot__TaskRecord *record = plant_scene_record(&t->scene);
    record->spec->round_timeout_ms = TIMEOUT_MS;
    t->round = open_round_new(&t->shared, &t->scene.task, record, 0);
    for (size_t i = 0; i < MINERS; i++) {
        commit(t, i);
    }
    close_commitments(t);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct table *t = *state;
    open_round_free(t->round);
    for (size_t i = 0; i < MINERS; i++) {
        codec_free(t->submissions[i]);
    }
    own_links_free(t->shared.links);
    codec_free(t->record);
    plant_scene_close(&t->scene);
    hearers_close(&t->hearers);
    buf_fini(&t->words);
    free(t);
    return 0;
}

/* Its payload is here, and no gradient: so it is judged, and refused. */
static void submit(struct table *t, size_t miner)
{
    struct round_submission opened;
    assert_int_equal(round_submission_decode(&opened, t->submissions[miner]),
                     POT_OK);
    uint8_t *payload = pot_calloc(1, opened.body->payload_bytes);
    assert_true(blob_pool_put(t->scene.node.chain.holdings.pool,
                              &opened.payload, payload,
                              opened.body->payload_bytes));
    free(payload);
    assert_true(
        open_round_submission(t->round, &opened, t->submissions[miner], 0));
}

/* Of some words, on the miners of these bits of the roster. */
static bool pledge(struct table *t, size_t validator, uint8_t of)
{
    uint8_t name[HASH_SIZE] = {1};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    body.pledge = codec_bytes(name, HASH_SIZE);
    body.covers = codec_bytes(&of, 1);
    return hear(t, validator, &body);
}

static uint8_t bit_of(const struct table *t, size_t miner)
{
    size_t place;
    assert_true(roster_find(roster_of_round(t->record),
                            key_public(fixture_miner(&t->scene.f, miner)),
                            &place));
    return (uint8_t)(1 << place);
}

/* How many verdicts of ours the round would be closed with. */
static size_t count_said(const struct table *t)
{
    size_t said = 0;
    struct round_candidate candidate;
    open_round_collect(t->round, &candidate);
    for (size_t i = 0; i < candidate.attestation_count; i++) {
        said += candidate.attestations[i].opened.body->n_judgements;
    }
    round_candidate_fini(&candidate);
    return said;
}

static void it_says_nothing_before_a_quorum_has_pledged(void **state)
{
    struct table *t = *state;
    submit(t, 0);
    submit(t, 1);
    tick(t, 0);
    assert_int_equal(count_said(t), 0);
    assert_true(pledge(t, 1, 3));
    tick(t, 0);
    assert_int_equal(count_said(t), 0);
    assert_true(pledge(t, 2, 3));
    tick(t, 0);
    assert_int_equal(count_said(t), MINERS);
    assert_int_equal(t->shared.stats.attestations, 1);
    assert_false(pledge(t, 3, 3)); /* too late */
}

/* Only then may it be said what is known of the second one. */
static void its_pledge_covers_what_it_has_judged(void **state)
{
    struct table *t = *state;
    submit(t, 0);
    tick(t, 0);
    assert_true(pledge(t, 1, 3));
    assert_true(pledge(t, 2, 3));
    tick(t, 0);
    assert_int_equal(count_said(t), 0);
    submit(t, 1);
    tick(t, 0);
    assert_int_equal(count_said(t), MINERS);
    /* others may not have heard of the second pledge in time */
    assert_int_equal(t->shared.stats.attestations, 2);
}

/* After a second they have: no more is said than is needed. */
static void what_was_replaced_long_ago_is_not_said(void **state)
{
    struct table *t = *state;
    submit(t, 0);
    tick(t, 0);
    submit(t, 1);
    tick(t, 0);
    tick(t, 1000);
    assert_true(pledge(t, 1, 3));
    assert_true(pledge(t, 2, 3));
    tick(t, 0);
    assert_int_equal(count_said(t), MINERS);
    assert_int_equal(t->shared.stats.attestations, 1);
}

/* The other one is on its way to nobody else. */
static void it_says_what_it_has_when_the_others_had_their_time(void **state)
{
    struct table *t = *state;
    submit(t, 0);
    tick(t, 0);
    assert_true(pledge(t, 1, bit_of(t, 0)));
    assert_true(pledge(t, 2, bit_of(t, 0)));
    tick(t, 0);
    tick(t, 149); /* half of 300 ms */
    assert_int_equal(count_said(t), 0);
    tick(t, 1);
    assert_int_equal(count_said(t), 1);
    submit(t, 1);
    tick(t, 0);
    assert_int_equal(t->shared.stats.attestations, 2); /* it waits no more */
}

static void it_says_what_it_has_halfway_to_the_end(void **state)
{
    struct table *t = *state;
    submit(t, 0);
    tick(t, 0);
    tick(t, TIMEOUT_MS / 2 - 1);
    assert_int_equal(count_said(t), 0);
    tick(t, 1);
    assert_int_equal(count_said(t), 1);
}

static const Pot__Signed *ours_of(const struct table *t,
                                  const struct round_candidate *candidate)
{
    const Pot__Signed *ours = NULL;
    for (size_t i = 0; i < candidate->attestation_count; i++) {
        const struct candidate_attestation *words = &candidate->attestations[i];
        if (public_key_equal(&words->opened.validator,
                             key_public(t->shared.key))) {
            ours = words->message;
        }
    }
    assert_non_null(ours);
    return ours;
}

/* The words of ours that would be listed are looked for from now on. */
static void look_for_ours(struct table *t)
{
    struct round_candidate candidate;
    size_t size;
    hearers_settle(&t->hearers);
    open_round_collect(t->round, &candidate);
    uint8_t *data = codec_encode(&size, ours_of(t, &candidate));
    buf_clear(&t->words);
    buf_append(&t->words, data, size);
    free(data);
    round_candidate_fini(&candidate);
    memset(t->heard, 0, sizeof(t->heard));
}

/* Whether they go out in this tick: to validators alone. */
static bool goes_out(struct table *t, uint64_t after_ms)
{
    look_for_ours(t);
    tick(t, after_ms);
    hearers_settle(&t->hearers);
    assert_int_equal(t->heard[HEARER_FOLLOWER], 0);
    return t->heard[HEARER_FELLOW] > 0;
}

/* All miners have submitted, and a quorum has pledged: words are shown next. */
static void pledge_all(struct table *t)
{
    submit(t, 0);
    submit(t, 1);
    tick(t, 0);
    assert_true(pledge(t, 1, 3));
    assert_true(pledge(t, 2, 3));
}

/* What a tick makes each of them hear, and nothing that was before it. */
static void assert_told(struct table *t, uint64_t after_ms, unsigned times)
{
    hearers_settle(&t->hearers);
    memset(t->told, 0, sizeof(t->told));
    tick(t, after_ms);
    hearers_settle(&t->hearers);
    assert_int_equal(t->told[HEARER_FELLOW], times);
    assert_int_equal(t->told[HEARER_FOLLOWER], times);
}

static void all_hear_the_words_when_they_are_shown(void **state)
{
    struct table *t = *state;
    pledge_all(t);
    assert_told(t, 0, 1);
}

/* Who was a block behind may have dropped them; who has restarted since knows
 * of nobody's, and is primary perhaps. */
static void shown_words_are_said_again(void **state)
{
    struct table *t = *state;
    pledge_all(t);
    tick(t, 0);
    assert_int_equal(count_said(t), MINERS);
    assert_false(goes_out(t, 999));
    assert_true(goes_out(t, 1));
    assert_false(goes_out(t, 1999));
    assert_true(goes_out(t, 1));
    assert_false(goes_out(t, 3999));
    assert_true(goes_out(t, 1));
    assert_int_equal(t->shared.stats.attestations, 1); /* no other ones */
}

/* Whoever mines and has not heard it does not reveal. */
static void all_hear_of_the_closing_again(void **state)
{
    struct table *t = *state;
    assert_told(t, 999, 0);
    assert_told(t, 1, 1);
    assert_told(t, 1999, 0);
    assert_told(t, 1, 1);
    assert_told(t, 3999, 0);
    assert_told(t, 1, 1);
}

static void tell(struct table *t, enum hearer who)
{
    hearers_settle(&t->hearers);
    memset(t->told, 0, sizeof(t->told));
    open_round_tell(t->round, hearers_id(&t->hearers, who));
    hearers_settle(&t->hearers);
}

/* It has restarted perhaps, and does not wait until they are due. */
static void a_validator_that_comes_is_told_them_alone(void **state)
{
    struct table *t = *state;
    submit(t, 0);
    tick(t, 0);
    tick(t, TIMEOUT_MS / 2);
    look_for_ours(t);
    tell(t, HEARER_FELLOW);
    assert_int_equal(t->heard[HEARER_FELLOW], 1);
    assert_int_equal(t->told[HEARER_FOLLOWER], 0);
    assert_false(goes_out(t, 999)); /* to others when they were due before */
    assert_true(goes_out(t, 1));
}

static void before_they_are_shown_it_is_told_the_pledge(void **state)
{
    struct table *t = *state;
    submit(t, 0);
    tick(t, 0);
    tell(t, HEARER_FELLOW);
    assert_int_equal(t->told[HEARER_FELLOW], 2); /* and that we closed */
}

static void who_comes_and_is_none_is_told_of_the_closing(void **state)
{
    struct table *t = *state;
    pledge_all(t);
    tick(t, 0);
    look_for_ours(t);
    tell(t, HEARER_FOLLOWER);
    assert_int_equal(t->told[HEARER_FOLLOWER], 1);
    assert_int_equal(t->heard[HEARER_FOLLOWER], 0);
    assert_int_equal(t->told[HEARER_FELLOW], 0);
}

static void also_when_more_was_said_since(void **state)
{
    struct table *t = *state;
    submit(t, 0);
    tick(t, 0);
    tick(t, TIMEOUT_MS / 2);
    assert_int_equal(count_said(t), 1);
    tick(t, 500);
    submit(t, 1);
    tick(t, 0);
    assert_int_equal(t->shared.stats.attestations, 2);
    assert_false(goes_out(t, 499));
    assert_true(goes_out(t, 1));
}

/* Late words, but with ours they are enough to refuse. */
static void hear_refusals(struct table *t)
{
    struct round_attestation opened;
    Pot__Signed *message = fixture_attestation(
        &t->scene.f, fixture_validator(&t->scene.f, 1), &t->scene.task, 1,
        (const Pot__Signed *const *)t->submissions, MINERS,
        POT__VERDICT__VERDICT_REFUSE);
    assert_int_equal(round_attestation_decode(&opened, message), POT_OK);
    assert_true(open_round_attestation(t->round, &opened, message));
    codec_free(message);
    (void)open_round_should_close(t->round, 1);
    assert_int_equal(count_said(t), 2 * MINERS);
}

/* As they were not pledged, they are late themselves. */
static void so_are_the_last_that_were_not_pledged(void **state)
{
    struct table *t = *state;
    tick(t, TIMEOUT_MS / 2);
    submit(t, 0);
    tick(t, 0);
    tick(t, 500);
    submit(t, 1);
    tick(t, 0);
    assert_int_equal(t->shared.stats.attestations, 2);
    hear_refusals(t);
    assert_false(goes_out(t, 999));
    assert_true(goes_out(t, 1));
    assert_false(goes_out(t, 1000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_says_nothing_before_a_quorum_has_pledged),
        TEST(its_pledge_covers_what_it_has_judged),
        TEST(what_was_replaced_long_ago_is_not_said),
        TEST(it_says_what_it_has_when_the_others_had_their_time),
        TEST(it_says_what_it_has_halfway_to_the_end),
        TEST(all_hear_the_words_when_they_are_shown),
        TEST(shown_words_are_said_again),
        TEST(all_hear_of_the_closing_again),
        TEST(a_validator_that_comes_is_told_them_alone),
        TEST(before_they_are_shown_it_is_told_the_pledge),
        TEST(who_comes_and_is_none_is_told_of_the_closing),
        TEST(also_when_more_was_said_since),
        TEST(so_are_the_last_that_were_not_pledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
