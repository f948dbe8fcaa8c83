/* blob_pool: blobs in memory, bounded: those that nobody put or read for the
 * longest time make room.  What is in one may be gone at the next call.  Any
 * thread may call. */
#ifndef POT_NODE_HOLD_BLOB_POOL_H
#define POT_NODE_HOLD_BLOB_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"

struct blob_pool; /* opaque: node/hold/blob_pool.c */

struct blob_pool *blob_pool_new(size_t bytes_max);
void blob_pool_free(struct blob_pool *pool);

/* blob_pool_put: keeps a copy; false when it is larger than the pool.
 * blob_pool_take: keeps, or frees, data itself. */
bool blob_pool_put(struct blob_pool *pool, const struct hash *hash,
                   const void *data, size_t size);
void blob_pool_take(struct blob_pool *pool, const struct hash *hash,
                    uint8_t *data, size_t size);

/* blob_pool_get: clears out and fills it with the blob; false when it is not
 * held, or out has no room for it. */
bool blob_pool_get(struct blob_pool *pool, const struct hash *hash,
                   struct buf *out);
/* blob_pool_read: appends up to size bytes from offset on; *total is the
 * blob's size.  False when it is not held. */
bool blob_pool_read(struct blob_pool *pool, const struct hash *hash,
                    uint64_t offset, size_t size, struct buf *out,
                    uint64_t *total);
/* blob_pool_has: *size may be NULL. */
bool blob_pool_has(struct blob_pool *pool, const struct hash *hash,
                   size_t *size);

/* blob_pool_claim: somebody has a use for this blob, whether it is held yet or
 * not.  blob_pool_release: of one who claimed it; the blob goes with the last.
 * A claim does not keep it from making room for others. */
void blob_pool_claim(struct blob_pool *pool, const struct hash *hash);
void blob_pool_release(struct blob_pool *pool, const struct hash *hash);

/* blob_pool_age: what was neither put nor read since the turns-th call before
 * this one goes. */
void blob_pool_age(struct blob_pool *pool, unsigned turns);

/* blob_pool_bytes: of all that is held. */
size_t blob_pool_bytes(struct blob_pool *pool);

#endif
