/* node_config: node.toml, its defaults and its overrides from the environment.
 *
 * An unknown key is an error, and so is a value out of range; every fault is
 * reported with file, line and key, or the variable.  POTD_<SECTION>_<KEY>
 * overrides a key of the file (POTD_HOME and so on for the top level). */
#ifndef POT_NODE_NODE_CONFIG_H
#define POT_NODE_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "p2p/net_address.h"

#define CONFIG_PEERS_MAX 256
#define CONFIG_TASKS_MAX 64

struct node_config {
    char *path;                       /* of the file itself */
    struct node_config_place *places; /* of the settings: node_config.c */
    char *home; /* paths are absolute or relative to where we run */
    char *moniker;
    char *genesis;
    char *key_passphrase_file; /* of encrypted keys; "": asked for */

    char *log_level_text;
    char *log_format_text;
    enum log_level log_level;
    enum log_format log_format;
    char *log_file; /* "" : stderr */

    char *p2p_listen;
    char *p2p_external;
    char *p2p_key; /* file of the node key */
    char **p2p_peer_texts;
    size_t p2p_peer_count;
    struct net_address *p2p_peers;
    uint64_t p2p_max_peers;
    bool p2p_only_peers;
    uint64_t p2p_max_pending;
    uint64_t p2p_max_pending_per_address;
    uint64_t p2p_max_accepts_per_address;
    uint64_t p2p_handshake_timeout_ms;
    uint64_t p2p_peer_signatures; /* a second */
    uint64_t p2p_ban_seconds;

    uint64_t propose_timeout_ms;
    uint64_t idle_interval_ms;
    uint64_t max_block_bytes;

    bool validator_enabled;
    char *validator_key;
    char *validator_signer_text;
    const char *validator_signer; /* its socket; NULL: the key is read here */

    bool miner_enabled;
    char *miner_key;
    uint64_t miner_workers; /* 0: one a core */
    char *miner_blas_core;
    char *miner_exact_kernel;
    char **miner_tasks; /* ["any"] or task ids */
    size_t miner_task_count;

    bool aggregator_enabled;

    bool api_enabled;
    char *api_listen;
    char *api_web;
    uint64_t api_max_connections;
    uint64_t api_max_per_address;
    uint64_t api_max_streams;

    uint64_t mempool_max_bytes;
    uint64_t mempool_max_txs;

    uint64_t data_cache_mb; /* 0: training sets are held whole */

    uint64_t map_size_mb;
    uint64_t max_size_mb; /* 0: no limit */
    uint64_t min_free_mb;
    uint64_t keep_rounds; /* keep_blobs: whose gradients stay in the store */
    uint64_t keep_blocks; /* 0: all */
    uint64_t snapshot_interval; /* blocks; 0: none are made */
    uint64_t snapshot_keep;
    bool begin_with_snapshot; /* though blocks can be had */
};

/* node_config_load: reads the file and the environment.  Faults are appended to
 * `faults`, a line each.
 *
 * Owns:   *out is fresh; node_config_free releases it
 * Errors: POT_ENOENT, POT_EACCESS, POT_EIO  the file cannot be read
 *         POT_EFORMAT                       there are faults; *out is NULL */
POT_MUST_USE enum pot_err node_config_load(struct node_config **out,
                                           const char *path,
                                           struct buf *faults);
void node_config_free(struct node_config *config);

/* node_config_fault: appends what is wrong with the value of a setting, as
 * node_config_load does: what is seen only when others' files are read. */
void node_config_fault(const struct node_config *config, struct buf *faults,
                       const char *key, const char *what);

/* node_config_changed: the next setting, from number *at on, whose value
 * differs in the two; *at is behind it then.  NULL: there is none. */
const char *node_config_changed(size_t *at, const struct node_config *a,
                                const struct node_config *b);

/* node_config_print: the effective settings, as TOML. */
void node_config_print(const struct node_config *config, struct buf *out);

#endif
