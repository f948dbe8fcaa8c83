#include "config.h"

#include "node/tx/own_tx.h"

#include "base/alloc.h"
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

struct own_tx {
    struct own_tx_config config;
    void (*on_receipt)(void *context, const struct intake_receipt *receipt);
    void *context;
    bool is_asking; /* the intake has not answered */
};

struct own_tx *own_tx_new(
    const struct own_tx_config *config,
    void (*on_receipt)(void *context, const struct intake_receipt *receipt),
    void *context)
{
    struct own_tx *own = pot_calloc(1, sizeof(*own));
    own->config = *config;
    own->on_receipt = on_receipt;
    own->context = context;
    return own;
}

void own_tx_free(struct own_tx *own)
{
    if (own != NULL) {
        intake_forget(own->config.intake, own);
        free(own);
    }
}

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    struct own_tx *own = context;
    own->is_asking = false;
    own->on_receipt(own->context, receipt);
}

static Pot__Signed *make(const struct own_tx *own, Pot__TxBody *body)
{
    const struct own_tx_config *c = &own->config;
    const struct state state = stored_state(c->holdings->store);
    struct account account;
    Pot__SupplyRecord *supply = ledger_supply(&state);
    (void)ledger_account(&state, key_public(c->key), &account);
    body->chain_id = codec_bytes(c->holdings->chain.b, HASH_SIZE);
    body->nonce =
        mempool_next_nonce(c->mempool, key_public(c->key), account.nonce);
    body->expiry_height = chain_tip(c->chain)->height + OWN_TX_EXPIRY_BLOCKS;
    body->fee = fee_estimate(supply->params, body).units;
    codec_free(supply);
    return signed_make(SIGNED_TX, &c->holdings->chain, c->key, body);
}

const struct public_key *own_tx_sender(const struct own_tx *own)
{
    return key_public(own->config.key);
}

bool own_tx_send(struct own_tx *own, Pot__TxBody *body, struct hash *tx)
{
    size_t size;
    Pot__Signed *message = own->is_asking ? NULL : make(own, body);
    if (message == NULL) {
        return false;
    }
    uint8_t *data = codec_encode(&size, message);
    if (tx != NULL) {
        signed_hash(tx, SIGNED_TX, message);
    }
    own->is_asking = true;
    intake_submit(own->config.intake, data, size, on_receipt, own);
    free(data);
    codec_free(message);
    return true;
}
