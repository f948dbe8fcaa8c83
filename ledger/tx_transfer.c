#include "config.h"

#include "ledger/record.h"
#include "ledger/tx_kind.h"
#include "proto/codec.h"

enum tx_verdict tx_transfer(const struct tx_run *run, const Pot__TxBody *body)
{
    const Pot__Transfer *transfer = body->transfer;
    struct public_key to;
    if (!codec_key(&to, transfer->to)) {
        return TX_MALFORMED;
    }
    if (transfer->amount == 0) {
        return TX_AMOUNT_ZERO;
    }
    if (!account_debit(&run->env->state, &run->sender, transfer->amount)) {
        return TX_BALANCE_LOW;
    }
    account_credit(&run->env->state, &to, transfer->amount);
    return TX_ACCEPTED;
}
