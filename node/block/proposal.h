/* proposal: making a block, in the order in which it will be checked:
 * evidence, round updates by ascending task, transactions, the end of the
 * block. */
#ifndef POT_NODE_BLOCK_PROPOSAL_H
#define POT_NODE_BLOCK_PROPOSAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "ledger/round_update.h"
#include "ledger/tx.h"
#include "node/block/chain_tip.h"
#include "proto/chain.pb-c.h"

struct executed;
struct holdings;

/* A transaction that the ledger did not take. */
struct proposal_refused {
    struct hash tx;
    enum tx_verdict verdict;
};

/* What a primary would like to put into a block; owns everything in it. */
struct proposal_request {
    /* Whoever makes the request (errands_config's make_request). */
    uint64_t bytes_max;       /* what a block of ours may weigh */
    uint64_t chain_bytes_max; /* what any may, which a round may need */
    uint64_t work_max_ms;     /* no more transactions once this is spent */
    Pot__Signed **txs;        /* signatures were checked */
    size_t tx_count;
    Pot__Signed **evidence; /* at most EVIDENCE_MAX */
    size_t evidence_count;
    struct round_candidate *rounds; /* by ascending task; copies */
    size_t round_count;
    /* errands_propose */
    uint64_t view;
    uint64_t now_ms;
    struct public_key proposer;
    /* chain_propose */
    struct chain_tip parent;
    /* proposal_make: what of txs was refused. */
    struct proposal_refused *refused;
    size_t refused_count;
};

void proposal_request_free(struct proposal_request *request);

/* proposal_make: a block with what of the request the ledger takes.  Blocks
 * and computes: off the loop, one call at a time a store.
 *
 * Owns:   *out; executed_free
 * Errors: POT_ELIMIT larger than any block may be; the store's; *out is NULL
 * then */
POT_MUST_USE enum pot_err proposal_make(struct executed **out,
                                        const struct holdings *holdings,
                                        struct proposal_request *request);

#endif
