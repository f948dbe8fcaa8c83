/* potbench_central: one pot-worker that trains a model alone: theta goes from
 * job to job, and there is nobody to agree with. */
#ifndef POT_TESTS_BENCH_POTBENCH_CENTRAL_H
#define POT_TESTS_BENCH_POTBENCH_CENTRAL_H

#include "tests/bench/potbench_data.h"

struct potbench_central {
    double rows_per_s; /* by the clock, evaluating left out */
    double target_s;   /* likewise, until the accuracy was reached; 0: never */
    double accuracy;   /* of the last evaluation; 0: there was none */
};

/* potbench_central_run: for the bench's seconds, jobs of rows rows each with
 * the model's local steps, on train.pds and test.pds in folder.  With a target
 * it is evaluated after each job until it has that accuracy, and once at the
 * end in any case. */
POT_MUST_USE enum exit_code potbench_central_run(
    struct potbench_central *out, struct potbench *bench,
    const struct potbench_model *model, const char *folder, size_t rows);

#endif
