/* chain: the tip, and the one queue through which blocks are made, checked
 * and stored.
 *
 * The life of a block here, and who moves it along.  A block is a
 * struct shared_block from the moment it comes in; with its certificate it is
 * a struct certified.
 *
 *   transactions, rounds           a peer's proposal      a peer's chain
 *         |                             |                      |
 *         | PBFT_PROPOSE                | PBFT_CHECK           | block sync
 *         | errands_propose             | errands_check        | catch_up_take
 *         v                             v                      v
 *     [wanted]                      [proposed]            [certified]
 *         |                             | block_needs          |
 *         |                             v                      |
 *         |                         [needed]                   |
 *         | chain_propose               | chain_check          |
 *         | proposal_make               | block_check          |
 *         v                             v                      |
 *     [executed: a write set over the tip, kept by the chain]  |
 *         | held_blobs_hold                                    |
 *         v                                                    |
 *     [held: a vote for it may be given]                       |
 *         | PBFT_PROPOSAL, PBFT_CHECKED; PBFT_PERSIST          |
 *         v                                                    |
 *     [voted: the vote is durable and sent]                    |
 *         | a quorum: PBFT_COMMIT, errands_commit              |
 *         v                                                    v
 *     [decided] -----------------> delivery_apply <------------+
 *         | it is kept                  | it is not
 *         |                             | block_needs: its aggregates
 *         |                             +------------------+
 *         |                             | they are held    | they are not
 *         |                             |                  | block_needs: its
 *         |                             |                  | payloads
 *         |                             |                  | chain_check with
 *         |                             |                  | no time: kept now
 *         v                             v                  v
 *     chain_apply <---------------------+------------------+
 *         | block_check unless it is kept, block_commit
 *         v
 *     [applied: the tip] -> chain_applied_fn, PBFT_COMMITTED, sync's status
 *
 * A proposed block that is invalid or lacks something is not voted for: the
 * view changes.  A decided one that lacks something is tried again, by
 * errands; one from block sync is asked for again.  With the block of its
 * height every other one that is kept goes, and what was held for it.
 *
 * All calls and callbacks are on the loop; the work is done off it, a job at
 * a time, in the order of the calls.  So a block is executed on the tip that
 * stands when its job begins, and no two threads write. */
#ifndef POT_NODE_BLOCK_CHAIN_H
#define POT_NODE_BLOCK_CHAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/hash.h"
#include "node/block/chain_tip.h"
#include "proto/chain.pb-c.h"

struct certified;
struct holdings;
struct proposal_request;
struct shared_block;
struct store_install;
struct chain; /* opaque: node/block/chain.c */

/* chain_applied_fn: a block was stored and is the tip; borrowed for the
 * call. */
typedef void chain_applied_fn(void *context, const struct shared_block *block);

/* chain_new: the tip of holdings' store; an empty store gets the genesis
 * first.
 *
 * Errors: POT_EGUARD the store holds another chain than this genesis;
 *         those of the store */
POT_MUST_USE enum pot_err chain_new(struct chain **out, uv_loop_t *loop,
                                    const struct holdings *holdings,
                                    const Pot__Genesis *genesis,
                                    chain_applied_fn *applied, void *context);

/* chain_restore: of a sign state's record, the blocks above the tip are
 * applied; nobody is told.  Before anything else: it blocks.  Errors:
 * decided_restore's
 */
POT_MUST_USE enum pot_err chain_restore(struct chain *chain, const void *record,
                                        size_t size);

/* chain_stop: no job is begun any more; those that wait, or come later, are
 * answered with POT_ECANCELLED.  chain_free: once the loop has ended and with
 * it the job at work. */
void chain_stop(struct chain *chain);
void chain_free(struct chain *chain);

/* chain_release_all: what the store holds for nobody any more goes behind the
 * next block, as behind the first one since the start. */
void chain_release_all(struct chain *chain);

/* chain_hold: no job is begun until chain_resume, or chain_stop; once it is
 * idle none is at work.  chain_resume: after store_cure.  If the next block's
 * commit stood after all, it is applied as if it had just been stored.
 *
 * Errors: those of the store; POT_EGUARD it has another tip than that; the
 *         chain is still held then */
void chain_hold(struct chain *chain);
bool chain_is_idle(const struct chain *chain);
POT_MUST_USE enum pot_err chain_resume(struct chain *chain);

/* chain_is_installing: a chain_install has not been answered. */
bool chain_is_installing(const struct chain *chain);

const struct chain_tip *chain_tip(const struct chain *chain);

/* chain_propose_fn: block is NULL when err is not POT_OK; both are borrowed
 * for the call.  Errors: POT_ECANCELLED the tip moved, or the chain stops;
 * the store's. */
typedef void chain_propose_fn(void *context, enum pot_err err,
                              const struct shared_block *block,
                              const struct proposal_request *request);

/* chain_propose: builds a block on the tip; request is taken. */
void chain_propose(struct chain *chain, struct proposal_request *request,
                   chain_propose_fn *done, void *context);

/* chain_done_fn: how it went; why is borrowed for the call. */
typedef void chain_done_fn(void *context, enum pot_err err, const char *why);

/* chain_check: whether the block is valid on the tip, and held for a vote.
 *
 * In:     block  one reference is shared
 *         now_ms  as for block_check
 * Errors: those of block_check, POT_ENOENT also when it cannot be held;
 * POT_ECANCELLED it is not the tip's next any more, or the chain stops */
void chain_check(struct chain *chain, struct shared_block *block,
                 uint64_t now_ms, chain_done_fn *done, void *context);

/* chain_find_kept: the block of this hash if it was made here or found valid
 * on the tip, so that applying it executes nothing again; borrowed, NULL if
 * not. */
struct shared_block *chain_find_kept(struct chain *chain,
                                     const struct hash *hash);

/* chain_apply: stores a block whose certificate was verified.
 *
 * In:     certified  borrowed until done is called
 * Errors: POT_EEXIST it is not above the tip; POT_ERANGE it is further than
 *         the next; those of block_check, POT_EFORMAT: certified and yet wrong
 *         here; those of block_commit; POT_ECANCELLED */
void chain_apply(struct chain *chain, const struct certified *certified,
                 chain_done_fn *done, void *context);

/* chain_install: the tip becomes a snapshot's.
 *
 * In:     what it points to stays until done is called; the blobs of the old
 *         state are found here
 * Errors: POT_EBUSY it is not above the tip; those of store_install */
void chain_install(struct chain *chain, const struct store_install *install,
                   chain_done_fn *done, void *context);

#endif
