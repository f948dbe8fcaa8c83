/* api_config: what the API reads of the node, and whom it sends to.
 *
 * All of it is borrowed and outlives the API.  From another thread than the
 * loop's only holdings and the texts may be used. */
#ifndef POT_NODE_API_API_CONFIG_H
#define POT_NODE_API_API_CONFIG_H

#include <uv.h>

#include "proto/chain.pb-c.h"

struct aggregator;
struct chain;
struct evidence_pool;
struct holdings;
struct intake;
struct key;
struct mempool;
struct miner;
struct net;
struct remote_signer;
struct replica;
struct rounds;
struct sync;

struct api_config {
    uv_loop_t *loop;
    const char *listen;       /* host:port; port 0: any */
    uint64_t connections_max; /* these three: 0: the default */
    uint64_t address_max;
    uint64_t streams_max;
    const char *web; /* folder of web pages; "": none */
    const char *moniker;
    const Pot__Genesis *genesis;
    const struct key *node_key;
    const struct key *validator_key;    /* NULL: no validator */
    const struct remote_signer *signer; /* NULL: that key is in this process */
    const struct key *miner_key;        /* NULL: no miner */
    const struct holdings *holdings;
    const struct chain *chain;
    const struct mempool *mempool;
    struct intake *intake;
    const struct evidence_pool *evidence;
    const struct net *net;
    const struct sync *sync;
    const struct arrival *arrival;
    const struct rounds *rounds;
    const struct replica *replica;       /* NULL: no validator */
    const struct miner *miner;           /* NULL: no miner */
    const struct aggregator *aggregator; /* NULL: no aggregator */
    uint64_t patience_ms;                /* replica_patience_ms, of any node */
};

#endif
