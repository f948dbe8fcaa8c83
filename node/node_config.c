/* One table says all there is to say of a key: its name, its type, where it
 * goes, its default and its range.  Reading, overriding, checking, printing
 * and freeing walk the table. */
#include "config.h"

#include "node/node_config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/key.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "base/toml.h"
#include "node/block/pruning.h"
#include "storage/store_snapshot.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONFIG_BYTES_MAX      (1 << 20)
#define ENVIRONMENT_NAME_SIZE 96
#define SIGNER_PREFIX         "unix:"
#define CACHE_MB_MIN          4
#define VALUE_BYTES_MAX       CONFIG_BYTES_MAX

extern char **environ;

enum setting_type {
    SETTING_TEXT,
    SETTING_PATH, /* a text; relative to the file's folder */
    SETTING_BOOL,
    SETTING_COUNT, /* uint64_t in [low, high] */
    SETTING_LIST,  /* char ** and a size_t; a text counts as a list of one */
};

struct setting {
    const char *key;
    enum setting_type type;
    size_t offset;
    size_t count_offset;  /* SETTING_LIST */
    const char *fallback; /* NULL: required */
    uint64_t low;
    uint64_t high;
};

#define AT(field) offsetof(struct node_config, field)

static const struct setting settings[] = {
    {"home", SETTING_PATH, AT(home), 0, "data", 0, 0},
    {"moniker", SETTING_TEXT, AT(moniker), 0, "", 0, 0},
    {"genesis", SETTING_PATH, AT(genesis), 0, "genesis.json", 0, 0},
    {"key_passphrase_file", SETTING_PATH, AT(key_passphrase_file), 0, "", 0, 0},
    {"log.level", SETTING_TEXT, AT(log_level_text), 0, "info", 0, 0},
    {"log.format", SETTING_TEXT, AT(log_format_text), 0, "text", 0, 0},
    {"log.file", SETTING_PATH, AT(log_file), 0, "", 0, 0},
    {"p2p.listen", SETTING_TEXT, AT(p2p_listen), 0, "127.0.0.1:26650", 0, 0},
    {"p2p.external", SETTING_TEXT, AT(p2p_external), 0, "", 0, 0},
    {"p2p.key", SETTING_PATH, AT(p2p_key), 0, "", 0, 0},
    {"p2p.peers", SETTING_LIST, AT(p2p_peer_texts), AT(p2p_peer_count), "", 0,
     CONFIG_PEERS_MAX},
    {"p2p.max_peers", SETTING_COUNT, AT(p2p_max_peers), 0, "64", 1, 4096},
    {"p2p.only_peers", SETTING_BOOL, AT(p2p_only_peers), 0, "false", 0, 0},
    {"p2p.max_pending", SETTING_COUNT, AT(p2p_max_pending), 0, "16", 1, 1024},
    {"p2p.max_pending_per_address", SETTING_COUNT,
     AT(p2p_max_pending_per_address), 0, "2", 1, 1024},
    {"p2p.max_accepts_per_address", SETTING_COUNT,
     AT(p2p_max_accepts_per_address), 0, "20", 1, 100000},
    {"p2p.handshake_timeout_ms", SETTING_COUNT, AT(p2p_handshake_timeout_ms), 0,
     "5000", 100, 60000},
    {"p2p.peer_signatures", SETTING_COUNT, AT(p2p_peer_signatures), 0, "2000",
     10, 1000000},
    {"p2p.ban_seconds", SETTING_COUNT, AT(p2p_ban_seconds), 0, "600", 1, 86400},
    {"consensus.propose_timeout_ms", SETTING_COUNT, AT(propose_timeout_ms), 0,
     "2000", 50, 600000},
    {"consensus.idle_interval_ms", SETTING_COUNT, AT(idle_interval_ms), 0,
     "5000", 10, 3600000},
    {"consensus.max_block_bytes", SETTING_COUNT, AT(max_block_bytes), 0,
     "1048576", 4096, BLOCK_BYTES_MAX},
    {"validator.enabled", SETTING_BOOL, AT(validator_enabled), 0, "false", 0,
     0},
    {"validator.key", SETTING_PATH, AT(validator_key), 0, "", 0, 0},
    {"validator.signer", SETTING_TEXT, AT(validator_signer_text), 0, "", 0, 0},
    {"miner.enabled", SETTING_BOOL, AT(miner_enabled), 0, "false", 0, 0},
    {"miner.key", SETTING_PATH, AT(miner_key), 0, "", 0, 0},
    {"miner.workers", SETTING_COUNT, AT(miner_workers), 0, "1", 0, 256},
    {"miner.blas_core", SETTING_TEXT, AT(miner_blas_core), 0, "auto", 0, 0},
    {"miner.exact_kernel", SETTING_TEXT, AT(miner_exact_kernel), 0, "auto", 0,
     0},
    {"miner.tasks", SETTING_LIST, AT(miner_tasks), AT(miner_task_count), "any",
     0, CONFIG_TASKS_MAX},
    {"aggregator.enabled", SETTING_BOOL, AT(aggregator_enabled), 0, "false", 0,
     0},
    {"api.enabled", SETTING_BOOL, AT(api_enabled), 0, "true", 0, 0},
    {"api.listen", SETTING_TEXT, AT(api_listen), 0, "127.0.0.1:26680", 0, 0},
    {"api.web", SETTING_PATH, AT(api_web), 0, "", 0, 0},
    {"api.max_connections", SETTING_COUNT, AT(api_max_connections), 0, "64", 16,
     512},
    {"api.max_connections_per_address", SETTING_COUNT, AT(api_max_per_address),
     0, "16", 1, 512},
    {"api.max_streams", SETTING_COUNT, AT(api_max_streams), 0, "32", 1, 512},
    {"mempool.max_bytes", SETTING_COUNT, AT(mempool_max_bytes), 0, "67108864",
     TX_BYTES_MAX, UINT64_C(1) << 34},
    {"mempool.max_txs", SETTING_COUNT, AT(mempool_max_txs), 0, "5000", 1,
     1000000},
    {"data.cache_mb", SETTING_COUNT, AT(data_cache_mb), 0, "0", 0,
     UINT64_C(1) << 24},
    {"storage.map_size_mb", SETTING_COUNT, AT(map_size_mb), 0, "1024", 16,
     UINT64_C(1) << 24},
    {"storage.max_size_mb", SETTING_COUNT, AT(max_size_mb), 0, "0", 0,
     UINT64_C(1) << 24},
    {"storage.min_free_mb", SETTING_COUNT, AT(min_free_mb), 0, "64", 0,
     UINT64_C(1) << 24},
    {"storage.keep_blobs", SETTING_COUNT, AT(keep_rounds), 0, "16", 0, 1000000},
    {"storage.keep_blocks", SETTING_COUNT, AT(keep_blocks), 0, "0", 0,
     INT64_MAX},
    {"storage.snapshot_interval", SETTING_COUNT, AT(snapshot_interval), 0,
     "1000", 0, INT64_MAX},
    {"storage.snapshot_keep", SETTING_COUNT, AT(snapshot_keep), 0, "2", 1,
     STORE_SNAPSHOTS_MAX},
    {"storage.begin_with_snapshot", SETTING_BOOL, AT(begin_with_snapshot), 0,
     "false", 0, 0},
};

#define SETTING_TOTAL (sizeof(settings) / sizeof(*settings))

/* Where the value of a setting stands. */
struct node_config_place {
    unsigned line; /* of the file; 0: the default counts */
    bool is_environment;
};

struct loader {
    struct node_config *config;
    const char *path;
    char *folder;
    struct buf *faults;
    bool has_faults;
};

static void append_fault(struct buf *faults, const char *path, unsigned line,
                         const char *key, const char *what)
{
    size_t begin = faults->size;
    buf_printf(faults, "%s", path);
    if (line > 0) {
        buf_printf(faults, ":%u", line);
    }
    buf_printf(faults, ": %s%s%s", key, key[0] != '\0' ? ": " : "", what);
    for (size_t i = begin; i < faults->size; i++) { /* keys and values may */
        faults->data[i] = faults->data[i] == '\n' ? ' ' : faults->data[i];
    }
    buf_printf(faults, "\n");
}

static void fault_in_file(struct loader *l, unsigned line, const char *key,
                          const char *what)
{
    l->has_faults = true;
    append_fault(l->faults, l->path, line, key, what);
}

static void fault_in_environment(struct loader *l, const char *name,
                                 const char *what)
{
    l->has_faults = true;
    append_fault(l->faults, "environment", 0, name, what);
}

static void environment_name(char name[static ENVIRONMENT_NAME_SIZE],
                             const struct setting *s)
{
    int size = snprintf(name, ENVIRONMENT_NAME_SIZE, "POTD_%s", s->key);
    for (int c = 0; c < size; c++) {
        name[c] = name[c] == '.' ? '_' : (char)toupper(name[c]);
    }
}

static const struct setting *find_setting(const char *key)
{
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        if (strcmp(settings[i].key, key) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

void node_config_fault(const struct node_config *config, struct buf *faults,
                       const char *key, const char *what)
{
    const struct setting *s = find_setting(key);
    POT_ASSERT(s != NULL);
    const struct node_config_place *place = &config->places[s - settings];
    if (place->is_environment) {
        char name[ENVIRONMENT_NAME_SIZE];
        environment_name(name, s);
        append_fault(faults, "environment", 0, name, what);
    } else {
        append_fault(faults, config->path, place->line, key, what);
    }
}

/* A fault of a setting's value, wherever that stands. */
static void fault(struct loader *l, const char *key, const char *what)
{
    l->has_faults = true;
    node_config_fault(l->config, l->faults, key, what);
}

static void *field_of(struct node_config *config, size_t offset)
{
    return (char *)config + offset;
}

static void fault_unknown(struct loader *l, const struct toml_value *value)
{
    const char *keys[SETTING_TOTAL];
    char hint[SUGGEST_TEXT_SIZE];
    char what[SUGGEST_TEXT_SIZE + 16];
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        keys[i] = settings[i].key;
    }
    (void)snprintf(what, sizeof(what), "unknown key%s",
                   suggest_text(hint, "", value->key, keys, SETTING_TOTAL));
    fault_in_file(l, value->line, value->key, what);
}

static void set_text(struct loader *l, const struct setting *s,
                     const char *text)
{
    char **field = field_of(l->config, s->offset);
    bool is_path = s->type == SETTING_PATH && text[0] != '\0';
    free(*field);
    *field = is_path ? file_join(l->folder, text) : pot_strdup(text);
}

static void free_list(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i]);
    }
    free(list);
}

/* False: the list is full; it was told. */
static bool list_add(struct loader *l, const struct setting *s,
                     const char *text)
{
    char ***field = field_of(l->config, s->offset);
    size_t *count = field_of(l->config, s->count_offset);
    if (*count >= s->high) {
        fault(l, s->key, "too many entries");
        return false;
    }
    *field = pot_realloc(*field, *count + 1, sizeof(**field));
    (*field)[(*count)++] = pot_strdup(text);
    return true;
}

static void list_clear(struct loader *l, const struct setting *s)
{
    char ***field = field_of(l->config, s->offset);
    size_t *count = field_of(l->config, s->count_offset);
    free_list(*field, *count);
    *field = NULL;
    *count = 0;
}

static void set_count(struct loader *l, const struct setting *s, int64_t value)
{
    char what[96];
    if (value < 0 || (uint64_t)value < s->low || (uint64_t)value > s->high) {
        (void)snprintf(what, sizeof(what),
                       "%" PRId64 " is not between %" PRIu64 " and %" PRIu64,
                       value, s->low, s->high);
        fault(l, s->key, what);
        return;
    }
    if (s->offset == offsetof(struct node_config, keep_blocks) && value > 0 &&
        value < KEEP_BLOCKS_MIN) {
        (void)snprintf(what, sizeof(what),
                       "%" PRId64 " is too few: 0 for all, or at least %d",
                       value, KEEP_BLOCKS_MIN);
        fault(l, s->key, what);
        return;
    }
    *(uint64_t *)field_of(l->config, s->offset) = (uint64_t)value;
}

/* Environment and defaults come as text: a list is separated by commas. */
static void set_from_text(struct loader *l, const struct setting *s,
                          const char *text)
{
    char *end = NULL;
    switch (s->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        set_text(l, s, text);
        break;
    case SETTING_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            fault(l, s->key, "must be true or false");
        }
        *(bool *)field_of(l->config, s->offset) = text[0] == 't';
        break;
    case SETTING_COUNT:
        errno = 0;
        set_count(l, s, strtoll(text, &end, 10));
        if (end == text || *end != '\0' || errno != 0) {
            fault(l, s->key, "must be a whole number");
        }
        break;
    case SETTING_LIST:
        list_clear(l, s);
        for (const char *at = text; *at != '\0';) {
            size_t size = strcspn(at, ",");
            char *item = pot_strdup(at);
            item[size] = '\0';
            bool has_room = list_add(l, s, item);
            free(item);
            if (!has_room) {
                break;
            }
            at += size + (at[size] == ',' ? 1 : 0);
        }
        break;
    }
}

static void set_list(struct loader *l, const struct setting *s,
                     const struct toml_value *value)
{
    list_clear(l, s);
    if (value->type == TOML_TEXT) {
        (void)list_add(l, s, value->text);
        return;
    }
    if (value->type != TOML_ARRAY) {
        fault(l, s->key, "must be a list of texts");
        return;
    }
    for (size_t i = 0; i < value->item_count; i++) {
        const struct toml_value *item = &value->items[i];
        if (item->type != TOML_TEXT) {
            fault(l, s->key, "must be a list of texts");
            return;
        }
        if (!list_add(l, s, item->text)) {
            return;
        }
    }
}

static void set_from_toml(struct loader *l, const struct setting *s,
                          const struct toml_value *value)
{
    switch (s->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        if (value->type != TOML_TEXT) {
            fault(l, s->key, "must be a text in quotes");
        } else {
            set_text(l, s, value->text);
        }
        break;
    case SETTING_BOOL:
        if (value->type != TOML_BOOL) {
            fault(l, s->key, "must be true or false");
        }
        *(bool *)field_of(l->config, s->offset) = value->integer != 0;
        break;
    case SETTING_COUNT:
        if (value->type != TOML_INTEGER) {
            fault(l, s->key, "must be a whole number");
        } else {
            set_count(l, s, value->integer);
        }
        break;
    case SETTING_LIST:
        set_list(l, s, value);
        break;
    }
}

static void apply_file(struct loader *l, const struct toml_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct toml_value *value = &file->values[i];
        const struct setting *s = find_setting(value->key);
        if (s == NULL) {
            fault_unknown(l, value);
        } else {
            l->config->places[s - settings].line = value->line;
            set_from_toml(l, s, value);
        }
    }
}

static void apply_environment(struct loader *l)
{
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        char name[ENVIRONMENT_NAME_SIZE];
        environment_name(name, &settings[i]);
        const char *text = getenv(name);
        if (text != NULL) {
            l->config->places[i].is_environment = true;
            set_from_text(l, &settings[i], text);
        }
    }
}

/* POTD_X that stands for no key is a typo that nobody else would notice. */
static void check_environment(struct loader *l)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        char name[ENVIRONMENT_NAME_SIZE];
        bool is_known = false;
        size_t size = strcspn(*entry, "=");
        if (strncmp(*entry, "POTD_", 5) != 0 || size >= sizeof(name)) {
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)size, *entry);
        for (size_t i = 0; i < SETTING_TOTAL && !is_known; i++) {
            char known[ENVIRONMENT_NAME_SIZE];
            environment_name(known, &settings[i]);
            is_known = strcmp(known, name) == 0;
        }
        if (!is_known) {
            fault_in_environment(l, name, "this variable overrides no key");
        }
    }
}

/* "<address>@host:port"; a host in brackets may hold colons.  NULL, or which
 * part is none. */
static const char *parse_peer(struct net_address *out, const char *text)
{
    const char *at = strchr(text, '@');
    if (at == NULL) {
        return "there is no @";
    }
    char *address = pot_strdup(text);
    address[at - text] = '\0';
    enum pot_err err = address_parse(&out->key, address);
    free(address);
    if (err != POT_OK) {
        return "what is before the @ is no address, or a mistyped one";
    }
    err = net_address_split(out->host, &out->port, at + 1);
    return err == POT_OK && out->port != 0
               ? NULL
               : "what is behind the @ is no host and port";
}

static void check_peers(struct loader *l)
{
    struct node_config *c = l->config;
    c->p2p_peers = pot_calloc(c->p2p_peer_count, sizeof(*c->p2p_peers));
    for (size_t i = 0; i < c->p2p_peer_count; i++) {
        const char *why = parse_peer(&c->p2p_peers[i], c->p2p_peer_texts[i]);
        if (why != NULL) {
            char what[256];
            (void)snprintf(what, sizeof(what),
                           "\"%.100s\" is not <address>@host:port: %s",
                           c->p2p_peer_texts[i], why);
            fault(l, "p2p.peers", what);
        }
    }
}

static void check_listen(struct loader *l, const char *key, const char *text)
{
    struct sockaddr_storage address;
    if (net_address_listen(&address, text) != POT_OK) {
        char what[200];
        (void)snprintf(what, sizeof(what),
                       "\"%.100s\" is not an IP address, or localhost, and a"
                       " port, such as 127.0.0.1:26650",
                       text);
        fault(l, key, what);
    }
}

static void check_tasks(struct loader *l)
{
    const struct node_config *c = l->config;
    for (size_t i = 0; i < c->miner_task_count; i++) {
        struct hash task;
        if (strcmp(c->miner_tasks[i], "any") != 0 &&
            hash_parse(&task, c->miner_tasks[i]) != POT_OK) {
            fault(l, "miner.tasks", "must be \"any\" or a list of task ids");
            return;
        }
    }
}

static void check_signer(struct loader *l)
{
    struct node_config *c = l->config;
    const char *text = c->validator_signer_text;
    if (text[0] != '\0' &&
        strncmp(text, SIGNER_PREFIX "/", sizeof(SIGNER_PREFIX)) != 0) {
        fault(l, "validator.signer",
              "must be " SIGNER_PREFIX " and an absolute path");
    } else if (text[0] != '\0') {
        c->validator_signer = text + strlen(SIGNER_PREFIX);
    }
    bool has_key = c->validator_key[0] != '\0';
    if (c->validator_enabled && !has_key && text[0] == '\0') {
        fault(l, "validator.key",
              "a validator needs its key file, or validator.signer");
    }
    if (has_key && text[0] != '\0') {
        fault(l, "validator.signer",
              "validator.key is set too: the key is here or there");
    }
}

static bool is_exact_kernel(const char *name)
{
    static const char *const names[] = {"auto", "scalar", "avx2", "avx512",
                                        "neon"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void check_whole(struct loader *l)
{
    struct node_config *c = l->config;
    if (!log_level_parse(&c->log_level, c->log_level_text)) {
        fault(l, "log.level", "must be error, warn, info or debug");
    }
    if (!log_format_parse(&c->log_format, c->log_format_text)) {
        fault(l, "log.format", "must be text or json");
    }
    if (c->home[0] == '\0') {
        fault(l, "home", "must be a folder of the node's own");
    }
    check_signer(l);
    if (c->miner_enabled && c->miner_key[0] == '\0') {
        fault(l, "miner.key", "a miner needs its key file");
    }
    if (c->aggregator_enabled && c->validator_enabled) {
        fault(l, "aggregator.enabled",
              "a validator gathers for itself; use a node of its own");
    }
    if (c->data_cache_mb > 0 && c->data_cache_mb < CACHE_MB_MIN) {
        fault(l, "data.cache_mb",
              "must be 0, or 4 and more: a row may lie in two chunks, and "
              "others are fetched meanwhile");
    }
    if (strlen(c->moniker) > TX_TEXT_MAX) {
        fault(l, "moniker", "must be at most 64 bytes");
    }
    for (const char *p = c->miner_blas_core; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p)) {
            fault(l, "miner.blas_core",
                  "must be \"auto\" or an OpenBLAS core name");
            break;
        }
    }
    if (!is_exact_kernel(c->miner_exact_kernel)) {
        fault(l, "miner.exact_kernel",
              "must be \"auto\", \"scalar\", \"avx2\", \"avx512\" or"
              " \"neon\"");
    }
    check_listen(l, "p2p.listen", c->p2p_listen);
    check_listen(l, "api.listen", c->api_listen);
    if (c->api_enabled && strcmp(c->api_listen, c->p2p_listen) == 0) {
        fault(l, "api.listen", "is p2p.listen too: each needs its own port");
    }
    check_tasks(l);
    check_environment(l);
    check_peers(l);
}

static enum pot_err parse(struct loader *l, const char *text)
{
    struct toml_file file;
    unsigned line;
    char message[256];
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        set_from_text(l, &settings[i], settings[i].fallback);
    }
    if (toml_parse(&file, text, &line, message, sizeof(message)) != POT_OK) {
        fault_in_file(l, line, "", message);
        return POT_EFORMAT;
    }
    apply_file(l, &file);
    toml_free(&file);
    apply_environment(l);
    check_whole(l);
    return l->has_faults ? POT_EFORMAT : POT_OK;
}

enum pot_err node_config_load(struct node_config **out, const char *path,
                              struct buf *faults)
{
    char *text = NULL;
    size_t size = 0;
    struct stat info;
    *out = NULL;
    enum pot_err err = file_read(&text, &size, path, CONFIG_BYTES_MAX);
    if (err != POT_OK) {
        bool is_folder =
            file_stat(path, &info) == POT_OK && S_ISDIR(info.st_mode);
        buf_printf(faults, "%s: %s\n", path,
                   is_folder ? "a folder: name the node.toml in it"
                             : err_text(err));
        return err;
    }
    struct loader l = {.path = path, .faults = faults};
    l.folder = file_folder(path);
    l.config = pot_calloc(1, sizeof(*l.config));
    l.config->path = pot_strdup(path);
    l.config->places = pot_calloc(SETTING_TOTAL, sizeof(*l.config->places));
    if (strlen(text) == size) {
        err = parse(&l, text);
    } else {
        fault_in_file(&l, 0, "", "holds a zero byte: not a text");
        err = POT_EFORMAT;
    }
    if (err == POT_OK) {
        *out = l.config;
    } else {
        node_config_free(l.config);
    }
    free(l.folder);
    free(text);
    return err;
}

void node_config_free(struct node_config *config)
{
    if (config == NULL) {
        return;
    }
    free(config->p2p_peers);
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        const struct setting *s = &settings[i];
        void *field = field_of(config, s->offset);
        if (s->type == SETTING_TEXT || s->type == SETTING_PATH) {
            free(*(char **)field);
        } else if (s->type == SETTING_LIST) {
            size_t *count = field_of(config, s->count_offset);
            free_list(*(char ***)field, *count);
        }
    }
    free(config->places);
    free(config->path);
    free(config);
}

static void print_value(const struct node_config *config,
                        const struct setting *s, struct buf *out)
{
    const char *base = (const char *)config;
    const void *field = base + s->offset;
    switch (s->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        buf_printf(out, "\"%s\"", *(char *const *)field);
        break;
    case SETTING_BOOL:
        buf_printf(out, "%s", *(const bool *)field ? "true" : "false");
        break;
    case SETTING_COUNT:
        buf_printf(out, "%" PRIu64, *(const uint64_t *)field);
        break;
    case SETTING_LIST: {
        const void *count = base + s->count_offset;
        buf_printf(out, "[");
        for (size_t i = 0; i < *(const size_t *)count; i++) {
            buf_printf(out, "%s\"%s\"", i > 0 ? ", " : "",
                       (*(char **const *)field)[i]);
        }
        buf_printf(out, "]");
        break;
    }
    }
}

void node_config_print(const struct node_config *config, struct buf *out)
{
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        buf_printf(out, "%s = ", settings[i].key);
        print_value(config, &settings[i], out);
        buf_printf(out, "\n");
    }
}

const char *node_config_changed(size_t *at, const struct node_config *a,
                                const struct node_config *b)
{
    bool is_same = true;
    size_t i = *at;
    for (; is_same && i < SETTING_TOTAL; i++) {
        struct buf texts[2];
        buf_init(&texts[0], VALUE_BYTES_MAX);
        buf_init(&texts[1], VALUE_BYTES_MAX);
        print_value(a, &settings[i], &texts[0]);
        print_value(b, &settings[i], &texts[1]);
        is_same = strcmp(buf_text(&texts[0]), buf_text(&texts[1])) == 0;
        buf_fini(&texts[0]);
        buf_fini(&texts[1]);
    }
    *at = i;
    return is_same ? NULL : settings[i - 1].key;
}
