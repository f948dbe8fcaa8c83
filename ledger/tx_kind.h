/* tx_kind: the kinds of transactions; a new one is an entry in the table of
 * tx.c and a function declared here. */
#ifndef POT_LEDGER_TX_KIND_H
#define POT_LEDGER_TX_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "ledger/ledger.h"
#include "ledger/tx.h"

/* A transaction whose sender, nonce, fee and signature are right.  The fee
 * has been taken; env is a draft's, so a kind may write before it refuses. */
struct tx_run {
    const struct ledger_env *env;
    uint64_t height;
    struct hash hash;
    struct public_key sender;
    const Pot__GenesisParams *params;
    bool is_trial; /* the writes are thrown away: skip what costs much */
};

enum tx_verdict tx_transfer(const struct tx_run *run, const Pot__TxBody *body);
enum tx_verdict tx_stake(const struct tx_run *run, const Pot__TxBody *body);
enum tx_verdict tx_unstake(const struct tx_run *run, const Pot__TxBody *body);
enum tx_verdict tx_publish_dataset(const struct tx_run *run,
                                   const Pot__TxBody *body);
enum tx_verdict tx_submit_task(const struct tx_run *run,
                               const Pot__TxBody *body);
enum tx_verdict tx_cancel_task(const struct tx_run *run,
                               const Pot__TxBody *body);
enum tx_verdict tx_join_task(const struct tx_run *run, const Pot__TxBody *body);
enum tx_verdict tx_leave_task(const struct tx_run *run,
                              const Pot__TxBody *body);

#endif
