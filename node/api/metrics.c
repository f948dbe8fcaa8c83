/* The node's numbers in the Prometheus text format, 0.0.4, part by part: what
 * each part's own ..._stats() tells, and what the API saw. */
#include "config.h"

#include "base/alloc.h"
#include "base/cpu_time.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/api/api_health.h"
#include "node/api/api_history.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/api/api_server.h"
#include "node/api/api_streams.h"
#include "node/api/metrics_process.h"
#include "node/api/metrics_text.h"
#include "node/block/arrival.h"
#include "node/block/chain.h"
#include "node/block/remote_signer.h"
#include "node/block/replica.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "node/hold/snapshots.h"
#include "node/hold/stored.h"
#include "node/hold/verified.h"
#include "node/round/miner.h"
#include "node/round/rounds.h"
#include "node/tx/evidence_pool.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "p2p/message.h"
#include "p2p/net.h"
#include "p2p/sync.h"
#include "proto/codec.h"
#include "storage/store.h"

#include <stdlib.h>

#define COUNTER   "counter"
#define GAUGE     "gauge"
#define BYTES_MAX ((size_t)4 << 20)

static const struct metrics_label no_label = {NULL, NULL};

static void write_build(struct buf *out, const struct api_config *c,
                        const struct api_history *history)
{
    const char *core = c->miner != NULL ? miner_core(c->miner) : "";
    metrics_family(out, "pot_build_info", GAUGE,
                   "Version of the node and its OpenBLAS core.");
    metrics_sample(out, "pot_build_info",
                   (struct metrics_label){"version", PACKAGE_VERSION},
                   (struct metrics_label){"blas_core", core}, 1);
    metrics_one(out, "pot_uptime_seconds", GAUGE, "Since the node started.",
                (double)(uv_now(c->loop) - history->opened_ms) / 1000.0);
}

static void write_replica(struct buf *out, const struct replica *replica)
{
    struct replica_stats stats;
    const struct pbft_status status = replica_status(replica);
    replica_stats(replica, &stats);
    metrics_family(out, "pot_consensus_view_changes_total", COUNTER,
                   "Views that this replica left, by reason.");
    for (unsigned why = 0; why < PBFT_CHANGES; why++) {
        metrics_sample(out, "pot_consensus_view_changes_total",
                       (struct metrics_label){
                           "reason", pbft_change_name((enum pbft_change)why)},
                       no_label, (double)status.view_changes[why]);
    }
    metrics_one(out, "pot_consensus_view_timeout_seconds", GAUGE,
                "What the present view is given.",
                (double)status.timeout_ms / 1000.0);
    metrics_one(out, "pot_consensus_messages_total", COUNTER,
                "Consensus messages received.", (double)stats.messages);
    metrics_one(out, "pot_consensus_refused_messages_total", COUNTER,
                "Malformed or wrongly signed ones among them.",
                (double)stats.refused);
    metrics_one(out, "pot_consensus_dropped_messages_total", COUNTER,
                "Consensus messages dropped because too many came at once.",
                (double)stats.dropped);
    metrics_one(out, "pot_consensus_proposals_total", COUNTER,
                "Blocks that this replica proposed.", (double)stats.proposals);
    metrics_one(out, "pot_consensus_invalid_blocks_total", COUNTER,
                "Proposed blocks that do not execute here.",
                (double)stats.invalid_blocks);
    metrics_one(out, "pot_consensus_unjudged_blocks_total", COUNTER,
                "Proposed blocks that could not be checked here.",
                (double)stats.unjudged_blocks);
}

static void write_signer(struct buf *out, const struct remote_signer *signer)
{
    struct remote_signer_stats stats;
    remote_signer_stats(signer, &stats);
    metrics_one(out, "pot_signer_up", GAUGE, "Whether pot-signer answers.",
                stats.is_up ? 1 : 0);
    metrics_one(out, "pot_signer_signatures_total", COUNTER,
                "Signatures that pot-signer made.", (double)stats.signatures);
    metrics_one(out, "pot_signer_refused_total", COUNTER,
                "Those it refused by its rules.", (double)stats.refused);
    metrics_one(out, "pot_signer_failed_total", COUNTER,
                "Those it did not answer.", (double)stats.failed);
    metrics_one(out, "pot_signer_wait_seconds_total", COUNTER,
                "What the node waited for its answers.",
                (double)stats.waited_us / 1e6);
}

static void write_evidence(struct buf *out, const struct evidence_pool *pool)
{
    struct evidence_pool_stats stats;
    evidence_pool_stats(pool, &stats);
    metrics_one(out, "pot_consensus_evidence_total", COUNTER,
                "Proofs that this replica found against validators.",
                (double)stats.found);
    metrics_one(out, "pot_consensus_evidence_received_total", COUNTER,
                "Proofs that peers sent.", (double)stats.received);
    metrics_one(out, "pot_consensus_evidence_refused_total", COUNTER,
                "Proofs that were wrong, too old or known.",
                (double)stats.refused);
    metrics_one(out, "pot_consensus_evidence_dropped_total", COUNTER,
                "Proofs dropped because too many came at once.",
                (double)stats.dropped);
    metrics_one(out, "pot_consensus_evidence_pending", GAUGE,
                "Proofs that wait for a block.",
                (double)evidence_pool_count(pool));
}

static void write_consensus(struct buf *out, const struct api_config *c,
                            const struct api_history *history)
{
    uint32_t validators;
    const struct chain_tip *tip = chain_tip(c->chain);
    uint32_t connected = api_health_connected(c, &validators);
    uint64_t view =
        c->replica != NULL ? replica_status(c->replica).view : tip->view;
    metrics_one(out, "pot_consensus_height", GAUGE, "Height of the tip.",
                (double)tip->height);
    metrics_one(out, "pot_consensus_view", GAUGE, "The present view.",
                (double)view);
    metrics_one(out, "pot_consensus_validators", GAUGE,
                "Validators of the next height.", (double)validators);
    metrics_one(out, "pot_consensus_missing_validators", GAUGE,
                "Those of them that are out of reach.",
                (double)(validators - connected));
    metrics_one(out, "pot_consensus_latest_block_seconds", GAUGE,
                "Time of the tip, since the epoch.",
                (double)tip->time_ms / 1000.0);
    metrics_histogram_write(out, "pot_consensus_block_interval_seconds",
                            "From a block's time to the next one's.",
                            &history->interval);
    metrics_histogram_write(out, "pot_consensus_commit_seconds",
                            "From a block's time until it was stored here.",
                            &history->commit);
    metrics_one(out, "pot_consensus_blocks_total", COUNTER,
                "Blocks stored since the start.", (double)history->blocks);
    metrics_one(out, "pot_consensus_txs_total", COUNTER,
                "Transactions in them.", (double)history->txs);
    metrics_one(out, "pot_consensus_round_updates_total", COUNTER,
                "Round updates in them.", (double)history->round_updates);
    write_evidence(out, c->evidence);
    if (c->replica != NULL) {
        write_replica(out, c->replica);
    }
    if (c->signer != NULL) {
        write_signer(out, c->signer);
    }
}

static void write_types(struct buf *out, const struct net_stats *stats)
{
    static const struct {
        const char *name;
        const char *help;
        size_t offset;
    } families[] = {
        {"pot_p2p_receive_bytes_total", "Bytes received, by message type.",
         offsetof(struct net_type_stats, in_bytes)},
        {"pot_p2p_send_bytes_total", "Bytes sent, by message type.",
         offsetof(struct net_type_stats, out_bytes)},
        {"pot_p2p_receive_messages_total", "Messages received, by type.",
         offsetof(struct net_type_stats, in_count)},
        {"pot_p2p_send_messages_total", "Messages sent, by type.",
         offsetof(struct net_type_stats, out_count)},
        {"pot_p2p_dropped_messages_total",
         "Messages not sent: a queue was full.",
         offsetof(struct net_type_stats, dropped)},
    };
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
        metrics_family(out, families[f].name, COUNTER, families[f].help);
        for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
            const struct message_rule *rule = message_rule((uint8_t)type);
            if (rule != NULL && rule->name != NULL) {
                const uint64_t *value =
                    (const uint64_t *)(const void *)((const char *)&stats
                                                         ->types[type] +
                                                     families[f].offset);
                metrics_sample(out, families[f].name,
                               (struct metrics_label){"type", rule->name},
                               no_label, (double)*value);
            }
        }
    }
}

static void write_net(struct buf *out, const struct api_config *c)
{
    struct net_stats stats;
    net_stats(c->net, &stats);
    metrics_one(out, "pot_p2p_peers", GAUGE, "Connected peers.",
                (double)stats.peers);
    metrics_one(out, "pot_p2p_pending_handshakes", GAUGE,
                "Handshakes under way.", (double)stats.pending);
    metrics_one(out, "pot_p2p_send_queue_bytes", GAUGE,
                "Bytes that wait to be sent, all peers together.",
                (double)stats.queued_bytes);
    metrics_one(out, "pot_p2p_accepted_total", COUNTER, "Connections accepted.",
                (double)stats.accepted);
    metrics_one(out, "pot_p2p_dialled_total", COUNTER, "Connections made.",
                (double)stats.dialled);
    metrics_one(out, "pot_p2p_bans_total", COUNTER,
                "Peers and addresses banned.", (double)stats.bans);
    metrics_one(out, "pot_p2p_throttled_total", COUNTER,
                "Times that a peer was read no further for a while: it sent"
                " more than its share.",
                (double)stats.throttled);
    metrics_family(out, "pot_p2p_rejected_frames_total", COUNTER,
                   "Connections refused or ended, by reason.");
    for (unsigned reason = 1; reason < REASON_COUNT; reason++) {
        metrics_sample(
            out, "pot_p2p_rejected_frames_total",
            (struct metrics_label){"reason", reason_name((enum reason)reason)},
            no_label, (double)stats.ended[reason]);
    }
    write_types(out, &stats);
}

static void write_sync(struct buf *out, const struct sync *sync)
{
    struct sync_progress p;
    sync_progress(sync, &p);
    metrics_one(out, "pot_sync_behind", GAUGE,
                "Whether others are known to be ahead.",
                sync_is_behind(sync) ? 1 : 0);
    metrics_one(out, "pot_sync_target_height", GAUGE,
                "The greatest height that a peer claims.", (double)p.target);
    metrics_one(out, "pot_sync_blocks_per_second", GAUGE,
                "How fast the chain grows here, of late.",
                (double)p.rate / 1000.0);
    metrics_one(out, "pot_sync_peers_asked", GAUGE,
                "Peers that are asked for blocks right now.",
                (double)p.peers_asked);
    metrics_one(out, "pot_sync_requests_total", COUNTER,
                "Questions for blocks.", (double)p.asked);
    metrics_one(out, "pot_sync_timeouts_total", COUNTER,
                "Questions for blocks that were not answered in time.",
                (double)p.timeouts);
    metrics_one(out, "pot_sync_refused_blocks_total", COUNTER,
                "Blocks of block sync that did not hold.", (double)p.refused);
}

static void write_snapshots(struct buf *out, const struct api_config *c)
{
    struct snapshots_stats made;
    struct arrival_progress taken;
    snapshots_stats(c->holdings->snapshots, &made);
    arrival_progress(c->arrival, &taken);
    metrics_one(out, "pot_snapshot_height", GAUGE,
                "Height of the newest snapshot that is kept; 0: none.",
                (double)made.newest);
    metrics_one(out, "pot_snapshots_made_total", COUNTER, "Snapshots made.",
                (double)made.made);
    metrics_one(out, "pot_snapshots_given_up_total", COUNTER,
                "Snapshots that were begun and not finished.",
                (double)made.given_up);
    metrics_one(out, "pot_snapshot_bytes_total", COUNTER,
                "Bytes of state written for snapshots.",
                (double)made.chunk_bytes);
    metrics_one(out, "pot_snapshot_taking", GAUGE,
                "Whether this node is getting in by a snapshot.",
                taken.is_under_way ? 1 : 0);
    metrics_one(out, "pot_snapshot_parts_done", GAUGE,
                "Headers, chunks or blobs of it that are there.",
                (double)taken.done);
    metrics_one(out, "pot_snapshot_parts", GAUGE, "Those that it takes in all.",
                (double)taken.all);
}

static void write_intake(struct buf *out, const struct api_config *c)
{
    struct intake_stats stats;
    static const uint8_t types[] = {MESSAGE_TX, MESSAGE_SUBMISSION,
                                    MESSAGE_ATTESTATION};
    intake_stats(c->intake, &stats);
    metrics_one(out, "pot_mempool_size", GAUGE,
                "Transactions that wait for a block.",
                (double)mempool_count(c->mempool));
    metrics_one(out, "pot_mempool_bytes", GAUGE, "Their bytes.",
                (double)mempool_bytes(c->mempool));
    metrics_family(out, "pot_intake_received_total", COUNTER,
                   "Signed messages received, by type.");
    for (size_t i = 0; i < sizeof(types); i++) {
        metrics_sample(
            out, "pot_intake_received_total",
            (struct metrics_label){"type", message_rule(types[i])->name},
            no_label, (double)stats.received[types[i]]);
    }
    metrics_family(out, "pot_intake_refused_total", COUNTER,
                   "Those not taken: malformed, known, stale, or wrong.");
    for (size_t i = 0; i < sizeof(types); i++) {
        metrics_sample(
            out, "pot_intake_refused_total",
            (struct metrics_label){"type", message_rule(types[i])->name},
            no_label, (double)stats.refused[types[i]]);
    }
    metrics_one(out, "pot_signature_checks_total", COUNTER,
                "Signatures of transactions and of rounds' messages checked.",
                (double)verified_checks(c->holdings->verified));
    metrics_one(out, "pot_intake_dropped_total", COUNTER,
                "Signed messages dropped because too many came at once.",
                (double)stats.dropped);
}

static void write_memory(struct buf *out, const struct holdings *holdings)
{
    const struct {
        const char *name;
        struct blob_pool *pool;
    } pools[] = {{"payloads", holdings->pool}, {"recent", holdings->recent}};
    metrics_family(out, "pot_memory_blob_bytes", GAUGE,
                   "Blobs in memory: payloads that no block has counted yet, "
                   "and what the latest blocks wrote.");
    for (size_t i = 0; i < sizeof(pools) / sizeof(*pools); i++) {
        metrics_sample(out, "pot_memory_blob_bytes",
                       (struct metrics_label){"pool", pools[i].name}, no_label,
                       (double)blob_pool_bytes(pools[i].pool));
    }
}

static void write_health(struct buf *out, const struct store *store)
{
    enum store_health health = store_health(store);
    metrics_one(out, "pot_store_writable", GAUGE,
                "Whether blocks and votes can be stored.",
                health == STORE_SOUND ? 1 : 0);
    metrics_family(out, "pot_store_state", GAUGE,
                   "What ails the store: 1 for the present state.");
    for (int i = 0; i < STORE_HEALTHS; i++) {
        enum store_health each = (enum store_health)i;
        metrics_sample(out, "pot_store_state",
                       (struct metrics_label){"state", store_health_name(each)},
                       no_label, each == health ? 1 : 0);
    }
}

static void write_store(struct buf *out, struct store *store)
{
    struct store_stats stats;
    write_health(out, store);
    if (store_stats(store, &stats) != POT_OK) {
        return;
    }
    metrics_one(out, "pot_store_map_used_ratio", GAUGE,
                "Part of the memory map in use; the map grows by itself.",
                stats.map_bytes > 0
                    ? (double)stats.used_bytes / (double)stats.map_bytes
                    : 0);
    metrics_one(out, "pot_store_map_bytes", GAUGE, "Size of the memory map.",
                (double)stats.map_bytes);
    metrics_one(out, "pot_store_file_bytes", GAUGE, "Size of the file.",
                (double)stats.file_bytes);
    metrics_one(out, "pot_store_disk_free_bytes", GAUGE,
                "Free space on its disk.", (double)stats.disk_free_bytes);
    metrics_one(out, "pot_store_state_keys", GAUGE, "Records of the state.",
                (double)stats.state_keys);
    metrics_one(out, "pot_store_blobs", GAUGE, "Blobs held.",
                (double)stats.blobs);
    metrics_one(out, "pot_store_commits_total", COUNTER,
                "Transactions committed to disk.", (double)stats.commits);
    metrics_one(out, "pot_store_oldest_reader_commits", GAUGE,
                "Commits since the oldest open snapshot, which keeps their"
                " pages.",
                (double)stats.lag);
    metrics_one(out, "pot_store_map_grown_total", COUNTER,
                "Times that the memory map grew.", (double)stats.grown);
}

static void write_workers(struct buf *out, const struct miner *miner)
{
    struct miner_stats stats = {0};
    if (miner != NULL) {
        miner_stats(miner, &stats);
    }
    const struct workers_stats *w = &stats.workers;
    metrics_one(out, "pot_worker_running", GAUGE, "Training processes.",
                (double)w->running);
    metrics_one(out, "pot_worker_restarts_total", COUNTER,
                "Training processes started again.", (double)w->restarts);
    metrics_one(out, "pot_worker_jobs_total", COUNTER, "Gradients computed.",
                (double)w->jobs);
    metrics_one(out, "pot_worker_rows_total", COUNTER,
                "Rows that they were computed on.", (double)w->rows);
    metrics_one(out, "pot_worker_queued_jobs", GAUGE, "Jobs that wait.",
                (double)w->queued);
    metrics_one(out, "pot_worker_busy_seconds_total", COUNTER,
                "Time in jobs, summed over the processes.",
                (double)w->busy_us / 1e6);
    metrics_one(out, "pot_miner_submitted_total", COUNTER,
                "Gradients submitted.", (double)stats.submitted);
    metrics_one(out, "pot_miner_discarded_total", COUNTER,
                "Gradients that came too late for their round.",
                (double)stats.discarded);
}

static void write_rounds(struct buf *out, const struct rounds *rounds)
{
    struct rounds_stats stats;
    rounds_stats(rounds, &stats);
    metrics_one(out, "pot_rounds_open", GAUGE, "Rounds open now.",
                (double)stats.open);
    metrics_one(out, "pot_rounds_submissions_total", COUNTER,
                "Submissions received.", (double)stats.submissions);
    metrics_one(out, "pot_rounds_attestations_total", COUNTER,
                "Attestations received.", (double)stats.attestations);
    metrics_family(out, "pot_verify_total", COUNTER,
                   "Judgements of this node on submissions, by result.");
    const struct {
        const char *result;
        uint64_t count;
    } results[] = {
        {"accepted", stats.accepted},
        {"audited", stats.audited},
        {"refused", stats.refused},
        {"undecided", stats.undecided},
    };
    for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
        metrics_sample(out, "pot_verify_total",
                       (struct metrics_label){"result", results[i].result},
                       no_label, (double)results[i].count);
    }
}

/* Which number of a running task a family tells. */
enum task_number { TASK_ROUND, TASK_LOSS, TASK_ACCURACY };

static void write_task(struct buf *out, const char *name,
                       const Pot__TaskRecord *task, enum task_number number)
{
    char text[HASH_TEXT_SIZE];
    struct hash hash;
    double value = (double)task->round;
    const Pot__Evaluation *e = task->evaluation;
    bool is_evaluated = e != NULL && e->rows > 0;
    if (!codec_hash(&hash, task->task) ||
        (number == TASK_LOSS && task->submissions == 0) ||
        (number == TASK_ACCURACY && !is_evaluated)) {
        return;
    }
    if (number == TASK_LOSS) {
        value = (double)task->train_loss / FIXED_ONE;
    } else if (number == TASK_ACCURACY) {
        value = (double)e->correct / (double)e->rows;
    }
    metrics_sample(out, name,
                   (struct metrics_label){"task", hash_format(&hash, text)},
                   no_label, value);
}

static void write_tasks(struct buf *out, struct store *store)
{
    static const struct {
        const char *name;
        const char *help;
        enum task_number number;
    } families[] = {
        {"pot_task_round", "The open round of a running task.", TASK_ROUND},
        {"pot_task_loss", "Its latest training loss.", TASK_LOSS},
        {"pot_task_accuracy", "Its latest test accuracy.", TASK_ACCURACY},
    };
    const struct state state = stored_state(store);
    Pot__HashList *running = ledger_running(&state);
    Pot__TaskRecord **tasks = pot_calloc(running->n_hashes, sizeof(*tasks));
    for (size_t i = 0; i < running->n_hashes; i++) {
        struct hash hash;
        if (codec_hash(&hash, running->hashes[i])) {
            tasks[i] = ledger_task(&state, &hash);
        }
    }
    metrics_one(out, "pot_tasks_running", GAUGE, "Tasks that run.",
                (double)running->n_hashes);
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
        metrics_family(out, families[f].name, GAUGE, families[f].help);
        for (size_t i = 0; i < running->n_hashes; i++) {
            if (tasks[i] != NULL) {
                write_task(out, families[f].name, tasks[i], families[f].number);
            }
        }
    }
    for (size_t i = 0; i < running->n_hashes; i++) {
        codec_free(tasks[i]);
    }
    free(tasks);
    codec_free(running);
}

static void write_api(struct buf *out, const struct api_server *server,
                      const struct api_streams *streams)
{
    struct api_server_stats stats;
    struct api_streams_stats s;
    static const char *const classes[] = {"0xx", "1xx", "2xx",
                                          "3xx", "4xx", "5xx"};
    api_server_stats(server, &stats);
    api_streams_stats(streams, &s);
    metrics_family(out, "pot_api_requests_total", COUNTER,
                   "Requests answered, by status.");
    for (size_t i = 2; i < sizeof(classes) / sizeof(*classes); i++) {
        metrics_sample(out, "pot_api_requests_total",
                       (struct metrics_label){"status", classes[i]}, no_label,
                       (double)stats.replies[i]);
    }
    metrics_one(out, "pot_api_connections", GAUGE, "HTTP connections.",
                (double)stats.connections);
    metrics_one(out, "pot_api_refused_connections_total", COUNTER,
                "Refused: too many of one address.", (double)stats.refused);
    metrics_one(out, "pot_api_expired_connections_total", COUNTER,
                "Ended: too slow.", (double)stats.expired);
    metrics_one(out, "pot_api_evicted_connections_total", COUNTER,
                "Ended: waited for longest when a new one came.",
                (double)stats.evicted);
    metrics_one(out, "pot_api_event_streams", GAUGE, "Event streams.",
                (double)s.open);
    metrics_one(out, "pot_api_dropped_event_streams_total", COUNTER,
                "Event streams ended because they did not keep up.",
                (double)s.dropped);
}

static void write_cpu(struct buf *out)
{
    metrics_family(out, "pot_cpu_seconds_total", COUNTER,
                   "Processor time by what it was spent on; the rest of the"
                   " process's is not told.");
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
    write_consensus(&body, c, request->history);
    write_net(&body, c);
    write_sync(&body, c->sync);
    write_intake(&body, c);
    write_snapshots(&body, c);
    write_memory(&body, c->holdings);
    write_store(&body, c->holdings->store);
    write_workers(&body, c->miner);
    write_rounds(&body, c->rounds);
    write_tasks(&body, c->holdings->store);
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
