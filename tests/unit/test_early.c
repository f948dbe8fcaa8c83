/* Messages that come too soon: what is kept of them, and what is pushed out. */
#include "config.h"

#include "consensus/early.h"

#include "base/alloc.h"
#include "consensus/pbft_message.h"
#include "proto/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct signature signature = {{1}};

static struct early *early;

static int open_early(void **state)
{
    (void)state;
    early = pot_calloc(1, sizeof(*early));
    return 0;
}

static int close_early(void **state)
{
    (void)state;
    early_clear_proposal(early);
    early_clear_next(early);
    free(early);
    return 0;
}

static void keep(Pot__Phase phase, uint32_t replica, uint64_t its_view,
                 uint64_t view, bool is_next)
{
    struct vote vote = {phase, 2, its_view, {{9}}, replica};
    size_t size;
    uint8_t *bytes =
        phase == POT__PHASE__PHASE_PRE_PREPARE
            ? pbft_message_encode_pre_prepare(&size, &vote, &signature, "b", 1)
            : pbft_message_encode_vote(&size, &vote, &signature);
    Pot__ConsensusMessage *message;
    assert_int_equal(
        CODEC_DECODE(&message, pot__consensus_message, bytes, size), POT_OK);
    if (is_next) {
        early_keep_next(early, message, view);
    } else {
        early_keep_proposal(early, message, view);
    }
    codec_free(message);
    free(bytes);
}

static void keep_block(uint64_t its_view, uint64_t view, bool is_next)
{
    keep(POT__PHASE__PHASE_PRE_PREPARE, 0, its_view, view, is_next);
}

/* The view of a message that was taken; it is freed. */
static uint64_t view_of(Pot__ConsensusMessage *message)
{
    assert_non_null(message);
    uint64_t view = pbft_message_origin(message).view;
    codec_free(message);
    return view;
}

static void of_two_blocks_the_nearest_views_is_kept(void **state)
{
    (void)state;
    keep_block(7, 2, false);
    keep_block(4, 2, false);
    keep_block(5, 2, false);
    assert_null(early_take_proposal(early, 3));
    assert_int_equal(view_of(early_take_proposal(early, 4)), 4);
    assert_null(early_take_proposal(early, 9));
}

static void a_block_of_a_view_that_has_passed_makes_room(void **state)
{
    (void)state;
    keep_block(4, 2, false);
    keep_block(8, 6, false);
    assert_int_equal(view_of(early_take_proposal(early, 8)), 8);
}

static void the_next_heights_block_is_of_the_view_that_lasts(void **state)
{
    (void)state;
    keep_block(5, 3, true);
    keep_block(6, 3, true);
    keep_block(3, 3, true);
    keep_block(4, 3, true);
    assert_int_equal(view_of(early_take_next(early)), 3);
    assert_null(early_take_next(early));
}

static void a_replica_pushes_out_only_its_own(void **state)
{
    (void)state;
    for (uint64_t view = 0; view < 100; view++) {
        keep(POT__PHASE__PHASE_COMMIT, 1, view, 0, true);
    }
    keep(POT__PHASE__PHASE_PREPARE, 1, 200, 0, true);
    keep(POT__PHASE__PHASE_COMMIT, 0, 300, 0, true);
    keep_block(400, 0, true);
    assert_int_equal(view_of(early_take_next(early)), 400);
    assert_int_equal(view_of(early_take_next(early)), 300);
    assert_int_equal(view_of(early_take_next(early)), 200);
    assert_int_equal(view_of(early_take_next(early)), 99);
    assert_null(early_take_next(early));
}

#define CASE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_early, close_early)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(of_two_blocks_the_nearest_views_is_kept),
        CASE(a_block_of_a_view_that_has_passed_makes_room),
        CASE(the_next_heights_block_is_of_the_view_that_lasts),
        CASE(a_replica_pushes_out_only_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
