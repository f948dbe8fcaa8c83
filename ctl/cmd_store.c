/* store verify, backup and compact, rollback, resync: work on a node's own
 * folder, which potd does; we find it, ask, and become it. */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_SIZE 16

/* Whoever destroys something says yes to it, at the terminal or by --yes. */
static enum exit_code confirm(struct ctl *ctl, const struct cli_args *args,
                              const char *what)
{
    char answer[ANSWER_SIZE] = "";
    const char *config;
    enum exit_code rc = cli_required(&config, ctl, args, "config");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
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

static enum exit_code run_verify(struct ctl *ctl, const struct cli_args *args)
{
    return process_become_potd(ctl, args, "--verify-store", NULL);
}

static enum exit_code run_backup(struct ctl *ctl, const struct cli_args *args)
{
    const char *out;
    enum exit_code rc = cli_required(&out, ctl, args, "out");
    return rc == EXIT_CODE_DONE
               ? process_become_potd(ctl, args, "--backup-store", out)
               : rc;
}

static enum exit_code run_compact(struct ctl *ctl, const struct cli_args *args)
{
    return process_become_potd(ctl, args, "--compact-store", NULL);
}

static enum exit_code run_rollback(struct ctl *ctl, const struct cli_args *args)
{
    char target[24];
    uint64_t count = 0;
    const char *to = cli_value(args, "to");
    const char *blocks = cli_value(args, "blocks");
    if ((to == NULL) == (blocks == NULL)) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "rollback needs one of --to HEIGHT and --blocks N");
    }
    enum exit_code rc = EXIT_CODE_DONE;
    if (to != NULL && !ctl_parse_count(&count, to, UINT64_MAX)) {
        rc = ctl_fail(ctl, EXIT_CODE_USAGE, "--to %s: not a height", to);
    }
    if (blocks != NULL) {
        rc = cli_count(&count, ctl, args, "blocks", 1, INT64_MAX, 1);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = confirm(ctl, args, "takes the node's store back");
    }
    (void)snprintf(target, sizeof(target), "%s%" PRIu64,
                   blocks != NULL ? "-" : "", count);
    return rc == EXIT_CODE_DONE
               ? process_become_potd(ctl, args, "--rollback", target)
               : rc;
}

static enum exit_code run_resync(struct ctl *ctl, const struct cli_args *args)
{
    enum exit_code rc = confirm(ctl, args, "moves the node's store aside");
    return rc == EXIT_CODE_DONE
               ? process_become_potd(ctl, args, "--resync", NULL)
               : rc;
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
    .examples = "  potctl rollback --config node.toml --to 1200\n"
                "  potctl rollback --config node.toml --blocks 10\n",
    .options = {OPTION_CONFIG,
                {"to", "HEIGHT", "below the store's own"},
                {"blocks", "N", "so many below the store's own"},
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
