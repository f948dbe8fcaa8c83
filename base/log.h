/* log: one line an event, as text for people or JSON for collectors.
 *
 *   LOG(LOG_INFO, "consensus", "committed", log_u64("height", h),
 *       log_text("hash", hex));
 *
 *   2026-01-02T03:04:05.678Z INFO consensus committed height=12 hash=ab12
 *
 * May be called from any thread.  Never hand it a secret or a payload. */
#ifndef POT_BASE_LOG_H
#define POT_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO,
    LOG_DEBUG,
};

enum log_format {
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
};

struct log_field {
    const char *key; /* snake_case */
    enum { LOG_FIELD_TEXT, LOG_FIELD_U64, LOG_FIELD_I64 } type;
    const char *text;
    uint64_t u64;
    int64_t i64;
};

static inline struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){.key = key, .type = LOG_FIELD_TEXT, .text = text};
}

static inline struct log_field log_u64(const char *key, uint64_t value)
{
    return (struct log_field){.key = key, .type = LOG_FIELD_U64, .u64 = value};
}

static inline struct log_field log_i64(const char *key, int64_t value)
{
    return (struct log_field){.key = key, .type = LOG_FIELD_I64, .i64 = value};
}

/* LOG: level, folder, event, then at least one field. */
#define LOG(level, folder, event, ...)                                         \
    log_write(level, folder, event, (const struct log_field[]){__VA_ARGS__},   \
              sizeof((const struct log_field[]){__VA_ARGS__}) /                \
                  sizeof(struct log_field))

void log_write(enum log_level level, const char *folder, const char *event,
               const struct log_field *fields, size_t count);

/* log_open: where lines go from now on; file NULL: stderr.  May be called
 * again (a rotated file, another level).  Errors: those of opening a file;
 * the old settings then stand. */
POT_MUST_USE enum pot_err log_open(enum log_level level, enum log_format format,
                                   const char *file);

bool log_level_parse(enum log_level *out, const char *text);
bool log_format_parse(enum log_format *out, const char *text);

#endif
