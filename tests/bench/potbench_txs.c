/* potbench txs: committed transfers a second, beside a network of one. */
#include "config.h"

#include "tests/bench/potbench_load.h"
#include "tests/bench/potbench_net.h"
#include "tests/bench/potbench_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct run {
    struct potbench_net net;
    struct potbench_cpu before;
    struct potbench_cpu after;
    struct potbench_load_result load;
};

static void at_start(void *context)
{
    struct run *run = context;
    potbench_net_cpu(&run->before, &run->net);
}

static void at_end(void *context)
{
    struct run *run = context;
    potbench_net_cpu(&run->after, &run->net);
}

static enum exit_code load_network(struct run *run, struct potbench *bench,
                                   const char *const *urls, size_t count,
                                   const char *key_path)
{
    const struct potbench_load_config config = {
        .bench = bench, .urls = urls, .url_count = count, .key_path = key_path};
    enum exit_code rc =
        potbench_load_run(&run->load, &config, at_start, at_end, run);
    if (rc == EXIT_CODE_DONE && run->load.refused > 0) {
        ctl_note(&bench->ctl, "potbench: %" PRIu64 " refused, the first: %s",
                 run->load.refused, run->load.refusal);
    }
    if (rc == EXIT_CODE_DONE && run->load.missing > 0) {
        ctl_note(&bench->ctl,
                 "potbench: %" PRIu64 " accepted transactions"
                 " were in no block at the end",
                 run->load.missing);
    }
    return rc;
}

static enum exit_code run_own(struct run *run, struct potbench *bench,
                              size_t validators)
{
    const char *urls[POTBENCH_NODES_MAX];
    *run = (struct run){0};
    enum exit_code rc = potbench_net_open(&run->net, bench, validators, 0);
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < validators; i++) {
        urls[i] = run->net.testnet.nodes[i].url;
    }
    if (rc == EXIT_CODE_DONE) {
        rc = load_network(run, bench, urls, validators, run->net.key_path);
    }
    potbench_net_close(&run->net);
    return rc;
}

static double cpu_ms_per_tx(const struct run *run)
{
    double seconds = run->after.validators - run->before.validators;
    return run->load.committed > 0
               ? 1000.0 * seconds / (double)run->load.committed
               : 0.0;
}

/* baseline b: NULL if there is none. */
static void add(struct potbench_report *report, const struct run *a,
                const struct run *b)
{
    static const struct run none;
    const struct potbench_load_result *x = &a->load;
    const struct potbench_load_result *y = b != NULL ? &b->load : &none.load;
    const struct potbench_figure figures[] = {
        {"committed_per_s", "committed, tx/s", x->committed_per_s,
         y->committed_per_s},
        {"accepted_per_s", "accepted, tx/s", x->accepted_per_s,
         y->accepted_per_s},
        {"latency_p50_ms", "commit latency p50, ms", x->latency_ms[0],
         y->latency_ms[0]},
        {"latency_p95_ms", "commit latency p95, ms", x->latency_ms[1],
         y->latency_ms[1]},
        {"latency_p99_ms", "commit latency p99, ms", x->latency_ms[2],
         y->latency_ms[2]},
        {"blocks_per_s", "blocks a second", x->blocks_per_s, y->blocks_per_s},
        {"txs_per_block", "tx a block", x->txs_per_block, y->txs_per_block},
        {"missing", "accepted but lost", (double)x->missing,
         (double)y->missing},
        {"mempool_full", "answers: mempool full", (double)x->full,
         (double)y->full},
        {"cpu_ms_per_tx", "CPU of all nodes, ms/tx", cpu_ms_per_tx(a),
         b != NULL ? cpu_ms_per_tx(b) : 0.0},
    };
    size_t count = sizeof(figures) / sizeof(*figures);
    /* Of others' nodes the processor time is not known. */
    potbench_report_add(report, figures, b == NULL ? count - 1 : count);
}

static void name_report(struct potbench_report *report,
                        const struct potbench *bench, char *subject,
                        size_t subject_size)
{
    char rate[48] = "as many as go";
    if (bench->rate > 0) {
        (void)snprintf(rate, sizeof(rate), "%" PRIu64 " a second", bench->rate);
    }
    (void)snprintf(subject, subject_size, "%" PRIu64 " nodes", bench->nodes);
    (void)snprintf(report->title, sizeof(report->title),
                   "txs: transfers, %s, at most %" PRIu64 " waiting, %" PRIu64
                   " s a run",
                   rate, bench->window, bench->seconds);
    report->command = "txs";
    report->subject = subject;
    report->baseline = "1 node";
}

/* A network that runs already has no baseline. */
static enum exit_code run_given(struct potbench *bench)
{
    static struct potbench_report report;
    struct run run = {0};
    char subject[32];
    name_report(&report, bench, subject, sizeof(subject));
    report.subject = "this network";
    report.baseline = "";
    enum exit_code rc = EXIT_CODE_DONE;
    for (uint64_t i = 0; rc == EXIT_CODE_DONE && i < bench->repeat; i++) {
        rc = load_network(&run, bench, bench->urls, bench->url_count,
                          bench->ctl.key_path);
        if (rc == EXIT_CODE_DONE) {
            add(&report, &run, NULL);
        }
    }
    if (rc == EXIT_CODE_DONE) {
        potbench_report_print(bench, &report);
    }
    return rc;
}

enum exit_code potbench_txs(struct potbench *bench)
{
    static struct potbench_report report;
    struct run run;
    struct run baseline;
    char subject[32];
    potbench_report_machine(bench);
    if (bench->url_count > 0) {
        return run_given(bench);
    }
    name_report(&report, bench, subject, sizeof(subject));
    enum exit_code rc = EXIT_CODE_DONE;
    for (uint64_t i = 0; rc == EXIT_CODE_DONE && i < bench->repeat; i++) {
        rc = run_own(&run, bench, bench->nodes);
        if (rc == EXIT_CODE_DONE) {
            rc = run_own(&baseline, bench, 1);
        }
        if (rc == EXIT_CODE_DONE) {
            add(&report, &run, &baseline);
        }
    }
    if (rc == EXIT_CODE_DONE) {
        potbench_report_print(bench, &report);
    }
    return rc;
}
