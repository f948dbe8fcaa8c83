/* holdings: all that this node holds: its store, what it keeps in memory
 * beside it, and whose chain that is.  A blob is looked for in the pool, among
 * the recent ones, in the store.
 *
 * A struct holdings is a set of borrowed pointers, filled once at the start
 * and never changed; all of it may be read from any thread. */
#ifndef POT_NODE_HOLD_HOLDINGS_H
#define POT_NODE_HOLD_HOLDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "proto/chain.pb-c.h"

struct blob_pool;
struct chunk_cache;
struct datasets_book;
struct known_parts;
struct snapshots;
struct store;
struct verified;

struct holdings {
    struct hash chain; /* hash of the chain id */
    struct hash genesis_hash;
    const Pot__GenesisParams *params; /* the genesis's */
    struct store *store;
    /* Payloads that no block has counted yet, and what was fetched for blocks
     * to come. */
    struct blob_pool *pool;
    struct blob_pool *recent;  /* what the latest executed blocks wrote */
    struct known_parts *parts; /* NULL: none are known */
    struct datasets_book *datasets;
    struct chunk_cache *chunks; /* NULL: training sets are held whole */
    struct verified *verified;
    struct snapshots *snapshots; /* NULL: none are made */
    uint32_t keep_rounds;        /* whose gradients stay in the store */
};

/* holdings_has_blob: whether it is held, unread; *size may be NULL. */
bool holdings_has_blob(const struct holdings *holdings, const struct hash *hash,
                       size_t *size);

/* holdings_has_another: what is held under that hash has another size.  Who
 * names any blob, such as parameters, for its payload would have it read, and
 * checked, in vain again and again. */
bool holdings_has_another(const struct holdings *holdings,
                          const struct hash *hash, uint64_t size);

/* holdings_get_blob: clears out and fills it with the blob.  False when it is
 * not held, cannot be read, or out has no room for it. */
bool holdings_get_blob(const struct holdings *holdings, const struct hash *hash,
                       struct buf *out);

/* holdings_get_memory_blob: the same, but the store is not looked into. */
bool holdings_get_memory_blob(const struct holdings *holdings,
                              const struct hash *hash, struct buf *out);

/* holdings_read_blob: appends up to size bytes of the blob from offset on;
 * *total is its size.  False when it is not held or cannot be read. */
bool holdings_read_blob(const struct holdings *holdings,
                        const struct hash *hash, uint64_t offset, size_t size,
                        struct buf *out, uint64_t *total);

#endif
