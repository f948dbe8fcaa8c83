/* What validators say of an open round: what they pledge, when they show it,
 * and whose words close the round. */
#include "config.h"

#include "node/round/attesting.h"

#include "base/alloc.h"
#include "node/round/pledges.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINERS 3
#define ALL    7 /* their bits */

static const Pot__Verdict accept = POT__VERDICT__VERDICT_ACCEPT_AUDITED;
static const Pot__Verdict refuse = POT__VERDICT__VERDICT_REFUSE;

/* Two of three miners are enough; it opened at 1000 ms. */
struct game {
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    Pot__TaskRecord *record;
    const Pot__Signed *submissions[MINERS];
    struct fixture_held held; /* of them */
    struct attesting *attesting;
    struct round_candidate candidate;
};

static int set_up(void **state)
{
    struct game *g = pot_calloc(1, sizeof(*g));
    fixture_open(&g->f);
    fixture_spec(&g->spec, &g->f);
    g->spec.task.min_submissions = 2;
    g->spec.task.round_timeout_ms = 60000;
    fixture_start_task(&g->f, &g->spec, 6000, MINERS, &g->task);
    g->record = ledger_task(&g->f.env.state, &g->task);
    fixture_hold(&g->f, &g->held, &g->task, MINERS, 0, 5);
    memcpy(g->submissions, g->held.submissions, sizeof(g->submissions));
    g->attesting = attesting_new(g->record, 1000);
    *state = g;
    return 0;
}

static int tear_down(void **state)
{
    struct game *g = *state;
    free(g->candidate.attestations);
    attesting_free(g->attesting);
    codec_free(g->record);
    fixture_held_clear(&g->held);
    fixture_close(&g->f);
    free(g);
    return 0;
}

/* ---- what they say */

/* Of the miners of these bits, which are those of the roster by no rule: their
 * submissions are the fixture's. */
static Pot__Signed *words_of(struct game *g, size_t validator,
                             uint32_t sequence, unsigned of,
                             Pot__Verdict verdict)
{
    struct hash link;
    const Pot__Signed *list[MINERS];
    Pot__Verdict verdicts[MINERS];
    size_t count = 0;
    const struct key *key = fixture_validator(&g->f, validator);
    for (size_t i = 0; i < MINERS; i++) {
        if ((of >> i & 1) != 0) {
            list[count] = g->submissions[i];
            verdicts[count++] = verdict;
        }
    }
    fixture_link(&link, key, g->record);
    return fixture_words(&g->f, key, g->record, sequence, &link, list, count,
                         verdicts);
}

static bool hear(struct game *g, const Pot__Signed *message)
{
    struct round_attestation opened;
    assert_int_equal(round_attestation_decode(&opened, message), POT_OK);
    return attesting_take(g->attesting, &opened, message);
}

static Pot__Signed *pledge_of(struct game *g, size_t validator,
                              uint32_t sequence, const Pot__Signed *words,
                              ProtobufCBinaryData covers)
{
    struct hash name;
    struct hash task = g->task;
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    signed_hash(&name, SIGNED_ATTESTATION, words);
    body.task = codec_bytes(task.b, HASH_SIZE);
    body.sequence = sequence;
    body.pledge = codec_bytes(name.b, HASH_SIZE);
    body.covers = covers;
    return signed_make(SIGNED_ATTESTATION, &g->f.chain,
                       fixture_validator(&g->f, validator), &body);
}

static bool pledge(struct game *g, size_t validator, uint32_t sequence,
                   const Pot__Signed *words, uint8_t of)
{
    Pot__Signed *message =
        pledge_of(g, validator, sequence, words, codec_bytes(&of, 1));
    bool is_taken = hear(g, message);
    codec_free(message);
    return is_taken;
}

static bool show(struct game *g, Pot__Signed *words)
{
    bool is_taken = hear(g, words);
    codec_free(words);
    return is_taken;
}

/* Pledges to accept those and, once all have, shows it. */
static void pledge_to_accept(struct game *g, size_t validator, unsigned of)
{
    Pot__Signed *words = words_of(g, validator, 1, of, accept);
    assert_true(pledge(g, validator, 1, words, (uint8_t)of));
    codec_free(words);
}

static bool accept_all(struct game *g, size_t validator)
{
    return show(g, words_of(g, validator, 1, ALL, accept));
}

static bool look_at(struct game *g, size_t expected, uint64_t now_ms)
{
    return attesting_look(g->attesting, FIXTURE_VALIDATORS, expected, 30000,
                          now_ms);
}

static bool look(struct game *g)
{
    return look_at(g, MINERS, 1000);
}

/* ---- what comes of it */

static const struct round_tally *tally(struct game *g,
                                       enum attesting_reach reach)
{
    static struct round_tally found;
    const struct ledger_block block = fixture_block(&g->f, 0);
    free(g->candidate.attestations);
    g->candidate = *fixture_candidate(&g->held, &g->task);
    free(g->candidate.attestations);
    g->candidate.attestations = NULL;
    g->candidate.attestation_count = 0;
    attesting_list(g->attesting, FIXTURE_VALIDATORS, reach, &g->candidate);
    assert_int_equal(
        ledger_tally_round(&found, &g->f.env, &block, &g->candidate),
        ROUND_ACCEPTED);
    round_tally_fini(&found); /* how many, not which */
    g->held.candidate.attestations = NULL;
    return &found;
}

/* Whether it would be paid, as tally has left it. */
static bool is_listed(const struct game *g, size_t validator)
{
    const struct public_key *key =
        key_public(fixture_validator(&g->f, validator));
    for (size_t i = 0; i < g->candidate.attestation_count; i++) {
        if (public_key_equal(&g->candidate.attestations[i].opened.validator,
                             key)) {
            return true;
        }
    }
    return false;
}

/* ---- */

static void words_are_shown_when_a_quorum_has_pledged_on_all(void **state)
{
    struct game *g = *state;
    for (size_t i = 0; i < 3; i++) {
        assert_false(look(g));
        pledge_to_accept(g, i, ALL);
    }
    assert_true(look(g));
    assert_true(look_at(g, 100, 1000)); /* it stays so */
    for (size_t i = 0; i < 3; i++) {
        assert_true(accept_all(g, i));
        assert_false(accept_all(g, i)); /* it is known */
    }
    assert_int_equal(tally(g, REACH_KEPT)->counted, MINERS);
}

static void who_copies_what_was_shown_is_not_paid(void **state)
{
    struct game *g = *state;
    for (size_t i = 0; i < 3; i++) {
        pledge_to_accept(g, i, ALL);
    }
    assert_true(look(g));
    assert_true(accept_all(g, 0));
    Pot__Signed *copy = words_of(g, 3, 1, ALL, accept);
    assert_false(pledge(g, 3, 1, copy, ALL)); /* words are shown already */
    assert_true(show(g, copy));
    /* it does not stand in for those who are about to show theirs */
    assert_int_equal(attesting_reach(g->attesting, 1299), REACH_KEPT);
    assert_int_equal(tally(g, REACH_KEPT)->counted, 0);
    assert_true(accept_all(g, 1));
    assert_true(accept_all(g, 2));
    assert_int_equal(attesting_reach(g->attesting, 1000), REACH_LATE);
    assert_int_equal(tally(g, REACH_BROKEN)->counted, MINERS);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(is_listed(g, i), i < 3);
    }
}

static void who_did_not_keep_to_a_pledge_is_counted(void **state)
{
    struct game *g = *state;
    for (size_t i = 0; i < 3; i++) {
        pledge_to_accept(g, i, ALL);
    }
    assert_true(look(g));
    assert_true(accept_all(g, 0));
    assert_true(show(g, words_of(g, 1, 1, ALL, refuse)));
    assert_true(accept_all(g, 3));
    struct attesting_unkept unkept = attesting_unkept(g->attesting);
    assert_int_equal(unkept.late, 1);   /* 3 */
    assert_int_equal(unkept.broken, 1); /* 1; of 2 nothing was heard */
    assert_true(accept_all(g, 1));      /* it keeps to it after all */
    assert_int_equal(attesting_unkept(g->attesting).broken, 0);
}

/* Two alone are no quorum: the first that makes one of them is taken. */
static void a_late_word_counts_where_others_are_too_few(void **state)
{
    struct game *g = *state;
    for (size_t i = 0; i < 2; i++) {
        pledge_to_accept(g, i, ALL);
    }
    assert_false(look_at(g, MINERS, 29999));
    assert_true(look_at(g, MINERS, 30000)); /* the limit */
    assert_true(accept_all(g, 0));
    assert_true(accept_all(g, 1));
    assert_int_equal(tally(g, REACH_LATE)->counted, 0);
    assert_true(
        show(g, words_of(g, 2, 1, 1, refuse))); /* makes no difference */
    assert_true(accept_all(g, 3));
    assert_int_equal(tally(g, REACH_KEPT)->counted, 0);
    assert_int_equal(tally(g, REACH_LATE)->counted, MINERS);
    assert_true(is_listed(g, 3));
    assert_false(is_listed(g, 2));
}

static void of_late_words_the_first_are_enough(void **state)
{
    struct game *g = *state;
    for (size_t i = 0; i < 2; i++) {
        pledge_to_accept(g, i, ALL);
    }
    assert_true(look_at(g, MINERS, 30000));
    assert_true(accept_all(g, 3));
    for (size_t i = 0; i < 3; i++) {
        assert_true(accept_all(g, i));
    }
    assert_int_equal(tally(g, REACH_BROKEN)->counted, MINERS);
    assert_true(is_listed(g, 3));
    assert_false(is_listed(g, 2));
}

/* What it had pledged and did not show leaves room for the late one, who comes
 * later than what it shows instead. */
static void who_breaks_its_pledge_comes_last(void **state)
{
    struct game *g = *state;
    for (size_t i = 0; i < 2; i++) {
        pledge_to_accept(g, i, ALL);
    }
    Pot__Signed *blind = words_of(g, 3, 1, ALL, refuse);
    assert_true(pledge(g, 3, 1, blind, ALL));
    codec_free(blind);
    assert_true(look(g));
    assert_true(accept_all(g, 0));
    assert_true(accept_all(g, 1));
    assert_true(show(g, words_of(g, 3, 2, ALL, accept)));
    assert_int_equal(attesting_reach(g->attesting, 1299), REACH_KEPT);
    assert_int_equal(attesting_reach(g->attesting, 1300), REACH_LATE);
    assert_int_equal(tally(g, REACH_LATE)->counted, 0);
    assert_int_equal(tally(g, REACH_BROKEN)->counted, MINERS);
    assert_true(accept_all(g, 2));
    assert_int_equal(tally(g, REACH_LATE)->counted, MINERS);
    assert_true(is_listed(g, 2));
    assert_false(is_listed(g, 3));
}

static void the_last_pledge_before_words_are_shown_stands(void **state)
{
    struct game *g = *state;
    Pot__Signed *one = words_of(g, 3, 1, ALL, accept);
    Pot__Signed *other = words_of(g, 3, 2, ALL, refuse);
    assert_true(pledge(g, 3, 1, one, ALL));
    assert_true(pledge(g, 3, 2, other, ALL));
    assert_false(pledge(g, 3, 1, one, ALL)); /* an older one */
    assert_false(pledge(g, 3, 2, one, ALL)); /* of the same number */
    assert_true(look_at(g, MINERS, 30000));
    assert_false(pledge(g, 3, 3, one, ALL)); /* too late */
    assert_true(show(g, one));
    (void)tally(g, REACH_KEPT);
    assert_false(is_listed(g, 3));
    assert_true(show(g, other));
    (void)tally(g, REACH_KEPT);
    assert_true(is_listed(g, 3));
}

static void who_pledges_twice_counts_once(void **state)
{
    struct game *g = *state;
    Pot__Signed *more = words_of(g, 0, 2, ALL, accept);
    pledge_to_accept(g, 0, ALL);
    pledge_to_accept(g, 1, ALL);
    assert_true(pledge(g, 0, 2, more, ALL));
    assert_false(look(g));
    codec_free(more);
}

static void who_has_shown_words_pledges_no_others(void **state)
{
    struct game *g = *state;
    Pot__Signed *words = words_of(g, 3, 2, ALL, accept);
    assert_true(accept_all(g, 3));
    assert_false(pledge(g, 3, 2, words, ALL));
    codec_free(words);
}

static void a_pledge_is_on_those_in_the_roster(void **state)
{
    struct game *g = *state;
    Pot__Signed *words = words_of(g, 0, 1, ALL, accept);
    assert_false(pledge(g, 0, 1, words, ALL + 8));
    assert_true(pledge(g, 0, 1, words, 4));
    codec_free(words);
}

/* As many as an honest one may need, and a few more. */
static void nobody_pledges_without_end(void **state)
{
    struct game *g = *state;
    uint32_t taken = 0;
    Pot__Signed *words = words_of(g, 0, 1, ALL, accept);
    while (pledge(g, 0, taken + 1, words, ALL)) {
        taken++;
        assert_true(taken < 100);
    }
    assert_int_equal(taken, 2 * MINERS + 8);
    codec_free(words);
}

static void nobody_attests_without_end(void **state)
{
    struct game *g = *state;
    uint32_t taken = 0;
    for (uint32_t i = 1; i < 100; i++) {
        taken += show(g, words_of(g, 0, i, ALL, accept)) ? 1 : 0;
    }
    assert_int_equal(taken, 2 * g->record->n_roster + 8);
    assert_true(accept_all(g, 1));
}

/* Two of three are enough; the third one is nobody's. */
static void who_is_missing_is_not_waited_for(void **state)
{
    struct game *g = *state;
    for (size_t i = 0; i < 3; i++) {
        pledge_to_accept(g, i, 3);
        assert_false(look_at(g, MINERS, 3000 + i));
    }
    assert_false(look_at(g, MINERS, 4000)); /* half of 2002 ms */
    assert_true(look_at(g, MINERS, 4003));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(attesting_since_ms(g->attesting, 4100), 4100);
        assert_true(show(g, words_of(g, i, 1, 3, accept)));
    }
    /* the rest of the time goes on from where it began */
    assert_int_equal(attesting_since_ms(g->attesting, 4100), 3002);
    assert_int_equal(attesting_since_ms(g->attesting, 2000), 2000);
    assert_int_equal(pledges_grace_ms(1000, 3002), 2002);
    assert_int_equal(pledges_grace_ms(1000, 1001), 300);
}

/* One may be faulty: two of the others show theirs for a reason. */
static void words_follow_those_of_others(void **state)
{
    struct game *g = *state;
    pledge_to_accept(g, 0, ALL);
    assert_true(accept_all(g, 1));
    assert_false(look(g));
    assert_true(accept_all(g, 2));
    assert_true(look(g));
}

/* What was pledged stays, whatever its author says behind it. */
static void more_words_extend_those_before(void **state)
{
    struct game *g = *state;
    for (size_t i = 0; i < 3; i++) {
        pledge_to_accept(g, i, i == 0 ? ALL : 3);
    }
    assert_true(look_at(g, MINERS, 30000));
    assert_true(accept_all(g, 0));
    for (size_t i = 1; i < 3; i++) {
        assert_true(show(g, words_of(g, i, 1, 3, accept)));
    }
    assert_int_equal(tally(g, REACH_LATE)->counted, 2);
    assert_true(show(g, words_of(g, 1, 2, 4, accept))); /* and takes two back */
    assert_true(show(g, words_of(g, 2, 2, ALL, accept)));
    assert_int_equal(tally(g, REACH_BROKEN)->counted, 2);
    assert_true(show(g, words_of(g, 1, 3, ALL, accept)));
    assert_int_equal(tally(g, REACH_BROKEN)->counted, MINERS);
    assert_true(is_listed(g, 1) && is_listed(g, 2));
}

/* The ledger lists nothing that accepts what its author has drawn without an
 * audit: it does not keep a late word out. */
static void what_contradicts_its_draw_stands_in_nobodys_way(void **state)
{
    struct game *g = *state;
    g->record->draw_rate_ppm = 1000000;
    Pot__Signed *lazy = words_of(g, 0, 1, ALL, POT__VERDICT__VERDICT_ACCEPT);
    assert_true(pledge(g, 0, 1, lazy, ALL));
    pledge_to_accept(g, 1, ALL);
    pledge_to_accept(g, 2, ALL);
    assert_true(look(g));
    assert_true(show(g, lazy));
    assert_true(accept_all(g, 1));
    assert_true(accept_all(g, 2));
    (void)tally(g, REACH_LATE);
    assert_true(is_listed(g, 0)); /* there is no other */
    assert_true(accept_all(g, 3));
    (void)tally(g, REACH_LATE);
    assert_false(is_listed(g, 0));
    assert_true(is_listed(g, 3));
}

/* ---- the form of a pledge */

static enum pot_err form_of(struct game *g, size_t pledge_size,
                            size_t covers_size, uint8_t last, unsigned more)
{
    static uint8_t bytes[ROUND_COVERS_MAX + 1];
    struct round_attestation opened;
    struct hash task = g->task;
    Pot__Judgement judgement = POT__JUDGEMENT__INIT;
    Pot__Judgement *list[] = {&judgement};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    memset(bytes, 0, sizeof(bytes));
    if (covers_size > 0) {
        bytes[covers_size - 1] = last;
    }
    judgement.submission = codec_bytes(task.b, HASH_SIZE);
    judgement.verdict = accept;
    body.task = codec_bytes(task.b, HASH_SIZE);
    body.pledge = codec_bytes(task.b, pledge_size);
    body.covers = codec_bytes(bytes, covers_size);
    body.closes = more == 1;
    body.n_judgements = more == 2 ? 1 : 0;
    body.judgements = list;
    body.draw = codec_bytes(task.b, more == 3 ? HASH_SIZE : 0);
    Pot__Signed *message = signed_make(SIGNED_ATTESTATION, &g->f.chain,
                                       fixture_validator(&g->f, 0), &body);
    enum pot_err err = round_attestation_decode(&opened, message);
    if (err == POT_OK) {
        assert_int_equal(round_is_pledge(&opened), pledge_size > 0);
        round_attestation_fini(&opened);
    }
    codec_free(message);
    return err;
}

static void a_pledge_says_nothing_else_and_in_one_way(void **state)
{
    struct game *g = *state;
    assert_int_equal(form_of(g, HASH_SIZE, 1, 1, 0), POT_OK);
    assert_int_equal(form_of(g, HASH_SIZE, ROUND_COVERS_MAX, 1, 0), POT_OK);
    assert_int_equal(form_of(g, 0, 0, 0, 0), POT_OK);
    assert_int_equal(form_of(g, HASH_SIZE, ROUND_COVERS_MAX + 1, 1, 0),
                     POT_EFORMAT);
    assert_int_equal(form_of(g, HASH_SIZE, 2, 0, 0), POT_EFORMAT);
    assert_int_equal(form_of(g, HASH_SIZE, 0, 0, 0), POT_EFORMAT);
    assert_int_equal(form_of(g, HASH_SIZE - 1, 1, 1, 0), POT_EFORMAT);
    assert_int_equal(form_of(g, 0, 1, 1, 0), POT_EFORMAT);
    for (unsigned more = 1; more <= 3; more++) {
        assert_int_equal(form_of(g, HASH_SIZE, 1, 1, more), POT_EFORMAT);
    }
}

/* ---- whatever they say, in any order */

static uint32_t draw(uint32_t *seed, uint32_t bound)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % bound;
}

/* Some pledge and keep it, some say something else, some are late. */
static void play(struct game *g, uint32_t *seed)
{
    Pot__Signed *words[FIXTURE_VALIDATORS];
    for (size_t i = 0; i < FIXTURE_VALIDATORS; i++) {
        unsigned of = draw(seed, ALL) + 1;
        words[i] = words_of(g, i, 1, of, draw(seed, 4) > 0 ? accept : refuse);
        if (draw(seed, 3) > 0) {
            assert_true(pledge(g, i, 1, words[i], (uint8_t)of));
        }
        if (draw(seed, 3) == 0) {
            codec_free(words[i]);
            words[i] = words_of(g, i, 2, draw(seed, ALL) + 1, accept);
        }
    }
    size_t first = draw(seed, FIXTURE_VALIDATORS);
    for (size_t i = 0; i < FIXTURE_VALIDATORS; i++) {
        size_t at = (first + i) % FIXTURE_VALIDATORS;
        assert_true(show(g, words[at]));
        if (draw(seed, 2) == 0) {
            (void)show(g, words_of(g, at, 3, ALL, accept));
        }
    }
}

static size_t decided(const struct round_tally *tally)
{
    return tally->counted + tally->refused;
}

static void late_words_cost_no_miner_anything(void **state)
{
    struct game *g = *state;
    uint32_t seed = 7;
    size_t differences = 0;
    for (size_t game = 0; game < 300; game++) {
        play(g, &seed);
        size_t kept = decided(tally(g, REACH_KEPT));
        size_t listed = g->candidate.attestation_count;
        size_t late = decided(tally(g, REACH_LATE));
        size_t all = decided(tally(g, REACH_BROKEN));
        assert_true(kept <= late && late <= all);
        if (all == kept) { /* nobody was needed: nobody else is paid */
            assert_int_equal(g->candidate.attestation_count, listed);
        }
        differences += all > kept ? 1 : 0;
        attesting_free(g->attesting);
        g->attesting = attesting_new(g->record, 1000);
    }
    assert_true(differences > 30 && differences < 270);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(words_are_shown_when_a_quorum_has_pledged_on_all),
        TEST(who_copies_what_was_shown_is_not_paid),
        TEST(who_did_not_keep_to_a_pledge_is_counted),
        TEST(a_late_word_counts_where_others_are_too_few),
        TEST(of_late_words_the_first_are_enough),
        TEST(who_breaks_its_pledge_comes_last),
        TEST(the_last_pledge_before_words_are_shown_stands),
        TEST(who_pledges_twice_counts_once),
        TEST(who_has_shown_words_pledges_no_others),
        TEST(a_pledge_is_on_those_in_the_roster),
        TEST(nobody_pledges_without_end),
        TEST(nobody_attests_without_end),
        TEST(who_is_missing_is_not_waited_for),
        TEST(words_follow_those_of_others),
        TEST(more_words_extend_those_before),
        TEST(what_contradicts_its_draw_stands_in_nobodys_way),
        TEST(a_pledge_says_nothing_else_and_in_one_way),
        TEST(late_words_cost_no_miner_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
