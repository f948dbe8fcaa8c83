/* answer: what the node says, as a table or field by field for people, or as
 * its JSON with --json. */
#ifndef POT_CTL_ANSWER_H
#define POT_CTL_ANSWER_H

#include <jansson.h>

#include "ctl/ctl.h"
#include "ctl/table.h"

/* A column of a list: its heading, as table_heading takes it, and the member
 * of each row that stands in it. */
struct answer_column {
    const char *heading; /* NULL ends the columns */
    void (*cell)(struct table *table, const json_t *row, const char *key);
    const char *key;
};

/* Cells: a text, a number, an amount in POT, a time in ms, the size of an
 * array (or the number that stands instead of one). */
void answer_text(struct table *table, const json_t *row, const char *key);
void answer_count(struct table *table, const json_t *row, const char *key);
void answer_units(struct table *table, const json_t *row, const char *key);
void answer_time(struct table *table, const json_t *row, const char *key);
void answer_size(struct table *table, const json_t *row, const char *key);

/* answer_rows: prints a list as a table. */
void answer_rows(const json_t *list, const struct answer_column *columns);

/* answer_list: gets path and shows the list that stands in its member name.
 * Errors: those of client_get; EXIT_CODE_FAILED there is no such list */
POT_MUST_USE enum exit_code answer_list(struct ctl *ctl, const char *path,
                                        const char *name,
                                        const struct answer_column *columns);

/* answer_object: gets path and shows it by print.  Errors: of client_get. */
POT_MUST_USE enum exit_code answer_object(struct ctl *ctl, const char *path,
                                          void (*print)(const json_t *object));

#endif
