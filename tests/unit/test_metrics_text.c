#include "config.h"

#include "node/api/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

#define OUT_MAX 65536

static const struct metrics_label none = {NULL, NULL};

static void one_number_has_its_help_and_type(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, OUT_MAX);
    metrics_one(&out, "pot_height", "gauge", "Height of the tip.", 12345678901);
    assert_string_equal(buf_text(&out), "# HELP pot_height Height of the tip.\n"
                                        "# TYPE pot_height gauge\n"
                                        "pot_height 12345678901\n");
    buf_fini(&out);
}

static void fields_are_read_by_their_size(void **state)
{
    struct some_stats {
        uint64_t wide;
        uint32_t narrow;
        bool is_up;
    };
    static const struct metrics_field fields[] = {
        METRICS_RATIO("w", METRICS_COUNTER, some_stats, wide, 1000, "W."),
        METRICS_FIELD("n", METRICS_GAUGE, some_stats, narrow, "N."),
        METRICS_FIELD("u", METRICS_GAUGE, some_stats, is_up, "U."),
    };
    const struct some_stats stats = {UINT64_C(1) << 40, UINT32_MAX, true};
    struct buf out;
    (void)state;
    buf_init(&out, OUT_MAX);
    metrics_table(&out, fields, &stats);
    assert_string_equal(buf_text(&out),
                        "# HELP w W.\n# TYPE w counter\nw 1099511627.776\n"
                        "# HELP n N.\n# TYPE n gauge\nn 4294967295\n"
                        "# HELP u U.\n# TYPE u gauge\nu 1\n");
    buf_fini(&out);
}

static void labels_are_escaped(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, OUT_MAX);
    metrics_sample(&out, "a", (struct metrics_label){"x", "q\"b\\s\nn"},
                   (struct metrics_label){"y", ""}, 0.25);
    metrics_sample(&out, "a", none, none, -3);
    assert_string_equal(buf_text(&out),
                        "a{x=\"q\\\"b\\\\s\\nn\",y=\"\"} 0.25\na -3\n");
    buf_fini(&out);
}

static void a_time_keeps_its_milliseconds(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, OUT_MAX);
    metrics_sample(&out, "t", none, none, 1795223863.125);
    assert_string_equal(buf_text(&out), "t 1795223863.125\n");
    buf_fini(&out);
}

static void a_histogram_is_cumulative(void **state)
{
    static const double bounds[] = {0.1, 1};
    struct metrics_histogram h = {.bounds = bounds, .bound_count = 2};
    struct buf out;
    (void)state;
    buf_init(&out, OUT_MAX);
    metrics_observe(&h, 0.1);
    metrics_observe(&h, 0.5);
    metrics_observe(&h, 0.5);
    metrics_observe(&h, 7);
    metrics_histogram_write(&out, "d", "Delay.", &h);
    assert_string_equal(buf_text(&out), "# HELP d Delay.\n"
                                        "# TYPE d histogram\n"
                                        "d_bucket{le=\"0.1\"} 1\n"
                                        "d_bucket{le=\"1\"} 3\n"
                                        "d_bucket{le=\"+Inf\"} 4\n"
                                        "d_sum 8.1\n"
                                        "d_count 4\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_number_has_its_help_and_type),
        cmocka_unit_test(fields_are_read_by_their_size),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(a_time_keeps_its_milliseconds),
        cmocka_unit_test(a_histogram_is_cumulative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
