/* state_chunk: the state in parts, as a node that is far behind takes it.
 *
 * The tree of proto/state_proof.h is cut at level 8: the 256 digests there are
 * the state's index, and what lies under one of them is a chunk: its keys with
 * their values by ascending bucket, then key, each
 *
 *   u8 key size | key | u32 value size | value
 *
 * The index gives the root, a chunk gives its digest.  So both are known by a
 * hash that the root vouches for, have one encoding, and can be had from
 * anyone.  What is empty has a digest of zero, and no chunk. */
#ifndef POT_PROTO_STATE_CHUNK_H
#define POT_PROTO_STATE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "proto/state_proof.h"

#define STATE_CHUNK_LEVELS  8 /* above the chunks, and under each */
#define STATE_CHUNKS        (1 << STATE_CHUNK_LEVELS)
#define STATE_CHUNK_BUCKETS (STATE_BUCKETS / STATE_CHUNKS)
#define STATE_CHUNK_MAX     ((size_t)64 << 20) /* bytes */
#define STATE_INDEX_BYTES   (STATE_CHUNKS * HASH_SIZE)

/* state_chunk_of: the chunk that a bucket lies in. */
unsigned state_chunk_of(uint16_t bucket);

/* A key and its value in a chunk, in place. */
struct state_record {
    const uint8_t *key;
    size_t key_size;
    const uint8_t *value;
    size_t value_size;
};

/* state_chunk_add: records come in the order above. */
void state_chunk_add(struct buf *chunk, const void *key, size_t key_size,
                     const void *value, size_t value_size);

/* state_chunk_next: the record at *offset, and *offset behind it.  False: the
 * chunk ends there, well or badly: it ended well if *offset == size. */
bool state_chunk_next(struct state_record *out, const void *chunk, size_t size,
                      size_t *offset);

/* state_chunk_buckets: the bucket lists that the records make, each once, in
 * order, borrowed for the call; visit may be NULL.
 *
 * Out:     digest  of the chunk; NULL is fine
 * Returns  false: it is no chunk; some of it may have been visited */
bool state_chunk_buckets(struct hash *digest, const void *chunk, size_t size,
                         void (*visit)(void *context, uint16_t bucket,
                                       const struct buf *list),
                         void *context);

/* state_chunk_is, state_index_is: whether that is the chunk of this digest;
 * the index of this root, which is STATE_INDEX_BYTES long.  From anyone. */
bool state_chunk_is(const struct hash *digest, const void *chunk, size_t size);
bool state_index_is(const struct hash *root, const void *index, size_t size);

/* state_index_next: the digest of the next chunk that is not empty, from the
 * one at *at on, and *at behind it; NULL: there is none. */
const struct hash *state_index_next(
    const struct hash digests[static STATE_CHUNKS], unsigned *at);

/* state_fold: the node over `count` digests, a power of two, at most
 * STATE_CHUNKS. */
void state_fold(struct hash *out, const struct hash *digests, size_t count);

#endif
