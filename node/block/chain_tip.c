#include "config.h"

#include "node/block/chain_tip.h"

#include "base/check.h"
#include "proto/codec.h"

void chain_tip_follow(struct chain_tip *tip, const struct block *block,
                      uint64_t view)
{
    const Pot__BlockHeader *header = block->header;
    tip->height = header->height;
    tip->time_ms = header->time_ms;
    tip->view = view;
    tip->hash = block->hash;
    tip->signers = tip->next_signers;
    bool is_right = codec_hash(&tip->state_root, header->state_root) &&
                    codec_hash(&tip->next_signers, header->validators_hash);
    POT_ASSERT(is_right); /* block_decode saw to it */
}
