#include "config.h"

#include "base/log.h"

#include "base/file.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *log_and_read(enum log_format format)
{
    char *folder = scratch_folder();
    char *path = file_join(folder, "log");
    char *text = NULL;
    size_t size;
    assert_int_equal(log_open(LOG_INFO, format, path), POT_OK);
    LOG(LOG_DEBUG, "p2p", "hidden", log_u64("n", 1));
    LOG(LOG_INFO, "p2p", "peer up", log_text("name", "a \"b\"\n\x01\xff"),
        log_u64("n", 18446744073709551615u), log_i64("d", -5),
        log_text("plain", "x.y"));
    assert_int_equal(log_open(LOG_INFO, format, NULL), POT_OK);
    assert_int_equal(file_read(&text, &size, path, 4096), POT_OK);
    scratch_remove(folder);
    free(path);
    return text;
}

static void a_text_line_escapes_what_peers_sent(void **state)
{
    (void)state;
    char *text = log_and_read(LOG_FORMAT_TEXT);
    assert_string_equal(text + 24, " INFO  p2p peer up "
                                   "name=\"a \\\"b\\\"\\u000a\\u0001\\u00ff\" "
                                   "n=18446744073709551615 d=-5 plain=x.y\n");
    assert_int_equal(text[23], 'Z');
    free(text);
}

static void a_json_line_is_one_object(void **state)
{
    (void)state;
    char *text = log_and_read(LOG_FORMAT_JSON);
    const char *from = strstr(text, "\"level\"");
    assert_non_null(from);
    assert_string_equal(from, "\"level\":\"info\",\"folder\":\"p2p\","
                              "\"event\":\"peer up\","
                              "\"name\":\"a \\\"b\\\"\\u000a\\u0001\\u00ff\","
                              "\"n\":18446744073709551615,\"d\":-5,"
                              "\"plain\":\"x.y\"}\n");
    free(text);
}

static void a_file_that_cannot_be_opened_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(log_open(LOG_INFO, LOG_FORMAT_TEXT, "/nowhere/x.log"),
                     POT_ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_escapes_what_peers_sent),
        cmocka_unit_test(a_json_line_is_one_object),
        cmocka_unit_test(a_file_that_cannot_be_opened_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
