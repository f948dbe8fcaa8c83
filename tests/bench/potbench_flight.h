/* potbench_flight: a load that keeps a number of signed transfers in flight:
 * as many as are committed are sent anew, many in one request. */
#ifndef POT_TESTS_BENCH_POTBENCH_FLIGHT_H
#define POT_TESTS_BENCH_POTBENCH_FLIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "tests/bench/potbench.h"

/* Accounts that send, paid by one sender before the run. */
#define POTBENCH_FLIGHT_ACCOUNTS 256

struct potbench_flight_config {
    struct potbench *bench; /* seconds */
    const char *const *urls;
    size_t url_count;
    const char *key_path; /* of whoever funds the accounts */
    uint64_t in_flight;
    uint64_t sign_ahead; /* transfers a second that may be needed */
};

struct potbench_flight_result {
    uint64_t committed; /* in the span, over whole blocks */
    double span_s;
    double committed_per_s;
    double blocks_per_s;
    double txs_per_block;
    double latency_ms[3]; /* p50, p99, p99.9: from sending to the block */
    double client_cpu_s;  /* of this process, in the span */
    uint64_t refused;
    uint64_t missing;  /* accepted, and in no block at the end */
    char refusal[160]; /* the first */
};

/* potbench_flight_run: accounts, three seconds that do not count, the span;
 * at_start and at_end are called at its ends. */
POT_MUST_USE enum exit_code potbench_flight_run(
    struct potbench_flight_result *out,
    const struct potbench_flight_config *config,
    void (*at_start)(void *context), void (*at_end)(void *context),
    void *context);

#endif
