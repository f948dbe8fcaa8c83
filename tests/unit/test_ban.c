/* Who is refused for a while, and how fast a peer may be read. */
#include "config.h"

#include "p2p/ban.h"

#include "p2p/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define IP      "192.0.2.7"
#define BAN_MS  1000
#define HOUR_MS 3600000

static struct ban_list list;

static void begin(void)
{
    memset(&list, 0, sizeof(list));
}

static struct public_key key_of(unsigned number)
{
    struct public_key key = {{0}};
    memcpy(key.b, &number, sizeof(number));
    return key;
}

static bool fault(const char *ip, uint64_t now_ms)
{
    return ban_fault(&list, ip, "was rude", now_ms, now_ms + BAN_MS);
}

static void a_key_is_banned_for_its_time(void **state)
{
    const struct public_key key = key_of(1);
    const struct public_key other = key_of(2);
    (void)state;
    begin();
    ban_add(&list, &key, "was rude", 100);
    assert_true(ban_holds(&list, &key, 99));
    assert_false(ban_holds(&list, &key, 100));
    assert_false(ban_holds(&list, &other, 99));
    assert_false(ban_holds_ip(&list, "", 99));
}

static void an_address_is_banned_by_many_faults_within_a_minute(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 1; i < STRANGER_FAULTS_MAX; i++) {
        assert_false(fault(IP, 5 + i));
    }
    assert_false(ban_holds_ip(&list, IP, 40));
    assert_true(fault(IP, 40));
    assert_true(ban_holds_ip(&list, IP, 41));
    assert_false(ban_holds_ip(&list, "192.0.2.70", 41));
    assert_false(ban_holds_ip(&list, IP, 40 + BAN_MS));
}

static void faults_now_and_then_ban_nobody(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 10 * STRANGER_FAULTS_MAX; i++) {
        assert_false(fault(IP, 1 + 10000 * (uint64_t)i));
    }
}

/* A key of zeroes is no ban of an address, and an address none of a key. */
static void a_banned_address_is_no_banned_key(void **state)
{
    const struct public_key zero = {{0}};
    (void)state;
    begin();
    for (unsigned i = 0; i < STRANGER_FAULTS_MAX; i++) {
        (void)fault(IP, 5);
    }
    assert_false(ban_holds(&list, &zero, 6));
}

static void many_addresses_take_no_more_room(void **state)
{
    char ip[NET_IP_SIZE];
    (void)state;
    begin();
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(ip, sizeof(ip), "10.%u.%u.%u", i >> 16, i >> 8 & 255,
                       i & 255);
        assert_false(fault(ip, 5));
    }
    for (unsigned i = 0; i < 2 * BANS_MAX; i++) {
        const struct public_key key = key_of(i);
        ban_add(&list, &key, "was rude", 100);
    }
    const struct public_key first = key_of(0);
    const struct public_key last = key_of(2 * BANS_MAX - 1);
    assert_false(ban_holds(&list, &first, 5));
    assert_true(ban_holds(&list, &last, 5));
}

static void a_budget_is_paid_off_by_time(void **state)
{
    struct budget budget;
    (void)state;
    budget_init(&budget, 100, 1000);
    assert_false(budget_is_spent(&budget));
    budget_use(&budget, 100);
    assert_true(budget_is_spent(&budget));
    budget_refill(&budget, 1010);
    assert_false(budget_is_spent(&budget));
    budget_use(&budget, 1001); /* owes ten seconds */
    budget_refill(&budget, 11000);
    assert_true(budget_is_spent(&budget));
    budget_refill(&budget, 11020);
    assert_false(budget_is_spent(&budget));
}

static void a_budget_saves_up_one_second_only(void **state)
{
    struct budget budget;
    (void)state;
    budget_init(&budget, 100, 0);
    budget_refill(&budget, HOUR_MS);
    budget_refill(&budget, UINT64_MAX);
    budget_use(&budget, 100);
    assert_true(budget_is_spent(&budget));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_banned_for_its_time),
        cmocka_unit_test(an_address_is_banned_by_many_faults_within_a_minute),
        cmocka_unit_test(faults_now_and_then_ban_nobody),
        cmocka_unit_test(a_banned_address_is_no_banned_key),
        cmocka_unit_test(many_addresses_take_no_more_room),
        cmocka_unit_test(a_budget_is_paid_off_by_time),
        cmocka_unit_test(a_budget_saves_up_one_second_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
