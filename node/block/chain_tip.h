/* chain_tip: the block that stands at the tip, as far as the next one needs
 * to know it. */
#ifndef POT_NODE_BLOCK_CHAIN_TIP_H
#define POT_NODE_BLOCK_CHAIN_TIP_H

#include <stdint.h>

#include "base/hash.h"
#include "ledger/ledger.h"
#include "proto/block.h"

struct chain_tip {
    uint64_t height;
    uint64_t time_ms;
    uint64_t view; /* of its certificate */
    struct hash hash;
    struct hash state_root;
    /* Whom validator_sets_read gives: who signed it, all zero at height 0,
     * and who signs the next. */
    struct hash signers;
    struct hash next_signers;
};

/* chain_tip_follow: the tip is its next block then, certified in this view;
 * that block's header and hash. */
void chain_tip_follow(struct chain_tip *tip, const Pot__BlockHeader *header,
                      const struct hash *hash, uint64_t view);

/* chain_tip_next: what is known of the block behind it, whoever proposes that:
 * its height and its earliest time. */
struct ledger_block chain_tip_next(const struct chain_tip *tip);

#endif
