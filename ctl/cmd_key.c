#include "config.h"

#include "ctl/commands.h"

#include <stdio.h>

static void print_key(struct ctl *ctl, const struct key *key, const char *path)
{
    char address[ADDRESS_TEXT_SIZE];
    (void)address_format(key_public(key), address);
    ctl_print(ctl, "%s\n", address);
    ctl_print_json(ctl, json_pack("{ss ss}", "address", address, "file", path));
}

static enum exit_code run_new(struct ctl *ctl, const struct cli_args *args)
{
    const char *path = args->arguments[0];
    struct key *key = key_generate();
    enum exit_code rc = EXIT_CODE_DONE;
    enum pot_err err = key_save(key, path);
    if (err == POT_OK) {
        print_key(ctl, key, path);
    } else {
        rc = ctl_fail_err(ctl, err, "cannot write the key file", path);
    }
    key_free(key);
    return rc;
}

static enum exit_code run_show(struct ctl *ctl, const struct cli_args *args)
{
    struct key *key;
    ctl->key_path = args->arguments[0];
    enum exit_code rc = ctl_load_key(ctl, &key);
    if (rc == EXIT_CODE_DONE) {
        print_key(ctl, key, ctl->key_path);
        key_free(key);
    }
    return rc;
}

const struct cli_command cmd_key_new = {
    .name = "key new",
    .arguments = "FILE",
    .summary = "make a key, print its address",
    .details = "The file is new and readable by its owner only. Whoever holds"
               " it holds the\naccount: keep a copy in a safe place.\n",
    .examples = "  potctl key new alice.key\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_new,
};

const struct cli_command cmd_key_show = {
    .name = "key show",
    .arguments = "FILE",
    .summary = "print the address of a key",
    .examples = "  potctl key show alice.key\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_show,
};
