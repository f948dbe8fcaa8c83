/* Rounds: made by one, applied by all. */
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

static void what_one_makes_all_apply_alike(void **state)
{
    (void)state;
    struct game g;
    struct memory_state other;
    struct hash digests[3];
    Pot__RoundUpdate *update;
    game_open(&g);
    game_hold(&g, 3, 3);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(update->n_submissions, 3);
    assert_int_equal(update->n_attestations, 3);
    memory_state_copy(&other, &g.f.memory);
    struct ledger_env env = memory_state_env(&other, &g.f.chain);
    assert_int_equal(ledger_apply_round(&env, &g.block, update, certified),
                     ROUND_ACCEPTED);
    memory_state_digest(&digests[0], &other);
    memory_state_fini(&other);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    memory_state_digest(&digests[1], &g.f.memory);
    assert_true(hash_equal(&digests[0], &digests[1]));
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_NOT_OPEN);
    fixture_end_block(&g.f);
    codec_free(update);
    game_close(&g);
}

/* Counts what is put among the blobs of another environment. */
struct counting {
    struct blobs below;
    size_t puts;
};

static bool counted_get(void *context, const struct hash *hash,
                        struct buf *value)
{
    struct counting *c = context;
    return c->below.get(c->below.context, hash, value);
}

static void counted_put(void *context, const struct hash *hash,
                        const void *data, size_t size)
{
    struct counting *c = context;
    c->puts++;
    c->below.put(c->below.context, hash, data, size);
}

static void counted_del(void *context, const struct hash *hash)
{
    struct counting *c = context;
    c->below.del(c->below.context, hash);
}

static struct ledger_env counting_env(struct counting *c,
                                      const struct ledger_env *below)
{
    struct ledger_env env = *below;
    *c = (struct counting){.below = below->blobs};
    env.blobs = (struct blobs){c, counted_get, counted_put, counted_del};
    return env;
}

/* A node counts the blocks that use a blob by what is put: the one who makes
 * a round must come to the same number as those who check it. */
static void the_maker_writes_what_the_others_write(void **state)
{
    (void)state;
    struct game g;
    struct memory_state other;
    struct hash digests[2];
    struct counting making;
    struct counting checking;
    Pot__RoundUpdate *update;
    game_open(&g);
    game_hold(&g, 3, 3);
    const struct round_candidate *c = fixture_candidate(&g.held, &g.task);
    memory_state_copy(&other, &g.f.memory);
    struct ledger_env below = memory_state_env(&other, &g.f.chain);
    struct ledger_env maker = counting_env(&making, &below);
    struct ledger_env checker = counting_env(&checking, &g.f.env);
    assert_int_equal(ledger_make_round(&maker, &g.block, c, SIZE_MAX, &update),
                     ROUND_ACCEPTED);
    assert_int_equal(ledger_apply_round(&checker, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    memory_state_digest(&digests[0], &other);
    memory_state_digest(&digests[1], &g.f.memory);
    assert_true(hash_equal(&digests[0], &digests[1]));
    assert_int_equal(making.puts, checking.puts);
    memory_state_fini(&other);
    fixture_end_block(&g.f);
    codec_free(update);
    game_close(&g);
}

static void an_update_without_room_writes_nothing(void **state)
{
    (void)state;
    struct game g;
    struct hash digests[2];
    Pot__RoundUpdate *update;
    game_open(&g);
    game_hold(&g, 3, 3);
    const struct round_candidate *c = fixture_candidate(&g.held, &g.task);
    memory_state_digest(&digests[0], &g.f.memory);
    assert_int_equal(ledger_make_round(&g.f.env, &g.block, c, 100, &update),
                     ROUND_TOO_LARGE);
    assert_null(update);
    memory_state_digest(&digests[1], &g.f.memory);
    assert_true(hash_equal(&digests[0], &digests[1]));
    game_close(&g);
}

static void pay_is_split_among_miners_validators_and_proposer(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    game_open(&g);
    game_hold(&g, 3, 4);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    /* 1000 a round: 100 for 4 validators, 50 for the proposer, 850 for 3 */
    assert_int_equal(account_of(&g.f, fixture_miner(&g.f, 0)).earned, 283);
    assert_int_equal(account_of(&g.f, fixture_validator(&g.f, 0)).earned, 25);
    assert_int_equal(account_of(&g.f, fixture_validator(&g.f, 1)).earned, 75);
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->paid, 3 * 283 + 100 + 50);
    assert_int_equal(task->escrow, 6000 - task->paid);
    assert_int_equal(task->submissions, 3);
    codec_free(task);
    fixture_end_block(&g.f);
    codec_free(update);
    game_close(&g);
}

static void the_rounds_together_take_exactly_the_budget(void **state)
{
    (void)state;
    static const uint64_t budgets[] = {7, 1000, 1001, UINT64_MAX};
    for (size_t i = 0; i < sizeof(budgets) / sizeof(*budgets); i++) {
        uint64_t sum = 0;
        for (uint32_t round = 0; round < 7; round++) {
            sum += pay_of_round(budgets[i], round, 7);
        }
        assert_true(sum == budgets[i]);
    }
}

static void a_task_completes_after_its_rounds(void **state)
{
    (void)state;
    struct game g;
    game_open(&g);
    uint64_t before = account_of(&g.f, fixture_client(&g.f, 0)).balance;
    for (uint32_t round = 0; round < 6; round++) {
        Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
        assert_int_equal(task->round, round);
        assert_int_equal(task->n_roster, 3);
        assert_int_equal(task->opened_height, g.f.height - 1);
        codec_free(task);
        assert_int_equal(fixture_play_round(&g.f, &g.task, 3, 10 * round),
                         ROUND_ACCEPTED);
    }
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->status, POT__TASK_STATUS__TASK_COMPLETED);
    assert_string_equal(task->reason, "all rounds done");
    assert_int_equal(task->evaluation->rows, 8);
    assert_int_equal(task->evaluation_round, 5);
    assert_int_equal(task->escrow, 0);
    assert_int_equal(task->n_members, 0);
    assert_int_equal(task->momentum_hash.len, 0);
    assert_int_equal(account_of(&g.f, fixture_client(&g.f, 0)).balance,
                     before + 6000 - task->paid);
    assert_int_equal(account_of(&g.f, fixture_miner(&g.f, 0)).tasks_joined, 0);
    codec_free(task);
    Pot__RoundUpdate *update;
    g.block = fixture_block(&g.f, 1);
    assert_int_equal(game_make(&g, &update), ROUND_TASK_UNKNOWN);
    game_close(&g);
}

static void both_moments_of_adam_live_as_long_as_the_task(void **state)
{
    (void)state;
    struct game g = {.held.submission_count = 0};
    fixture_open(&g.f);
    fixture_spec(&g.spec, &g.f);
    g.spec.optimizer.kind = POT__OPTIMIZER__OPTIMIZER_ADAM;
    g.spec.optimizer.beta2 = 1 << 27;
    g.spec.optimizer.epsilon = 1;
    fixture_start_task(&g.f, &g.spec, 6000, 3, &g.task);
    for (uint32_t round = 0; round < 6; round++) {
        Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
        assert_int_equal(task->steps, round);
        assert_int_equal(task->momentum_hash.len, round > 0 ? HASH_SIZE : 0);
        assert_int_equal(task->second_moment_hash.len,
                         round > 0 ? HASH_SIZE : 0);
        codec_free(task);
        assert_int_equal(fixture_play_round(&g.f, &g.task, 3, 10 * round),
                         ROUND_ACCEPTED);
        memory_state_check(&g.f.memory);
    }
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->status, POT__TASK_STATUS__TASK_COMPLETED);
    assert_int_equal(task->momentum_hash.len, 0);
    assert_int_equal(task->second_moment_hash.len, 0);
    codec_free(task);
    game_close(&g);
}

static void a_task_completes_at_its_target_accuracy(void **state)
{
    (void)state;
    struct game g;
    g = (struct game){.held.submission_count = 0};
    fixture_open(&g.f);
    fixture_spec(&g.spec, &g.f);
    g.spec.task.target_accuracy_ppm = 1;
    g.spec.task.eval_every = 1;
    fixture_start_task(&g.f, &g.spec, 6000, 2, &g.task);
    Pot__TaskRecord *task;
    for (uint32_t round = 0;; round++) {
        assert_int_equal(fixture_play_round(&g.f, &g.task, 2, round),
                         ROUND_ACCEPTED);
        task = ledger_task(&g.f.env.state, &g.task);
        if (task->evaluation->correct > 0) {
            break;
        }
        codec_free(task);
    }
    assert_string_equal(task->reason, "target accuracy reached");
    assert_int_equal(task->status, POT__TASK_STATUS__TASK_COMPLETED);
    codec_free(task);
    game_close(&g);
}

/* The roster is in the state behind the block whose hash gives the seed: it
 * stands before anybody can know that hash, and until the round closes. */
static void a_roster_is_fixed_before_its_seed_is_known(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    game_open(&g);
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->opened_height, g.f.height - 1);
    assert_int_equal(task->n_roster, 3);
    codec_free(task);
    assert_int_equal(fixture_stake(&g.f, fixture_miner(&g.f, 3),
                                   POT__STAKE_ROLE__STAKE_MINER, FIXTURE_STAKE),
                     TX_ACCEPTED);
    assert_int_equal(fixture_join(&g.f, fixture_miner(&g.f, 3), &g.task),
                     TX_ACCEPTED);
    assert_int_equal(fixture_leave(&g.f, fixture_miner(&g.f, 0), &g.task),
                     TX_ACCEPTED);
    fixture_end_block(&g.f);
    /* whoever knows the seed changes the next roster, not this one */
    task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->n_roster, 3);
    assert_int_equal(task->n_members, 3);
    size_t place;
    assert_true(roster_find(roster_of_round(task),
                            key_public(fixture_miner(&g.f, 0)), &place));
    assert_false(roster_find(roster_of_round(task),
                             key_public(fixture_miner(&g.f, 3)), &place));
    codec_free(task);
    g.block = fixture_block(&g.f, 1);
    fixture_hold(&g.f, &g.held, &g.task, 4, 3, 5);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(update->n_submissions, 3);
    codec_free(update);
    game_close(&g);
}

/* By ascending miner, and named so. */
static void assert_names_counted(const struct round_tally *tally,
                                 const Pot__RoundUpdate *update)
{
    assert_int_equal(tally->counted, update->n_submissions);
    for (size_t i = 0; i < tally->counted; i++) {
        struct round_submission s;
        assert_int_equal(round_submission_decode(&s, update->submissions[i]),
                         POT_OK);
        assert_true(hash_equal(&tally->submissions[i], &s.hash));
        round_submission_fini(&s);
    }
}

static void a_submission_needs_a_quorum(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    struct round_tally tally;
    game_open(&g);
    game_hold(&g, 3, 2);
    const struct round_candidate *c = fixture_candidate(&g.held, &g.task);
    assert_int_equal(game_make(&g, &update), ROUND_NOT_READY);
    assert_null(update);
    assert_int_equal(ledger_tally_round(&tally, &g.f.env, &g.block, c),
                     ROUND_ACCEPTED);
    assert_int_equal(tally.counted, 0);
    assert_false(tally.is_closable);
    round_tally_fini(&tally);
    g.held.attestations[g.held.attestation_count++] = fixture_attestation(
        &g.f, fixture_validator(&g.f, 3), &g.task, 1, g.held.submissions, 2,
        POT__VERDICT__VERDICT_ACCEPT_AUDITED);
    c = fixture_candidate(&g.held, &g.task);
    assert_int_equal(ledger_tally_round(&tally, &g.f.env, &g.block, c),
                     ROUND_ACCEPTED);
    assert_int_equal(tally.counted, 2);
    assert_int_equal(tally.roster, 3);
    assert_true(tally.is_closable);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_names_counted(&tally, update);
    round_tally_fini(&tally);
    codec_free(update);
    game_close(&g);
}

static void refused_submissions_are_listed_and_not_paid(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    game_open(&g);
    game_hold(&g, 2, 3);
    const Pot__Signed *bad =
        fixture_submission(&g.f, fixture_miner(&g.f, 2), &g.task, 99);
    g.held.submissions[g.held.submission_count++] = bad;
    g.held.attestations[g.held.attestation_count++] =
        fixture_attestation(&g.f, fixture_validator(&g.f, 3), &g.task, 1, &bad,
                            1, POT__VERDICT__VERDICT_REFUSE);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(update->n_refused, 0);
    assert_int_equal(update->n_attestations, 3);
    codec_free(update);
    /* validator 0 changes its mind in a later attestation */
    g.held.attestations[g.held.attestation_count++] =
        fixture_attestation(&g.f, fixture_validator(&g.f, 0), &g.task, 2, &bad,
                            1, POT__VERDICT__VERDICT_REFUSE);
    g.held.attestations[g.held.attestation_count++] = fixture_attestation(
        &g.f, fixture_validator(&g.f, 3), &g.task, 0, g.held.submissions, 2,
        POT__VERDICT__VERDICT_ACCEPT);
    assert_int_equal(game_make(&g, &update), ROUND_NOT_READY);
    g.block.height += 4;
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(update->n_submissions, 0);
    assert_int_equal(update->n_refused, 1);
    assert_int_equal(update->n_attestations, 2);
    assert_int_equal(update->n_rewards, 0);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    Pot__TaskRecord *task = ledger_task(&g.f.env.state, &g.task);
    assert_int_equal(task->rejected, 1);
    assert_int_equal(task->empty_rounds, 1);
    codec_free(task);
    codec_free(update);
    game_close(&g);
}

static void tasks_with_the_same_first_parameters_share_the_blob(void **state)
{
    (void)state;
    struct game g;
    struct hash twin;
    game_open(&g);
    assert_int_equal(
        fixture_submit(&g.f, fixture_client(&g.f, 1), &g.spec, 6000, &twin),
        TX_ACCEPTED);
    for (uint64_t round = 0; round < 6; round++) {
        assert_int_equal(fixture_play_round(&g.f, &g.task, 3, round),
                         ROUND_ACCEPTED);
    }
    assert_int_equal(fixture_cancel(&g.f, fixture_client(&g.f, 1), &twin),
                     TX_ACCEPTED);
    fixture_end_block(&g.f);
    game_close(&g);
}

static void what_is_not_held_is_named(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    Pot__RoundUpdate *made;
    struct round_submission s;
    game_open(&g);
    game_hold(&g, 3, 3);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(round_submission_decode(&s, g.held.submissions[1]),
                     POT_OK);
    g.f.env.blobs.del(&g.f.memory, &s.payload);
    round_submission_fini(&s);
    assert_int_equal(game_make(&g, &made), ROUND_PAYLOAD_MISSING);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_PAYLOAD_MISSING);
    struct hash aggregate;
    assert_true(codec_hash(&aggregate, update->aggregate_hash));
    g.f.env.blobs.del(&g.f.memory, &aggregate);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, certified),
                     ROUND_AGGREGATE_MISSING);
    codec_free(update);
    game_close(&g);
}

static void the_test_set_is_needed_only_to_check(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    Pot__RoundUpdate *made;
    game_open(&g);
    assert_int_equal(fixture_play_round(&g.f, &g.task, 3, 1), ROUND_ACCEPTED);
    g.block = fixture_block(&g.f, 1);
    game_hold(&g, 3, 3);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_non_null(update->evaluation);
    size_t count = g.f.memory.dataset_count;
    g.f.memory.dataset_count = 0;
    assert_int_equal(game_make(&g, &made), ROUND_DATASET_MISSING);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_DATASET_MISSING);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, certified),
                     ROUND_ACCEPTED);
    g.f.memory.dataset_count = count;
    codec_free(update);
    game_close(&g);
}

static void a_malformed_payload_is_named(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    game_open(&g);
    game_hold(&g, 3, 3);
    for (size_t i = 0; i < g.f.memory.blobs.count; i++) {
        g.f.memory.blobs.entries[i].value[0] ^= 0x10; /* the magic */
    }
    assert_int_equal(game_make(&g, &update), ROUND_PAYLOAD_MALFORMED);
    game_close(&g);
}

static void the_best_of_two_submissions_counts(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    game_open(&g);
    fixture_hold(&g.f, &g.held, &g.task, 2, 0, 5);
    g.held.submissions[g.held.submission_count++] =
        fixture_submission(&g.f, fixture_miner(&g.f, 0), &g.task, 50);
    for (size_t i = 0; i < 3; i++) {
        g.held.attestations[g.held.attestation_count++] = fixture_attestation(
            &g.f, fixture_validator(&g.f, i), &g.task, 1, g.held.submissions, 3,
            POT__VERDICT__VERDICT_ACCEPT);
    }
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(update->n_submissions, 2);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    codec_free(update);
    game_close(&g);
}

static void seeds_differ_by_task_round_and_block(void **state)
{
    (void)state;
    const struct hash a = {{1}};
    const struct hash b = {{2}};
    struct hash seeds[4];
    round_seed(&seeds[0], &a, 1, &b);
    round_seed(&seeds[1], &b, 1, &b);
    round_seed(&seeds[2], &a, 2, &b);
    round_seed(&seeds[3], &a, 1, &a);
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_false(hash_equal(&seeds[i], &seeds[k]));
        }
    }
}

static void unordered_judgements_are_malformed(void **state)
{
    (void)state;
    struct fixture f;
    struct round_attestation a;
    uint8_t names[2][HASH_SIZE] = {{2}, {1}};
    Pot__Judgement judgements[2];
    Pot__Judgement *list[2] = {&judgements[0], &judgements[1]};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    fixture_open(&f);
    for (size_t i = 0; i < 2; i++) {
        pot__judgement__init(&judgements[i]);
        judgements[i].submission = codec_bytes(names[i], HASH_SIZE);
        judgements[i].verdict = POT__VERDICT__VERDICT_ACCEPT;
    }
    body.task = codec_bytes(f.chain.b, HASH_SIZE);
    body.n_judgements = 2;
    body.judgements = list;
    for (int i = 0; i < 3; i++) {
        Pot__Signed *message =
            signed_make(SIGNED_ATTESTATION, &f.chain, f.keys[0], &body);
        enum pot_err err = round_attestation_decode(&a, message);
        assert_int_equal(err, i == 1 ? POT_OK : POT_EFORMAT);
        if (err == POT_OK) {
            round_attestation_fini(&a);
        }
        codec_free(message);
        names[0][0] = i == 0 ? 0 : 1;
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_makes_all_apply_alike),
        cmocka_unit_test(the_maker_writes_what_the_others_write),
        cmocka_unit_test(an_update_without_room_writes_nothing),
        cmocka_unit_test(pay_is_split_among_miners_validators_and_proposer),
        cmocka_unit_test(the_rounds_together_take_exactly_the_budget),
        cmocka_unit_test(a_task_completes_after_its_rounds),
        cmocka_unit_test(both_moments_of_adam_live_as_long_as_the_task),
        cmocka_unit_test(a_task_completes_at_its_target_accuracy),
        cmocka_unit_test(a_roster_is_fixed_before_its_seed_is_known),
        cmocka_unit_test(a_submission_needs_a_quorum),
        cmocka_unit_test(refused_submissions_are_listed_and_not_paid),
        cmocka_unit_test(tasks_with_the_same_first_parameters_share_the_blob),
        cmocka_unit_test(what_is_not_held_is_named),
        cmocka_unit_test(the_test_set_is_needed_only_to_check),
        cmocka_unit_test(a_malformed_payload_is_named),
        cmocka_unit_test(the_best_of_two_submissions_counts),
        cmocka_unit_test(seeds_differ_by_task_round_and_block),
        cmocka_unit_test(unordered_judgements_are_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
