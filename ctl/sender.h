/* sender: transactions, made and signed here, sent to the node. */
#ifndef POT_CTL_SENDER_H
#define POT_CTL_SENDER_H

#include "base/amount.h"
#include "base/hash.h"
#include "base/key.h"
#include "ctl/ctl.h"
#include "proto/chain.pb-c.h"

/* A transaction that is not in a block after so many is worthless. */
#define SENDER_EXPIRY_BLOCKS 100

struct sender {
    struct ctl *ctl;
    struct key *key;
    char address[ADDRESS_TEXT_SIZE];
    struct hash chain;
    Pot__GenesisParams params;
    uint64_t nonce; /* of the next transaction */
    uint64_t balance;
    uint64_t stake_validator;
    uint64_t stake_miner;
    uint64_t expiry_height;
};

/* sender_init: loads the key, asks the node for chain, fees and account.
 * sender_fini: wipes the key; also after a failed open. */
POT_MUST_USE enum exit_code sender_init(struct sender *sender, struct ctl *ctl);
void sender_fini(struct sender *sender);

/* sender_look: the same for one that signs nothing: the key is not opened, and
 * none need be named; address is empty then, and nothing known of an account.
 */
POT_MUST_USE enum exit_code sender_look(struct sender *sender, struct ctl *ctl);

/* sender_prepare: fills in everything of body but its action: chain, nonce,
 * expiry and the least fee. */
void sender_prepare(struct sender *sender, Pot__TxBody *body);

/* sender_send: prepares, signs and sends body; spent is what it moves beside
 * the fee, so that a low balance is told before anything leaves.
 * Errors: EXIT_CODE_REJECTED, and those of client_ask. */
POT_MUST_USE enum exit_code sender_send(struct hash *out_tx,
                                        struct sender *sender,
                                        Pot__TxBody *body, uint64_t spent);

/* sender_wait: until the transaction is in a block. */
POT_MUST_USE enum exit_code sender_wait(uint64_t *out_height,
                                        struct sender *sender,
                                        const struct hash *tx);

/* sender_carry_out: sends, notes the fee, and waits with --wait; *out is
 * {"tx"}, and with --wait its "height", fresh; NULL unless EXIT_CODE_DONE.
 * sender_tell: prints that; takes out, to which more may have been added. */
POT_MUST_USE enum exit_code sender_carry_out(json_t **out,
                                             struct sender *sender,
                                             Pot__TxBody *body, uint64_t spent);
void sender_tell(struct sender *sender, json_t *take_out);

/* sender_finish: both, for a command that is done then. */
POT_MUST_USE enum exit_code sender_finish(struct sender *sender,
                                          Pot__TxBody *body, uint64_t spent);

#endif
