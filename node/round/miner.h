/* miner: joins tasks, computes its gradient in every round whose roster
 * names it, and submits it.  The loop's thread only. */
#ifndef POT_NODE_ROUND_MINER_H
#define POT_NODE_ROUND_MINER_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "node/round/workers.h"

struct chain;
struct hash;
struct holdings;
struct gossip;
struct intake;
struct key;
struct mempool;
struct miner; /* opaque: node/round/miner.c */
struct needs;
struct rounds;
struct sync;

struct miner_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct chain *chain;
    struct needs *needs;
    struct mempool *mempool;
    struct intake *intake;
    struct gossip *gossip;
    struct rounds *rounds;   /* this node's own, which hear of it too */
    const struct sync *sync; /* who is behind does not know what it may join */
    const struct key *key;
    const char *worker_program;
    const char *blas_core;
    const char *exact_kernel;
    unsigned workers;
    char *const *tasks; /* "any", or task ids */
    size_t task_count;
};

struct miner *miner_new(const struct miner_config *config);

/* miner_stop: before the intake and the rounds stop. */
void miner_stop(struct miner *miner);

/* miner_free: once the loop has run out of work.  NULL is none. */
void miner_free(struct miner *miner);

/* miner_reveal: validators take no more commitments of the task's round. */
void miner_reveal(struct miner *miner, const struct hash *task);

/* miner_refresh: the tip moved. */
void miner_refresh(struct miner *miner);

struct miner_stats {
    uint64_t computed;
    uint64_t submitted;
    uint64_t diverged;  /* came to no finite number, and were not submitted */
    uint64_t discarded; /* computed or begun, and the round closed meanwhile */
    struct workers_stats workers;
};

void miner_stats(const struct miner *miner, struct miner_stats *out);

#endif
