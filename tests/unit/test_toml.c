#include "config.h"

#include "base/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
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

static void a_fault_is_told_in_one_line(void **state)
{
    (void)state;
    struct toml_file file;
    unsigned line;
    char message[128] = "";
    assert_int_equal(
        toml_parse(&file, "a = tru\n", &line, message, sizeof(message)),
        POT_EFORMAT);
    assert_null(strchr(message, '\n'));
    assert_non_null(strstr(message, "tru\\n"));
}

/* U+0080 to U+FFFF, in UTF-8. */
static void encode(char out[static 4], unsigned c)
{
    size_t used = 0;
    if (c >= 0x800) {
        out[used++] = (char)(0xe0 | (c >> 12));
        out[used++] = (char)(0x80 | ((c >> 6) & 0x3f));
    } else {
        out[used++] = (char)(0xc0 | (c >> 6));
    }
    out[used++] = (char)(0x80 | (c & 0x3f));
    out[used] = '\0';
}

static bool is_surrogate(unsigned c)
{
    return c >= 0xd800 && c < 0xe000;
}

/* Built with sanitizers, this ended in toml++'s "unreachable". */
static void characters_outside_strings_are_refused_with_their_line(void **state)
{
    (void)state;
    struct toml_file file;
    unsigned line;
    char message[128];
    for (unsigned c = 0xa1; c < 0xfeff; c++) {
        char character[4];
        char text[32];
        encode(character, c);
        (void)snprintf(text, sizeof(text), "[a]\nb = [1, 2.5%s[", character);
        if (!is_surrogate(c)) {
            assert_int_equal(
                toml_parse(&file, text, &line, message, sizeof(message)),
                POT_EFORMAT);
            assert_in_range(line, 2, 3); /* some of them end a line */
        }
    }
}

/* White space is looked for behind a line's last backslash, too. */
static void characters_in_strings_and_comments_are_kept(void **state)
{
    (void)state;
    struct toml_file file;
    unsigned line;
    char message[128];
    assert_int_equal(toml_parse(&file,
                                "# \u00e9\n"
                                "a = \"\u00e9 \ufefe\"\n"
                                "b = \"\"\"\\\n  \u00e9\"\"\"\n",
                                &line, message, sizeof(message)),
                     POT_OK);
    assert_string_equal(toml_find(&file, "a")->text, "\u00e9 \ufefe");
    assert_string_equal(toml_find(&file, "b")->text, "\u00e9");
    toml_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_with_their_keys_types_and_lines),
        cmocka_unit_test(a_fault_is_told_with_its_line),
        cmocka_unit_test(a_fault_is_told_in_one_line),
        cmocka_unit_test(
            characters_outside_strings_are_refused_with_their_line),
        cmocka_unit_test(characters_in_strings_and_comments_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
