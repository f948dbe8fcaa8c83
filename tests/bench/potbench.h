/* potbench: what its commands share: the options and the folder of the other
 * programs. */
#ifndef POT_TESTS_BENCH_POTBENCH_H
#define POT_TESTS_BENCH_POTBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/ctl.h"

#define POTBENCH_REPEAT_MAX 32
#define POTBENCH_NODES_MAX  16

struct potbench {
    struct ctl ctl; /* the error line, --json, the node of the moment */
    char *programs; /* the folder where potctl and pot-worker lie */
    char *folder;   /* of this run; removed at the end */
    uint16_t base_port;
    uint64_t seconds; /* measured in each run */
    uint64_t repeat;
    uint64_t nodes;       /* validators */
    uint64_t miners;      /* 0: the command's usual number */
    uint64_t aggregators; /* between the miners and the validators; 0: none */
    uint64_t workers;     /* of a miner */
    uint64_t rate;        /* transactions a second; 0: as many as go */
    uint64_t window;      /* transactions that wait at once, at most */
    uint64_t txs;         /* in a block, at most; 0: several in turn */
    uint64_t in_flight;   /* 0: by txs */
    bool is_null;         /* unsigned commands, no ledger, no store */
    bool is_in_memory;    /* the nodes' files lie where syncing is free */
    uint64_t rows;        /* of a miner in a round; 0: the usual ones */
    const char *model;
    const char *data;        /* folder of Fashion-MNIST; NULL: made-up data */
    uint64_t local_steps;    /* 0: none */
    uint64_t target;         /* test accuracy to time, %; 0: none */
    double audit_rate;       /* of network's task */
    const char *const *urls; /* a network that runs already */
    size_t url_count;
};

/* Each command's run; an error stands in bench->ctl. */
POT_MUST_USE enum exit_code potbench_txs(struct potbench *bench);
POT_MUST_USE enum exit_code potbench_consensus(struct potbench *bench);
POT_MUST_USE enum exit_code potbench_train(struct potbench *bench);
POT_MUST_USE enum exit_code potbench_swarm(struct potbench *bench);
POT_MUST_USE enum exit_code potbench_worker(struct potbench *bench);
POT_MUST_USE enum exit_code potbench_network(struct potbench *bench);

/* potbench_null: a part of potbench_consensus. */
POT_MUST_USE enum exit_code potbench_null(struct potbench *bench,
                                          uint64_t block_max,
                                          uint64_t in_flight);

/* potbench_stopped: EXIT_CODE_FAILED once the user interrupted the run. */
POT_MUST_USE enum exit_code potbench_stopped(struct potbench *bench);

#endif
