/* ctl: what every command of potctl shares: the global options, the one
 * error, the clock. */
#ifndef POT_CTL_CTL_H
#define POT_CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/exit_code.h"
#include "base/key.h"

#define CTL_ERROR_SIZE   1024
#define CTL_REAL_DIGITS  15 /* of a number in JSON: 0.1 stays 0.1 */
#define CTL_NODE_DEFAULT "http://127.0.0.1:26680"

struct client;

struct ctl {
    const char *node;            /* URL of the node's API */
    const char *key_path;        /* NULL: none was named */
    const char *passphrase_file; /* of an encrypted key; NULL: asked for */
    bool is_json;
    bool is_waiting;
    bool is_quiet;
    bool has_live_stdout; /* a terminal that takes a progress line */
    bool has_live_stderr;
    bool has_colour;
    uint64_t timeout_ms;   /* 0: none was named */
    uint64_t deadline_ms;  /* of the whole command; UINT64_MAX: none */
    struct client *client; /* opened by the first request */
    int stdout_errno;      /* of the first write that failed; 0: none has */
    /* The line that main prints at the end; empty: a program that we ran has
     * said why it failed. */
    char error[CTL_ERROR_SIZE];
};

/* ctl_fail: notes the one error line (what, why, what to do; no full stop)
 * and returns code, for `return ctl_fail(...)`. */
enum exit_code ctl_fail(struct ctl *ctl, enum exit_code code,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ctl_fail_err: the same for a file that could not be written. */
enum exit_code ctl_fail_err(struct ctl *ctl, enum pot_err err, const char *what,
                            const char *path);

/* ctl_fail_read: for a file of the command line that cannot be read; the code
 * is the same in all commands. */
enum exit_code ctl_fail_read(struct ctl *ctl, enum pot_err err,
                             const char *path);

/* ctl_note: a line for people on stderr, unless --quiet. */
void ctl_note(struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ctl_print: text for people on stdout, unless --json. */
void ctl_print(struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ctl_tell: likewise, but not with --quiet: that something was done. */
void ctl_tell(struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ctl_flush: writes what was printed; notes in stdout_errno why it cannot. */
void ctl_flush(struct ctl *ctl);

/* ctl_print_json: one line on stdout with --json; takes value.  Text in it that
 * came from outside, such as a path, is made by json_text. */
void ctl_print_json(struct ctl *ctl, json_t *take_value);

/* ctl_load_key: the key of --key or POTCTL_KEY; key_free. */
POT_MUST_USE enum exit_code ctl_load_key(struct ctl *ctl, struct key **out);

/* ctl_own_address: its address, for which an encrypted one is not opened. */
POT_MUST_USE enum exit_code ctl_own_address(char text[static ADDRESS_TEXT_SIZE],
                                            bool *is_encrypted,
                                            struct ctl *ctl);

/* ctl_pause: sleeps, but not beyond the deadline.  EXIT_CODE_TIMEOUT if that
 * has passed; waiting_for completes "timed out waiting for". */
POT_MUST_USE enum exit_code ctl_pause(struct ctl *ctl, uint64_t ms,
                                      const char *waiting_for);

/* ctl_parse_timeout: "10", "10s", "500ms" or "2m"; false if it is none. */
POT_MUST_USE bool ctl_parse_timeout(uint64_t *out_ms, const char *text);

/* ctl_parse_count: a decimal number of at most max; false if it is none. */
POT_MUST_USE bool ctl_parse_count(uint64_t *out, const char *text,
                                  uint64_t max);

#endif
