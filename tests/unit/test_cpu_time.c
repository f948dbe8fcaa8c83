#include "config.h"

#include "base/cpu_time.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#define SPANS   4000
#define SPAN_US 20

static uint64_t thread_us(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Returns what it used, at least us. */
static uint64_t use(uint64_t us)
{
    uint64_t from_us = thread_us();
    uint64_t used_us = 0;
    while (used_us < us) {
        used_us = thread_us() - from_us;
    }
    return used_us;
}

static void what_a_thread_uses_is_its_parts(void **state)
{
    uint64_t ledger_us = cpu_time_us(CPU_LEDGER);
    uint64_t hashing_us = cpu_time_us(CPU_HASHING);
    (void)state;
    assert_int_equal(cpu_time_enter(CPU_LEDGER), CPU_OTHER);
    uint64_t used_us = use(2000);
    assert_int_equal(cpu_time_enter(CPU_HASHING), CPU_LEDGER);
    (void)use(1000);
    assert_int_equal(cpu_time_enter(CPU_LEDGER), CPU_HASHING);
    used_us += use(2000);
    assert_int_equal(cpu_time_enter(CPU_OTHER), CPU_LEDGER);
    (void)use(4000);
    assert_int_equal(cpu_time_enter(CPU_OTHER), CPU_OTHER);
    ledger_us = cpu_time_us(CPU_LEDGER) - ledger_us;
    hashing_us = cpu_time_us(CPU_HASHING) - hashing_us;
    assert_in_range(ledger_us, used_us - 10, used_us + 1000);
    assert_in_range(hashing_us, 990, 3000);
}

/* Between two spans as much again belongs to nobody, and a part within one is
 * measured or not as that is. */
static void *sampled(void *context)
{
    uint64_t *used_us = context;
    cpu_time_sample();
    for (size_t i = 0; i < SPANS; i++) {
        (void)cpu_time_enter(CPU_NETWORK);
        *used_us += use(SPAN_US);
        (void)cpu_time_enter(CPU_DECODING);
        *used_us += use(SPAN_US);
        (void)cpu_time_enter(CPU_OTHER);
        (void)use(SPAN_US);
    }
    return NULL;
}

static void of_a_sampled_thread_about_as_much_is_told(void **state)
{
    pthread_t thread;
    uint64_t used_us = 0;
    uint64_t told_us = cpu_time_us(CPU_NETWORK) + cpu_time_us(CPU_DECODING);
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, sampled, &used_us), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    told_us = cpu_time_us(CPU_NETWORK) + cpu_time_us(CPU_DECODING) - told_us;
    assert_in_range(told_us, used_us / 2, used_us * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_thread_uses_is_its_parts),
        cmocka_unit_test(of_a_sampled_thread_about_as_much_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
