/* What potctl makes of small texts: hints, times, bars, amounts, names. */
#include "config.h"

#include "base/suggest.h"
#include "ctl/ctl.h"
#include "ctl/follow.h"
#include "ctl/json_text.h"
#include "ctl/publish.h"
#include "ctl/show.h"
#include "ctl/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const words[] = {"status",      "stake", "unstake",
                                    "submit-task", "tasks", "key"};

static const char *nearest(const char *text)
{
    return suggest_nearest(text, words, sizeof(words) / sizeof(*words));
}

static void the_nearest_word_is_suggested(void **state)
{
    (void)state;
    assert_string_equal(nearest("stauts"), "status");
    assert_string_equal(nearest("sumbit-task"), "submit-task");
    assert_string_equal(nearest("unsteak"), "unstake");
    assert_string_equal(nearest("kye"), "key");
    assert_null(nearest("banana"));
    assert_null(nearest("xy"));
    char text[SUGGEST_TEXT_SIZE];
    assert_string_equal(suggest_text(text, "--", "taks", words, 6),
                        "; did you mean \"--tasks\"?");
    assert_string_equal(suggest_text(text, "--", "banana", words, 6), "");
    char long_word[300];
    memset(long_word, 'a', sizeof(long_word));
    long_word[sizeof(long_word) - 1] = '\0';
    assert_null(nearest(long_word));
}

static void times_are_read_with_their_units(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "s",    "0",   "-1",
                                      "1h", "1.5s", "1 s", "99999999"};
    uint64_t ms = 0;
    assert_true(ctl_parse_timeout(&ms, "10"));
    assert_int_equal(ms, 10000);
    assert_true(ctl_parse_timeout(&ms, "10s"));
    assert_int_equal(ms, 10000);
    assert_true(ctl_parse_timeout(&ms, "500ms"));
    assert_int_equal(ms, 500);
    assert_true(ctl_parse_timeout(&ms, "2m"));
    assert_int_equal(ms, 120000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(ctl_parse_timeout(&ms, bad[i]));
    }
}

static void counts_are_decimal_and_bounded(void **state)
{
    (void)state;
    uint64_t n = 7;
    assert_true(ctl_parse_count(&n, "18446744073709551615", UINT64_MAX));
    assert_true(n == UINT64_MAX);
    assert_false(ctl_parse_count(&n, "18446744073709551616", UINT64_MAX));
    assert_false(ctl_parse_count(&n, "5", 4));
    assert_false(ctl_parse_count(&n, "0x5", 40));
    assert_false(ctl_parse_count(&n, "", 40));
    assert_false(ctl_parse_count(&n, " 5", 40));
}

static void bars_and_remaining_times_read_well(void **state)
{
    (void)state;
    char bar[FOLLOW_BAR_WIDTH + 3];
    char eta[FOLLOW_ETA_SIZE];
    follow_bar(bar, 0, 10);
    assert_string_equal(bar, "[....................]");
    follow_bar(bar, 5, 10);
    assert_string_equal(bar, "[##########..........]");
    follow_bar(bar, 11, 10);
    assert_string_equal(bar, "[####################]");
    follow_bar(bar, 0, 0);
    assert_int_equal(strlen(bar), FOLLOW_BAR_WIDTH + 2);
    follow_eta(eta, 11500);
    assert_string_equal(eta, "12 s");
    follow_eta(eta, 200000);
    assert_string_equal(eta, "3 min 20 s");
    follow_eta(eta, 3720000);
    assert_string_equal(eta, "1 h 02 min");
}

static void a_round_without_submissions_has_no_loss(void **state)
{
    (void)state;
    char text[FOLLOW_ROUND_SIZE];
    json_t *round = json_pack("{sI so}", "submissions", (json_int_t)0,
                              "train_loss", json_null());
    follow_round(text, round, -1, -1);
    assert_string_equal(text, "0 submissions  loss -");
    (void)json_object_set_new(round, "submissions", json_pack("[i]", 1));
    (void)json_object_set_new(round, "train_loss", json_real(0.25));
    follow_round(text, round, 0.5, 3);
    assert_string_equal(text, "1 submission  loss 0.25  accuracy 0.5000");
    follow_round(text, round, -1, 3);
    assert_string_equal(text, "1 submission  loss 0.25  test loss 3");
    json_decref(round);
}

static void times_are_rfc_3339(void **state)
{
    (void)state;
    char text[SHOW_TIME_SIZE];
    assert_string_equal(show_time(text, 0), "1970-01-01T00:00:00.000Z");
    assert_string_equal(show_time(text, 1700000000123),
                        "2023-11-14T22:13:20.123Z");
    (void)show_time(text, UINT64_MAX);
}

static void an_error_is_one_line(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    assert_int_equal(
        ctl_fail(&ctl, EXIT_CODE_REJECTED, "a\nb\t%s", "c\033[31m"),
        EXIT_CODE_REJECTED);
    assert_string_equal(ctl.error, "a b c [31m");
    char text[] = "a\x1b[31mb\n";
    table_hide_controls(text);
    assert_string_equal(text, "a?[31mb?");
}

static void data_sets_are_named_by_their_files(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *name;
    } cases[] = {
        {"train.csv", "train"},
        {"/data/digits-train.csv.gz", "digits-train"},
        {"x/images-ubyte.gz", "images-ubyte"},
        {".pds", ".pds"},
        {"plain", "plain"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char name[TX_TEXT_MAX + 1];
        publish_name(name, cases[i].path, "");
        assert_string_equal(name, cases[i].name);
    }
}

static void any_text_becomes_a_json_string(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"/tmp/caf\xc3\xa9.key", "/tmp/caf\xc3\xa9.key"},
        {"caf\xe9.key", "caf\\xe9.key"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
        {"overlong \xc0\xaf", "overlong \\xc0\\xaf"},
        {"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
        {"beyond \xf4\x90\x80\x80", "beyond \\xf4\\x90\\x80\\x80"},
        {"last \xf4\x8f\xbf\xbf", "last \xf4\x8f\xbf\xbf"},
        {"a line\n", "a line\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *json = json_text(cases[i][0]);
        assert_string_equal(json_string_value(json), cases[i][1]);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_word_is_suggested),
        cmocka_unit_test(times_are_read_with_their_units),
        cmocka_unit_test(counts_are_decimal_and_bounded),
        cmocka_unit_test(bars_and_remaining_times_read_well),
        cmocka_unit_test(a_round_without_submissions_has_no_loss),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(any_text_becomes_a_json_string),
        cmocka_unit_test(an_error_is_one_line),
        cmocka_unit_test(data_sets_are_named_by_their_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
