/* A stake is nothing or at least the minimum of its role; whoever has one
 * stands in the list of that role's stakers.  Validators enter and leave the
 * set at the next epoch: ledger/epoch.c. */
#include "config.h"

#include "ledger/record.h"
#include "ledger/tx_kind.h"

struct role {
    uint64_t *stake; /* in an account */
    uint64_t minimum;
    struct state_key stakers;
};

/* false: no such role. */
static bool role_of(struct role *out, Pot__StakeRole role,
                    struct account *account, const Pot__GenesisParams *params)
{
    if (role == POT__STAKE_ROLE__STAKE_VALIDATOR) {
        *out = (struct role){&account->stake_validator,
                             params->min_validator_stake,
                             keys_stakers_validator()};
        return true;
    }
    *out = (struct role){&account->stake_miner, params->min_miner_stake,
                         keys_stakers_miner()};
    return role == POT__STAKE_ROLE__STAKE_MINER;
}

enum tx_verdict tx_stake(const struct tx_run *run, const Pot__TxBody *body)
{
    const struct state *state = &run->env->state;
    uint64_t amount = body->stake->amount;
    struct account account;
    struct role role;
    ledger_account(state, &run->sender, &account);
    if (!role_of(&role, body->stake->role, &account, run->params)) {
        return TX_STAKE_ROLE;
    }
    if (amount == 0) {
        return TX_AMOUNT_ZERO;
    }
    if (amount > account.balance) {
        return TX_BALANCE_LOW;
    }
    if (*role.stake + amount < role.minimum) {
        return TX_STAKE_LOW;
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

enum tx_verdict tx_unstake(const struct tx_run *run, const Pot__TxBody *body)
{
    const struct state *state = &run->env->state;
    uint64_t amount = body->unstake->amount;
    bool is_miner = body->unstake->role == POT__STAKE_ROLE__STAKE_MINER;
    struct account account;
    struct role role;
    ledger_account(state, &run->sender, &account);
    if (!role_of(&role, body->unstake->role, &account, run->params)) {
        return TX_STAKE_ROLE;
    }
    if (amount == 0) {
        return TX_AMOUNT_ZERO;
    }
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
    if (!is_miner && rest == 0 && list_count(state, role.stakers) == 1) {
        return TX_LAST_VALIDATOR;
    }
    if (rest == 0) {
        list_remove(state, role.stakers, run->sender.b);
    }
    *role.stake = rest;
    account.balance += amount;
    account_store(state, &run->sender, &account);
    return TX_ACCEPTED;
}
