#include "config.h"

#include "node/block/settling.h"

#include "base/cpu_time.h"
#include "base/log.h"
#include "storage/store.h"

/* Of a block that may wait so long for others. */
#define SMALL_BYTES   4096
#define SMALL_WAIT_MS 500

static void start(struct settling *s);

static void on_work(void *context)
{
    const struct settling *s = context;
    enum cpu_part before = cpu_time_enter(CPU_STORAGE);
    enum pot_err err = store_sync(s->store);
    if (err != POT_OK) {
        LOG(LOG_DEBUG, "node", "a block is not settled yet",
            log_text("why", err_text(err)));
    }
    (void)cpu_time_enter(before);
}

static void on_worked(void *context)
{
    struct settling *s = context;
    s->is_working = false;
    if (s->is_due && !s->is_stopped) {
        start(s);
    }
}

static void start(struct settling *s)
{
    loop_timer_stop(&s->timer);
    s->is_waiting = false;
    s->is_due = s->is_working;
    if (!s->is_working) {
        s->is_working = true;
        offload_start(&s->offload, s->loop, on_work, on_worked, s);
    }
}

static void on_timer(void *context)
{
    start(context);
}

void settling_open(struct settling *s, uv_loop_t *loop, struct store *store)
{
    *s = (struct settling){.loop = loop, .store = store};
    loop_timer_open(&s->timer, loop, on_timer, s);
    uv_unref((uv_handle_t *)&s->timer.timer); /* no loop goes on for it */
}

void settling_stop(struct settling *s)
{
    s->is_stopped = true;
    loop_timer_close(&s->timer);
}

void settling_applied(struct settling *s, size_t size)
{
    if (s->is_stopped) { /* and its timer closed */
        return;
    }
    if (size > SMALL_BYTES) {
        start(s);
    } else if (!s->is_waiting) {
        s->is_waiting = true;
        loop_timer_start(&s->timer, SMALL_WAIT_MS, 0);
    }
}
