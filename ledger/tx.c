/* Form, chain and signature; then expiry, fee and nonce against the account;
 * then the kind's own rules, those that need no state first.  All of it runs
 * on a draft, which is passed on only when everything was right. */
#include "config.h"

#include "ledger/tx.h"

#include "base/check.h"
#include "base/limits.h"
#include "ledger/account.h"
#include "ledger/draft.h"
#include "ledger/tx_kind.h"
#include "proto/codec.h"
#include "proto/fee.h"
#include "proto/signed.h"

static const struct tx_kind *find_kind(Pot__TxBody__ActionCase action)
{
    switch (action) {
    case POT__TX_BODY__ACTION_TRANSFER:
        return &tx_kind_transfer;
    case POT__TX_BODY__ACTION_STAKE:
        return &tx_kind_stake;
    case POT__TX_BODY__ACTION_UNSTAKE:
        return &tx_kind_unstake;
    case POT__TX_BODY__ACTION_PUBLISH_DATASET:
        return &tx_kind_publish_dataset;
    case POT__TX_BODY__ACTION_SUBMIT_TASK:
        return &tx_kind_submit_task;
    case POT__TX_BODY__ACTION_CANCEL_TASK:
        return &tx_kind_cancel_task;
    case POT__TX_BODY__ACTION_JOIN_TASK:
        return &tx_kind_join_task;
    case POT__TX_BODY__ACTION_LEAVE_TASK:
        return &tx_kind_leave_task;
    case POT__TX_BODY__ACTION_CHALLENGE:
        return &tx_kind_challenge;
    case POT__TX_BODY__ACTION_SETTLE_CHALLENGE:
        return &tx_kind_settle_challenge;
    case POT__TX_BODY__ACTION_EXPOSE_PLANT:
        return &tx_kind_expose_plant;
    case POT__TX_BODY__ACTION__NOT_SET:
    case _POT__TX_BODY__ACTION__CASE_IS_INT_SIZE:
        break;
    }
    return NULL;
}

const char *tx_action_name(const Pot__TxBody *body)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&pot__tx_body__descriptor,
                                                (unsigned)body->action_case);
    return field != NULL ? field->name : "unknown";
}

bool tx_verdict_is_final(enum tx_verdict verdict)
{
    static const enum tx_finality finalities[] = {
#define X(code, finality, text) finality,
        TX_VERDICT_MAP(X)
#undef X
    };
    POT_ASSERT((size_t)verdict < sizeof(finalities) / sizeof(*finalities));
    return finalities[verdict] == TX_FOR_GOOD;
}

const char *tx_verdict_text(enum tx_verdict verdict)
{
    static const char *const texts[] = {
#define X(code, finality, text) text,
        TX_VERDICT_MAP(X)
#undef X
    };
    POT_ASSERT((size_t)verdict < sizeof(texts) / sizeof(*texts));
    return texts[verdict];
}

/* Expiry, fee, nonce and balance; TX_NONCE_AHEAD: all of it but the turn.
 * First the balance: what waits in a mempool is to be from someone who could
 * pay for it. */
static enum tx_verdict check_sender(const struct tx_run *run,
                                    const struct account *account,
                                    const Pot__TxBody *body, size_t tx_bytes)
{
    if (body->expiry_height != 0 && run->block->height > body->expiry_height) {
        return TX_EXPIRED;
    }
    if (body->fee < fee_min(run->params, body, tx_bytes).units) {
        return TX_FEE_LOW;
    }
    if (body->nonce < account->nonce) {
        return TX_NONCE_USED;
    }
    if (account->balance < body->fee) {
        return TX_BALANCE_LOW;
    }
    if (body->nonce - account->nonce > TX_NONCES_AHEAD_MAX) {
        return TX_NONCE_FAR;
    }
    return body->nonce > account->nonce ? TX_NONCE_AHEAD : TX_ACCEPTED;
}

static void take_fee(const struct tx_run *run, struct account *account,
                     uint64_t fee)
{
    account->balance -= fee;
    account->nonce++;
    account_store(&run->env->state, &run->sender, account);
}

static enum tx_verdict run_kind(const struct tx_kind *kind,
                                const struct tx_run *run,
                                const Pot__TxBody *body, size_t tx_bytes)
{
    struct account account;
    ledger_account(&run->env->state, &run->sender, &account);
    enum tx_verdict turn = check_sender(run, &account, body, tx_bytes);
    if (turn != TX_ACCEPTED && turn != TX_NONCE_AHEAD) {
        return turn;
    }
    enum tx_verdict verdict = kind->check(body);
    if (verdict != TX_ACCEPTED || turn == TX_NONCE_AHEAD) {
        return verdict != TX_ACCEPTED ? verdict : turn;
    }
    take_fee(run, &account, body->fee);
    return kind->run(run, body);
}

static enum tx_verdict run_body(struct tx_run *run, const Pot__TxBody *body,
                                size_t tx_bytes,
                                const struct public_key *proposer)
{
    const struct tx_kind *kind = find_kind(body->action_case);
    if (kind == NULL) {
        return TX_MALFORMED;
    }
    Pot__SupplyRecord *supply = NULL;
    run->params = run->env->params;
    if (run->params == NULL) {
        supply = ledger_supply(&run->env->state);
        run->params = supply->params;
    }
    enum tx_verdict verdict = run_kind(kind, run, body, tx_bytes);
    if (verdict == TX_ACCEPTED && proposer != NULL && body->fee > 0) {
        account_credit(&run->env->state, proposer, body->fee);
    }
    codec_free(supply);
    return verdict;
}

/* proposer NULL: a trial. */
static enum tx_verdict execute(const struct ledger_env *env,
                               const struct ledger_block *block,
                               const struct public_key *proposer,
                               const Pot__Signed *tx, bool is_signature_checked)
{
    struct tx_run run = {
        .block = block, .tx = tx, .is_trial = proposer == NULL};
    size_t bytes = pot__signed__get_packed_size(tx);
    Pot__TxBody *body;
    if (bytes > TX_BYTES_MAX) {
        return TX_TOO_LARGE;
    }
    if (!codec_key(&run.sender, tx->public_key) ||
        tx->signature.len != SIGNATURE_SIZE ||
        CODEC_DECODE(&body, pot__tx_body, tx->body.data, tx->body.len) !=
            POT_OK) {
        return TX_MALFORMED;
    }
    enum tx_verdict verdict = TX_ACCEPTED;
    if (!codec_bytes_equal(body->chain_id, env->chain.b, HASH_SIZE)) {
        verdict = TX_WRONG_CHAIN;
    } else if (!is_signature_checked &&
               !signed_verify(SIGNED_TX, &env->chain, tx)) {
        verdict = TX_BAD_SIGNATURE;
    } else {
        struct draft *draft = draft_new(env);
        run.env = draft_env(draft);
        verdict = run_body(&run, body, bytes, proposer);
        if (verdict == TX_ACCEPTED && !run.is_trial) {
            draft_commit(draft);
        }
        draft_free(draft);
    }
    codec_free(body);
    return verdict;
}

enum tx_verdict ledger_check_tx(const struct ledger_env *env,
                                const struct ledger_block *block,
                                const Pot__Signed *tx,
                                bool is_signature_checked)
{
    return execute(env, block, NULL, tx, is_signature_checked);
}

enum tx_verdict ledger_apply_tx(const struct ledger_env *env,
                                const struct ledger_block *block,
                                const Pot__Signed *tx,
                                bool is_signature_checked)
{
    return execute(env, block, &block->proposer, tx, is_signature_checked);
}
