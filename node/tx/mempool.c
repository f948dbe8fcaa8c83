#include "config.h"

#include "node/tx/mempool.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

/* What no block took for so long makes room. */
#define BLOCKS_MAX 500

/* No sender takes more than this part of the pool. */
#define SENDER_SHARE 4

struct sender {
    uint64_t count;
    struct mempool_entry *last; /* its entry with the highest nonce */
    uint64_t nonce;             /* its next one, when it was last asked for: */
    uint64_t prunes;            /* in this prune */
};

struct mempool {
    uint64_t txs_max;
    uint64_t bytes_max;
    uint64_t bytes;
    uint64_t height;      /* of the last mempool_prune */
    uint64_t prunes;      /* so far */
    struct map by_hash;   /* -> struct mempool_entry */
    struct map by_sender; /* -> struct sender */
    struct mempool_entry *first;
    struct mempool_entry *last;
    struct dropped dropped;
};

struct mempool *mempool_new(uint64_t txs_max, uint64_t bytes_max)
{
    struct mempool *pool = pot_calloc(1, sizeof(*pool));
    pool->txs_max = txs_max;
    pool->bytes_max = bytes_max;
    return pool;
}

static struct mempool_entry *entry_new(const struct hash *hash,
                                       const struct public_key *sender,
                                       const Pot__TxBody *body)
{
    struct mempool_entry *entry = pot_calloc(1, sizeof(*entry));
    entry->hash = *hash;
    entry->sender = *sender;
    entry->nonce = body->nonce;
    entry->expiry_height = body->expiry_height;
    entry->is_transfer = body->action_case == POT__TX_BODY__ACTION_TRANSFER;
    entry->is_publication =
        body->action_case == POT__TX_BODY__ACTION_PUBLISH_DATASET &&
        codec_hash(&entry->dataset, body->publish_dataset->dataset);
    return entry;
}

static void entry_free(struct mempool_entry *entry)
{
    codec_free(entry->tx);
    free(entry);
}

void mempool_free(struct mempool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->first != NULL) {
        mempool_remove(pool, &pool->first->hash);
    }
    map_fini(&pool->by_hash);
    map_fini(&pool->by_sender);
    free(pool);
}

/* The sender's entry behind which one with this nonce belongs; NULL if it
 * goes before all of them.  Sets *conflict when the nonce is taken. */
static struct mempool_entry *find_place(const struct sender *sender,
                                        uint64_t nonce, bool *conflict)
{
    struct mempool_entry *at = sender->last;
    struct public_key key = at->sender;
    while (at != NULL &&
           (!public_key_equal(&at->sender, &key) || at->nonce > nonce)) {
        at = at->previous;
    }
    *conflict = at != NULL && at->nonce == nonce;
    return at;
}

static void link_before(struct mempool *pool, struct mempool_entry *entry,
                        struct mempool_entry *next)
{
    entry->next = next;
    entry->previous = next != NULL ? next->previous : pool->last;
    *(entry->previous != NULL ? &entry->previous->next : &pool->first) = entry;
    *(next != NULL ? &next->previous : &pool->last) = entry;
}

static void unlink_entry(struct mempool *pool, struct mempool_entry *entry)
{
    *(entry->previous != NULL ? &entry->previous->next : &pool->first) =
        entry->next;
    *(entry->next != NULL ? &entry->next->previous : &pool->last) =
        entry->previous;
}

/* The sender's own entry with the lowest nonce. */
static struct mempool_entry *first_of(struct mempool *pool,
                                      const struct public_key *key)
{
    struct mempool_entry *at = pool->first;
    while (!public_key_equal(&at->sender, key)) {
        at = at->next;
    }
    return at;
}

/* Where in the queue a new entry goes: at the end, or, when its sender has
 * a later nonce waiting already, before that one. */
static enum mempool_verdict place(struct mempool *pool, struct sender *sender,
                                  struct mempool_entry *entry)
{
    struct mempool_entry *next = NULL;
    if (sender->last != NULL) {
        bool conflict = false;
        struct mempool_entry *at = find_place(sender, entry->nonce, &conflict);
        if (conflict) {
            return MEMPOOL_CONFLICT;
        }
        if (at == NULL) {
            next = first_of(pool, &entry->sender);
        } else if (at != sender->last) {
            next = at->next;
        }
    }
    link_before(pool, entry, next);
    if (next != NULL && next->arrived_ms < entry->arrived_ms) {
        entry->arrived_ms = next->arrived_ms;
    }
    if (sender->last == NULL || entry->nonce > sender->last->nonce) {
        sender->last = entry;
    }
    sender->count++;
    return MEMPOOL_ADDED;
}

static struct sender *sender_of(struct mempool *pool,
                                const struct public_key *key)
{
    struct sender *sender = map_get(&pool->by_sender, key->b);
    if (sender == NULL) {
        sender = pot_calloc(1, sizeof(*sender));
        (void)map_put(&pool->by_sender, key->b, sender);
    }
    return sender;
}

static void forget_idle_sender(struct mempool *pool,
                               const struct public_key *key)
{
    struct sender *sender = map_get(&pool->by_sender, key->b);
    if (sender != NULL && sender->count == 0) {
        free(map_remove(&pool->by_sender, key->b));
    }
}

static uint64_t sender_max(const struct mempool *pool)
{
    return pool->txs_max / SENDER_SHARE > 0 ? pool->txs_max / SENDER_SHARE : 1;
}

enum mempool_verdict mempool_add(struct mempool *pool, const struct hash *hash,
                                 const Pot__Signed *tx, const Pot__TxBody *body,
                                 size_t bytes, uint64_t now_ms)
{
    struct public_key key;
    if (map_get(&pool->by_hash, hash->b) != NULL) {
        return MEMPOOL_KNOWN;
    }
    if (pool->by_hash.count >= pool->txs_max ||
        bytes > pool->bytes_max - pool->bytes) {
        return MEMPOOL_FULL;
    }
    bool is_key = codec_key(&key, tx->public_key);
    POT_ASSERT(is_key);
    struct sender *sender = sender_of(pool, &key);
    if (sender->count >= sender_max(pool)) {
        return MEMPOOL_SENDER_FULL;
    }
    struct mempool_entry *entry = entry_new(hash, &key, body);
    entry->bytes = bytes;
    entry->height = pool->height;
    entry->arrived_ms = now_ms;
    enum mempool_verdict verdict = place(pool, sender, entry);
    if (verdict != MEMPOOL_ADDED) {
        forget_idle_sender(pool, &key);
        free(entry);
        return verdict;
    }
    entry->tx = signed_copy(tx);
    pool->bytes += bytes;
    (void)map_put(&pool->by_hash, hash->b, entry);
    return MEMPOOL_ADDED;
}

void mempool_hold_back(struct mempool *pool, const struct hash *hash)
{
    struct mempool_entry *entry = map_get(&pool->by_hash, hash->b);
    if (entry != NULL) {
        entry->is_held_back = true;
    }
}

void mempool_mark_takable(struct mempool *pool, const struct hash *hash)
{
    struct mempool_entry *entry = map_get(&pool->by_hash, hash->b);
    if (entry != NULL) {
        entry->was_takable = true;
    }
}

/* The queue is in order of arrival. */
void mempool_tell(struct mempool *pool, uint64_t before_ms,
                  void (*tell)(void *context,
                               const struct mempool_entry *entry),
                  void *context)
{
    for (struct mempool_entry *at = pool->first;
         at != NULL && at->arrived_ms <= before_ms; at = at->next) {
        if (at->is_held_back) {
            at->is_held_back = false;
            tell(context, at);
        }
    }
}

const struct mempool_entry *mempool_first(const struct mempool *pool)
{
    return pool->first;
}

const struct mempool_entry *mempool_find(const struct mempool *pool,
                                         const struct hash *hash)
{
    return map_get(&pool->by_hash, hash->b);
}

uint64_t mempool_next_nonce(const struct mempool *pool,
                            const struct public_key *sender, uint64_t nonce)
{
    for (const struct mempool_entry *at = pool->first; at != NULL;
         at = at->next) {
        if (at->nonce == nonce && public_key_equal(&at->sender, sender)) {
            nonce++;
        }
    }
    return nonce;
}

/* Before unlinking: the sender's highest nonce may be this entry's. */
static void leave_sender(struct mempool *pool, struct mempool_entry *entry)
{
    struct sender *sender = map_get(&pool->by_sender, entry->sender.b);
    POT_ASSERT(sender != NULL && sender->count > 0);
    sender->count--;
    if (sender->count > 0 && sender->last == entry) {
        struct mempool_entry *at = entry->previous;
        while (!public_key_equal(&at->sender, &entry->sender)) {
            at = at->previous;
        }
        sender->last = at;
    }
    forget_idle_sender(pool, &entry->sender);
}

void mempool_remove(struct mempool *pool, const struct hash *hash)
{
    struct hash key = *hash; /* it may lie in the entry */
    struct mempool_entry *entry = map_remove(&pool->by_hash, key.b);
    if (entry == NULL) {
        return;
    }
    leave_sender(pool, entry);
    unlink_entry(pool, entry);
    pool->bytes -= entry->bytes;
    entry_free(entry);
}

void mempool_drop(struct mempool *pool, const struct hash *hash,
                  const char *why)
{
    const struct mempool_entry *entry = map_get(&pool->by_hash, hash->b);
    if (entry != NULL) {
        const struct dropped_tx tx = {entry->hash, entry->sender, entry->nonce,
                                      why};
        dropped_note(&pool->dropped, &tx);
        mempool_remove(pool, hash);
    }
}

const struct dropped_tx *mempool_dropped(const struct mempool *pool,
                                         const struct hash *hash)
{
    return dropped_find(&pool->dropped, hash);
}

const struct dropped_tx *mempool_blocker(const struct mempool *pool,
                                         const struct mempool_entry *entry)
{
    const struct sender *sender = map_get(&pool->by_sender, entry->sender.b);
    POT_ASSERT(sender != NULL);
    bool is_asked = sender->prunes == pool->prunes;
    if (!is_asked || mempool_next_nonce(pool, &entry->sender, sender->nonce) !=
                         sender->nonce) {
        return NULL;
    }
    return dropped_of(&pool->dropped, &entry->sender, sender->nonce);
}

/* A transaction whose nonce is used will never be taken. */
static bool is_used(struct mempool *pool, const struct mempool_entry *entry,
                    mempool_nonce_fn *nonce, void *context)
{
    struct sender *sender = map_get(&pool->by_sender, entry->sender.b);
    POT_ASSERT(sender != NULL);
    if (sender->prunes != pool->prunes) {
        sender->prunes = pool->prunes;
        sender->nonce = nonce(context, &entry->sender);
    }
    return entry->nonce < sender->nonce;
}

void mempool_prune(struct mempool *pool, uint64_t height,
                   mempool_nonce_fn *nonce, void *context)
{
    struct mempool_entry *at = pool->first;
    pool->height = height;
    pool->prunes++;
    while (at != NULL) {
        struct mempool_entry *next = at->next;
        bool is_expired = at->expiry_height != 0 && height >= at->expiry_height;
        at->height = at->height == 0 ? height : at->height;
        /* Who used the nonce may be the very same: nothing is said of it. */
        if (is_used(pool, at, nonce, context) ||
            height > at->height + BLOCKS_MAX) {
            mempool_remove(pool, &at->hash);
        } else if (is_expired) {
            mempool_drop(pool, &at->hash, "its expiry height has passed");
        }
        at = next;
    }
}

bool mempool_is_next(const struct mempool *pool,
                     const struct mempool_entry *entry)
{
    const struct sender *sender = map_get(&pool->by_sender, entry->sender.b);
    POT_ASSERT(sender != NULL);
    return sender->prunes == pool->prunes && entry->nonce == sender->nonce;
}

uint64_t mempool_count(const struct mempool *pool)
{
    return pool->by_hash.count;
}

uint64_t mempool_bytes(const struct mempool *pool)
{
    return pool->bytes;
}

const char *mempool_verdict_text(enum mempool_verdict verdict)
{
    switch (verdict) {
    case MEMPOOL_ADDED:
        return "added";
    case MEMPOOL_KNOWN:
        return "already in the mempool";
    case MEMPOOL_CONFLICT:
        return "another transaction with this nonce is waiting";
    case MEMPOOL_FULL:
        return "the mempool is full: try again later";
    case MEMPOOL_SENDER_FULL:
        return "too many transactions of this sender are waiting";
    }
    return "unknown";
}
