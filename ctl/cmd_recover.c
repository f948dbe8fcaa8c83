/* What only potd can do, because it alone reads node.toml: this program is
 * replaced by it. */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/process.h"

#include <stdio.h>
#include <string.h>

static enum exit_code run_recover(struct ctl *ctl, const struct cli_args *args)
{
    return process_become_potd(ctl, args, "--recover", NULL);
}

static bool is_confirmed(void)
{
    char line[16] = "";
    fprintf(stderr, "If this key has signed anything that its sign state does"
                    " not know, it may now\nsign against it, and lose its"
                    " stake.  Type yes to go on: ");
    return fgets(line, sizeof(line), stdin) != NULL &&
           strcmp(line, "yes\n") == 0;
}

static enum exit_code run_unsafe(struct ctl *ctl, const struct cli_args *args)
{
    const char *config;
    enum exit_code rc = cli_required(&config, ctl, args, "config");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (cli_value(args, "yes") == NULL && !is_confirmed()) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "not confirmed, nothing was changed; --yes confirms");
    }
    return process_become_potd(ctl, args, "--unsafe-vote-now", NULL);
}

const struct cli_command cmd_recover = {
    .name = "recover",
    .arguments = "",
    .summary = "prepare a validator's home that was lost or is old",
    .details =
        "For a node that is stopped.  Whatever the key may have signed, it"
        " signs nothing\nmore until the chain is past it; then it votes"
        " again by itself.  A damaged store\nis put aside, and the node"
        " fetches the chain anew.\n",
    .examples = "  potctl recover --config validator0/node.toml\n",
    .options = {{"config", "FILE", "the node's settings (node.toml)"},
                {"potd", "FILE", "the node's program"}},
    .run = run_recover,
};

const struct cli_command cmd_unsafe_vote_now = {
    .name = "unsafe-vote-now",
    .arguments = "",
    .summary = "let a recovering validator vote at once; may cost its stake",
    .details = "For a network that cannot go on without this validator, which"
               " therefore never\ngets past what it may have signed.  Only who"
               " knows that no other copy of the key\nhas signed anything since"
               " may use it.  For a node that is stopped.\n",
    .examples = "  potctl unsafe-vote-now --config validator0/node.toml\n",
    .options = {{"config", "FILE", "the node's settings (node.toml)"},
                {"yes", NULL, "do not ask"},
                {"potd", "FILE", "the node's program"}},
    .run = run_unsafe,
};
