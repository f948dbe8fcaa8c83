/* reward_why: why a record of a reward or a slash is there, and why a round
 * brought none, told from blocks and challenges. */
#ifndef POT_CTL_REWARD_WHY_H
#define POT_CTL_REWARD_WHY_H

#include <jansson.h>
#include <stdint.h>

#include "ctl/ctl.h"

#define REWARD_WHY_SIZE 128

/* What was asked for: the last block, all challenges; zeroed at first. */
struct reward_blocks {
    uint64_t height;
    json_t *block;      /* NULL: the node has it no more */
    json_t *challenges; /* NULL: not yet */
};

void reward_blocks_fini(struct reward_blocks *blocks);

/* reward_why: of a record, in words; "" when its block is pruned. */
POT_MUST_USE enum exit_code reward_why(char why[static REWARD_WHY_SIZE],
                                       struct ctl *ctl,
                                       struct reward_blocks *blocks,
                                       const json_t *record);

enum reward_part {
    REWARD_PART_NONE, /* neither of the two */
    REWARD_PART_COUNTED,
    REWARD_PART_REFUSED,
};

/* reward_part: what the round of task, closed in the block of this height,
 * made of a miner's gradient. */
POT_MUST_USE enum exit_code reward_part(enum reward_part *out, struct ctl *ctl,
                                        struct reward_blocks *blocks,
                                        uint64_t height, const char *task,
                                        const char *miner);

#endif
