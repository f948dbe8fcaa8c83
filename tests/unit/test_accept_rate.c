/* How often one address may connect. */
#include "config.h"

#include "p2p/accept_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PER_SECOND 10

static struct accept_rate rate;

static int forget(void **state)
{
    (void)state;
    memset(&rate, 0, sizeof(rate));
    return 0;
}

/* Of so many attempts at once. */
static unsigned admitted(const char *ip, unsigned attempts, uint64_t now_ms)
{
    unsigned count = 0;
    for (unsigned i = 0; i < attempts; i++) {
        count += accept_rate_admit(&rate, ip, PER_SECOND, now_ms);
    }
    return count;
}

static void a_burst_is_a_seconds_worth(void **state)
{
    (void)state;
    assert_int_equal(admitted("10.0.0.1", 1000, 5000), PER_SECOND);
    assert_int_equal(admitted("10.0.0.1", 1000, 5000), 0);
    /* One beforehand, which is owed. */
    assert_int_equal(admitted("10.0.0.1", 1000, 5001), 1);
    assert_int_equal(admitted("10.0.0.1", 1000, 5100), 0);
    assert_int_equal(admitted("10.0.0.1", 1000, 5101), 1);
    assert_int_equal(admitted("10.0.0.1", 1000, 60000), PER_SECOND);
}

/* Whoever keeps knocking is let in at the rate, and no more. */
static void a_flood_gets_the_rate(void **state)
{
    unsigned count = 0;
    (void)state;
    for (uint64_t ms = 0; ms < 100000; ms++) {
        count += admitted("10.0.0.1", 1, 5000 + ms);
    }
    assert_in_range(count, 100 * PER_SECOND, 101 * PER_SECOND);
}

static void one_address_is_not_held_against_another(void **state)
{
    (void)state;
    assert_int_equal(admitted("10.0.0.1", 1000, 5000), PER_SECOND);
    assert_int_equal(admitted("10.0.0.2", 1000, 5000), PER_SECOND);
    assert_int_equal(admitted("10.0.0.1", 1000, 5000), 0);
}

/* The one that floods is never the longest silent. */
static void many_others_do_not_make_it_forgotten(void **state)
{
    unsigned count = admitted("10.0.0.1", 1000, 5000);
    (void)state;
    for (unsigned i = 0; i < 4 * ACCEPT_RATE_ADDRESSES; i++) {
        char ip[NET_IP_SIZE];
        (void)snprintf(ip, sizeof(ip), "10.1.%u.%u", i / 256, i % 256);
        uint64_t now_ms = 5001 + i / 16;
        assert_int_equal(admitted(ip, 1, now_ms), 1);
        count += admitted("10.0.0.1", 1, now_ms);
    }
    assert_int_equal(count, PER_SECOND + 1);
}

#define CASE(t) cmocka_unit_test_setup(t, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_burst_is_a_seconds_worth),
        CASE(a_flood_gets_the_rate),
        CASE(one_address_is_not_held_against_another),
        CASE(many_others_do_not_make_it_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
