/* testnet_write: the files of a new network. */
#ifndef POT_CTL_TESTNET_WRITE_H
#define POT_CTL_TESTNET_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "ctl/ctl.h"
#include "ctl/testnet.h"

struct testnet_plan_node {
    char name[TESTNET_NAME_SIZE];
    bool is_validator;
    bool is_miner;
    bool is_aggregator;
    uint16_t p2p_port;
    uint16_t api_port;
    struct key *key;
    char address[ADDRESS_TEXT_SIZE];
};

struct testnet_plan {
    const char *folder;
    bool is_compose;  /* nodes reach each other by their names */
    bool is_gathered; /* miners name aggregators for peers, and nobody else */
    char chain_id[TESTNET_NAME_SIZE];
    uint64_t time_ms;
    struct key *client;
    struct testnet_plan_node *nodes; /* validators first */
    size_t count;
};

/* testnet_write: everything, into an empty or new folder.
 *
 * Out:    genesis_hash, of what was written */
POT_MUST_USE enum exit_code testnet_write(struct hash *genesis_hash,
                                          struct ctl *ctl,
                                          const struct testnet_plan *plan);

#endif
