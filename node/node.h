/* node: the parts of a running potd and how they hang together.
 *
 * node/main.c reads the config and calls node_run; node/node.c opens the
 * parts in the order of this struct, connects them, and closes them in
 * reverse. */
#ifndef POT_NODE_NODE_H
#define POT_NODE_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/exit_code.h"
#include "base/key.h"
#include "node/block/catch_up.h"
#include "node/block/delivery.h"
#include "node/block/execution.h"
#include "node/node_config.h"
#include "proto/chain.pb-c.h"

#define NODE_SIGNALS 3

struct node {
    uv_loop_t loop;
    uv_signal_t signals[NODE_SIGNALS];
    uv_timer_t late; /* stopping took too long */
    const struct node_config *config;
    Pot__Genesis *genesis;
    struct key *node_key;
    struct key *validator_key; /* NULL: no validator */
    struct key *miner_key;     /* NULL: no miner */
    char *worker_program;

    struct store *store;
    struct sign_state *sign_state;
    struct blob_pool *pool;
    struct blob_pool *recent;
    struct datasets_book *datasets;
    struct verified *verified;
    struct holdings env;

    struct chain *chain;
    struct mempool *mempool;
    struct net *net;
    struct gossip *gossip;
    struct blob_fetch *fetch;
    struct sync *sync;
    struct needs *needs;
    struct delivery delivery;
    struct catch_up catch_up;
    struct intake *intake;
    struct rounds *rounds;
    struct replica *replica; /* NULL: no validator */
    struct miner *miner;     /* NULL: no miner */
    struct api *api;         /* NULL: not enabled */

    unsigned publications;     /* whose data sets are being fetched */
    uint64_t txs_added;        /* to the mempool, ever */
    uint64_t txs_added_before; /* when the tip became the tip */
    bool is_stopping;
    enum exit_code exit_code;
};

/* node_run: opens everything, runs until a signal or a fatal fault, closes
 * everything.  What fails is told on stderr and in the log. */
enum exit_code node_run(const struct node_config *config);

/* node_failed: the disk or the store failed: nothing is signed any more; the
 * node stops, unless it is only full, which leaves it readable. */
void node_failed(struct node *node, enum pot_err err, const char *what);

/* node_verify_store: --verify-store. */
enum exit_code node_verify_store(const struct node_config *config);

#endif
