/* evidence_pool: evidence that waits for a block: what this replica found,
 * and what peers say that they found.
 *
 *   PBFT_EVIDENCE   evidence_pool_found    signed by this node's key
 *   a peer          evidence_pool_receive
 *   the last run    its file
 *         |
 *         v  off the loop: the ledger's rules, then three signatures
 *      [held]  passed on, kept in the file, and there is work for a block
 *         |
 *         v  evidence_pool_applied: taken by a block, or refused for good
 *
 * A primary that leaves it out of its blocks is told of as one that leaves out
 * transactions is (node/block/owed.h); it is told once more of the evidence
 * itself before.
 *
 * Bounded: one for each accused, as one punishment covers all that it did;
 * QUEUE_MAX of peers' wait to be checked, of one peer PEER_QUEUE_MAX.  What
 * this replica found, or its file holds, is never kept out by what peers send,
 * and is checked before it.  Peers that connect are told all that is held.  All
 * calls are on the loop. */
#ifndef POT_NODE_TX_EVIDENCE_POOL_H
#define POT_NODE_TX_EVIDENCE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "proto/chain.pb-c.h"

struct chain;
struct evidence_pool; /* opaque: node/tx/evidence_pool.c */
struct gossip;
struct hash;
struct holdings;
struct key;
struct net;
struct owed_rule;
struct peer;
struct proposal_request;

struct evidence_pool_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    const struct chain *chain;
    struct gossip *gossip;
    struct net *net;
    const struct key *key; /* the finder's; NULL: no validator, finds none */
    const char *path;      /* of the file; NULL: none */
    void *context;
    void (*on_work)(void *context); /* one more is ready for a block */
    /* It sent what nobody passes on who has looked at it. */
    void (*on_breach)(void *context, uint64_t peer_id);
};

struct evidence_pool *evidence_pool_new(
    const struct evidence_pool_config *config);

/* evidence_pool_start: what the file holds is checked anew. */
void evidence_pool_start(struct evidence_pool *pool);

/* evidence_pool_stop: nothing is taken any more.  evidence_pool_free: once
 * the work off the loop has ended. */
void evidence_pool_stop(struct evidence_pool *pool);
void evidence_pool_free(struct evidence_pool *pool);

/* evidence_pool_found: an encoded EvidenceBody of this replica's. */
void evidence_pool_found(struct evidence_pool *pool, const void *body,
                         size_t size);

/* evidence_pool_receive: a peer's MESSAGE_EVIDENCE, new to gossip. */
void evidence_pool_receive(struct evidence_pool *pool, const void *data,
                           size_t size, uint64_t peer_id);

/* evidence_pool_greet: a peer is there now. */
void evidence_pool_greet(const struct evidence_pool *pool, struct peer *peer);

/* evidence_pool_collect: puts what is held into a request without any. */
void evidence_pool_collect(const struct evidence_pool *pool,
                           struct proposal_request *request);

/* evidence_pool_applied: this block is the new tip.  True: what is left is
 * worth another block.
 *
 * In:  block: may be NULL without a rule: the tip came with a snapshot
 *      rule: by which the block's primary is judged; NULL: it is not
 * Out: *overdue: the hash of evidence that is left out for too long, borrowed
 *      until the next call; NULL: there is none */
bool evidence_pool_applied(struct evidence_pool *pool, const Pot__Block *block,
                           const struct owed_rule *rule,
                           const struct hash **overdue);

/* evidence_pool_count, _at: what is held; index < count, borrowed. */
size_t evidence_pool_count(const struct evidence_pool *pool);
const Pot__Signed *evidence_pool_at(const struct evidence_pool *pool,
                                    size_t index);

struct evidence_pool_stats {
    uint64_t found;    /* by this replica */
    uint64_t received; /* from peers */
    uint64_t refused;
    uint64_t dropped; /* too many at once */
};

void evidence_pool_stats(const struct evidence_pool *pool,
                         struct evidence_pool_stats *out);

#endif
