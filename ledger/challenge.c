#include "config.h"

#include "ledger/challenge.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/account.h"
#include "ledger/challenge_count.h"
#include "ledger/closed.h"
#include "ledger/list.h"
#include "ledger/plants.h"
#include "ledger/record.h"
#include "proto/codec.h"

#include <stdlib.h>

/* A challenge that is open at the end of its round's time goes on until so many
 * times challenge_blocks and challenge_ms have passed since the round closed:
 * validators that are slow for a while do not let a cheat go. */
#define PATIENCE_TIMES 10

static void store(const struct state *state, const struct hash *submission,
                  const Pot__ChallengeRecord *challenge)
{
    record_store(state, keys_challenge(submission), challenge);
}

/* ---- opening one */

/* Into the table of all and that of the open ones; the record gets its place
 * in the latter. */
static void enlist(const struct state *state, const struct hash *submission,
                   Pot__ChallengeRecord *challenge)
{
    Pot__SupplyRecord *supply = ledger_supply(state);
    challenge->place = supply->challenges_open++;
    record_store_hash(state, keys_challenge_number(supply->challenges++),
                      submission);
    record_store_hash(state, keys_open_challenge(challenge->place), submission);
    record_store(state, keys_supply(), supply);
    codec_free(supply);
}

/* The last one takes its place. */
static void delist(const struct state *state,
                   const Pot__ChallengeRecord *challenge)
{
    struct hash last;
    Pot__SupplyRecord *supply = ledger_supply(state);
    struct state_key end = keys_open_challenge(--supply->challenges_open);
    if (challenge->place != supply->challenges_open &&
        record_load_hash(state, end, &last)) {
        Pot__ChallengeRecord *moved = ledger_challenge(state, &last);
        moved->place = challenge->place;
        store(state, &last, moved);
        record_store_hash(state, keys_open_challenge(moved->place), &last);
        codec_free(moved);
    }
    state->del(state->context, end.b, end.size);
    record_store(state, keys_supply(), supply);
    codec_free(supply);
}

/* What the ledger remembers of it; borrows from the submission. */
static Pot__ChallengeRecord describe(const struct round_submission *submission,
                                     const struct ledger_block *block)
{
    Pot__ChallengeRecord c = POT__CHALLENGE_RECORD__INIT;
    c.submission = codec_bytes(submission->hash.b, HASH_SIZE);
    c.task = codec_bytes(submission->task.b, HASH_SIZE);
    c.round = submission->body->round;
    c.miner = codec_bytes(submission->miner.b, PUBLIC_KEY_SIZE);
    c.payload_hash = codec_bytes(submission->payload.b, HASH_SIZE);
    c.loss = submission->body->loss;
    c.link = submission->body->link;
    c.height = block->height;
    c.time_ms = block->time_ms;
    c.status = POT__CHALLENGE_STATUS__CHALLENGE_OPEN;
    return c;
}

static void begin(const struct state *state, const Pot__GenesisParams *params,
                  const struct ledger_block *block,
                  const struct public_key *challenger,
                  const struct round_submission *submission,
                  const struct hash *secret)
{
    struct hash name;
    struct hash previous;
    Pot__ChallengeRecord c = describe(submission, block);
    c.challenger = codec_bytes(challenger->b, PUBLIC_KEY_SIZE);
    c.deposit = params->challenge_deposit;
    if (secret != NULL) {
        c.plant = codec_bytes(secret->b, HASH_SIZE);
    }
    keys_closed_name(&name, &submission->task, c.round);
    if (record_load_hash(state, keys_challenged(&name), &previous)) {
        c.previous = codec_bytes(previous.b, HASH_SIZE);
    }
    record_store_hash(state, keys_challenged(&name), &submission->hash);
    enlist(state, &submission->hash, &c);
    store(state, &submission->hash, &c);
    challenge_count_add(state, &c);
    closed_bind(state, params, block, &submission->miner);
}

/* Its hash is over the signature too, so one that was counted is signed. */
static enum tx_verdict check_open(const struct state *state,
                                  const Pot__GenesisParams *params,
                                  const struct ledger_block *block,
                                  const Pot__ClosedRecord *closed,
                                  const struct round_submission *submission)
{
    if (closed == NULL || !closed_is_within(closed, params, block, 1) ||
        closed_find(closed, &submission->hash) == NULL) {
        return TX_SUBMISSION_UNKNOWN;
    }
    Pot__ChallengeRecord *old = ledger_challenge(state, &submission->hash);
    bool is_new = old == NULL;
    codec_free(old);
    return is_new ? TX_ACCEPTED : TX_CHALLENGED;
}

/* Whoever accuses himself would get a part of his own stake back; but he may
 * say that he planted it. */
static bool may_challenge(const struct state *state,
                          const struct public_key *challenger,
                          const struct round_submission *submission,
                          const struct hash *secret)
{
    struct account account;
    if (secret != NULL) {
        return public_key_equal(challenger, &submission->miner);
    }
    ledger_account(state, challenger, &account);
    return (account.stake_validator > 0 || account.stake_miner > 0) &&
           !public_key_equal(challenger, &submission->miner);
}

enum tx_verdict challenge_open(const struct state *state,
                               const Pot__GenesisParams *params,
                               const struct ledger_block *block,
                               const struct public_key *challenger,
                               const struct round_submission *submission,
                               const struct hash *secret)
{
    struct hash known;
    const Pot__ChallengeRecord described = describe(submission, block);
    Pot__ClosedRecord *closed =
        ledger_closed(state, &submission->task, submission->body->round);
    enum tx_verdict verdict =
        check_open(state, params, block, closed, submission);
    if (verdict == TX_ACCEPTED &&
        !may_challenge(state, challenger, submission, secret)) {
        verdict = TX_CHALLENGER;
    }
    if (verdict == TX_ACCEPTED && secret != NULL &&
        !ledger_is_plant(state, &described, secret)) {
        verdict = TX_PLANT;
    }
    if (verdict == TX_ACCEPTED) {
        verdict = challenge_count_check(state, &submission->task, challenger);
    }
    if (verdict == TX_ACCEPTED &&
        !account_debit(state, challenger, params->challenge_deposit)) {
        verdict = TX_BALANCE_LOW;
    }
    if (verdict == TX_ACCEPTED) {
        if (secret == NULL && plants_known(&known, state, &described) &&
            ledger_is_plant(state, &described, &known)) {
            secret = &known;
        }
        begin(state, params, block, challenger, submission, secret);
    }
    codec_free(closed);
    return verdict;
}

/* ---- when its time is over */

void challenge_close(const struct state *state, const struct hash *submission,
                     Pot__ChallengeRecord *challenge,
                     Pot__ChallengeStatus status, uint64_t height)
{
    delist(state, challenge);
    challenge->status = status;
    challenge->settled_height = height;
    challenge->deposit = 0;
    challenge->place = 0;
    store(state, submission, challenge);
    challenge_count_remove(state, challenge);
}

static void expire(const struct state *state, const struct hash *submission,
                   Pot__ChallengeRecord *challenge, uint64_t height)
{
    struct public_key challenger;
    bool is_key = codec_key(&challenger, challenge->challenger);
    POT_ASSERT(is_key);
    account_credit(state, &challenger, challenge->deposit);
    challenge_close(state, submission, challenge,
                    POT__CHALLENGE_STATUS__CHALLENGE_EXPIRED, height);
}

/* The end of a closed round, in the block that looks at it. */
struct ending {
    const struct ledger_env *env;
    const Pot__GenesisParams *params;
    const struct ledger_block *block;
    struct hash name;
    bool is_patient; /* open challenges may go on */
    bool is_waiting; /* for one of them */
};

static void end_challenge(struct ending *e, const struct hash *submission,
                          Pot__ChallengeRecord *challenge)
{
    struct public_key miner;
    const struct state *state = &e->env->state;
    if (challenge->status != POT__CHALLENGE_STATUS__CHALLENGE_OPEN) {
        return;
    }
    if (e->is_patient) {
        bool is_key = codec_key(&miner, challenge->miner);
        POT_ASSERT(is_key);
        closed_bind(state, e->params, e->block, &miner);
        e->is_waiting = true;
    } else {
        expire(state, submission, challenge, e->block->height);
    }
}

/* From the last one back to the first. */
static void end_challenges(struct ending *e, struct state_key challenged)
{
    struct hash submission;
    const struct state *state = &e->env->state;
    bool has_more = record_load_hash(state, challenged, &submission);
    while (has_more) {
        Pot__ChallengeRecord *challenge = ledger_challenge(state, &submission);
        has_more = false; /* also when the state cannot be read */
        if (challenge != NULL) {
            end_challenge(e, &submission, challenge);
            has_more = codec_hash(&submission, challenge->previous);
        }
        codec_free(challenge);
    }
}

/* Looked at again later, unless its time is over and nothing is open.  Until
 * then the accused of an open challenge cannot take the stake away. */
static void end_closed(struct ending *e, const Pot__ClosedRecord *closed)
{
    const struct state *state = &e->env->state;
    const struct ledger_block next = {.height = e->block->height + 1,
                                      .time_ms = e->block->time_ms};
    struct state_key challenged = keys_challenged(&e->name);
    e->is_patient = closed_is_within(closed, e->params, &next, PATIENCE_TIMES);
    end_challenges(e, challenged);
    if (e->is_waiting || closed_is_within(closed, e->params, &next, 1)) {
        uint64_t again = e->block->height + e->params->challenge_blocks;
        list_append(state, keys_closed_until(again), e->name.b);
    } else {
        closed_forget(e->env, &e->name, closed);
        plants_forget(state, closed);
        state->del(state->context, challenged.b, challenged.size);
    }
}

static void end_all(const struct ledger_env *env,
                    const struct ledger_block *block,
                    const Pot__HashList *names)
{
    Pot__SupplyRecord *supply = ledger_supply(&env->state);
    for (size_t i = 0; i < names->n_hashes; i++) {
        struct ending e = {env, supply->params, block, .is_waiting = false};
        bool is_hash = codec_hash(&e.name, names->hashes[i]);
        POT_ASSERT(is_hash);
        Pot__ClosedRecord *closed = closed_load(&env->state, &e.name);
        if (closed != NULL) {
            end_closed(&e, closed);
        }
        codec_free(closed);
    }
    codec_free(supply);
}

void challenge_end(const struct ledger_env *env,
                   const struct ledger_block *block)
{
    struct state_key at = keys_closed_until(block->height);
    Pot__HashList *names = list_load(&env->state, at);
    if (names->n_hashes > 0) {
        end_all(env, block, names);
        env->state.del(env->state.context, at.b, at.size);
    }
    codec_free(names);
}
