#include "config.h"

#include "base/amount.h"
#include "base/key.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_A_REQUEST 100
#define CURSOR_SIZE       128

static enum exit_code check_filters(struct ctl *ctl, const char *task,
                                    const char *miner)
{
    struct public_key key;
    if (task != NULL && !show_is_hash(task)) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "--task %s: a task id is 64 hex digits; `potctl tasks`"
                        " lists them",
                        task);
    }
    if (miner != NULL && address_parse(&key, miner) != POT_OK) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "--miner %s: not an address, pot1...", miner);
    }
    return EXIT_CODE_DONE;
}

static void print_record(struct ctl *ctl, json_t *record)
{
    char text[AMOUNT_TEXT_SIZE];
    if (ctl->is_json) {
        ctl_print_json(ctl, json_incref(record));
        return;
    }
    struct amount amount = {client_units(record, "amount")};
    (void)printf("height %-8" PRIu64 " round %-6" PRIu64
                 " %-10s %14s POT  %s\n",
                 client_count(record, "height"), client_count(record, "round"),
                 client_text(record, "for"), amount_format(amount, text),
                 client_text(record, "to"));
}

/* What the next request continues from: "" when there is no more. */
static void read_cursor(char cursor[static CURSOR_SIZE], const json_t *json)
{
    const json_t *next = json_object_get(json, "next");
    cursor[0] = '\0';
    if (json_is_integer(next)) {
        (void)snprintf(cursor, CURSOR_SIZE, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(next));
    } else if (json_is_string(next)) {
        const char *text = json_string_value(next);
        size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");
        if (text[good] == '\0') {
            (void)snprintf(cursor, CURSOR_SIZE, "%s", text);
        }
    }
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    const char *task = cli_value(args, "task");
    const char *miner = cli_value(args, "miner");
    char cursor[CURSOR_SIZE] = "";
    char last[CURSOR_SIZE];
    enum exit_code rc = check_filters(ctl, task, miner);
    while (rc == EXIT_CODE_DONE) {
        json_t *json;
        json_t *record;
        size_t i;
        rc = client_get(
            &json, ctl, "/v1/rewards?limit=%d%s%s%s%s%s%s", RECORDS_A_REQUEST,
            task != NULL ? "&task=" : "", task != NULL ? task : "",
            miner != NULL ? "&address=" : "", miner != NULL ? miner : "",
            cursor[0] != '\0' ? "&from=" : "", cursor);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        json_array_foreach(json_object_get(json, "rewards"), i, record)
        {
            print_record(ctl, record);
        }
        memcpy(last, cursor, sizeof(last));
        read_cursor(cursor, json);
        json_decref(json);
        if (cursor[0] == '\0' || strcmp(cursor, last) == 0) {
            break;
        }
    }
    return rc;
}

const struct cli_command cmd_rewards = {
    .name = "rewards",
    .arguments = "",
    .summary = "list reward and slash records",
    .details = "With --json a line each.\n",
    .examples = "  potctl rewards --task ID\n"
                "  potctl rewards --miner pot1... --json\n",
    .options = {{"task", "ID", "those of a task"},
                {"miner", "ADDRESS", "those that an account got"}},
    .run = run,
};
