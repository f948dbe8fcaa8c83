/* How rounds end without a gradient, and who is in the next one. */
#include "config.h"

#include "ledger/round_update.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "ledger/keys.h"
#include "ledger/pay.h"
#include "ledger/record.h"
#include "ledger/roster.h"
#include "ledger/task.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/round_room.h"
#include "proto/signed.h"
#include "tests/unit/ledger_game.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ledger_trust check_all = {false, false};
static const struct ledger_trust certified = {true, true};

static struct account account_of(const struct fixture *f, const struct key *key)
{
    struct account account;
    ledger_account(&f->env.state, key_public(key), &account);
    return account;
}

static void rounds_close_empty_when_their_time_is_up(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    game_open(&g);
    uint64_t before = account_of(&g.f, fixture_client(&g.f, 0)).balance;
    for (int round = 0; round < 2; round++) {
        for (int wait = 0; wait < 3; wait++) {
            g.block = fixture_block(&g.f, 1);
            assert_int_equal(game_make(&g, &update), ROUND_NOT_READY);
            fixture_end_block(&g.f);
        }
        g.block = fixture_block(&g.f, 1);
        assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
        assert_int_equal(
            ledger_apply_round(&g.f.env, &g.block, update, certified),
            ROUND_ACCEPTED);
        codec_free(update);
        fixture_end_block(&g.f);
    }
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->status, POT__TASK_STATUS__TASK_FAILED);
    assert_int_equal(task->paid, 0);
    codec_free(task);
    assert_int_equal(account_of(&g.f, fixture_client(&g.f, 0)).balance,
                     before + 6000);
    game_close(&g);
}

/* The genesis' blocks become so large, as if validators had come. */
static void set_block_bytes(struct fixture *f, uint64_t bytes)
{
    Pot__SupplyRecord *supply = ledger_supply(&f->env.state);
    supply->params->max_block_bytes = bytes;
    record_store(&f->env.state, keys_supply(), supply);
    codec_free(supply);
}

static void a_round_that_no_block_takes_closes_empty(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    game_open(&g);
    game_hold(&g, 3, 4);
    uint64_t block = 64 << 10;
    while (round_fits(1000, block)) {
        block -= 100;
    }
    set_block_bytes(&g.f, block);
    for (int wait = 0; wait < 3; wait++) {
        g.block = fixture_block(&g.f, 1);
        assert_int_equal(game_make(&g, &update), ROUND_NO_ROOM);
        fixture_end_block(&g.f);
    }
    g.block = fixture_block(&g.f, 1);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(update->n_submissions, 0);
    assert_int_equal(update->n_attestations, 0);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    codec_free(update);
    fixture_end_block(&g.f);
    game_close(&g);
}

static bool is_in_roster(const struct game *g, size_t miner)
{
    size_t place;
    Pot__TaskRecord *task = ledger_task(&g->f.env.state, &g->task);
    bool is_in = roster_find(roster_of_round(task),
                             key_public(fixture_miner(&g->f, miner)), &place);
    codec_free(task);
    return is_in;
}

static void members_without_room_have_turns(void **state)
{
    (void)state;
    struct game g;
    size_t turns[3] = {0};
    game_open(&g);
    uint64_t block = 64 << 10;
    while (round_miners_max(block, FIXTURE_VALIDATORS) > 2) {
        block -= 100;
    }
    assert_int_equal(round_miners_max(block, FIXTURE_VALIDATORS), 2);
    set_block_bytes(&g.f, block);
    for (uint64_t round = 0; round < 4; round++) {
        Pot__RoundUpdate *update;
        size_t miners = round == 0 ? 3 : 2;
        game_hold(&g, 3, 3);
        assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
        assert_int_equal(update->n_submissions, miners);
        assert_int_equal(
            ledger_apply_round(&g.f.env, &g.block, update, certified),
            ROUND_ACCEPTED);
        codec_free(update);
        fixture_end_block(&g.f);
        g.block = fixture_block(&g.f, 1);
        for (size_t i = 0; i < 3; i++) {
            turns[i] += is_in_roster(&g, i) ? 1 : 0;
        }
    }
    assert_int_equal(turns[0] + turns[1] + turns[2], 8);
    for (size_t i = 0; i < 3; i++) {
        assert_in_range(turns[i], 2, 3);
    }
    game_close(&g);
}

/* A submission of that miner; two validators refuse all that are held, f + 1 of
 * four. */
static void refuse(struct game *g, size_t miner)
{
    struct fixture_held *held = &g->held;
    held->submissions[held->submission_count++] =
        fixture_submission(&g->f, fixture_miner(&g->f, miner), &g->task, 99);
    for (size_t i = 0; i < 2; i++) {
        held->attestations[held->attestation_count++] = fixture_attestation(
            &g->f, fixture_validator(&g->f, i), &g->task,
            (uint32_t)held->submission_count, held->submissions,
            held->submission_count, POT__VERDICT__VERDICT_REFUSE);
    }
}

static void join(struct game *g, size_t miner)
{
    assert_int_equal(fixture_stake(&g->f, fixture_miner(&g->f, miner),
                                   POT__STAKE_ROLE__STAKE_MINER, FIXTURE_STAKE),
                     TX_ACCEPTED);
    assert_int_equal(fixture_join(&g->f, fixture_miner(&g->f, miner), &g->task),
                     TX_ACCEPTED);
    fixture_end_block(&g->f);
    g->block = fixture_block(&g->f, 1);
}

static bool is_hopeless(struct game *g)
{
    struct round_tally tally;
    assert_int_equal(ledger_tally_round(&tally, &g->f.env, &g->block,
                                        fixture_candidate(&g->held, &g->task)),
                     ROUND_ACCEPTED);
    assert_false(tally.is_overdue);
    assert_int_equal(tally.is_closable, tally.is_hopeless);
    round_tally_fini(&tally);
    return tally.is_hopeless;
}

static void a_roster_of_refused_ones_makes_way_for_others(void **state)
{
    (void)state;
    struct game g = {.held.submission_count = 0};
    Pot__RoundUpdate *update;
    fixture_open(&g.f);
    fixture_spec(&g.spec, &g.f);
    fixture_start_task(&g.f, &g.spec, 6000, 1, &g.task);
    g.block = fixture_block(&g.f, 1);
    assert_false(is_hopeless(&g));
    refuse(&g, 0);
    assert_false(is_hopeless(&g)); /* nobody would take its place */
    assert_int_equal(game_make(&g, &update), ROUND_NOT_READY);
    join(&g, 1);
    assert_true(is_hopeless(&g));
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(update->n_submissions, 0);
    assert_int_equal(update->n_refused, 1);

    /* who lists the refused one has to show who refused it */
    update->n_refused = 0;
    size_t attestations = update->n_attestations;
    update->n_attestations = 0;
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_NOT_READY);
    update->n_refused = 1;
    update->n_attestations = attestations;
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    codec_free(update);
    fixture_end_block(&g.f);
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->n_roster, 2);
    assert_int_equal(task->round, 1);
    codec_free(task);
    game_close(&g);
}

static void a_round_that_can_still_fill_up_is_not_hopeless(void **state)
{
    (void)state;
    struct game g = {.held.submission_count = 0};
    fixture_open(&g.f);
    fixture_spec(&g.spec, &g.f);
    g.spec.task.min_submissions = 2;
    fixture_start_task(&g.f, &g.spec, 6000, 3, &g.task);
    g.block = fixture_block(&g.f, 1);
    refuse(&g, 0);
    join(&g, 3);
    assert_false(is_hopeless(&g));
    fixture_held_clear(&g.held);
    refuse(&g, 0);
    refuse(&g, 1);
    assert_true(is_hopeless(&g));
    game_close(&g);
}

/* Blocks come every 1000 ms, and four are enough. */
static void blocks_that_come_fast_do_not_shorten_a_round(void **state)
{
    (void)state;
    struct game g;
    struct round_tally tally;
    game_open(&g);
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    task->spec->round_timeout_ms = 9000;
    task_store(&g.f.env, task);
    struct ledger_block block = {.height = task->opened_height +
                                           g.f.params.round_blocks_max};
    for (uint64_t more = 8999; more <= 9000; more++) {
        const struct round_candidate none = {.task = g.task};
        block.time_ms = task->opened_ms + more;
        assert_int_equal(ledger_tally_round(&tally, &g.f.env, &block, &none),
                         ROUND_ACCEPTED);
        assert_int_equal(tally.is_overdue, more == 9000);
        round_tally_fini(&tally);
    }
    codec_free(task);
    game_close(&g);
}

/* A task of so many rounds, and what becomes of it after two empty ones, or
 * after all. */
static void fails_without_miners(uint32_t rounds, int closings,
                                 const char *reason)
{
    struct game g = {.held.submission_count = 0};
    Pot__RoundUpdate *update;
    fixture_open(&g.f);
    fixture_spec(&g.spec, &g.f);
    g.spec.task.rounds = rounds;
    fixture_start_task(&g.f, &g.spec, 6000, 0, &g.task);
    for (int round = 0; round < closings; round++) {
        g.block = fixture_block(&g.f, 1);
        g.block.height += 4;
        g.f.height += 4;
        assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
        assert_int_equal(
            ledger_apply_round(&g.f.env, &g.block, update, certified),
            ROUND_ACCEPTED);
        codec_free(update);
        fixture_end_block(&g.f);
    }
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->status, POT__TASK_STATUS__TASK_FAILED);
    assert_string_equal(task->reason, reason);
    codec_free(task);
    game_close(&g);
}

static void a_task_without_miners_waits_and_then_fails(void **state)
{
    (void)state;
    fails_without_miners(3, 2,
                         "too many rounds in a row closed without a gradient");
}

static void a_task_that_trained_nothing_fails(void **state)
{
    (void)state;
    fails_without_miners(1, 1, "no round closed with a gradient");
}

static void absent_miners_are_dropped(void **state)
{
    (void)state;
    struct game g;
    game_open(&g);
    for (uint64_t round = 0; round < 3; round++) {
        assert_int_equal(account_of(&g.f, fixture_miner(&g.f, 2)).tasks_joined,
                         1);
        assert_int_equal(fixture_play_round(&g.f, &g.task, 2, round),
                         ROUND_ACCEPTED);
    }
    assert_int_equal(account_of(&g.f, fixture_miner(&g.f, 2)).tasks_joined, 0);
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->n_members, 2);
    assert_int_equal(task->n_roster, 2);
    codec_free(task);
    assert_int_equal(fixture_join(&g.f, fixture_miner(&g.f, 2), &g.task),
                     TX_ACCEPTED);
    assert_int_equal(fixture_play_round(&g.f, &g.task, 3, 7), ROUND_ACCEPTED);
    task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->submissions, 3 * 2 + 2); /* not in that roster */
    assert_int_equal(task->n_roster, 3);
    codec_free(task);
    game_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_close_empty_when_their_time_is_up),
        cmocka_unit_test(a_round_that_no_block_takes_closes_empty),
        cmocka_unit_test(members_without_room_have_turns),
        cmocka_unit_test(a_roster_of_refused_ones_makes_way_for_others),
        cmocka_unit_test(a_round_that_can_still_fill_up_is_not_hopeless),
        cmocka_unit_test(blocks_that_come_fast_do_not_shorten_a_round),
        cmocka_unit_test(a_task_without_miners_waits_and_then_fails),
        cmocka_unit_test(a_task_that_trained_nothing_fails),
        cmocka_unit_test(absent_miners_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
