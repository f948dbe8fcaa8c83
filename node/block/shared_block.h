/* shared_block: a block as it goes round in this node: opened once, when it
 * comes in, with the bytes that it came in.
 *
 * It is never changed, so any thread may read it, share it and release it. */
#ifndef POT_NODE_BLOCK_SHARED_BLOCK_H
#define POT_NODE_BLOCK_SHARED_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/block.h"

struct shared_block {
    struct block *block;
    uint8_t *data;
    size_t size;
    _Atomic unsigned references; /* whoever releases the last one frees it */
};

/* shared_block_take: data becomes the block's, or is freed.
 *
 * Owns:   *out, one reference to it; shared_block_unref
 * Errors: those of block_decode; *out is NULL then */
POT_MUST_USE enum pot_err shared_block_take(struct shared_block **out,
                                            uint8_t *data, size_t size);

/* shared_block_of: the same of what is opened already; takes both. */
struct shared_block *shared_block_of(struct block *opened, uint8_t *data,
                                     size_t size);

/* shared_block_ref: one reference more, to the same. */
struct shared_block *shared_block_ref(struct shared_block *shared);

/* shared_block_unref: one less; NULL is fine. */
void shared_block_unref(struct shared_block *shared);

#endif
