#include "config.h"

#include "base/amount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void sums_and_products_never_wrap(void **state)
{
    (void)state;
    struct amount out = {7};
    assert_false(
        amount_add(&out, (struct amount){UINT64_MAX}, (struct amount){1}));
    assert_false(amount_mul(&out, (struct amount){UINT64_MAX / 2}, 3));
    assert_true(out.units == 7);
    assert_true(
        amount_add(&out, (struct amount){UINT64_MAX - 1}, (struct amount){1}));
    assert_true(out.units == UINT64_MAX);
    assert_true(amount_mul(&out, (struct amount){UINT64_MAX}, 1));
    assert_true(out.units == UINT64_MAX);
}

static void a_part_is_exact_beyond_64_bits(void **state)
{
    (void)state;
    struct amount all = {UINT64_MAX};
    assert_true(amount_part(all, 1, 1).units == UINT64_MAX);
    assert_true(amount_part(all, UINT64_MAX - 1, UINT64_MAX).units ==
                UINT64_MAX - 1);
    assert_true(amount_part((struct amount){10}, 1, 3).units == 3);
    assert_true(amount_part((struct amount){10}, 0, 3).units == 0);
}

static void texts_are_read_as_they_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t units;
        const char *again;
    } good[] = {
        {"0", 0, "0"},
        {"1", 1000000000, "1"},
        {"12.5", 12500000000, "12.5"},
        {"0.000000001", 1, "0.000000001"},
        {"007.10", 7100000000, "7.1"},
        {"18446744073.709551615", UINT64_MAX, "18446744073.709551615"},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        char text[AMOUNT_TEXT_SIZE];
        struct amount a;
        assert_int_equal(amount_parse(&a, good[i].text), POT_OK);
        assert_true(a.units == good[i].units);
        assert_string_equal(amount_format(a, text), good[i].again);
    }
}

static void wrong_texts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum pot_err err;
    } bad[] = {
        {"", POT_EFORMAT},
        {"-1", POT_EFORMAT},
        {"1.", POT_EFORMAT},
        {".5", POT_EFORMAT},
        {"1e3", POT_EFORMAT},
        {" 1", POT_EFORMAT},
        {"1 ", POT_EFORMAT},
        {"1.2.3", POT_EFORMAT},
        {"0.0000000001", POT_EFORMAT},
        {"18446744073.709551616", POT_ERANGE},
        {"99999999999999999999", POT_ERANGE},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct amount a = {42};
        assert_int_equal(amount_parse(&a, bad[i].text), bad[i].err);
        assert_true(a.units == 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products_never_wrap),
        cmocka_unit_test(a_part_is_exact_beyond_64_bits),
        cmocka_unit_test(texts_are_read_as_they_are_written),
        cmocka_unit_test(wrong_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
