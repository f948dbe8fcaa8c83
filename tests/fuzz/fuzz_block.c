/* Blocks, headers and validator sets as they come from peers: what decodes is
 * whole, and sealing it again gives the same hash. */
#include "config.h"

#include "base/check.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "proto/validator_set.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_block(const uint8_t *data, size_t size)
{
    struct block *block;
    struct hash hash;
    enum pot_err err = block_decode(&block, data, size);
    POT_ASSERT((err == POT_OK) == (block != NULL));
    if (block != NULL) {
        block_seal(&hash, block->body, block->header);
        POT_ASSERT(hash_equal(&hash, &block->hash));
        block_free(block);
    }
}

static void check_header(const uint8_t *data, size_t size)
{
    Pot__BlockHeader *header;
    struct hash hash;
    if (block_header_decode(&header, &hash, data, size) == POT_OK) {
        codec_free(header);
    }
}

static void check_set(const uint8_t *data, size_t size)
{
    static struct validator_set set;
    if (validator_set_decode(&set, data, size) == POT_OK) {
        size_t again_size;
        uint8_t *again = validator_set_encode(&again_size, &set);
        POT_ASSERT(again_size == size && memcmp(again, data, size) == 0);
        free(again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_block(data, size);
    check_header(data, size);
    check_set(data, size);
    return 0;
}
