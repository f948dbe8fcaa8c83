#include "config.h"

#include "node/loop/offload.h"

#include "base/check.h"

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
