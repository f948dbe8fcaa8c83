/* Which kernel is taken, from figures; and that figures come. */
#include "config.h"

#include "training/worker_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_chosen(const char *name, const struct worker_core *own,
                          const struct worker_core *others, size_t count)
{
    assert_string_equal(worker_core_choose(own, others, count)->name, name);
}

static void half_as_fast_is_doubted(void **state)
{
    (void)state;
    const struct worker_core own = {"Haswell", 50.0};
    assert_true(worker_core_is_doubted(&own, 100.0));
    assert_true(worker_core_is_doubted(&own, 72.0));
    assert_false(worker_core_is_doubted(&own, 71.0));
    assert_false(worker_core_is_doubted(&own, 50.0));
    assert_false(worker_core_is_doubted(&own, 1.0));
}

static void the_fastest_is_taken(void **state)
{
    (void)state;
    const struct worker_core own = {"Prescott", 10.0};
    const struct worker_core others[] = {
        {"Haswell", 50.0}, {"Cooperlake", 101.0}, {"SkylakeX", 100.0}};
    assert_chosen("Cooperlake", &own, others, 3);
    assert_chosen("Haswell", &own, others, 1);
}

static void its_own_choice_stays_unless_clearly_slower(void **state)
{
    (void)state;
    const struct worker_core own = {"Zen", 50.0};
    const struct worker_core others[] = {{"Haswell", 64.0}, {"SkylakeX", 66.0}};
    assert_chosen("Zen", &own, others, 1);
    assert_chosen("SkylakeX", &own, others, 2);
    assert_chosen("Zen", &own, NULL, 0);
}

/* One that did not come to its end has no rate, nor a name. */
static void what_failed_is_not_taken(void **state)
{
    (void)state;
    const struct worker_core own = {"Zen", 50.0};
    const struct worker_core others[] = {{"", 0.0}, {"SkylakeX", 0.0}};
    assert_chosen("Zen", &own, others, 2);
}

static void this_process_is_measured(void **state)
{
    (void)state;
    struct worker_core core = {.rate = 0.0};
    worker_core_measure(&core, &product_blas);
    assert_true(core.rate > 0.0);
    assert_true(strlen(core.name) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_as_fast_is_doubted),
        cmocka_unit_test(the_fastest_is_taken),
        cmocka_unit_test(its_own_choice_stays_unless_clearly_slower),
        cmocka_unit_test(what_failed_is_not_taken),
        cmocka_unit_test(this_process_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
