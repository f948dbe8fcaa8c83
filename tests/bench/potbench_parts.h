/* potbench_parts: what a network's nodes spent their processor time on, as
 * their /metrics tell it. */
#ifndef POT_TESTS_BENCH_POTBENCH_PARTS_H
#define POT_TESTS_BENCH_POTBENCH_PARTS_H

#include "base/cpu_time.h"
#include "tests/bench/potbench_net.h"

struct potbench_parts {
    double seconds[CPU_PARTS]; /* of all nodes; CPU_OTHER is not told: 0 */
};

/* potbench_parts_read: since the nodes' start; one that does not answer
 * counts nothing. */
void potbench_parts_read(struct potbench_parts *out,
                         const struct potbench_net *net);

void potbench_parts_subtract(struct potbench_parts *parts,
                             const struct potbench_parts *before);

#endif
