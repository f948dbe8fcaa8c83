/* table: rows of text in aligned columns, for people. */
#ifndef POT_CTL_TABLE_H
#define POT_CTL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS_MAX 12

struct table {
    size_t column_count; /* headings, which are the first cells */
    size_t cell_count;
    size_t capacity;
    char **cells; /* row-major, headings first */
};

/* table_init: an empty one.  table_heading: the next column, before any cell;
 * a heading that begins with ">" is aligned to the right. */
void table_init(struct table *table);
void table_heading(struct table *table, const char *heading);

/* table_text, table_count, table_units: the next cell; units are printed in
 * POT.  What text holds is made fit for a terminal. */
void table_text(struct table *table, const char *text);
void table_count(struct table *table, uint64_t value);
void table_units(struct table *table, uint64_t units);

/* table_print: to stdout; then frees everything. */
void table_print(struct table *table);

/* table_hide_controls: overwrites control characters of text by "?". */
void table_hide_controls(char *text);

#endif
