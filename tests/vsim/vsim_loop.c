#include "config.h"

#include "tests/vsim/vsim_loop.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "tests/vsim/vsim_clock.h"

#include <stdlib.h>
#include <string.h>

#define SLOW_FACTOR 100

/* ---- loops */

struct vsim_loop *vsim_loop_of(const uv_loop_t *loop)
{
    return loop->internal_fields;
}

int uv_loop_init(uv_loop_t *loop)
{
    struct vsim_loop *own = pot_calloc(1, sizeof(*own));
    memset(loop, 0, sizeof(*loop));
    POT_ASSERT(vsim.current != VSIM_NOBODY);
    own->node = vsim.current;
    loop->internal_fields = own;
    return 0;
}

int uv_loop_close(uv_loop_t *loop)
{
    struct vsim_loop *own = vsim_loop_of(loop);
    if (own->first != NULL || own->requests > 0) {
        return UV_EBUSY;
    }
    free(own);
    loop->internal_fields = NULL;
    return 0;
}

static bool is_alive(const struct vsim_loop *loop)
{
    for (const struct vsim_handle *h = loop->first; h != NULL; h = h->next) {
        if (h->is_closing || (h->is_active && !h->is_unreferenced)) {
            return true;
        }
    }
    return loop->requests > 0;
}

int uv_run(uv_loop_t *loop, uv_run_mode mode)
{
    const struct vsim_loop *own = vsim_loop_of(loop);
    POT_ASSERT(mode == UV_RUN_DEFAULT);
    while (is_alive(own)) {
        bool has_happened = vsim_step_of(own->node);
        POT_ASSERT(has_happened); /* else it would wait for ever */
    }
    return 0;
}

uint64_t uv_now(const uv_loop_t *loop)
{
    (void)loop;
    return clock_steady_ms();
}

void uv_update_time(uv_loop_t *loop)
{
    (void)loop;
}

uint64_t uv_hrtime(void)
{
    return clock_steady_us() * 1000;
}

/* ---- handles */

struct vsim_handle *vsim_handle_of(const uv_handle_t *handle)
{
    return handle->u.reserved[0];
}

struct vsim_handle *vsim_handle_new(uv_loop_t *loop, uv_handle_t *handle,
                                    uv_handle_type type)
{
    struct vsim_handle *own = pot_calloc(1, sizeof(*own));
    own->uv = handle;
    own->loop = vsim_loop_of(loop);
    own->next = own->loop->first;
    if (own->next != NULL) {
        own->next->before = own;
    }
    own->loop->first = own;
    handle->loop = loop;
    handle->type = type;
    handle->close_cb = NULL;
    handle->u.reserved[0] = own;
    return own;
}

static void handle_free(struct vsim_handle *handle)
{
    if (handle->before != NULL) {
        handle->before->next = handle->next;
    } else {
        handle->loop->first = handle->next;
    }
    if (handle->next != NULL) {
        handle->next->before = handle->before;
    }
    free(handle);
}

static void on_closed(struct vsim_event *event)
{
    struct vsim_handle *handle = event->context;
    uv_handle_t *uv = handle->uv;
    uv_close_cb done = uv->close_cb;
    handle_free(handle);
    if (done != NULL) {
        done(uv);
    }
}

void uv_close(uv_handle_t *uv, uv_close_cb done)
{
    struct vsim_handle *handle = vsim_handle_of(uv);
    POT_ASSERT(!handle->is_closing);
    handle->is_closing = true;
    handle->is_active = false;
    vsim_cancel(handle->event);
    handle->event = NULL;
    if (handle->on_close != NULL) {
        handle->on_close(handle);
    }
    uv->close_cb = done;
    (void)vsim_schedule(handle->loop->node, 0, on_closed, handle);
}

int uv_is_closing(const uv_handle_t *handle)
{
    return vsim_handle_of(handle)->is_closing;
}

void uv_unref(uv_handle_t *handle)
{
    vsim_handle_of(handle)->is_unreferenced = true;
}

void uv_walk(uv_loop_t *loop, uv_walk_cb visit, void *context)
{
    struct vsim_handle *next;
    for (struct vsim_handle *h = vsim_loop_of(loop)->first; h != NULL;
         h = next) {
        next = h->next;
        visit(h->uv, context);
    }
}

/* ---- timers */

int uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    (void)vsim_handle_new(loop, (uv_handle_t *)timer, UV_TIMER);
    return 0;
}

static void on_timer(struct vsim_event *event);

static void set_timer(struct vsim_handle *handle, uint64_t delay_ms)
{
    handle->is_active = true;
    handle->event = vsim_schedule(
        handle->loop->node, vsim_clock_delay_us(delay_ms), on_timer, handle);
    handle->event->is_timer = true;
}

static void on_timer(struct vsim_event *event)
{
    struct vsim_handle *handle = event->context;
    uv_timer_t *timer = (uv_timer_t *)handle->uv;
    handle->event = NULL;
    handle->is_active = false;
    if (handle->repeat_ms > 0) {
        set_timer(handle, handle->repeat_ms);
    }
    timer->timer_cb(timer);
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb fired, uint64_t delay_ms,
                   uint64_t repeat_ms)
{
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)timer);
    if (handle->is_closing) {
        return UV_EINVAL;
    }
    vsim_cancel(handle->event);
    timer->timer_cb = fired;
    handle->repeat_ms = repeat_ms;
    set_timer(handle, delay_ms);
    return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)timer);
    vsim_cancel(handle->event);
    handle->event = NULL;
    handle->is_active = false;
    return 0;
}

/* ---- work: it is done at once, at some moment, and told some time later */

struct job {
    uv_work_t *work;
    struct vsim_loop *loop;
};

static uint64_t work_us(const struct vsim_loop *loop)
{
    const struct vsim_node *node = &vsim.nodes[loop->node];
    uint64_t us = vsim_below(vsim.config.work_us / 2 + 1);
    return node->slow_until_us > vsim.now_us ? SLOW_FACTOR * us : us;
}

static void on_worked(struct vsim_event *event)
{
    struct job *job = event->context;
    uv_work_t *work = job->work;
    job->loop->requests--;
    free(job);
    work->after_work_cb(work, 0);
}

static void on_work(struct vsim_event *event)
{
    struct job *job = event->context;
    job->work->work_cb(job->work);
    (void)vsim_schedule(job->loop->node, work_us(job->loop), on_worked, job);
}

int uv_queue_work(uv_loop_t *loop, uv_work_t *work, uv_work_cb run,
                  uv_after_work_cb done)
{
    struct job *job = pot_calloc(1, sizeof(*job));
    job->work = work;
    job->loop = vsim_loop_of(loop);
    job->loop->requests++;
    work->loop = loop;
    work->type = UV_WORK;
    work->work_cb = run;
    work->after_work_cb = done;
    (void)vsim_schedule(job->loop->node, work_us(job->loop), on_work, job);
    return 0;
}

/* ---- signals never come */

int uv_signal_init(uv_loop_t *loop, uv_signal_t *signal)
{
    (void)vsim_handle_new(loop, (uv_handle_t *)signal, UV_SIGNAL);
    return 0;
}

int uv_signal_start(uv_signal_t *signal, uv_signal_cb fired, int number)
{
    (void)fired;
    (void)number;
    vsim_handle_of((uv_handle_t *)signal)->is_active = true;
    return 0;
}
