#include "config.h"

#include "base/cpu_time.h"

#include "base/check.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic uint64_t spent_ns[CPU_PARTS];
static _Thread_local enum cpu_part current;
static _Thread_local uint64_t
    since_ns; /* current >= 1: on the thread's clock */

static uint64_t thread_ns(void)
{
    struct timespec t;
    int rc = clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    POT_ASSERT(rc == 0);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

enum cpu_part cpu_time_enter(enum cpu_part part)
{
    enum cpu_part before = current;
    if (part == before) {
        return before;
    }
    uint64_t now_ns = thread_ns();
    if (before != CPU_OTHER) {
        (void)atomic_fetch_add_explicit(&spent_ns[before], now_ns - since_ns,
                                        memory_order_relaxed);
    }
    current = part;
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
