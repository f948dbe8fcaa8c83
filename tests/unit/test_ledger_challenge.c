/* Challenges: who may, when, what settles one, and what comes of it. */
#include "config.h"

#include "base/limits.h"
#include "ledger/challenge_count.h"
#include "ledger/keys.h"
#include "ledger/record.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "tests/unit/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEPOSIT     UINT64_C(1000) /* the fixture's */
#define STAYS_BOUND 4              /* challenge_blocks */
#define PATIENCE    40             /* ten times that */

static const Pot__Verdict audited = POT__VERDICT__VERDICT_ACCEPT_AUDITED;
static const Pot__Verdict accepted = POT__VERDICT__VERDICT_ACCEPT;
static const Pot__Verdict refused = POT__VERDICT__VERDICT_REFUSE;

struct court {
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    struct fixture_held held; /* of the round that was closed */
    uint32_t round;
};

static struct account account_of(const struct court *c, const struct key *key)
{
    struct account account;
    (void)ledger_account(&c->f.env.state, key_public(key), &account);
    return account;
}

static uint64_t burnt(const struct court *c)
{
    Pot__SupplyRecord *supply = ledger_supply(&c->f.env.state);
    uint64_t units = supply->burnt;
    codec_free(supply);
    return units;
}

/* Two miners' submissions are counted: validators 0 to 2 attest, the last one
 * of them as `last` says. */
static void close_round(struct court *c, Pot__Verdict last)
{
    Pot__RoundUpdate *update;
    struct ledger_block block = fixture_block(&c->f, 1);
    Pot__TaskRecord *task = ledger_task(&c->f.env.state, &c->task);
    c->round = task->round;
    codec_free(task);
    fixture_hold(&c->f, &c->held, &c->task, 2, 2, 7 + c->round);
    c->held.attestations[c->held.attestation_count++] =
        fixture_attestation(&c->f, fixture_validator(&c->f, 2), &c->task, 1,
                            c->held.submissions, 2, last);
    assert_int_equal(fixture_make_round(&c->f, &block,
                                        fixture_candidate(&c->held, &c->task),
                                        &update),
                     ROUND_ACCEPTED);
    assert_int_equal(ledger_apply_round(&c->f.env, &block, update,
                                        (struct ledger_trust){false, false}),
                     ROUND_ACCEPTED);
    codec_free(update);
    fixture_end_block(&c->f);
}

static void set_challenge_ms(struct fixture *f, uint64_t ms)
{
    Pot__SupplyRecord *supply = ledger_supply(&f->env.state);
    supply->params->challenge_ms = ms;
    record_store(&f->env.state, keys_supply(), supply);
    codec_free(supply);
}

/* Blocks come every 1000 ms. */
static void open_court_for(struct court *c, Pot__Numerics numerics,
                           Pot__Verdict last, uint64_t challenge_ms)
{
    *c = (struct court){.round = 0};
    fixture_open(&c->f);
    set_challenge_ms(&c->f, challenge_ms);
    fixture_spec(&c->spec, &c->f);
    c->spec.task.numerics = numerics;
    c->spec.task.miner_stake = 6 * FIXTURE_STAKE / 10;
    fixture_start_task(&c->f, &c->spec, 6000, 2, &c->task);
    close_round(c, last);
}

static void open_court(struct court *c, Pot__Numerics numerics,
                       Pot__Verdict last)
{
    open_court_for(c, numerics, last, 0);
}

static void close_court(struct court *c)
{
    fixture_held_clear(&c->held);
    fixture_close(&c->f);
}

static enum tx_verdict challenge(struct court *c, const struct key *key,
                                 const Pot__Signed *submission)
{
    Pot__Challenge challenge = POT__CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    Pot__Signed *copy = signed_copy(submission);
    challenge.submission = copy;
    body.action_case = POT__TX_BODY__ACTION_CHALLENGE;
    body.challenge = &challenge;
    enum tx_verdict verdict = fixture_apply(&c->f, key, &body);
    codec_free(copy);
    return verdict;
}

/* A validator's word on one submission of the round that was closed. */
static Pot__Signed *word(const struct court *c, size_t validator,
                         const struct hash *submission, Pot__Verdict verdict)
{
    Pot__Judgement judgement = POT__JUDGEMENT__INIT;
    Pot__Judgement *list[] = {&judgement};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    judgement.submission = codec_bytes(submission->b, HASH_SIZE);
    judgement.verdict = verdict;
    body.task = codec_bytes(c->task.b, HASH_SIZE);
    body.round = c->round;
    body.n_judgements = 1;
    body.judgements = list;
    return signed_make(SIGNED_ATTESTATION, &c->f.chain,
                       fixture_validator(&c->f, validator), &body);
}

static int compare_words(const void *a, const void *b)
{
    const Pot__Signed *const *x = a;
    const Pot__Signed *const *y = b;
    return memcmp((*x)->public_key.data, (*y)->public_key.data,
                  PUBLIC_KEY_SIZE);
}

/* Validators from first on, each with a verdict of verdicts. */
static enum tx_verdict settle(struct court *c, const Pot__Signed *submission,
                              size_t first, const Pot__Verdict *verdicts,
                              size_t count)
{
    struct hash hash;
    Pot__SettleChallenge settle = POT__SETTLE_CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    Pot__Signed *words[FIXTURE_VALIDATORS];
    signed_hash(&hash, SIGNED_SUBMISSION, submission);
    for (size_t i = 0; i < count; i++) {
        words[i] = word(c, first + i, &hash, verdicts[i]);
    }
    qsort(words, count, sizeof(*words), compare_words);
    settle.submission = codec_bytes(hash.b, HASH_SIZE);
    settle.n_attestations = count;
    settle.attestations = words;
    body.action_case = POT__TX_BODY__ACTION_SETTLE_CHALLENGE;
    body.settle_challenge = &settle;
    enum tx_verdict verdict =
        fixture_apply(&c->f, fixture_client(&c->f, 1), &body);
    for (size_t i = 0; i < count; i++) {
        codec_free(words[i]);
    }
    return verdict;
}

static Pot__ChallengeStatus status_of(const struct court *c,
                                      const Pot__Signed *submission)
{
    struct hash hash;
    signed_hash(&hash, SIGNED_SUBMISSION, submission);
    Pot__ChallengeRecord *record = ledger_challenge(&c->f.env.state, &hash);
    Pot__ChallengeStatus status =
        record != NULL ? record->status : POT__CHALLENGE_STATUS__CHALLENGE_NONE;
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

static void a_false_submission_costs_the_stake_and_pays_the_finder(void **state)
{
    (void)state;
    struct court c;
    const Pot__Verdict words[] = {refused, refused, refused};
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    const struct key *finder = fixture_validator(&c.f, 3);
    uint64_t before = account_of(&c, finder).balance;
    assert_int_equal(challenge(&c, finder, c.held.submissions[0]), TX_ACCEPTED);
    assert_int_equal(account_of(&c, finder).balance,
                     before - DEPOSIT - FIXTURE_FEE);
    assert_int_equal(settle(&c, c.held.submissions[0], 0, words, 3),
                     TX_ACCEPTED);
    /* half of the stake: a tenth of it to the finder, the rest is burnt */
    struct account miner = account_of(&c, fixture_miner(&c.f, 0));
    assert_int_equal(miner.stake_miner, FIXTURE_STAKE / 2);
    assert_int_equal(miner.slashed, FIXTURE_STAKE / 2);
    assert_int_equal(account_of(&c, finder).balance,
                     before - FIXTURE_FEE + FIXTURE_STAKE / 20);
    assert_int_equal(burnt(&c), FIXTURE_STAKE / 20 * 9);
    /* what is left is too little for the task */
    assert_int_equal(members(&c), 1);
    assert_int_equal(account_of(&c, fixture_miner(&c.f, 1)).stake_miner,
                     FIXTURE_STAKE);
    assert_int_equal(status_of(&c, c.held.submissions[0]),
                     POT__CHALLENGE_STATUS__CHALLENGE_UPHELD);
    assert_int_equal(settle(&c, c.held.submissions[0], 0, words, 3),
                     TX_CHALLENGE_ENDED);
    assert_int_equal(challenge(&c, finder, c.held.submissions[0]),
                     TX_CHALLENGED);
    fixture_end_block(&c.f);
    close_court(&c);
}

static void a_cheat_keeps_the_tasks_that_its_stake_still_covers(void **state)
{
    (void)state;
    struct court c;
    struct hash other;
    const Pot__Verdict words[] = {refused, refused, refused};
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    c.spec.task.miner_stake = FIXTURE_STAKE / 10 * 4;
    assert_int_equal(
        fixture_submit(&c.f, fixture_client(&c.f, 0), &c.spec, 600, &other),
        TX_ACCEPTED);
    assert_int_equal(fixture_join(&c.f, fixture_miner(&c.f, 0), &other),
                     TX_ACCEPTED);
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[0]),
        TX_ACCEPTED);
    assert_int_equal(settle(&c, c.held.submissions[0], 0, words, 3),
                     TX_ACCEPTED);
    /* of 10 tenths 6 and 4 were asked for; 5 are left */
    struct account miner = account_of(&c, fixture_miner(&c.f, 0));
    assert_int_equal(miner.stake_miner, FIXTURE_STAKE / 2);
    assert_int_equal(miner.stake_joined, FIXTURE_STAKE / 10 * 4);
    assert_int_equal(members(&c), 1);
    fixture_end_block(&c.f);
    close_court(&c);
}

static void who_attested_an_audit_of_it_is_slashed_too(void **state)
{
    (void)state;
    struct court c;
    const Pot__Verdict words[] = {refused, refused, refused};
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, audited);
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[0]),
        TX_ACCEPTED);
    assert_int_equal(settle(&c, c.held.submissions[0], 0, words, 3),
                     TX_ACCEPTED);
    struct account lazy = account_of(&c, fixture_validator(&c.f, 2));
    assert_int_equal(lazy.stake_validator, FIXTURE_STAKE / 10 * 9);
    assert_true(lazy.is_jailed);
    struct account honest = account_of(&c, fixture_validator(&c.f, 1));
    assert_int_equal(honest.stake_validator, FIXTURE_STAKE);
    assert_false(honest.is_jailed);
    fixture_end_block(&c.f);
    close_court(&c);
}

static void a_false_accusation_costs_the_deposit(void **state)
{
    (void)state;
    struct court c;
    const Pot__Verdict words[] = {audited, audited, audited};
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    const struct key *accuser = fixture_validator(&c.f, 3);
    struct account before = account_of(&c, fixture_validator(&c.f, 2));
    uint64_t balance = account_of(&c, accuser).balance;
    assert_int_equal(challenge(&c, accuser, c.held.submissions[1]),
                     TX_ACCEPTED);
    assert_int_equal(settle(&c, c.held.submissions[1], 0, words, 3),
                     TX_ACCEPTED);
    assert_int_equal(account_of(&c, accuser).balance,
                     balance - DEPOSIT - FIXTURE_FEE);
    assert_int_equal(account_of(&c, fixture_validator(&c.f, 2)).balance,
                     before.balance + DEPOSIT / 3);
    assert_int_equal(burnt(&c), DEPOSIT - DEPOSIT / 3 * 3);
    assert_int_equal(account_of(&c, fixture_miner(&c.f, 1)).stake_miner,
                     FIXTURE_STAKE);
    assert_int_equal(members(&c), 2);
    assert_int_equal(status_of(&c, c.held.submissions[1]),
                     POT__CHALLENGE_STATUS__CHALLENGE_REJECTED);
    fixture_end_block(&c.f);
    close_court(&c);
}

static void one_word_of_a_quorum_settles_it_and_nothing_less(void **state)
{
    (void)state;
    struct court c;
    const Pot__Verdict mixed[] = {refused, audited, refused};
    const Pot__Verdict unseen[] = {accepted, accepted, accepted};
    const Pot__Verdict same[] = {refused, refused, refused};
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    const Pot__Signed *submission = c.held.submissions[0];
    assert_int_equal(settle(&c, submission, 0, same, 3), TX_CHALLENGE_UNKNOWN);
    assert_int_equal(challenge(&c, fixture_validator(&c.f, 3), submission),
                     TX_ACCEPTED);
    assert_int_equal(settle(&c, submission, 0, same, 2), TX_CHALLENGE_WORDS);
    assert_int_equal(settle(&c, submission, 0, mixed, 3), TX_CHALLENGE_WORDS);
    assert_int_equal(settle(&c, submission, 0, unseen, 3), TX_CHALLENGE_WORDS);
    c.round++; /* words on another round */
    assert_int_equal(settle(&c, submission, 0, same, 3), TX_CHALLENGE_WORDS);
    c.round--;
    assert_int_equal(settle(&c, submission, 1, same, 3), TX_ACCEPTED);
    fixture_end_block(&c.f);
    close_court(&c);
}

static void words_are_of_different_validators_and_signed(void **state)
{
    (void)state;
    struct court c;
    struct hash hash;
    Pot__Signed *words[3];
    Pot__SettleChallenge settle = POT__SETTLE_CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[0]),
        TX_ACCEPTED);
    signed_hash(&hash, SIGNED_SUBMISSION, c.held.submissions[0]);
    settle.submission = codec_bytes(hash.b, HASH_SIZE);
    settle.n_attestations = 3;
    settle.attestations = words;
    body.action_case = POT__TX_BODY__ACTION_SETTLE_CHALLENGE;
    body.settle_challenge = &settle;
    for (size_t i = 0; i < 3; i++) {
        words[i] = word(&c, 1, &hash, refused); /* one speaks three times */
    }
    assert_int_equal(fixture_apply(&c.f, fixture_client(&c.f, 1), &body),
                     TX_CHALLENGE_WORDS);
    for (size_t i = 0; i < 3; i++) {
        codec_free(words[i]);
        words[i] = word(&c, i, &hash, refused);
    }
    qsort(words, 3, sizeof(*words), compare_words);
    words[1]->signature.data[5] ^= 1;
    assert_int_equal(fixture_apply(&c.f, fixture_client(&c.f, 1), &body),
                     TX_CHALLENGE_WORDS);
    words[1]->signature.data[5] ^= 1;
    assert_int_equal(fixture_apply(&c.f, fixture_client(&c.f, 1), &body),
                     TX_ACCEPTED);
    for (size_t i = 0; i < 3; i++) {
        codec_free(words[i]);
    }
    close_court(&c);
}

static void who_may_challenge_what(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    const Pot__Signed *counted = c.held.submissions[0];
    Pot__Signed *other =
        fixture_submission(&c.f, fixture_miner(&c.f, 0), &c.task, 99);
    assert_int_equal(challenge(&c, fixture_client(&c.f, 0), counted),
                     TX_CHALLENGER);
    assert_int_equal(challenge(&c, fixture_miner(&c.f, 0), counted),
                     TX_CHALLENGER);
    assert_int_equal(challenge(&c, fixture_miner(&c.f, 1), other),
                     TX_SUBMISSION_UNKNOWN);
    assert_int_equal(challenge(&c, fixture_miner(&c.f, 1), counted),
                     TX_ACCEPTED);
    codec_free(other);
    close_court(&c);
    open_court(&c, POT__NUMERICS__NUMERICS_BLAS, accepted);
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[0]),
        TX_SUBMISSION_UNKNOWN);
    close_court(&c);
}

/* Opens made-up ones, from the given number on, of the court's task. */
static void crowd(struct court *c, const struct public_key *challenger,
                  uint8_t number, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t submission[HASH_SIZE] = {number, (uint8_t)i};
        Pot__ChallengeRecord record = POT__CHALLENGE_RECORD__INIT;
        record.submission = codec_bytes(submission, HASH_SIZE);
        record.task = codec_bytes(c->task.b, HASH_SIZE);
        record.challenger = codec_bytes(challenger->b, PUBLIC_KEY_SIZE);
        challenge_count_add(&c->f.env.state, &record);
    }
}

static void open_challenges_are_bounded(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    const struct key *first = fixture_validator(&c.f, 3);
    const struct key *second = fixture_miner(&c.f, 1);
    const Pot__Signed *counted = c.held.submissions[0];
    crowd(&c, key_public(first), 1, CHALLENGES_OWN_MAX);
    assert_int_equal(challenge(&c, first, counted), TX_CHALLENGES_OWN);
    for (uint8_t i = 1; i < CHALLENGES_TASK_MAX / CHALLENGES_OWN_MAX; i++) {
        const struct public_key other = {{i}};
        crowd(&c, &other, (uint8_t)(i + 1), CHALLENGES_OWN_MAX);
    }
    assert_int_equal(challenge(&c, second, counted), TX_CHALLENGES_TASK);
    const struct public_key other = {{1}};
    const uint8_t submission[HASH_SIZE] = {2, 5};
    Pot__ChallengeRecord record = POT__CHALLENGE_RECORD__INIT;
    record.submission = codec_bytes(submission, HASH_SIZE);
    record.task = codec_bytes(c.task.b, HASH_SIZE);
    record.challenger = codec_bytes(other.b, PUBLIC_KEY_SIZE);
    challenge_count_remove(&c.f.env.state, &record);
    assert_int_equal(challenge(&c, first, counted), TX_CHALLENGES_OWN);
    assert_int_equal(challenge(&c, second, counted), TX_ACCEPTED);
    close_court(&c);
}

static void a_round_can_be_challenged_for_challenge_blocks(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    uint64_t closed = c.f.height - 1;
    while (c.f.height < closed + c.f.params.challenge_blocks) {
        fixture_end_block(&c.f);
    }
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[0]),
        TX_ACCEPTED);
    fixture_end_block(&c.f);
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[1]),
        TX_SUBMISSION_UNKNOWN);
    close_court(&c);
}

static void and_for_challenge_ms_however_fast_blocks_come(void **state)
{
    (void)state;
    struct court c;
    open_court_for(&c, POT__NUMERICS__NUMERICS_EXACT, accepted, 9000);
    uint64_t closed = c.f.height - 1;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fixture_leave(&c.f, fixture_miner(&c.f, i), &c.task),
                         TX_ACCEPTED);
    }
    while (c.f.height < closed + 9) {
        fixture_end_block(&c.f);
    }
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[0]),
        TX_ACCEPTED);
    fixture_end_block(&c.f);
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[1]),
        TX_SUBMISSION_UNKNOWN);
    /* who is accused has to answer, the other one is free */
    assert_int_equal(fixture_unstake(&c.f, fixture_miner(&c.f, 0),
                                     POT__STAKE_ROLE__STAKE_MINER,
                                     FIXTURE_STAKE),
                     TX_ANSWERS);
    assert_int_equal(fixture_unstake(&c.f, fixture_miner(&c.f, 1),
                                     POT__STAKE_ROLE__STAKE_MINER,
                                     FIXTURE_STAKE),
                     TX_ACCEPTED);
    close_court(&c);
}

static void answers_until(struct court *c, uint64_t last)
{
    const struct key *miner = fixture_miner(&c->f, 0);
    const Pot__StakeRole role = POT__STAKE_ROLE__STAKE_MINER;
    assert_int_equal(fixture_leave(&c->f, miner, &c->task), TX_ACCEPTED);
    while (c->f.height <= last) {
        assert_int_equal(fixture_unstake(&c->f, miner, role, FIXTURE_STAKE),
                         TX_ANSWERS);
        assert_int_equal(memory_state_count(&c->f.memory, "closed/"), 1);
        fixture_end_block(&c->f);
    }
    assert_int_equal(fixture_unstake(&c->f, miner, role, FIXTURE_STAKE),
                     TX_ACCEPTED);
}

static void a_stake_answers_as_long_as_a_challenge_can_be_settled(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    answers_until(&c, c.f.height - 1 + STAYS_BOUND);
    assert_int_equal(memory_state_count(&c.f.memory, "closed"), 0);
    /* theta of the open round alone: the first one is gone */
    assert_int_equal(memory_state_count(&c.f.memory, "blob/"), 2);
    close_court(&c);
    open_court_for(&c, POT__NUMERICS__NUMERICS_EXACT, accepted, 9000);
    answers_until(&c, c.f.height - 1 + 9);
    for (uint32_t i = 0; i < c.f.params.challenge_blocks; i++) {
        fixture_end_block(&c.f);
    }
    assert_int_equal(memory_state_count(&c.f.memory, "closed"), 0);
    close_court(&c);
}

static void an_undecided_challenge_goes_on_for_a_while(void **state)
{
    (void)state;
    struct court c;
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    const struct key *challenger = fixture_validator(&c.f, 3);
    uint64_t before = account_of(&c, challenger).balance;
    uint64_t last = c.f.height - 1 + PATIENCE;
    assert_int_equal(challenge(&c, challenger, c.held.submissions[0]),
                     TX_ACCEPTED);
    answers_until(&c, last);
    /* nobody spoke: the deposit is back, and nothing of the round is left */
    assert_int_equal(status_of(&c, c.held.submissions[0]),
                     POT__CHALLENGE_STATUS__CHALLENGE_EXPIRED);
    assert_int_equal(account_of(&c, challenger).balance, before - FIXTURE_FEE);
    assert_int_equal(memory_state_count(&c.f.memory, "closed"), 0);
    assert_int_equal(memory_state_count(&c.f.memory, "challenged/"), 0);
    assert_int_equal(memory_state_count(&c.f.memory, "challenges"), 0);
    assert_int_equal(memory_state_count(&c.f.memory, "blob/"), 2);
    close_court(&c);
}

static void is_open(const struct court *c, const Pot__Signed *only)
{
    struct hash hash;
    Pot__HashList *open = ledger_challenges(&c->f.env.state);
    assert_int_equal(open->n_hashes, only != NULL ? 1 : 0);
    if (only != NULL) {
        signed_hash(&hash, SIGNED_SUBMISSION, only);
        assert_memory_equal(open->hashes[0].data, hash.b, HASH_SIZE);
    }
    codec_free(open);
}

static void several_of_a_round_are_open_until_each_is_settled(void **state)
{
    (void)state;
    struct court c;
    const Pot__Verdict words[] = {audited, audited, audited};
    open_court(&c, POT__NUMERICS__NUMERICS_EXACT, accepted);
    const struct key *challenger = fixture_validator(&c.f, 3);
    is_open(&c, NULL);
    assert_int_equal(challenge(&c, challenger, c.held.submissions[0]),
                     TX_ACCEPTED);
    is_open(&c, c.held.submissions[0]);
    assert_int_equal(challenge(&c, challenger, c.held.submissions[1]),
                     TX_ACCEPTED);
    assert_int_equal(settle(&c, c.held.submissions[0], 0, words, 3),
                     TX_ACCEPTED);
    is_open(&c, c.held.submissions[1]);
    for (int i = 0; i < PATIENCE; i++) {
        assert_int_equal(memory_state_count(&c.f.memory, "open-challenge/"), 1);
        fixture_end_block(&c.f);
    }
    is_open(&c, NULL);
    assert_int_equal(memory_state_count(&c.f.memory, "open-challenge/"), 0);
    assert_int_equal(status_of(&c, c.held.submissions[1]),
                     POT__CHALLENGE_STATUS__CHALLENGE_EXPIRED);
    assert_int_equal(memory_state_count(&c.f.memory, "closed"), 0);
    close_court(&c);
}

static void validators_that_were_slow_still_settle_it(void **state)
{
    (void)state;
    struct court c;
    const Pot__Verdict words[] = {refused, refused, refused};
    open_court_for(&c, POT__NUMERICS__NUMERICS_EXACT, accepted, 3000);
    assert_int_equal(
        challenge(&c, fixture_validator(&c.f, 3), c.held.submissions[0]),
        TX_ACCEPTED);
    for (int i = 0; i < 6 * STAYS_BOUND; i++) {
        fixture_end_block(&c.f);
    }
    assert_int_equal(settle(&c, c.held.submissions[0], 0, words, 3),
                     TX_ACCEPTED);
    assert_int_equal(account_of(&c, fixture_miner(&c.f, 0)).stake_miner,
                     FIXTURE_STAKE / 2);
    for (uint32_t i = 0; i < c.f.params.challenge_blocks; i++) {
        fixture_end_block(&c.f);
    }
    assert_int_equal(memory_state_count(&c.f.memory, "closed"), 0);
    close_court(&c);
}

static void a_task_where_cheating_pays_is_not_taken(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    fixture_open(&f);
    fixture_spec(&spec, &f);
    assert_int_equal(fixture_publish(&f), TX_ACCEPTED);
    spec.task.numerics = POT__NUMERICS__NUMERICS_EXACT;
    /* R = 0.85 * budget / 6, S = half of 200,000: R (1 - p) / p <= S up to a
     * budget of 78,431 */
    assert_int_equal(
        fixture_submit(&f, fixture_client(&f, 0), &spec, 79200, &task),
        TX_SPEC_STAKE);
    assert_int_equal(
        fixture_submit(&f, fixture_client(&f, 0), &spec, 78400, &task),
        TX_ACCEPTED);
    spec.task.miner_stake = FIXTURE_STAKE;
    assert_int_equal(
        fixture_submit(&f, fixture_client(&f, 0), &spec, 79200, &task),
        TX_ACCEPTED);
    spec.task.audit_rate_ppm = 0;
    assert_int_equal(
        fixture_submit(&f, fixture_client(&f, 0), &spec, 6000, &task),
        TX_SPEC_STAKE);
    spec.task.numerics = POT__NUMERICS__NUMERICS_BLAS;
    assert_int_equal(
        fixture_submit(&f, fixture_client(&f, 0), &spec, 6000, &task),
        TX_ACCEPTED);
    fixture_end_block(&f);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_false_submission_costs_the_stake_and_pays_the_finder),
        cmocka_unit_test(a_cheat_keeps_the_tasks_that_its_stake_still_covers),
        cmocka_unit_test(who_attested_an_audit_of_it_is_slashed_too),
        cmocka_unit_test(a_false_accusation_costs_the_deposit),
        cmocka_unit_test(one_word_of_a_quorum_settles_it_and_nothing_less),
        cmocka_unit_test(words_are_of_different_validators_and_signed),
        cmocka_unit_test(who_may_challenge_what),
        cmocka_unit_test(open_challenges_are_bounded),
        cmocka_unit_test(a_round_can_be_challenged_for_challenge_blocks),
        cmocka_unit_test(and_for_challenge_ms_however_fast_blocks_come),
        cmocka_unit_test(an_undecided_challenge_goes_on_for_a_while),
        cmocka_unit_test(several_of_a_round_are_open_until_each_is_settled),
        cmocka_unit_test(validators_that_were_slow_still_settle_it),
        cmocka_unit_test(a_stake_answers_as_long_as_a_challenge_can_be_settled),
        cmocka_unit_test(a_task_where_cheating_pays_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
