/* loop_timer: a timer of the loop whose owner knows whether it is closed:
 * libuv's must not be freed before. */
#ifndef POT_NODE_LOOP_LOOP_TIMER_H
#define POT_NODE_LOOP_LOOP_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef void loop_timer_fn(void *context);

struct loop_timer {
    uv_timer_t timer;
    loop_timer_fn *fired;
    void *context;
    bool is_open; /* until the loop has closed it */
};

/* loop_timer_open: fired(context) is called whenever it runs out. */
void loop_timer_open(struct loop_timer *timer, uv_loop_t *loop,
                     loop_timer_fn *fired, void *context);

/* loop_timer_close: the loop closes it in its next turn; is_open says when
 * it has.  Once at most. */
void loop_timer_close(struct loop_timer *timer);

/* loop_timer_start: in delay_ms from now, again every repeat_ms unless that
 * is 0; what was started before does not count any more.  Nothing happens
 * when it is being closed. */
void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms,
                      uint64_t repeat_ms);

/* loop_timer_stop: it does not run out any more, unless started again. */
void loop_timer_stop(struct loop_timer *timer);

#endif
