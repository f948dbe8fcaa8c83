#include "config.h"

#include "node/round/joining.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "node/tx/own_tx.h"
#include "proto/codec.h"
#include "proto/spec.h"

#include <stdlib.h>

struct joining {
    struct own_tx_config config;
    struct own_tx *sender;
    struct hash task; /* that was asked for last */
};

/* What is there, what it takes, and what to do. */
static void tell_short(const struct joining *joining, const char *task_text)
{
    const struct state state = stored_state(joining->config.holdings->store);
    struct account account;
    char has[AMOUNT_TEXT_SIZE];
    char needs[AMOUNT_TEXT_SIZE];
    char bound[AMOUNT_TEXT_SIZE];
    Pot__TaskRecord *task = ledger_task(&state, &joining->task);
    Pot__SupplyRecord *supply = ledger_supply(&state);
    if (task != NULL) {
        (void)ledger_account(&state, key_public(joining->config.key), &account);
        struct amount own = {account.stake_miner};
        struct amount joined = {account.stake_joined};
        struct amount more = {spec_miner_stake(task->spec, supply->params)};
        LOG(LOG_WARN, "node", "cannot join task", log_text("task", task_text),
            log_text("why", tx_verdict_text(TX_MINER_STAKE)),
            log_text("stake", amount_format(own, has)),
            log_text("bound", amount_format(joined, bound)),
            log_text("needed", amount_format(more, needs)),
            log_text("do", "potctl stake --role miner --amount POT"));
    }
    codec_free(supply);
    codec_free(task);
}

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    struct joining *joining = context;
    char text[HASH_TEXT_SIZE];
    bool is_taken = intake_is_taken(receipt);
    (void)hash_format(&joining->task, text);
    if (receipt->ledger == TX_MINER_STAKE) {
        tell_short(joining, text);
        return;
    }
    if (is_taken) {
        LOG(LOG_INFO, "node", "joining task", log_text("task", text));
    } else {
        LOG(LOG_WARN, "node", "cannot join task", log_text("task", text),
            log_text("why", intake_text(receipt)));
    }
}

struct joining *joining_new(const struct own_tx_config *config)
{
    struct joining *joining = pot_calloc(1, sizeof(*joining));
    joining->config = *config;
    joining->sender = own_tx_new(config, on_receipt, joining);
    return joining;
}

void joining_free(struct joining *joining)
{
    if (joining != NULL) {
        own_tx_free(joining->sender);
        free(joining);
    }
}

bool joining_ask(struct joining *joining, const struct hash *task,
                 struct hash *tx)
{
    Pot__JoinTask join = POT__JOIN_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    join.task = codec_bytes(task->b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_JOIN_TASK;
    body.join_task = &join;
    joining->task = *task; /* on_receipt may be called at once */
    return own_tx_send(joining->sender, &body, tx);
}

bool joining_waits(const struct joining *joining, const struct hash *tx)
{
    return mempool_find(joining->config.mempool, tx) != NULL;
}
