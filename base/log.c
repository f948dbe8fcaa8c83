#include "config.h"

#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192

static struct {
    pthread_mutex_t mutex;
    enum log_level level;
    enum log_format format;
    int fd;
} logger = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .level = LOG_INFO,
    .fd = STDERR_FILENO,
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_marks[] = {"ERROR", "WARN ", "INFO ", "DEBUG"};

bool log_level_parse(enum log_level *out, const char *text)
{
    for (unsigned i = 0; i < sizeof(level_names) / sizeof(*level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(enum log_format *out, const char *text)
{
    bool is_json = strcmp(text, "json") == 0;
    if (!is_json && strcmp(text, "text") != 0) {
        return false;
    }
    *out = is_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
    return true;
}

enum pot_err log_open(enum log_level level, enum log_format format,
                      const char *file)
{
    int fd = STDERR_FILENO;
    if (file != NULL) {
        fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (fd < 0) {
            return err_from_errno(errno);
        }
    }
    (void)pthread_mutex_lock(&logger.mutex);
    int old = logger.fd;
    logger.level = level;
    logger.format = format;
    logger.fd = fd;
    (void)pthread_mutex_unlock(&logger.mutex);
    if (old != STDERR_FILENO) {
        (void)close(old);
    }
    return POT_OK;
}

static void add_time(struct buf *line)
{
    uint64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm parts;
    char text[32];
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    buf_printf(line, "%s.%03uZ", text, (unsigned)(now_ms % 1000));
}

/* What peers sent may stand in a field: only printable ASCII goes out raw. */
static void add_quoted(struct buf *line, const char *text)
{
    buf_append(line, "\"", 1);
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\') {
            buf_printf(line, "\\%c", byte);
        } else if (byte < 0x20 || byte > 0x7e) {
            buf_printf(line, "\\u%04x", byte);
        } else {
            buf_append(line, c, 1);
        }
    }
    buf_append(line, "\"", 1);
}

static bool is_plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte <= 0x20 || byte > 0x7e || strchr("\"\\=", byte) != NULL) {
            return false;
        }
    }
    return text[0] != '\0';
}

static void add_value(struct buf *line, const struct log_field *field,
                      bool is_json)
{
    switch (field->type) {
    case LOG_FIELD_U64:
        buf_printf(line, "%" PRIu64, field->u64);
        break;
    case LOG_FIELD_I64:
        buf_printf(line, "%" PRId64, field->i64);
        break;
    case LOG_FIELD_TEXT:
        if (!is_json && is_plain(field->text)) {
            buf_append(line, field->text, strlen(field->text));
        } else {
            add_quoted(line, field->text);
        }
        break;
    }
}

static void format_text(struct buf *line, enum log_level level,
                        const char *folder, const char *event,
                        const struct log_field *fields, size_t count)
{
    add_time(line);
    buf_printf(line, " %s %s ", level_marks[level], folder);
    buf_append(line, event, strlen(event));
    for (size_t i = 0; i < count; i++) {
        buf_printf(line, " %s=", fields[i].key);
        add_value(line, &fields[i], false);
    }
}

static void format_json(struct buf *line, enum log_level level,
                        const char *folder, const char *event,
                        const struct log_field *fields, size_t count)
{
    buf_printf(line, "{\"time\":\"");
    add_time(line);
    buf_printf(line, "\",\"level\":\"%s\",\"folder\":\"%s\",\"event\":",
               level_names[level], folder);
    add_quoted(line, event);
    for (size_t i = 0; i < count; i++) {
        buf_printf(line, ",\"%s\":", fields[i].key);
        add_value(line, &fields[i], true);
    }
    buf_printf(line, "}");
}

void log_write(enum log_level level, const char *folder, const char *event,
               const struct log_field *fields, size_t count)
{
    (void)pthread_mutex_lock(&logger.mutex);
    if (level <= logger.level) {
        struct buf line;
        buf_init(&line, LINE_MAX_BYTES);
        if (logger.format == LOG_FORMAT_JSON) {
            format_json(&line, level, folder, event, fields, count);
        } else {
            format_text(&line, level, folder, event, fields, count);
        }
        buf_append(&line, "\n", 1);
        /* One write a line: lines of several processes do not mix.  A full
         * disk must not stop the node, so the result is not looked at. */
        ssize_t ignored = write(logger.fd, line.data, line.size);
        (void)ignored;
        buf_fini(&line);
    }
    (void)pthread_mutex_unlock(&logger.mutex);
}
