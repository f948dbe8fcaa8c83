#include "config.h"

#include "tests/sim/sim_block.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "proto/block.h"
#include "proto/codec.h"

#include <stdlib.h>

#define SIM_BLOCK_ITEMS_MAX 8

uint8_t *sim_block_make(size_t *size, struct hash *digest,
                        const struct sim_block_spec *spec)
{
    static const struct hash zero;
    Pot__BlockHeader *header = pot_alloc(sizeof(*header));
    pot__block_header__init(header);
    header->version = PROTOCOL_VERSION;
    header->chain_id = codec_copy_bytes(spec->chain.b, HASH_SIZE);
    header->height = spec->height;
    header->view = spec->view;
    header->time_ms = spec->time_ms;
    header->parent_hash = codec_copy_bytes(spec->parent.b, HASH_SIZE);
    header->proposer = codec_copy_bytes(spec->proposer.b, PUBLIC_KEY_SIZE);
    header->validators_hash = codec_copy_bytes(zero.b, HASH_SIZE);
    header->state_root = codec_copy_bytes(zero.b, HASH_SIZE);
    Pot__Block body = POT__BLOCK__INIT;
    Pot__Signed txs[SIM_BLOCK_ITEMS_MAX];
    Pot__Signed *list[SIM_BLOCK_ITEMS_MAX];
    POT_ASSERT(spec->item_count <= SIM_BLOCK_ITEMS_MAX);
    for (size_t i = 0; i < spec->item_count; i++) {
        pot__signed__init(&txs[i]);
        txs[i].body = codec_bytes(&spec->items[i], sizeof(spec->items[i]));
        list[i] = &txs[i];
    }
    body.n_txs = spec->item_count;
    body.txs = list;
    block_seal(digest, &body, header);
    uint8_t *data = codec_encode(size, &body);
    free(body.header.data);
    codec_free(header);
    return data;
}
