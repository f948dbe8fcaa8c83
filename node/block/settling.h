/* settling: the store's sync behind blocks, off the loop, which nobody waits
 * for.
 *
 * A block is the tip, and told to others, before the store has synced it.  A
 * validator has it in its sign state: its own commit with the block, and behind
 * it the block with its certificate (node/block/decided.h).  So a small block
 * can wait for others, for a while. */
#ifndef POT_NODE_BLOCK_SETTLING_H
#define POT_NODE_BLOCK_SETTLING_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "node/loop/loop_timer.h"
#include "node/loop/offload.h"

struct store;

struct settling {
    uv_loop_t *loop;
    struct store *store;
    struct loop_timer timer;
    bool is_waiting; /* for it */
    struct offload offload;
    bool is_working;
    bool is_due; /* again, for blocks that came meanwhile */
    bool is_stopped;
};

/* settling_open: the store lives until the loop has ended, and with it the work
 * that was begun.  settling_stop: once; nothing is begun any more. */
void settling_open(struct settling *settling, uv_loop_t *loop,
                   struct store *store);
void settling_stop(struct settling *settling);

/* settling_applied: a block of this size is the tip.  What fails ails the
 * store. */
void settling_applied(struct settling *settling, size_t size);

#endif
