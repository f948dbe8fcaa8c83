/* execution: blocks made and checked on a write set over the store's tip.
 *
 * Everything here blocks and computes: it runs off the loop, one call at a
 * time a chain (node/block/chain.h sees to both). */
#ifndef POT_NODE_BLOCK_EXECUTION_H
#define POT_NODE_BLOCK_EXECUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "ledger/ledger.h"
#include "node/hold/holdings.h"
#include "proto/block.h"
#include "proto/certificate.h"
#include "storage/overlay.h"
#include "storage/store.h"

/* The block that stands at the tip. */
struct chain_tip {
    uint64_t height;
    uint64_t time_ms;
    uint64_t view; /* of its certificate */
    struct hash hash;
    struct hash state_root;
};

/* execution_env_of: the ledger's view of an overlay.  context is the room
 * the view needs while it is used. */
struct execution_context {
    const struct holdings *env;
    struct overlay *overlay;
};
struct ledger_env execution_ledger_env(struct execution_context *context);

/* execution_tip_state: the state at the tip, for reading on any thread;
 * writing to it is a mistake. */
struct execution_tip_context {
    struct store *store;
};
struct state execution_tip_state(struct execution_tip_context *context);

/* What a primary would like to put into a block; owns everything in it. */
struct execution_request {
    struct chain_tip parent;
    uint64_t view;
    uint64_t now_ms;
    uint64_t bytes_max;
    uint64_t work_max_ms; /* no more transactions once this is spent */
    struct public_key proposer;
    Pot__Signed **txs; /* signatures were checked */
    size_t tx_count;
    struct round_candidate *rounds; /* by ascending task; copies */
    size_t round_count;
};

void execution_request_free(struct execution_request *request);

/* A block that was executed and may be stored. */
struct executed {
    struct block *block;
    uint8_t *data; /* the block's encoding */
    size_t size;
    struct overlay *overlay; /* spent once it was committed */
    struct hash *held;       /* blobs that the node holds for its sake */
    size_t held_count;
    struct executed *next; /* for whoever keeps them */
};

void executed_free(struct executed *executed);

/* execution_propose: a block with what of the request the ledger takes.
 * Errors: the store's; *out is NULL then. */
POT_MUST_USE enum pot_err execution_propose(
    struct executed **out, const struct holdings *env,
    const struct execution_request *request);

/* execution_check: executes a block as a replica does before it prepares.
 * *why is a static text when the result is NULL.
 *
 * In: now_ms  the block's time may be time_ahead_ms later; 0: not looked at
 *     is_certified  a commit certificate vouches for it */
struct executed *execution_check(const struct holdings *env,
                                 const struct chain_tip *parent,
                                 const void *data, size_t size, uint64_t now_ms,
                                 bool is_certified, char why[static 256]);

/* execution_hold: stores what executing the block again would take and only
 * memory has: its rounds' gradients and aggregates.  A vote for it promises
 * that it can be carried out, after a crash of everyone too: so this comes
 * before the vote.  They are released (store_blobs_release of executed->held)
 * when the block was committed or another one in its place. */
POT_MUST_USE enum pot_err execution_hold(const struct holdings *env,
                                         struct executed *executed);

/* execution_commit: stores it with its certificate, atomically. */
POT_MUST_USE enum pot_err execution_commit(const struct holdings *env,
                                           const struct chain_tip *parent,
                                           struct executed *executed,
                                           const void *certificate,
                                           size_t certificate_size);

/* execution_genesis: height 0 of an empty store. */
POT_MUST_USE enum pot_err execution_genesis(const struct holdings *env,
                                            const Pot__Genesis *genesis);

/* execution_validators: the set that signs `height` > 0.
 * Errors: POT_ENOENT height is beyond the tip + 1; the store's. */
POT_MUST_USE enum pot_err execution_validators(const struct holdings *env,
                                               uint64_t height,
                                               struct validator_set *out);

#endif
