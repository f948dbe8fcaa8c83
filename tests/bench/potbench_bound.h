/* potbench_bound: how many signatures this machine can check. */
#ifndef POT_TESTS_BENCH_POTBENCH_BOUND_H
#define POT_TESTS_BENCH_POTBENCH_BOUND_H

struct potbench_bound {
    double per_s;     /* checks a second of all cores together, by the clock */
    double per_cpu_s; /* and in a second of one core's own time */
    long cores;
};

/* potbench_bound_measure: Ed25519 as in libsodium, over bytes of the size of a
 * transfer, on every core for some tenths of a second. */
void potbench_bound_measure(struct potbench_bound *out);

#endif
