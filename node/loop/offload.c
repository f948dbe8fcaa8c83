#include "config.h"

#include "node/loop/offload.h"

#include "base/check.h"
#include "base/cpu_time.h"

#include <stdbool.h>

#define HERE_MAX 4 /* in a millisecond, of one offload's */

static void on_work(uv_work_t *work)
{
    struct offload *offload = work->data;
    offload->run(offload->context);
}

static void on_worked(uv_work_t *work, int status)
{
    struct offload *offload = work->data;
    POT_ASSERT(status == 0); /* nobody cancels */
    offload->done(offload->context);
}

void offload_start(struct offload *offload, uv_loop_t *loop,
                   void (*run)(void *), void (*done)(void *), void *context)
{
    offload->work.data = offload;
    offload->run = run;
    offload->done = done;
    offload->context = context;
    int rc = uv_queue_work(loop, &offload->work, on_work, on_worked);
    POT_ASSERT(rc == 0); /* it has no other way to fail than our mistake */
}

static bool has_time(struct offload *offload, const uv_loop_t *loop)
{
    uint64_t now_ms = uv_now(loop);
    if (now_ms != offload->here_ms) {
        offload->here_ms = now_ms;
        offload->here = 0;
    }
    return offload->here++ < HERE_MAX;
}

void offload_brief(struct offload *offload, uv_loop_t *loop,
                   void (*run)(void *), void (*done)(void *), void *context)
{
    if (!has_time(offload, loop)) {
        offload_start(offload, loop, run, done, context);
        return;
    }
    enum cpu_part before = cpu_time_enter(CPU_OTHER); /* not its caller's */
    run(context);
    done(context); /* may free the offload */
    (void)cpu_time_enter(before);
}
