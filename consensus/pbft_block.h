/* pbft_block: a block as consensus needs it, bytes and digest; shared by
 * reference count.  What the bytes were decoded to goes to whoever executes
 * the block, so that it is decoded once. */
#ifndef POT_CONSENSUS_PBFT_BLOCK_H
#define POT_CONSENSUS_PBFT_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/block.h"

struct pbft_block {
    unsigned refs;
    struct hash digest;
    uint64_t height; /* this and the next four stand in its header */
    uint64_t view;
    struct hash parent;
    struct hash chain;
    struct public_key proposer;
    bool is_valid;    /* the ledger said so */
    bool is_checking; /* the ledger was asked */
    uint8_t *data;
    size_t size;
    struct block *opened; /* what data is; NULL: the caller has it */
};

/* pbft_block_new: a copy of data, decoded to see that it is a block; NULL when
 * it is not.  The caller holds one reference. */
struct pbft_block *pbft_block_new(const void *data, size_t size);

/* pbft_block_of: the same of data that the caller has opened; opened stays
 * his. */
struct pbft_block *pbft_block_of(const struct block *opened, const void *data,
                                 size_t size);

/* pbft_block_give: opened, the caller's from here on; NULL: given before. */
struct block *pbft_block_give(struct pbft_block *block);

/* pbft_block_ref: one more reference, returned.  pbft_block_unref: one less;
 * the last one frees; NULL is fine. */
struct pbft_block *pbft_block_ref(struct pbft_block *block);
void pbft_block_unref(struct pbft_block *block);

/* pbft_block_set: *slot drops what it held and refers to block, which may be
 * NULL or the same. */
void pbft_block_set(struct pbft_block **slot, struct pbft_block *block);

#endif
