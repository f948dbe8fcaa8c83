#include "config.h"

#include "base/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void values_come_with_their_keys_types_and_lines(void **state)
{
    (void)state;
    struct toml_file file;
    unsigned line;
    char message[128];
    assert_int_equal(toml_parse(&file,
                                "a = 1\n[s]\nb = \"x\"\nc = 1.5\n"
                                "d = [1, 2]\ne = true\n[s.t]\nf = [[1]]\n",
                                &line, message, sizeof(message)),
                     POT_OK);
    assert_int_equal(file.count, 6);
    const struct toml_value *v = toml_find(&file, "a");
    assert_int_equal(v->type, TOML_INTEGER);
    assert_int_equal(v->integer, 1);
    assert_int_equal(v->line, 1);
    v = toml_find(&file, "s.b");
    assert_string_equal(v->text, "x");
    assert_int_equal(v->line, 3);
    assert_int_equal(toml_find(&file, "s.c")->type, TOML_NUMBER);
    v = toml_find(&file, "s.d");
    assert_int_equal(v->item_count, 2);
    assert_int_equal(v->items[1].integer, 2);
    assert_int_equal(toml_find(&file, "s.e")->integer, 1);
    assert_int_equal(toml_find(&file, "s.t.f")->type, TOML_OTHER);
    assert_null(toml_find(&file, "nothing"));
    toml_free(&file);
}

static void a_fault_is_told_with_its_line(void **state)
{
    (void)state;
    struct toml_file file;
    unsigned line;
    char message[128] = "";
    assert_int_equal(
        toml_parse(&file, "a = 1\nb = = 2\n", &line, message, sizeof(message)),
        POT_EFORMAT);
    assert_int_equal(line, 2);
    assert_true(strlen(message) > 0);
    assert_int_equal(
        toml_parse(&file, "a = 1\na = 2\n", &line, message, sizeof(message)),
        POT_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_with_their_keys_types_and_lines),
        cmocka_unit_test(a_fault_is_told_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
