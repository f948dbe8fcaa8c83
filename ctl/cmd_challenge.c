/* The commands challenge and challenges. */
#include "config.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/hex.h"
#include "ctl/answer.h"
#include "ctl/challenges.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/given.h"
#include "ctl/sender.h"
#include "ctl/waiting.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_SIZE 16
#define POLL_MS     300

/* ---- challenge */

static enum exit_code check_arguments(struct ctl *ctl,
                                      const struct cli_args *args)
{
    struct hash task;
    struct public_key miner;
    const char *round = args->arguments[1];
    enum exit_code rc = given_task(&task, ctl, "", args->arguments[0]);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (round[0] == '\0' || strspn(round, "0123456789") != strlen(round)) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "%s: not a round; they are counted from 0, as in"
                        " `potctl rewards`",
                        round);
    }
    return given_address(&miner, ctl, "", args->arguments[2]);
}

/* NULL: none of that miner was counted. */
static const json_t *find_counted(const json_t *submissions, const char *miner)
{
    size_t i;
    const json_t *one;
    json_array_foreach(submissions, i, one)
    {
        if (strcmp(client_text(one, "miner"), miner) == 0) {
            return one;
        }
    }
    return NULL;
}

/* NULL: the node's answer holds no message. */
static Pot__Signed *message_of(const json_t *submission)
{
    const char *hex = client_text(submission, "message");
    size_t size = strlen(hex) / 2;
    Pot__Signed *message = NULL;
    uint8_t *data = pot_alloc(size + 1);
    if (hex_parse(data, size, hex) != POT_OK ||
        CODEC_DECODE(&message, pot__signed, data, size) != POT_OK) {
        message = NULL;
    }
    free(data);
    return message;
}

/* What became of it; "open": nothing yet. */
static enum exit_code read_status(char status[static STATUS_SIZE],
                                  struct ctl *ctl, const char *task,
                                  const char *submission)
{
    size_t i;
    json_t *list;
    const json_t *one;
    enum exit_code rc = challenges_get(&list, ctl, task);
    (void)snprintf(status, STATUS_SIZE, "open");
    json_array_foreach(list, i, one)
    {
        if (strcmp(client_text(one, "submission"), submission) == 0) {
            (void)snprintf(status, STATUS_SIZE, "%s",
                           client_text(one, "status"));
            break;
        }
    }
    json_decref(list);
    return rc;
}

static enum exit_code await_verdict(char status[static STATUS_SIZE],
                                    struct ctl *ctl, const char *task,
                                    const Pot__Signed *message)
{
    struct hash hash;
    char text[HASH_TEXT_SIZE];
    struct waiting waiting = {0};
    signed_hash(&hash, SIGNED_SUBMISSION, message);
    (void)hash_format(&hash, text);
    enum exit_code rc = read_status(status, ctl, task, text);
    while (rc == EXIT_CODE_DONE && strcmp(status, "open") == 0) {
        (void)waiting_tell(&waiting, ctl, "");
        rc = ctl_pause(ctl, POLL_MS, "the validators' verdict");
        if (rc == EXIT_CODE_DONE) {
            rc = read_status(status, ctl, task, text);
        }
    }
    return rc;
}

static enum exit_code send_challenge(struct ctl *ctl, const char *task,
                                     Pot__Signed *message)
{
    struct sender sender;
    Pot__Challenge challenge = POT__CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    json_t *out = NULL;
    char status[STATUS_SIZE] = "";
    challenge.submission = message;
    body.action_case = POT__TX_BODY__ACTION_CHALLENGE;
    body.challenge = &challenge;
    enum exit_code rc = sender_init(&sender, ctl);
    if (rc == EXIT_CODE_DONE) {
        rc = sender_carry_out(&out, &sender, &body,
                              sender.params.challenge_deposit);
    }
    if (rc == EXIT_CODE_DONE) {
        char text[AMOUNT_TEXT_SIZE];
        struct amount deposit = {sender.params.challenge_deposit};
        ctl_note(ctl,
                 "deposit: %s POT, lost if the gradient is right; `potctl"
                 " challenges` shows the verdict",
                 amount_format(deposit, text));
    }
    if (rc == EXIT_CODE_DONE && ctl->is_waiting) {
        rc = await_verdict(status, ctl, task, message);
        (void)json_object_set_new(out, "status", json_string(status));
    }
    if (rc == EXIT_CODE_DONE) {
        sender_tell(&sender, out);
    } else {
        json_decref(out);
    }
    if (rc == EXIT_CODE_DONE && ctl->is_waiting) {
        ctl_print(ctl, "%s: %s\n", status, challenges_meaning(status));
    }
    sender_fini(&sender);
    return rc;
}

/* What the ledger's rules say of a round, in the order in which they are. */
struct window {
    bool is_exact;
    uint64_t closed_height;
    uint64_t closed_ms;
    uint64_t blocks;
    uint64_t ms;
    uint64_t height; /* the tip's */
    uint64_t now_ms;
};

static enum exit_code read_tip(struct window *w, struct ctl *ctl)
{
    json_t *json;
    enum exit_code rc = client_get(&json, ctl, "/v1/status");
    w->height = client_count(json, "height");
    w->now_ms = client_count(json, "block_time_ms");
    json_decref(json);
    if (rc == EXIT_CODE_DONE) {
        rc = client_get(&json, ctl, "/v1/params");
        w->blocks = client_count(json, "challenge_blocks");
        w->ms = client_count(json, "challenge_ms");
        json_decref(json);
    }
    return rc;
}

static enum exit_code read_window(struct window *w, struct ctl *ctl,
                                  const char *task, const char *round)
{
    json_t *json;
    enum exit_code rc = client_get(&json, ctl, "/v1/tasks/%s", task);
    *w = (struct window){0};
    w->is_exact = strcmp(client_text(json, "numerics"), "exact") == 0;
    json_decref(json);
    if (rc == EXIT_CODE_DONE) {
        rc = client_get(&json, ctl, "/v1/tasks/%s/rounds?from=%s&limit=1", task,
                        round);
        w->closed_height = client_count(
            json_array_get(json_object_get(json, "rounds"), 0), "height");
        json_decref(json);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = client_get(&json, ctl, "/v1/blocks/%" PRIu64, w->closed_height);
        w->closed_ms = client_count(json, "time_ms");
        json_decref(json);
    }
    return rc == EXIT_CODE_DONE ? read_tip(w, ctl) : rc;
}

/* Says of a submission that cannot be challenged why, where that is the
 * round's or the task's; else the node's own words stand. */
static enum exit_code explain_refusal(struct ctl *ctl, const char *task,
                                      const char *round)
{
    struct window w;
    char said[CTL_ERROR_SIZE];
    (void)snprintf(said, sizeof(said), "%s", ctl->error);
    if (strstr(said, "no such submission was counted") == NULL) {
        return EXIT_CODE_REJECTED;
    }
    enum exit_code rc = read_window(&w, ctl, task, round);
    if (rc == EXIT_CODE_DONE && !w.is_exact) {
        return ctl_fail(ctl, EXIT_CODE_REJECTED,
                        "only rounds of a task with numerics = \"exact\" can"
                        " be challenged: those of this one may differ from one"
                        " machine to another");
    }
    if (rc == EXIT_CODE_DONE && w.height > w.closed_height + w.blocks &&
        w.now_ms > w.closed_ms + w.ms) {
        return ctl_fail(ctl, EXIT_CODE_REJECTED,
                        "too late: round %s closed at height %" PRIu64
                        ", %" PRIu64 " blocks and %" PRIu64
                        " s ago, and could be challenged for %" PRIu64
                        " blocks and %" PRIu64
                        " s; challenge a later round, soon after it closed",
                        round, w.closed_height, w.height - w.closed_height,
                        (w.now_ms - w.closed_ms) / 1000, w.blocks, w.ms / 1000);
    }
    return ctl_fail(ctl, EXIT_CODE_REJECTED, "%s", said);
}

static enum exit_code run_challenge(struct ctl *ctl,
                                    const struct cli_args *args)
{
    json_t *json;
    enum exit_code rc = check_arguments(ctl, args);
    if (rc == EXIT_CODE_DONE) {
        rc = client_get(&json, ctl, "/v1/tasks/%s/rounds/%s/submissions",
                        args->arguments[0], args->arguments[1]);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    const json_t *all = json_object_get(json, "submissions");
    const json_t *counted = find_counted(all, args->arguments[2]);
    Pot__Signed *message = counted != NULL ? message_of(counted) : NULL;
    if (counted == NULL) {
        size_t count = json_array_size(all);
        rc = ctl_fail(ctl, EXIT_CODE_REJECTED,
                      "round %s counts %zu submission%s and none of %s, which"
                      " is what can be challenged; `potctl rewards --task ID`"
                      " shows who was paid",
                      args->arguments[1], count, count == 1 ? "" : "s",
                      args->arguments[2]);
    } else if (message == NULL) {
        rc = ctl_fail(ctl, EXIT_CODE_FAILED,
                      "the node's answer does not hold what %s submitted: it"
                      " cannot be read; ask another node",
                      args->arguments[2]);
    } else {
        rc = send_challenge(ctl, args->arguments[0], message);
    }
    if (rc == EXIT_CODE_REJECTED && message != NULL) {
        rc = explain_refusal(ctl, args->arguments[0], args->arguments[1]);
    }
    json_decref(json);
    codec_free(message);
    return rc;
}

const struct cli_command cmd_challenge = {
    .name = "challenge",
    .arguments = "TASK ROUND MINER",
    .summary = "say that a miner's counted gradient is false",
    .details = "Of an exact task, while the round can be challenged.  Rounds"
               " are counted from\n0, as in rewards.  Takes a stake of either"
               " role, and a deposit\n(challenge_deposit of the genesis,"
               " usually 1 POT), which comes back if\nvalidators find the"
               " gradient false, and is lost if they find it right;"
               " `potctl\nchallenges` says what they found.  A round can be"
               " challenged until\nchallenge_blocks blocks and challenge_ms"
               " have passed since it closed, usually\n20 and 30 s.  With"
               " --wait until they have said which, as \"status\" with"
               " --json.\n",
    .examples = "  potctl challenge ID 12 pot1...\n"
                "  potctl challenge ID 12 pot1... --wait\n",
    .arguments_min = 3,
    .arguments_max = 3,
    .run = run_challenge,
};

/* ---- challenges */

static void cell_meaning(struct table *table, const json_t *row,
                         const char *key)
{
    table_text(table, challenges_meaning(client_text(row, key)));
}

/* Whether there is such a task; none of its gradients need be challenged. */
static enum exit_code check_task(struct ctl *ctl, const char *task)
{
    json_t *json;
    enum exit_code rc = client_get(&json, ctl, "/v1/tasks/%s", task);
    json_decref(json);
    return rc;
}

static enum exit_code run_challenges(struct ctl *ctl,
                                     const struct cli_args *args)
{
    static const struct answer_column columns[] = {
        {">height", answer_count, "height"},
        {"status", answer_text, "status"},
        {">slashed", answer_units, "slashed"},
        {">rewarded", answer_units, "rewarded"},
        {">round", answer_count, "round"},
        {"miner", answer_text, "miner"},
        {"challenger", answer_text, "challenger"},
        {"task", answer_text, "task"},
        {"meaning", cell_meaning, "status"},
        {NULL, NULL, NULL},
    };
    struct hash id;
    json_t *list;
    const char *task = cli_value(args, "task");
    enum exit_code rc = EXIT_CODE_DONE;
    if (task != NULL) {
        rc = given_task(&id, ctl, "--task ", task);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = challenges_get(&list, ctl, task);
    }
    if (rc == EXIT_CODE_DONE && task != NULL && json_array_size(list) == 0) {
        rc = check_task(ctl, task);
        if (rc != EXIT_CODE_DONE) {
            json_decref(list);
        }
    }
    if (rc == EXIT_CODE_DONE) {
        if (!ctl->is_json) {
            answer_rows(list, columns);
        }
        ctl_print_json(ctl, json_pack("{so}", "challenges", list));
    }
    return rc;
}

const struct cli_command cmd_challenges = {
    .name = "challenges",
    .arguments = "",
    .summary = "list challenges, the latest first",
    .details = "open, upheld (the gradient was false), rejected (it was right),"
               " expired (too\nfew validators answered in time; the deposit"
               " went back to the challenger), or\nplanted (it was false on"
               " purpose: its miner loses nothing).\n",
    .examples = "  potctl challenges\n"
                "  potctl challenges --task ID --json\n",
    .options = {{"task", "ID", "those of a task"}},
    .run = run_challenges,
};
