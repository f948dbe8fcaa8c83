#include "config.h"

#include "node/round/joining.h"

#include "base/alloc.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "node/block/chain.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "proto/codec.h"
#include "proto/fee.h"
#include "proto/signed.h"

#include <stdlib.h>

/* A join that no block took by then may be sent again. */
#define EXPIRY_BLOCKS 20

struct joining {
    struct joining_config config;
    bool is_asking; /* the intake has not answered */
    struct hash task;
};

struct joining *joining_new(const struct joining_config *config)
{
    struct joining *joining = pot_calloc(1, sizeof(*joining));
    joining->config = *config;
    return joining;
}

void joining_free(struct joining *joining)
{
    if (joining != NULL) {
        intake_forget(joining->config.intake, joining);
        free(joining);
    }
}

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    struct joining *joining = context;
    char text[HASH_TEXT_SIZE];
    bool is_taken = intake_is_taken(receipt);
    joining->is_asking = false;
    LOG(is_taken ? LOG_INFO : LOG_WARN, "node",
        is_taken ? "joining task" : "cannot join task",
        log_text("task", hash_format(&joining->task, text)),
        log_text("why", is_taken ? "" : intake_text(receipt)));
}

static Pot__Signed *make_join(const struct joining *joining,
                              const struct hash *task)
{
    const struct joining_config *c = &joining->config;
    const struct state state = stored_state(c->holdings->store);
    struct account account;
    Pot__SupplyRecord *supply = ledger_supply(&state);
    Pot__JoinTask join = POT__JOIN_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    (void)ledger_account(&state, key_public(c->key), &account);
    join.task = codec_bytes(task->b, HASH_SIZE);
    body.chain_id = codec_bytes(c->holdings->chain.b, HASH_SIZE);
    body.nonce =
        mempool_next_nonce(c->mempool, key_public(c->key), account.nonce);
    body.expiry_height = chain_tip(c->chain)->height + EXPIRY_BLOCKS;
    body.action_case = POT__TX_BODY__ACTION_JOIN_TASK;
    body.join_task = &join;
    body.fee = fee_estimate(supply->params, &body).units;
    Pot__Signed *tx =
        signed_make(SIGNED_TX, &c->holdings->chain, c->key, &body);
    codec_free(supply);
    return tx;
}

bool joining_ask(struct joining *joining, const struct hash *task,
                 struct hash *tx)
{
    size_t size;
    if (joining->is_asking) {
        return false;
    }
    Pot__Signed *message = make_join(joining, task);
    uint8_t *data = codec_encode(&size, message);
    signed_hash(tx, SIGNED_TX, message);
    joining->is_asking = true;
    joining->task = *task;
    intake_submit(joining->config.intake, data, size, on_receipt, joining);
    free(data);
    codec_free(message);
    return true;
}

bool joining_waits(const struct joining *joining, const struct hash *tx)
{
    return mempool_find(joining->config.mempool, tx) != NULL;
}
