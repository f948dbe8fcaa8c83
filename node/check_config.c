#include "config.h"

#include "node/check_config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/key_file.h"
#include "base/log.h"
#include "proto/codec.h"
#include "proto/genesis.h"
#include "training/exact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRINTED_BYTES_MAX 65536

bool check_config_kernel(const struct node_config *config)
{
    const struct product *variants[EXACT_VARIANTS_MAX];
    size_t count = exact_variants(variants);
    const char *name = config->miner_exact_kernel;
    bool is_there = strcmp(name, "auto") == 0;
    for (size_t i = 0; i < count; i++) {
        is_there = is_there || strcmp(name, variants[i]->name) == 0;
    }
    if (!is_there) {
        fprintf(stderr,
                "%s: miner.exact_kernel: this processor has no \"%s\": with"
                " \"auto\" the fastest that it has is taken\n",
                config->path, name);
    }
    return is_there;
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

static bool place_holds(const struct node_config *config, const char *setting,
                        const char *path)
{
    if (access(path, W_OK) == 0) {
        return true;
    }
    fprintf(stderr, "%s: %s: %s: %s: it must be writable\n", config->path,
            setting, path, strerror(errno));
    return false;
}

/* What is not there yet is made; home's folders too. */
static bool home_holds(const struct node_config *config)
{
    char *path = pot_strdup(config->home);
    while (access(path, F_OK) != 0 && errno == ENOENT) {
        char *above = file_folder(path);
        free(path);
        path = above;
    }
    bool holds = place_holds(config, "home", path);
    free(path);
    return holds;
}

static bool log_holds(const struct node_config *config)
{
    const char *path = config->log_file;
    if (path[0] == '\0' || access(path, F_OK) == 0) {
        return path[0] == '\0' || place_holds(config, "log.file", path);
    }
    char *folder = file_folder(path);
    bool holds = place_holds(config, "log.file", folder);
    free(folder);
    return holds;
}

/* What the settings name must be there and be readable too. */
static bool names_hold(const struct node_config *config)
{
    char why[GENESIS_WHY_SIZE];
    Pot__Genesis *genesis = NULL;
    bool hold = true;
    const char *const keys[] = {
        config->validator_enabled ? config->validator_key : "",
        config->miner_enabled ? config->miner_key : "",
        config->p2p_key,
    };
    if (genesis_load(&genesis, config->genesis, why) != POT_OK) {
        fprintf(stderr, "%s: genesis: %s: %s\n", config->path, config->genesis,
                why);
        hold = false;
    }
    codec_free(genesis);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        char fault[KEY_FILE_WHY_SIZE];
        struct public_key key;
        bool is_encrypted;
        if (keys[i][0] != '\0' &&
            key_file_peek(&key, &is_encrypted, keys[i], fault) != POT_OK) {
            fprintf(stderr, "%s: key: %s\n", config->path, fault);
            hold = false;
        }
    }
    return hold;
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
    bool hold = names_hold(config);
    hold = home_holds(config) && hold;
    hold = log_holds(config) && hold;
    hold = check_config_kernel(config) && hold;
    if (!hold) {
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
