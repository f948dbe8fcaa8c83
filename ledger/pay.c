#include "config.h"

#include "ledger/pay.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"
#include "base/limits.h"
#include "ledger/account.h"
#include "ledger/settle.h"

uint64_t pay_of_round(uint64_t budget, uint32_t round, uint32_t rounds)
{
    struct amount whole = {budget};
    POT_ASSERT(round < rounds);
    return amount_part(whole, (uint64_t)round + 1, rounds).units -
           amount_part(whole, round, rounds).units;
}

static void add_reward(struct settle *s, const struct public_key *to,
                       uint64_t amount, Pot__RewardFor reason)
{
    if (amount > 0) {
        s->rewards[s->reward_count++] =
            (struct settle_reward){*to, amount, reason};
    }
}

static void pay_miners(struct settle *s, uint64_t pool)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < s->counted_count; i++) {
        rows += s->counted[i].body->rows;
    }
    for (size_t i = 0; i < s->counted_count; i++) {
        struct amount share =
            amount_part((struct amount){pool}, s->counted[i].body->rows, rows);
        add_reward(s, &s->counted[i].miner, share.units,
                   POT__REWARD_FOR__REWARD_TRAINING);
    }
}

void pay_compute(struct settle *s, const struct public_key *proposer)
{
    const Pot__GenesisParams *params = s->supply->params;
    const Pot__TaskRecord *task = s->task;
    uint64_t part = pay_of_round(task->budget, task->round, task->spec->rounds);
    POT_ASSERT(params->attesting_bps + params->proposing_bps <= BPS_ONE);
    struct amount whole = {part};
    uint64_t attesting =
        amount_part(whole, params->attesting_bps, BPS_ONE).units;
    uint64_t proposing =
        amount_part(whole, params->proposing_bps, BPS_ONE).units;
    s->rewards = pot_calloc(s->counted_count + s->attestation_count + 1,
                            sizeof(*s->rewards));
    pay_miners(s, part - attesting - proposing);
    for (size_t i = 0; i < s->attestation_count; i++) {
        add_reward(s, &s->attestations[i].validator,
                   attesting / s->attestation_count,
                   POT__REWARD_FOR__REWARD_ATTESTING);
    }
    add_reward(s, proposer, proposing, POT__REWARD_FOR__REWARD_PROPOSING);
}

void pay_write(struct settle *s, const struct ledger_env *env)
{
    Pot__TaskRecord *task = s->task;
    for (size_t i = 0; i < s->reward_count; i++) {
        const struct settle_reward *reward = &s->rewards[i];
        struct account account;
        POT_ASSERT(reward->amount <= task->escrow);
        task->escrow -= reward->amount;
        task->paid += reward->amount;
        ledger_account(&env->state, &reward->to, &account);
        POT_ASSERT(reward->amount <= UINT64_MAX - account.balance);
        account.balance += reward->amount;
        account.earned += reward->amount;
        account_store(&env->state, &reward->to, &account);
    }
}
