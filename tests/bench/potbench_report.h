/* potbench_report: figures of several repetitions, beside those of a baseline
 * taken in turn with them. */
#ifndef POT_TESTS_BENCH_POTBENCH_REPORT_H
#define POT_TESTS_BENCH_POTBENCH_REPORT_H

#include <stddef.h>

#include "tests/bench/potbench.h"

#define POTBENCH_FIGURES_MAX 24

/* One figure of one run. */
struct potbench_figure {
    const char *name; /* as in the JSON: committed_per_s */
    const char *text; /* for people: "committed, tx/s" */
    double subject;
    double baseline; /* 0: the baseline has no such figure */
};

struct potbench_report {
    const char *command;
    char title[256];
    const char *subject;
    const char *baseline;
    size_t count; /* repetitions */
    size_t figure_count;
    struct potbench_figure runs[POTBENCH_REPEAT_MAX][POTBENCH_FIGURES_MAX];
};

/* potbench_report_add: a repetition's figures, the same names each time. */
void potbench_report_add(struct potbench_report *report,
                         const struct potbench_figure *figures, size_t count);

/* potbench_report_print: a table, or one JSON object with --json.  Ratios
 * are those of each repetition. */
void potbench_report_print(const struct potbench *bench,
                           const struct potbench_report *report);

/* potbench_report_machine: the line that describes this machine. */
void potbench_report_machine(const struct potbench *bench);

#endif
