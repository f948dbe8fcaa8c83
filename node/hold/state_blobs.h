/* state_blobs: the blobs that a state refers to by its keys.  Any thread. */
#ifndef POT_NODE_HOLD_STATE_BLOBS_H
#define POT_NODE_HOLD_STATE_BLOBS_H

#include <stddef.h>

#include "base/err.h"
#include "proto/state_chunk.h"

struct buf;
struct store;

/* A zeroed struct is empty. */
struct state_blobs {
    struct hash *list; /* one for each key that names one */
    size_t count;
};

/* state_blobs_add: those that a chunk names. */
void state_blobs_add(struct state_blobs *out, const struct buf *chunk);

/* state_blobs_of_chunks: of the state whose chunks the store holds as blobs,
 * under these digests.  state_blobs_of_tip: of the state at the tip.  out is
 * empty before, and the caller's to end, also when they fail. */
POT_MUST_USE enum pot_err state_blobs_of_chunks(
    struct state_blobs *out, struct store *store,
    const struct hash digests[static STATE_CHUNKS]);
POT_MUST_USE enum pot_err state_blobs_of_tip(struct state_blobs *out,
                                             struct store *store);
void state_blobs_fini(struct state_blobs *blobs);

#endif
