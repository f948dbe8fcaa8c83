#include "config.h"

#include "base/clock.h"

#include "base/check.h"

#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec t;
    int rc = clock_gettime(id, &t);
    POT_ASSERT(rc == 0);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

uint64_t clock_steady_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_steady_ms(void)
{
    return clock_steady_us() / 1000;
}
