#include "config.h"

#include "node/check_config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/key_file.h"
#include "base/log.h"
#include "node/blas_core.h"
#include "node/startup.h"
#include "proto/codec.h"
#include "proto/genesis.h"
#include "training/exact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRINTED_BYTES_MAX 65536
#define WHAT_SIZE         1024

static void look_at_kernel(const struct node_config *config, struct buf *faults)
{
    const struct product *variants[EXACT_VARIANTS_MAX];
    size_t count = exact_variants(variants);
    const char *name = config->miner_exact_kernel;
    bool is_there = strcmp(name, "auto") == 0;
    for (size_t i = 0; i < count; i++) {
        is_there = is_there || strcmp(name, variants[i]->name) == 0;
    }
    if (!is_there) {
        char what[WHAT_SIZE];
        (void)snprintf(what, sizeof(what),
                       "this processor has no \"%s\": with \"auto\" the"
                       " fastest that it has is taken",
                       name);
        node_config_fault(config, faults, "miner.exact_kernel", what);
    }
}

bool check_config_tell(struct buf *faults)
{
    bool are_none = faults->size == 0;
    if (!are_none) {
        fprintf(stderr, "%spotd: configuration invalid, nothing was started\n",
                buf_text(faults));
    }
    buf_fini(faults);
    return are_none;
}

/* OpenBLAS takes another one where it does not know the name or the processor
 * lacks what it needs, and says nothing. */
static void look_at_blas_core(const struct node_config *config,
                              struct buf *faults)
{
    char taken[WORKER_CORE_NAME_SIZE];
    char what[WHAT_SIZE];
    const char *name = config->miner_blas_core;
    bool has_workers = config->miner_enabled || config->validator_enabled;
    if (!has_workers || strcmp(name, "auto") == 0) {
        return;
    }
    char *worker = startup_worker();
    bool is_there = access(worker, X_OK) == 0; /* if not, that is told */
    if (is_there && !blas_core_ask(taken, worker, name)) {
        (void)snprintf(what, sizeof(what),
                       "pot-worker does not run with \"%.32s\" on this"
                       " processor: with \"auto\" OpenBLAS chooses",
                       name);
        node_config_fault(config, faults, "miner.blas_core", what);
    } else if (is_there && strcasecmp(taken, name) != 0) {
        (void)snprintf(what, sizeof(what),
                       "OpenBLAS has no core \"%.32s\" for this processor, and"
                       " would take %s: with \"auto\" it chooses",
                       name, taken);
        node_config_fault(config, faults, "miner.blas_core", what);
    }
    free(worker);
}

/* The part of a path that is there, at its end or above it, a link that leads
 * nowhere too; free(). */
static char *part_that_is_there(const char *path)
{
    struct stat info;
    char *part = pot_strdup(path);
    while (strcmp(part, ".") != 0 && lstat(part, &info) != 0 &&
           (errno == ENOENT || errno == ENOTDIR)) {
        char *above = file_folder(part);
        free(part);
        part = above;
    }
    return part;
}

/* Where all files of the system lie, root can write; nobody means that. */
static void look_at_root(const struct node_config *config, struct buf *faults)
{
    char *path = realpath(config->home, NULL);
    if (path != NULL && strcmp(path, "/") == 0) {
        node_config_fault(config, faults, "home",
                          "is the root of all files: it must be a folder of"
                          " the node's own");
    }
    free(path);
}

static bool is_dead_link(const char *path)
{
    struct stat info;
    return stat(path, &info) != 0 && lstat(path, &info) == 0;
}

/* Whether a path goes up again behind its part that is there. */
static bool has_way_up(const char *path, const char *part)
{
    size_t size = strlen(part);
    const char *at = strncmp(path, part, size) == 0 ? path + size : path;
    while ((at = strstr(at, "..")) != NULL) {
        bool is_whole =
            (at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0');
        if (is_whole) {
            return true;
        }
        at++;
    }
    return false;
}

/* What is not there yet is made, but not in place of a file. */
static void look_at_folder(const struct node_config *config, struct buf *faults)
{
    struct stat info;
    char what[WHAT_SIZE];
    char *path = part_that_is_there(config->home);
    const char *why = NULL;
    bool is_file = stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
    if (is_dead_link(path)) {
        why = "a link that leads nowhere: make what it names, or remove it";
    } else if (is_file && strcmp(path, config->home) == 0) {
        why = "a file: it must be a folder of the node's own, or not be there"
              " yet";
    } else if (is_file) {
        why = "a file: home cannot be made below it: name another folder";
    } else if (has_way_up(config->home, path)) {
        why = "home goes on below it to what is not there, and up again by"
              " `..`: name it without";
    }
    if (why != NULL) {
        (void)snprintf(what, sizeof(what), "%s: %s", path, why);
        node_config_fault(config, faults, "home", what);
    }
    free(path);
}

static void look_at_web(const struct node_config *config, struct buf *faults)
{
    char what[WHAT_SIZE];
    struct stat info;
    const char *path = config->api_web;
    if (!config->api_enabled || path[0] == '\0') {
        return;
    }
    enum pot_err err = file_stat(path, &info);
    if (err != POT_OK || !S_ISDIR(info.st_mode)) {
        (void)snprintf(what, sizeof(what), "%s: %s: it must be a folder", path,
                       err != POT_OK ? err_text(err) : "a file");
        node_config_fault(config, faults, "api.web", what);
    }
}

static void look_at_start(const struct node_config *config, struct buf *faults)
{
    look_at_root(config, faults);
    look_at_folder(config, faults);
    look_at_kernel(config, faults);
    look_at_blas_core(config, faults);
    look_at_web(config, faults);
}

bool check_config_start(const struct node_config *config)
{
    struct buf faults;
    buf_init(&faults, PRINTED_BYTES_MAX);
    look_at_start(config, &faults);
    return check_config_tell(&faults);
}

void check_config_peers(const struct node_config *config)
{
    char why[KEY_FILE_WHY_SIZE];
    char address[ADDRESS_TEXT_SIZE];
    struct public_key own;
    bool is_encrypted;
    const char *file = config->p2p_key;
    if (file[0] == '\0') {
        file = config->validator_enabled ? config->validator_key
                                         : config->miner_key;
    }
    if (config->p2p_peer_count == 0 || file[0] == '\0' ||
        key_file_peek(&own, &is_encrypted, file, why) != POT_OK) {
        return;
    }
    for (size_t i = 0; i < config->p2p_peer_count; i++) {
        if (!public_key_equal(&config->p2p_peers[i].key, &own)) {
            return;
        }
    }
    LOG(LOG_WARN, "node", "p2p.peers names no other node than this one",
        log_text("address", address_format(&own, address)));
}

static void look_at_place(const struct node_config *config, struct buf *faults,
                          const char *setting, const char *path)
{
    if (access(path, W_OK) != 0) {
        char what[WHAT_SIZE];
        (void)snprintf(what, sizeof(what), "%s: %s: it must be writable", path,
                       strerror(errno));
        node_config_fault(config, faults, setting, what);
    }
}

/* What is not there yet is made; home's folders too. */
static void look_at_home(const struct node_config *config, struct buf *faults)
{
    struct stat info;
    char *path = part_that_is_there(config->home);
    bool is_told = is_dead_link(path) ||
                   (stat(path, &info) == 0 && !S_ISDIR(info.st_mode));
    if (!is_told) {
        look_at_place(config, faults, "home", path);
    }
    free(path);
}

static void look_at_log(const struct node_config *config, struct buf *faults)
{
    const char *path = config->log_file;
    if (path[0] == '\0') {
        return;
    }
    char *place =
        access(path, F_OK) == 0 ? pot_strdup(path) : file_folder(path);
    look_at_place(config, faults, "log.file", place);
    free(place);
}

static void look_at_genesis(const struct node_config *config,
                            struct buf *faults)
{
    char why[GENESIS_WHY_SIZE];
    char what[WHAT_SIZE];
    Pot__Genesis *genesis = NULL;
    if (genesis_load(&genesis, config->genesis, why) != POT_OK) {
        (void)snprintf(what, sizeof(what), "%s: %s", config->genesis, why);
        node_config_fault(config, faults, "genesis", what);
    }
    codec_free(genesis);
}

static void look_at_key(const struct node_config *config, struct buf *faults,
                        const char *setting, const char *path)
{
    char why[KEY_FILE_WHY_SIZE];
    struct public_key key;
    bool is_encrypted;
    if (path[0] != '\0' &&
        key_file_peek(&key, &is_encrypted, path, why) != POT_OK) {
        node_config_fault(config, faults, setting, why);
    }
}

/* What the settings name must be there and fit, too. */
static bool names_hold(const struct node_config *config)
{
    struct buf faults;
    buf_init(&faults, PRINTED_BYTES_MAX);
    look_at_genesis(config, &faults);
    if (config->validator_enabled) {
        look_at_key(config, &faults, "validator.key", config->validator_key);
    }
    if (config->miner_enabled) {
        look_at_key(config, &faults, "miner.key", config->miner_key);
    }
    look_at_key(config, &faults, "p2p.key", config->p2p_key);
    look_at_home(config, &faults);
    look_at_log(config, &faults);
    look_at_start(config, &faults);
    return check_config_tell(&faults);
}

/* Settings do not tell what the chain says of a key: who holds no stake takes
 * no part, and everything here is right all the same. */
static void tell_stake(const char *role, const char *key_file)
{
    char fault[KEY_FILE_WHY_SIZE];
    char address[ADDRESS_TEXT_SIZE];
    struct public_key key;
    bool is_encrypted;
    if (key_file[0] != '\0' &&
        key_file_peek(&key, &is_encrypted, key_file, fault) == POT_OK) {
        printf("# not looked at: whether %s has a %s's stake; `potctl balance"
               " %s`\n",
               address_format(&key, address), role, address);
    }
}

enum exit_code check_config(const struct node_config *config)
{
    struct buf out;
    check_config_peers(config);
    if (!names_hold(config)) {
        return EXIT_CODE_CONFIG;
    }
    buf_init(&out, PRINTED_BYTES_MAX);
    node_config_print(config, &out);
    printf("%s", buf_text(&out));
    buf_fini(&out);
    if (config->validator_enabled) {
        tell_stake("validator", config->validator_key);
    }
    if (config->miner_enabled) {
        tell_stake("miner", config->miner_key);
    }
    return EXIT_CODE_DONE;
}
