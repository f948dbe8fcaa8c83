/* miner: joins tasks, computes its gradient in every round whose roster
 * names it, and submits it. */
#ifndef POT_NODE_ROUND_MINER_H
#define POT_NODE_ROUND_MINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/key.h"
#include "node/round/workers.h"

struct chain;
struct holdings;
struct gossip;
struct intake;
struct needs;
struct miner; /* opaque: node/round/miner.c */

struct miner_config {
    uv_loop_t *loop;
    const struct holdings *env;
    struct chain *chain;
    struct needs *needs;
    struct intake *intake;
    struct gossip *gossip;
    const struct key *key;
    const char *worker_program;
    const char *blas_core;
    unsigned workers;
    char *const *tasks; /* "any", or task ids */
    size_t task_count;
    void *context;
    /* A submission of our own, for this node's own validator. */
    void (*on_submission)(void *context, Pot__Signed *message);
};

struct miner *miner_new(const struct miner_config *config);
void miner_stop(struct miner *miner);
void miner_free(struct miner *miner);

/* miner_refresh: the tip moved. */
void miner_refresh(struct miner *miner);

struct miner_stats {
    uint64_t computed;
    uint64_t submitted;
    uint64_t discarded; /* the round closed meanwhile */
    struct workers_stats workers;
};

void miner_stats(const struct miner *miner, struct miner_stats *out);

/* miner_core: the OpenBLAS core at work; "" until it is known. */
const char *miner_core(const struct miner *miner);

#endif
