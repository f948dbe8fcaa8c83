/* pending: the transactions of the mempool as what a block may take: which
 * are ready for one, which never will be, and when a block is worth making.
 *
 * A data set must be here before its publication goes into a block: others
 * would wait for it in vain.  So a validator fetches it first. */
#ifndef POT_NODE_TX_PENDING_H
#define POT_NODE_TX_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/hash.h"
#include "node/tx/mempool.h"
#include "proto/chain.pb-c.h"

struct pending; /* opaque: node/tx/pending.c */
struct holdings;
struct needs;
struct owed_rule;
struct proposal_refused;
struct proposal_request;
struct shared_block;

#define PENDING_TXS_MAX 4000 /* tried for one block */

struct pending_config {
    uv_loop_t *loop; /* for its clock */
    const struct holdings *holdings;
    struct mempool *mempool;
    struct needs *needs;
    bool is_fetching; /* what is published: validators, and aggregators for
                         validators that cannot reach the publisher */
    void *context;
    void (*on_work)(void *context); /* one more is ready for a block */
    /* To be sent once more to whoever makes blocks. */
    void (*tell)(void *context, const Pot__Signed *tx);
};

struct pending *pending_new(const struct pending_config *config);
void pending_free(struct pending *pending);

/* pending_add: mempool_add, and what follows from it. */
enum mempool_verdict pending_add(struct pending *pending,
                                 const struct hash *hash, const Pot__Signed *tx,
                                 const Pot__TxBody *body, size_t bytes);

/* pending_collect: puts those that are ready into a request, whose txs is
 * empty. */
void pending_collect(struct pending *pending, struct proposal_request *request);

/* pending_drop_refused: of those that the ledger refused for good beside a
 * block of ours, which may never be committed: a few stay, and are judged again
 * behind it; where they are many, the others leave the mempool.  What waits
 * for its turn or for money stays. */
void pending_drop_refused(struct pending *pending,
                          const struct proposal_refused *refused, size_t count);

/* pending_applied: what the block took leaves the mempool, and what can
 * never be taken behind it, which the mempool remembers (mempool_dropped);
 * where much waits, some of it blocks later.  True:
 * another block is worth making for those that are left.
 *
 * In:     rule  by which the block's primary is judged; NULL: it is not
 * Out:    overdue  what it has left out for too long; NULL: nothing */
bool pending_applied(struct pending *pending, const struct shared_block *block,
                     const struct owed_rule *rule, const struct hash **overdue);

#endif
