/* potctl: what a person does with a network, one command at a time.
 *
 * main reads the environment, cli.c the command line; a command stands in
 * cmd_<name>.c and uses client.c (the node's API), sender.c (transactions)
 * and follow.c (a task's rounds).  Nothing is printed about an error but the
 * one line here. */
#include "config.h"

#include "base/process_private.h"
#include "ctl/cli.h"
#include "ctl/client.h"
#include "ctl/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cli_command *const commands[] = {
#define X(command) &command,
    COMMAND_MAP(X)
#undef X
};

static bool is_live(int fd)
{
    const char *terminal = getenv("TERM");
    return isatty(fd) == 1 &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static const char *environment(const char *name, const char *usual)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : usual;
}

/* A full disk behind stdout must not pass for success. */
static enum exit_code flush(struct ctl *ctl, enum exit_code rc)
{
    ctl_flush(ctl);
    if (ctl->stdout_errno == 0) {
        return rc;
    }
    /* A reader that has seen enough (`| head`) is no fault of ours. */
    struct stat info;
    bool is_pipe = fstat(STDOUT_FILENO, &info) == 0 && S_ISFIFO(info.st_mode);
    if (rc != EXIT_CODE_DONE || is_pipe) {
        return rc;
    }
    return ctl_fail(
        ctl, ctl->stdout_errno == ENOSPC ? EXIT_CODE_FULL : EXIT_CODE_FAILED,
        "cannot write to stdout: %s", strerror(ctl->stdout_errno));
}

int main(int argc, char **argv)
{
    struct ctl ctl = {
        .node = environment("POTCTL_NODE", CTL_NODE_DEFAULT),
        .key_path = environment("POTCTL_KEY", NULL),
        .passphrase_file = environment("POTCTL_PASSPHRASE_FILE", NULL),
        .has_live_stdout = is_live(STDOUT_FILENO),
        .has_live_stderr = is_live(STDERR_FILENO),
        .deadline_ms = UINT64_MAX,
    };
    ctl.has_colour =
        ctl.has_live_stdout && environment("NO_COLOR", NULL) == NULL;
    (void)signal(SIGPIPE, SIG_IGN);
    process_private();
    enum exit_code rc = cli_run(
        &ctl, commands, sizeof(commands) / sizeof(*commands), argc, argv);
    rc = flush(&ctl, rc);
    if (rc != EXIT_CODE_DONE && ctl.error[0] != '\0') {
        (void)fprintf(stderr, "potctl: %s\n", ctl.error);
    }
    client_close(ctl.client);
    return (int)rc;
}
