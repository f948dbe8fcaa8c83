/* potbench_load: signed transfers into a network, and what became of each. */
#ifndef POT_TESTS_BENCH_POTBENCH_LOAD_H
#define POT_TESTS_BENCH_POTBENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "tests/bench/potbench.h"

struct potbench_load_config {
    struct potbench *bench;
    const char *const *urls; /* of the nodes' APIs; spread over all of them */
    size_t url_count;
    const char *key_path; /* of the account that pays for all */
};

struct potbench_load_result {
    double committed_per_s;
    double accepted_per_s;
    double latency_ms[3]; /* from accepted to seen in a block: p50 p95 p99 */
    double txs_per_block;
    double blocks_per_s;
    double span_s;      /* from the first to the last block measured */
    uint64_t committed; /* in these blocks */
    uint64_t missing;   /* accepted, but in no block at the end */
    uint64_t refused;   /* other than for a full mempool */
    uint64_t full;      /* answers that said the mempool is full */
    char refusal[128];  /* what the first refusal said */
};

/* potbench_load_run: makes and funds accounts, sends for warm-up and the
 * measured seconds, waits for what is under way, looks all of it up.
 * at_start and at_end are called around the measured span. */
POT_MUST_USE enum exit_code potbench_load_run(
    struct potbench_load_result *out, const struct potbench_load_config *config,
    void (*at_start)(void *context), void (*at_end)(void *context),
    void *context);

#endif
