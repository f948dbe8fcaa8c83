#include "config.h"

#include "proto/draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_link_proves_itself_by_any_earlier_one(void **state)
{
    (void)state;
    const struct hash secret = {{1}};
    const struct hash other = {{2}};
    struct hash earlier;
    struct hash later;
    for (uint32_t rounds = 1; rounds < DRAW_GAP_MAX; rounds += 51) {
        draw_walk(&earlier, &secret, 400);
        draw_walk(&later, &secret, 400 - rounds);
        assert_true(draw_follows(&later, &earlier, rounds));
        assert_false(draw_follows(&later, &earlier, rounds + 1));
        assert_false(draw_follows(&other, &earlier, rounds));
        assert_false(draw_follows(&earlier, &later, rounds));
        assert_false(draw_follows(&earlier, &earlier, rounds));
    }
}

static void after_a_long_silence_a_chain_may_begin_anew(void **state)
{
    (void)state;
    const struct hash earlier = {{1}};
    const struct hash later = {{2}};
    assert_false(draw_follows(&later, &earlier, DRAW_GAP_MAX));
    assert_true(draw_follows(&later, &earlier, DRAW_GAP_MAX + 1));
}

static void a_link_draws_at_its_rate_and_on_its_own(void **state)
{
    (void)state;
    const struct hash link = {{1}};
    const struct hash other = {{2}};
    const struct hash theta = {{3}};
    const struct hash next = {{4}};
    unsigned drawn = 0;
    unsigned by_both = 0;
    unsigned in_both = 0;
    for (unsigned i = 0; i < 10000; i++) {
        struct public_key miner = {{(uint8_t)i, (uint8_t)(i >> 8)}};
        bool is_drawn = draw_names(&link, &theta, &miner, 100000);
        drawn += is_drawn;
        by_both += is_drawn && draw_names(&other, &theta, &miner, 100000);
        in_both += is_drawn && draw_names(&link, &next, &miner, 100000);
        assert_false(draw_names(&link, &theta, &miner, 0));
        assert_true(draw_names(&link, &theta, &miner, 1000000));
    }
    assert_in_range(drawn, 880, 1120);
    assert_in_range(by_both, 50, 160);
    assert_in_range(in_both, 50, 160);
}

/* Against a sum of doubles: enough, and not a millionth more than that. */
static void validators_share_a_rate(void **state)
{
    (void)state;
    static const uint32_t rates[] = {0,      1,      2,      1000,   30000,
                                     100000, 250000, 500000, 999999, 1000000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        double wanted = 1 - rates[i] / 1e6;
        assert_int_equal(draw_rate_of_one(rates[i], 1), rates[i]);
        for (uint32_t n = 1; n <= 70; n++) {
            uint32_t own = draw_rate_of_one(rates[i], n);
            double missed = 1;
            double missed_below = 1;
            for (uint32_t k = 0; k < n; k++) {
                missed *= 1 - own / 1e6;
                missed_below *= 1 - (own - 1.0) / 1e6;
            }
            assert_true(missed <= wanted + 1e-12);
            assert_true(own == 0 || missed_below > wanted - 1e-12);
        }
    }
    assert_int_equal(draw_rate_of_one(1000000, 3), 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_proves_itself_by_any_earlier_one),
        cmocka_unit_test(after_a_long_silence_a_chain_may_begin_anew),
        cmocka_unit_test(a_link_draws_at_its_rate_and_on_its_own),
        cmocka_unit_test(validators_share_a_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
