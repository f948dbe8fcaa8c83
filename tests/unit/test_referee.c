/* The words on a challenge: by which name they judge, whose count, and that a
 * quorum of them goes into a block.  What replays come to is for networks:
 * tests/e2e/test_challenge.sh, tests/byz/test_plants.sh. */
#include "config.h"

#include "node/round/referee.h"

#include "base/alloc.h"
#include "node/round/rounds_shared.h"
#include "node/tx/own_tx.h"
#include "proto/codec.h"
#include "proto/plant.h"
#include "proto/signed.h"
#include "tests/unit/plant_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define EVERY 1000000 /* in a million */

static const Pot__Verdict refused = POT__VERDICT__VERDICT_REFUSE;
static const Pot__Verdict planted = POT__VERDICT__VERDICT_PLANTED;

/* Our plant is counted, and challenged by somebody who takes it for fraud. */
struct court {
    struct plant_scene scene;
    struct rounds_shared shared; /* of a node that does not judge */
    struct own_tx *sender;
    struct referee *referee;
    uint64_t height;
    struct hash name;    /* of the submission */
    struct hash exposed; /* once its secret was shown */
};

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    (void)context;
    (void)receipt;
}

static void refresh(struct court *c)
{
    plant_scene_store(&c->scene);
    c->height++;
    referee_refresh(c->referee, c->height, 1000 * c->height);
}

static int open_court(void **state)
{
    struct court *c = pot_calloc(1, sizeof(*c));
    struct plant_scene *s = &c->scene;
    plant_scene_open(s, EVERY);
    plant_scene_submit(s);
    plant_scene_play(s, PLANT_COUNTED);
    plant_scene_challenge(s);
    signed_hash(&c->name, SIGNED_SUBMISSION, s->own);
    plant_name(&c->exposed, &c->name, &s->secret);
    c->shared = (struct rounds_shared){
        .loop = &s->node.chain.loop,
        .holdings = &s->node.chain.holdings,
    };
    const struct own_tx_config config =
        plant_scene_config(s, fixture_client(&s->f, 1));
    c->sender = own_tx_new(&config, on_receipt, NULL);
    c->referee = referee_new(&c->shared, c->sender);
    refresh(c);
    *state = c;
    return 0;
}

static int close_court(void **state)
{
    struct court *c = *state;
    referee_free(c->referee);
    own_tx_free(c->sender);
    plant_scene_close(&c->scene);
    free(c);
    return 0;
}

static Pot__Signed *make_word(const struct court *c, const struct key *key,
                              const struct hash *name, Pot__Verdict verdict)
{
    Pot__Judgement judgement = POT__JUDGEMENT__INIT;
    Pot__Judgement *list[] = {&judgement};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    struct hash judged = *name;
    struct hash task = c->scene.task;
    judgement.submission = codec_bytes(judged.b, HASH_SIZE);
    judgement.verdict = verdict;
    body.task = codec_bytes(task.b, HASH_SIZE);
    body.n_judgements = 1;
    body.judgements = list;
    return signed_make(SIGNED_ATTESTATION, &c->scene.f.chain, key, &body);
}

/* Whether it is news. */
static bool say(struct court *c, const struct key *key, const struct hash *name,
                Pot__Verdict verdict)
{
    struct round_attestation opened;
    Pot__Signed *word = make_word(c, key, name, verdict);
    assert_int_equal(round_attestation_decode(&opened, word), POT_OK);
    bool is_news = referee_take(c->referee, &opened, word);
    codec_free(word);
    return is_news;
}

static bool is_asked(struct court *c, const struct hash *name)
{
    struct round_attestation opened;
    Pot__Signed *word =
        make_word(c, fixture_validator(&c->scene.f, 0), name, refused);
    assert_int_equal(round_attestation_decode(&opened, word), POT_OK);
    bool is_asked = referee_is_asked(c->referee, &opened);
    round_attestation_fini(&opened);
    codec_free(word);
    return is_asked;
}

static void a_validators_first_word_is_news(void **state)
{
    struct court *c = *state;
    const struct fixture *f = &c->scene.f;
    assert_true(say(c, fixture_validator(f, 0), &c->name, refused));
    assert_false(say(c, fixture_validator(f, 0), &c->name, refused));
    assert_true(say(c, fixture_validator(f, 2), &c->name, refused));
    assert_false(say(c, fixture_miner(f, 1), &c->name, refused));
    assert_false(say(c, fixture_validator(f, 3), &c->exposed, refused));
}

/* An accusation before the secret was shown says nothing of the plant. */
static void a_shown_secret_gives_it_another_name(void **state)
{
    struct court *c = *state;
    const struct fixture *f = &c->scene.f;
    assert_true(is_asked(c, &c->name));
    assert_false(is_asked(c, &c->exposed));
    assert_true(say(c, fixture_validator(f, 0), &c->name, refused));
    plant_scene_expose(&c->scene);
    refresh(c);
    assert_false(is_asked(c, &c->name));
    assert_true(is_asked(c, &c->exposed));
    assert_false(say(c, fixture_validator(f, 2), &c->name, refused));
    assert_true(say(c, fixture_validator(f, 0), &c->exposed, planted));
}

static void a_quorum_under_that_name_goes_into_a_block(void **state)
{
    struct court *c = *state;
    const struct fixture *f = &c->scene.f;
    assert_true(say(c, fixture_validator(f, 3), &c->name, refused));
    plant_scene_expose(&c->scene);
    refresh(c);
    assert_true(say(c, fixture_validator(f, 0), &c->exposed, planted));
    assert_true(say(c, fixture_validator(f, 1), &c->exposed, planted));
    assert_null(plant_scene_pending(&c->scene));
    assert_true(say(c, fixture_validator(f, 2), &c->exposed, planted));
    Pot__TxBody *body = plant_scene_pending(&c->scene);
    assert_non_null(body);
    assert_int_equal(body->action_case, POT__TX_BODY__ACTION_SETTLE_CHALLENGE);
    assert_int_equal(body->settle_challenge->n_attestations, 3);
    assert_true(codec_bytes_equal(body->settle_challenge->submission, c->name.b,
                                  HASH_SIZE));
    codec_free(body);
}

static void three_of_two_minds_settle_nothing(void **state)
{
    struct court *c = *state;
    const struct fixture *f = &c->scene.f;
    plant_scene_expose(&c->scene);
    refresh(c);
    assert_true(say(c, fixture_validator(f, 0), &c->exposed, planted));
    assert_true(say(c, fixture_validator(f, 1), &c->exposed, planted));
    assert_true(say(c, fixture_validator(f, 2), &c->exposed, refused));
    assert_null(plant_scene_pending(&c->scene));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_court, close_court)
    const struct CMUnitTest tests[] = {
        CASE(a_validators_first_word_is_news),
        CASE(a_shown_secret_gives_it_another_name),
        CASE(a_quorum_under_that_name_goes_into_a_block),
        CASE(three_of_two_minds_settle_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
