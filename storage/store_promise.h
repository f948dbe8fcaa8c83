/* store_promise: blobs that this node has told others it holds, until a round
 * of a task is over: others vote for what needs them without having them.
 *
 * They are held as store_blobs_hold does, and no release touches them before
 * their promise ends; both outlive a restart. */
#ifndef POT_STORAGE_STORE_PROMISE_H
#define POT_STORAGE_STORE_PROMISE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

struct store;
struct store_blob;

struct store_promise {
    struct hash task;
    uint32_t round;
    struct hash name; /* these tell those of one round apart */
    uint32_t part;
};

/* store_promise_hold: these blobs are what is promised, and held from now on,
 * all in one commit.  Again: with the same blobs.
 *
 * In: ROSTER_MAX at most */
POT_MUST_USE enum pot_err store_promise_hold(
    struct store *store, const struct store_promise *promise,
    const struct store_blob *blobs, size_t count);

/* store_promises: those that have not ended; those of a round come together.
 *
 * Owns: free(*list), also when it fails */
POT_MUST_USE enum pot_err store_promises(struct store *store,
                                         struct store_promise **list,
                                         size_t *count);

/* store_promises_end: nobody counts on these any more, and what no other
 * promise names is released; fine for those that were never made. */
POT_MUST_USE enum pot_err store_promises_end(struct store *store,
                                             const struct store_promise *list,
                                             size_t count);

#endif
