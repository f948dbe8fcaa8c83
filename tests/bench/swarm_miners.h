/* swarm_miners: a process of light miners.  Each has a key, a connection to
 * one validator or aggregator, and joins, computes, commits, reveals and hands
 * out its payload by the same messages as a miner's potd; what a round is
 * about, and when commitments are closed, it is told instead of following the
 * chain. */
#ifndef POT_TESTS_BENCH_SWARM_MINERS_H
#define POT_TESTS_BENCH_SWARM_MINERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "p2p/net_address.h"
#include "proto/chain.pb-c.h"
#include "proto/model.h"

struct swarm_miners_config {
    struct hash chain;
    struct hash task;
    struct hash secret;               /* swarm_key's */
    const Pot__GenesisParams *params; /* for the fees */
    uint64_t stake;
    uint32_t first; /* of its miners */
    uint32_t count;
    const struct net_address *hosts; /* it connects to one of them */
    size_t host_count;
    const char *dataset; /* path of the .pds */
    struct model_shape shape;
    uint32_t rows; /* of a miner in a round */
};

/* swarm_miners_run: reads struct swarm_order from fd, answers each with a
 * struct swarm_answer, until its end. */
void swarm_miners_run(const struct swarm_miners_config *config, int fd);

#endif
