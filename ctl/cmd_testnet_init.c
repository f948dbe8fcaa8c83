#include "config.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "ctl/commands.h"
#include "ctl/json_text.h"
#include "ctl/testnet_write.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_PORT_DEFAULT 26650
#define MINERS_MAX                                                             \
    (TESTNET_NODES_MAX - VALIDATORS_MAX - TESTNET_AGGREGATORS_MAX)

/* Makes the folder; what is in it already must not be overwritten. */
static enum exit_code claim_folder(struct ctl *ctl, const char *path)
{
    enum pot_err err = file_make_folder(path, 0755);
    if (err != POT_OK) {
        return ctl_fail_err(ctl, err, "cannot make the folder", path);
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return ctl_fail(ctl, EXIT_CODE_FAILED, "cannot read %s: %s", path,
                        strerror(errno));
    }
    bool is_empty = true;
    for (const struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        is_empty = is_empty && (strcmp(entry->d_name, ".") == 0 ||
                                strcmp(entry->d_name, "..") == 0);
    }
    (void)closedir(folder);
    if (!is_empty) {
        return ctl_fail(ctl, EXIT_CODE_CONFIG,
                        "%s is not empty; its keys and chain would be lost:"
                        " choose another folder or remove it",
                        path);
    }
    return EXIT_CODE_DONE;
}

struct counts { /* of nodes, in this order */
    uint64_t validators;
    uint64_t miners; /* 0: the validators mine */
    uint64_t aggregators;
};

static void name_node(struct testnet_plan_node *node, const char *role,
                      uint64_t index)
{
    (void)snprintf(node->name, sizeof(node->name), "%s%u", role,
                   (unsigned)index);
}

static void plan_roles(struct testnet_plan_node *node, uint64_t i,
                       const struct counts *counts)
{
    uint64_t others = counts->validators + counts->miners;
    node->is_validator = i < counts->validators;
    node->is_aggregator = i >= others;
    node->is_miner = node->is_validator ? counts->miners == 0 : i < others;
    if (node->is_validator) {
        name_node(node, "validator", i);
    } else if (node->is_miner) {
        name_node(node, "miner", i - counts->validators);
    } else {
        name_node(node, "aggregator", i - others);
    }
}

static void plan_nodes(struct testnet_plan *plan, const struct counts *counts,
                       uint16_t base_port)
{
    plan->count = counts->validators + counts->miners + counts->aggregators;
    plan->nodes = pot_calloc(plan->count, sizeof(*plan->nodes));
    plan->is_gathered = counts->aggregators > 0;
    for (size_t i = 0; i < plan->count; i++) {
        struct testnet_plan_node *node = &plan->nodes[i];
        plan_roles(node, i, counts);
        node->p2p_port = (uint16_t)(base_port + 2 * i);
        node->api_port = (uint16_t)(base_port + 2 * i + 1);
        node->key = key_generate();
        (void)address_format(key_public(node->key), node->address);
    }
}

static void plan_chain(struct testnet_plan *plan)
{
    uint32_t tag = randombytes_random();
    plan->client = key_generate();
    plan->time_ms = clock_wall_ms();
    (void)snprintf(plan->chain_id, sizeof(plan->chain_id), "testnet-%08" PRIx32,
                   tag);
}

static json_t *describe(const struct testnet_plan *plan,
                        const struct hash *genesis)
{
    char text[HASH_TEXT_SIZE];
    char address[ADDRESS_TEXT_SIZE];
    json_t *nodes = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        const struct testnet_plan_node *node = &plan->nodes[i];
        const char *host = plan->is_compose ? node->name : "127.0.0.1";
        (void)json_array_append_new(
            nodes,
            json_pack(
                "{ss ss sb sb sb so so}", "name", node->name, "address",
                node->address, "validator", node->is_validator, "miner",
                node->is_miner, "aggregator", node->is_aggregator, "p2p",
                json_sprintf("%s:%u", host, (unsigned)node->p2p_port), "api",
                json_sprintf("http://127.0.0.1:%u", (unsigned)node->api_port)));
    }
    return json_pack(
        "{so ss ss ss so}", "dir", json_text(plan->folder), "chain_id",
        plan->chain_id, "genesis_hash", hash_format(genesis, text), "client",
        address_format(key_public(plan->client), address), "nodes", nodes);
}

static void say_next(struct ctl *ctl, const struct testnet_plan *plan)
{
    ctl_tell(ctl, "%s: %zu node%s in %s\n", plan->chain_id, plan->count,
             plan->count == 1 ? "" : "s", plan->folder);
    if (plan->is_compose) {
        ctl_tell(ctl, "  docker-compose -f %s/docker-compose.yml up -d\n",
                 plan->folder);
    } else {
        ctl_tell(ctl, "  potctl testnet up --dir %s --detach\n", plan->folder);
    }
    ctl_tell(ctl,
             "  export POTCTL_NODE=http://127.0.0.1:%u"
             " POTCTL_KEY=%s/client.key\n",
             (unsigned)plan->nodes[0].api_port, plan->folder);
    if (plan->is_compose) {
        ctl_tell(ctl, "  potctl status --check   # compose does not wait: this"
                      " says why it is not ready yet\n");
    }
}

static enum exit_code read_counts(struct counts *out, struct ctl *ctl,
                                  const struct cli_args *args)
{
    enum exit_code rc = cli_count(&out->validators, ctl, args, "validators", 1,
                                  VALIDATORS_MAX, 4);
    if (rc == EXIT_CODE_DONE) {
        rc = cli_count(&out->miners, ctl, args, "miners", 0, MINERS_MAX, 2);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = cli_count(&out->aggregators, ctl, args, "aggregators", 0,
                       TESTNET_AGGREGATORS_MAX, 0);
    }
    return rc;
}

/* Into a zeroed plan. */
static enum exit_code plan_make(struct testnet_plan *plan, struct ctl *ctl,
                                const struct cli_args *args)
{
    struct counts counts;
    uint64_t port;
    enum exit_code rc = cli_required(&plan->folder, ctl, args, "dir");
    if (rc == EXIT_CODE_DONE) {
        rc = read_counts(&counts, ctl, args);
    }
    if (rc == EXIT_CODE_DONE) {
        uint64_t nodes = counts.validators + counts.miners + counts.aggregators;
        rc = cli_count(&port, ctl, args, "base-port", 1024,
                       UINT16_MAX + 1 - 2 * nodes, BASE_PORT_DEFAULT);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = claim_folder(ctl, plan->folder);
    }
    if (rc == EXIT_CODE_DONE) {
        plan->is_compose = cli_value(args, "compose") != NULL;
        plan_nodes(plan, &counts, (uint16_t)port);
        plan_chain(plan);
    }
    return rc;
}

static void plan_fini(struct testnet_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        key_free(plan->nodes[i].key);
    }
    key_free(plan->client);
    free(plan->nodes);
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    struct testnet_plan plan = {0};
    struct hash genesis;
    enum exit_code rc = plan_make(&plan, ctl, args);
    if (rc == EXIT_CODE_DONE) {
        rc = testnet_write(&genesis, ctl, &plan);
    }
    if (rc == EXIT_CODE_DONE) {
        say_next(ctl, &plan);
        ctl_print_json(ctl, describe(&plan, &genesis));
    }
    plan_fini(&plan);
    return rc;
}

const struct cli_command cmd_testnet_init = {
    .name = "testnet init",
    .arguments = "",
    .summary = "make a network: genesis, keys, configs",
    .details = "The folder must be new or empty.  client.key holds 1,000,000"
               " POT.  Node i,\nvalidators first, listens on base-port + 2i for"
               " peers and on base-port + 2i +\n1 for its API.\n",
    .examples = "  potctl testnet init --dir net\n"
                "  potctl testnet init --dir one --validators 1 --miners 0\n"
                "  potctl testnet init --dir net --compose\n",
    .options = {{"dir", "D", "the network's folder"},
                {"validators", "N", "how many (4)"},
                {"miners", "N", "how many (2); 0: the validators mine"},
                {"aggregators", "N",
                 "how many (0); else miners reach only them"},
                {"base-port", "PORT", "the first port (26650)"},
                {"compose", NULL, "for containers, with docker-compose.yml"}},
    .run = run,
};
