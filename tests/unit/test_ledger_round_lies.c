/* Every way in which a round update can lie. */
#include "config.h"

#include "base/alloc.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "tests/unit/ledger_game.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ledger_trust check_all = {false, false};

typedef void lie_function(struct game *g, Pot__RoundUpdate *update);

static void other_loss(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->train_loss++;
}

static void other_aggregate(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->aggregate_hash.data[0] ^= 1;
}

static void other_aggregate_size(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->aggregate_bytes++;
}

static void other_parameters(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->parameters_hash.data[0] ^= 1;
}

static void more_pay(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->rewards[0]->amount++;
}

static void other_payee(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->rewards[0]->to.data[0] ^= 1;
}

static void no_pay(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    codec_free(update->rewards[--update->n_rewards]);
}

static void an_evaluation_too_many(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->evaluation = pot_alloc(sizeof(*update->evaluation));
    pot__evaluation__init(update->evaluation);
}

static void a_forged_submission(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->submissions[0]->signature.data[0] ^= 1;
}

static void a_forged_attestation(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->attestations[0]->signature.data[0] ^= 1;
}

static void other_order(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    Pot__Signed *first = update->submissions[0];
    update->submissions[0] = update->submissions[1];
    update->submissions[1] = first;
}

static void an_attestation_twice(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    codec_free(update->attestations[1]);
    update->attestations[1] = signed_copy(update->attestations[0]);
}

static void too_few_attestations(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    codec_free(update->attestations[--update->n_attestations]);
}

static void replace(Pot__Signed **slot, const Pot__Signed *message)
{
    Pot__Signed *fresh;
    memcpy(&fresh, &message, sizeof(fresh));
    codec_free(*slot);
    *slot = fresh;
}

static void a_stranger_attests(struct game *g, Pot__RoundUpdate *update)
{
    for (size_t i = 0; i < update->n_attestations; i++) {
        replace(&update->attestations[i],
                fixture_attestation(&g->f, fixture_client(&g->f, 0), &g->task,
                                    1, g->held.submissions, 3,
                                    POT__VERDICT__VERDICT_ACCEPT));
    }
}

static void a_stranger_submits(struct game *g, Pot__RoundUpdate *update)
{
    while (update->n_submissions > 1) {
        codec_free(update->submissions[--update->n_submissions]);
    }
    replace(&update->submissions[0],
            fixture_submission(&g->f, fixture_miner(&g->f, 4), &g->task, 1));
}

static void another_round_is_submitted(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    Pot__SubmissionBody *body;
    Pot__Signed *first = update->submissions[0];
    assert_int_equal(CODEC_DECODE(&body, pot__submission_body, first->body.data,
                                  first->body.len),
                     POT_OK);
    body->rows++;
    free(first->body.data);
    first->body.data = codec_encode(&first->body.len, body);
    codec_free(body);
}

static void an_unattested_one_is_refused(struct game *g,
                                         Pot__RoundUpdate *update)
{
    (void)g;
    update->refused = pot_realloc(update->refused, 1, sizeof(Pot__Signed *));
    update->refused[0] = update->submissions[--update->n_submissions];
    update->n_refused = 1;
}

static void nothing_counts(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    while (update->n_submissions > 0) {
        codec_free(update->submissions[--update->n_submissions]);
    }
    while (update->n_attestations > 0) {
        codec_free(update->attestations[--update->n_attestations]);
    }
}

static void an_idle_validator_wants_pay(struct game *g,
                                        Pot__RoundUpdate *update)
{
    for (size_t i = 0; i < update->n_attestations; i++) {
        const struct public_key *last = key_public(fixture_validator(&g->f, 2));
        if (codec_bytes_equal(update->attestations[i]->public_key, last->b,
                              32)) {
            replace(&update->attestations[i],
                    fixture_attestation(&g->f, fixture_validator(&g->f, 2),
                                        &g->task, 1, NULL, 0,
                                        POT__VERDICT__VERDICT_ACCEPT));
        }
    }
}

static void a_slash(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->slashes = pot_calloc(1, sizeof(Pot__Reward *));
    update->slashes[0] = pot_alloc(sizeof(Pot__Reward));
    pot__reward__init(update->slashes[0]);
    update->n_slashes = 1;
}

static void another_number(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->round++;
}

static void garbage(struct game *g, Pot__RoundUpdate *update)
{
    (void)g;
    update->submissions[0]->body.len--;
}

static void no_lie_passes(void **state)
{
    (void)state;
    static const struct {
        lie_function *lie;
        enum round_verdict verdict;
        size_t validators;
    } cases[] = {
        {other_loss, ROUND_LOSS, 3},
        {other_aggregate, ROUND_AGGREGATE, 3},
        {other_aggregate_size, ROUND_AGGREGATE, 3},
        {other_parameters, ROUND_PARAMETERS, 3},
        {more_pay, ROUND_REWARDS, 3},
        {other_payee, ROUND_REWARDS, 3},
        {no_pay, ROUND_REWARDS, 3},
        {a_slash, ROUND_REWARDS, 3},
        {an_evaluation_too_many, ROUND_EVALUATION, 3},
        {a_forged_submission, ROUND_BAD_SIGNATURE, 3},
        {a_forged_attestation, ROUND_BAD_SIGNATURE, 3},
        {other_order, ROUND_ORDER, 3},
        {an_attestation_twice, ROUND_ORDER, 3},
        {too_few_attestations, ROUND_NO_QUORUM, 3},
        {a_stranger_attests, ROUND_NOT_A_VALIDATOR, 3},
        {a_stranger_submits, ROUND_NOT_IN_ROSTER, 3},
        {another_round_is_submitted, ROUND_SUBMISSION, 3},
        {an_unattested_one_is_refused, ROUND_NO_QUORUM, 3},
        {an_idle_validator_wants_pay, ROUND_IDLE_ATTESTATION, 4},
        {nothing_counts, ROUND_NOT_READY, 3},
        {another_number, ROUND_NOT_OPEN, 3},
        {garbage, ROUND_MALFORMED, 3},
    };
    struct game g;
    game_open(&g);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        Pot__RoundUpdate *update;
        struct hash before;
        struct hash after;
        game_hold(&g, 3, cases[i].validators);
        assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
        cases[i].lie(&g, update);
        memory_state_digest(&before, &g.f.memory);
        assert_int_equal(
            ledger_apply_round(&g.f.env, &g.block, update, check_all),
            cases[i].verdict);
        memory_state_digest(&after, &g.f.memory);
        assert_true(hash_equal(&before, &after));
        codec_free(update);
    }
    game_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_lie_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
