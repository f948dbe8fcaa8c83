/* Commands that read the chain: blocks, block, tx. */
#include "config.h"

#include "base/amount.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/given.h"
#include "ctl/show.h"
#include "ctl/tx_reply.h"
#include "ctl/waiting.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 200

static enum exit_code first_block(uint64_t *from, struct ctl *ctl,
                                  uint64_t limit)
{
    json_t *status;
    enum exit_code rc = client_get(&status, ctl, "/v1/status");
    if (rc == EXIT_CODE_DONE) {
        uint64_t height = client_count(status, "height");
        *from = height > limit ? height - limit + 1 : 1;
        json_decref(status);
    }
    return rc;
}

static enum exit_code run_blocks(struct ctl *ctl, const struct cli_args *args)
{
    static const struct answer_column columns[] = {
        {">height", answer_count, "height"},
        {"time", answer_time, "time_ms"},
        {"hash", answer_text, "hash"},
        {">view", answer_count, "view"},
        {">txs", answer_size, "txs"},
        {">rounds", answer_size, "round_updates"},
        {NULL, NULL, NULL},
    };
    char path[96];
    uint64_t limit;
    uint64_t from;
    enum exit_code rc = cli_count(&limit, ctl, args, "limit", 1, 100, 10);
    if (rc == EXIT_CODE_DONE) {
        rc = cli_count(&from, ctl, args, "from", 1, INT64_MAX, 0);
    }
    if (rc == EXIT_CODE_DONE && from == 0) {
        rc = first_block(&from, ctl, limit);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    (void)snprintf(path, sizeof(path),
                   "/v1/blocks?from=%" PRIu64 "&limit=%" PRIu64, from, limit);
    return answer_list(ctl, path, "blocks", columns);
}

static void print_round(const json_t *round)
{
    json_t *one;
    size_t i;
    char text[AMOUNT_TEXT_SIZE];
    show_field("round update", "round %" PRIu64 " of task %s",
               client_count(round, "round"), client_text(round, "task"));
    show_text("  aggregate", round, "aggregate_hash");
    show_text("  parameters", round, "parameters_hash");
    json_array_foreach(json_object_get(round, "submissions"), i, one)
    {
        show_field("  submission", "%s  %" PRIu64 " rows%s",
                   client_text(one, "miner"), client_count(one, "rows"),
                   json_is_true(json_object_get(one, "audited")) ? "  audited"
                                                                 : "");
    }
    json_array_foreach(json_object_get(round, "rewards"), i, one)
    {
        struct amount amount = {client_units(one, "amount")};
        show_field("  reward", "%s  %s POT  %s", client_text(one, "to"),
                   amount_format(amount, text), client_text(one, "for"));
    }
}

static void print_evidence(const json_t *evidence)
{
    show_field("evidence", "%s  %s, height %" PRIu64,
               client_text(evidence, "validator"),
               client_text(evidence, "kind"), client_count(evidence, "height"));
    show_units("  slashed", evidence, "slashed");
    show_units("  rewarded", evidence, "rewarded");
    show_text("  finder", evidence, "finder");
}

static void print_block(const json_t *block)
{
    char time[SHOW_TIME_SIZE];
    json_t *one;
    size_t i;
    show_count("height", block, "height");
    show_text("hash", block, "hash");
    show_text("parent", block, "parent");
    show_field("time", "%s", show_time(time, client_count(block, "time_ms")));
    show_count("view", block, "view");
    show_text("proposer", block, "proposer");
    show_text("state root", block, "state_root");
    const json_t *commit = json_object_get(block, "commit");
    show_field("signers", "%zu",
               json_array_size(json_object_get(commit, "signers")));
    json_array_foreach(json_object_get(block, "txs"), i, one)
    {
        show_field("tx", "%s  %s", client_text(one, "hash"),
                   client_text(one, "action"));
    }
    json_array_foreach(json_object_get(block, "round_updates"), i, one)
    {
        print_round(one);
    }
    json_array_foreach(json_object_get(block, "evidence"), i, one)
    {
        print_evidence(one);
    }
}

static enum exit_code run_block(struct ctl *ctl, const struct cli_args *args)
{
    char path[96];
    uint64_t height;
    const char *which = args->arguments[0];
    bool is_hash = show_is_hash(which); /* of digits alone too */
    bool is_height = !is_hash && ctl_parse_count(&height, which, INT64_MAX);
    if (strcmp(which, "latest") != 0 && !is_hash && !is_height) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "%s: name a block by its height, its hash or as"
                        " \"latest\"",
                        which);
    }
    if (is_height && height == 0) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "height 0 is the genesis, genesis.json, and no block;"
                        " the first block is 1");
    }
    (void)snprintf(path, sizeof(path), "/v1/blocks/%s", which);
    return answer_object(ctl, path, print_block);
}

static void print_tx(const json_t *tx, bool is_committed)
{
    char behind[TX_BEHIND_SIZE];
    show_text("tx", tx, "tx");
    show_text("from", tx, "from");
    show_text("action", tx, "action");
    show_count("height", tx, "height");
    show_count("index", tx, "index");
    show_field("state", "%s", is_committed ? "committed" : "pending");
    tx_behind(behind, tx);
    if (behind[0] != '\0') {
        show_field("waits behind", "%s", behind);
    }
}

/* An answer that is no transaction. */
static enum exit_code no_tx(struct ctl *ctl, const struct client_reply *reply,
                            const char *path, bool was_there,
                            const char *behind)
{
    if (reply->status == 410) {
        return tx_dropped(ctl, reply, behind);
    }
    return was_there && reply->status == 404
               ? ctl_fail(ctl, EXIT_CODE_REJECTED,
                          "the transaction waited and was dropped: it has"
                          " expired, or another one of its account came"
                          " first; send it again")
               : client_missing(ctl, reply, path);
}

/* Until it is in a block, with --wait; one that nobody knows is not waited
 * for. */
static enum exit_code await_tx(struct client_reply *reply, struct ctl *ctl,
                               const char *path)
{
    bool was_there = false;
    char behind[TX_BEHIND_SIZE] = "";
    struct waiting waiting = {0};
    enum exit_code rc = client_ask(reply, ctl, "GET", path, NULL, 0);
    while (rc == EXIT_CODE_DONE && reply->status == 202 && ctl->is_waiting) {
        was_there = true;
        tx_behind(behind, reply->json);
        client_reply_fini(reply);
        (void)waiting_tell(&waiting, ctl, "");
        rc = ctl_pause(ctl, POLL_MS, "the transaction's block");
        if (rc == EXIT_CODE_DONE) {
            rc = client_ask(reply, ctl, "GET", path, NULL, 0);
        }
    }
    if (rc == EXIT_CODE_TIMEOUT && was_there) {
        return ctl_fail(ctl, rc,
                        "no block took the transaction in time, but it still"
                        " waits for one: ask again with `potctl tx %s --wait`",
                        strrchr(path, '/') + 1);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    bool is_there = reply->status == 200 || reply->status == 202;
    if (!is_there || reply->json == NULL) {
        rc = no_tx(ctl, reply, path, was_there, behind);
        client_reply_fini(reply);
    }
    return rc;
}

static enum exit_code run_tx(struct ctl *ctl, const struct cli_args *args)
{
    char path[128];
    struct hash hash;
    struct client_reply reply;
    enum exit_code rc = given_tx(&hash, ctl, args->arguments[0]);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    (void)snprintf(path, sizeof(path), "/v1/txs/%s", args->arguments[0]);
    rc = await_tx(&reply, ctl, path);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (!ctl->is_json) {
        print_tx(reply.json, reply.status == 200);
    }
    ctl_print_json(ctl, json_incref(reply.json));
    client_reply_fini(&reply);
    return rc;
}

const struct cli_command cmd_blocks = {
    .name = "blocks",
    .arguments = "",
    .summary = "list blocks, by default the last ten",
    .examples = "  potctl blocks\n"
                "  potctl blocks --from 1 --limit 100\n",
    .options = {{"from", "HEIGHT", "begin there"},
                {"limit", "N", "at most so many (10)"}},
    .run = run_blocks,
};

const struct cli_command cmd_block = {
    .name = "block",
    .arguments = "HEIGHT|HASH|latest",
    .summary = "show a block",
    .examples = "  potctl block latest\n"
                "  potctl block 12 --json | jq .round_updates\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_block,
};

const struct cli_command cmd_tx = {
    .name = "tx",
    .arguments = "HASH",
    .summary = "show where a transaction stands",
    .details = "With --wait it is waited for until a block has it.  Of one that"
               " no block can\ntake any more, and of one behind it, it is said"
               " why.\n",
    .examples = "  potctl tx HASH\n"
                "  potctl tx HASH --wait --timeout 30s\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_tx,
};
