#include "config.h"

#include "base/option.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_whole(const char *word, const char *name)
{
    const char *bare = word + strspn(word, "-");
    size_t size = strlen(name);
    return strncmp(bare, name, size) == 0 &&
           (bare[size] == '\0' || bare[size] == '=');
}

/* An option whose value is missing is refused before its place in the list is
 * told. */
static bool is_beginning(const char *word, const struct option *longs)
{
    bool is_known = strncmp(word, "--", 2) != 0; /* of one letter */
    for (size_t i = 0; !is_known && longs[i].name != NULL; i++) {
        is_known = strcmp(word + 2, longs[i].name) == 0;
    }
    return !is_known;
}

int option_next(int argc, char **argv, const char *shorts,
                const struct option *longs, int *index)
{
    int at = -1;
    int result = getopt_long(argc, argv, shorts, longs, &at);
    if (result == ':' && is_beginning(argv[optind - 1], longs)) {
        return '?';
    }
    if (at < 0 || result == '?' || result == ':') {
        return result;
    }
    /* Its value may be a word of its own, behind it. */
    int place = optarg == argv[optind - 1] ? optind - 2 : optind - 1;
    if (is_whole(argv[place], longs[at].name)) {
        if (index != NULL) {
            *index = at;
        }
        return result;
    }
    if (opterr != 0) {
        fprintf(stderr, "%s: unrecognized option '%s': did you mean --%s?\n",
                argv[0], argv[place], longs[at].name);
    }
    optind = place + 1;
    return '?';
}
