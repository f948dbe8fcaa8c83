/* A stake is nothing or at least the minimum of its role; whoever has one
 * stands in the list of that role's stakers.  Validators enter and leave the
 * set at the next epoch: ledger/epoch.c.  What a validator takes back is bound
 * for a while: ledger/unbond.c. */
#include "config.h"

#include "ledger/account.h"
#include "ledger/list.h"
#include "ledger/tx_kind.h"
#include "ledger/unbond.h"

struct role {
    uint64_t *stake; /* in an account */
    uint64_t minimum;
    struct state_key stakers;
};

static enum tx_verdict check_amount(Pot__StakeRole role, uint64_t amount)
{
    if (role != POT__STAKE_ROLE__STAKE_VALIDATOR &&
        role != POT__STAKE_ROLE__STAKE_MINER) {
        return TX_STAKE_ROLE;
    }
    return amount > 0 ? TX_ACCEPTED : TX_AMOUNT_ZERO;
}

static enum tx_verdict check_stake(const Pot__TxBody *body)
{
    return check_amount(body->stake->role, body->stake->amount);
}

static enum tx_verdict check_unstake(const Pot__TxBody *body)
{
    return check_amount(body->unstake->role, body->unstake->amount);
}

static struct role role_of(Pot__StakeRole role, struct account *account,
                           const Pot__GenesisParams *params)
{
    if (role == POT__STAKE_ROLE__STAKE_VALIDATOR) {
        return (struct role){&account->stake_validator,
                             params->min_validator_stake,
                             keys_stakers_validator()};
    }
    return (struct role){&account->stake_miner, params->min_miner_stake,
                         keys_stakers_miner()};
}

static enum tx_verdict tx_stake(const struct tx_run *run,
                                const Pot__TxBody *body)
{
    const struct state *state = &run->env->state;
    uint64_t amount = body->stake->amount;
    struct account account;
    ledger_account(state, &run->sender, &account);
    struct role role = role_of(body->stake->role, &account, run->params);
    if (amount > account.balance) {
        return TX_BALANCE_LOW;
    }
    if (*role.stake + amount < role.minimum) {
        return TX_STAKE_LOW;
    }
    if (body->stake->role == POT__STAKE_ROLE__STAKE_VALIDATOR &&
        account.is_jailed) {
        account.is_jailed = false;
        account.forgiven_height = run->block->height;
    }
    if (*role.stake == 0) {
        if (list_count(state, role.stakers) >= STAKERS_MAX) {
            return TX_STAKERS_FULL;
        }
        list_insert(state, role.stakers, run->sender.b);
    }
    account.balance -= amount;
    *role.stake += amount;
    account_store(state, &run->sender, &account);
    return TX_ACCEPTED;
}

const struct tx_kind tx_kind_stake = {check_stake, tx_stake};

static enum tx_verdict tx_unstake(const struct tx_run *run,
                                  const Pot__TxBody *body)
{
    const struct state *state = &run->env->state;
    uint64_t amount = body->unstake->amount;
    bool is_miner = body->unstake->role == POT__STAKE_ROLE__STAKE_MINER;
    struct account account;
    ledger_account(state, &run->sender, &account);
    struct role role = role_of(body->unstake->role, &account, run->params);
    if (amount > *role.stake) {
        return TX_STAKE_SHORT;
    }
    uint64_t rest = *role.stake - amount;
    if (rest > 0 && rest < role.minimum) {
        return TX_STAKE_LOW;
    }
    if (is_miner && account.tasks_joined > 0) {
        return TX_STAKE_BOUND;
    }
    if (is_miner && (run->block->height <= account.answers_until ||
                     run->block->time_ms <= account.answers_until_ms)) {
        return TX_ANSWERS;
    }
    if (!is_miner && rest == 0 && list_count(state, role.stakers) == 1) {
        return TX_LAST_VALIDATOR;
    }
    if (rest == 0) {
        list_remove(state, role.stakers, run->sender.b);
    }
    *role.stake = rest;
    if (is_miner) {
        account.balance += amount;
    } else if (!unbond_begin(state, run->params, run->block->height,
                             &run->sender, &account, amount)) {
        return TX_UNBONDING_FULL;
    }
    account_store(state, &run->sender, &account);
    return TX_ACCEPTED;
}

const struct tx_kind tx_kind_unstake = {check_unstake, tx_unstake};
