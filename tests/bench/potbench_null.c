/* potbench consensus --null: the replicas of null_replica.c as processes, and
 * in this one the client: it keeps a number of commands in flight and counts
 * those that f + 1 replicas call committed. */
#include "config.h"

#include "tests/bench/null_replica.h"
#include "tests/bench/potbench.h"
#include "tests/bench/potbench_report.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "p2p/net.h"
#include "proto/validator_set.h"
#include "tests/bench/bench_util.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define WARM_UP_US  1000000
#define CONNECT_US  10000000
#define BATCHES_MAX 1024 /* under way */
#define SAMPLES_MAX 2000000

struct batch { /* commands that were sent together */
    uint64_t end;
    uint64_t sent_us;
};

struct client {
    struct potbench *bench;
    struct null_world world;
    uint64_t in_flight;
    pid_t pids[NULL_REPLICAS_MAX];
    uv_loop_t loop;
    struct net *net;
    uint64_t claims[NULL_REPLICAS_MAX]; /* what each calls committed */
    uint64_t sent;
    uint64_t committed;
    struct batch batches[BATCHES_MAX]; /* a ring */
    size_t first;
    size_t count;
    bool is_counting;
    double *ms;
    size_t sample_count;
};

struct figures {
    double per_s;
    double ms[3];
    double replicas_us; /* processor time for a command */
    double client_us;
};

/* ---- the client's side of the connections */

static bool is_anyone(void *context, const struct peer *peer)
{
    (void)context;
    return peer != NULL;
}

static void send_batch(struct client *c, uint64_t count)
{
    struct buf body;
    struct bytes_writer w;
    size_t size = 12 + (size_t)count * NULL_COMMAND_BYTES;
    buf_init(&body, size);
    memset(buf_extend(&body, size), 0, size);
    bytes_writer_init(&w, body.data, size);
    bytes_write_u64(&w, c->sent);
    bytes_write_u32(&w, (uint32_t)count);
    (void)net_multicast(c->net, MESSAGE_TXS, body.data, size, is_anyone, c);
    buf_fini(&body);
    c->sent += count;
    c->batches[(c->first + c->count++) % BATCHES_MAX] =
        (struct batch){c->sent, uv_hrtime() / 1000};
}

/* Not each one alone: what a block freed goes out together. */
static void fill(struct client *c)
{
    uint64_t room = c->in_flight - (c->sent - c->committed);
    uint64_t least = c->in_flight / 8 > 0 ? c->in_flight / 8 : 1;
    if (room >= least && c->count < BATCHES_MAX &&
        net_peer_count(c->net) == c->world.replicas) {
        send_batch(c, room);
    }
}

static int compare_claims(const void *a, const void *b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x < y) - (x > y); /* the highest first */
}

/* What f + 1 of them say, one honest replica says. */
static void count_claims(struct client *c)
{
    uint64_t sorted[NULL_REPLICAS_MAX];
    uint64_t now_us = uv_hrtime() / 1000;
    memcpy(sorted, c->claims, sizeof(sorted));
    qsort(sorted, c->world.replicas, sizeof(*sorted), compare_claims);
    c->committed = sorted[validator_set_faults(c->world.replicas)];
    while (c->count > 0 && c->batches[c->first].end <= c->committed) {
        const struct batch *b = &c->batches[c->first];
        if (c->is_counting && c->sample_count < SAMPLES_MAX) {
            c->ms[c->sample_count++] = (double)(now_us - b->sent_us) / 1000.0;
        }
        c->first = (c->first + 1) % BATCHES_MAX;
        c->count--;
    }
}

static void on_message(void *context, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    struct client *c = context;
    struct bytes_reader r;
    for (uint32_t i = 0; type == MESSAGE_STATUS && i < c->world.replicas; i++) {
        if (public_key_equal(peer_key(peer), key_public(c->world.keys[i]))) {
            bytes_reader_init(&r, data, size);
            c->claims[i] = bytes_read_u64(&r);
        }
    }
    count_claims(c);
    fill(c);
}

static enum exit_code open_client(struct client *c)
{
    struct net_address peers[NULL_REPLICAS_MAX];
    for (uint32_t i = 0; i < c->world.replicas; i++) {
        peers[i] = null_address(&c->world, i);
    }
    const struct net_config config = {
        .loop = &c->loop,
        .chain = null_chain(),
        .key = c->world.keys[c->world.replicas],
        .moniker = "client",
        .peers = peers,
        .peer_count = c->world.replicas,
    };
    const struct net_callbacks callbacks = {.context = c,
                                            .on_message = on_message};
    int rc = uv_loop_init(&c->loop);
    POT_ASSERT(rc == 0);
    if (net_open(&c->net, &config, &callbacks) != POT_OK) {
        return ctl_fail(&c->bench->ctl, EXIT_CODE_FAILED,
                        "the client's connections cannot be opened");
    }
    uint64_t end_us = clock_steady_us() + CONNECT_US;
    while (net_peer_count(c->net) < c->world.replicas) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
        if (clock_steady_us() > end_us) {
            return ctl_fail(&c->bench->ctl, EXIT_CODE_CONNECT,
                            "the replicas cannot be reached on 127.0.0.1:%u and"
                            " the ports behind it; see --base-port",
                            c->world.base_port);
        }
    }
    return EXIT_CODE_DONE;
}

static void close_client(struct client *c)
{
    if (c->net != NULL) {
        net_close(c->net, NULL, NULL);
        (void)uv_run(&c->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&c->loop);
    }
}

/* ---- the replicas' processes */

static void start_replicas(struct client *c)
{
    struct null_world *w = &c->world;
    for (uint32_t i = 0; i <= w->replicas; i++) {
        w->keys[i] = key_generate();
    }
    for (uint32_t i = 0; i < w->replicas; i++) {
        c->pids[i] = fork();
        if (c->pids[i] == 0) {
            (void)signal(SIGINT, SIG_DFL);
            (void)signal(SIGTERM, SIG_DFL);
            null_replica_run(w, i);
        }
    }
}

static double seconds_of(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

/* Their processor time, from their beginning on. */
static double stop_replicas(struct client *c)
{
    double seconds = 0.0;
    for (uint32_t i = 0; i < c->world.replicas; i++) {
        struct rusage usage = {0};
        if (c->pids[i] > 0) {
            (void)kill(c->pids[i], SIGKILL);
            (void)wait4(c->pids[i], NULL, 0, &usage);
        }
        seconds += seconds_of(&usage);
    }
    for (uint32_t i = 0; i <= c->world.replicas; i++) {
        key_free(c->world.keys[i]);
    }
    return seconds;
}

static double own_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return seconds_of(&usage);
}

/* ---- a run */

static enum exit_code run_until(struct client *c, uint64_t end_us)
{
    enum exit_code rc = EXIT_CODE_DONE;
    while (rc == EXIT_CODE_DONE && clock_steady_us() < end_us) {
        fill(c);
        (void)uv_run(&c->loop, UV_RUN_ONCE);
        rc = potbench_stopped(c->bench);
    }
    return rc;
}

static void take_latencies(struct figures *out, struct client *c)
{
    static const double parts[] = {0.5, 0.99, 0.999};
    bench_sort(c->ms, c->sample_count);
    for (size_t i = 0; c->sample_count > 0 && i < 3; i++) {
        out->ms[i] = bench_percentile(c->ms, c->sample_count, parts[i]);
    }
}

static enum exit_code run_once(struct figures *out, struct potbench *bench,
                               uint64_t block_max, uint64_t in_flight)
{
    struct client *c = pot_calloc(1, sizeof(*c));
    *out = (struct figures){0};
    c->bench = bench;
    c->in_flight = in_flight;
    c->world.replicas = (uint32_t)bench->nodes;
    c->world.base_port = bench->base_port;
    c->world.block_max = block_max;
    c->ms = pot_calloc(SAMPLES_MAX, sizeof(*c->ms));
    /* Who connects to whom, and when, is of no interest here. */
    enum pot_err err = log_open(LOG_ERROR, LOG_FORMAT_TEXT, NULL);
    POT_ASSERT(err == POT_OK);
    start_replicas(c);
    double own_s = own_seconds();
    enum exit_code rc = open_client(c);
    if (rc == EXIT_CODE_DONE) {
        rc = run_until(c, clock_steady_us() + WARM_UP_US);
    }
    uint64_t from_us = clock_steady_us();
    uint64_t before = c->committed;
    c->is_counting = true;
    if (rc == EXIT_CODE_DONE) {
        rc = run_until(c, from_us + bench->seconds * 1000000);
    }
    double span_s = (double)(clock_steady_us() - from_us) / 1e6;
    out->per_s = (double)(c->committed - before) / span_s;
    take_latencies(out, c);
    double all = c->committed > 0 ? (double)c->committed : 1.0;
    out->client_us = 1e6 * (own_seconds() - own_s) / all;
    out->replicas_us = 1e6 * stop_replicas(c) / all;
    close_client(c);
    free(c->ms);
    free(c);
    return rc;
}

static void add(struct potbench_report *report, const struct figures *f)
{
    double cores = (double)sysconf(_SC_NPROCESSORS_ONLN);
    const struct potbench_figure figures[] = {
        {"committed_per_s", "committed, commands/s", f->per_s, 0.0},
        {"capacity_per_s", "cores / CPU of one, 1/s",
         1e6 * cores / (f->replicas_us + f->client_us), 0.0},
        {"latency_p50_ms", "latency p50, ms", f->ms[0], 0.0},
        {"latency_p99_ms", "p99", f->ms[1], 0.0},
        {"latency_p999_ms", "p99.9", f->ms[2], 0.0},
        {"cpu_nodes_us", "CPU of all replicas, us", f->replicas_us, 0.0},
        {"cpu_client_us", "CPU of the client, us", f->client_us, 0.0},
    };
    potbench_report_add(report, figures, sizeof(figures) / sizeof(*figures));
}

enum exit_code potbench_null(struct potbench *bench, uint64_t block_max,
                             uint64_t in_flight)
{
    static struct potbench_report report;
    enum exit_code rc = EXIT_CODE_DONE;
    report = (struct potbench_report){
        .command = "consensus --null",
        .subject = "unsigned, no store",
        .baseline = "",
    };
    (void)snprintf(report.title, sizeof(report.title),
                   "consensus --null: %" PRIu64
                   " replicas, blocks of at most %" PRIu64 " commands, %" PRIu64
                   " in flight, %" PRIu64 " s a run",
                   bench->nodes, block_max, in_flight, bench->seconds);
    for (uint64_t i = 0; rc == EXIT_CODE_DONE && i < bench->repeat; i++) {
        struct figures figures;
        rc = run_once(&figures, bench, block_max, in_flight);
        if (rc == EXIT_CODE_DONE) {
            add(&report, &figures);
        }
    }
    if (rc == EXIT_CODE_DONE) {
        potbench_report_print(bench, &report);
    }
    return rc;
}
