/* early: messages that came too soon, kept encoded.
 *
 * Bounded: one block for a view that is not open yet; of the next height one
 * block, and each replica's last prepare, commit and view change.  A new view
 * is large and sent again: it is not kept. */
#ifndef POT_CONSENSUS_EARLY_H
#define POT_CONSENSUS_EARLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "proto/consensus.pb-c.h"

#define EARLY_KINDS 3 /* prepare, commit, view change */

struct early_message {
    uint8_t *data; /* a ConsensusMessage; NULL: none */
    size_t size;
    uint64_t view; /* its own */
};

/* A zeroed struct is empty. */
struct early {
    struct early_message proposal;      /* a pre-prepare of this height */
    struct early_message next_proposal; /* these of the next one */
    struct early_message next[VALIDATORS_MAX][EARLY_KINDS];
};

/* early_keep_proposal: a pre-prepare for a view that is not open; of several
 * the one whose view is nearest to the replica's `view`. */
void early_keep_proposal(struct early *early,
                         const Pot__ConsensusMessage *message, uint64_t view);

/* early_keep_next: a message of the next height, if its kind is kept; of
 * several blocks the one for `view`, in which the height most likely begins.
 */
void early_keep_next(struct early *early, const Pot__ConsensusMessage *message,
                     uint64_t view);

/* early_take_proposal: what was kept for view or one before it;
 * early_take_next: of the next height one after the other, the block first.
 * Decoded anew, codec_free releases it; NULL when there is none. */
Pot__ConsensusMessage *early_take_proposal(struct early *early, uint64_t view);
Pot__ConsensusMessage *early_take_next(struct early *early);

/* early_clear_proposal, early_clear_next: forgets the one or the other. */
void early_clear_proposal(struct early *early);
void early_clear_next(struct early *early);

#endif
