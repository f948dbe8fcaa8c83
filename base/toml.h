/* toml: a TOML file as a flat list of keys with their places, by toml++. */
#ifndef POT_BASE_TOML_H
#define POT_BASE_TOML_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum toml_type {
    TOML_TEXT,
    TOML_INTEGER,
    TOML_NUMBER, /* a float */
    TOML_BOOL,
    TOML_ARRAY, /* of the above, without nesting */
    TOML_OTHER, /* dates and nested arrays: no file of ours has them */
};

struct toml_value {
    char *key; /* "section.key"; NULL for an array's element */
    unsigned line;
    enum toml_type type;
    char *text;               /* TOML_TEXT */
    int64_t integer;          /* TOML_INTEGER; TOML_BOOL: 0 or 1 */
    double number;            /* TOML_NUMBER, and TOML_INTEGER too */
    struct toml_value *items; /* TOML_ARRAY */
    size_t item_count;
};

struct toml_file {
    struct toml_value *values; /* in the order of the file */
    size_t count;
};

/* toml_parse: text as if read from a file.  On POT_EFORMAT, message tells what
 * is wrong, in one line, and *line where.  toml_free releases the result. */
POT_MUST_USE enum pot_err toml_parse(struct toml_file *out, const char *text,
                                     unsigned *line, char *message,
                                     size_t message_size);

void toml_free(struct toml_file *file);

/* toml_find: the value under "section.key", or NULL. */
const struct toml_value *toml_find(const struct toml_file *file,
                                   const char *key);

#ifdef __cplusplus
}
#endif

#endif
