#include "config.h"

#include "ctl/testnet_write.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/key_file.h"
#include "proto/codec.h"
#include "proto/consensus.pb-c.h"
#include "proto/genesis.h"
#include "proto/genesis_params.h"
#include "storage/sign_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES_MAX (1 << 20)
#define CLIENT_BALANCE (1000000 * AMOUNT_UNITS_PER_POT)
#define NODE_BALANCE   (1000 * AMOUNT_UNITS_PER_POT)
#define MINER_STAKE    (1000 * AMOUNT_UNITS_PER_POT)
/* Who runs the containers when root made the network. */
#define CONTAINER_USER 10001

/* ---- genesis.json */

static int compare_accounts(const void *a, const void *b)
{
    const Pot__GenesisAccount *x = *(Pot__GenesisAccount *const *)a;
    const Pot__GenesisAccount *y = *(Pot__GenesisAccount *const *)b;
    return memcmp(x->address.data, y->address.data, PUBLIC_KEY_SIZE);
}

static void add_account(Pot__Genesis *genesis, const struct key *key,
                        uint64_t balance)
{
    Pot__GenesisAccount *account = pot_alloc(sizeof(*account));
    pot__genesis_account__init(account);
    account->address = codec_copy_bytes(key_public(key)->b, PUBLIC_KEY_SIZE);
    account->balance = balance;
    genesis->accounts[genesis->n_accounts++] = account;
}

static void add_stake(Pot__Genesis *genesis,
                      const struct testnet_plan_node *node, Pot__StakeRole role,
                      uint64_t amount)
{
    Pot__GenesisStake *stake = pot_alloc(sizeof(*stake));
    pot__genesis_stake__init(stake);
    stake->address =
        codec_copy_bytes(key_public(node->key)->b, PUBLIC_KEY_SIZE);
    stake->role = role;
    stake->amount = amount;
    stake->moniker = pot_strdup(node->name);
    genesis->stakes[genesis->n_stakes++] = stake;
}

static void add_stakes(Pot__Genesis *genesis, const struct testnet_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->nodes[i].is_validator) {
            add_stake(genesis, &plan->nodes[i],
                      POT__STAKE_ROLE__STAKE_VALIDATOR,
                      genesis->params->min_validator_stake);
        }
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->nodes[i].is_miner) {
            add_stake(genesis, &plan->nodes[i], POT__STAKE_ROLE__STAKE_MINER,
                      MINER_STAKE);
        }
    }
}

static Pot__Genesis *make_genesis(const struct testnet_plan *plan)
{
    Pot__Genesis *genesis = pot_alloc(sizeof(*genesis));
    pot__genesis__init(genesis);
    genesis->chain_id = pot_strdup(plan->chain_id);
    genesis->time_ms = plan->time_ms;
    genesis->params = pot_alloc(sizeof(*genesis->params));
    genesis_params_default(genesis->params);
    genesis->accounts = pot_calloc(plan->count + 1, sizeof(*genesis->accounts));
    add_account(genesis, plan->client, CLIENT_BALANCE);
    for (size_t i = 0; i < plan->count; i++) {
        add_account(genesis, plan->nodes[i].key, NODE_BALANCE);
    }
    qsort(genesis->accounts, genesis->n_accounts, sizeof(*genesis->accounts),
          compare_accounts);
    genesis->stakes = pot_calloc(2 * plan->count, sizeof(*genesis->stakes));
    add_stakes(genesis, plan);
    return genesis;
}

/* ---- one file */

static enum exit_code write_file(struct ctl *ctl, const char *folder,
                                 const char *name, unsigned mode,
                                 const char *text)
{
    char *path = file_join(folder, name);
    enum exit_code rc = EXIT_CODE_DONE;
    enum pot_err err = file_create(path, mode, text, strlen(text));
    if (err != POT_OK) {
        rc = ctl_fail_err(ctl, err, "cannot write", path);
    }
    free(path);
    return rc;
}

static enum exit_code write_key(struct ctl *ctl, const char *folder,
                                const char *name, const struct key *key)
{
    char *path = file_join(folder, name);
    enum exit_code rc = EXIT_CODE_DONE;
    enum pot_err err = key_file_create(key, path, NULL);
    if (err != POT_OK) {
        rc = ctl_fail_err(ctl, err, "cannot write the key file", path);
    }
    free(path);
    return rc;
}

/* A validator's key was made here and now: it has signed nothing, and the
 * sign state says so.  A home without one has to find out. */
static enum exit_code write_sign_state(struct ctl *ctl, const char *folder,
                                       const struct testnet_plan *plan,
                                       const struct key *key)
{
    size_t size;
    struct hash chain;
    struct sign_state *state = NULL;
    Pot__PbftRecord record = POT__PBFT_RECORD__INIT;
    char *path = file_join(folder, "sign_state");
    enum exit_code rc = EXIT_CODE_DONE;
    chain_id_hash(&chain, plan->chain_id);
    record.height = 1;
    uint8_t *data = codec_encode(&size, &record);
    enum pot_err err = sign_state_create(path, key_public(key), &chain);
    if (err == POT_OK) {
        err = sign_state_open(&state, path, key_public(key), &chain);
    }
    if (err == POT_OK) {
        err = sign_state_save(state, data, size);
    }
    if (err != POT_OK) {
        rc = ctl_fail_err(ctl, err, "cannot write", path);
    }
    sign_state_close(state);
    free(data);
    free(path);
    return rc;
}

/* ---- node.toml; a default stands commented out */

static bool is_peer(const struct testnet_plan *plan,
                    const struct testnet_plan_node *self,
                    const struct testnet_plan_node *node)
{
    bool is_edge = self->is_aggregator || node->is_aggregator ||
                   (self->is_validator && node->is_validator);
    return node != self && (!plan->is_gathered || is_edge);
}

static void print_peers(struct buf *out, const struct testnet_plan *plan,
                        const struct testnet_plan_node *self)
{
    buf_printf(out, "peers = [\n");
    for (size_t i = 0; i < plan->count; i++) {
        const struct testnet_plan_node *node = &plan->nodes[i];
        if (is_peer(plan, self, node)) {
            buf_printf(out, "    \"%s@%s:%u\",\n", node->address,
                       plan->is_compose ? node->name : "127.0.0.1",
                       (unsigned)node->p2p_port);
        }
    }
    buf_printf(out, "]\n");
}

static void print_head(struct buf *out, const struct testnet_plan *plan,
                       const struct testnet_plan_node *node)
{
    buf_printf(out,
               "# %s of %s.  Paths are relative to this file; what is\n"
               "# commented out is the default.  See node.toml(5).\n"
               "home = \".\"               # store, sign state, lock\n"
               "moniker = \"%s\"\n"
               "genesis = \"../genesis.json\"\n"
               "\n[log]\n"
               "# level = \"info\"         # error, warn, info, debug\n"
               "# format = \"text\"        # text, json\n"
               "# file = \"\"              # empty: stderr\n",
               node->name, plan->chain_id, node->name);
    const char *host = plan->is_compose ? "0.0.0.0" : "127.0.0.1";
    buf_printf(out,
               "\n[p2p]\n"
               "listen = \"%s:%u\"\n"
               "key = \"key\"              # the node's own identity\n"
               "max_peers = %zu\n",
               host, (unsigned)node->p2p_port,
               plan->count > 64 ? plan->count : (size_t)64);
    print_peers(out, plan, node);
    buf_printf(out, "\n[consensus]\n"
                    "# propose_timeout_ms = 2000  # before a view change\n"
                    "idle_interval_ms = 1000      # between empty blocks\n"
                    "# max_block_bytes = 1048576\n");
}

static void print_roles(struct buf *out, const struct testnet_plan *plan,
                        const struct testnet_plan_node *node)
{
    buf_printf(out,
               "\n[validator]\n"
               "enabled = %s\n"
               "%skey = \"key\"\n"
               "\n[miner]\n"
               "enabled = %s\n"
               "%skey = \"key\"\n"
               "workers = 1              # processes; 0: one a core\n"
               "blas_core = \"auto\"       # or an OpenBLAS core name\n"
               "exact_kernel = \"auto\"    # or scalar, avx2, avx512, neon\n"
               "tasks = \"any\"            # or a list of task ids\n"
               "\n[aggregator]\n"
               "enabled = %s          # gathers the miners' submissions\n",
               node->is_validator ? "true" : "false",
               node->is_validator ? "" : "# ",
               node->is_miner ? "true" : "false", node->is_miner ? "" : "# ",
               node->is_aggregator ? "true" : "false");
    buf_printf(
        out,
        "\n[api]\n"
        "enabled = true\n"
        "listen = \"%s:%u\"\n"
        "# web = \"\"               # folder of the web page\n"
        "\n[mempool]\n"
        "# max_bytes = 67108864\n"
        "# max_txs = 5000\n"
        "\n[data]\n"
        "# cache_mb = 0           # of training sets; 0: they are held whole\n"
        "\n[storage]\n"
        "# map_size_mb = 1024     # grows when it is full\n"
        "# max_size_mb = 0        # but not beyond; 0: no limit\n"
        "# min_free_mb = 64       # of the disk, or it counts as full\n"
        "# keep_blobs = 16        # rounds whose gradients stay; 0: none\n"
        "# keep_blocks = 0        # blocks that stay whole; 0: all\n"
        "# snapshot_interval = 1000 # blocks between two; 0: none\n"
        "# snapshot_keep = 2      # snapshots that stay\n"
        "# begin_with_snapshot = false # with an empty store\n",
        plan->is_compose ? "0.0.0.0" : "127.0.0.1", (unsigned)node->api_port);
}

static enum exit_code write_node(struct ctl *ctl,
                                 const struct testnet_plan *plan,
                                 const struct testnet_plan_node *node)
{
    struct buf text;
    char *folder = file_join(plan->folder, node->name);
    enum exit_code rc = EXIT_CODE_DONE;
    enum pot_err err = file_make_folder(folder, 0700);
    buf_init(&text, TEXT_BYTES_MAX);
    if (err != POT_OK) {
        rc = ctl_fail_err(ctl, err, "cannot make the folder", folder);
    }
    print_head(&text, plan, node);
    print_roles(&text, plan, node);
    POT_ASSERT(!text.is_overflown);
    if (rc == EXIT_CODE_DONE) {
        rc = write_file(ctl, folder, "node.toml", 0644, buf_text(&text));
    }
    if (rc == EXIT_CODE_DONE) {
        rc = write_key(ctl, folder, "key", node->key);
    }
    if (rc == EXIT_CODE_DONE && node->is_validator) {
        rc = write_sign_state(ctl, folder, plan, node->key);
    }
    buf_fini(&text);
    free(folder);
    return rc;
}

/* ---- docker-compose.yml */

static void print_service(struct buf *out, const struct testnet_plan_node *node,
                          unsigned uid, unsigned gid)
{
    unsigned api = node->api_port;
    buf_printf(out,
               "  %s:\n"
               "    image: potd:local\n"
               "    user: \"%u:%u\"\n"
               "    init: true\n"
               "    read_only: true\n"
               "    tmpfs: [\"/tmp\"]\n"
               "    restart: unless-stopped\n"
               "    stop_grace_period: 15s\n"
               "    command: [\"potd\", \"--config\","
               " \"/testnet/%s/node.toml\"]\n"
               "    volumes:\n"
               "      - \"./genesis.json:/testnet/genesis.json:ro\"\n"
               "      - \"./%s:/testnet/%s\"\n"
               "    ports: [\"127.0.0.1:%u:%u\"]\n"
               "    healthcheck:\n"
               "      test: [\"CMD\", \"potctl\", \"--node\","
               " \"http://127.0.0.1:%u\", \"--json\", \"status\","
               " \"--check\"]\n"
               "      interval: 5s\n"
               "      timeout: 3s\n"
               "      retries: 6\n"
               "      start_period: 20s\n",
               node->name, uid, gid, node->name, node->name, node->name, api,
               api, api);
}

/* Root does not run nodes: another user gets the folders. */
static enum exit_code give_away(struct ctl *ctl,
                                const struct testnet_plan *plan)
{
    static const char *const names[] = {"", "node.toml", "key", "sign_state"};
    for (size_t i = 0; i < plan->count; i++) {
        char *folder = file_join(plan->folder, plan->nodes[i].name);
        for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
            char *path = file_join(folder, names[n]);
            int rc = chown(path, CONTAINER_USER, CONTAINER_USER);
            free(path);
            if (rc != 0 && errno != ENOENT) { /* a miner signs no blocks */
                free(folder);
                return ctl_fail(ctl, EXIT_CODE_FAILED,
                                "cannot give %s to user %d; run this as"
                                " another user than root",
                                plan->nodes[i].name, CONTAINER_USER);
            }
        }
        free(folder);
    }
    return EXIT_CODE_DONE;
}

static enum exit_code write_compose(struct ctl *ctl,
                                    const struct testnet_plan *plan)
{
    struct buf text;
    bool is_root = geteuid() == 0;
    unsigned uid = is_root ? CONTAINER_USER : (unsigned)geteuid();
    unsigned gid = is_root ? CONTAINER_USER : (unsigned)getegid();
    buf_init(&text, TEXT_BYTES_MAX);
    buf_printf(&text,
               "# %s.  The image, from a checkout:\n"
               "#   docker build -t potd:local -f deploy/Dockerfile .\n"
               "# Only this machine reaches the APIs.\n"
               "services:\n",
               plan->chain_id);
    for (size_t i = 0; i < plan->count; i++) {
        print_service(&text, &plan->nodes[i], uid, gid);
    }
    POT_ASSERT(!text.is_overflown);
    enum exit_code rc = write_file(ctl, plan->folder, "docker-compose.yml",
                                   0644, buf_text(&text));
    buf_fini(&text);
    return rc == EXIT_CODE_DONE && is_root ? give_away(ctl, plan) : rc;
}

enum exit_code testnet_write(struct hash *hash, struct ctl *ctl,
                             const struct testnet_plan *plan)
{
    char why[GENESIS_WHY_SIZE] = "";
    Pot__Genesis *genesis = make_genesis(plan);
    enum pot_err err = genesis_check(genesis, why);
    POT_ASSERT(err == POT_OK);
    genesis_hash(hash, genesis);
    char *text = genesis_format(genesis);
    codec_free(genesis);
    enum exit_code rc =
        write_file(ctl, plan->folder, "genesis.json", 0644, text);
    free(text);
    if (rc == EXIT_CODE_DONE) {
        rc = write_key(ctl, plan->folder, "client.key", plan->client);
    }
    for (size_t i = 0; i < plan->count && rc == EXIT_CODE_DONE; i++) {
        rc = write_node(ctl, plan, &plan->nodes[i]);
    }
    return rc == EXIT_CODE_DONE && plan->is_compose ? write_compose(ctl, plan)
                                                    : rc;
}
