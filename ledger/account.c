#include "config.h"

#include "ledger/account.h"

#include "base/check.h"
#include "ledger/record.h"
#include "proto/codec.h"

#include <string.h>

bool ledger_account(const struct state *state, const struct public_key *key,
                    struct account *out)
{
    *out = (struct account){0};
    Pot__AccountRecord *r =
        record_load(state, keys_account(key), &pot__account_record__descriptor);
    if (r == NULL) {
        return false;
    }
    out->balance = r->balance;
    out->nonce = r->nonce;
    out->stake_validator = r->stake_validator;
    out->stake_miner = r->stake_miner;
    out->earned = r->earned;
    out->slashed = r->slashed;
    out->tasks_joined = r->tasks_joined;
    out->is_jailed = r->is_jailed;
    out->forgiven_height = r->forgiven_height;
    out->answers_until = r->answers_until;
    out->answers_until_ms = r->answers_until_ms;
    out->stake_joined = r->stake_joined;
    out->audits_drawn = r->audits_drawn;
    out->audits_said = r->audits_said;
    POT_ASSERT(r->n_unbonding <= UNBONDINGS_MAX);
    for (size_t i = 0; i < r->n_unbonding; i++) {
        out->unbonding[out->unbonding_count++] = (struct unbonding){
            r->unbonding[i]->amount, r->unbonding[i]->height};
    }
    POT_ASSERT(strlen(r->moniker) <= TX_TEXT_MAX);
    memcpy(out->moniker, r->moniker, strlen(r->moniker) + 1);
    codec_free(r);
    return true;
}

void account_store(const struct state *state, const struct public_key *key,
                   const struct account *account)
{
    char moniker[TX_TEXT_MAX + 1];
    Pot__UnbondingRecord parts[UNBONDINGS_MAX];
    Pot__UnbondingRecord *list[UNBONDINGS_MAX];
    memcpy(moniker, account->moniker, sizeof(moniker));
    Pot__AccountRecord r = POT__ACCOUNT_RECORD__INIT;
    r.balance = account->balance;
    r.nonce = account->nonce;
    r.stake_validator = account->stake_validator;
    r.stake_miner = account->stake_miner;
    r.earned = account->earned;
    r.slashed = account->slashed;
    r.tasks_joined = account->tasks_joined;
    r.moniker = moniker;
    r.is_jailed = account->is_jailed;
    r.forgiven_height = account->forgiven_height;
    r.answers_until = account->answers_until;
    r.answers_until_ms = account->answers_until_ms;
    r.stake_joined = account->stake_joined;
    r.audits_drawn = account->audits_drawn;
    r.audits_said = account->audits_said;
    r.n_unbonding = account->unbonding_count;
    r.unbonding = list;
    for (size_t i = 0; i < account->unbonding_count; i++) {
        pot__unbonding_record__init(&parts[i]);
        parts[i].amount = account->unbonding[i].amount;
        parts[i].height = account->unbonding[i].height;
        list[i] = &parts[i];
    }
    record_store(state, keys_account(key), &r);
}

void account_credit(const struct state *state, const struct public_key *key,
                    uint64_t units)
{
    struct account account;
    ledger_account(state, key, &account);
    POT_ASSERT(units <= UINT64_MAX - account.balance);
    account.balance += units;
    account_store(state, key, &account);
}

bool account_debit(const struct state *state, const struct public_key *key,
                   uint64_t units)
{
    struct account account;
    ledger_account(state, key, &account);
    if (units > account.balance) {
        return false;
    }
    account.balance -= units;
    account_store(state, key, &account);
    return true;
}
