/* Which of its plants a miner exposes, when, and by what; the ledger and the
 * intake that judge it are the real ones. */
#include "config.h"

#include "node/round/planter.h"

#include "node/tx/own_tx.h"
#include "proto/codec.h"
#include "tests/unit/plant_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define EVERY 1000000 /* in a million */

struct desk {
    struct plant_scene scene;
    struct planter *planter;
};

static void open_desk(struct desk *d, uint32_t plant_rate_ppm)
{
    plant_scene_open(&d->scene, plant_rate_ppm);
    const struct own_tx_config config =
        plant_scene_config(&d->scene, plant_scene_key(&d->scene));
    d->planter = planter_new(&config);
}

static void close_desk(struct desk *d)
{
    planter_free(d->planter);
    plant_scene_close(&d->scene);
}

static void plant(struct desk *d, enum plant_fate fate)
{
    plant_scene_submit(&d->scene);
    planter_note(d->planter, d->scene.own, &d->scene.secret);
    plant_scene_play(&d->scene, fate);
}

static void leave(struct desk *d)
{
    struct plant_scene *s = &d->scene;
    assert_int_equal(fixture_leave(&s->f, plant_scene_key(s), &s->task),
                     TX_ACCEPTED);
    fixture_end_block(&s->f);
}

/* The tip moved; what was sent. */
static Pot__TxBody *refresh(struct desk *d)
{
    planter_refresh(d->planter, &d->scene.f.env.state);
    return plant_scene_pending(&d->scene);
}

static void expect_nothing(struct desk *d)
{
    assert_null(refresh(d));
}

static void expect_challenge(struct desk *d)
{
    Pot__TxBody *body = refresh(d);
    assert_non_null(body);
    assert_int_equal(body->action_case, POT__TX_BODY__ACTION_CHALLENGE);
    assert_true(codec_bytes_equal(body->challenge->plant, d->scene.secret.b,
                                  HASH_SIZE));
    codec_free(body);
}

static void expect_exposed(struct desk *d)
{
    Pot__TxBody *body = refresh(d);
    assert_non_null(body);
    assert_int_equal(body->action_case, POT__TX_BODY__ACTION_EXPOSE_PLANT);
    assert_true(codec_bytes_equal(body->expose_plant->plant, d->scene.secret.b,
                                  HASH_SIZE));
    codec_free(body);
}

/* ---- what is exposed */

static void a_plant_that_was_audited_is_exposed_at_once(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d, EVERY);
    plant(&d, PLANT_AUDITED);
    plant_scene_store(&d.scene);
    expect_challenge(&d);
    expect_challenge(&d); /* it is not sent twice */
    close_desk(&d);
}

static void one_that_nobody_audited_is_not_while_we_submit(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d, EVERY);
    plant(&d, PLANT_COUNTED);
    plant_scene_store(&d.scene);
    expect_nothing(&d);
    close_desk(&d);
}

static void it_is_when_we_submit_no_more(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d, EVERY);
    plant(&d, PLANT_COUNTED);
    leave(&d);
    plant_scene_store(&d.scene);
    expect_challenge(&d);
    close_desk(&d);
}

static void one_that_was_refused_needs_no_word(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d, EVERY);
    plant(&d, PLANT_REFUSED);
    leave(&d);
    plant_scene_store(&d.scene);
    expect_nothing(&d);
    close_desk(&d);
}

/* By somebody who takes it for a fraud. */
static void one_that_is_challenged_is_exposed(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d, EVERY);
    plant(&d, PLANT_COUNTED);
    plant_scene_challenge(&d.scene);
    plant_scene_store(&d.scene);
    expect_exposed(&d);
    close_desk(&d);
}

/* The links are those of the key: nothing else is needed. */
static void a_restart_forgets_no_challenge(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d, EVERY);
    plant(&d, PLANT_COUNTED);
    plant_scene_challenge(&d.scene);
    plant_scene_store(&d.scene);
    planter_free(d.planter);
    const struct own_tx_config config =
        plant_scene_config(&d.scene, plant_scene_key(&d.scene));
    d.planter = planter_new(&config);
    expect_exposed(&d);
    close_desk(&d);
}

/* ---- what is planted */

static bool plans(struct desk *d, bool *has_link)
{
    bool is_plant;
    struct hash link;
    struct hash secret;
    Pot__TaskRecord *record = plant_scene_record(&d->scene);
    *has_link = planter_plan(d->planter, record, &link, &is_plant, &secret);
    codec_free(record);
    return is_plant;
}

static void only_tasks_with_plants_are_planted_in(void **state)
{
    struct desk d;
    bool has_link;
    (void)state;
    open_desk(&d, 0);
    plant_scene_store(&d.scene);
    assert_false(plans(&d, &has_link));
    assert_false(has_link);
    close_desk(&d);
    open_desk(&d, EVERY);
    plant_scene_store(&d.scene);
    assert_true(plans(&d, &has_link));
    assert_true(has_link);
    close_desk(&d);
}

static void give_away_all_but(struct plant_scene *s, uint64_t left)
{
    struct account account;
    uint8_t to[PUBLIC_KEY_SIZE] = {9};
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    const struct key *key = plant_scene_key(s);
    (void)ledger_account(&s->f.env.state, key_public(key), &account);
    transfer.to = codec_bytes(to, sizeof(to));
    transfer.amount = account.balance - FIXTURE_FEE - left;
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    assert_int_equal(fixture_apply(&s->f, key, &body), TX_ACCEPTED);
    fixture_end_block(&s->f);
}

/* But its link is shown: others tell by it what it planted before. */
static void who_could_not_pay_for_the_word_plants_nothing(void **state)
{
    struct desk d;
    bool has_link;
    (void)state;
    open_desk(&d, EVERY);
    give_away_all_but(&d.scene, 1000);
    plant_scene_store(&d.scene);
    assert_false(plans(&d, &has_link));
    assert_true(has_link);
    close_desk(&d);
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
