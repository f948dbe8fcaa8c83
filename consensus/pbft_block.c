#include "config.h"

#include "consensus/pbft_block.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

struct pbft_block *pbft_block_of(const struct block *opened, const void *data,
                                 size_t size)
{
    const Pot__BlockHeader *header = opened->header;
    struct pbft_block *block = pot_calloc(1, sizeof(*block));
    block->refs = 1;
    block->digest = opened->hash;
    block->height = header->height;
    block->view = header->view;
    memcpy(block->parent.b, header->parent_hash.data, HASH_SIZE);
    memcpy(block->chain.b, header->chain_id.data, HASH_SIZE);
    memcpy(block->proposer.b, header->proposer.data, PUBLIC_KEY_SIZE);
    block->data = pot_memdup(data, size);
    block->size = size;
    return block;
}

struct pbft_block *pbft_block_new(const void *data, size_t size)
{
    struct block *opened;
    if (size == 0 || block_decode(&opened, data, size) != POT_OK) {
        return NULL;
    }
    struct pbft_block *block = pbft_block_of(opened, data, size);
    block->opened = opened;
    return block;
}

struct block *pbft_block_give(struct pbft_block *block)
{
    struct block *opened = block->opened;
    block->opened = NULL;
    return opened;
}

struct pbft_block *pbft_block_ref(struct pbft_block *block)
{
    POT_ASSERT(block->refs > 0);
    block->refs++;
    return block;
}

void pbft_block_unref(struct pbft_block *block)
{
    if (block == NULL) {
        return;
    }
    POT_ASSERT(block->refs > 0);
    if (--block->refs == 0) {
        block_free(block->opened);
        free(block->data);
        free(block);
    }
}

void pbft_block_set(struct pbft_block **slot, struct pbft_block *block)
{
    struct pbft_block *old = *slot;
    *slot = block == NULL ? NULL : pbft_block_ref(block);
    pbft_block_unref(old);
}
