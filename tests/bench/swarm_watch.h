/* swarm_watch: asks the validators for their status all the time, as a user
 * would, in a thread of its own. */
#ifndef POT_TESTS_BENCH_SWARM_WATCH_H
#define POT_TESTS_BENCH_SWARM_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/testnet.h"

struct swarm_watch; /* opaque: tests/bench/swarm_watch.c */

struct swarm_watch_result {
    uint64_t asked;
    uint64_t answered; /* within a second */
    double p50_ms;     /* of all, those that broke at a second */
    double p99_ms;
};

/* swarm_watch_start: ten times a second, the nodes in turn.
 * swarm_watch_stop: ends it and releases it; NULL is fine. */
struct swarm_watch *swarm_watch_start(const struct testnet *testnet,
                                      size_t nodes);
void swarm_watch_stop(struct swarm_watch *watch,
                      struct swarm_watch_result *out);

#endif
