/* The node's numbers in the Prometheus text format, 0.0.4, part by part: what
 * each part's own ..._stats() tells, and what the API saw. */
#include "config.h"

#include "base/cpu_time.h"
#include "node/api/api_history.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/api/api_server.h"
#include "node/api/api_streams.h"
#include "node/api/api_workers.h"
#include "node/api/metrics_parts.h"
#include "node/api/metrics_process.h"
#include "node/api/metrics_text.h"
#include "node/hold/holdings.h"
#include "node/hold/verified.h"
#include "node/round/workers.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "p2p/message.h"

#define BYTES_MAX ((size_t)4 << 20)

static const struct metrics_label no_label = {NULL, NULL};

static void write_build(struct buf *out, const struct api_config *c,
                        const struct api_history *history)
{
    struct workers_stats workers;
    api_workers_stats(c, &workers);
    metrics_family(out, "pot_build_info", METRICS_GAUGE,
                   "Version of the node and its OpenBLAS core.");
    metrics_sample(out, "pot_build_info",
                   (struct metrics_label){"version", PACKAGE_VERSION},
                   (struct metrics_label){"blas_core", workers.core}, 1);
    metrics_one(out, "pot_uptime_seconds", METRICS_GAUGE,
                "Since the node started.",
                (double)(uv_now(c->loop) - history->opened_ms) / 1000.0);
}

static void write_intake(struct buf *out, const struct api_config *c)
{
    struct intake_stats stats;
    static const uint8_t types[] = {MESSAGE_TX,         MESSAGE_SUBMISSION,
                                    MESSAGE_COMMITMENT, MESSAGE_ATTESTATION,
                                    MESSAGE_GROUP,      MESSAGE_GROUP_WORD};
    intake_stats(c->intake, &stats);
    metrics_one(out, "pot_mempool_size", METRICS_GAUGE,
                "Transactions that wait for a block.",
                (double)mempool_count(c->mempool));
    metrics_one(out, "pot_mempool_bytes", METRICS_GAUGE, "Their bytes.",
                (double)mempool_bytes(c->mempool));
    metrics_family(out, "pot_intake_received_total", METRICS_COUNTER,
                   "Signed messages received, by type.");
    for (size_t i = 0; i < sizeof(types); i++) {
        metrics_sample(
            out, "pot_intake_received_total",
            (struct metrics_label){"type", message_rule(types[i])->name},
            no_label, (double)stats.received[types[i]]);
    }
    metrics_family(out, "pot_intake_refused_total", METRICS_COUNTER,
                   "Those not taken: malformed, known, stale, or wrong.");
    for (size_t i = 0; i < sizeof(types); i++) {
        metrics_sample(
            out, "pot_intake_refused_total",
            (struct metrics_label){"type", message_rule(types[i])->name},
            no_label, (double)stats.refused[types[i]]);
    }
    metrics_one(out, "pot_signature_checks_total", METRICS_COUNTER,
                "Signatures of transactions and of rounds' messages checked.",
                (double)verified_checks(c->holdings->verified));
    metrics_one(out, "pot_intake_dropped_total", METRICS_COUNTER,
                "Signed messages dropped because too many came at once.",
                (double)stats.dropped);
}

static const struct metrics_field server_fields[] = {
    METRICS_FIELD("pot_api_connections", METRICS_GAUGE, api_server_stats,
                  connections, "HTTP connections."),
    METRICS_FIELD("pot_api_refused_connections_total", METRICS_COUNTER,
                  api_server_stats, refused,
                  "Refused: too many of one address."),
    METRICS_FIELD("pot_api_expired_connections_total", METRICS_COUNTER,
                  api_server_stats, expired, "Ended: too slow."),
    METRICS_FIELD("pot_api_evicted_connections_total", METRICS_COUNTER,
                  api_server_stats, evicted,
                  "Ended: waited for longest when a new one came."),
};

static const struct metrics_field stream_fields[] = {
    METRICS_FIELD("pot_api_event_streams", METRICS_GAUGE, api_streams_stats,
                  open, "Event streams."),
    METRICS_FIELD("pot_api_dropped_event_streams_total", METRICS_COUNTER,
                  api_streams_stats, dropped,
                  "Event streams ended because they did not keep up."),
};

static void write_api(struct buf *out, const struct api_server *server,
                      const struct api_streams *streams)
{
    struct api_server_stats stats;
    struct api_streams_stats s;
    static const char *const classes[] = {"0xx", "1xx", "2xx",
                                          "3xx", "4xx", "5xx"};
    api_server_stats(server, &stats);
    api_streams_stats(streams, &s);
    metrics_table(out, server_fields, &stats);
    metrics_table(out, stream_fields, &s);
    metrics_family(out, "pot_api_requests_total", METRICS_COUNTER,
                   "Requests answered, by status.");
    for (size_t i = 2; i < sizeof(classes) / sizeof(*classes); i++) {
        metrics_sample(out, "pot_api_requests_total",
                       (struct metrics_label){"status", classes[i]}, no_label,
                       (double)stats.replies[i]);
    }
}

static void write_cpu(struct buf *out)
{
    metrics_family(out, "pot_cpu_seconds_total", METRICS_COUNTER,
                   "Processor time by what it was spent on, the loop's an"
                   " estimate; the rest of the process's is not told.");
    for (int i = CPU_OTHER + 1; i < CPU_PARTS; i++) {
        enum cpu_part part = (enum cpu_part)i;
        metrics_sample(out, "pot_cpu_seconds_total",
                       (struct metrics_label){"part", cpu_time_name(part)},
                       no_label, (double)cpu_time_us(part) / 1e6);
    }
}

static void get_metrics(struct api_request *request)
{
    struct buf body;
    const struct api_config *c = request->config;
    buf_init(&body, BYTES_MAX);
    write_build(&body, c, request->history);
    metrics_chain_write(&body, c, request->history);
    metrics_net_write(&body, c->net);
    write_intake(&body, c);
    metrics_store_write(&body, c->holdings);
    metrics_training_write(&body, c);
    write_api(&body, request->server, request->streams);
    write_cpu(&body);
    metrics_process_write(&body);
    api_reply_bytes(request, 200, "text/plain; version=0.0.4; charset=utf-8",
                    &body);
}

/* ---- routes */

const struct api_route metrics_routes[] = {
    {"GET", "/metrics", .summary = "numbers for Prometheus",
     .type = "text/plain", .status = 200, .handler = get_metrics},
    {.method = NULL},
};
