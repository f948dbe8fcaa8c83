/* bench_util: what the benchmarks have in common. */
#ifndef POT_TESTS_BENCH_UTIL_H
#define POT_TESTS_BENCH_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct model_shape; /* proto/model.h */

/* bench_sort: ascending. */
void bench_sort(double *values, size_t count);

/* bench_percentile: of values sorted by bench_sort, count > 0; part: 0 for
 * the least, 0.5 for the median, 1 for the most. */
double bench_percentile(const double *values, size_t count, double part);

/* bench_used_s: seconds of processor time, of a clock that measures it. */
double bench_used_s(clockid_t clock);

/* bench_parse_layers: "784,128,10"; false when that is no model. */
bool bench_parse_layers(struct model_shape *shape, const char *text);

/* bench_forget_environment: begins the program anew without OPENBLAS_*, OMP_*,
 * GOTO_* and MKL_* when there are any: OpenBLAS reads them before main(). */
void bench_forget_environment(char **argv);

#endif
