/* swarm_traffic: what the validators have received, by their own metrics. */
#ifndef POT_TESTS_BENCH_SWARM_TRAFFIC_H
#define POT_TESTS_BENCH_SWARM_TRAFFIC_H

#include "tests/bench/potbench_net.h"

struct swarm_traffic {
    double bytes; /* of all of them, since they started */
    double blobs; /* of these, pieces of blobs */
};

/* swarm_traffic_read: of one that does not answer, nothing. */
void swarm_traffic_read(struct swarm_traffic *out,
                        const struct potbench_net *net);

#endif
