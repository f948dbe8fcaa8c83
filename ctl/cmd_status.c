#include "config.h"

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MISSING_SHOWN 8

static void print_roles(const json_t *status)
{
    char roles[128] = "";
    size_t used = 0;
    size_t i;
    json_t *role;
    json_array_foreach(json_object_get(status, "roles"), i, role)
    {
        int n = snprintf(roles + used, sizeof(roles) - used, "%s%.30s",
                         used > 0 ? ", " : "", json_string_value(role));
        used += (size_t)n < sizeof(roles) - used ? (size_t)n : 0;
    }
    show_field("roles", "%s", used > 0 ? roles : "full node");
}

static void show_snapshot(const json_t *taking)
{
    if (json_is_object(taking)) {
        show_field("snapshot", "height %llu: %s %llu of %llu",
                   (unsigned long long)client_count(taking, "height"),
                   client_text(taking, "part"),
                   (unsigned long long)client_count(taking, "done"),
                   (unsigned long long)client_count(taking, "of"));
    }
}

static bool is_validator(const json_t *status)
{
    size_t i;
    json_t *role;
    json_array_foreach(json_object_get(status, "roles"), i, role)
    {
        if (strcmp(json_string_value(role), "validator") == 0) {
            return true;
        }
    }
    return false;
}

/* How many of the set the node reaches, and who is missing: not of one that
 * has an aggregator between it and all of them, as it should. */
static void show_validators(const json_t *status)
{
    const json_t *missing = json_object_get(status, "validators_missing");
    size_t count = json_array_size(missing);
    if (!is_validator(status) && client_count(status, "peers") > 0 &&
        client_count(status, "validators_in_reach") == 0) {
        show_field("validators", "%" PRIu64 ", by way of other nodes",
                   client_count(status, "validators"));
        return;
    }
    show_field("validators", "%" PRIu64 ", %" PRIu64 " of them in reach",
               client_count(status, "validators"),
               client_count(status, "validators_in_reach"));
    for (size_t i = 0; i < count && i < MISSING_SHOWN; i++) {
        show_field("out of reach", "%.100s",
                   json_string_value(json_array_get(missing, i)));
    }
    if (count > MISSING_SHOWN) {
        show_field("", "and %zu more", count - MISSING_SHOWN);
    }
}

static void show_ready(const json_t *status)
{
    size_t i;
    json_t *reason;
    show_field("ready", "%s",
               json_is_true(json_object_get(status, "ready")) ? "yes" : "no");
    json_array_foreach(json_object_get(status, "reasons"), i, reason)
    {
        show_field("not ready", "%.240s", client_text(reason, "message"));
    }
}

/* Why a vote is "stopped": not that the node is behind, or alone. */
static const char *why_stopped(const json_t *status)
{
    static const char *const others[] = {"syncing", "validators", "peers",
                                         "stalled"};
    size_t i;
    json_t *reason;
    json_array_foreach(json_object_get(status, "reasons"), i, reason)
    {
        const char *code = client_text(reason, "code");
        bool is_other = false;
        for (size_t n = 0; n < sizeof(others) / sizeof(*others); n++) {
            is_other = is_other || strcmp(code, others[n]) == 0;
        }
        if (!is_other) {
            return client_text(reason, "message");
        }
    }
    return "";
}

static void show_vote(const json_t *status)
{
    const char *vote = client_text(status, "vote");
    if (strcmp(vote, "stopped") == 0) {
        show_field("vote", "%s: %.240s", vote, why_stopped(status));
    } else if (strcmp(vote, "not elected") == 0 &&
               client_count(status, "votes_from_height") > 0) {
        show_field("vote",
                   "%s yet: it has staked, is in the set from height %" PRIu64
                   " on, the next epoch's first, and votes some blocks later",
                   vote, client_count(status, "votes_from_height"));
    } else if (strcmp(vote, "not elected") == 0) {
        show_field("vote",
                   "%s: its key needs a validator's stake, and enters the set"
                   " at the next epoch; `potctl balance %s` shows the stake",
                   vote, client_text(status, "validator"));
    } else {
        show_text("vote", status, "vote");
    }
}

static void print_warnings(const json_t *status)
{
    size_t i;
    json_t *warning;
    json_array_foreach(json_object_get(status, "warnings"), i, warning)
    {
        show_field("warning", "%.200s", json_string_value(warning));
    }
}

static void show_cache(const json_t *cache)
{
    if (json_is_object(cache)) {
        show_field("data cache",
                   "%" PRIu64 " of %" PRIu64 " MiB, %" PRIu64
                   " chunks found, %" PRIu64 " fetched, %" PRIu64 " dropped",
                   client_count(cache, "bytes") >> 20,
                   client_count(cache, "bytes_max") >> 20,
                   client_count(cache, "hits"), client_count(cache, "misses"),
                   client_count(cache, "evictions"));
    }
}

static void print_status(const json_t *status)
{
    char text[SHOW_TIME_SIZE];
    uint64_t block_ms = client_count(status, "block_time_ms");
    show_field("node", "%s  %s", client_text(status, "moniker"),
               client_text(status, "node"));
    print_roles(status);
    show_ready(status);
    show_text("chain", status, "chain_id");
    show_field("version", "%s, protocol %" PRIu64,
               client_text(status, "version"),
               client_count(status, "protocol"));
    show_count("height", status, "height");
    show_text("block", status, "block_hash");
    if (block_ms > 0) {
        show_field("block time", "%s (%.1f s ago)", show_time(text, block_ms),
                   (double)client_count(status, "block_age_ms") / 1e3);
    }
    show_text("state root", status, "state_root");
    show_count("view", status, "view");
    show_text("primary", status, "primary");
    show_validators(status);
    show_vote(status);
    show_count("peers", status, "peers");
    show_field("syncing", "%s",
               json_is_true(json_object_get(status, "syncing")) ? "yes" : "no");
    show_snapshot(json_object_get(status, "taking_snapshot"));
    show_count("mempool txs", status, "mempool_txs");
    show_count("tasks running", status, "tasks_running");
    show_cache(json_object_get(status, "data_cache"));
    print_warnings(status);
}

/* EXIT_CODE_NOT_READY with the reasons. */
static enum exit_code check_ready(struct ctl *ctl, const json_t *status)
{
    char why[CTL_ERROR_SIZE] = "";
    size_t used = 0;
    size_t i;
    json_t *reason;
    if (json_is_true(json_object_get(status, "ready"))) {
        return EXIT_CODE_DONE;
    }
    json_array_foreach(json_object_get(status, "reasons"), i, reason)
    {
        int n = snprintf(why + used, sizeof(why) - used, "%s%.240s",
                         used > 0 ? "; " : "", client_text(reason, "message"));
        used += (size_t)n < sizeof(why) - used ? (size_t)n : 0;
    }
    return ctl_fail(ctl, EXIT_CODE_NOT_READY, "the node is not ready: %s",
                    used > 0 ? why : "no reason was given");
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    json_t *status;
    bool is_check = cli_value(args, "check") != NULL;
    enum exit_code rc = client_get(&status, ctl, "/v1/status");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (!ctl->is_json && !(is_check && ctl->is_quiet)) {
        print_status(status);
    }
    ctl_print_json(ctl, json_incref(status));
    rc = is_check ? check_ready(ctl, status) : EXIT_CODE_DONE;
    json_decref(status);
    return rc;
}

const struct cli_command cmd_status = {
    .name = "status",
    .arguments = "",
    .summary = "show the node and the chain at a glance",
    .details = "With --check the exit code says whether the node is ready: 0,"
               " or 11 and why on\nstderr; with --quiet nothing is printed"
               " beside that.  --json prints the object\nin any case: ready and"
               " reasons are in it.\n",
    .examples = "  potctl status\n"
                "  potctl --json status | jq .height\n"
                "  potctl status --check --quiet\n",
    .options = {{"check", NULL, "exit with 11 if the node is not ready"}},
    .run = run,
};
