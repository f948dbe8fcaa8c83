/* offload: work off the loop, by a thread of libuv's pool. */
#ifndef POT_NODE_LOOP_OFFLOAD_H
#define POT_NODE_LOOP_OFFLOAD_H

#include <uv.h>

struct offload {
    uv_work_t work;
    void (*run)(void *context);
    void (*done)(void *context);
    void *context;
};

/* offload_start: run(context) on another thread, then done(context) on the
 * loop.
 *
 * In: offload  the caller's, and the caller's again from done on; context
 *              must live until then too.  Nothing cancels it: a loop runs
 *              until its work is done */
void offload_start(struct offload *offload, uv_loop_t *loop,
                   void (*run)(void *context), void (*done)(void *context),
                   void *context);

#endif
