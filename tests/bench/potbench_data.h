/* potbench_data: made-up data sets as large as well-known ones: the same on
 * every machine, easy enough to learn.  Or Fashion-MNIST itself. */
#ifndef POT_TESTS_BENCH_POTBENCH_DATA_H
#define POT_TESTS_BENCH_POTBENCH_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "proto/model.h"
#include "tests/bench/potbench.h"

struct potbench_model {
    const char *name;
    const char *text; /* the widths, as people say them */
    uint32_t widths[LAYERS_MAX];
    size_t width_count;
    uint64_t rows; /* of the training set */
    uint64_t test_rows;
    uint32_t rows_per_miner;
    uint32_t eval_every;
    Pot__Numerics numerics;
    uint32_t local_steps; /* 1: none */
    double local_rate;
};

extern const struct potbench_model potbench_models[];
extern const size_t potbench_model_count;

/* The models of potbench swarm and potbench network. */
extern const struct potbench_model potbench_light;
extern const struct potbench_model potbench_wide;

/* potbench_data_write: a .pds of rows rows at path; the seed tells training
 * and test set apart, not what their classes look like. */
POT_MUST_USE enum exit_code potbench_data_write(struct potbench *bench,
                                                const char *path,
                                                const struct potbench_model *m,
                                                uint64_t rows, uint64_t seed);

/* The learning rate of tasks without local steps. */
#define POTBENCH_RATE 0.05
/* Of the tasks of potbench train and potbench swarm. */
#define POTBENCH_AUDIT_RATE 0.1

struct potbench_task {
    const struct potbench_model *model;
    uint64_t rows_per_miner;
    uint64_t rounds;
    uint64_t min_submissions;
    uint64_t timeout_ms; /* of a round */
    double audit_rate;
};

/* potbench_data_task: train.pds, test.pds and task.toml in folder; made-up, or
 * from the four files in bench->data. */
POT_MUST_USE enum exit_code potbench_data_task(
    struct potbench *bench, const char *folder,
    const struct potbench_task *task);

#endif
