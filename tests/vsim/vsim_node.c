/* A crash: from the moment at which it comes nothing of the node reaches the
 * disk or the network; only then its memory is tidied, by its own way of
 * stopping.  What is on the disk is then taken back as far as it was not
 * synced. */
#include "config.h"

#include "tests/vsim/vsim_node.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/key_file.h"
#include "node/block/arrival.h"
#include "node/block/chain.h"
#include "node/node.h"
#include "node/node_config.h"
#include "node/node_parts.h"
#include "node/stopping.h"
#include "proto/codec.h"
#include "proto/consensus.pb-c.h"
#include "proto/genesis.h"
#include "proto/genesis_params.h"
#include "storage/sign_state.h"
#include "storage/store.h"
#include "tests/vsim/vsim_check.h"
#include "tests/vsim/vsim_clock.h"
#include "tests/vsim/vsim_disk.h"
#include "tests/vsim/vsim_network.h"
#include "tests/vsim/vsim_tcp.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 65536
#define AGAIN_US       2000000

/* ---- folders */

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void vsim_node_remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* All lives have the same keys: they are made once, and stay. */
struct key *vsim_node_key(uint32_t index)
{
    static struct key *keys[VSIM_ACCOUNTS];
    uint8_t seed[32] = {'v', 's', 'i', 'm', (uint8_t)index};
    POT_ASSERT(index < VSIM_ACCOUNTS);
    if (keys[index] == NULL) {
        keys[index] = key_from_seed(seed);
    }
    return keys[index];
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char *path = file_join(folder, name);
    enum pot_err err = file_create(path, 0600, text, strlen(text));
    POT_ASSERT(err == POT_OK);
    free(path);
}

static void print_peers(struct buf *out, const struct vsim_node *self)
{
    char address[ADDRESS_TEXT_SIZE];
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        const struct vsim_node *node = &vsim.nodes[i];
        struct sockaddr_in in;
        char ip[INET_ADDRSTRLEN];
        if (node != self) {
            vsim_network_address(&in, i, VSIM_PORT);
            (void)inet_ntop(AF_INET, &in.sin_addr, ip, sizeof(ip));
            buf_printf(out, "\"%s@%s:%d\", ",
                       address_format(key_public(node->key), address), ip,
                       VSIM_PORT);
        }
    }
}

static void write_config(const struct vsim_node *node)
{
    struct buf out;
    struct sockaddr_in in;
    char ip[INET_ADDRSTRLEN];
    buf_init(&out, TEXT_BYTES_MAX);
    vsim_network_address(&in, node->index, VSIM_PORT);
    (void)inet_ntop(AF_INET, &in.sin_addr, ip, sizeof(ip));
    buf_printf(&out,
               "home = \".\"\nmoniker = \"n%" PRIu32 "\"\n"
               "genesis = \"../genesis.json\"\n"
               "[p2p]\nlisten = \"%s:%d\"\nkey = \"key\"\npeers = [",
               node->index, ip, VSIM_PORT);
    print_peers(&out, node);
    buf_printf(&out,
               "]\n[consensus]\npropose_timeout_ms = %" PRIu64
               "\nidle_interval_ms = %" PRIu64
               "\n[validator]\nenabled = true\nkey = \"key\"\n"
               "[api]\nenabled = false\n[storage]\nmap_size_mb = 16\n"
               "snapshot_interval = %" PRIu64 "\nbegin_with_snapshot = %s\n",
               vsim.config.propose_timeout_ms, vsim.config.idle_interval_ms,
               vsim.config.snapshot_interval,
               vsim_has(FAULT_LEAP) ? "true" : "false");
    POT_ASSERT(!out.is_overflown);
    write_text(node->home, "node.toml", buf_text(&out));
    buf_fini(&out);
}

static void load_config(struct vsim_node *node)
{
    struct buf faults;
    char *path = file_join(node->home, "node.toml");
    buf_init(&faults, TEXT_BYTES_MAX);
    enum pot_err err = node_config_load(&node->config, path, &faults);
    if (err != POT_OK) {
        vsim_fail("node.toml: %s", buf_text(&faults));
    }
    buf_fini(&faults);
    free(path);
}

/* ---- the genesis */

struct genesis_made {
    Pot__GenesisParams params;
    Pot__GenesisAccount accounts[VSIM_ACCOUNTS];
    Pot__GenesisAccount *account_list[VSIM_ACCOUNTS];
    Pot__GenesisStake stakes[VSIM_NODES_MAX];
    Pot__GenesisStake *stake_list[VSIM_NODES_MAX];
    struct public_key keys[VSIM_ACCOUNTS];
};

static int compare_keys(const void *a, const void *b)
{
    return public_key_compare(a, b);
}

static void add_accounts(struct genesis_made *made, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index =
            i < vsim.node_count ? i : VSIM_NODES_MAX + i - vsim.node_count;
        made->keys[i] = *key_public(vsim_node_key(index));
        vsim_check_account(&made->keys[i]);
    }
    qsort(made->keys, count, sizeof(*made->keys), compare_keys);
    for (uint32_t i = 0; i < count; i++) {
        pot__genesis_account__init(&made->accounts[i]);
        made->accounts[i].address =
            codec_bytes(made->keys[i].b, PUBLIC_KEY_SIZE);
        made->accounts[i].balance = VSIM_BALANCE;
        made->account_list[i] = &made->accounts[i];
    }
}

static void add_stakes(struct genesis_made *made)
{
    static char moniker[] = "validator";
    for (uint32_t i = 0; i < vsim.config.n; i++) {
        const struct public_key *key = key_public(vsim.nodes[i].key);
        pot__genesis_stake__init(&made->stakes[i]);
        made->stakes[i].address = codec_bytes(key->b, PUBLIC_KEY_SIZE);
        made->stakes[i].role = POT__STAKE_ROLE__STAKE_VALIDATOR;
        made->stakes[i].amount = VSIM_STAKE;
        made->stakes[i].moniker = moniker;
        made->stake_list[i] = &made->stakes[i];
    }
}

static void write_genesis(const char *folder)
{
    static char chain_id[] = "pot-vsim";
    static struct genesis_made made;
    Pot__Genesis genesis = POT__GENESIS__INIT;
    uint32_t accounts = vsim.node_count + VSIM_CLIENTS;
    genesis_params_default(&made.params);
    made.params.min_validator_stake = VSIM_STAKE;
    made.params.epoch_blocks = vsim.config.epoch_blocks;
    made.params.unbonding_blocks = vsim.config.unbonding_blocks;
    made.params.evidence_blocks_max = vsim.config.unbonding_blocks;
    add_accounts(&made, accounts);
    add_stakes(&made);
    genesis.chain_id = chain_id;
    genesis.time_ms = VSIM_GENESIS_MS - 1000;
    genesis.params = &made.params;
    genesis.n_accounts = accounts;
    genesis.accounts = made.account_list;
    genesis.n_stakes = vsim.config.n;
    genesis.stakes = made.stake_list;
    char *text = genesis_format(&genesis);
    write_text(folder, "genesis.json", text);
    free(text);
}

/* ---- all of them */

/* As `potctl testnet init` does: the key is new, and has signed nothing. */
static void write_sign_state(const struct vsim_node *node)
{
    size_t size;
    struct hash chain;
    struct sign_state *state;
    Pot__PbftRecord record = POT__PBFT_RECORD__INIT;
    char *path = file_join(node->home, "sign_state");
    chain_id_hash(&chain, "pot-vsim");
    record.height = 1;
    uint8_t *data = codec_encode(&size, &record);
    const struct public_key *key = key_public(node->key);
    enum pot_err err = sign_state_create(path, key, &chain);
    POT_ASSERT(err == POT_OK);
    err = sign_state_open(&state, path, key, &chain);
    POT_ASSERT(err == POT_OK);
    err = sign_state_save(state, data, size);
    POT_ASSERT(err == POT_OK);
    sign_state_close(state);
    free(data);
    free(path);
}

static void open_home(struct vsim_node *node, const char *folder)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "n%" PRIu32, node->index);
    node->home = file_join(folder, name);
    enum pot_err err = file_make_folder(node->home, 0700);
    POT_ASSERT(err == POT_OK);
    char *path = file_join(node->home, "key");
    err = key_file_create(node->key, path, NULL);
    POT_ASSERT(err == POT_OK);
    free(path);
    write_sign_state(node);
    write_config(node);
    load_config(node);
}

void vsim_node_open_all(const char *folder)
{
    vsim.node_count = vsim.config.n + vsim.config.spare;
    POT_ASSERT(vsim.node_count <= VSIM_NODES_MAX);
    vsim_node_remove_tree(folder);
    enum pot_err err = file_make_folder(folder, 0700);
    POT_ASSERT(err == POT_OK);
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        vsim.nodes[i].index = i;
        vsim.nodes[i].key = vsim_node_key(i);
        vsim.nodes[i].rate_permille = 1000;
    }
    write_genesis(folder);
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        open_home(&vsim.nodes[i], folder);
    }
}

static void end(struct vsim_node *node)
{
    uint32_t before = vsim.current;
    vsim.current = node->index;
    vsim_resume(node->index); /* what waits keeps its order */
    if (node->node->is_open) {
        stopping_begin(node->node);
    }
    (void)uv_run(&node->node->loop, UV_RUN_DEFAULT);
    node->exit_code = (unsigned)node_end(node->node);
    node->node = NULL;
    vsim.current = before;
}

void vsim_node_close_all(void)
{
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        struct vsim_node *node = &vsim.nodes[i];
        if (node->node != NULL) {
            end(node);
        }
        vsim_disk_forget(node);
        node_config_free(node->config);
        free(node->home);
    }
    vsim_tcp_fini();
}

/* ---- starts and ends */

static void on_start(struct vsim_event *event)
{
    vsim_node_start(event->context);
}

void vsim_node_start_in(struct vsim_node *node, uint64_t delay_us)
{
    (void)vsim_schedule(VSIM_NOBODY, delay_us, on_start, node);
}

void vsim_node_start(struct vsim_node *node)
{
    uint32_t before = vsim.current;
    if (node->node != NULL) {
        return;
    }
    node->is_dark = false;
    vsim_resume(node->index);
    node->disk.has_refused = false;
    vsim_say(node->index, "starts");
    vsim.current = node->index;
    node->node = node_begin(node->config);
    bool is_up = node->node->is_open && !node->node->is_stopping &&
                 !node->disk.is_frozen;
    if (is_up && !node->is_rotten) {
        vsim_check_start(node);
    }
    vsim.stepped = node->index;
    vsim.current = before;
}

void vsim_node_die(struct vsim_node *node, enum vsim_crash crash)
{
    bool is_power = crash != CRASH_PROCESS;
    vsim_say(node->index, is_power ? "loses power" : "dies");
    vsim_mark(is_power ? MARK_POWER : MARK_CRASH);
    vsim_disk_freeze(node);
    vsim_tcp_die(node->index, is_power);
    node->is_dark = is_power;
    end(node);
    vsim_disk_crash(node, crash);
}

void vsim_node_lose_store(struct vsim_node *node)
{
    char *path = file_join(node->home, "store");
    POT_ASSERT(node->node == NULL);
    vsim_say(node->index, "its store is gone");
    vsim_disk_forget(node);
    vsim_node_remove_tree(path);
    free(path);
    node->height = 0;
    node->is_amnesic = true;
    node->is_rotten = false;
}

/* A node may stop for its disk's sake only. */
static void ended(struct vsim_node *node)
{
    end(node);
    vsim_say(node->index, "stops by itself: exit code %u", node->exit_code);
    vsim_mark(MARK_STOPPED_ITSELF);
    vsim_disk_crash(node, CRASH_PROCESS);
    if (node->is_rotten && node->exit_code == EXIT_CODE_STORE) {
        vsim_mark(MARK_ROT_FOUND);
        vsim_node_lose_store(node);
    } else if (!node->disk.has_refused) {
        vsim_fail("node %" PRIu32 " stops by itself: exit code %u", node->index,
                  node->exit_code);
    }
    vsim_node_start_in(node, AGAIN_US);
}

/* It says that no peer holds its next block: those who did began with a
 * snapshot since. */
static bool is_stranded(const struct vsim_node *node)
{
    struct arrival_progress progress;
    arrival_progress(node->node->arrival, &progress);
    return progress.is_stranded;
}

/* Damaged, it stays readable and takes no part; or it is stranded: its owner
 * sees that, and has it begin with a fresh store. */
static void replace_store(struct vsim_node *node)
{
    vsim_node_die(node, CRASH_PROCESS);
    vsim_node_lose_store(node);
    vsim_node_start_in(node, vsim_below(AGAIN_US));
}

void vsim_node_after_step(void)
{
    struct vsim_node *node =
        vsim.stepped != VSIM_NOBODY ? &vsim.nodes[vsim.stepped] : NULL;
    if (node == NULL || node->node == NULL) {
        return;
    }
    if (node->disk.is_frozen) {
        vsim_node_die(node, node->crash);
        vsim_node_start_in(node, vsim_below(AGAIN_US));
    } else if (!node->node->is_open || node->node->is_stopping) {
        ended(node);
    } else if (node->is_rotten) {
        if (store_health(node->node->holdings.store) == STORE_CORRUPT) {
            vsim_mark(MARK_ROT_FOUND);
            replace_store(node);
        }
    } else if (vsim.is_healed && is_stranded(node)) {
        replace_store(node);
    } else {
        vsim_check_node(node);
        node->is_amnesic &= node->height < vsim_check_height();
    }
}
