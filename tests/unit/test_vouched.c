#include "config.h"

#include "consensus/vouched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint64_t values[] = {9, 4, 0, 7};

/* Of four, f + 1 = 2 others must have come as far. */
static void one_who_is_far_ahead_vouches_for_nothing(void **state)
{
    (void)state;
    assert_int_equal(vouched_value(values, 4, 2), 7);
}

static void a_replica_does_not_vouch_for_itself(void **state)
{
    (void)state;
    assert_int_equal(vouched_value(values, 4, 0), 4);
    assert_int_equal(vouched_value(values, 4, UINT32_MAX), 7);
}

static void without_faults_one_other_is_enough(void **state)
{
    (void)state;
    assert_int_equal(vouched_value(values, 2, 0), 4);
    assert_int_equal(vouched_value(values, 1, 0), 0); /* there is none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_who_is_far_ahead_vouches_for_nothing),
        cmocka_unit_test(a_replica_does_not_vouch_for_itself),
        cmocka_unit_test(without_faults_one_other_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
