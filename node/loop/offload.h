/* offload: work off the loop, by a thread of libuv's pool. */
#ifndef POT_NODE_LOOP_OFFLOAD_H
#define POT_NODE_LOOP_OFFLOAD_H

#include <stdint.h>
#include <uv.h>

struct offload {
    uv_work_t work;
    void (*run)(void *context);
    void (*done)(void *context);
    void *context;
    uint64_t here_ms; /* the millisecond in which */
    unsigned here;    /* so many were done on the loop */
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

/* offload_brief: the same, of work that takes the processor for some 100 us
 * at most and waits for no disk.  Waking two threads for it costs as much: so
 * it is done here, and done called before this returns; but a few in a
 * millisecond, so that the loop has time for all else.
 *
 * In: offload  zeroed before its first use, and of several jobs in turn */
void offload_brief(struct offload *offload, uv_loop_t *loop,
                   void (*run)(void *context), void (*done)(void *context),
                   void *context);

#endif
