/* Commands that list who takes part: validators, miners, peers. */
#include "config.h"

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/slashed.h"

#include <stdio.h>

static void cell_jailed(struct table *table, const json_t *row, const char *key)
{
    table_text(table, json_is_true(json_object_get(row, key)) ? "yes" : "no");
}

/* None of none is no fault. */
static void cell_audited(struct table *table, const json_t *row,
                         const char *key)
{
    if (client_count(row, "audits_drawn") == 0) {
        table_text(table, "-");
    } else {
        answer_count(table, row, key);
    }
}

static void cell_signed(struct table *table, const json_t *row, const char *key)
{
    if (client_count(row, key) == 0) {
        table_text(table, "-");
    } else {
        answer_count(table, row, key);
    }
}

static enum exit_code run_validators(struct ctl *ctl,
                                     const struct cli_args *args)
{
    static const struct answer_column columns[] = {
        {">#", answer_count, "index"},
        {"address", answer_text, "address"},
        {"moniker", answer_text, "moniker"},
        {">stake", answer_units, "stake"},
        {">earned", answer_units, "earned"},
        {">slashed", answer_units, "slashed"},
        {">unbonding", answer_units, "unbonding"},
        {"jailed", cell_jailed, "jailed"},
        {">drawn", answer_count, "audits_drawn"},
        {">audited", cell_audited, "audits_said"},
        {">last signed", cell_signed, "last_signed_height"},
        {NULL, NULL, NULL},
    };
    (void)args;
    return answer_list(ctl, "/v1/validators", "validators", columns);
}

static enum exit_code run_miners(struct ctl *ctl, const struct cli_args *args)
{
    static const struct answer_column columns[] = {
        {"address", answer_text, "address"},
        {"moniker", answer_text, "moniker"},
        {">stake", answer_units, "stake"},
        {">earned", answer_units, "earned"},
        {">slashed", answer_units, "slashed"},
        {">tasks", answer_size, "tasks"},
        {NULL, NULL, NULL},
    };
    json_t *answer;
    json_t *slashed;
    (void)args;
    enum exit_code rc = client_get(&answer, ctl, "/v1/miners");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    rc = slashed_get(&slashed, ctl, NULL);
    if (rc == EXIT_CODE_DONE && !ctl->is_json) {
        answer_rows(json_object_get(answer, "miners"), columns);
        slashed_print_rows(slashed);
    }
    if (rc == EXIT_CODE_DONE) {
        (void)json_object_set_new(answer, "slashed", slashed);
        ctl_print_json(ctl, json_incref(answer));
    }
    json_decref(answer);
    return rc;
}

static void cell_rtt(struct table *table, const json_t *peer, const char *key)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.4g",
                   json_number_value(json_object_get(peer, key)));
    table_text(table, text);
}

static void cell_banned(struct table *table, const json_t *ban, const char *key)
{
    bool is_node = json_is_string(json_object_get(ban, key));
    answer_text(table, ban, is_node ? key : "host");
}

static void print_peers(const json_t *answer)
{
    static const struct answer_column columns[] = {
        {"address", answer_text, "address"},
        {"moniker", answer_text, "moniker"},
        {"host", answer_text, "host"},
        {"direction", answer_text, "direction"},
        {">height", answer_count, "height"},
        {">rtt ms", cell_rtt, "rtt_ms"},
        {NULL, NULL, NULL},
    };
    static const struct answer_column banned[] = {
        {"banned", cell_banned, "address"},
        {"why", answer_text, "why"},
        {">seconds left", answer_count, "seconds_left"},
        {NULL, NULL, NULL},
    };
    const json_t *bans = json_object_get(answer, "banned");
    answer_rows(json_object_get(answer, "peers"), columns);
    if (json_array_size(bans) > 0) {
        printf("\n");
        answer_rows(bans, banned);
    }
}

static enum exit_code run_peers(struct ctl *ctl, const struct cli_args *args)
{
    (void)args;
    return answer_object(ctl, "/v1/peers", print_peers);
}

const struct cli_command cmd_validators = {
    .name = "validators",
    .arguments = "",
    .summary = "list the validators with stake, rewards and slashes",
    .details = "One that is jailed contradicted itself, or said to have audited"
               " what a\nchallenge proved false: the next election passes it"
               " over.  Drawn are the\nsubmissions that it was to audit in"
               " rounds that list its word, audited those\non which that word"
               " was one: who leaves out many is slow, or audits nothing."
               "  A\ndash: none was drawn, or it signed none of the last 64"
               " blocks.\n",

    .examples = "  potctl validators\n",
    .run = run_validators,
};

const struct cli_command cmd_miners = {
    .name = "miners",
    .arguments = "",
    .summary = "list the miners with stake, rewards and slashes",
    .details = "Below them those whose stake a challenge took, by which a"
               " gradient of theirs was\nfound false; of the latest thousand"
               " challenges.\n",
    .examples = "  potctl miners\n",
    .run = run_miners,
};

const struct cli_command cmd_peers = {
    .name = "peers",
    .arguments = "",
    .summary = "list the node's peers",
    .examples = "  potctl --node http://127.0.0.1:26651 peers\n",
    .run = run_peers,
};
