/* aggregate_sorted: rules that sort the gradients coordinate by coordinate;
 * for ledger/aggregate*.c.
 *
 * Yin, Chen, Ramchandran, Bartlett: Byzantine-Robust Distributed Learning:
 * Towards Optimal Statistical Rates (ICML 2018): the coordinate-wise median
 * (Definition 1) and the coordinate-wise trimmed mean (Definition 2).  Of n
 * gradients the trimmed mean leaves out floor(trim_share * n) at either end.
 *
 * As long as the hostile ones are no more than are cut at an end (below half
 * of all, for the median), each coordinate lies within the honest ones'. */
#ifndef POT_LEDGER_AGGREGATE_SORTED_H
#define POT_LEDGER_AGGREGATE_SORTED_H

#include "ledger/aggregate_held.h"

/* sorted_median: (parameter_count) on the grid; between two middle ones their
 * mean, rounded. */
void sorted_median(const struct held *held, int64_t *out);

#endif
