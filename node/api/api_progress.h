/* api_progress: whether the chain stands still where it should not, as one node
 * sees it. */
#ifndef POT_NODE_API_API_PROGRESS_H
#define POT_NODE_API_API_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api_progress {
    bool is_validator; /* now */
    bool is_held;      /* a validator that does not vote, and knows why */
    bool is_behind;    /* and gets blocks from its peers */
    size_t peers;
    uint64_t stale_ms;    /* since the last block came */
    uint64_t patience_ms; /* replica_patience_ms */
};

/* api_progress_is_stalled: blocks are to be expected, and none came for longer
 * than the settings explain. */
bool api_progress_is_stalled(const struct api_progress *progress);

#endif
