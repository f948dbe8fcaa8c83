#include "config.h"

#include "base/check.h"
#include "ledger/account.h"
#include "ledger/tx_kind.h"
#include "proto/codec.h"

static enum tx_verdict check(const Pot__TxBody *body)
{
    if (body->transfer->to.len != PUBLIC_KEY_SIZE) {
        return TX_MALFORMED;
    }
    return body->transfer->amount > 0 ? TX_ACCEPTED : TX_AMOUNT_ZERO;
}

static enum tx_verdict tx_transfer(const struct tx_run *run,
                                   const Pot__TxBody *body)
{
    uint64_t amount = body->transfer->amount;
    struct public_key to;
    bool is_key = codec_key(&to, body->transfer->to);
    POT_ASSERT(is_key);
    if (!account_debit(&run->env->state, &run->sender, amount)) {
        return TX_BALANCE_LOW;
    }
    account_credit(&run->env->state, &to, amount);
    return TX_ACCEPTED;
}

const struct tx_kind tx_kind_transfer = {check, tx_transfer};
