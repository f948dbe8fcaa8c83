#include "config.h"

#include "consensus/votes.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const Pot__Phase commit = POT__PHASE__PHASE_COMMIT;
static const struct signature signature = {{1}};

static struct votes *votes;

static int open_votes(void **state)
{
    (void)state;
    votes = pot_calloc(1, sizeof(*votes));
    votes_clear(votes, 4);
    return 0;
}

static int close_votes(void **state)
{
    (void)state;
    free(votes);
    return 0;
}

static enum votes_outcome add(uint32_t replica, uint64_t view, uint8_t salt)
{
    struct vote vote = {commit, 1, view, {{salt}}, replica};
    return votes_add(votes, &vote, &signature);
}

static void a_vote_counts_once_for_its_view_and_digest(void **state)
{
    (void)state;
    struct hash digest = {{7}};
    assert_int_equal(add(0, 2, 7), VOTES_NEW);
    assert_int_equal(add(0, 2, 7), VOTES_KNOWN);
    assert_int_equal(add(1, 2, 7), VOTES_NEW);
    assert_int_equal(add(2, 2, 8), VOTES_NEW);
    assert_int_equal(add(3, 3, 7), VOTES_NEW);
    assert_int_equal(votes_count(votes, commit, 2, &digest), 2);
    assert_int_equal(votes_count(votes, POT__PHASE__PHASE_PREPARE, 2, &digest),
                     0);
    assert_true(votes_holds_block(votes, 3, &digest));
    assert_false(votes_holds_block(votes, 2, &digest));
}

static void a_second_digest_conflicts_and_changes_nothing(void **state)
{
    (void)state;
    struct hash first = {{7}};
    assert_int_equal(add(0, 2, 7), VOTES_NEW);
    assert_int_equal(add(0, 2, 8), VOTES_CONFLICT);
    assert_int_equal(votes_count(votes, commit, 2, &first), 1);
}

static void a_flood_of_views_only_pushes_out_its_senders_own(void **state)
{
    (void)state;
    struct hash digest = {{7}};
    assert_int_equal(add(1, 2, 7), VOTES_NEW);
    for (uint64_t view = 10; view < 1000; view++) {
        assert_int_equal(add(0, view, 7), VOTES_NEW);
    }
    assert_int_equal(add(0, 3, 7), VOTES_OLD);
    assert_int_equal(votes_count(votes, commit, 2, &digest), 1);
    assert_int_equal(votes_count(votes, commit, 999, &digest), 1);
}

static void signatures_are_collected_in_ascending_order(void **state)
{
    (void)state;
    struct hash digest = {{7}};
    (void)add(3, 2, 7);
    (void)add(0, 2, 7);
    (void)add(2, 2, 7);
    struct votes_signatures out;
    votes_collect(&out, votes, commit, 2, &digest, 2);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.list[0]->replica, 0);
    assert_int_equal(out.list[1]->replica, 2);
    assert_memory_equal(out.list[1]->signature.data, &signature,
                        SIGNATURE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_vote_counts_once_for_its_view_and_digest, open_votes,
            close_votes),
        cmocka_unit_test_setup_teardown(
            a_second_digest_conflicts_and_changes_nothing, open_votes,
            close_votes),
        cmocka_unit_test_setup_teardown(
            a_flood_of_views_only_pushes_out_its_senders_own, open_votes,
            close_votes),
        cmocka_unit_test_setup_teardown(
            signatures_are_collected_in_ascending_order, open_votes,
            close_votes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
