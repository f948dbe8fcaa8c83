/* tx_kind: the kinds of transactions.
 *
 * One is a message in TxBody (proto/chain.proto); a struct tx_kind in a file
 * ledger/tx_*.c, declared below, and its case in tx.c; its verdicts in
 * TX_VERDICT_MAP (ledger/tx.h); what it makes nodes store or compute, if it
 * does, in the table of proto/fee.c; a command in ctl/ and its line in
 * ctl/commands.h. */
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
    const struct ledger_block *block;
    const Pot__Signed *tx;
    struct public_key sender;
    const Pot__GenesisParams *params;
    bool is_trial; /* the writes are thrown away: skip what costs much */
};

struct tx_kind {
    /* check: all that can be told from the body alone; it comes before the
     * fee is taken, and before a nonce ahead may wait. */
    enum tx_verdict (*check)(const Pot__TxBody *body);

    /* run: against the state, for a body that passed check. */
    enum tx_verdict (*run)(const struct tx_run *run, const Pot__TxBody *body);
};

extern const struct tx_kind tx_kind_transfer;
extern const struct tx_kind tx_kind_stake;
extern const struct tx_kind tx_kind_unstake;
extern const struct tx_kind tx_kind_publish_dataset;
extern const struct tx_kind tx_kind_submit_task;
extern const struct tx_kind tx_kind_cancel_task;
extern const struct tx_kind tx_kind_join_task;
extern const struct tx_kind tx_kind_leave_task;
extern const struct tx_kind tx_kind_challenge;
extern const struct tx_kind tx_kind_settle_challenge;
extern const struct tx_kind tx_kind_expose_plant;

#endif
