/* argv is read in two passes of option_next: the first stops at the command
 * and knows the global options only, the second knows the command's too and
 * takes both kinds in any order. */
#include "config.h"

#include "ctl/cli.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/option.h"
#include "base/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS_MAX 64

/* What option_next returns for an option: its place in the list, from here
 * up, so that it is no character. */
#define GLOBAL_BASE  1000
#define COMMAND_BASE 2000

enum global {
    GLOBAL_NODE,
    GLOBAL_KEY,
    GLOBAL_PASSPHRASE,
    GLOBAL_JSON,
    GLOBAL_WAIT,
    GLOBAL_QUIET,
    GLOBAL_TIMEOUT,
    GLOBAL_HELP,
    GLOBAL_VERSION,
    GLOBAL_COUNT,
};

static const struct cli_option globals[GLOBAL_COUNT] = {
    [GLOBAL_NODE] = {"node", "URL",
                     "the node to ask (POTCTL_NODE; " CTL_NODE_DEFAULT ")"},
    [GLOBAL_KEY] = {"key", "FILE", "the key that signs (POTCTL_KEY)"},
    [GLOBAL_PASSPHRASE] = {"passphrase-file", "FILE",
                           "its passphrase, \"-\" for stdin"
                           " (POTCTL_PASSPHRASE_FILE)"},
    [GLOBAL_JSON] = {"json", NULL, "print JSON"},
    [GLOBAL_WAIT] = {"wait", NULL,
                     "until a transaction is committed, a task has ended"},
    [GLOBAL_QUIET] = {"quiet", NULL, "print no notes and no progress"},
    [GLOBAL_TIMEOUT] = {"timeout", "TIME",
                        "give up after 10s, 500ms or 2m; 10 is 10s"},
    [GLOBAL_HELP] = {"help", NULL, "say how to use potctl or a command"},
    [GLOBAL_VERSION] = {"version", NULL, "print version and protocol"},
};

struct cli {
    struct ctl *ctl;
    const struct cli_command *const *commands;
    size_t count;
    bool wants_help;
    bool wants_version;
    struct option longs[GLOBAL_COUNT + CLI_OPTIONS_MAX + 1];
    const char *names[GLOBAL_COUNT + CLI_OPTIONS_MAX];
    size_t long_count;
};

/* ---- help */

static void print_options(const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++) {
        char left[64];
        (void)snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
                       options[i].value != NULL ? " " : "",
                       options[i].value != NULL ? options[i].value : "");
        (void)printf("  %-22s %s\n", left, options[i].help);
    }
}

static void print_help(const struct cli *cli, FILE *out)
{
    (void)fprintf(out, "usage: potctl [OPTIONS] COMMAND [ARGUMENTS]\n\n");
    for (size_t i = 0; i < cli->count; i++) {
        (void)fprintf(out, "  %-16s %s\n", cli->commands[i]->name,
                      cli->commands[i]->summary);
    }
    (void)fprintf(out, "\nexamples:\n"
                       "  potctl testnet init --dir net\n"
                       "  potctl testnet up --dir net --detach\n"
                       "  potctl --node http://127.0.0.1:26651 status\n"
                       "\n`potctl help COMMAND` tells more.\n");
}

static void print_command_help(const struct cli_command *command)
{
    (void)printf("usage: potctl %s%s%s%s\n\n%s\n", command->name,
                 command->options[0].name != NULL ? " [OPTIONS]" : "",
                 command->arguments[0] != '\0' ? " " : "", command->arguments,
                 command->summary);
    if (command->details != NULL) {
        (void)printf("\n%s", command->details);
    }
    (void)printf("\nexamples:\n%s", command->examples);
    if (command->options[0].name != NULL) {
        (void)printf("\noptions:\n");
        print_options(command->options, CLI_OPTIONS_MAX);
    }
    (void)printf("\nglobal options:\n");
    print_options(globals, GLOBAL_COUNT);
}

/* ---- finding the command */

static const struct cli_command *find(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->count; i++) {
        if (strcmp(cli->commands[i]->name, name) == 0) {
            return cli->commands[i];
        }
    }
    return NULL;
}

/* The commands that begin with word and a space, as "a, b or c". */
static bool list_family(const struct cli *cli, const char *word, char *out,
                        size_t size)
{
    size_t used = 0;
    size_t word_size = strlen(word);
    out[0] = '\0';
    for (size_t i = 0; i < cli->count; i++) {
        const char *name = cli->commands[i]->name;
        if (strncmp(name, word, word_size) == 0 && name[word_size] == ' ' &&
            used < size) {
            int n = snprintf(out + used, size - used, "%s%s",
                             used > 0 ? ", " : "", name + word_size + 1);
            used += (size_t)n;
        }
    }
    return used > 0;
}

/* `potctl help store`, `potctl store --help`: false: no command begins so. */
static bool print_family(const struct cli *cli, const char *word)
{
    char names[256];
    size_t size = strlen(word);
    if (!list_family(cli, word, names, sizeof(names))) {
        return false;
    }
    (void)printf("usage: potctl %s COMMAND [OPTIONS]\n\n", word);
    for (size_t i = 0; i < cli->count; i++) {
        const struct cli_command *command = cli->commands[i];
        if (strncmp(command->name, word, size) == 0 &&
            command->name[size] == ' ') {
            (void)printf("  %-16s %s\n", command->name, command->summary);
        }
    }
    (void)printf("\n`potctl help %s COMMAND` tells more.\n", word);
    return true;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static enum exit_code unknown_command(const struct cli *cli, const char *first,
                                      const char *second)
{
    char family[256];
    char hint[SUGGEST_TEXT_SIZE];
    char name[128];
    const char *names[COMMANDS_MAX];
    for (size_t i = 0; i < cli->count; i++) {
        names[i] = cli->commands[i]->name;
    }
    bool has_family = list_family(cli, first, family, sizeof(family));
    if (has_family && second == NULL) {
        return ctl_fail(cli->ctl, EXIT_CODE_USAGE,
                        "\"%s\" needs one of: %s; see `potctl help`", first,
                        family);
    }
    (void)snprintf(name, sizeof(name), "%.60s%s%.60s", first,
                   has_family ? " " : "", has_family ? second : "");
    (void)suggest_text(hint, "", name, names, cli->count);
    return ctl_fail(cli->ctl, EXIT_CODE_USAGE, "unknown command \"%s\"%s%s",
                    name, hint, hint[0] == '\0' ? "; see `potctl help`" : "");
}

/* Two words are tried before one; *used is how many were taken. */
static enum exit_code find_command(const struct cli *cli,
                                   const struct cli_command **out, int argc,
                                   char **argv, int *used)
{
    char both[128];
    const char *second = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    if (second != NULL) {
        (void)snprintf(both, sizeof(both), "%s %s", argv[0], second);
        *out = find(cli, both);
        *used = 2;
        if (*out != NULL) {
            return EXIT_CODE_DONE;
        }
    }
    *out = find(cli, argv[0]);
    *used = 1;
    return *out != NULL ? EXIT_CODE_DONE
                        : unknown_command(cli, argv[0], second);
}

/* ---- options */

static void add_options(struct cli *cli, const struct cli_option *options,
                        size_t count, int base)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++) {
        cli->names[cli->long_count] = options[i].name;
        cli->longs[cli->long_count++] = (struct option){
            .name = options[i].name,
            .has_arg =
                options[i].value != NULL ? required_argument : no_argument,
            .val = base + (int)i,
        };
    }
    cli->longs[cli->long_count] = (struct option){0};
}

static enum exit_code take_global(struct cli *cli, enum global option,
                                  const char *value)
{
    struct ctl *ctl = cli->ctl;
    switch (option) {
    case GLOBAL_NODE:
        ctl->node = value;
        break;
    case GLOBAL_KEY:
        ctl->key_path = value;
        break;
    case GLOBAL_PASSPHRASE:
        ctl->passphrase_file = value;
        break;
    case GLOBAL_JSON:
        ctl->is_json = true;
        break;
    case GLOBAL_WAIT:
        ctl->is_waiting = true;
        break;
    case GLOBAL_QUIET:
        ctl->is_quiet = true;
        break;
    case GLOBAL_TIMEOUT:
        if (!ctl_parse_timeout(&ctl->timeout_ms, value)) {
            return ctl_fail(ctl, EXIT_CODE_USAGE,
                            "--timeout %s: must be a time such as 10s, 500ms"
                            " or 2m",
                            value);
        }
        ctl->deadline_ms = clock_steady_ms() + ctl->timeout_ms;
        break;
    case GLOBAL_HELP:
        cli->wants_help = true;
        break;
    case GLOBAL_VERSION:
        cli->wants_version = true;
        break;
    case GLOBAL_COUNT:
        break;
    }
    return EXIT_CODE_DONE;
}

static enum exit_code bad_option(const struct cli *cli, int result,
                                 const char *word)
{
    char hint[SUGGEST_TEXT_SIZE];
    char name[64];
    if (result == ':') {
        return ctl_fail(cli->ctl, EXIT_CODE_USAGE,
                        "option %s needs a value; see `potctl help`", word);
    }
    const char *bare = word + strspn(word, "-");
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(bare, "="), bare);
    (void)suggest_text(hint, "--", name, cli->names, cli->long_count);
    return ctl_fail(cli->ctl, EXIT_CODE_USAGE,
                    "unknown or unfit option \"%s\"%s%s", word, hint,
                    hint[0] == '\0' ? "; see `potctl help`" : "");
}

/* An option behind another is not its value: most often a variable of the
 * shell was empty. */
static enum exit_code no_value(const struct cli *cli, const char *option,
                               const char *next)
{
    return ctl_fail(cli->ctl, EXIT_CODE_USAGE,
                    "option --%s needs a value, and \"%s\" looks like the next"
                    " option; is a variable empty?",
                    option, next);
}

/* One pass; args NULL: the first, which ends at the first word. */
static enum exit_code read_options(struct cli *cli, struct cli_args *args,
                                   int argc, char **argv)
{
    opterr = 0;
    optind = 0; /* glibc: start afresh */
    for (;;) {
        int at = 0;
        int result = option_next(argc, argv, args == NULL ? "+:hV" : ":hV",
                                 cli->longs, &at);
        enum exit_code rc = EXIT_CODE_DONE;
        if (result == -1) {
            return EXIT_CODE_DONE;
        }
        if (result == 'h' || result == 'V') {
            rc = take_global(cli, result == 'h' ? GLOBAL_HELP : GLOBAL_VERSION,
                             NULL);
        } else if (optarg != NULL && strncmp(optarg, "--", 2) == 0) {
            rc = no_value(cli, cli->longs[at].name, optarg);
        } else if (result >= COMMAND_BASE) {
            args->values[result - COMMAND_BASE] = optarg != NULL ? optarg : "";
        } else if (result >= GLOBAL_BASE) {
            rc = take_global(cli, (enum global)(result - GLOBAL_BASE), optarg);
        } else {
            /* getopt moves words about: the bad one lies just before. */
            const char *word = argv[optind > 1 ? optind - 1 : 1];
            rc = bad_option(cli, result, word);
        }
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
}

const char *cli_value(const struct cli_args *args, const char *name)
{
    for (size_t i = 0; i < CLI_OPTIONS_MAX; i++) {
        const char *known = args->command->options[i].name;
        if (known != NULL && strcmp(known, name) == 0) {
            return args->values[i];
        }
    }
    POT_ASSERT(!"an option of this command");
    return NULL;
}

enum exit_code cli_required(const char **out, struct ctl *ctl,
                            const struct cli_args *args, const char *name)
{
    *out = cli_value(args, name);
    if (*out != NULL) {
        return EXIT_CODE_DONE;
    }
    return ctl_fail(ctl, EXIT_CODE_USAGE, "%s needs --%s; see `potctl help %s`",
                    args->command->name, name, args->command->name);
}

enum exit_code cli_count(uint64_t *out, struct ctl *ctl,
                         const struct cli_args *args, const char *name,
                         uint64_t min, uint64_t max, uint64_t usual)
{
    const char *text = cli_value(args, name);
    *out = usual;
    if (text == NULL) {
        return EXIT_CODE_DONE;
    }
    if (!ctl_parse_count(out, text, max) || *out < min) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "--%s %s: must be a number from %llu to %llu", name,
                        text, (unsigned long long)min, (unsigned long long)max);
    }
    return EXIT_CODE_DONE;
}

/* ---- running it */

static enum exit_code check_arguments(struct cli *cli, struct cli_args *args,
                                      int argc, char **argv)
{
    const struct cli_command *command = args->command;
    size_t count = (size_t)(argc - optind);
    if (count < command->arguments_min || count > command->arguments_max) {
        return ctl_fail(
            cli->ctl, EXIT_CODE_USAGE,
            "%s takes %s%s, not %zu argument%s; see `potctl help %s`",
            command->name, command->arguments[0] == '\0' ? "no argument" : "",
            command->arguments, count, count == 1 ? "" : "s", command->name);
    }
    for (size_t i = 0; i < count; i++) {
        args->arguments[args->argument_count++] = argv[optind + (int)i];
    }
    return EXIT_CODE_DONE;
}

/* potctl help [--list] [COMMAND]: --list is for the shell's completion. */
static enum exit_code help(struct cli *cli, int argc, char **argv)
{
    bool is_list = argc > 0 && strcmp(argv[0], "--list") == 0;
    argc -= is_list;
    argv += is_list;
    const struct cli_command *command = NULL;
    int used = 0;
    if (argc == 1 && !is_list && find(cli, argv[0]) == NULL &&
        print_family(cli, argv[0])) {
        return EXIT_CODE_DONE;
    }
    if (argc > 0) {
        enum exit_code rc = find_command(cli, &command, argc, argv, &used);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    if (argc > 0 && argc > used) {
        return ctl_fail(cli->ctl, EXIT_CODE_USAGE,
                        "help takes one command, and \"%s\" is not of \"%s\"",
                        argv[used], command->name);
    }
    if (!is_list && command == NULL) {
        print_help(cli, stdout);
        (void)printf("\nglobal options:\n");
        print_options(globals, GLOBAL_COUNT);
    } else if (!is_list) {
        print_command_help(command);
    } else if (command == NULL) {
        for (size_t i = 0; i < cli->count; i++) {
            (void)puts(cli->commands[i]->name);
        }
    } else {
        cli->long_count = 0;
        add_options(cli, command->options, CLI_OPTIONS_MAX, COMMAND_BASE);
        add_options(cli, globals, GLOBAL_COUNT, GLOBAL_BASE);
        for (size_t i = 0; i < cli->long_count; i++) {
            (void)printf("--%s\n", cli->names[i]);
        }
    }
    return EXIT_CODE_DONE;
}

static enum exit_code print_version(const struct cli *cli)
{
    if (cli->ctl->is_json) {
        (void)printf("{\"version\":\"%s\",\"protocol\":%d}\n", PACKAGE_VERSION,
                     PROTOCOL_VERSION);
    } else {
        (void)printf("potctl %s, protocol %d\n", PACKAGE_VERSION,
                     PROTOCOL_VERSION);
    }
    return EXIT_CODE_DONE;
}

static enum exit_code run_command(struct cli *cli, int argc, char **argv)
{
    struct cli_args args = {0};
    int used;
    bool is_one_word = argc == 1 || argv[1][0] == '-';
    bool wants_help = cli->wants_help || (argc > 1 && is_help(argv[1]));
    if (is_one_word && wants_help && find(cli, argv[0]) == NULL &&
        print_family(cli, argv[0])) {
        return EXIT_CODE_DONE;
    }
    enum exit_code rc = find_command(cli, &args.command, argc, argv, &used);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    add_options(cli, args.command->options, CLI_OPTIONS_MAX, COMMAND_BASE);
    /* The command's last word stands where getopt expects the program. */
    argc -= used - 1;
    argv += used - 1;
    rc = read_options(cli, &args, argc, argv);
    if (rc == EXIT_CODE_DONE && cli->wants_help) {
        print_command_help(args.command);
        return EXIT_CODE_DONE;
    }
    if (rc == EXIT_CODE_DONE && cli->wants_version) {
        return print_version(cli);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = check_arguments(cli, &args, argc, argv);
    }
    return rc == EXIT_CODE_DONE ? args.command->run(cli->ctl, &args) : rc;
}

enum exit_code cli_run(struct ctl *ctl,
                       const struct cli_command *const *commands, size_t count,
                       int argc, char **argv)
{
    POT_ASSERT(count <= COMMANDS_MAX);
    struct cli cli = {.ctl = ctl, .commands = commands, .count = count};
    add_options(&cli, globals, GLOBAL_COUNT, GLOBAL_BASE);
    enum exit_code rc = read_options(&cli, NULL, argc, argv);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    argc -= optind;
    argv += optind;
    if (argc > 0 && strcmp(argv[0], "help") == 0) {
        return help(&cli, argc - 1, argv + 1);
    }
    if (argc > 0) {
        return run_command(&cli, argc, argv);
    }
    if (cli.wants_help) {
        return help(&cli, 0, argv);
    }
    if (cli.wants_version) {
        return print_version(&cli);
    }
    print_help(&cli, stderr);
    return ctl_fail(ctl, EXIT_CODE_USAGE, "no command was given");
}
