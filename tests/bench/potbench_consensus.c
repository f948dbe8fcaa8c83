/* potbench consensus: what agreeing on signed transfers costs, beside what
 * checking their signatures alone would. */
#include "config.h"

#include "tests/bench/potbench_bound.h"
#include "tests/bench/potbench_flight.h"
#include "tests/bench/potbench_net.h"
#include "tests/bench/potbench_parts.h"
#include "tests/bench/potbench_report.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "base/limits.h"
#include "ctl/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A transfer in a block, and what a block has beside its transactions
 * (node/block/proposal.c). */
#define TX_BYTES    235
#define FRAME_BYTES (4096 + 80 * VALIDATORS_MAX)
#define MEMORY      "/dev/shm"

struct run {
    struct potbench *bench;
    struct potbench_net net;
    struct potbench_cpu before;
    struct potbench_cpu after;
    struct potbench_parts parts_before;
    struct potbench_parts parts_after;
    struct potbench_bound bound;
    struct potbench_flight_result flight;
};

static void at_start(void *context)
{
    struct run *run = context;
    potbench_parts_read(&run->parts_before, &run->net);
    potbench_net_cpu(&run->before, &run->net);
}

static void at_end(void *context)
{
    struct run *run = context;
    potbench_net_cpu(&run->after, &run->net);
    potbench_parts_read(&run->parts_after, &run->net);
}

/* ---- a run */

/* Room for the window and for blocks of txs transactions, no more.  One sender
 * may fill a quarter of what waits, and one funds all accounts at once. */
static void set_environment(uint64_t txs, uint64_t in_flight)
{
    char bytes[24];
    char waiting[24];
    uint64_t size = FRAME_BYTES + txs * TX_BYTES;
    (void)snprintf(bytes, sizeof(bytes), "%" PRIu64,
                   size < BLOCK_BYTES_MAX ? size : BLOCK_BYTES_MAX);
    (void)snprintf(waiting, sizeof(waiting), "%" PRIu64,
                   8 * (in_flight + POTBENCH_FLIGHT_ACCOUNTS));
    (void)setenv("POTD_CONSENSUS_MAX_BLOCK_BYTES", bytes, 1);
    (void)setenv("POTD_MEMPOOL_MAX_TXS", waiting, 1);
    /* The load is not to meet the bound on what one peer may cause. */
    (void)setenv("POTD_P2P_PEER_SIGNATURES", "100000", 1);
}

static enum exit_code run_once(struct run *run, struct potbench *bench,
                               uint64_t txs, uint64_t in_flight)
{
    const char *urls[POTBENCH_NODES_MAX];
    *run = (struct run){.bench = bench};
    set_environment(txs, in_flight);
    enum exit_code rc = potbench_net_open(&run->net, bench, bench->nodes, 0);
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < bench->nodes; i++) {
        urls[i] = run->net.testnet.nodes[i].url;
    }
    if (rc == EXIT_CODE_DONE) {
        const struct potbench_flight_config config = {
            .bench = bench,
            .urls = urls,
            .url_count = bench->nodes,
            .key_path = run->net.key_path,
            .in_flight = in_flight,
            .sign_ahead = in_flight < 100 ? 1000 : 8000,
        };
        potbench_bound_measure(&run->bound);
        rc = potbench_flight_run(&run->flight, &config, at_start, at_end, run);
    }
    if (rc == EXIT_CODE_DONE && run->flight.refused > 0) {
        ctl_note(&bench->ctl, "potbench: %" PRIu64 " refused, the first: %s",
                 run->flight.refused, run->flight.refusal);
    }
    potbench_net_close(&run->net);
    return rc;
}

/* ---- figures */

static double us_per_tx(const struct run *run, double seconds)
{
    return run->flight.committed > 0
               ? 1e6 * seconds / (double)run->flight.committed
               : 0.0;
}

static size_t add_parts(struct potbench_figure *out, const struct run *run,
                        double nodes_s)
{
    static const char *const texts[CPU_PARTS] = {
        [CPU_SIGNATURES] = "  signatures", [CPU_DECODING] = "  decoding",
        [CPU_LEDGER] = "  executing",      [CPU_HASHING] = "  hashing",
        [CPU_STORAGE] = "  storage",       [CPU_NETWORK] = "  network",
        [CPU_OTHER] = "  the rest",
    };
    double rest = nodes_s;
    size_t count = 0;
    for (int part = CPU_OTHER + 1; part < CPU_PARTS; part++) {
        double seconds =
            run->parts_after.seconds[part] - run->parts_before.seconds[part];
        rest -= seconds;
        out[count++] =
            (struct potbench_figure){cpu_time_name((enum cpu_part)part),
                                     texts[part], us_per_tx(run, seconds), 0.0};
    }
    out[count++] = (struct potbench_figure){"other", texts[CPU_OTHER],
                                            us_per_tx(run, rest), 0.0};
    return count;
}

static void add(struct potbench_report *report, const struct run *run)
{
    struct potbench_figure figures[POTBENCH_FIGURES_MAX];
    const struct potbench_flight_result *f = &run->flight;
    double validators = (double)run->bench->nodes;
    double nodes_s = run->after.validators - run->before.validators;
    double all_us = us_per_tx(run, nodes_s + f->client_cpu_s);
    double cores = (double)run->bound.cores;
    const struct potbench_figure first[] = {
        {"committed_per_s", "committed, tx/s", f->committed_per_s,
         run->bound.per_s / validators},
        {"capacity_per_s", "cores / CPU of a tx, tx/s",
         all_us > 0.0 ? 1e6 * cores / all_us : 0.0,
         run->bound.per_cpu_s * cores / validators},
        {"latency_p50_ms", "commit latency p50, ms", f->latency_ms[0], 0.0},
        {"latency_p99_ms", "p99", f->latency_ms[1], 0.0},
        {"latency_p999_ms", "p99.9", f->latency_ms[2], 0.0},
        {"blocks_per_s", "blocks a second", f->blocks_per_s, 0.0},
        {"txs_per_block", "tx a block", f->txs_per_block, 0.0},
        {"missing", "accepted but lost", (double)f->missing, 0.0},
        {"cpu_client_us", "CPU of the client, us/tx",
         us_per_tx(run, f->client_cpu_s), 0.0},
        {"cpu_nodes_us", "CPU of all nodes, us/tx", us_per_tx(run, nodes_s),
         1e6 * validators / run->bound.per_cpu_s},
    };
    size_t count = sizeof(first) / sizeof(*first);
    _Static_assert(sizeof(first) / sizeof(*first) + CPU_PARTS <=
                       POTBENCH_FIGURES_MAX,
                   "room for all");
    memcpy(figures, first, sizeof(first));
    count += add_parts(figures + count, run, nodes_s);
    potbench_report_add(report, figures, count);
}

static enum exit_code sweep_one(struct potbench *bench, uint64_t txs,
                                uint64_t in_flight)
{
    static struct potbench_report report;
    struct run run;
    enum exit_code rc = EXIT_CODE_DONE;
    report = (struct potbench_report){
        .command = "consensus",
        .subject = "signed transfers",
        .baseline = "Ed25519 alone",
    };
    (void)snprintf(
        report.title, sizeof(report.title),
        "consensus: %" PRIu64 " validators, blocks of at most %" PRIu64
        " transactions, %" PRIu64 " in flight, %s, %" PRIu64 " s a run",
        bench->nodes, txs, in_flight,
        bench->is_in_memory ? "files in memory" : "files synced",
        bench->seconds);
    for (uint64_t i = 0; rc == EXIT_CODE_DONE && i < bench->repeat; i++) {
        rc = run_once(&run, bench, txs, in_flight);
        if (rc == EXIT_CODE_DONE) {
            add(&report, &run);
        }
    }
    if (rc == EXIT_CODE_DONE) {
        potbench_report_print(bench, &report);
    }
    return rc;
}

/* A single one shows what a user waits; else the next block's are there when
 * one is agreed on. */
static uint64_t in_flight_of(const struct potbench *bench, uint64_t txs)
{
    uint64_t usual = txs == 1 ? 1 : 2 * txs;
    return bench->in_flight > 0 ? bench->in_flight : usual;
}

static enum exit_code sweep(struct potbench *bench, uint64_t txs)
{
    uint64_t in_flight = in_flight_of(bench, txs);
    return bench->is_null ? potbench_null(bench, txs, in_flight)
                          : sweep_one(bench, txs, in_flight);
}

enum exit_code potbench_consensus(struct potbench *bench)
{
    /* 400: what others publish. */
    static const uint64_t sizes[] = {1, 10, 100, 1000, 5000, 0};
    static const uint64_t null_sizes[] = {1, 400, 1000, 0};
    const uint64_t *size = bench->is_null ? null_sizes : sizes;
    enum exit_code rc = EXIT_CODE_DONE;
    potbench_report_machine(bench);
    if (bench->txs > 0) {
        return sweep(bench, bench->txs);
    }
    for (; rc == EXIT_CODE_DONE && *size > 0; size++) {
        rc = sweep(bench, *size);
    }
    return rc;
}
