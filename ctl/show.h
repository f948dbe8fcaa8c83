/* show: values as people read them. */
#ifndef POT_CTL_SHOW_H
#define POT_CTL_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/ctl.h"

#define SHOW_TIME_SIZE 40

/* show_time: RFC 3339 with milliseconds, in UTC; returns text. */
const char *show_time(char text[static SHOW_TIME_SIZE], uint64_t time_ms);

/* show_field: "name   value" on a line of its own; values from a node are
 * made fit for a terminal. */
void show_field(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* show_text, show_count, show_units, show_number: member key of object in
 * such a line; nothing when it is not there. */
void show_text(const char *name, const json_t *object, const char *key);
void show_count(const char *name, const json_t *object, const char *key);
void show_units(const char *name, const json_t *object, const char *key);
void show_number(const char *name, const json_t *object, const char *key);

/* show_is_hash: 64 lower-case hex digits. */
bool show_is_hash(const char *text);

/* show_status: a status word in its colour, if there are colours. */
const char *show_status(const struct ctl *ctl, const char *status);

#endif
