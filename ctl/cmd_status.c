#include "config.h"

#include "base/clock.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>

/* EXIT_CODE_NOT_READY with what /readyz complains about. */
static enum exit_code check_ready(struct ctl *ctl)
{
    struct client_reply reply;
    enum exit_code rc = client_ask(&reply, ctl, "GET", "/readyz", NULL, 0);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (reply.status != 200) {
        char *reasons = json_dumps(reply.json, JSON_COMPACT);
        rc = ctl_fail(ctl, EXIT_CODE_NOT_READY, "the node is not ready: %s",
                      reasons != NULL ? reasons : "no reason was given");
        free(reasons);
    }
    client_reply_fini(&reply);
    return rc;
}

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
    show_text("chain", status, "chain_id");
    show_field("version", "%s, protocol %" PRIu64,
               client_text(status, "version"),
               client_count(status, "protocol"));
    show_count("height", status, "height");
    show_text("block", status, "block_hash");
    double age = ((double)clock_wall_ms() - (double)block_ms) / 1e3;
    if (block_ms > 0) {
        show_field("block time", "%s (%.1f s ago)", show_time(text, block_ms),
                   age > 0 ? age : 0.0);
    }
    show_text("state root", status, "state_root");
    show_count("view", status, "view");
    show_text("primary", status, "primary");
    show_count("validators", status, "validators");
    if (json_is_string(json_object_get(status, "vote"))) {
        show_text("vote", status, "vote");
    }
    show_count("peers", status, "peers");
    show_field("syncing", "%s",
               json_is_true(json_object_get(status, "syncing")) ? "yes" : "no");
    show_snapshot(json_object_get(status, "taking_snapshot"));
    show_count("mempool txs", status, "mempool_txs");
    show_count("tasks running", status, "tasks_running");
    show_cache(json_object_get(status, "data_cache"));
    print_warnings(status);
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    bool is_check = cli_value(args, "check") != NULL;
    enum exit_code rc = is_check ? check_ready(ctl) : EXIT_CODE_DONE;
    bool is_all = rc != EXIT_CODE_DONE || (is_check && ctl->is_quiet);
    return is_all ? rc : answer_object(ctl, "/v1/status", print_status);
}

const struct cli_command cmd_status = {
    .name = "status",
    .arguments = "",
    .summary = "show the node and the chain at a glance",
    .details = "With --check the exit code says whether the node is ready: 0"
               " or 11;\nwith --quiet it alone does.\n",
    .examples = "  potctl status\n"
                "  potctl --json status | jq .height\n"
                "  potctl status --check --quiet\n",
    .options = {{"check", NULL, "exit with 11 if the node is not ready"}},
    .run = run,
};
