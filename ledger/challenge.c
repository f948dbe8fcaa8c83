#include "config.h"

#include "ledger/challenge.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/account.h"
#include "ledger/closed.h"
#include "ledger/list.h"
#include "ledger/record.h"
#include "proto/codec.h"

#include <stdlib.h>

static void store(const struct state *state, const struct hash *submission,
                  const Pot__ChallengeRecord *challenge)
{
    record_store(state, keys_challenge(submission), challenge);
}

/* ---- opening one */

static void number(const struct state *state, const struct hash *submission)
{
    Pot__SupplyRecord *supply = ledger_supply(state);
    record_store_hash(state, keys_challenge_number(supply->challenges),
                      submission);
    supply->challenges++;
    record_store(state, keys_supply(), supply);
    codec_free(supply);
}

static void note_challenged(const struct state *state,
                            Pot__ClosedRecord *closed,
                            const struct hash *submission)
{
    size_t count = closed->n_challenged;
    closed->challenged =
        pot_realloc(closed->challenged, count + 1, sizeof(*closed->challenged));
    closed->challenged[count] = codec_copy_bytes(submission->b, HASH_SIZE);
    closed->n_challenged = count + 1;
    closed_store(state, closed);
}

static void begin(const struct state *state, const Pot__GenesisParams *params,
                  uint64_t height, const struct public_key *challenger,
                  const struct round_submission *submission)
{
    Pot__ChallengeRecord c = POT__CHALLENGE_RECORD__INIT;
    c.submission = codec_bytes(submission->hash.b, HASH_SIZE);
    c.task = codec_bytes(submission->task.b, HASH_SIZE);
    c.round = submission->body->round;
    c.miner = codec_bytes(submission->miner.b, PUBLIC_KEY_SIZE);
    c.payload_hash = codec_bytes(submission->payload.b, HASH_SIZE);
    c.loss = submission->body->loss;
    c.challenger = codec_bytes(challenger->b, PUBLIC_KEY_SIZE);
    c.deposit = params->challenge_deposit;
    c.height = height;
    c.status = POT__CHALLENGE_STATUS__CHALLENGE_OPEN;
    store(state, &submission->hash, &c);
    list_append(state, keys_challenges(), submission->hash.b);
    number(state, &submission->hash);
}

/* Its hash is over the signature too, so one that was counted is signed. */
static enum tx_verdict check_open(const struct state *state,
                                  const Pot__GenesisParams *params,
                                  uint64_t height,
                                  const Pot__ClosedRecord *closed,
                                  const struct round_submission *submission)
{
    if (closed == NULL || height > closed->height + params->challenge_blocks ||
        closed_find(closed, &submission->hash) == NULL) {
        return TX_SUBMISSION_UNKNOWN;
    }
    Pot__ChallengeRecord *old = ledger_challenge(state, &submission->hash);
    bool is_new = old == NULL;
    codec_free(old);
    return is_new ? TX_ACCEPTED : TX_CHALLENGED;
}

/* Whoever accuses himself would get a part of his own stake back. */
static bool may_challenge(const struct state *state,
                          const struct public_key *challenger,
                          const struct round_submission *submission)
{
    struct account account;
    ledger_account(state, challenger, &account);
    return (account.stake_validator > 0 || account.stake_miner > 0) &&
           !public_key_equal(challenger, &submission->miner);
}

enum tx_verdict challenge_open(const struct state *state,
                               const Pot__GenesisParams *params,
                               uint64_t height,
                               const struct public_key *challenger,
                               const struct round_submission *submission)
{
    Pot__ClosedRecord *closed =
        ledger_closed(state, &submission->task, submission->body->round);
    enum tx_verdict verdict =
        check_open(state, params, height, closed, submission);
    if (verdict == TX_ACCEPTED &&
        !may_challenge(state, challenger, submission)) {
        verdict = TX_CHALLENGER;
    }
    if (verdict == TX_ACCEPTED &&
        !account_debit(state, challenger, params->challenge_deposit)) {
        verdict = TX_BALANCE_LOW;
    }
    if (verdict == TX_ACCEPTED) {
        note_challenged(state, closed, &submission->hash);
        begin(state, params, height, challenger, submission);
    }
    codec_free(closed);
    return verdict;
}

/* ---- when its time is over */

void challenge_close(const struct state *state, const struct hash *submission,
                     Pot__ChallengeRecord *challenge,
                     Pot__ChallengeStatus status, uint64_t height)
{
    challenge->status = status;
    challenge->settled_height = height;
    challenge->deposit = 0;
    store(state, submission, challenge);
    list_remove(state, keys_challenges(), submission->b);
}

static void expire(const struct state *state, const struct hash *submission,
                   uint64_t height)
{
    struct public_key challenger;
    Pot__ChallengeRecord *challenge = ledger_challenge(state, submission);
    if (challenge != NULL &&
        challenge->status == POT__CHALLENGE_STATUS__CHALLENGE_OPEN) {
        bool is_key = codec_key(&challenger, challenge->challenger);
        POT_ASSERT(is_key);
        account_credit(state, &challenger, challenge->deposit);
        challenge_close(state, submission, challenge,
                        POT__CHALLENGE_STATUS__CHALLENGE_EXPIRED, height);
    }
    codec_free(challenge);
}

static void forget(const struct ledger_env *env, const struct hash *name,
                   uint64_t height)
{
    Pot__ClosedRecord *closed = closed_take(env, name);
    for (size_t i = 0; closed != NULL && i < closed->n_challenged; i++) {
        struct hash submission;
        bool is_hash = codec_hash(&submission, closed->challenged[i]);
        POT_ASSERT(is_hash);
        expire(&env->state, &submission, height);
    }
    codec_free(closed);
}

void challenge_end(const struct ledger_env *env, uint64_t height)
{
    struct state_key at = keys_closed_until(height);
    Pot__HashList *names = list_load(&env->state, at);
    for (size_t i = 0; i < names->n_hashes; i++) {
        struct hash name;
        bool is_hash = codec_hash(&name, names->hashes[i]);
        POT_ASSERT(is_hash);
        forget(env, &name, height);
    }
    if (names->n_hashes > 0) {
        env->state.del(env->state.context, at.b, at.size);
    }
    codec_free(names);
}
