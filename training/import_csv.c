/* The text is cut in place: a row is a list of fields that point into it.
 * A quoted field loses its quotes and every second of "" within. */
#include "config.h"

#include "training/import_csv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "training/import_complain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX      ((size_t)DATASET_FEATURES_MAX + 1)
#define NUMBER_SIZE_MAX 64
#define SHOWN_MAX       40
#define PLACE_SIZE      400

struct field {
    char *text;
    size_t size;
};

struct row {
    struct field *fields;
    size_t count;
    size_t capacity;
    size_t line; /* it begins on, from 1 */
};

struct csv {
    const char *file;
    char *at; /* at <= end; *end is NUL */
    char *end;
    size_t line; /* of at */
    char delimiter;
    struct row row;   /* the last one read */
    struct row first; /* the file's first one, until the second is read */
    size_t label;     /* column */
};

enum row_state {
    ROW_READ,
    ROW_END,    /* no more of them */
    ROW_BROKEN, /* a quote is not closed, or text follows it */
    ROW_LONG,   /* more than FIELDS_MAX fields */
};

static bool add_field(struct csv *c, char *text, size_t size)
{
    if (c->row.count == FIELDS_MAX) {
        return false;
    }
    if (c->row.count == c->row.capacity) {
        c->row.capacity = 2 * c->row.capacity + 16;
        c->row.fields =
            pot_realloc(c->row.fields, c->row.capacity, sizeof(*c->row.fields));
    }
    c->row.fields[c->row.count++] = (struct field){text, size};
    return true;
}

static bool is_field_end(const struct csv *c)
{
    return c->at == c->end || *c->at == c->delimiter || *c->at == '\n' ||
           *c->at == '\r';
}

static bool take_quoted(struct csv *c, struct field *field)
{
    char *to = ++c->at;
    field->text = to;
    while (c->at < c->end) {
        if (*c->at == '"') {
            if (c->at[1] != '"') {
                field->size = (size_t)(to - field->text);
                c->at++;
                return is_field_end(c);
            }
            c->at++;
        }
        c->line += *c->at == '\n';
        *to++ = *c->at++;
    }
    return false;
}

static void take_plain(struct csv *c, struct field *field)
{
    char *start = c->at;
    while (!is_field_end(c)) {
        c->at++;
    }
    char *end = c->at;
    while (start < end && (*start == ' ' || *start == '\t')) {
        start++;
    }
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    *field = (struct field){start, (size_t)(end - start)};
}

static void skip_line_end(struct csv *c)
{
    if (c->at < c->end && *c->at == '\r') {
        c->at++;
    }
    if (c->at < c->end && *c->at == '\n') {
        c->at++;
    }
    c->line++;
}

static enum row_state next_row(struct csv *c)
{
    while (c->at < c->end && (*c->at == '\n' || *c->at == '\r')) {
        skip_line_end(c);
    }
    c->row.count = 0;
    c->row.line = c->line;
    if (c->at == c->end) {
        return ROW_END;
    }
    for (;;) {
        struct field field = {0};
        if (*c->at != '"') {
            take_plain(c, &field);
        } else if (!take_quoted(c, &field)) {
            return ROW_BROKEN;
        }
        if (!add_field(c, field.text, field.size)) {
            return ROW_LONG;
        }
        if (c->at == c->end || *c->at != c->delimiter) {
            skip_line_end(c);
            return ROW_READ;
        }
        c->at++;
    }
}

static enum pot_err row_error(const struct csv *c, enum row_state state,
                              char *why)
{
    if (state == ROW_LONG) {
        return import_complain(why, POT_ELIMIT, "%s:%zu: more than %zu columns",
                               c->file, c->row.line, FIELDS_MAX);
    }
    return import_complain(why, POT_EFORMAT,
                           "%s:%zu: a quoted field is not closed, or text "
                           "follows its closing quote",
                           c->file, c->row.line);
}

/* Up to nine digits, which is nearly all that data sets have. */
static bool parse_short(double *out, struct field field)
{
    bool is_negative = field.size > 0 && field.text[0] == '-';
    size_t at = is_negative ? 1 : 0;
    int32_t value = 0;
    if (field.size == at || field.size - at > 9) {
        return false;
    }
    for (; at < field.size; at++) {
        unsigned digit = (unsigned)((unsigned char)field.text[at] - '0');
        if (digit > 9) {
            return false;
        }
        value = value * 10 + (int32_t)digit;
    }
    *out = is_negative ? -value : value;
    return true;
}

/* Decimal numbers only: strtod would take hexadecimal ones and names. */
static bool parse_number(double *out, struct field field)
{
    char text[NUMBER_SIZE_MAX];
    char *end;
    if (parse_short(out, field)) {
        return true;
    }
    if (field.size == 0 || field.size >= sizeof(text)) {
        return false;
    }
    memcpy(text, field.text, field.size);
    text[field.size] = '\0';
    if (strspn(text, "+-.0123456789eE") != field.size) {
        return false;
    }
    *out = strtod(text, &end);
    return *end == '\0' && end > text && isfinite(*out);
}

static bool is_number(struct field field)
{
    double value;
    return parse_number(&value, field);
}

static enum pot_err number_error(const struct csv *c, size_t column, char *why)
{
    struct field field = c->row.fields[column];
    char shown[SHOWN_MAX + 1] = {0};
    size_t size = field.size < SHOWN_MAX ? field.size : SHOWN_MAX;
    memcpy(shown, field.text, size);
    if (field.size == 0) {
        return import_complain(why, POT_EFORMAT, "%s:%zu: column %zu is empty",
                               c->file, c->row.line, column + 1);
    }
    char other[64] = "";
    if (column != c->label) {
        (void)snprintf(other, sizeof(other),
                       "; the label is in column %zu, unless another is named",
                       c->label + 1);
    }
    return import_complain(
        why, POT_EFORMAT, "%s:%zu: column %zu: \"%s\" is not a finite number%s",
        c->file, c->row.line, column + 1, shown, other);
}

static bool find_name(size_t *column, const struct csv *c, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < c->row.count; i++) {
        if (c->row.fields[i].size == size &&
            memcmp(c->row.fields[i].text, name, size) == 0) {
            *column = i;
            return true;
        }
    }
    return false;
}

static bool parse_index(size_t *column, const struct csv *c, const char *text)
{
    char *end;
    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)) {
        return false;
    }
    unsigned long value = strtoul(text, &end, 10);
    *column = value;
    return value < c->row.count;
}

/* Which column holds the label; *is_named: a header said so. */
static enum pot_err choose_label(struct csv *c, bool *is_named,
                                 const char *label, char *why)
{
    const char *wanted = label != NULL ? label : "last";
    *is_named = false;
    if (c->row.count < 2) {
        return import_complain(why, POT_EFORMAT,
                               "%s:%zu: one column only; a row is features "
                               "and a label, with commas between",
                               c->file, c->row.line);
    }
    if (find_name(&c->label, c, wanted) &&
        !is_number(c->row.fields[c->label])) {
        *is_named = true;
        return POT_OK;
    }
    if (strcmp(wanted, "first") == 0 || strcmp(wanted, "last") == 0) {
        c->label = wanted[0] == 'f' ? 0 : c->row.count - 1;
        return POT_OK;
    }
    if (parse_index(&c->label, c, wanted)) {
        return POT_OK;
    }
    return import_complain(why, POT_EFORMAT,
                           "%s:%zu: no column \"%s\" for the label; there are "
                           "%zu columns, indexed from 0",
                           c->file, c->row.line, wanted, c->row.count);
}

static bool has_word_feature(const struct csv *c)
{
    for (size_t i = 0; i < c->row.count; i++) {
        if (i != c->label && c->row.fields[i].size > 0 &&
            !is_number(c->row.fields[i])) {
            return true;
        }
    }
    return false;
}

/* The first row was read into c->row.  Reads the second, to know whether the
 * first is a header; if it is data, it stands in c->first then. */
static enum row_state read_second(struct csv *c, bool is_named)
{
    bool is_header = is_named || has_word_feature(c);
    bool is_word = !is_number(c->row.fields[c->label]);
    c->first = c->row;
    c->row = (struct row){0};
    enum row_state state = next_row(c);
    if (!is_header && is_word && state == ROW_READ &&
        c->row.count == c->first.count) {
        is_header = is_number(c->row.fields[c->label]);
    }
    if (is_header) {
        free(c->first.fields);
        c->first = (struct row){0};
    }
    return state;
}

static enum pot_err add_label(struct import_table *t, const struct csv *c,
                              char *why)
{
    struct field field = c->row.fields[c->label];
    char place[PLACE_SIZE];
    char shown[SHOWN_MAX + 1] = {0};
    double value;
    if (t->is_regression) {
        if (!parse_number(&value, field)) {
            return number_error(c, c->label, why);
        }
        if (import_table_add_target(t, value) != POT_OK) {
            return import_complain(
                why, POT_ERANGE,
                "%s:%zu: column %zu: the target %g is not "
                "between -128 and 128; divide the targets by a number first",
                c->file, c->row.line, c->label + 1, value);
        }
        return POT_OK;
    }
    enum pot_err err = import_table_add_class(t, field.text, field.size);
    if (err == POT_OK) {
        return POT_OK;
    }
    (void)snprintf(place, sizeof(place), "%s:%zu: column %zu", c->file,
                   c->row.line, c->label + 1);
    memcpy(shown, field.text, field.size < SHOWN_MAX ? field.size : SHOWN_MAX);
    return import_complain_label(why, err, place, shown);
}

static enum pot_err add_row(struct import_table *t, const struct csv *c,
                            char *why)
{
    if (c->row.count != t->features + 1U) {
        return import_complain(why, POT_EFORMAT,
                               "%s:%zu: %zu columns, where the first row "
                               "has %zu",
                               c->file, c->row.line, c->row.count,
                               (size_t)t->features + 1);
    }
    for (size_t i = 0; i < c->row.count; i++) {
        double value;
        if (i == c->label) {
            continue;
        }
        if (!parse_number(&value, c->row.fields[i]) ||
            import_table_add_value(t, value) != POT_OK) {
            return number_error(c, i, why);
        }
    }
    return add_label(t, c, why);
}

/* A row takes a line, and a digit and a delimiter for each feature; two of
 * them were read before the rest of the lines is counted. */
static size_t rows_bound(const struct csv *c, size_t features, size_t size)
{
    size_t lines = 3;
    for (const char *at = c->at; at < c->end; at++) {
        lines += *at == '\n' || *at == '\r';
    }
    size_t rows = 1 + size / (2 * features);
    return lines < rows ? lines : rows;
}

static char guess_delimiter(const struct csv *c)
{
    static const char delimiters[] = ",;\t";
    size_t most = 0;
    char best = ',';
    for (const char *d = delimiters; *d != '\0'; d++) {
        size_t count = 0;
        for (const char *at = c->at; at < c->end && *at != '\n'; at++) {
            count += *at == *d;
        }
        if (count > most) {
            most = count;
            best = *d;
        }
    }
    return best;
}

static enum pot_err read_first(struct csv *c, bool *is_named, const char *label,
                               char *why)
{
    enum row_state state = next_row(c);
    if (state == ROW_END) {
        return import_complain(why, POT_EFORMAT, "%s: empty", c->file);
    }
    if (state != ROW_READ) {
        return row_error(c, state, why);
    }
    return choose_label(c, is_named, label, why);
}

static void swap_first(struct csv *c)
{
    struct row row = c->row;
    c->row = c->first;
    c->first = row;
}

static enum pot_err read_rows(struct import_table *t, struct csv *c,
                              enum row_state state, char *why)
{
    enum pot_err err = POT_OK;
    if (c->first.fields != NULL) {
        swap_first(c);
        err = add_row(t, c, why);
        swap_first(c);
    } else if (state == ROW_END) {
        return import_complain(why, POT_EFORMAT,
                               "%s: a header and no row of data", c->file);
    }
    while (err == POT_OK && state == ROW_READ) {
        err = add_row(t, c, why);
        state = err == POT_OK ? next_row(c) : state;
    }
    if (err != POT_OK || state == ROW_END) {
        return err;
    }
    return row_error(c, state, why);
}

enum pot_err import_csv(struct import_table *t, char *text, size_t size,
                        const struct import_options *options,
                        char why[static IMPORT_WHY_SIZE])
{
    struct csv c = {
        .file = options->data, .at = text, .end = text + size, .line = 1};
    POT_ASSERT(text[size] == '\0');
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        c.at += 3;
    }
    c.delimiter = guess_delimiter(&c);
    bool is_named = false;
    enum pot_err err = read_first(&c, &is_named, options->label, why);
    if (err == POT_OK) {
        size_t features = c.row.count - 1;
        enum row_state state = read_second(&c, is_named);
        import_table_init(t, (uint32_t)features, rows_bound(&c, features, size),
                          options->is_regression, options->like);
        err = read_rows(t, &c, state, why);
    }
    free(c.row.fields);
    free(c.first.fields);
    return err;
}
