/* What a replica finds in what it hears: of this height, and of the last. */
#include "config.h"

#include "proto/evidence.h"
#include "tests/unit/pbft_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash other = {{7}};

/* The last step gave evidence of this kind against replica. */
static void expect_evidence(uint32_t replica, const char *kind)
{
    Pot__EvidenceBody *body;
    const struct pbft_effect *effect = bench_find(&bench, PBFT_EVIDENCE);
    assert_non_null(effect);
    assert_int_equal(effect->replica, replica);
    assert_int_equal(
        CODEC_DECODE(&body, pot__evidence_body, effect->bytes, effect->size),
        POT_OK);
    assert_int_equal(evidence_check_body(&bench.chain, body), EVIDENCE_PROVES);
    assert_string_equal(evidence_kind(body), kind);
    assert_true(codec_bytes_equal(body->validator, bench.set.keys[replica].b,
                                  PUBLIC_KEY_SIZE));
    codec_free(body);
}

static void expect_none(void)
{
    assert_null(bench_find(&bench, PBFT_EVIDENCE));
}

/* Height 1 ends with this block. */
static void end_height(void)
{
    bench_committed(&bench, 1, 0, &block.digest);
}

static void a_commit_to_another_block_than_prepared_is_evidence(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &other));
    expect_evidence(1, "votes");
}

static void evidence_is_given_once_a_replica_and_height(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &other));
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &other));
    expect_none();
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &other));
    expect_evidence(2, "votes");
}

static void what_honest_replicas_say_is_no_evidence(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    expect_none();
    assert_true(bench_send_view_change(&bench, 1, 1, prepared));
    expect_none();
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    expect_none();
    assert_true(bench_vote(&bench, commit, 2, 1, 1, &other));
    expect_none();
    codec_free(prepared);
}

static void a_view_change_that_forgets_a_commit_is_evidence(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_true(bench_send_view_change(&bench, 1, 1, NULL));
    expect_evidence(1, "commit_and_view_change");
}

static void it_is_so_when_the_commit_comes_later(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    assert_true(bench_send_view_change(&bench, 1, 3, prepared));
    assert_true(bench_vote(&bench, commit, 1, 1, 2, &block.digest));
    expect_evidence(1, "commit_and_view_change");
    codec_free(prepared);
}

static void two_view_changes_to_one_view_are_evidence(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared =
        bench_prepared(&bench, 0, &block.digest);
    assert_true(bench_send_view_change(&bench, 1, 1, prepared));
    assert_true(bench_send_view_change(&bench, 1, 1, NULL));
    expect_evidence(1, "view_changes");
    codec_free(prepared);
}

static void a_new_view_shows_evidence_too(void **state)
{
    (void)state;
    Pot__ViewChange *changes[3];
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    for (uint32_t i = 0; i < 3; i++) {
        changes[i] = bench_view_change(&bench, i, 1, NULL);
    }
    assert_true(bench_new_view(&bench, 1, changes, 3));
    expect_evidence(0, "commit_and_view_change");
    for (size_t i = 0; i < 3; i++) {
        codec_free(changes[i]);
    }
}

static void a_certificate_shows_votes(void **state)
{
    (void)state;
    Pot__PreparedCertificate *prepared = bench_prepared(&bench, 0, &other);
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_send_view_change(&bench, 2, 1, prepared));
    expect_evidence(1, "votes"); /* whose prepare is in it */
    codec_free(prepared);
}

static void nobody_accuses_himself(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, prepare, 3, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 3, 1, 0, &other));
    expect_none();
}

static void late_words_of_the_last_height_are_compared(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    end_height();
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &other));
    expect_evidence(1, "votes");
    bench.height--; /* the view change is of height 1 */
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    expect_evidence(2, "commit_and_view_change");
    bench.height++;
    assert_true(bench_vote(&bench, prepare, 0, 1, 1, &block.digest));
    assert_true(bench_vote(&bench, prepare, 0, 1, 1, &other));
    expect_evidence(0, "votes"); /* both came late */
}

static void older_words_are_not(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    end_height();
    bench_committed(&bench, 2, 0, &other);
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &other));
    expect_none();
}

static void after_a_change_of_the_set_they_are_not(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    struct public_key first = bench.set.keys[0];
    bench.set.keys[0] = bench.set.keys[2];
    bench.set.keys[2] = first;
    end_height();
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &other));
    expect_none();
}

static size_t count_sent_to(uint32_t replica)
{
    size_t count = 0;
    for (size_t i = 0; i < bench.effects.count; i++) {
        const struct pbft_effect *effect = &bench.effects.items[i];
        count += effect->type == PBFT_SEND && effect->replica == replica;
    }
    return count;
}

/* Replica 2 committed another block: if it stands there, it learns from the
 * commits of this one who said both. */
static void who_committed_another_block_is_shown_this_ones(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &other));
    end_height();
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_int_equal(count_sent_to(2), 2);
    assert_int_equal(count_sent_to(1), 0);
    for (int i = 0; i < 20; i++) {
        bench_timer(&bench, PBFT_TIMER_RESEND);
    }
    assert_int_equal(count_sent_to(2), 0); /* not for ever */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_commit_to_another_block_than_prepared_is_evidence, open_backup),
        CASE(evidence_is_given_once_a_replica_and_height, open_backup),
        CASE(what_honest_replicas_say_is_no_evidence, open_backup),
        CASE(a_view_change_that_forgets_a_commit_is_evidence, open_backup),
        CASE(it_is_so_when_the_commit_comes_later, open_backup),
        CASE(two_view_changes_to_one_view_are_evidence, open_backup),
        CASE(a_new_view_shows_evidence_too, open_backup),
        CASE(a_certificate_shows_votes, open_backup),
        CASE(nobody_accuses_himself, open_backup),
        CASE(late_words_of_the_last_height_are_compared, open_backup),
        CASE(older_words_are_not, open_backup),
        CASE(after_a_change_of_the_set_they_are_not, open_backup),
        CASE(who_committed_another_block_is_shown_this_ones, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
