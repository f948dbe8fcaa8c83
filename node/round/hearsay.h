/* hearsay: whether a node waits for the blocks that others claim to have.  By a
 * single block too: that one may bring a miner's stake.  But anyone can claim
 * to be one ahead, at every height: who was near for HEARSAY_NEAR_MS is not
 * behind by one block.  Pure. */
#ifndef POT_NODE_ROUND_HEARSAY_H
#define POT_NODE_ROUND_HEARSAY_H

#include <stdbool.h>
#include <stdint.h>

#define HEARSAY_NEAR_MS 5000

/* A zeroed one has heard nothing. */
struct hearsay {
    uint64_t near_ms; /* since when it is one block behind at most; 0: is not */
};

/* hearsay_is_behind: at now_ms, which is not 0, of the tip's height and the
 * greatest that is claimed; at each look. */
bool hearsay_is_behind(struct hearsay *hearsay, uint64_t height,
                       uint64_t claimed, uint64_t now_ms);

#endif
