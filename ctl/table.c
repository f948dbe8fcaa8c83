#include "config.h"

#include "ctl/table.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_hide_controls(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

static void add_cell(struct table *table, const char *text)
{
    if (table->cell_count == table->capacity) {
        table->capacity = table->capacity * 2 + 32;
        table->cells =
            pot_realloc(table->cells, table->capacity, sizeof(char *));
    }
    char *cell = pot_strdup(text);
    table_hide_controls(cell);
    table->cells[table->cell_count++] = cell;
}

void table_init(struct table *table)
{
    *table = (struct table){0};
}

void table_heading(struct table *table, const char *heading)
{
    POT_ASSERT(table->cell_count == table->column_count);
    POT_ASSERT(table->column_count < TABLE_COLUMNS_MAX);
    add_cell(table, heading);
    table->column_count++;
}

void table_text(struct table *table, const char *text)
{
    add_cell(table, text);
}

void table_count(struct table *table, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    table_text(table, text);
}

void table_units(struct table *table, uint64_t units)
{
    char text[AMOUNT_TEXT_SIZE];
    table_text(table, amount_format((struct amount){units}, text));
}

static void print_cell(const char *text, size_t width, bool is_right,
                       bool is_last)
{
    size_t own = width_of(text);
    int pad = width > own ? (int)(width - own) : 0;
    if (is_right) {
        (void)printf("%*s%s", pad, "", text);
    } else {
        (void)printf("%s%*s", text, is_last ? 0 : pad, "");
    }
    (void)fputs(is_last ? "\n" : "  ", stdout);
}

void table_print(struct table *table)
{
    bool is_right[TABLE_COLUMNS_MAX] = {false};
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    size_t columns = table->column_count;
    POT_ASSERT(table->cell_count % columns == 0);
    for (size_t i = 0; i < columns; i++) {
        is_right[i] = table->cells[i][0] == '>';
        if (is_right[i]) {
            memmove(table->cells[i], table->cells[i] + 1,
                    strlen(table->cells[i]));
        }
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = width_of(table->cells[i]);
        size_t *widest = &widths[i % columns];
        *widest = width > *widest ? width : *widest;
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % columns;
        print_cell(table->cells[i], widths[column], is_right[column],
                   column + 1 == columns);
        free(table->cells[i]);
    }
    free(table->cells);
    *table = (struct table){0};
}
