#include "config.h"

#include "ctl/answer.h"

#include "ctl/client.h"
#include "ctl/show.h"

void answer_text(struct table *table, const json_t *row, const char *key)
{
    table_text(table, client_text(row, key));
}

void answer_count(struct table *table, const json_t *row, const char *key)
{
    table_count(table, client_count(row, key));
}

void answer_units(struct table *table, const json_t *row, const char *key)
{
    table_units(table, client_units(row, key));
}

void answer_time(struct table *table, const json_t *row, const char *key)
{
    char text[SHOW_TIME_SIZE];
    table_text(table, show_time(text, client_count(row, key)));
}

void answer_size(struct table *table, const json_t *row, const char *key)
{
    const json_t *list = json_object_get(row, key);
    table_count(table, json_is_array(list) ? json_array_size(list)
                                           : client_count(row, key));
}

void answer_rows(const json_t *list, const struct answer_column *columns)
{
    struct table table;
    const json_t *row;
    size_t i;
    table_init(&table);
    for (const struct answer_column *c = columns; c->heading != NULL; c++) {
        table_heading(&table, c->heading);
    }
    json_array_foreach(list, i, row)
    {
        for (const struct answer_column *c = columns; c->heading != NULL; c++) {
            c->cell(&table, row, c->key);
        }
    }
    table_print(&table);
}

enum exit_code answer_list(struct ctl *ctl, const char *path, const char *name,
                           const struct answer_column *columns)
{
    json_t *json;
    enum exit_code rc = client_get(&json, ctl, "%s", path);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    const json_t *list = json_object_get(json, name);
    if (!json_is_array(list)) {
        json_decref(json);
        return ctl_fail(ctl, EXIT_CODE_FAILED, "%s: the answer has no \"%s\"",
                        path, name);
    }
    if (!ctl->is_json) {
        answer_rows(list, columns);
    }
    ctl_print_json(ctl, json);
    return EXIT_CODE_DONE;
}

enum exit_code answer_object(struct ctl *ctl, const char *path,
                             void (*print)(const json_t *object))
{
    json_t *json;
    enum exit_code rc = client_get(&json, ctl, "%s", path);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (!ctl->is_json) {
        print(json);
    }
    ctl_print_json(ctl, json);
    return EXIT_CODE_DONE;
}
