/* potbench_direct: pot-worker processes that get job after job, without a
 * network around them: what the machine can do. */
#ifndef POT_TESTS_BENCH_POTBENCH_DIRECT_H
#define POT_TESTS_BENCH_POTBENCH_DIRECT_H

#include "tests/bench/potbench_data.h"

struct potbench_direct {
    double rows_per_s; /* of all workers together */
    double cpu_us_per_row;
    char core[32]; /* of OpenBLAS */
};

/* potbench_direct_run: workers of them at once for the bench's seconds, jobs
 * of rows rows each from the data set at path. */
POT_MUST_USE enum exit_code potbench_direct_run(
    struct potbench_direct *out, struct potbench *bench,
    const struct potbench_model *model, const char *path, size_t workers,
    size_t rows);

#endif
