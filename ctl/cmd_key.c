#include "config.h"

#include "base/key_file.h"
#include "base/passphrase.h"
#include "ctl/commands.h"
#include "ctl/json_text.h"

#include <stdio.h>
#include <string.h>

#define PASSPHRASE_MIN 8 /* of a new one */

static void print_key(struct ctl *ctl, const char *address, bool is_encrypted)
{
    ctl_print(ctl, "%s\n", address);
    ctl_print_json(ctl, json_pack("{ss so sb}", "address", address, "file",
                                  json_text(ctl->key_path), "encrypted",
                                  is_encrypted));
}

static void print_public(struct ctl *ctl, const struct key *key,
                         bool is_encrypted)
{
    char address[ADDRESS_TEXT_SIZE];
    print_key(ctl, address_format(key_public(key), address), is_encrypted);
}

/* ---- the passphrase of a file that is about to be encrypted */

static enum exit_code fail_passphrase(struct ctl *ctl, enum pot_err err)
{
    if (err == POT_ELOCKED) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "%s: stdin is no terminal: give --passphrase-file FILE",
                        err_text(err));
    }
    return ctl_fail(ctl,
                    err == POT_ECANCELLED ? EXIT_CODE_FAILED : EXIT_CODE_CONFIG,
                    "the passphrase%s%s: %s; it is a line of at most %d bytes, "
                    "in a file that its owner alone can read",
                    ctl->passphrase_file != NULL ? " in " : "",
                    ctl->passphrase_file != NULL ? ctl->passphrase_file : "",
                    err_text(err), PASSPHRASE_MAX);
}

static enum exit_code ask_twice(struct passphrase **out, struct ctl *ctl)
{
    struct passphrase *again = NULL;
    enum exit_code rc = EXIT_CODE_DONE;
    enum pot_err err = passphrase_ask(out, "new passphrase: ");
    if (err == POT_OK) {
        err = passphrase_ask(&again, "the same again: ");
    }
    if (err != POT_OK) {
        rc = fail_passphrase(ctl, err);
    } else if (!passphrase_equal(*out, again)) {
        rc = ctl_fail(ctl, EXIT_CODE_USAGE,
                      "the two passphrases differ; nothing was written");
    }
    passphrase_free(again);
    return rc;
}

/* *out is the caller's to free, also on failure. */
static enum exit_code choose_passphrase(struct passphrase **out,
                                        struct ctl *ctl)
{
    size_t size;
    *out = NULL;
    if (ctl->passphrase_file == NULL) {
        enum exit_code rc = ask_twice(out, ctl);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    } else {
        enum pot_err err = passphrase_read(out, ctl->passphrase_file);
        if (err != POT_OK) {
            return fail_passphrase(ctl, err);
        }
    }
    (void)passphrase_text(*out, &size);
    return size >= PASSPHRASE_MIN
               ? EXIT_CODE_DONE
               : ctl_fail(ctl, EXIT_CODE_USAGE,
                          "a passphrase of %zu bytes is too short: take at "
                          "least %d",
                          size, PASSPHRASE_MIN);
}

/* ---- key new */

static enum exit_code run_new(struct ctl *ctl, const struct cli_args *args)
{
    struct passphrase *passphrase = NULL;
    enum exit_code rc = EXIT_CODE_DONE;
    ctl->key_path = args->arguments[0];
    if (cli_value(args, "encrypt") != NULL) {
        rc = choose_passphrase(&passphrase, ctl);
    }
    if (rc == EXIT_CODE_DONE) {
        struct key *key = key_generate();
        enum pot_err err = key_file_create(key, ctl->key_path, passphrase);
        if (err == POT_OK) {
            print_public(ctl, key, passphrase != NULL);
        } else {
            rc = ctl_fail_err(ctl, err, "cannot write the key file",
                              ctl->key_path);
        }
        key_free(key);
    }
    passphrase_free(passphrase);
    return rc;
}

/* ---- key encrypt, key decrypt */

/* Loads the key, which must be as is_encrypted says. */
static enum exit_code load_as(struct key **out, struct ctl *ctl,
                              bool is_encrypted)
{
    char address[ADDRESS_TEXT_SIZE];
    bool was_encrypted;
    *out = NULL;
    enum exit_code rc = ctl_own_address(address, &was_encrypted, ctl);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (was_encrypted != is_encrypted) {
        return ctl_fail(
            ctl, EXIT_CODE_CONFIG, "key file %s: it is %s already%s",
            ctl->key_path, was_encrypted ? "encrypted" : "in plain",
            was_encrypted ? "; for another passphrase decrypt it first" : "");
    }
    return ctl_load_key(ctl, out);
}

static enum exit_code rewrite(struct ctl *ctl, const struct key *key,
                              const struct passphrase *passphrase)
{
    enum pot_err err = key_file_replace(key, ctl->key_path, passphrase);
    if (err != POT_OK) {
        return ctl_fail_err(ctl, err, "cannot write the key file",
                            ctl->key_path);
    }
    print_public(ctl, key, passphrase != NULL);
    return EXIT_CODE_DONE;
}

static enum exit_code run_encrypt(struct ctl *ctl, const struct cli_args *args)
{
    struct key *key;
    struct passphrase *passphrase = NULL;
    ctl->key_path = args->arguments[0];
    enum exit_code rc = load_as(&key, ctl, false);
    if (rc == EXIT_CODE_DONE) {
        rc = choose_passphrase(&passphrase, ctl);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = rewrite(ctl, key, passphrase);
    }
    passphrase_free(passphrase);
    key_free(key);
    return rc;
}

static enum exit_code run_decrypt(struct ctl *ctl, const struct cli_args *args)
{
    struct key *key;
    ctl->key_path = args->arguments[0];
    enum exit_code rc = load_as(&key, ctl, true);
    if (rc == EXIT_CODE_DONE) {
        rc = rewrite(ctl, key, NULL);
    }
    key_free(key);
    return rc;
}

/* ---- key show */

static enum exit_code run_show(struct ctl *ctl, const struct cli_args *args)
{
    char address[ADDRESS_TEXT_SIZE];
    bool is_encrypted;
    ctl->key_path = args->arguments[0];
    enum exit_code rc = ctl_own_address(address, &is_encrypted, ctl);
    if (rc == EXIT_CODE_DONE) {
        print_key(ctl, address, is_encrypted);
    }
    return rc;
}

#define PASSPHRASE_DETAILS                                                     \
    "The passphrase is asked for twice, or read from --passphrase-file.\n"     \
    "It cannot be got back: a key whose passphrase is lost is lost.\n"

const struct cli_command cmd_key_new = {
    .name = "key new",
    .arguments = "FILE",
    .summary = "make a key, print its address",
    .details = "The file is new and readable by its owner only. Whoever holds"
               " it holds the\naccount: keep a copy in a safe place.\n"
               "With --encrypt a passphrase is needed to use it.\n"
               "\n" PASSPHRASE_DETAILS,
    .examples = "  potctl key new alice.key\n"
                "  potctl key new --encrypt alice.key\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {{"encrypt", NULL, "under a passphrase"}},
    .run = run_new,
};

const struct cli_command cmd_key_encrypt = {
    .name = "key encrypt",
    .arguments = "FILE",
    .summary = "put a key file under a passphrase",
    .details = "The file is replaced as a whole. Copies of the old one, and"
               " what the disk still\nholds of it, stay in plain.\n"
               "\n" PASSPHRASE_DETAILS,
    .examples = "  potctl key encrypt alice.key\n"
                "  potctl key encrypt alice.key --passphrase-file -\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_encrypt,
};

const struct cli_command cmd_key_decrypt = {
    .name = "key decrypt",
    .arguments = "FILE",
    .summary = "write a key file in plain again",
    .examples = "  potctl key decrypt alice.key\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_decrypt,
};

const struct cli_command cmd_key_show = {
    .name = "key show",
    .arguments = "FILE",
    .summary = "print the address of a key, encrypted or not",
    .examples = "  potctl key show alice.key\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_show,
};
