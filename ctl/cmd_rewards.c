#include "config.h"

#include "base/amount.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/given.h"
#include "ctl/reward_why.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_A_REQUEST 100
#define CURSOR_SIZE       128

static enum exit_code check_filters(struct ctl *ctl, const char *task,
                                    const char *miner)
{
    struct hash id;
    struct public_key key;
    enum exit_code rc = EXIT_CODE_DONE;
    if (task != NULL) {
        rc = given_task(&id, ctl, "--task ", task);
    }
    return rc == EXIT_CODE_DONE && miner != NULL
               ? given_address(&key, ctl, "--miner ", miner)
               : rc;
}

static void print_record(struct ctl *ctl, json_t *record, const char *why)
{
    char text[AMOUNT_TEXT_SIZE];
    if (ctl->is_json) {
        (void)json_object_set_new(record, "why", json_string(why));
        ctl_print_json(ctl, json_incref(record));
        return;
    }
    struct amount amount = {client_units(record, "amount")};
    (void)printf("height %-8" PRIu64 " round %-6" PRIu64
                 " %-10s %14s POT  %s%s%s\n",
                 client_count(record, "height"), client_count(record, "round"),
                 client_text(record, "for"), amount_format(amount, text),
                 client_text(record, "to"), why[0] != '\0' ? "  " : "", why);
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

static enum exit_code explain(struct ctl *ctl, struct reward_blocks *blocks,
                              json_t *record)
{
    char why[REWARD_WHY_SIZE];
    enum exit_code rc = reward_why(why, ctl, blocks, record);
    if (rc == EXIT_CODE_DONE) {
        print_record(ctl, record, why);
    }
    return rc;
}

/* Nothing was found: what stood in blocks that are pruned is not seen. */
static enum exit_code tell_none(struct ctl *ctl)
{
    json_t *status;
    enum exit_code rc = client_get(&status, ctl, "/v1/status");
    uint64_t lowest = client_count(status, "lowest_block");
    json_decref(status);
    if (rc == EXIT_CODE_DONE && lowest > 1) {
        ctl_note(ctl,
                 "no reward or slash of those is held here: this node keeps"
                 " blocks from height %" PRIu64 " on; ask one that keeps all",
                 lowest);
    } else if (rc == EXIT_CODE_DONE) {
        ctl_note(ctl, "no reward or slash of those yet");
    }
    return rc;
}

static enum exit_code list_paid(struct ctl *ctl, struct reward_blocks *blocks,
                                const char *task, const char *miner)
{
    char cursor[CURSOR_SIZE] = "";
    char last[CURSOR_SIZE];
    size_t count = 0;
    enum exit_code rc = EXIT_CODE_DONE;
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
        count += json_array_size(json_object_get(json, "rewards"));
        json_array_foreach(json_object_get(json, "rewards"), i, record)
        {
            if (rc == EXIT_CODE_DONE) {
                rc = explain(ctl, blocks, record);
            }
        }
        memcpy(last, cursor, sizeof(last));
        read_cursor(cursor, json);
        json_decref(json);
        if (cursor[0] == '\0' || strcmp(cursor, last) == 0) {
            break;
        }
    }
    return rc == EXIT_CODE_DONE && count == 0 ? tell_none(ctl) : rc;
}

/* An id that is none would look like a task that paid nothing. */
static enum exit_code check_task(struct ctl *ctl, const char *task)
{
    json_t *json;
    enum exit_code rc = client_get(&json, ctl, "/v1/tasks/%s", task);
    json_decref(json);
    return rc;
}

/* ---- rounds without pay */

static void print_unpaid(struct ctl *ctl, const json_t *round, const char *task,
                         const char *miner, enum reward_part part)
{
    const char *why = part == REWARD_PART_REFUSED
                          ? "refused by more validators than may be faulty"
                          : "not counted: late, away or not a member then";
    json_t *record =
        json_pack("{sI ss sI ss ss ss}", "height",
                  (json_int_t)client_count(round, "height"), "task", task,
                  "round", (json_int_t)client_count(round, "round"), "to",
                  miner, "amount", "0", "for", "nothing");
    print_record(ctl, record, why);
    json_decref(record);
}

/* What was found so far. */
struct unpaid {
    bool is_there; /* something of the miner, paid or not */
    size_t count;
};

/* From the first round on in which there was something of the miner. */
static enum exit_code take_rounds(struct ctl *ctl, struct reward_blocks *blocks,
                                  const json_t *rounds, const char *task,
                                  const char *miner, struct unpaid *found)
{
    size_t i;
    const json_t *round;
    json_array_foreach(rounds, i, round)
    {
        enum reward_part part;
        enum exit_code rc = reward_part(
            &part, ctl, blocks, client_count(round, "height"), task, miner);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        found->is_there = found->is_there || part != REWARD_PART_NONE;
        if (found->is_there && part != REWARD_PART_COUNTED) {
            found->count++;
            print_unpaid(ctl, round, task, miner, part);
        }
    }
    return EXIT_CODE_DONE;
}

static enum exit_code list_unpaid(struct ctl *ctl, struct reward_blocks *blocks,
                                  const char *task, const char *miner)
{
    struct unpaid found = {false, 0};
    size_t count = 1;
    for (uint64_t from = 0; count > 0;) {
        json_t *json;
        enum exit_code rc = client_get(
            &json, ctl, "/v1/tasks/%s/rounds?from=%" PRIu64 "&limit=%d", task,
            from, RECORDS_A_REQUEST);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        const json_t *rounds = json_object_get(json, "rounds");
        count = json_array_size(rounds);
        from = client_count(json, "next");
        rc = take_rounds(ctl, blocks, rounds, task, miner, &found);
        json_decref(json);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    if (found.count == 0) {
        ctl_note(ctl, "%s",
                 found.is_there
                     ? "no round without pay since its first one"
                     : "nothing of that miner in a closed round of the task");
    }
    return EXIT_CODE_DONE;
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    struct reward_blocks blocks = {0};
    const char *task = cli_value(args, "task");
    const char *miner = cli_value(args, "miner");
    bool is_unpaid = cli_value(args, "unpaid") != NULL;
    enum exit_code rc = check_filters(ctl, task, miner);
    if (rc == EXIT_CODE_DONE && is_unpaid && (task == NULL || miner == NULL)) {
        rc = ctl_fail(ctl, EXIT_CODE_USAGE,
                      "--unpaid asks about one miner's rounds of one task:"
                      " name --task and --miner");
    } else if (rc == EXIT_CODE_DONE && task == NULL && miner == NULL) {
        rc = ctl_fail(ctl, EXIT_CODE_USAGE,
                      "rewards needs --task ID, --miner ADDRESS or both");
    }
    if (rc == EXIT_CODE_DONE && task != NULL) {
        rc = check_task(ctl, task);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = is_unpaid ? list_unpaid(ctl, &blocks, task, miner)
                       : list_paid(ctl, &blocks, task, miner);
    }
    reward_blocks_fini(&blocks);
    return rc;
}

const struct cli_command cmd_rewards = {
    .name = "rewards",
    .arguments = "",
    .summary = "list reward and slash records",
    .details = "Needs --task, --miner or both.  Says of each why it is there:"
               " so many accepted\nrows, audited or not; why it was slashed."
               "  With --unpaid instead the rounds\nthat brought a miner"
               " nothing, and why.  With --json a line each.\n",
    .examples = "  potctl rewards --task ID\n"
                "  potctl rewards --miner pot1... --json\n"
                "  potctl rewards --task ID --miner pot1... --unpaid\n",
    .options = {{"task", "ID", "those of a task"},
                {"miner", "ADDRESS", "those that an account got"},
                {"unpaid", NULL, "a miner's rounds of a task without pay"}},
    .run = run,
};
