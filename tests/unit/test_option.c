/* Options by their whole names. */
#include "config.h"

#include "base/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct option longs[] = {
    {"node", required_argument, NULL, 'n'},
    {"json", no_argument, NULL, 'j'},
    {"key", required_argument, NULL, 'k'},
    {"key-file", required_argument, NULL, 'f'},
    {NULL, 0, NULL, 0},
};

/* The words behind the program, and what they come to: each option's letter,
 * up to the one that is refused. */
static void expect(const char *said, char **words, int count)
{
    char *argv[8] = {(char[]){"program"}};
    char got[8] = "";
    size_t used = 0;
    int c = 0;
    assert_true(count < 8);
    for (int i = 0; i < count; i++) {
        argv[1 + i] = words[i];
    }
    opterr = 0;
    optind = 0;
    while (used < 7 &&
           (c = option_next(1 + count, argv, ":n:", longs, NULL)) != -1) {
        got[used++] = (char)c;
        if (c == '?') {
            assert_memory_equal(argv[optind - 1], "--", 2);
            break;
        }
    }
    assert_string_equal(got, said);
}

#define EXPECT(said, ...)                                                      \
    expect(said, (char *[]){__VA_ARGS__},                                      \
           (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)))
#define W(text)                                                                \
    (char[])                                                                   \
    {                                                                          \
        text                                                                   \
    }

static void whole_names_are_taken(void **state)
{
    (void)state;
    EXPECT("njk", W("--node"), W("a"), W("--json"), W("--key=b"));
    EXPECT("nj", W("word"), W("-n"), W("a"), W("--json"));
    EXPECT("f", W("--key-file=x=y"));
    EXPECT("n", W("--node"), W("--node"));
}

static void beginnings_of_names_are_refused(void **state)
{
    (void)state;
    EXPECT("?", W("--nod"), W("a"));
    EXPECT("?", W("--nod=a"));
    EXPECT("j?", W("word"), W("--json"), W("--js"));
    EXPECT("k?", W("--key"), W("a"), W("--key-"), W("a"));
    EXPECT("?", W("--nodes=a"));
    EXPECT(":", W("--node"));
    EXPECT("?", W("--nod"));
    EXPECT("j?", W("--json"), W("word"), W("--key-"));
    EXPECT(":", W("word"), W("-n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_names_are_taken),
        cmocka_unit_test(beginnings_of_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
