/* node_parts: the parts of a running potd and how they hang together.  For
 * node/'s own files: a part knows of the others what its config hands to it.
 *
 * They are opened in the order of this struct and closed in two steps:
 * stopping_begin, after which none begins anything new, and, once the loop has
 * run out of work, free. */
#ifndef POT_NODE_NODE_PARTS_H
#define POT_NODE_NODE_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/exit_code.h"
#include "base/key.h"
#include "node/block/delivery.h"
#include "node/hold/holdings.h"
#include "node/mending.h"
#include "node/node_config.h"
#include "proto/chain.pb-c.h"

#define NODE_SIGNALS 3

struct pruning;
struct aggregator;
struct remote_signer;

struct node {
    uv_loop_t loop;
    uv_signal_t signals[NODE_SIGNALS];
    uv_timer_t late; /* stopping took too long */

    /* node/startup.c */
    const struct node_config *config;
    Pot__Genesis *genesis;
    struct key *node_key;
    struct remote_signer *signer; /* NULL: the validator's key is here */
    struct key *validator_key;    /* NULL: no validator */
    struct key *miner_key;        /* NULL: no miner */
    char *worker_program;
    struct sign_state *sign_state;
    struct holdings holdings; /* and what is in it is the node's */

    /* node/node_parts.c, and node/network.c for what stands on p2p/ */
    struct chain *chain;
    struct net *net;
    struct gossip *gossip;
    struct blob_fetch *fetch;
    struct sync *sync;
    struct sync *header_sync;
    struct headers *headers;
    struct arrival *arrival;
    struct needs *needs;
    struct delivery delivery;
    struct catch_up *catch_up;
    struct pruning *pruning;
    struct mempool *mempool;
    struct pending *pending;
    struct intake *intake;
    struct evidence_pool *evidence;
    struct rounds *rounds;
    struct miner *miner;           /* NULL: no miner */
    struct aggregator *aggregator; /* NULL: no aggregator */
    struct replica *replica;       /* NULL: no validator */
    struct api *api;               /* NULL: not enabled */

    struct mending mending;

    bool is_open; /* startup_open has done all */
    bool is_stopping;
    enum exit_code exit_code;
};

/* node_parts_open: all that startup_open did not.  False: told on stderr,
 * node->exit_code set; stopping_begin and node_parts_free all the same. */
bool node_parts_open(struct node *node);

/* node_parts_start: they begin to work. */
void node_parts_start(struct node *node);

/* node_parts_free: behind stopping_begin, once the loop has ended. */
void node_parts_free(struct node *node);

#endif
