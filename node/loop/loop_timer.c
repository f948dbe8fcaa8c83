#include "config.h"

#include "node/loop/loop_timer.h"

#include "base/check.h"

static void on_timer(uv_timer_t *handle)
{
    struct loop_timer *timer = handle->data;
    timer->fired(timer->context);
}

static void on_closed(uv_handle_t *handle)
{
    struct loop_timer *timer = handle->data;
    timer->is_open = false;
}

void loop_timer_open(struct loop_timer *timer, uv_loop_t *loop,
                     loop_timer_fn *fired, void *context)
{
    int rc = uv_timer_init(loop, &timer->timer);
    POT_ASSERT(rc == 0);
    timer->timer.data = timer;
    timer->fired = fired;
    timer->context = context;
    timer->is_open = true;
}

void loop_timer_close(struct loop_timer *timer)
{
    uv_close((uv_handle_t *)&timer->timer, on_closed);
}

void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms,
                      uint64_t repeat_ms)
{
    if (!uv_is_closing((const uv_handle_t *)&timer->timer)) {
        /* The loop's idea of now is as old as its turn. */
        uv_update_time(timer->timer.loop);
        int rc = uv_timer_start(&timer->timer, on_timer, delay_ms, repeat_ms);
        POT_ASSERT(rc == 0);
    }
}

void loop_timer_stop(struct loop_timer *timer)
{
    (void)uv_timer_stop(&timer->timer);
}
