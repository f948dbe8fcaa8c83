/* testnet down and testnet ps. */
#include "config.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/testnet.h"
#include "proto/codec.h"
#include "proto/genesis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 2000

static enum exit_code open_named(struct testnet *net, struct ctl *ctl,
                                 const struct cli_args *args)
{
    const char *folder;
    *net = (struct testnet){0};
    enum exit_code rc = cli_required(&folder, ctl, args, "dir");
    return rc == EXIT_CODE_DONE ? testnet_open(net, ctl, folder) : rc;
}

static enum exit_code run_down(struct ctl *ctl, const struct cli_args *args)
{
    struct testnet net;
    size_t running = 0;
    enum exit_code rc = open_named(&net, ctl, args);
    if (rc == EXIT_CODE_DONE) {
        for (size_t i = 0; i < net.count; i++) {
            running += net.nodes[i].pid > 0;
        }
        size_t killed = testnet_stop(
            ctl, &net, ctl->timeout_ms > 0 ? ctl->timeout_ms : TESTNET_STOP_MS);
        if (killed > 0) {
            rc = ctl_fail(ctl, EXIT_CODE_TIMEOUT,
                          "%zu of %zu nodes did not stop and were killed",
                          killed, running);
        } else {
            ctl_tell(ctl, "%zu node%s stopped\n", running,
                     running == 1 ? "" : "s");
            ctl_print_json(ctl,
                           json_pack("{sI}", "stopped", (json_int_t)running));
        }
    }
    testnet_close(&net);
    return rc;
}

/* The chain of D/genesis.json; NULL: it cannot be read. */
static char *chain_of(const struct testnet *net)
{
    char why[GENESIS_WHY_SIZE];
    Pot__Genesis *genesis = NULL;
    char *path = file_join(net->folder, "genesis.json");
    char *chain = genesis_load(&genesis, path, why) == POT_OK
                      ? pot_strdup(genesis->chain_id)
                      : NULL;
    codec_free(genesis);
    free(path);
    return chain;
}

/* NULL: nothing answers.  A node whose node.toml cannot be read has no URL. */
static json_t *ask_status(struct ctl *ctl, const struct testnet_node *node)
{
    json_t *status = NULL;
    if (node->url[0] == '\0') {
        ctl_note(ctl,
                 "%s: where its API is cannot be read: `potd --config %s"
                 " --check-config` says why",
                 node->name, node->config);
        return NULL;
    }
    ctl->node = node->url;
    ctl->deadline_ms = clock_steady_ms() + ANSWER_MS;
    (void)!client_get(&status, ctl, "/v1/status");
    return status;
}

/* chain: NULL: any will do. */
static json_t *look_at(struct ctl *ctl, const struct testnet_node *node,
                       const char *chain)
{
    json_t *out = json_pack("{ss ss}", "name", node->name, "api", node->url);
    bool is_paused = testnet_is_paused(node);
    /* It may have been started by hand: then we know no process. */
    json_t *status = is_paused ? NULL : ask_status(ctl, node);
    const char *state = "stopped";
    if (is_paused) {
        state = "stopped (by a signal)";
    } else if (node->pid > 0) {
        state = node->url[0] != '\0' ? "starting" : "running";
    }
    if (status != NULL && chain != NULL &&
        strcmp(client_text(status, "chain_id"), chain) != 0) {
        state = node->pid > 0 ? "starting (another network answers)"
                              : "stopped (another network answers)";
    } else if (status != NULL) {
        bool is_syncing = json_is_true(json_object_get(status, "syncing"));
        state = is_syncing ? "syncing" : "running";
        (void)json_object_set_new(
            out, "height",
            json_integer((json_int_t)client_count(status, "height")));
    }
    (void)json_object_set_new(out, "state", json_string(state));
    (void)json_object_set_new(
        out, "pid", node->pid > 0 ? json_integer(node->pid) : json_null());
    json_decref(status);
    return out;
}

static void cell_known(struct table *table, const json_t *node, const char *key)
{
    if (json_is_integer(json_object_get(node, key))) {
        answer_count(table, node, key);
    } else {
        table_text(table, "-");
    }
}

static enum exit_code run_ps(struct ctl *ctl, const struct cli_args *args)
{
    static const struct answer_column columns[] = {
        {"name", answer_text, "name"},   {">pid", cell_known, "pid"},
        {"state", answer_text, "state"}, {">height", cell_known, "height"},
        {"api", answer_text, "api"},     {NULL, NULL, NULL},
    };
    struct testnet net;
    json_t *nodes = json_array();
    enum exit_code rc = open_named(&net, ctl, args);
    char *chain = rc == EXIT_CODE_DONE ? chain_of(&net) : NULL;
    for (size_t i = 0; i < net.count; i++) {
        (void)json_array_append_new(nodes, look_at(ctl, &net.nodes[i], chain));
    }
    if (rc == EXIT_CODE_DONE && !ctl->is_json) {
        answer_rows(nodes, columns);
    }
    if (rc == EXIT_CODE_DONE) {
        ctl_print_json(ctl, json_pack("{sO}", "nodes", nodes));
    }
    json_decref(nodes);
    free(chain);
    testnet_close(&net);
    return rc;
}

const struct cli_command cmd_testnet_down = {
    .name = "testnet down",
    .arguments = "",
    .summary = "stop a network's nodes",
    .details = "Nodes that have not stopped after ten seconds or --timeout are"
               " killed; the\nexit code is then 5.\n",
    .examples = "  potctl testnet down --dir net\n",
    .options = {{"dir", "D", "the network's folder"}},
    .run = run_down,
};

const struct cli_command cmd_testnet_ps = {
    .name = "testnet ps",
    .arguments = "",
    .summary = "list a network's nodes: process, state, height",
    .examples = "  potctl testnet ps --dir net --json\n",
    .options = {{"dir", "D", "the network's folder"}},
    .run = run_ps,
};
