#include "config.h"

#include "node/block/chain_tip.h"

#include "base/check.h"
#include "proto/codec.h"

void chain_tip_follow(struct chain_tip *tip, const Pot__BlockHeader *header,
                      const struct hash *hash, uint64_t view)
{
    tip->height = header->height;
    tip->time_ms = header->time_ms;
    tip->view = view;
    tip->hash = *hash;
    tip->signers = tip->next_signers;
    bool is_right = codec_hash(&tip->state_root, header->state_root) &&
                    codec_hash(&tip->next_signers, header->validators_hash);
    POT_ASSERT(is_right); /* block_header_decode saw to it */
}

struct ledger_block chain_tip_next(const struct chain_tip *tip)
{
    return (struct ledger_block){.height = tip->height + 1,
                                 .time_ms = tip->time_ms + 1};
}
