/* The second half of ledger/challenge.h: what settles one, and what comes of
 * it. */
#include "config.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"
#include "base/limits.h"
#include "ledger/account.h"
#include "ledger/challenge.h"
#include "ledger/closed.h"
#include "ledger/list.h"
#include "ledger/record.h"
#include "ledger/roster.h"
#include "ledger/task.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

/* ---- what comes of it */

struct outcome {
    const struct ledger_env *env;
    const Pot__GenesisParams *params;
    const struct ledger_block *block;
    struct hash submission;
    struct hash name; /* that the words judge */
    Pot__ChallengeRecord *challenge;
    struct public_key challenger;
    struct public_key miner;
};

static void note(const struct outcome *o, const struct public_key *who,
                 uint64_t amount, Pot__RewardFor reason)
{
    Pot__ChallengeRecord *c = o->challenge;
    if (amount == 0) {
        return;
    }
    Pot__Reward *reward = pot_alloc(sizeof(*reward));
    pot__reward__init(reward);
    reward->to = codec_copy_bytes(who->b, PUBLIC_KEY_SIZE);
    reward->amount = amount;
    reward->reason = reason;
    c->outcome =
        pot_realloc(c->outcome, c->n_outcome + 1, sizeof(Pot__Reward *));
    c->outcome[c->n_outcome++] = reward;
}

static void pay(const struct outcome *o, const struct public_key *to,
                uint64_t amount, Pot__RewardFor reason)
{
    const struct state *state = &o->env->state;
    struct account account;
    ledger_account(state, to, &account);
    POT_ASSERT(amount <= UINT64_MAX - account.balance);
    account.balance += amount;
    account.earned += amount;
    account_store(state, to, &account);
    note(o, to, amount, reason);
}

static void burn(const struct outcome *o, uint64_t amount)
{
    const struct state *state = &o->env->state;
    Pot__SupplyRecord *supply = ledger_supply(state);
    supply->burnt += amount;
    record_store(state, keys_supply(), supply);
    codec_free(supply);
}

static uint64_t slash_miner(const struct outcome *o,
                            const struct public_key *miner)
{
    const struct state *state = &o->env->state;
    struct account account;
    ledger_account(state, miner, &account);
    uint64_t taken = amount_part((struct amount){account.stake_miner},
                                 o->params->slash_fraud_bps, BPS_ONE)
                         .units;
    account.stake_miner -= taken;
    account.slashed += taken;
    account_store(state, miner, &account);
    if (taken > 0 && account.stake_miner == 0) {
        list_remove(state, keys_stakers_miner(), miner->b);
    }
    note(o, miner, taken, POT__REWARD_FOR__REWARD_SLASH);
    return taken;
}

/* Of one task, if the miner is in it and has too little for all of its. */
static void leave_if_short(const struct outcome *o, const struct hash *hash,
                           const struct public_key *miner)
{
    const struct state *state = &o->env->state;
    struct account account;
    size_t index;
    Pot__TaskRecord *task = ledger_task(state, hash);
    ledger_account(state, miner, &account);
    if (task != NULL && roster_find(roster_of_members(task), miner, &index) &&
        account.stake_miner < account.stake_joined) {
        task_drop_member(o->env, task, index);
        task_store(o->env, task);
    }
    codec_free(task);
}

static void leave_tasks(const struct outcome *o, const struct public_key *miner)
{
    Pot__HashList *running = ledger_running(&o->env->state);
    for (size_t i = 0; i < running->n_hashes; i++) {
        struct hash hash;
        bool is_hash = codec_hash(&hash, running->hashes[i]);
        POT_ASSERT(is_hash);
        leave_if_short(o, &hash, miner);
    }
    codec_free(running);
}

/* Those who say to have audited it; who is jailed was punished already. */
static uint64_t slash_auditors(const struct outcome *o,
                               const Pot__ClosedRecord *closed)
{
    const struct state *state = &o->env->state;
    const Pot__ClosedSubmission *counted = closed_find(closed, &o->submission);
    uint64_t taken = 0;
    POT_ASSERT(counted != NULL);
    for (size_t i = 0; i < counted->n_auditors; i++) {
        struct public_key validator;
        struct account account;
        POT_ASSERT(counted->auditors[i] < closed->n_attesters);
        bool is_key =
            codec_key(&validator, closed->attesters[counted->auditors[i]]);
        POT_ASSERT(is_key);
        ledger_account(state, &validator, &account);
        if (!account.is_jailed) {
            uint64_t cut = slash_validator(state, o->params, &validator);
            note(o, &validator, cut, POT__REWARD_FOR__REWARD_SLASH);
            taken += cut;
        }
    }
    return taken;
}

/* Of what was taken, and the deposit back. */
static void reward(const struct outcome *o, const struct public_key *finder,
                   uint64_t taken)
{
    uint64_t share =
        amount_part((struct amount){taken}, o->params->finder_bps, BPS_ONE)
            .units;
    pay(o, finder, share, POT__REWARD_FOR__REWARD_CHALLENGE);
    burn(o, taken - share);
    account_credit(&o->env->state, &o->challenger, o->challenge->deposit);
}

static Pot__ClosedRecord *load_closed(const struct outcome *o)
{
    struct hash task;
    const Pot__ChallengeRecord *c = o->challenge;
    bool is_hash = codec_hash(&task, c->task);
    POT_ASSERT(is_hash);
    Pot__ClosedRecord *closed = ledger_closed(&o->env->state, &task, c->round);
    POT_ASSERT(closed != NULL); /* it goes when the challenge expires */
    return closed;
}

/* A miner that exposed what is no plant finds nobody but itself. */
static void uphold(const struct outcome *o)
{
    Pot__ClosedRecord *closed = load_closed(o);
    bool is_own = public_key_equal(&o->miner, &o->challenger);
    uint64_t taken = slash_miner(o, &o->miner);
    leave_tasks(o, &o->miner);
    taken += slash_auditors(o, closed);
    if (is_own) {
        burn(o, taken);
        account_credit(&o->env->state, &o->challenger, o->challenge->deposit);
    } else {
        reward(o, &o->challenger, taken);
    }
    codec_free(closed);
}

static void find_liars(const struct outcome *o)
{
    Pot__ClosedRecord *closed = load_closed(o);
    reward(o, &o->miner, slash_auditors(o, closed));
    codec_free(closed);
}

static void reject(const struct outcome *o, const Pot__SettleChallenge *settle)
{
    uint64_t deposit = o->challenge->deposit;
    uint64_t share = deposit / settle->n_attestations;
    note(o, &o->challenger, deposit, POT__REWARD_FOR__REWARD_DEPOSIT_LOST);
    for (size_t i = 0; i < settle->n_attestations; i++) {
        struct public_key validator;
        bool is_key =
            codec_key(&validator, settle->attestations[i]->public_key);
        POT_ASSERT(is_key);
        pay(o, &validator, share, POT__REWARD_FOR__REWARD_REFEREEING);
    }
    burn(o, deposit - share * settle->n_attestations);
}

/* ---- settling one */

/* The word of one attestation; VERDICT_NONE unless it is of this challenge, of
 * a validator behind *last, and signed. */
static Pot__Verdict word_of(const struct outcome *o,
                            const struct validator_set *set,
                            const Pot__Signed *message, bool is_first,
                            struct public_key *last)
{
    struct round_attestation a;
    uint32_t index;
    Pot__Verdict verdict = POT__VERDICT__VERDICT_NONE;
    if (round_attestation_decode(&a, message) != POT_OK) {
        return verdict;
    }
    bool is_right =
        codec_bytes_equal(o->challenge->task, a.task.b, HASH_SIZE) &&
        a.body->round == o->challenge->round &&
        (is_first || public_key_compare(last, &a.validator) < 0) &&
        validator_set_find(&index, set, &a.validator) &&
        signed_verify(SIGNED_ATTESTATION, &o->env->chain, message);
    if (is_right) {
        verdict = round_verdict_on(&a, &o->name);
        *last = a.validator;
    }
    round_attestation_fini(&a);
    return verdict;
}

static bool is_exposed(const struct outcome *o)
{
    return o->challenge->plant.len > 0;
}

/* The one word of all of them, if they are a quorum and it says something that
 * was computed; otherwise VERDICT_NONE. */
static Pot__Verdict common_word(const struct outcome *o,
                                const Pot__SettleChallenge *settle)
{
    struct validator_set set;
    struct public_key last = {{0}};
    Pot__Verdict common = POT__VERDICT__VERDICT_NONE;
    ledger_validators(&o->env->state, &set);
    if (settle->n_attestations < validator_set_quorum(set.count) ||
        settle->n_attestations > set.count) {
        return common;
    }
    for (size_t i = 0; i < settle->n_attestations; i++) {
        Pot__Verdict word =
            word_of(o, &set, settle->attestations[i], i == 0, &last);
        if (word != POT__VERDICT__VERDICT_ACCEPT_AUDITED &&
            word != POT__VERDICT__VERDICT_REFUSE &&
            (word != POT__VERDICT__VERDICT_PLANTED || !is_exposed(o))) {
            return POT__VERDICT__VERDICT_NONE;
        }
        if (i > 0 && word != common) {
            return POT__VERDICT__VERDICT_NONE;
        }
        common = word;
    }
    return common;
}

static Pot__ChallengeStatus carry_out(const struct outcome *o,
                                      Pot__Verdict word,
                                      const Pot__SettleChallenge *settle)
{
    if (word == POT__VERDICT__VERDICT_REFUSE) {
        uphold(o);
        return POT__CHALLENGE_STATUS__CHALLENGE_UPHELD;
    }
    if (word == POT__VERDICT__VERDICT_PLANTED) {
        find_liars(o);
        return POT__CHALLENGE_STATUS__CHALLENGE_PLANTED;
    }
    reject(o, settle);
    return POT__CHALLENGE_STATUS__CHALLENGE_REJECTED;
}

static enum tx_verdict settle_open(struct outcome *o,
                                   const Pot__SettleChallenge *settle)
{
    Pot__Verdict word = common_word(o, settle);
    if (word == POT__VERDICT__VERDICT_NONE) {
        return TX_CHALLENGE_WORDS;
    }
    if (word == POT__VERDICT__VERDICT_REFUSE &&
        ledger_challenge_waits(&o->env->state, o->challenge, o->block)) {
        return TX_CHALLENGE_WAITS;
    }
    Pot__ChallengeStatus status = carry_out(o, word, settle);
    challenge_close(&o->env->state, &o->submission, o->challenge, status,
                    o->block->height);
    return TX_ACCEPTED;
}

enum tx_verdict challenge_settle(const struct ledger_env *env,
                                 const Pot__GenesisParams *params,
                                 const struct ledger_block *block,
                                 const Pot__SettleChallenge *settle)
{
    struct outcome o = {.env = env, .params = params, .block = block};
    bool is_hash = codec_hash(&o.submission, settle->submission);
    POT_ASSERT(is_hash);
    o.challenge = ledger_challenge(&env->state, &o.submission);
    enum tx_verdict verdict =
        o.challenge == NULL ? TX_CHALLENGE_UNKNOWN : TX_CHALLENGE_ENDED;
    if (o.challenge != NULL &&
        o.challenge->status == POT__CHALLENGE_STATUS__CHALLENGE_OPEN) {
        bool is_right = codec_key(&o.challenger, o.challenge->challenger) &&
                        codec_key(&o.miner, o.challenge->miner);
        POT_ASSERT(is_right);
        ledger_challenge_name(&o.name, o.challenge);
        verdict = settle_open(&o, settle);
    }
    codec_free(o.challenge);
    return verdict;
}
