/* store verify, backup and compact, rollback, resync: work on a node's own
 * folder, which potd does; we find it, ask, and become it. */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_SIZE 16

/* Whoever destroys something says yes to it, at the terminal or by --yes. */
static enum exit_code confirm(struct ctl *ctl, const struct cli_args *args,
                              const char *what)
{
    char answer[ANSWER_SIZE] = "";
    if (cli_value(args, "yes") != NULL) {
        return EXIT_CODE_DONE;
    }
    if (isatty(STDIN_FILENO) != 1) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "this %s, and nobody is there to ask: give --yes",
                        what);
    }
    (void)fprintf(stderr, "This %s.  Type yes to go on: ", what);
    if (fgets(answer, sizeof(answer), stdin) == NULL ||
        strcmp(answer, "yes\n") != 0) {
        return ctl_fail(ctl, EXIT_CODE_FAILED, "nothing was done");
    }
    return EXIT_CODE_DONE;
}

/* Does not return when it goes well: the exit code is potd's then. */
static enum exit_code become(struct ctl *ctl, const struct cli_args *args,
                             const char *option, const char *value)
{
    const char *config;
    char *potd;
    enum exit_code rc = cli_required(&config, ctl, args, "config");
    if (rc == EXIT_CODE_DONE) {
        rc = process_find_potd(&potd, ctl, cli_value(args, "potd"));
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    (void)execl(potd, potd, "--config", config, option, value, (char *)NULL);
    rc = ctl_fail(ctl, EXIT_CODE_FAILED, "%s: %s", potd, strerror(errno));
    free(potd);
    return rc;
}

static enum exit_code run_verify(struct ctl *ctl, const struct cli_args *args)
{
    return become(ctl, args, "--verify-store", NULL);
}

static enum exit_code run_backup(struct ctl *ctl, const struct cli_args *args)
{
    const char *out;
    enum exit_code rc = cli_required(&out, ctl, args, "out");
    return rc == EXIT_CODE_DONE ? become(ctl, args, "--backup-store", out) : rc;
}

static enum exit_code run_compact(struct ctl *ctl, const struct cli_args *args)
{
    return become(ctl, args, "--compact-store", NULL);
}

static enum exit_code run_rollback(struct ctl *ctl, const struct cli_args *args)
{
    const char *to;
    uint64_t height;
    enum exit_code rc = cli_required(&to, ctl, args, "to");
    if (rc == EXIT_CODE_DONE && !ctl_parse_count(&height, to, UINT64_MAX)) {
        rc = ctl_fail(ctl, EXIT_CODE_USAGE, "--to %s: not a height", to);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = confirm(ctl, args, "takes the node's store back");
    }
    return rc == EXIT_CODE_DONE ? become(ctl, args, "--rollback", to) : rc;
}

static enum exit_code run_resync(struct ctl *ctl, const struct cli_args *args)
{
    enum exit_code rc = confirm(ctl, args, "moves the node's store aside");
    return rc == EXIT_CODE_DONE ? become(ctl, args, "--resync", NULL) : rc;
}

#define OPTION_CONFIG                                                          \
    {                                                                          \
        "config", "FILE", "the node's node.toml"                               \
    }
#define OPTION_POTD                                                            \
    {                                                                          \
        "potd", "FILE", "the node's program"                                   \
    }
#define OPTION_YES                                                             \
    {                                                                          \
        "yes", NULL, "do not ask"                                              \
    }

const struct cli_command cmd_store_verify = {
    .name = "store verify",
    .arguments = "",
    .summary = "check a stopped node's store",
    .details = "Every value, certificate and the state, and the chain executed"
               " again from the\ngenesis.  Exit code 8: it is damaged.\n",
    .examples = "  potctl store verify --config node.toml\n",
    .options = {OPTION_CONFIG, OPTION_POTD},
    .run = run_verify,
};

const struct cli_command cmd_store_backup = {
    .name = "store backup",
    .arguments = "",
    .summary = "copy a node's store, also while it runs",
    .details = "Into a new folder, whole or not at all, with a MANIFEST.  No"
               " keys, and no sign\nstate: an old one put back is how a"
               " validator signs twice.\n",
    .examples = "  potctl store backup --config node.toml --out backup\n",
    .options = {OPTION_CONFIG,
                {"out", "DIR", "a folder that is not there"},
                OPTION_POTD},
    .run = run_backup,
};

const struct cli_command cmd_store_compact = {
    .name = "store compact",
    .arguments = "",
    .summary = "give a stopped node's free pages back to the disk",
    .details = "Takes as much free disk as the store has, for a while.\n",
    .examples = "  potctl store compact --config node.toml\n",
    .options = {OPTION_CONFIG, OPTION_POTD},
    .run = run_compact,
};

const struct cli_command cmd_rollback = {
    .name = "rollback",
    .arguments = "",
    .summary = "take a stopped node's store back to an earlier height",
    .details = "The chain is executed again from the genesis up to there; the"
               " old store is moved\naside.  The sign state stays: a validator"
               " votes again when it is past what it\nsigned.\n",
    .examples = "  potctl rollback --config node.toml --to 1200\n",
    .options = {OPTION_CONFIG,
                {"to", "HEIGHT", "below the store's own"},
                OPTION_YES,
                OPTION_POTD},
    .run = run_rollback,
};

const struct cli_command cmd_resync = {
    .name = "resync",
    .arguments = "",
    .summary = "move a stopped node's store aside, to sync anew",
    .details = "Keys, sign state and data sets stay.  For a store that is"
               " damaged.\n",
    .examples = "  potctl resync --config node.toml\n",
    .options = {OPTION_CONFIG, OPTION_YES, OPTION_POTD},
    .run = run_resync,
};
