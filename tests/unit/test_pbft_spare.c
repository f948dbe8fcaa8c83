/* Votes that nothing waits for any more: which they are, that they count for
 * nothing, and that they still show who contradicts himself. */
#include "config.h"

#include "consensus/pbft_state.h"
#include "tests/unit/pbft_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct hash other = {{7}};

/* Whether it is spare, of a vote that from brings; nothing is stepped. */
static bool is_spare(Pot__Phase phase, uint32_t replica, uint64_t view,
                     const struct hash *digest, uint32_t from)
{
    static const struct signature none;
    struct vote vote = {phase, 1, view, *digest, replica};
    Pot__Vote shown = pbft_message_vote(&vote, &none);
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    if (phase == prepare) {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PREPARE;
        message.prepare = &shown;
    } else {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_COMMIT;
        message.commit = &shown;
    }
    return pbft_is_spare(bench.pbft, &message, &bench.set.keys[from]);
}

/* Its signer sends it, and it does not hold. */
static void send_garbage(Pot__Phase phase, uint32_t replica,
                         const struct hash *digest)
{
    size_t size;
    static const struct signature wrong = {{1}};
    struct vote vote = {phase, 1, 0, *digest, replica};
    uint8_t *bytes = pbft_message_encode_vote(&size, &vote, &wrong);
    assert_true(bench_message(&bench, replica, bytes, size));
    free(bytes);
}

static bool is_evidence(void)
{
    return bench_find(&bench, PBFT_EVIDENCE) != NULL;
}

static void end_height(void)
{
    bench_committed(&bench, 1, 0, &block.digest);
}

static void prepares_are_once_the_replica_has_committed(void **state)
{
    (void)state;
    backup_prepares();
    assert_false(is_spare(prepare, 1, 0, &block.digest, 1));
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    assert_true(is_spare(prepare, 1, 0, &block.digest, 1));
    assert_false(is_spare(prepare, 1, 0, &other, 1));
    assert_false(is_spare(prepare, 1, 1, &block.digest, 1));
    assert_false(is_spare(prepare, 1, 0, &block.digest, 2)); /* in his name */
    assert_false(is_spare(prepare, 3, 0, &block.digest, 3)); /* in ours */
    assert_false(is_spare(prepare, 0, 0, &block.digest, 0)); /* a primary's */
    assert_false(is_spare(commit, 1, 0, &block.digest, 1));
}

static void commits_are_once_there_is_a_decision(void **state)
{
    (void)state;
    backup_commits();
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_false(is_spare(commit, 1, 0, &block.digest, 1));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_true(is_spare(commit, 1, 0, &block.digest, 1));
    assert_true(is_spare(prepare, 1, 0, &block.digest, 1));
    assert_false(is_spare(commit, 1, 0, &other, 1));
    end_height();
    assert_true(is_spare(commit, 1, 0, &block.digest, 1));
    assert_false(is_spare(commit, 1, 0, &other, 1));
    bench_committed(&bench, 2, 0, &other);
    assert_false(is_spare(commit, 1, 0, &block.digest, 1));
}

static void not_after_a_change_of_the_set(void **state)
{
    (void)state;
    struct public_key first = bench.set.keys[0];
    bench.set.keys[0] = bench.set.keys[2];
    bench.set.keys[2] = first;
    end_height();
    assert_false(is_spare(commit, 1, 0, &block.digest, 1));
}

static void not_what_contradicts_an_earlier_word(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &other));
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    end_height();
    assert_false(is_spare(commit, 1, 0, &block.digest, 1));
    assert_false(is_spare(commit, 2, 0, &block.digest, 2));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_true(is_evidence());
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_true(is_evidence());
}

static void what_is_kept_does_not_count(void **state)
{
    (void)state;
    struct votes *votes = &bench.pbft->votes;
    backup_commits();
    send_garbage(prepare, 1, &block.digest);
    assert_int_equal(votes_count(votes, prepare, 0, &block.digest), 2);
    assert_non_null(votes_find(votes, prepare, 0, 1));
}

/* Kept at the height, and late at the last one. */
static void what_is_kept_shows_a_second_vote(void **state)
{
    (void)state;
    backup_commits();
    assert_true(is_spare(prepare, 1, 0, &block.digest, 1));
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &other));
    assert_true(is_evidence());
    end_height();
    assert_true(is_spare(commit, 2, 0, &block.digest, 2));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &other));
    assert_true(is_evidence());
}

static void what_is_kept_shows_who_forgets(void **state)
{
    (void)state;
    end_height();
    assert_true(is_spare(commit, 1, 0, &block.digest, 1));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    bench.height--; /* the view change is of height 1 */
    assert_true(bench_send_view_change(&bench, 1, 1, NULL));
    bench.height++;
    assert_true(is_evidence());
}

/* A signature that does not hold proves nothing, and takes no vote's place. */
static void garbage_is_no_evidence(void **state)
{
    (void)state;
    backup_commits();
    send_garbage(prepare, 1, &block.digest);
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &other));
    assert_false(is_evidence());
    assert_int_equal(votes_count(&bench.pbft->votes, prepare, 0, &other), 1);
    end_height();
    send_garbage(commit, 2, &block.digest);
    bench.height--;
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    bench.height++;
    assert_false(is_evidence());
    assert_null(votes_find(&bench.pbft->last.votes, commit, 0, 2));
}

/* Nor does it keep the place of the vote that its signer sends later. */
static void garbage_gives_way(void **state)
{
    (void)state;
    end_height();
    send_garbage(commit, 1, &block.digest);
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_int_equal(
        votes_count(&bench.pbft->last.votes, commit, 0, &block.digest), 1);
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &other));
    assert_true(is_evidence());
}

/* Whoever committed another block is shown all commits that hold. */
static void what_is_kept_is_shown_if_it_holds(void **state)
{
    (void)state;
    assert_true(bench_vote(&bench, commit, 2, 1, 0, &other));
    end_height();
    send_garbage(commit, 1, &block.digest);
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_null(bench_find(&bench, PBFT_SEND));
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    bench_timer(&bench, PBFT_TIMER_RESEND);
    const struct pbft_effect *shown = bench_find(&bench, PBFT_SEND);
    assert_non_null(shown);
    assert_int_equal(shown->replica, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(prepares_are_once_the_replica_has_committed, open_backup),
        CASE(commits_are_once_there_is_a_decision, open_backup),
        CASE(not_after_a_change_of_the_set, open_backup),
        CASE(not_what_contradicts_an_earlier_word, open_backup),
        CASE(what_is_kept_does_not_count, open_backup),
        CASE(what_is_kept_shows_a_second_vote, open_backup),
        CASE(what_is_kept_shows_who_forgets, open_backup),
        CASE(garbage_is_no_evidence, open_backup),
        CASE(garbage_gives_way, open_backup),
        CASE(what_is_kept_is_shown_if_it_holds, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
