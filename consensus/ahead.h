/* ahead: how far the other replicas are.
 *
 * A message of a later height only says that its signer is there.  Once
 * f + 1 say so, one of them is honest, and the blocks before are committed. */
#ifndef POT_CONSENSUS_AHEAD_H
#define POT_CONSENSUS_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

struct pbft;

/* A zeroed struct knows nothing. */
struct ahead {
    uint64_t heights[VALIDATORS_MAX]; /* the highest seen signed by each */
    uint64_t told;                    /* the last SYNC's height */
};

/* ahead_note: replica has signed a message of height. */
void ahead_note(struct ahead *ahead, uint32_t replica, uint64_t height);

/* ahead_tell: emits SYNC when blocks are missing, is_again: even if that is
 * known already. */
void ahead_tell(struct pbft *p, bool is_again);

#endif
