#include "config.h"

#include "ctl/show.h"

#include "base/amount.h"
#include "base/hash.h"
#include "ctl/client.h"
#include "ctl/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME_WIDTH 16

const char *show_time(char text[static SHOW_TIME_SIZE], uint64_t time_ms)
{
    struct tm parts;
    char whole[24] = "";
    time_t seconds = (time_t)(time_ms / 1000);
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        (void)snprintf(text, SHOW_TIME_SIZE, "%" PRIu64 " ms", time_ms);
        return text;
    }
    (void)snprintf(text, SHOW_TIME_SIZE, "%s.%03uZ", whole,
                   (unsigned)(time_ms % 1000));
    return text;
}

void show_field(const char *name, const char *format, ...)
{
    char value[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    table_hide_controls(value);
    (void)printf("%-*s  %s\n", NAME_WIDTH, name, value);
}

void show_text(const char *name, const json_t *object, const char *key)
{
    if (client_text(object, key)[0] != '\0') {
        show_field(name, "%s", client_text(object, key));
    }
}

void show_count(const char *name, const json_t *object, const char *key)
{
    if (json_is_integer(json_object_get(object, key))) {
        show_field(name, "%" PRIu64, client_count(object, key));
    }
}

void show_units(const char *name, const json_t *object, const char *key)
{
    char text[AMOUNT_TEXT_SIZE];
    if (json_is_string(json_object_get(object, key))) {
        struct amount amount = {client_units(object, key)};
        show_field(name, "%s POT", amount_format(amount, text));
    }
}

void show_number(const char *name, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_number(value)) {
        show_field(name, "%.6g", json_number_value(value));
    }
}

bool show_is_hash(const char *text)
{
    struct hash hash;
    return hash_parse(&hash, text) == POT_OK;
}

const char *show_status(const struct ctl *ctl, const char *status)
{
    if (!ctl->has_colour) {
        return status;
    }
    if (strcmp(status, "completed") == 0) {
        return "\033[32mcompleted\033[0m";
    }
    if (strcmp(status, "failed") == 0) {
        return "\033[31mfailed\033[0m";
    }
    return status;
}
