/* Which of its plants a miner exposes, when, and by what; the ledger and the
 * intake that judge it are the real ones. */
#include "config.h"

#include "node/round/planter.h"

#include "ledger/submission.h"
#include "node/round/own_links.h"
#include "node/tx/mempool.h"
#include "node/tx/own_tx.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/intake_fixture.h"
#include "tests/unit/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVERY 1000000 /* in a million */

/* Miners 0 and 1 submit in a task with plants; miner 0 is ours. */
struct scene {
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    struct fixture_held held;
    struct hash secret; /* behind our link of the round */
    struct intake_fixture node;
    struct planter *planter;
};

static struct key *own_key(const struct scene *s)
{
    return fixture_miner(&s->f, 0);
}

static Pot__TaskRecord *record_of(const struct scene *s)
{
    return ledger_task(&s->f.env.state, &s->task);
}

static struct own_tx_config config_of(struct scene *s)
{
    return (struct own_tx_config){
        .holdings = &s->node.chain.holdings,
        .chain = s->node.chain.chain,
        .mempool = s->node.mempool,
        .intake = s->node.intake,
        .key = own_key(s),
    };
}

static void open_scene(struct scene *s, uint32_t plant_rate_ppm)
{
    memset(s, 0, sizeof(*s));
    fixture_open(&s->f);
    fixture_spec(&s->spec, &s->f);
    s->spec.task.numerics = POT__NUMERICS__NUMERICS_EXACT;
    s->spec.task.miner_stake = 6 * FIXTURE_STAKE / 10;
    s->spec.task.plant_rate_ppm = plant_rate_ppm;
    s->spec.task.min_submissions = 1;
    fixture_start_task(&s->f, &s->spec, 6000, 2, &s->task);
    intake_fixture_open(&s->node, 10);
    assert_true(hash_equal(&s->node.chain.holdings.chain, &s->f.chain));
    const struct own_tx_config config = config_of(s);
    s->planter = planter_new(&config);
}

static void close_scene(struct scene *s)
{
    planter_free(s->planter);
    intake_fixture_close(&s->node);
    fixture_held_clear(&s->held);
    fixture_close(&s->f);
}

/* Our submission, with the link that our key makes. */
static Pot__Signed *make_own(struct scene *s)
{
    struct hash link;
    Pot__SubmissionBody *body;
    Pot__TaskRecord *record = record_of(s);
    Pot__Signed *made = fixture_submission(&s->f, own_key(s), &s->task, 7);
    struct own_links *links = own_links_new(own_key(s), &s->f.chain, "plants");
    bool are_there = own_links_get(links, &s->task, record->spec->rounds,
                                   record->round, &link) &&
                     own_links_get(links, &s->task, record->spec->rounds,
                                   record->round + 1, &s->secret);
    assert_true(are_there);
    assert_int_equal(CODEC_DECODE(&body, pot__submission_body, made->body.data,
                                  made->body.len),
                     POT_OK);
    memcpy(body->link.data, link.b, HASH_SIZE);
    Pot__Signed *own =
        signed_make(SIGNED_SUBMISSION, &s->f.chain, own_key(s), body);
    codec_free(body);
    codec_free(made);
    codec_free(record);
    own_links_free(links);
    return own;
}

enum fate { REFUSED, COUNTED, AUDITED };

/* Ours is planted; the round closes: it is not counted, or validators accept
 * it, and one of them says to have audited it. */
static void play(struct scene *s, enum fate fate)
{
    Pot__RoundUpdate *update;
    struct fixture_held *held = &s->held;
    struct ledger_block block = fixture_block(&s->f, 1);
    Pot__Signed *own = make_own(s);
    planter_note(s->planter, own, &s->secret);
    held->submissions[held->submission_count++] =
        fixture_submission(&s->f, fixture_miner(&s->f, 1), &s->task, 8);
    if (fate == REFUSED) {
        codec_free(own);
    } else {
        held->submissions[held->submission_count++] = own;
    }
    for (size_t i = 0; i < 3; i++) {
        held->attestations[held->attestation_count++] = fixture_attestation(
            &s->f, fixture_validator(&s->f, i), &s->task, 1, held->submissions,
            held->submission_count,
            fate == AUDITED && i == 2 ? POT__VERDICT__VERDICT_ACCEPT_AUDITED
                                      : POT__VERDICT__VERDICT_ACCEPT);
    }
    assert_int_equal(fixture_make_round(&s->f, &block,
                                        fixture_candidate(held, &s->task),
                                        &update),
                     ROUND_ACCEPTED);
    assert_int_equal(ledger_apply_round(&s->f.env, &block, update,
                                        (struct ledger_trust){false, false}),
                     ROUND_ACCEPTED);
    codec_free(update);
    fixture_end_block(&s->f);
}

static void write_map(const struct ledger_env *env, const void *what)
{
    const struct memory_map *map = what;
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_entry *e = &map->entries[i];
        env->state.put(env->state.context, e->key, e->key_size, e->value,
                       e->value_size);
    }
}

/* The node's state is the fixture's; once. */
static void store_state(const struct scene *s)
{
    chain_fixture_store(&s->node.chain, write_map, &s->f.memory.map);
}

/* The tip moved; what lies in the mempool then: NULL: nothing. */
static Pot__TxBody *refresh(struct scene *s)
{
    Pot__TxBody *body = NULL;
    planter_refresh(s->planter, &s->f.env.state);
    intake_fixture_run(&s->node);
    const struct mempool_entry *first = mempool_first(s->node.mempool);
    if (first != NULL) {
        assert_int_equal(mempool_count(s->node.mempool), 1);
        assert_int_equal(CODEC_DECODE(&body, pot__tx_body, first->tx->body.data,
                                      first->tx->body.len),
                         POT_OK);
    }
    return body;
}

static void expect_nothing(struct scene *s)
{
    assert_null(refresh(s));
}

static void expect_challenge(struct scene *s)
{
    Pot__TxBody *body = refresh(s);
    assert_non_null(body);
    assert_int_equal(body->action_case, POT__TX_BODY__ACTION_CHALLENGE);
    assert_true(
        codec_bytes_equal(body->challenge->plant, s->secret.b, HASH_SIZE));
    codec_free(body);
}

/* ---- what is exposed */

static void a_plant_that_was_audited_is_exposed_at_once(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, EVERY);
    play(&s, AUDITED);
    store_state(&s);
    expect_challenge(&s);
    expect_challenge(&s); /* it is not sent twice */
    close_scene(&s);
}

static void one_that_nobody_audited_is_not_while_we_submit(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, EVERY);
    play(&s, COUNTED);
    store_state(&s);
    expect_nothing(&s);
    close_scene(&s);
}

static void it_is_when_we_submit_no_more(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, EVERY);
    play(&s, COUNTED);
    assert_int_equal(fixture_leave(&s.f, own_key(&s), &s.task), TX_ACCEPTED);
    fixture_end_block(&s.f);
    store_state(&s);
    expect_challenge(&s);
    close_scene(&s);
}

static void one_that_was_refused_needs_no_word(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, EVERY);
    play(&s, REFUSED);
    assert_int_equal(fixture_leave(&s.f, own_key(&s), &s.task), TX_ACCEPTED);
    fixture_end_block(&s.f);
    store_state(&s);
    expect_nothing(&s);
    close_scene(&s);
}

/* Somebody else takes the plant for a fraud. */
static void challenge_it(struct scene *s)
{
    Pot__Challenge challenge = POT__CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    Pot__Signed *copy = signed_copy(s->held.submissions[1]);
    challenge.submission = copy;
    body.action_case = POT__TX_BODY__ACTION_CHALLENGE;
    body.challenge = &challenge;
    assert_int_equal(fixture_apply(&s->f, fixture_validator(&s->f, 1), &body),
                     TX_ACCEPTED);
    codec_free(copy);
    fixture_end_block(&s->f);
}

static void expect_exposed(struct scene *s)
{
    Pot__TxBody *body = refresh(s);
    assert_non_null(body);
    assert_int_equal(body->action_case, POT__TX_BODY__ACTION_EXPOSE_PLANT);
    assert_true(
        codec_bytes_equal(body->expose_plant->plant, s->secret.b, HASH_SIZE));
    codec_free(body);
}

static void one_that_is_challenged_is_exposed(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, EVERY);
    play(&s, COUNTED);
    challenge_it(&s);
    store_state(&s);
    expect_exposed(&s);
    close_scene(&s);
}

/* The links are those of the key: nothing else is needed. */
static void a_restart_forgets_no_challenge(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, EVERY);
    play(&s, COUNTED);
    challenge_it(&s);
    store_state(&s);
    planter_free(s.planter);
    const struct own_tx_config config = config_of(&s);
    s.planter = planter_new(&config);
    expect_exposed(&s);
    close_scene(&s);
}

/* ---- what is planted */

static bool plans(struct scene *s, bool *has_link)
{
    bool is_plant;
    struct hash link;
    struct hash secret;
    Pot__TaskRecord *record = record_of(s);
    *has_link = planter_plan(s->planter, record, &link, &is_plant, &secret);
    codec_free(record);
    return is_plant;
}

static void only_tasks_with_plants_are_planted_in(void **state)
{
    struct scene s;
    bool has_link;
    (void)state;
    open_scene(&s, 0);
    store_state(&s);
    assert_false(plans(&s, &has_link));
    assert_false(has_link);
    close_scene(&s);
    open_scene(&s, EVERY);
    store_state(&s);
    assert_true(plans(&s, &has_link));
    assert_true(has_link);
    close_scene(&s);
}

/* But its link is shown: others tell by it what it planted before. */
static void who_could_not_pay_for_the_word_plants_nothing(void **state)
{
    struct scene s;
    bool has_link;
    struct account account;
    (void)state;
    open_scene(&s, EVERY);
    (void)ledger_account(&s.f.env.state, key_public(own_key(&s)), &account);
    uint8_t to[PUBLIC_KEY_SIZE] = {9};
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    transfer.to = codec_bytes(to, sizeof(to));
    transfer.amount = account.balance - FIXTURE_FEE - 1000;
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    assert_int_equal(fixture_apply(&s.f, own_key(&s), &body), TX_ACCEPTED);
    fixture_end_block(&s.f);
    store_state(&s);
    assert_false(plans(&s, &has_link));
    assert_true(has_link);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plant_that_was_audited_is_exposed_at_once),
        cmocka_unit_test(one_that_nobody_audited_is_not_while_we_submit),
        cmocka_unit_test(it_is_when_we_submit_no_more),
        cmocka_unit_test(one_that_was_refused_needs_no_word),
        cmocka_unit_test(one_that_is_challenged_is_exposed),
        cmocka_unit_test(a_restart_forgets_no_challenge),
        cmocka_unit_test(only_tasks_with_plants_are_planted_in),
        cmocka_unit_test(who_could_not_pay_for_the_word_plants_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
