/* wait: somebody waits until several things are held, each of which several
 * may wait for.
 *
 * A wait hangs on what it waits for by hooks: whoever gets a thing tells the
 * hooks on it.  A wait ends when the last of its things is there, or failed
 * for good. */
#ifndef POT_NODE_BLOCK_WAIT_H
#define POT_NODE_BLOCK_WAIT_H

#include <stdbool.h>

struct hook; /* opaque: node/block/wait.c */
struct wait;

/* A zeroed struct is empty. */
struct waits {
    struct wait *first;
};

/* wait_done_fn: is_held: all of its things are. */
typedef void wait_done_fn(void *context, bool is_held);

/* wait_begin: on nothing yet; done may be NULL. */
struct wait *wait_begin(struct waits *waits, wait_done_fn *done, void *context);

/* wait_on: one thing more, whose hooks these are. */
void wait_on(struct wait *wait, struct hook **hooks);

/* wait_fail: one of its things cannot be had. */
void wait_fail(struct wait *wait);

/* wait_end: nothing more is added: done is called once the things are there,
 * now if they are already. */
void wait_end(struct wait *wait);

/* hooks_tell: the thing is held, or not to be had; *hooks is empty then. */
void hooks_tell(struct hook **hooks, bool is_held);

/* hooks_free: nobody is told. */
void hooks_free(struct hook **hooks);

/* waits_forget: done is not called any more for this context.
 * waits_cancel: everyone is told that it is not held, and nothing later.
 * waits_free: nobody is told; the hooks are gone. */
void waits_forget(struct waits *waits, const void *context);
void waits_cancel(struct waits *waits);
void waits_free(struct waits *waits);

#endif
