/* What a validator's link makes of its attestation: whether the round lists it,
 * and what is counted. */
#include "config.h"

#include "proto/codec.h"
#include "proto/draw.h"
#include "proto/signed.h"
#include "tests/unit/ledger_game.h"
#include "tests/unit/ledger_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct ledger_trust check_all = {false, false};
static const Pot__Verdict none = POT__VERDICT__VERDICT_NONE;
static const Pot__Verdict accepted = POT__VERDICT__VERDICT_ACCEPT;
static const Pot__Verdict audited = POT__VERDICT__VERDICT_ACCEPT_AUDITED;
static const Pot__Verdict refused = POT__VERDICT__VERDICT_REFUSE;

/* Three miners; a task in which each validator draws at about that rate. */
static void open_game(struct game *g, uint32_t audit_rate_ppm)
{
    *g = (struct game){.held.submission_count = 0};
    fixture_open(&g->f);
    fixture_spec(&g->spec, &g->f);
    g->spec.task.rounds = 300;
    g->spec.task.audit_rate_ppm = audit_rate_ppm;
    fixture_start_task(&g->f, &g->spec, 6000, 3, &g->task);
    g->block = fixture_block(&g->f, 1);
}

static void end_block(struct game *g)
{
    fixture_end_block(&g->f);
    g->block = fixture_block(&g->f, 1);
}

static void speak(struct game *g, size_t validator, const struct hash *link,
                  const Pot__Verdict *verdicts)
{
    Pot__TaskRecord *record = ledger_task(&g->f.env.state, &g->task);
    struct hash own;
    fixture_link(&own, fixture_validator(&g->f, validator), record);
    g->held.attestations[g->held.attestation_count++] =
        fixture_words(&g->f, fixture_validator(&g->f, validator), record, 2,
                      link != NULL ? link : &own, g->held.submissions,
                      g->held.submission_count, verdicts);
    codec_free(record);
}

static bool is_listed(const struct game *g, const Pot__RoundUpdate *update,
                      size_t validator)
{
    const struct public_key *key =
        key_public(fixture_validator(&g->f, validator));
    for (size_t i = 0; i < update->n_attestations; i++) {
        if (codec_bytes_equal(update->attestations[i]->public_key, key->b,
                              PUBLIC_KEY_SIZE)) {
            return true;
        }
    }
    return false;
}

/* The last one that is held takes the place of its validator's. */
static void smuggle(const struct game *g, Pot__RoundUpdate *update)
{
    const Pot__Signed *last =
        g->held.attestations[g->held.attestation_count - 1];
    for (size_t i = 0; i < update->n_attestations; i++) {
        if (codec_bytes_equal(update->attestations[i]->public_key,
                              last->public_key.data, PUBLIC_KEY_SIZE)) {
            codec_free(update->attestations[i]);
            update->attestations[i] = signed_copy(last);
        }
    }
}

/* What validator 3 says the maker of a round passes over, and an update with it
 * is refused. */
static void assert_never_listed(struct game *g, const struct hash *link,
                                const Pot__Verdict *verdicts)
{
    Pot__RoundUpdate *update;
    Pot__RoundUpdate *honest;
    game_hold(g, 3, 4);
    assert_int_equal(game_make(g, &honest), ROUND_ACCEPTED);
    assert_true(is_listed(g, honest, 3));
    speak(g, 3, link, verdicts);
    assert_int_equal(game_make(g, &update), ROUND_ACCEPTED);
    assert_int_equal(update->n_attestations, 3);
    assert_false(is_listed(g, update, 3));
    smuggle(g, honest);
    assert_int_equal(
        ledger_apply_round(&g->f.env, &g->block, honest, check_all),
        ROUND_DRAW);
    codec_free(honest);
    codec_free(update);
}

static void a_plain_accept_of_what_was_drawn_is_not_listed(void **state)
{
    (void)state;
    struct game g;
    const Pot__Verdict words[] = {audited, accepted, audited};
    open_game(&g, 1000000);
    assert_never_listed(&g, NULL, words);
    game_close(&g);
}

static void what_was_drawn_may_be_audited_refused_or_left_out(void **state)
{
    (void)state;
    struct game g;
    Pot__RoundUpdate *update;
    const Pot__Verdict words[] = {audited, refused, none};
    open_game(&g, 1000000);
    game_hold(&g, 3, 3);
    speak(&g, 3, NULL, words);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_true(is_listed(&g, update, 3));
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    codec_free(update);
    end_block(&g);
    /* and it stands in its account */
    struct account account;
    (void)ledger_account(&g.f.env.state, key_public(fixture_validator(&g.f, 3)),
                         &account);
    assert_int_equal(account.audits_drawn, 3);
    assert_int_equal(account.audits_said, 2);
    game_close(&g);
}

static void a_link_that_does_not_follow_is_not_listed(void **state)
{
    (void)state;
    struct game g;
    const struct hash other = {{7}};
    const Pot__Verdict words[] = {audited, audited, audited};
    open_game(&g, 100000);
    assert_int_equal(fixture_play_round(&g.f, &g.task, 3, 1), ROUND_ACCEPTED);
    g.block = fixture_block(&g.f, 1);
    /* validators 0 to 2 were listed, the last one is free to begin */
    game_hold(&g, 3, 3);
    speak(&g, 3, &other, words);
    Pot__RoundUpdate *update;
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_true(is_listed(&g, update, 3));
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    codec_free(update);
    end_block(&g);
    /* but it has begun: its usual link is none any more */
    game_hold(&g, 3, 3);
    speak(&g, 3, NULL, words);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_false(is_listed(&g, update, 3));
    codec_free(update);
    game_close(&g);
}

static void a_round_without_a_link_is_not_listed(void **state)
{
    (void)state;
    struct game g;
    struct round_attestation opened;
    Pot__DrawsRecord *draws;
    const Pot__Verdict words[] = {audited, audited, audited};
    open_game(&g, 1000000);
    game_hold(&g, 3, 3);
    speak(&g, 3, NULL, words);
    assert_int_equal(round_attestation_decode(&opened, g.held.attestations[3]),
                     POT_OK);
    draws = ledger_draws(&g.f.env.state, &g.task);
    assert_true(ledger_draw_fits(draws, &opened));
    opened.body->draw.len = 0;
    assert_false(ledger_draw_fits(draws, &opened));
    opened.body->draw.len = HASH_SIZE;
    codec_free(draws);
    round_attestation_fini(&opened);
    game_close(&g);
}

static void links_go_with_their_task(void **state)
{
    (void)state;
    struct game g;
    open_game(&g, 100000);
    assert_int_equal(memory_state_count(&g.f.memory, "draws/"), 0);
    assert_int_equal(fixture_play_round(&g.f, &g.task, 3, 1), ROUND_ACCEPTED);
    assert_int_equal(memory_state_count(&g.f.memory, "draws/"), 1);
    assert_int_equal(fixture_cancel(&g.f, fixture_client(&g.f, 0), &g.task),
                     TX_ACCEPTED);
    assert_int_equal(memory_state_count(&g.f.memory, "draws/"), 0);
    game_close(&g);
}

/* ---- whatever validators say */

static const Pot__Verdict said[] = {
    POT__VERDICT__VERDICT_NONE,           POT__VERDICT__VERDICT_ACCEPT,
    POT__VERDICT__VERDICT_ACCEPT,         POT__VERDICT__VERDICT_ACCEPT,
    POT__VERDICT__VERDICT_ACCEPT_AUDITED, POT__VERDICT__VERDICT_REFUSE};

/* What the test itself thinks of the words of a validator. */
static bool is_honest(const Pot__TaskRecord *record, const struct hash *link,
                      const struct game *g, const Pot__Verdict *words)
{
    struct hash theta;
    struct hash own;
    assert_true(codec_hash(&theta, record->parameters_hash));
    for (size_t v = 0; v < FIXTURE_VALIDATORS; v++) {
        fixture_link(&own, fixture_validator(&g->f, v), record);
        if (hash_equal(&own, link)) {
            for (size_t i = 0; i < 3; i++) {
                if (words[i] == accepted &&
                    draw_names(link, &theta,
                               key_public(fixture_miner(&g->f, i)),
                               record->draw_rate_ppm)) {
                    return false;
                }
            }
            return true;
        }
    }
    return false;
}

/* Whoever is listed kept to its chain and does not contradict itself; and what
 * is made can be applied. */
static void play(struct game *g, struct ledger_random *random)
{
    Pot__TaskRecord *record = ledger_task(&g->f.env.state, &g->task);
    bool is_right[FIXTURE_VALIDATORS];
    bool is_useful[FIXTURE_VALIDATORS] = {false};
    Pot__RoundUpdate *update;
    game_hold(g, 3, 0);
    for (size_t v = 0; v < FIXTURE_VALIDATORS; v++) {
        Pot__Verdict words[3];
        struct hash link;
        fixture_link(&link, fixture_validator(&g->f, v), record);
        link.b[0] ^= ledger_random_below(random, 16) == 0;
        for (size_t i = 0; i < 3; i++) {
            words[i] = said[ledger_random_below(random, 6)];
            is_useful[v] |= words[i] != none;
        }
        is_right[v] = is_honest(record, &link, g, words);
        speak(g, v, &link, words);
    }
    if (game_make(g, &update) == ROUND_ACCEPTED) {
        for (size_t v = 0; v < FIXTURE_VALIDATORS; v++) {
            assert_true(!is_listed(g, update, v) ||
                        (is_right[v] && is_useful[v]));
        }
        assert_int_equal(
            ledger_apply_round(&g->f.env, &g->block, update, check_all),
            ROUND_ACCEPTED);
        codec_free(update);
    }
    codec_free(record);
    end_block(g);
}

static void only_what_keeps_to_its_draw_is_listed(void **state)
{
    (void)state;
    struct game g;
    struct ledger_random random = {1};
    open_game(&g, 600000);
    assert_int_equal(fixture_play_round(&g.f, &g.task, 3, 1), ROUND_ACCEPTED);
    Pot__RoundUpdate *update;
    /* all four show their links, and are bound from here on */
    game_hold(&g, 3, 4);
    g.block = fixture_block(&g.f, 1);
    assert_int_equal(game_make(&g, &update), ROUND_ACCEPTED);
    assert_int_equal(ledger_apply_round(&g.f.env, &g.block, update, check_all),
                     ROUND_ACCEPTED);
    codec_free(update);
    end_block(&g);
    Pot__TaskRecord *record = ledger_task(&g.f.env.state, &g.task);
    uint32_t before = record->round;
    codec_free(record);
    for (unsigned i = 0; i < 200; i++) {
        record = ledger_task(&g.f.env.state, &g.task);
        bool is_running = record->n_roster > 0;
        codec_free(record);
        if (is_running) {
            play(&g, &random);
        }
    }
    record = ledger_task(&g.f.env.state, &g.task);
    assert_true(record->round > before + 5);
    codec_free(record);
    game_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_accept_of_what_was_drawn_is_not_listed),
        cmocka_unit_test(what_was_drawn_may_be_audited_refused_or_left_out),
        cmocka_unit_test(a_link_that_does_not_follow_is_not_listed),
        cmocka_unit_test(a_round_without_a_link_is_not_listed),
        cmocka_unit_test(links_go_with_their_task),
        cmocka_unit_test(only_what_keeps_to_its_draw_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
