/* held_blobs: what a vote promises.
 *
 * A vote for a block promises that it can be carried out, after a crash of
 * everyone too.  So before the vote the store holds what executing the block
 * again would take and only memory has: its rounds' gradients and aggregates;
 * but of the members of a group that was not opened here (node/round/groups.h)
 * those who did open it have the gradients in their stores.
 * Once a block stands at that height, none of them needs to be held. */
#ifndef POT_NODE_BLOCK_HELD_BLOBS_H
#define POT_NODE_BLOCK_HELD_BLOBS_H

#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"

struct executed;
struct holdings;

/* A zeroed struct is empty. */
struct held_blobs {
    struct hash *hashes;
    size_t count;
};

void held_blobs_fini(struct held_blobs *held);

/* held_blobs_move: what is in from, behind what is in to. */
void held_blobs_move(struct held_blobs *to, struct held_blobs *from);

/* held_blobs_hold: the blobs of an executed block, in one write; held, which
 * is empty, names them then.
 *
 * Errors: POT_ENOENT one of them is not here any more: memory let it go;
 *         the store's.  Nothing is held then. */
POT_MUST_USE enum pot_err held_blobs_hold(struct held_blobs *held,
                                          const struct holdings *holdings,
                                          const struct executed *executed);

/* held_blobs_end_promises: what was promised to others
 * (storage/store_promise.h) for rounds that are not open at the tip is held no
 * more.  Errors: the store's; nothing is let go then. */
POT_MUST_USE enum pot_err held_blobs_end_promises(
    const struct holdings *holdings);

#endif
