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
    POT_ASSERT(strlen(r->moniker) <= TX_TEXT_MAX);
    memcpy(out->moniker, r->moniker, strlen(r->moniker) + 1);
    codec_free(r);
    return true;
}

void account_store(const struct state *state, const struct public_key *key,
                   const struct account *account)
{
    char moniker[TX_TEXT_MAX + 1];
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
