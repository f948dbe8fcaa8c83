/* potbench_net: a test network of real nodes, made for one run. */
#ifndef POT_TESTS_BENCH_POTBENCH_NET_H
#define POT_TESTS_BENCH_POTBENCH_NET_H

#include <stddef.h>

#include "ctl/testnet.h"
#include "tests/bench/potbench.h"

struct potbench_net {
    struct potbench *bench;
    char *folder;
    char *key_path; /* of a funded account */
    struct testnet testnet;
    size_t validators;
};

/* Processor time of the nodes and of the pot-workers under them, seconds. */
struct potbench_cpu {
    double validators;
    double miners; /* and aggregators */
    double validator_workers;
    double miner_workers;
};

/* potbench_net_open: potctl testnet init and up; every node is ready.
 * potbench_net_close: down, and the folder is gone; also after a failed
 * open. */
POT_MUST_USE enum exit_code potbench_net_open(struct potbench_net *net,
                                              struct potbench *bench,
                                              size_t validators, size_t miners);
void potbench_net_close(struct potbench_net *net);

/* potbench_net_cpu: since the nodes' start; subtract two. */
void potbench_net_cpu(struct potbench_cpu *out, const struct potbench_net *net);

/* potbench_net_run: one of our programs to its end, its stdout and stderr
 * into the file at log; argv[0] is its name, NULL ends the list. */
POT_MUST_USE enum exit_code potbench_net_run(struct potbench *bench,
                                             const char *log,
                                             const char *const *argv);

/* potbench_net_remove: a folder with all in it. */
void potbench_net_remove(const char *folder);

#endif
