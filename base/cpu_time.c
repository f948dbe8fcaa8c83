#include "config.h"

#include "base/cpu_time.h"

#include "base/check.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic uint64_t spent_ns[CPU_PARTS];
static _Thread_local enum cpu_part current;
static _Thread_local uint64_t since_ns; /* current, on the thread's clock */
static _Thread_local uint64_t draws;    /* the generator's state; 0: none */
static _Thread_local unsigned weight;   /* of this span; 0: not measured */

static uint64_t thread_ns(void)
{
    struct timespec t;
    int rc = clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    POT_ASSERT(rc == 0);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* xorshift64: that what comes every so many times is not always met, or never,
 * is all that is asked of it. */
static uint64_t draw(void)
{
    draws ^= draws << 13;
    draws ^= draws >> 7;
    draws ^= draws << 17;
    return draws;
}

static unsigned draw_weight(void)
{
    return draws == 0 ? 1 : draw() % CPU_SAMPLE == 0 ? CPU_SAMPLE : 0;
}

void cpu_time_sample(void)
{
    POT_ASSERT(current == CPU_OTHER);
    draws = 0x9e3779b97f4a7c15;
}

enum cpu_part cpu_time_enter(enum cpu_part part)
{
    enum cpu_part before = current;
    if (part == before) {
        return before;
    }
    current = part;
    if (before == CPU_OTHER) {
        weight = draw_weight();
    }
    if (weight == 0) {
        return before;
    }
    uint64_t now_ns = thread_ns();
    if (before != CPU_OTHER) {
        (void)atomic_fetch_add_explicit(&spent_ns[before],
                                        weight * (now_ns - since_ns),
                                        memory_order_relaxed);
    }
    since_ns = now_ns;
    return before;
}

uint64_t cpu_time_us(enum cpu_part part)
{
    POT_ASSERT(part > CPU_OTHER && part < CPU_PARTS);
    return atomic_load_explicit(&spent_ns[part], memory_order_relaxed) / 1000;
}

const char *cpu_time_name(enum cpu_part part)
{
    static const char *const names[] = {
#define X(part, name) name,
        CPU_PART_MAP(X)
#undef X
    };
    POT_ASSERT(part < CPU_PARTS);
    return names[part];
}
