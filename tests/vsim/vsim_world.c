#include "config.h"

#include "tests/vsim/vsim_world.h"

#include "base/alloc.h"
#include "base/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vsim vsim;

void vsim_world_init(uint64_t seed, bool is_verbose)
{
    memset(&vsim, 0, sizeof(vsim));
    vsim.seed = seed;
    vsim.is_verbose = is_verbose;
    vsim.rng.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    vsim.current = VSIM_NOBODY;
}

void vsim_world_fini(void)
{
    for (size_t i = 0; i < vsim.queue_count; i++) {
        free(vsim.queue[i]);
    }
    free(vsim.queue);
    vsim.queue = NULL;
    vsim.queue_count = 0;
}

/* ---- telling */

static void say_line(FILE *to, uint32_t node, const char *text)
{
    (void)fprintf(to, "%10.3f ", (double)vsim.now_us / 1e6);
    if (node != VSIM_NOBODY) {
        (void)fprintf(to, "node %-2" PRIu32 " ", node);
    } else {
        (void)fprintf(to, "        ");
    }
    (void)fprintf(to, "%s\n", text);
}

void vsim_fail(const char *format, ...)
{
    va_list args;
    if (vsim.is_failed) {
        return;
    }
    vsim.is_failed = true;
    va_start(args, format);
    (void)vsnprintf(vsim.failure, sizeof(vsim.failure), format, args);
    va_end(args);
    if (vsim.is_verbose) {
        say_line(stdout, vsim.current, vsim.failure);
    }
}

void vsim_say(uint32_t node, const char *format, ...)
{
    char text[512];
    va_list args;
    if (!vsim.is_verbose) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say_line(stdout, node, text);
    (void)fflush(stdout);
}

void vsim_mark(enum vsim_mark mark)
{
    vsim.marks[mark] = true;
}

bool vsim_has(enum vsim_fault fault)
{
    return (vsim.config.faults >> fault & 1) != 0;
}

bool vsim_is_planted(enum vsim_plant plant)
{
    return (vsim.config.planted >> plant & 1) != 0;
}

void vsim_trace_add(const void *data, size_t size)
{
    struct hasher h;
    hasher_init(&h, "vsim");
    hasher_add(&h, vsim.trace.b, HASH_SIZE);
    hasher_add_u64(&h, vsim.now_us);
    hasher_add(&h, data, size);
    hasher_final(&h, &vsim.trace);
}

/* ---- the queue: a binary heap */

static bool is_before(const struct vsim_event *a, const struct vsim_event *b)
{
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void swap(size_t i, size_t j)
{
    struct vsim_event *event = vsim.queue[i];
    vsim.queue[i] = vsim.queue[j];
    vsim.queue[j] = event;
}

static void sift_up(size_t i)
{
    for (; i > 0 && is_before(vsim.queue[i], vsim.queue[(i - 1) / 2]);
         i = (i - 1) / 2) {
        swap(i, (i - 1) / 2);
    }
}

static void sift_down(size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < vsim.queue_count &&
                is_before(vsim.queue[child], vsim.queue[least])) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        swap(i, least);
        i = least;
    }
}

static void push(struct vsim_event *event)
{
    if (vsim.queue_count == vsim.queue_capacity) {
        vsim.queue_capacity =
            vsim.queue_capacity > 0 ? 2 * vsim.queue_capacity : 256;
        vsim.queue =
            pot_realloc(vsim.queue, vsim.queue_capacity, sizeof(*vsim.queue));
    }
    vsim.queue[vsim.queue_count++] = event;
    sift_up(vsim.queue_count - 1);
}

static struct vsim_event *take(size_t i)
{
    struct vsim_event *event = vsim.queue[i];
    vsim.queue[i] = vsim.queue[--vsim.queue_count];
    if (i < vsim.queue_count) {
        sift_up(i);
        sift_down(i);
    }
    return event;
}

struct vsim_event *vsim_schedule(uint32_t node, uint64_t delay_us,
                                 vsim_event_fn *run, void *context)
{
    struct vsim_event *event = pot_calloc(1, sizeof(*event));
    event->at_us = vsim.now_us + delay_us;
    event->order = vsim.order++;
    event->node = node;
    event->run = run;
    event->context = context;
    push(event);
    return event;
}

void vsim_cancel(struct vsim_event *event)
{
    if (event != NULL) {
        event->is_cancelled = true;
    }
}

/* ---- what happens */

static void happen(struct vsim_event *event)
{
    uint32_t before = vsim.current;
    vsim.current = event->node;
    vsim.stepped = event->node;
    vsim.events++;
    event->run(event);
    vsim.current = before;
    free(event);
}

/* A paused node's event waits, in its order. */
static bool is_put_off(struct vsim_event *event)
{
    uint64_t until = event->node != VSIM_NOBODY
                         ? vsim.nodes[event->node].paused_until_us
                         : 0;
    if (until <= vsim.now_us) {
        return false;
    }
    event->at_us = until;
    event->is_put_off = true;
    push(event);
    return true;
}

void vsim_pause(uint32_t node, uint64_t us)
{
    vsim.nodes[node].paused_until_us = vsim.now_us + us;
}

void vsim_resume(uint32_t node)
{
    vsim.nodes[node].paused_until_us = 0;
    for (size_t i = 0; i < vsim.queue_count; i++) {
        struct vsim_event *event = vsim.queue[i];
        if (event->node == node && event->is_put_off) {
            event->is_put_off = false;
            event->at_us = vsim.now_us;
        }
    }
    for (size_t i = vsim.queue_count; i-- > 0;) {
        sift_down(i);
    }
}

bool vsim_step(void)
{
    while (vsim.queue_count > 0) {
        struct vsim_event *event = take(0);
        if (event->is_cancelled) {
            free(event);
            continue;
        }
        POT_ASSERT(event->at_us >= vsim.now_us);
        vsim.now_us = event->at_us;
        if (!is_put_off(event)) {
            happen(event);
            return true;
        }
    }
    return false;
}

/* The earliest that the node itself waits for; SIZE_MAX: none. */
static size_t find_own(uint32_t node, bool is_timer)
{
    size_t next = SIZE_MAX;
    for (size_t i = 0; i < vsim.queue_count; i++) {
        const struct vsim_event *event = vsim.queue[i];
        bool is_own = event->node == node && !event->is_cancelled &&
                      !event->is_outside && event->is_timer == is_timer;
        if (is_own &&
            (next == SIZE_MAX || is_before(event, vsim.queue[next]))) {
            next = i;
        }
    }
    return next;
}

bool vsim_step_of(uint32_t node)
{
    size_t next = find_own(node, false);
    if (next == SIZE_MAX) {
        next = find_own(node, true);
    }
    if (next == SIZE_MAX) {
        return false;
    }
    happen(take(next));
    return true;
}
