#include "config.h"

#include "node/startup.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/key_file.h"
#include "base/log.h"
#include "node/block/remote_signer.h"
#include "node/hold/blob_pool.h"
#include "node/hold/chunk_cache.h"
#include "node/hold/datasets.h"
#include "node/hold/known_parts.h"
#include "node/hold/snapshots.h"
#include "node/hold/verified.h"
#include "node/last_words.h"
#include "node/node_parts.h"
#include "proto/codec.h"
#include "proto/genesis.h"
#include "storage/sign_state.h"
#include "storage/store.h"

#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define POOL_BYTES_MAX ((size_t)512 << 20)
/* Parameters and momentum of the tasks that run, if they are not huge. */
#define RECENT_BYTES_MAX ((size_t)32 << 20)
#define VERIFIED_SIZE    65536
#define FILES_MIN        1024
#define FILES_OWN        512 /* of the store, workers, data sets */

void startup_error(struct node *node, enum exit_code code, const char *what,
                   enum pot_err err, const char *remedy)
{
    node->exit_code =
        err == POT_EFULL || err == POT_ELIMIT ? EXIT_CODE_FULL : code;
    fprintf(stderr, "potd: %s: %s: %s\n", what, err_text(err), remedy);
}

const char *startup_store_remedy(enum pot_err err)
{
    return err == POT_EBUSY ? ": stop that node first"
           : err == POT_ECORRUPT
               ? ": run `potctl resync --config FILE`, which moves the store"
                 " aside to sync anew, or put a backup in its place"
           : err == POT_EIO ? ": look at the disk and the kernel's log"
                            : "";
}

void startup_chain_error(struct node *node, enum pot_err err)
{
    if (err == POT_EGUARD) { /* of what was stored, not of what is signed */
        node->exit_code = EXIT_CODE_CONFIG;
        fprintf(stderr,
                "potd: %s: the store in home belongs to another genesis: use "
                "that one, or another home\n",
                node->config->genesis);
    } else if (err == POT_EFULL) {
        char remedy[96];
        (void)snprintf(remedy, sizeof(remedy),
                       "make room: storage.min_free_mb = %" PRIu64
                       " must be free",
                       node->config->min_free_mb);
        startup_error(node, EXIT_CODE_STORE, node->config->home, err, remedy);
    } else {
        startup_error(
            node, EXIT_CODE_STORE, node->config->home, err,
            "run `potctl store verify --config FILE`, and if that finds damage"
            " `potctl resync --config FILE`");
    }
}

/* Of a file that several settings name: NULL: not open yet. */
static const struct key *find_loaded(const struct node *node, const char *path)
{
    const struct node_config *c = node->config;
    bool has_file = c->validator_enabled && c->validator_signer == NULL;
    if (has_file && node->validator_key != NULL &&
        strcmp(path, c->validator_key) == 0) {
        return node->validator_key;
    }
    return node->miner_key != NULL && strcmp(path, c->miner_key) == 0
               ? node->miner_key
               : NULL;
}

/* An encrypted file is opened once: it takes seconds, and its passphrase is
 * typed, or comes through a pipe. */
static bool load_key(struct node *node, struct key **out, const char *path)
{
    char why[KEY_FILE_WHY_SIZE];
    const struct key *loaded = find_loaded(node, path);
    if (loaded != NULL) {
        *out = key_copy(loaded);
        return true;
    }
    enum pot_err err =
        key_file_load(out, path, node->config->key_passphrase_file, why);
    if (err != POT_OK) {
        node->exit_code = EXIT_CODE_CONFIG;
        fprintf(stderr, "potd: %s\n", why);
    }
    return err == POT_OK;
}

/* home/node_key, made at the first start. */
static bool load_made_key(struct node *node)
{
    struct stat info;
    char *path = file_join(node->config->home, "node_key");
    enum pot_err err = file_stat(path, &info);
    if (err == POT_ENOENT) {
        struct key *fresh = key_generate();
        err = key_file_create(fresh, path, NULL);
        key_free(fresh);
    }
    if (err != POT_OK) {
        startup_error(node, EXIT_CODE_CONFIG, path, err, "check the file");
    }
    bool is_loaded = err == POT_OK && load_key(node, &node->node_key, path);
    free(path);
    return is_loaded;
}

/* The node's identity on the network: p2p.key, else the validator's key, else
 * the miner's, else one made for this home. */
static bool load_node_key(struct node *node)
{
    const struct node_config *c = node->config;
    if (c->p2p_key[0] != '\0') {
        return load_key(node, &node->node_key, c->p2p_key);
    }
    const struct key *own =
        node->validator_key != NULL ? node->validator_key : node->miner_key;
    if (own == NULL) {
        return load_made_key(node);
    }
    node->node_key = key_copy(own);
    return true;
}

/* The validator's key where it is held by another process. */
static bool reach_signer(struct node *node)
{
    const char *path = node->config->validator_signer;
    enum pot_err err =
        remote_signer_open(&node->signer, path, &node->holdings.chain);
    if (err != POT_OK) {
        startup_error(node, EXIT_CODE_CONFIG, path, err,
                      err == POT_EGUARD ? "that pot-signer is for another chain"
                      : err == POT_ENOENT
                          ? "there is no such socket: start pot-signer first,"
                            " as the same user"
                          : "start pot-signer first, as the same user");
        return false;
    }
    node->validator_key = remote_signer_key(node->signer);
    return true;
}

static bool load_keys(struct node *node)
{
    const struct node_config *c = node->config;
    if (c->validator_enabled &&
        !(c->validator_signer != NULL
              ? reach_signer(node)
              : load_key(node, &node->validator_key, c->validator_key))) {
        return false;
    }
    if (c->miner_enabled && !load_key(node, &node->miner_key, c->miner_key)) {
        return false;
    }
    return load_node_key(node);
}

static bool load_genesis(struct node *node)
{
    char why[GENESIS_WHY_SIZE];
    enum pot_err err = genesis_load(&node->genesis, node->config->genesis, why);
    if (err != POT_OK) {
        node->exit_code = EXIT_CODE_CONFIG;
        fprintf(stderr, "potd: %s: %s\n", node->config->genesis, why);
        return false;
    }
    genesis_hash(&node->holdings.genesis_hash, node->genesis);
    chain_id_hash(&node->holdings.chain, node->genesis->chain_id);
    return true;
}

static bool open_home(struct node *node)
{
    enum pot_err err = file_make_folder(node->config->home, 0700);
    if (err != POT_OK) {
        startup_error(node, EXIT_CODE_CONFIG, node->config->home, err,
                      "home must be a folder that this user can write");
    }
    return err == POT_OK;
}

void startup_set_limits(struct node *node, const struct node_config *config)
{
    store_set_limits(node->holdings.store, config->min_free_mb << 20,
                     config->max_size_mb << 20);
}

static bool open_store(struct node *node)
{
    char why[256] = "";
    char *folder = file_join(node->config->home, "store");
    enum pot_err err =
        store_open(&node->holdings.store, folder,
                   (size_t)node->config->map_size_mb << 20, why, sizeof(why));
    if (err != POT_OK) {
        node->exit_code = err == POT_EBUSY ? EXIT_CODE_LOCKED
                          : err == POT_EFULL || err == POT_ELIMIT
                              ? EXIT_CODE_FULL
                              : EXIT_CODE_STORE;
        fprintf(stderr, "potd: %s%s\n", why, startup_store_remedy(err));
    } else {
        last_words_open(node->holdings.store);
        startup_set_limits(node, node->config);
    }
    free(folder);
    return err == POT_OK;
}

static bool open_datasets(struct node *node)
{
    uint64_t cache_mb = node->config->data_cache_mb;
    char *folder = file_join(node->config->home, "datasets");
    enum pot_err err =
        datasets_open(&node->holdings.datasets, folder, node->holdings.store);
    if (err != POT_OK) {
        startup_error(node, EXIT_CODE_CONFIG, folder, err, "check the folder");
    }
    if (err == POT_OK && cache_mb > 0) {
        err = chunk_cache_open(&node->holdings.chunks, folder, cache_mb << 20);
        if (err != POT_OK) {
            startup_error(node, EXIT_CODE_CONFIG, folder, err,
                          "the cache of chunks in it cannot be opened");
        }
    }
    free(folder);
    return err == POT_OK;
}

/* A key that may have signed blocks must bring its sign state along. */
static bool open_sign_state(struct node *node)
{
    uint64_t height = 0;
    if (node->validator_key == NULL) {
        return true;
    }
    char *path = file_join(node->config->home, "sign_state");
    const struct public_key *key = key_public(node->validator_key);
    enum pot_err err =
        sign_state_open(&node->sign_state, path, key, &node->holdings.chain);
    bool is_fresh =
        !store_tip(node->holdings.store, &height, NULL, NULL) || height == 0;
    if (err == POT_ENOENT && is_fresh) {
        err = sign_state_create(path, key, &node->holdings.chain);
        if (err == POT_OK) {
            err = sign_state_open(&node->sign_state, path, key,
                                  &node->holdings.chain);
        }
    }
    if (err == POT_ENOENT || err == POT_EGUARD) {
        startup_error(node, EXIT_CODE_GUARD, path, POT_EGUARD,
                      err == POT_ENOENT
                          ? "the chain has begun, and there is no sign state of"
                            " this key: run `potctl recover --config FILE`, for"
                            " a new one too"
                          : "it is another key's or another chain's");
    } else if (err != POT_OK) {
        startup_error(node,
                      err == POT_EBUSY ? EXIT_CODE_LOCKED : EXIT_CODE_STORE,
                      path, err,
                      err == POT_ECORRUPT
                          ? "run `potctl recover --config FILE`, which begins a"
                            " new one"
                      : err == POT_EBUSY ? "stop that node first"
                                         : "check the file and the disk");
    } else if (sign_state_is_torn(node->sign_state)) {
        LOG(LOG_WARN, "node",
            "the sign state has a damaged record: the one before stands, and "
            "others tell what was signed since",
            log_text("file", path));
    }
    free(path);
    return err == POT_OK;
}

char *startup_worker(void)
{
    char own[4096];
    ssize_t size = readlink("/proc/self/exe", own, sizeof(own) - 1);
    if (size > 0) {
        own[size] = '\0';
        char *beside = file_join(dirname(own), "pot-worker");
        if (access(beside, X_OK) == 0) {
            return beside;
        }
        free(beside);
    }
    return pot_strdup(POT_WORKER_PATH);
}

static bool check_worker(struct node *node)
{
    node->worker_program = startup_worker();
    bool is_needed = node->validator_key != NULL || node->miner_key != NULL;
    if (is_needed && access(node->worker_program, X_OK) != 0) {
        startup_error(node, EXIT_CODE_CONFIG, node->worker_program, POT_ENOENT,
                      "pot-worker must stand beside potd or be installed");
        return false;
    }
    return true;
}

/* No connection may take the place of a file that the store or a worker needs:
 * there are descriptors for all that the limits allow. */
static bool check_limits(struct node *node)
{
    char advice[96];
    struct rlimit limit;
    const struct node_config *c = node->config;
    rlim_t needed = FILES_OWN + c->p2p_peer_count + c->p2p_max_peers +
                    c->p2p_max_pending + 2 * c->api_max_connections;
    needed = needed < FILES_MIN ? FILES_MIN : needed;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < needed) {
        limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < needed) {
            (void)snprintf(advice, sizeof(advice),
                           "%llu are needed: raise `ulimit -n`, or lower the "
                           "limits on connections",
                           (unsigned long long)needed);
            startup_error(node, EXIT_CODE_FULL, "open files", POT_ELIMIT,
                          advice);
            return false;
        }
    }
    return true;
}

bool startup_open_home(struct node *node)
{
    return open_home(node) && load_genesis(node) && load_keys(node);
}

bool startup_open_store(struct node *node)
{
    if (node->genesis == NULL && !load_genesis(node)) {
        return false;
    }
    if (!open_home(node) || !open_store(node) || !open_datasets(node)) {
        return false;
    }
    struct holdings *holdings = &node->holdings;
    holdings->params = node->genesis->params;
    holdings->pool = blob_pool_new(POOL_BYTES_MAX);
    holdings->recent = blob_pool_new(RECENT_BYTES_MAX);
    holdings->parts = known_parts_new(holdings);
    holdings->verified = verified_new(&holdings->chain, VERIFIED_SIZE);
    if (node->config->snapshot_interval > 0) {
        holdings->snapshots =
            snapshots_new(holdings->store, node->config->snapshot_interval,
                          (size_t)node->config->snapshot_keep);
    }
    holdings->keep_rounds = (uint32_t)node->config->keep_rounds;
    return true;
}

bool startup_open(struct node *node)
{
    return check_limits(node) && startup_open_home(node) &&
           check_worker(node) && startup_open_store(node) &&
           open_sign_state(node);
}

void startup_close(struct node *node)
{
    sign_state_close(node->sign_state);
    snapshots_free(node->holdings.snapshots);
    datasets_close(node->holdings.datasets);
    chunk_cache_close(node->holdings.chunks);
    last_words_close();
    store_close(node->holdings.store);
    blob_pool_free(node->holdings.pool);
    blob_pool_free(node->holdings.recent);
    known_parts_free(node->holdings.parts);
    verified_free(node->holdings.verified);
    key_free(node->node_key);
    key_free(node->validator_key);
    key_free(node->miner_key);
    remote_signer_close(node->signer);
    codec_free(node->genesis);
    free(node->worker_program);
}
