/* Commitments of an open round: who may commit, until when, and when miners
 * show what they have committed to. */
#include "config.h"

#include "node/round/committing.h"

#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct game {
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    Pot__TaskRecord *record;
    struct validator_set set;
    struct committing *committing;
};

/* Two miners in the roster are enough; it is 1000 ms. */
static void open_game_of(struct game *g, size_t miners)
{
    fixture_open(&g->f);
    fixture_spec(&g->spec, &g->f);
    g->spec.task.min_submissions = 2;
    g->spec.task.round_timeout_ms = 60000;
    fixture_start_task(&g->f, &g->spec, 6000, miners, &g->task);
    g->record = ledger_task(&g->f.env.state, &g->task);
    ledger_validators(&g->f.env.state, &g->set);
    g->committing = committing_new(g->record, 0, 1000);
}

static void open_game(struct game *g)
{
    open_game_of(g, 3);
}

static void close_game(struct game *g)
{
    committing_free(g->committing);
    codec_free(g->record);
    fixture_close(&g->f);
}

/* What a miner has made, whose gradient follows from salt. */
static void make(struct round_submission *out, struct game *g, size_t miner,
                 uint64_t salt)
{
    Pot__Signed *message =
        fixture_submission(&g->f, fixture_miner(&g->f, miner), &g->task, salt);
    assert_int_equal(round_submission_decode(out, message), POT_OK);
    codec_free(message);
}

static bool commit_at(struct game *g, size_t miner, uint64_t salt,
                      uint64_t now_ms)
{
    struct round_submission submission;
    make(&submission, g, miner, salt);
    const struct round_commitment commitment = {
        .miner = submission.miner,
        .task = g->task,
        .digest = submission.digest,
    };
    round_submission_fini(&submission);
    return committing_take(g->committing, &commitment, now_ms);
}

static bool commit(struct game *g, size_t miner, uint64_t salt)
{
    return commit_at(g, miner, salt, 1000);
}

/* The round closes, the first miners being counted, and the next one opens;
 * it is 1000 ms again. */
static void close_round(struct game *g, size_t counted)
{
    assert_int_equal(fixture_play_round(&g->f, &g->task, counted, 3),
                     ROUND_ACCEPTED);
    Pot__TaskRecord *after = ledger_task(&g->f.env.state, &g->task);
    assert_int_equal(after->round, g->record->round + 1);
    struct committing *next =
        committing_new(after, committing_pace(g->committing, after), 1000);
    committing_free(g->committing);
    codec_free(g->record);
    g->committing = next;
    g->record = after;
}

static bool holds(struct game *g, size_t miner, uint64_t salt)
{
    struct round_submission submission;
    make(&submission, g, miner, salt);
    bool is_held = committing_holds(g->committing, &submission);
    round_submission_fini(&submission);
    return is_held;
}

static void what_was_committed_to_is_what_counts(void **state)
{
    (void)state;
    struct game g;
    open_game(&g);
    assert_true(commit(&g, 0, 5));
    assert_true(commit(&g, 0, 5));  /* the same: by another way */
    assert_false(commit(&g, 0, 6)); /* the first one stands */
    assert_false(commit(&g, 3, 7)); /* not in the roster */
    assert_true(holds(&g, 0, 5));
    assert_false(holds(&g, 0, 6));
    assert_false(holds(&g, 1, 5)); /* another's gradient, and no word before */
    close_game(&g);
}

/* The same gradient of another miner, round or salt is another commitment. */
static void a_commitment_is_bound_to_miner_round_and_salt(void **state)
{
    (void)state;
    struct game g;
    struct hash digests[4];
    open_game(&g);
    Pot__Signed *messages[4];
    for (size_t i = 0; i < 4; i++) {
        Pot__SubmissionBody *body;
        Pot__Signed *message = fixture_submission(
            &g.f, fixture_miner(&g.f, i == 1 ? 1 : 0), &g.task, 5);
        assert_int_equal(CODEC_DECODE(&body, pot__submission_body,
                                      message->body.data, message->body.len),
                         POT_OK);
        body->round += i == 2 ? 1 : 0;
        body->salt.data[0] ^= i == 3 ? 1 : 0;
        messages[i] = signed_make(SIGNED_SUBMISSION, &g.f.chain,
                                  fixture_miner(&g.f, i == 1 ? 1 : 0), body);
        round_commitment_digest(&digests[i], messages[i]);
        codec_free(body);
        codec_free(message);
    }
    for (size_t i = 1; i < 4; i++) {
        assert_false(hash_equal(&digests[0], &digests[i]));
        codec_free(messages[i]);
    }
    codec_free(messages[0]);
    close_game(&g);
}

static void who_commits_after_the_end_is_too_late(void **state)
{
    (void)state;
    struct game g;
    open_game(&g);
    assert_false(committing_is_due(g.committing, 90000)); /* none is enough */
    assert_true(commit(&g, 0, 5));
    assert_false(committing_is_due(g.committing, 1100));
    assert_true(commit_at(&g, 1, 6, 1100));
    /* enough, and the third one gets as long again, but 300 ms at least */
    assert_false(committing_is_due(g.committing, 1100));
    assert_false(committing_is_due(g.committing, 1399));
    assert_int_equal(committing_expected(g.committing), 3);
    assert_true(committing_is_due(g.committing, 1400));
    committing_close(g.committing);
    assert_int_equal(committing_expected(g.committing), 2);
    assert_false(commit(&g, 2, 7));
    assert_false(holds(&g, 2, 7));
    assert_false(committing_is_due(g.committing, 90000)); /* it has */
    close_game(&g);
}

static void it_ends_at_once_when_everyone_has_committed(void **state)
{
    (void)state;
    struct game g;
    open_game(&g);
    for (size_t i = 0; i < 3; i++) {
        assert_false(committing_is_due(g.committing, 1001));
        assert_true(commit(&g, i, i));
    }
    assert_true(committing_is_due(g.committing, 1001));
    close_game(&g);
}

/* Miners 2 to 4, more than are enough, commit at once and reveal nothing. */
static void commit_hostile(struct game *g)
{
    for (size_t i = 2; i < 5; i++) {
        assert_true(commit(g, i, i));
    }
}

static void who_reveals_nothing_cannot_end_the_next_round_too(void **state)
{
    (void)state;
    struct game g;
    open_game_of(&g, 5);
    commit_hostile(&g);
    assert_true(committing_is_due(g.committing, 1300)); /* nobody knew better */
    for (uint32_t i = 0; i < 60; i++) {                 /* a second each */
        fixture_end_block(&g.f);
    }
    close_round(&g, 0);
    assert_int_equal(g.record->empty_rounds, 1);
    commit_hostile(&g);
    assert_false(committing_is_due(g.committing, 60999));
    assert_true(commit_at(&g, 0, 5, 60999));
    assert_true(committing_is_due(g.committing, 61000));
    close_game(&g);
}

static void who_reveals_nothing_does_not_shorten_the_time_of_others(
    void **state)
{
    (void)state;
    struct game g;
    open_game_of(&g, 5);
    commit_hostile(&g);
    assert_true(commit_at(&g, 0, 0, 4000));
    assert_true(commit_at(&g, 1, 1, 6000)); /* enough of the counted */
    close_round(&g, 2);
    for (uint64_t salt = 5; salt < 7; salt++) {
        commit_hostile(&g);
        assert_false(committing_is_due(g.committing, 10999));
        assert_true(committing_is_due(g.committing, 11000));
        assert_true(commit_at(&g, 0, salt, 4000));
        assert_true(commit_at(&g, 1, salt, 6000));
        close_round(&g, 2);
    }
    close_game(&g);
}

/* Who leaves and joins again has not been counted. */
static void the_pace_is_that_of_those_who_were_counted(void **state)
{
    (void)state;
    struct game g;
    open_game_of(&g, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(commit_at(&g, i, i, i < 2 ? 3000 : 1000));
    }
    for (size_t i = 2; i < 4; i++) {
        const struct key *miner = fixture_miner(&g.f, i);
        assert_int_equal(fixture_leave(&g.f, miner, &g.task), TX_ACCEPTED);
        assert_int_equal(fixture_join(&g.f, miner, &g.task), TX_ACCEPTED);
    }
    assert_int_equal(committing_pace(g.committing, g.record), 0);
    close_round(&g, 2);
    assert_int_equal(committing_pace(g.committing, g.record), 2000);
    close_game(&g);
}

static void miners_wait_for_a_quorum_that_takes_no_more(void **state)
{
    (void)state;
    struct game g;
    open_game(&g);
    for (size_t i = 0; i < 3; i++) {
        const struct public_key *key = key_public(fixture_validator(&g.f, i));
        assert_false(committing_is_over(g.committing, &g.set));
        assert_true(committing_closes(g.committing, &g.set, key));
        assert_false(committing_closes(g.committing, &g.set, key));
        assert_false(committing_closes(g.committing, &g.set,
                                       key_public(fixture_miner(&g.f, i))));
    }
    assert_true(committing_is_over(g.committing, &g.set));
    close_game(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_committed_to_is_what_counts),
        cmocka_unit_test(a_commitment_is_bound_to_miner_round_and_salt),
        cmocka_unit_test(who_commits_after_the_end_is_too_late),
        cmocka_unit_test(it_ends_at_once_when_everyone_has_committed),
        cmocka_unit_test(who_reveals_nothing_cannot_end_the_next_round_too),
        cmocka_unit_test(
            who_reveals_nothing_does_not_shorten_the_time_of_others),
        cmocka_unit_test(the_pace_is_that_of_those_who_were_counted),
        cmocka_unit_test(miners_wait_for_a_quorum_that_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
