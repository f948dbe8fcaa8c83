/* own_tx: transactions that a node sends by itself, one at a time: the next
 * one's nonce follows the one that is in the mempool then.  The loop's thread
 * only. */
#ifndef POT_NODE_TX_OWN_TX_H
#define POT_NODE_TX_OWN_TX_H

#include <stdbool.h>

#include "base/hash.h"
#include "proto/chain.pb-c.h"

/* A transaction that no block took by then may be sent again. */
#define OWN_TX_EXPIRY_BLOCKS 20

struct chain;
struct holdings;
struct intake;
struct intake_receipt;
struct key;
struct mempool;
struct own_tx; /* opaque: node/tx/own_tx.c */

/* All borrowed. */
struct own_tx_config {
    const struct holdings *holdings;
    struct chain *chain;
    struct mempool *mempool;
    struct intake *intake;
    const struct key *key; /* the sender's */
};

/* own_tx_new: on_receipt is told what became of each. */
struct own_tx *own_tx_new(
    const struct own_tx_config *config,
    void (*on_receipt)(void *context, const struct intake_receipt *receipt),
    void *context);

/* own_tx_free: before the intake stops.  NULL is none. */
void own_tx_free(struct own_tx *own);

/* own_tx_sender: whose they are. */
const struct public_key *own_tx_sender(const struct own_tx *own);

/* own_tx_send: fills in everything of body but its action, signs and sends it;
 * tx, if not NULL, gets its hash.  False: the one before is still on its way
 * to the mempool, or the key did not sign; nothing was sent. */
bool own_tx_send(struct own_tx *own, Pot__TxBody *body, struct hash *tx);

#endif
