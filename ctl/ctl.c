#include "config.h"

#include "ctl/ctl.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/key_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum exit_code ctl_fail(struct ctl *ctl, enum exit_code code,
                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(ctl->error, sizeof(ctl->error), format, args);
    va_end(args);
    /* One line, whatever a file or a node put into it. */
    for (char *at = ctl->error; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = ' ';
        }
    }
    return code;
}

enum exit_code ctl_fail_err(struct ctl *ctl, enum pot_err err, const char *what,
                            const char *path)
{
    enum exit_code code = err == POT_EFULL ? EXIT_CODE_FULL : EXIT_CODE_FAILED;
    if (err == POT_EEXIST) {
        return ctl_fail(ctl, code,
                        "%s %s: %s; choose another name or remove it", what,
                        path, err_text(err));
    }
    return ctl_fail(ctl, code, "%s %s: %s", what, path,
                    file_err_text(err, path));
}

enum exit_code ctl_fail_read(struct ctl *ctl, enum pot_err err,
                             const char *path)
{
    return ctl_fail(ctl, EXIT_CODE_CONFIG, "cannot read %s: %s", path,
                    file_err_text(err, path));
}

void ctl_note(struct ctl *ctl, const char *format, ...)
{
    if (!ctl->is_quiet) {
        va_list args;
        va_start(args, format);
        (void)vfprintf(stderr, format, args);
        (void)fputc('\n', stderr);
        va_end(args);
    }
}

void ctl_print(struct ctl *ctl, const char *format, ...)
{
    if (!ctl->is_json) {
        va_list args;
        va_start(args, format);
        (void)vprintf(format, args);
        va_end(args);
    }
}

void ctl_tell(struct ctl *ctl, const char *format, ...)
{
    if (!ctl->is_json && !ctl->is_quiet) {
        va_list args;
        va_start(args, format);
        (void)vprintf(format, args);
        va_end(args);
    }
}

void ctl_flush(struct ctl *ctl)
{
    errno = 0;
    bool is_bad = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (is_bad && ctl->stdout_errno == 0) {
        ctl->stdout_errno = errno != 0 ? errno : EIO;
    }
}

void ctl_print_json(struct ctl *ctl, json_t *take_value)
{
    POT_ASSERT(take_value != NULL);
    if (ctl->is_json) {
        (void)json_dumpf(take_value, stdout,
                         JSON_COMPACT | JSON_REAL_PRECISION(CTL_REAL_DIGITS));
        (void)putchar('\n');
        ctl_flush(ctl);
    }
    json_decref(take_value);
}

static enum exit_code need_key(struct ctl *ctl)
{
    return ctl->key_path != NULL
               ? EXIT_CODE_DONE
               : ctl_fail(ctl, EXIT_CODE_USAGE,
                          "no key was named: give --key FILE or set POTCTL_KEY;"
                          " `potctl key new FILE` makes one");
}

enum exit_code ctl_load_key(struct ctl *ctl, struct key **out)
{
    *out = NULL;
    enum exit_code rc = need_key(ctl);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    char why[KEY_FILE_WHY_SIZE];
    enum pot_err err =
        key_file_load(out, ctl->key_path, ctl->passphrase_file, why);
    return err == POT_OK ? EXIT_CODE_DONE
                         : ctl_fail(ctl, EXIT_CODE_CONFIG, "key file %s", why);
}

enum exit_code ctl_own_address(char text[static ADDRESS_TEXT_SIZE],
                               bool *is_encrypted, struct ctl *ctl)
{
    struct public_key key;
    char why[KEY_FILE_WHY_SIZE];
    enum exit_code rc = need_key(ctl);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (key_file_peek(&key, is_encrypted, ctl->key_path, why) != POT_OK) {
        return ctl_fail(ctl, EXIT_CODE_CONFIG, "key file %s", why);
    }
    (void)address_format(&key, text);
    return EXIT_CODE_DONE;
}

enum exit_code ctl_pause(struct ctl *ctl, uint64_t ms, const char *waiting_for)
{
    uint64_t now = clock_steady_ms();
    if (now >= ctl->deadline_ms) {
        return ctl_fail(ctl, EXIT_CODE_TIMEOUT,
                        "timed out waiting for %s; give a longer --timeout",
                        waiting_for);
    }
    uint64_t left = ctl->deadline_ms - now;
    uint64_t span = left < ms ? left : ms;
    struct timespec pause = {.tv_sec = (time_t)(span / 1000),
                             .tv_nsec = (long)(span % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
    return EXIT_CODE_DONE;
}

bool ctl_parse_timeout(uint64_t *out_ms, const char *text)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}};
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 7) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(text + digits, units[i].unit) == 0) {
            *out_ms = strtoull(text, NULL, 10) * units[i].ms;
            return *out_ms > 0;
        }
    }
    return false;
}

bool ctl_parse_count(uint64_t *out, const char *text, uint64_t max)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] != '\0') {
        return false;
    }
    errno = 0;
    uint64_t value = strtoull(text, NULL, 10);
    if (errno != 0 || value > max) {
        return false;
    }
    *out = value;
    return true;
}
