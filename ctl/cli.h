/* cli: potctl's command line, read along a table of commands. */
#ifndef POT_CTL_CLI_H
#define POT_CTL_CLI_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/ctl.h"

#define CLI_OPTIONS_MAX   12
#define CLI_ARGUMENTS_MAX 64

struct cli_option {
    const char *name;  /* without the dashes; NULL ends the list */
    const char *value; /* what stands for its value; NULL: a flag */
    const char *help;
};

struct cli_args {
    const struct cli_command *command;
    const char *values[CLI_OPTIONS_MAX]; /* of the command's options; flags:
                                            "" when given, else NULL */
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
};

struct cli_command {
    const char *name;      /* one word or two */
    const char *arguments; /* as the usage line says them */
    const char *summary;
    const char *details;  /* paragraphs, ended by a newline; may be NULL */
    const char *examples; /* lines, each ended by a newline */
    size_t arguments_min;
    size_t arguments_max;
    struct cli_option options[CLI_OPTIONS_MAX];
    enum exit_code (*run)(struct ctl *ctl, const struct cli_args *args);
};

/* cli_run: reads argv, runs the command of commands (count of them) that it
 * names and returns the exit code; an error stands in ctl->error. */
enum exit_code cli_run(struct ctl *ctl,
                       const struct cli_command *const *commands, size_t count,
                       int argc, char **argv);

/* cli_value: the value of one of the command's options, NULL if not given. */
const char *cli_value(const struct cli_args *args, const char *name);

/* cli_count: the same as a number of min to max; usual if not given. */
POT_MUST_USE enum exit_code cli_count(uint64_t *out, struct ctl *ctl,
                                      const struct cli_args *args,
                                      const char *name, uint64_t min,
                                      uint64_t max, uint64_t usual);

/* cli_required: an option that must be there. */
POT_MUST_USE enum exit_code cli_required(const char **out, struct ctl *ctl,
                                         const struct cli_args *args,
                                         const char *name);

#endif
