#include "config.h"

#include "node/api/metrics_text.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_SIZE 40

void metrics_family(struct buf *out, const char *name, const char *type,
                    const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_label(struct buf *out, struct metrics_label label,
                        const char *before)
{
    buf_printf(out, "%s%s=\"", before, label.name);
    for (const char *c = label.value; *c != '\0'; c++) {
        if (*c == '\n') {
            buf_append(out, "\\n", 2);
            continue;
        }
        if (*c == '\\' || *c == '"') {
            buf_append(out, "\\", 1);
        }
        buf_append(out, c, 1);
    }
    buf_append(out, "\"", 1);
}

/* Counts are written as such, so that none of their digits is lost. */
static void write_number(struct buf *out, double value)
{
    char text[NUMBER_SIZE];
    if (fabs(value) < 9007199254740992.0 && floor(value) == value) {
        (void)snprintf(text, sizeof(text), "%.0f", value);
    } else {
        (void)snprintf(text, sizeof(text), "%.15g", value);
    }
    buf_printf(out, "%s", text);
}

void metrics_sample(struct buf *out, const char *name,
                    struct metrics_label first, struct metrics_label second,
                    double value)
{
    buf_printf(out, "%s", name);
    if (first.name != NULL) {
        write_label(out, first, "{");
    }
    if (second.name != NULL) {
        write_label(out, second, ",");
    }
    buf_printf(out, "%s ", first.name != NULL ? "}" : "");
    write_number(out, value);
    buf_append(out, "\n", 1);
}

void metrics_one(struct buf *out, const char *name, const char *type,
                 const char *help, double value)
{
    const struct metrics_label none = {NULL, NULL};
    metrics_family(out, name, type, help);
    metrics_sample(out, name, none, none, value);
}

static double read_field(const struct metrics_field *field, const void *stats)
{
    uint64_t value = 0;
    const uint8_t *at = (const uint8_t *)stats + field->offset;
    uint32_t half;
    if (field->size == sizeof(value)) {
        memcpy(&value, at, sizeof(value));
    } else if (field->size == sizeof(half)) {
        memcpy(&half, at, sizeof(half));
        value = half;
    } else {
        POT_ASSERT(field->size == sizeof(bool));
        value = *at;
    }
    return (double)value / field->per;
}

void metrics_fields(struct buf *out, const struct metrics_field *fields,
                    size_t count, const void *stats)
{
    for (size_t i = 0; i < count; i++) {
        metrics_one(out, fields[i].name, fields[i].type, fields[i].help,
                    read_field(&fields[i], stats));
    }
}

void metrics_observe(struct metrics_histogram *histogram, double value)
{
    size_t i = 0;
    POT_ASSERT(histogram->bound_count <= METRICS_BUCKETS_MAX);
    while (i < histogram->bound_count && value > histogram->bounds[i]) {
        i++;
    }
    histogram->counts[i]++;
    histogram->count++;
    histogram->sum += value;
}

void metrics_histogram_write(struct buf *out, const char *name,
                             const char *help,
                             const struct metrics_histogram *histogram)
{
    uint64_t below = 0;
    metrics_family(out, name, "histogram", help);
    for (size_t i = 0; i < histogram->bound_count; i++) {
        below += histogram->counts[i];
        buf_printf(out, "%s_bucket{le=\"%g\"} ", name, histogram->bounds[i]);
        write_number(out, (double)below);
        buf_append(out, "\n", 1);
    }
    buf_printf(out, "%s_bucket{le=\"+Inf\"} ", name);
    write_number(out, (double)histogram->count);
    buf_printf(out, "\n%s_sum ", name);
    write_number(out, histogram->sum);
    buf_printf(out, "\n%s_count ", name);
    write_number(out, (double)histogram->count);
    buf_append(out, "\n", 1);
}
