/* chunk_cache: chunks of data sets that are not held whole, up to so many
 * bytes; the one that was used longest ago goes first.  Any thread.
 *
 * Each is a file, folder/chunks/<hash>.  Files are not synced, and not
 * believed: what is read the first time since the start must have its hash.
 * So a crash, a torn write or a damaged disk costs a chunk, and no more.
 *
 * It also names the files that rows are put together in (node/round/
 * row_gather.h), folder/rows-<number>.pds, and clears away what a crash left
 * of them. */
#ifndef POT_NODE_HOLD_CHUNK_CACHE_H
#define POT_NODE_HOLD_CHUNK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

struct chunk_cache; /* opaque: node/hold/chunk_cache.c */

/* chunk_cache_open: folder is there; bytes_max >= DATASET_CHUNK_BYTES.
 * Errors: the file system's. */
POT_MUST_USE enum pot_err chunk_cache_open(struct chunk_cache **out,
                                           const char *folder,
                                           uint64_t bytes_max);
void chunk_cache_close(struct chunk_cache *cache); /* NULL is none */

/* chunk_cache_has: it need not be right, nor there for long. */
bool chunk_cache_has(struct chunk_cache *cache, const struct hash *hash);

/* chunk_cache_get: into out, which is cleared, and used now.  False: not
 * there, or not right, and then it is not there any more. */
bool chunk_cache_get(struct chunk_cache *cache, const struct hash *hash,
                     struct buf *out);

/* chunk_cache_put: a chunk that has this hash; makes room first.  Errors: the
 * file system's. */
POT_MUST_USE enum pot_err chunk_cache_put(struct chunk_cache *cache,
                                          const struct hash *hash,
                                          const void *data, size_t size);

/* chunk_cache_rows_path: a file that nobody else has; free(). */
char *chunk_cache_rows_path(struct chunk_cache *cache);

uint64_t chunk_cache_bytes_max(const struct chunk_cache *cache);

struct chunk_cache_stats {
    uint64_t bytes_max;
    uint64_t bytes;         /* now */
    uint64_t chunks;        /* now */
    uint64_t hits;          /* read again, or since a start before */
    uint64_t misses;        /* put, as they were not there */
    uint64_t fetched_bytes; /* of those */
    uint64_t evictions;
    uint64_t damaged; /* were not right when they were read */
};

/* chunk_cache_stats: all zero for NULL. */
void chunk_cache_stats(struct chunk_cache *cache,
                       struct chunk_cache_stats *out);

#endif
