/* mempool: transactions that wait for a block, bounded in number and bytes.
 *
 * It knows nothing of the ledger: whoever adds a transaction has checked its
 * signature and that the ledger might accept it. */
#ifndef POT_NODE_TX_MEMPOOL_H
#define POT_NODE_TX_MEMPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "node/tx/dropped.h"
#include "proto/chain.pb-c.h"

enum mempool_verdict {
    MEMPOOL_ADDED,
    MEMPOOL_KNOWN,    /* it is there already */
    MEMPOOL_CONFLICT, /* another one of this sender has this nonce */
    MEMPOOL_FULL,
    MEMPOOL_SENDER_FULL, /* this sender has its share of the pool */
};

struct mempool_entry {
    struct hash hash;
    Pot__Signed *tx;
    struct public_key sender;
    uint64_t nonce;
    uint64_t expiry_height; /* 0: never */
    size_t bytes;
    bool is_held_back; /* mempool_hold_back, and not told since */
    bool was_takable;  /* mempool_mark_takable */
    bool is_transfer;
    bool is_publication; /* of this data set */
    struct hash dataset;
    uint64_t height; /* of the tip when it came; 0: before the first prune */
    uint64_t arrived_ms;        /* or, earlier, that of its sender's next */
    struct mempool_entry *next; /* in order of arrival, but a sender's own in
                                   order of nonce */
    struct mempool_entry *previous;
};

struct mempool; /* opaque: node/tx/mempool.c */

struct mempool *mempool_new(uint64_t txs_max, uint64_t bytes_max);
void mempool_free(struct mempool *pool);

/* mempool_add: keeps a copy of tx when it is MEMPOOL_ADDED; body is tx's,
 * decoded, bytes its encoding's size, now_ms any steady clock's time. */
enum mempool_verdict mempool_add(struct mempool *pool, const struct hash *hash,
                                 const Pot__Signed *tx, const Pot__TxBody *body,
                                 size_t bytes, uint64_t now_ms);

/* mempool_hold_back: it was not passed on to everyone yet.  mempool_tell: calls
 * tell with each such one that came at before_ms or earlier, for the last
 * time. */
void mempool_hold_back(struct mempool *pool, const struct hash *hash);
void mempool_tell(struct mempool *pool, uint64_t before_ms,
                  void (*tell)(void *context,
                               const struct mempool_entry *entry),
                  void *context);

/* mempool_mark_takable: a block could have taken it at some tip. */
void mempool_mark_takable(struct mempool *pool, const struct hash *hash);

/* mempool_first: the first to go into a block; follow ->next. */
const struct mempool_entry *mempool_first(const struct mempool *pool);

const struct mempool_entry *mempool_find(const struct mempool *pool,
                                         const struct hash *hash);

/* mempool_next_nonce: the first from nonce on that no transaction of this
 * sender has.  In: nonce  the account's on the chain */
uint64_t mempool_next_nonce(const struct mempool *pool,
                            const struct public_key *sender, uint64_t nonce);

void mempool_remove(struct mempool *pool, const struct hash *hash);

/* mempool_drop: the same of one that no block can ever take; why, a static
 * text, is remembered. */
void mempool_drop(struct mempool *pool, const struct hash *hash,
                  const char *why);

/* mempool_dropped: what is remembered of one that left so, or because it
 * expired.  mempool_blocker: such a one whose nonce is its sender's next on the
 * chain, by the last mempool_prune, and which nothing replaced: before that the
 * entry cannot be taken.  Both borrowed until the pool changes, or NULL. */
const struct dropped_tx *mempool_dropped(const struct mempool *pool,
                                         const struct hash *hash);
const struct dropped_tx *mempool_blocker(const struct mempool *pool,
                                         const struct mempool_entry *entry);

/* The next nonce of sender on the chain. */
typedef uint64_t mempool_nonce_fn(void *context,
                                  const struct public_key *sender);

/* mempool_prune: drops what has a nonce that is used, what the block behind
 * this height cannot take any more for its expiry height, and what waited for
 * too many blocks.  nonce is asked once a sender. */
void mempool_prune(struct mempool *pool, uint64_t height,
                   mempool_nonce_fn *nonce, void *context);

/* mempool_is_next: it is its sender's turn, by what the last mempool_prune was
 * told; of what came since, perhaps not yet. */
bool mempool_is_next(const struct mempool *pool,
                     const struct mempool_entry *entry);

uint64_t mempool_count(const struct mempool *pool);
uint64_t mempool_bytes(const struct mempool *pool);

const char *mempool_verdict_text(enum mempool_verdict verdict);

#endif
