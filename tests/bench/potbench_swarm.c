/* potbench swarm: very many light miners against real validators.
 *
 *   money for each miner --> a task --> processes of miners (swarm_miners.h)
 *   then, round after round, from a validator's API:
 *       the open round --> all processes compute and commit
 *         --> commitments are closed --> all reveal --> the round's block
 *
 * Who was counted stands in the block; who should have been follows from what
 * each miner does in a round (swarm_order.h) and what its process sent. */
#include "config.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/clock.h"
#include "base/file.h"
#include "ctl/client.h"
#include "tests/bench/potbench_report.h"
#include "tests/bench/swarm.h"
#include "tests/bench/swarm_traffic.h"
#include "tests/bench/swarm_watch.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINERS_OF_PROCESS 250
#define FUNDS             (110 * AMOUNT_UNITS_PER_POT)
#define POLL_MS           20
#define WARM_ROUNDS_MAX   60
#define ROUND_TIMEOUT_MS  60000

/* ---- memory */

static double rss_mib(pid_t pid)
{
    char path[64];
    char line[256];
    double kib = 0.0;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtod(line + 8, NULL);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kib / 1024.0;
}

static double mean_mib(const struct swarm *s, size_t first, size_t count)
{
    double sum = 0.0;
    for (size_t i = first; i < first + count; i++) {
        sum += rss_mib(s->net.testnet.nodes[i].pid);
    }
    return count > 0 ? sum / (double)count : 0.0;
}

static double validators_mib(const struct swarm *s)
{
    return mean_mib(s, 0, s->net.validators);
}

static double aggregators_mib(const struct swarm *s)
{
    return mean_mib(s, s->net.validators, (size_t)s->bench->aggregators);
}

static bool is_gathered(const struct swarm *s)
{
    return s->bench->aggregators > 0;
}

/* Of those whom the miners connect to. */
static double hosts_mib(const struct swarm *s)
{
    return is_gathered(s) ? aggregators_mib(s) : validators_mib(s);
}

/* ---- the run */

static enum exit_code play_round(struct swarm *s)
{
    s->order.step = SWARM_COMMIT;
    enum exit_code rc = swarm_crowd_order(s);
    if (rc == EXIT_CODE_DONE) {
        rc = swarm_await_reveal(s);
    }
    if (rc == EXIT_CODE_DONE) {
        s->order.step = SWARM_REVEAL;
        rc = swarm_crowd_order(s);
    }
    return rc == EXIT_CODE_DONE ? swarm_next_round(s, false) : rc;
}

/* Until nearly all have joined. */
static enum exit_code warm_up(struct swarm *s)
{
    enum exit_code rc = swarm_next_round(s, true);
    uint64_t counted = 0;
    memset(s->uncounted, UINT8_MAX, (size_t)s->bench->miners);
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < WARM_ROUNDS_MAX &&
                       counted < s->bench->miners * 85 / 100;
         i++) {
        uint64_t before = s->sums.counted;
        rc = play_round(s);
        counted = s->sums.counted - before;
        ctl_note(&s->bench->ctl, "round %" PRIu32 ": %" PRIu64 " counted",
                 s->order.round, counted);
    }
    return rc;
}

static enum exit_code submit_task(struct swarm *s)
{
    json_t *tasks;
    struct potbench *b = s->bench;
    const struct potbench_task task = {
        .model = s->model,
        .rows_per_miner = SWARM_ROWS,
        .rounds = 100000,
        .min_submissions = b->miners * 80 / 100 + 1,
        .timeout_ms = ROUND_TIMEOUT_MS,
        .audit_rate = POTBENCH_AUDIT_RATE,
    };
    const char *url = s->net.testnet.nodes[0].url;
    char *path = file_join(b->folder, "task.toml");
    char *log = file_join(b->folder, "submit.log");
    const char *const argv[] = {"potctl",        "--node",      url,  "--key",
                                s->net.key_path, "submit-task", path, NULL};
    enum exit_code rc = potbench_data_task(b, b->folder, &task);
    if (rc == EXIT_CODE_DONE) {
        rc = potbench_net_run(b, log, argv);
    }
    free(path);
    free(log);
    for (bool is_there = false; rc == EXIT_CODE_DONE && !is_there;) {
        rc = client_get(&tasks, &b->ctl, "/v1/tasks");
        if (rc == EXIT_CODE_DONE) {
            const json_t *one =
                json_array_get(json_object_get(tasks, "tasks"), 0);
            (void)snprintf(s->task_text, sizeof(s->task_text), "%s",
                           client_text(one, "task"));
            is_there = hash_parse(&s->task, s->task_text) == POT_OK;
            json_decref(tasks);
            rc = ctl_pause(&b->ctl, POLL_MS, "the task");
        }
    }
    s->order.task = s->task;
    return rc;
}

static void make_keys(struct swarm *s, struct key **out)
{
    randombytes_buf(s->secret.b, sizeof(s->secret.b));
    s->addresses = pot_calloc((size_t)s->bench->miners, sizeof(*s->addresses));
    s->uncounted = pot_calloc((size_t)s->bench->miners, 1);
    for (uint32_t i = 0; i < s->bench->miners; i++) {
        out[i] = swarm_key(&s->secret, i);
        (void)address_format(key_public(out[i]), s->addresses[i]);
    }
}

static enum exit_code set_up(struct swarm *s)
{
    struct potbench *b = s->bench;
    struct key **keys = pot_calloc((size_t)b->miners, sizeof(*keys));
    make_keys(s, keys);
    enum exit_code rc = potbench_net_open(&s->net, b, (size_t)b->nodes, 0);
    if (rc == EXIT_CODE_DONE) {
        rc = potbench_accounts_fund(
            &s->accounts, b, s->net.testnet.nodes[0].url, s->net.key_path, keys,
            (size_t)b->miners, FUNDS);
    }
    free(keys); /* the accounts hold what is in it */
    return rc == EXIT_CODE_DONE ? submit_task(s) : rc;
}

struct span {
    double seconds;
    double hosts_before; /* memory, MiB */
    double hosts_after;
    double bytes_in;
    double bytes_out;
    struct potbench_cpu cpu;
    struct swarm_traffic traffic; /* to the validators */
    struct swarm_watch_result api;
};

static enum exit_code measure(struct swarm *s, struct span *out)
{
    struct potbench_cpu before;
    struct swarm_traffic heard;
    struct swarm_watch *watch =
        swarm_watch_start(&s->net.testnet, s->net.validators);
    uint64_t bytes_in = s->bytes_in;
    uint64_t bytes_out = s->bytes_out;
    enum exit_code rc = EXIT_CODE_DONE;
    s->sums = (struct swarm_sums){0};
    potbench_net_cpu(&before, &s->net);
    swarm_traffic_read(&heard, &s->net);
    uint64_t start_us = clock_steady_us();
    uint64_t now_us = start_us;
    while (rc == EXIT_CODE_DONE &&
           now_us < start_us + s->bench->seconds * 1000000) {
        rc = play_round(s);
        now_us = clock_steady_us();
    }
    potbench_net_cpu(&out->cpu, &s->net);
    out->cpu.validators -= before.validators;
    out->cpu.validator_workers -= before.validator_workers;
    out->cpu.miners -= before.miners;
    swarm_traffic_read(&out->traffic, &s->net);
    out->traffic.bytes -= heard.bytes;
    out->traffic.blobs -= heard.blobs;
    out->seconds = (double)(now_us - start_us) / 1e6;
    out->bytes_in = (double)(s->bytes_in - bytes_in);
    out->bytes_out = (double)(s->bytes_out - bytes_out);
    out->hosts_after = hosts_mib(s);
    swarm_watch_stop(watch, &out->api);
    return rc;
}

static void add(struct potbench_report *report, const struct swarm *s,
                const struct span *span)
{
    double rounds = s->sums.rounds > 0 ? (double)s->sums.rounds : 1.0;
    double live = s->sums.live > 0 ? (double)s->sums.live : 1.0;
    double connected = (double)s->sums.connected / rounds;
    double asked = span->api.asked > 0 ? (double)span->api.asked : 1.0;
    double hosts =
        (double)(is_gathered(s) ? s->bench->aggregators : s->net.validators);
    double validators = (double)s->net.validators;
    double grown = span->hosts_after - span->hosts_before;
    const struct potbench_figure figures[] = {
        {"connected", "miners connected, mean", connected, 0.0},
        {"rounds_per_min", "rounds a minute", 60 * rounds / span->seconds, 0.0},
        {"counted_per_round", "miners counted a round",
         (double)s->sums.counted / rounds, 0.0},
        {"full_rounds", "rounds that counted every live honest one, %",
         100 * (double)s->sums.full_rounds / rounds, 0.0},
        {"live_counted", "live honest miners counted, %",
         100 * (1 - (double)s->sums.missed / live), 0.0},
        {"cheats_counted", "cheats counted a round",
         (double)s->sums.cheats_counted / rounds, 0.0},
        {"api_availability", "status calls answered in 1 s, %",
         100 * (double)span->api.answered / asked, 0.0},
        {"api_asked", "  of so many", (double)span->api.asked, 0.0},
        {"api_p50_ms", "  p50, ms", span->api.p50_ms, 0.0},
        {"api_p99_ms", "  p99, ms", span->api.p99_ms, 0.0},
        {"rss_mib", "memory of a validator, MiB", validators_mib(s), 0.0},
        {"aggregator_mib", "  and of an aggregator", aggregators_mib(s), 0.0},
        {"kib_per_miner", "KiB grown for each miner connected",
         1024 * grown * hosts / (connected > 0 ? connected : 1), 0.0},
        {"bytes_to_miner", "bytes to a miner and round",
         span->bytes_in / rounds / (connected > 0 ? connected : 1), 0.0},
        {"bytes_from_miner", "bytes from a miner and round",
         span->bytes_out / rounds / (connected > 0 ? connected : 1), 0.0},
        {"kib_to_validator", "KiB to a validator and round",
         span->traffic.bytes / 1024 / rounds / validators, 0.0},
        {"kib_of_blobs", "  of blobs",
         span->traffic.blobs / 1024 / rounds / validators, 0.0},
        {"cpu_ms_validators", "CPU ms/round, validators",
         1000 * span->cpu.validators / rounds, 0.0},
        {"cpu_ms_validator_workers", "  and their workers",
         1000 * span->cpu.validator_workers / rounds, 0.0},
        {"cpu_ms_aggregators", "  and aggregators",
         1000 * span->cpu.miners / rounds, 0.0},
        {"cpu_ms_miners", "  and computing for all miners",
         (double)s->sums.computing_us / 1000 / rounds, 0.0},
    };
    potbench_report_add(report, figures, sizeof(figures) / sizeof(*figures));
}

static enum exit_code run_once(struct potbench *bench,
                               struct potbench_report *report)
{
    struct swarm *s = pot_calloc(1, sizeof(*s));
    struct span span = {0};
    s->bench = bench;
    s->model = &potbench_light;
    s->process_count = (size_t)(bench->miners - 1) / MINERS_OF_PROCESS + 1;
    enum exit_code rc = set_up(s);
    if (rc == EXIT_CODE_DONE) {
        span.hosts_before = hosts_mib(s);
        swarm_crowd_start(s);
        rc = warm_up(s);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = measure(s, &span);
    }
    if (rc == EXIT_CODE_DONE) {
        add(report, s, &span);
    }
    swarm_crowd_stop(s);
    potbench_net_close(&s->net);
    potbench_accounts_close(&s->accounts);
    free(s->addresses);
    free(s->uncounted);
    free(s);
    return rc;
}

enum exit_code potbench_swarm(struct potbench *bench)
{
    static struct potbench_report report;
    char subject[64];
    (void)snprintf(subject, sizeof(subject),
                   "%" PRIu64 " validators, %" PRIu64 " aggregators, %" PRIu64
                   " miners",
                   bench->nodes, bench->aggregators, bench->miners);
    report = (struct potbench_report){
        .command = "swarm", .subject = subject, .baseline = ""};
    (void)snprintf(report.title, sizeof(report.title),
                   "swarm: 64-32-10, %d rows a miner and round, %" PRIu64
                   " s a run",
                   SWARM_ROWS, bench->seconds);
    (void)setenv("POTD_P2P_MAX_PEERS", "4096", 1);
    (void)setenv("POTD_P2P_MAX_PENDING", "1024", 1);
    /* A round is over after round_blocks_max blocks, empty ones too. */
    (void)setenv("POTD_CONSENSUS_IDLE_INTERVAL_MS", "5000", 1);
    potbench_report_machine(bench);
    enum exit_code rc = EXIT_CODE_DONE;
    for (uint64_t i = 0; rc == EXIT_CODE_DONE && i < bench->repeat; i++) {
        rc = run_once(bench, &report);
    }
    if (rc == EXIT_CODE_DONE) {
        potbench_report_print(bench, &report);
    }
    return rc;
}
