/* Submissions that are false on purpose: who may say so, and whom it costs. */
#include "config.h"

#include "ledger/submission.h"
#include "proto/codec.h"
#include "proto/plant.h"
#include "proto/signed.h"
#include "tests/unit/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVERY         1000000
#define DEPOSIT       UINT64_C(1000) /* the fixture's */
#define WAIT_BLOCKS   4              /* challenge_blocks */
#define VALIDATOR_CUT (FIXTURE_STAKE / 10)

static const Pot__Verdict audited = POT__VERDICT__VERDICT_ACCEPT_AUDITED;
static const Pot__Verdict refused = POT__VERDICT__VERDICT_REFUSE;
static const Pot__Verdict planted = POT__VERDICT__VERDICT_PLANTED;

/* Miners 0 and 1 were counted in a round; validator 2 says to have audited
 * them, the others accepted them. */
struct court {
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    struct fixture_held held;
    uint32_t round;
    struct hash secret; /* of miner 0 */
};

static struct account account_of(const struct court *c, const struct key *key)
{
    struct account account;
    (void)ledger_account(&c->f.env.state, key_public(key), &account);
    return account;
}

/* The block that closed the round has not ended, and the next roster is not
 * frozen. */
static void open_early(struct court *c, uint32_t plant_rate_ppm,
                       uint32_t min_submissions)
{
    Pot__RoundUpdate *update;
    *c = (struct court){.round = 0};
    fixture_open(&c->f);
    fixture_spec(&c->spec, &c->f);
    c->spec.task.numerics = POT__NUMERICS__NUMERICS_EXACT;
    c->spec.task.miner_stake = 6 * FIXTURE_STAKE / 10;
    c->spec.task.plant_rate_ppm = plant_rate_ppm;
    c->spec.task.min_submissions = min_submissions;
    fixture_start_task(&c->f, &c->spec, 6000, 2, &c->task);
    struct ledger_block block = fixture_block(&c->f, 1);
    Pot__TaskRecord *task = ledger_task(&c->f.env.state, &c->task);
    fixture_secret(&c->secret, fixture_miner(&c->f, 0), task);
    codec_free(task);
    fixture_hold(&c->f, &c->held, &c->task, 2, 2, 7);
    c->held.attestations[c->held.attestation_count++] =
        fixture_attestation(&c->f, fixture_validator(&c->f, 2), &c->task, 1,
                            c->held.submissions, 2, audited);
    assert_int_equal(fixture_make_round(&c->f, &block,
                                        fixture_candidate(&c->held, &c->task),
                                        &update),
                     ROUND_ACCEPTED);
    assert_int_equal(ledger_apply_round(&c->f.env, &block, update,
                                        (struct ledger_trust){false, false}),
                     ROUND_ACCEPTED);
    codec_free(update);
}

static void open_court(struct court *c, uint32_t plant_rate_ppm)
{
    open_early(c, plant_rate_ppm, 1);
    fixture_end_block(&c->f);
}

static void close_court(struct court *c)
{
    fixture_end_block(&c->f);
    fixture_held_clear(&c->held);
    fixture_close(&c->f);
}

/* secret NULL: none. */
static enum tx_verdict challenge(struct court *c, const struct key *key,
                                 const struct hash *secret)
{
    Pot__Challenge challenge = POT__CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    struct hash shown;
    Pot__Signed *copy = signed_copy(c->held.submissions[0]);
    challenge.submission = copy;
    if (secret != NULL) {
        shown = *secret;
        challenge.plant = codec_bytes(shown.b, HASH_SIZE);
    }
    body.action_case = POT__TX_BODY__ACTION_CHALLENGE;
    body.challenge = &challenge;
    enum tx_verdict verdict = fixture_apply(&c->f, key, &body);
    codec_free(copy);
    return verdict;
}

static void name_of(struct hash *out, const struct court *c)
{
    signed_hash(out, SIGNED_SUBMISSION, c->held.submissions[0]);
}

static enum tx_verdict expose(struct court *c, const struct key *key,
                              const struct hash *secret)
{
    Pot__ExposePlant expose = POT__EXPOSE_PLANT__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    struct hash submission;
    struct hash shown = *secret;
    name_of(&submission, c);
    expose.submission = codec_bytes(submission.b, HASH_SIZE);
    expose.plant = codec_bytes(shown.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_EXPOSE_PLANT;
    body.expose_plant = &expose;
    return fixture_apply(&c->f, key, &body);
}

static int compare_words(const void *a, const void *b)
{
    const Pot__Signed *const *x = a;
    const Pot__Signed *const *y = b;
    return memcmp((*x)->public_key.data, (*y)->public_key.data,
                  PUBLIC_KEY_SIZE);
}

static Pot__Signed *word(const struct court *c, size_t validator,
                         const struct hash *name, Pot__Verdict verdict)
{
    Pot__Judgement judgement = POT__JUDGEMENT__INIT;
    Pot__Judgement *list[] = {&judgement};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    struct hash judged = *name;
    struct hash task = c->task;
    judgement.submission = codec_bytes(judged.b, HASH_SIZE);
    judgement.verdict = verdict;
    body.task = codec_bytes(task.b, HASH_SIZE);
    body.round = c->round;
    body.n_judgements = 1;
    body.judgements = list;
    return signed_make(SIGNED_ATTESTATION, &c->f.chain,
                       fixture_validator(&c->f, validator), &body);
}

/* Validators 0, 1 and 3 say that of the name. */
static enum tx_verdict settle_by(struct court *c, const struct hash *name,
                                 Pot__Verdict verdict)
{
    static const size_t judges[] = {0, 1, 3};
    struct hash submission;
    Pot__SettleChallenge settle = POT__SETTLE_CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    Pot__Signed *words[3];
    name_of(&submission, c);
    for (size_t i = 0; i < 3; i++) {
        words[i] = word(c, judges[i], name, verdict);
    }
    qsort(words, 3, sizeof(*words), compare_words);
    settle.submission = codec_bytes(submission.b, HASH_SIZE);
    settle.n_attestations = 3;
    settle.attestations = words;
    body.action_case = POT__TX_BODY__ACTION_SETTLE_CHALLENGE;
    body.settle_challenge = &settle;
    enum tx_verdict result =
        fixture_apply(&c->f, fixture_client(&c->f, 1), &body);
    for (size_t i = 0; i < 3; i++) {
        codec_free(words[i]);
    }
    return result;
}

/* Words on the submission, as before a secret was shown; and behind it. */
static enum tx_verdict settle(struct court *c, Pot__Verdict verdict)
{
    struct hash name;
    name_of(&name, c);
    return settle_by(c, &name, verdict);
}

static enum tx_verdict settle_exposed(struct court *c, Pot__Verdict verdict)
{
    struct hash name;
    name_of(&name, c);
    plant_name(&name, &name, &c->secret);
    return settle_by(c, &name, verdict);
}

static Pot__ChallengeStatus status_of(const struct court *c)
{
    struct hash name;
    name_of(&name, c);
    Pot__ChallengeRecord *record = ledger_challenge(&c->f.env.state, &name);
    Pot__ChallengeStatus status = record->status;
    codec_free(record);
    return status;
}

static size_t members(const struct court *c)
{
    Pot__TaskRecord *task = ledger_task(&c->f.env.state, &c->task);
    size_t count = task->n_members;
    codec_free(task);
    return count;
}

static void assert_liar_is_slashed(const struct court *c)
{
    struct account liar = account_of(c, fixture_validator(&c->f, 2));
    assert_int_equal(liar.stake_validator, FIXTURE_STAKE - VALIDATOR_CUT);
    assert_true(liar.is_jailed);
}

static void assert_miner_is_whole(const struct court *c)
{
    struct account miner = account_of(c, fixture_miner(&c->f, 0));
    assert_int_equal(miner.stake_miner, FIXTURE_STAKE);
    assert_int_equal(miner.slashed, 0);
    assert_int_equal(members(c), 2);
}

static void assert_nobody_is_slashed(const struct court *c)
{
    for (size_t i = 0; i < FIXTURE_KEYS; i++) {
        assert_int_equal(account_of(c, c->f.keys[i]).slashed, 0);
    }
}

/* ---- exposing */

static void a_plant_finds_who_lied_about_it(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    const struct key *miner = fixture_miner(&c.f, 0);
    uint64_t before = account_of(&c, miner).balance;
    assert_int_equal(challenge(&c, miner, &c.secret), TX_ACCEPTED);
    assert_int_equal(account_of(&c, miner).balance,
                     before - DEPOSIT - FIXTURE_FEE);
    assert_int_equal(settle_exposed(&c, planted), TX_ACCEPTED);
    assert_int_equal(status_of(&c), POT__CHALLENGE_STATUS__CHALLENGE_PLANTED);
    assert_liar_is_slashed(&c);
    assert_miner_is_whole(&c);
    /* the finder's tenth, and the deposit back */
    assert_int_equal(account_of(&c, miner).balance,
                     before - FIXTURE_FEE + VALIDATOR_CUT / 10);
    close_court(&c);
}

static void others_do_not_say_so_for_their_own_good(void **state)
{
    (void)state;
    struct court c;
    const struct hash other = {{9}};
    open_court(&c, EVERY);
    const struct key *miner = fixture_miner(&c.f, 0);
    const struct key *stranger = fixture_miner(&c.f, 1);
    assert_int_equal(challenge(&c, stranger, &c.secret), TX_CHALLENGER);
    assert_int_equal(challenge(&c, miner, &other), TX_PLANT);
    assert_int_equal(challenge(&c, miner, NULL), TX_CHALLENGER);
    assert_int_equal(expose(&c, miner, &c.secret), TX_CHALLENGE_UNKNOWN);
    close_court(&c);
}

static void a_round_without_a_plant_has_none(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, 1);
    assert_int_equal(challenge(&c, fixture_miner(&c.f, 0), &c.secret),
                     TX_PLANT);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    assert_int_equal(expose(&c, fixture_miner(&c.f, 0), &c.secret), TX_PLANT);
    close_court(&c);
}

/* ---- when somebody else challenges it */

static void who_challenges_a_plant_gets_the_deposit_back(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    const struct key *honest = fixture_validator(&c.f, 3);
    uint64_t before = account_of(&c, honest).balance;
    assert_int_equal(challenge(&c, honest, NULL), TX_ACCEPTED);
    assert_int_equal(challenge(&c, fixture_miner(&c.f, 0), &c.secret),
                     TX_CHALLENGED);
    assert_int_equal(expose(&c, fixture_miner(&c.f, 0), &c.secret),
                     TX_ACCEPTED);
    assert_int_equal(expose(&c, fixture_miner(&c.f, 0), &c.secret), TX_PLANT);
    assert_int_equal(settle_exposed(&c, planted), TX_ACCEPTED);
    assert_int_equal(expose(&c, fixture_miner(&c.f, 0), &c.secret),
                     TX_CHALLENGE_ENDED);
    assert_int_equal(account_of(&c, honest).balance, before - FIXTURE_FEE);
    assert_int_equal(account_of(&c, honest).slashed, 0);
    assert_liar_is_slashed(&c);
    assert_miner_is_whole(&c);
    close_court(&c);
}

/* Words that were said before the secret was shown count no more. */
static void a_plant_is_not_upheld_once_it_is_exposed(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    assert_int_equal(settle(&c, planted), TX_CHALLENGE_WORDS);
    assert_int_equal(expose(&c, fixture_client(&c.f, 1), &c.secret),
                     TX_ACCEPTED);
    for (unsigned i = 0; i < 2 * WAIT_BLOCKS; i++) {
        assert_int_equal(settle(&c, refused), TX_CHALLENGE_WORDS);
        fixture_end_block(&c.f);
    }
    assert_int_equal(settle_exposed(&c, planted), TX_ACCEPTED);
    assert_miner_is_whole(&c);
    close_court(&c);
}

static void it_is_upheld_only_when_its_miner_had_time(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    for (unsigned i = 0; i <= WAIT_BLOCKS; i++) {
        assert_int_equal(settle(&c, refused), TX_CHALLENGE_WAITS);
        fixture_end_block(&c.f);
    }
    assert_int_equal(settle(&c, refused), TX_ACCEPTED);
    assert_int_equal(status_of(&c), POT__CHALLENGE_STATUS__CHALLENGE_UPHELD);
    assert_int_equal(account_of(&c, fixture_miner(&c.f, 0)).slashed,
                     FIXTURE_STAKE / 2);
    close_court(&c);
}

static void a_right_one_is_cleared_at_once(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    assert_int_equal(settle(&c, audited), TX_ACCEPTED);
    assert_nobody_is_slashed(&c);
    close_court(&c);
}

/* ---- behind a later submission of its miner, whose link is the secret */

static void who_planted_need_not_be_there_any_more(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(fixture_play_round(&c.f, &c.task, 2, 3), ROUND_ACCEPTED);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    assert_int_equal(expose(&c, fixture_miner(&c.f, 0), &c.secret), TX_PLANT);
    assert_int_equal(settle(&c, refused), TX_CHALLENGE_WORDS);
    assert_int_equal(settle_exposed(&c, planted), TX_ACCEPTED);
    assert_liar_is_slashed(&c);
    assert_miner_is_whole(&c);
    close_court(&c);
}

/* The ledger takes the secret itself: nobody has to expose what is known. */
static void what_is_known_to_be_a_plant_is_judged_as_one(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    assert_int_equal(fixture_play_round(&c.f, &c.task, 2, 3), ROUND_ACCEPTED);
    assert_int_equal(expose(&c, fixture_client(&c.f, 1), &c.secret), TX_PLANT);
    for (unsigned i = 0; i < 2 * WAIT_BLOCKS; i++) {
        assert_int_equal(settle(&c, refused), TX_CHALLENGE_WORDS);
        fixture_end_block(&c.f);
    }
    assert_int_equal(settle_exposed(&c, planted), TX_ACCEPTED);
    assert_miner_is_whole(&c);
    close_court(&c);
}

/* A cheat cannot hide behind a plant that was due: what is false in another
 * way costs it the stake. */
static void noise_where_a_plant_was_due_is_fraud(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    assert_int_equal(fixture_play_round(&c.f, &c.task, 2, 3), ROUND_ACCEPTED);
    assert_int_equal(settle_exposed(&c, refused), TX_ACCEPTED);
    assert_int_equal(status_of(&c), POT__CHALLENGE_STATUS__CHALLENGE_UPHELD);
    assert_int_equal(account_of(&c, fixture_miner(&c.f, 0)).slashed,
                     FIXTURE_STAKE / 2);
    close_court(&c);
}

static void what_is_known_to_be_no_plant_is_upheld_at_once(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, 1);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    assert_int_equal(settle(&c, refused), TX_CHALLENGE_WAITS);
    assert_int_equal(fixture_play_round(&c.f, &c.task, 2, 3), ROUND_ACCEPTED);
    assert_int_equal(settle(&c, refused), TX_ACCEPTED);
    close_court(&c);
}

/* ---- the next rosters */

static size_t roster_size(const struct court *c)
{
    Pot__TaskRecord *task = ledger_task(&c->f.env.state, &c->task);
    size_t count = task->n_roster;
    codec_free(task);
    return count;
}

static void who_may_still_say_so_is_in_no_roster(void **state)
{
    (void)state;
    struct court c;
    open_early(&c, EVERY, 1);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    fixture_end_block(&c.f);
    assert_int_equal(roster_size(&c), 1);
    assert_int_equal(members(&c), 2);
    close_court(&c);
}

static void who_has_said_so_is_in_the_next_roster(void **state)
{
    (void)state;
    struct court c;
    open_early(&c, EVERY, 2);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    fixture_end_block(&c.f);
    assert_int_equal(roster_size(&c), 0);
    assert_int_equal(expose(&c, fixture_miner(&c.f, 0), &c.secret),
                     TX_ACCEPTED);
    fixture_end_block(&c.f);
    assert_int_equal(roster_size(&c), 2);
    close_court(&c);
}

/* Whoever accuses keeps nobody away for good. */
static void who_had_time_to_say_so_is_in_the_next_roster(void **state)
{
    (void)state;
    struct court c;
    open_early(&c, EVERY, 2);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    for (unsigned i = 0; i <= WAIT_BLOCKS; i++) {
        fixture_end_block(&c.f);
        assert_int_equal(roster_size(&c), 0);
    }
    fixture_end_block(&c.f);
    assert_int_equal(roster_size(&c), 2);
    close_court(&c);
}

/* ---- when its miner is no member any more */

static size_t departed(const struct court *c)
{
    Pot__TaskRecord *task = ledger_task(&c->f.env.state, &c->task);
    size_t count = task->n_departed;
    codec_free(task);
    return count;
}

/* Somebody challenges it then, and the words that it is false do not count. */
static void assert_still_a_plant(struct court *c)
{
    assert_int_equal(challenge(c, fixture_validator(&c->f, 3), NULL),
                     TX_ACCEPTED);
    for (unsigned i = 0; i <= WAIT_BLOCKS; i++) {
        assert_int_equal(settle(c, refused), TX_CHALLENGE_WORDS);
        fixture_end_block(&c->f);
    }
    assert_int_equal(settle_exposed(c, planted), TX_ACCEPTED);
    assert_int_equal(account_of(c, fixture_miner(&c->f, 0)).slashed, 0);
}

/* Its link goes when the round of the link can be challenged no more. */
static void assert_links_go(struct court *c)
{
    for (unsigned i = 0; i < 12 * WAIT_BLOCKS; i++) {
        fixture_end_block(&c->f);
    }
    assert_int_equal(departed(c), 0);
}

static void who_leaves_is_still_known_to_have_planted(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(fixture_play_round(&c.f, &c.task, 2, 3), ROUND_ACCEPTED);
    assert_int_equal(fixture_leave(&c.f, fixture_miner(&c.f, 0), &c.task),
                     TX_ACCEPTED);
    assert_int_equal(departed(&c), 1);
    assert_still_a_plant(&c);
    assert_links_go(&c);
    close_court(&c);
}

/* It is in the roster of the round still, but no member. */
static void who_leaves_during_a_round_tells_its_secret_too(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(fixture_leave(&c.f, fixture_miner(&c.f, 0), &c.task),
                     TX_ACCEPTED);
    assert_int_equal(fixture_play_round(&c.f, &c.task, 2, 3), ROUND_ACCEPTED);
    assert_still_a_plant(&c);
    assert_links_go(&c);
    close_court(&c);
}

static void a_task_that_ended_still_tells_plants(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    assert_int_equal(fixture_play_round(&c.f, &c.task, 2, 3), ROUND_ACCEPTED);
    assert_int_equal(fixture_cancel(&c.f, fixture_client(&c.f, 0), &c.task),
                     TX_ACCEPTED);
    assert_int_equal(departed(&c), 2);
    assert_still_a_plant(&c);
    assert_links_go(&c);
    close_court(&c);
}

/* ---- who says so and lies */

static void what_was_right_costs_the_deposit_and_no_validator(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    const struct key *miner = fixture_miner(&c.f, 0);
    uint64_t before = account_of(&c, miner).balance;
    assert_int_equal(challenge(&c, miner, &c.secret), TX_ACCEPTED);
    assert_int_equal(settle_exposed(&c, audited), TX_ACCEPTED);
    assert_int_equal(status_of(&c), POT__CHALLENGE_STATUS__CHALLENGE_REJECTED);
    assert_int_equal(account_of(&c, miner).balance,
                     before - DEPOSIT - FIXTURE_FEE);
    assert_nobody_is_slashed(&c);
    close_court(&c);
}

/* A false one that is not the plant is fraud, and its miner finds nobody. */
static void what_is_false_in_another_way_is_fraud(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, EVERY);
    const struct key *miner = fixture_miner(&c.f, 0);
    uint64_t before = account_of(&c, miner).balance;
    assert_int_equal(challenge(&c, miner, &c.secret), TX_ACCEPTED);
    assert_int_equal(settle_exposed(&c, refused), TX_ACCEPTED);
    assert_int_equal(status_of(&c), POT__CHALLENGE_STATUS__CHALLENGE_UPHELD);
    assert_int_equal(account_of(&c, miner).slashed, FIXTURE_STAKE / 2);
    assert_int_equal(account_of(&c, miner).balance, before - FIXTURE_FEE);
    assert_liar_is_slashed(&c);
    close_court(&c);
}

/* ---- links */

/* A submission of miner 0 for the open round that shows this link. */
static enum round_verdict check_link(struct court *c, const struct hash *link)
{
    struct round_submission s;
    struct model_shape shape;
    Pot__TaskRecord *task = ledger_task(&c->f.env.state, &c->task);
    Pot__Signed *message =
        fixture_submission(&c->f, fixture_miner(&c->f, 0), &c->task, 3);
    assert_int_equal(model_shape_from_spec(&shape, task->spec->model), POT_OK);
    assert_int_equal(round_submission_decode(&s, message), POT_OK);
    if (link != NULL && s.body->link.len == 0) {
        s.body->link = codec_copy_bytes(link->b, HASH_SIZE);
    } else if (link != NULL) {
        codec_set_hash(&s.body->link, link);
    }
    enum round_verdict verdict = ledger_check_submission(task, &shape, &s);
    round_submission_fini(&s);
    codec_free(message);
    codec_free(task);
    return verdict;
}

static void a_miner_does_not_choose_when_it_plants(void **state)
{
    (void)state;
    struct court c;
    const struct hash other = {{5}};
    open_court(&c, EVERY);
    assert_int_equal(check_link(&c, NULL), ROUND_ACCEPTED);
    /* the secret of the round before is the link of this one */
    assert_int_equal(check_link(&c, &c.secret), ROUND_ACCEPTED);
    assert_int_equal(check_link(&c, &other), ROUND_SUBMISSION);
    close_court(&c);
}

static void links_are_for_tasks_with_plants(void **state)
{
    (void)state;
    struct court c;
    const struct hash other = {{5}};
    open_court(&c, 0);
    assert_int_equal(check_link(&c, NULL), ROUND_ACCEPTED);
    assert_int_equal(check_link(&c, &other), ROUND_SUBMISSION);
    /* and there a challenge is upheld at once */
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), NULL),
                     TX_ACCEPTED);
    assert_int_equal(settle(&c, refused), TX_ACCEPTED);
    close_court(&c);
}

static void plants_are_of_the_exact_lane(void **state)
{
    (void)state;
    struct court c;
    struct hash task;
    open_court(&c, 0);
    c.spec.task.plant_rate_ppm = 10;
    c.spec.task.numerics = POT__NUMERICS__NUMERICS_BLAS;
    assert_int_equal(
        fixture_submit(&c.f, fixture_client(&c.f, 0), &c.spec, 600, &task),
        TX_SPEC_PLANT_RATE);
    close_court(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plant_finds_who_lied_about_it),
        cmocka_unit_test(others_do_not_say_so_for_their_own_good),
        cmocka_unit_test(a_round_without_a_plant_has_none),
        cmocka_unit_test(who_challenges_a_plant_gets_the_deposit_back),
        cmocka_unit_test(a_plant_is_not_upheld_once_it_is_exposed),
        cmocka_unit_test(it_is_upheld_only_when_its_miner_had_time),
        cmocka_unit_test(a_right_one_is_cleared_at_once),
        cmocka_unit_test(who_planted_need_not_be_there_any_more),
        cmocka_unit_test(what_is_known_to_be_a_plant_is_judged_as_one),
        cmocka_unit_test(noise_where_a_plant_was_due_is_fraud),
        cmocka_unit_test(what_is_known_to_be_no_plant_is_upheld_at_once),
        cmocka_unit_test(who_may_still_say_so_is_in_no_roster),
        cmocka_unit_test(who_has_said_so_is_in_the_next_roster),
        cmocka_unit_test(who_had_time_to_say_so_is_in_the_next_roster),
        cmocka_unit_test(who_leaves_is_still_known_to_have_planted),
        cmocka_unit_test(who_leaves_during_a_round_tells_its_secret_too),
        cmocka_unit_test(a_task_that_ended_still_tells_plants),
        cmocka_unit_test(what_was_right_costs_the_deposit_and_no_validator),
        cmocka_unit_test(what_is_false_in_another_way_is_fraud),
        cmocka_unit_test(a_miner_does_not_choose_when_it_plants),
        cmocka_unit_test(links_are_for_tasks_with_plants),
        cmocka_unit_test(plants_are_of_the_exact_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
