#include "config.h"

#include "node/api/metrics_parts.h"

#include "node/api/api_config.h"
#include "node/api/api_health.h"
#include "node/api/api_history.h"
#include "node/api/metrics_text.h"
#include "node/block/arrival.h"
#include "node/block/chain.h"
#include "node/block/remote_signer.h"
#include "node/block/replica.h"
#include "node/hold/holdings.h"
#include "node/hold/snapshots.h"
#include "node/tx/evidence_pool.h"
#include "p2p/sync.h"

static const struct metrics_label no_label = {NULL, NULL};

static const struct metrics_field replica_fields[] = {
    METRICS_FIELD("pot_consensus_messages_total", METRICS_COUNTER,
                  replica_stats, messages, "Consensus messages received."),
    METRICS_FIELD("pot_consensus_refused_messages_total", METRICS_COUNTER,
                  replica_stats, refused,
                  "Malformed or wrongly signed ones among them."),
    METRICS_FIELD("pot_consensus_dropped_messages_total", METRICS_COUNTER,
                  replica_stats, dropped,
                  "Consensus messages dropped because too many came at once."),
    METRICS_FIELD("pot_consensus_proposals_total", METRICS_COUNTER,
                  replica_stats, proposals,
                  "Blocks that this replica proposed."),
    METRICS_FIELD("pot_consensus_invalid_blocks_total", METRICS_COUNTER,
                  replica_stats, invalid_blocks,
                  "Proposed blocks that do not execute here."),
    METRICS_FIELD("pot_consensus_unjudged_blocks_total", METRICS_COUNTER,
                  replica_stats, unjudged_blocks,
                  "Proposed blocks that could not be checked here."),
};

static void write_replica(struct buf *out, const struct replica *replica)
{
    struct replica_stats stats;
    const struct pbft_status status = replica_status(replica);
    replica_stats(replica, &stats);
    metrics_table(out, replica_fields, &stats);
    metrics_family(out, "pot_consensus_view_changes_total", METRICS_COUNTER,
                   "Views that this replica left, by reason.");
    for (unsigned why = 0; why < PBFT_CHANGES; why++) {
        metrics_sample(out, "pot_consensus_view_changes_total",
                       (struct metrics_label){
                           "reason", pbft_change_name((enum pbft_change)why)},
                       no_label, (double)status.view_changes[why]);
    }
    metrics_one(out, "pot_consensus_view_timeout_seconds", METRICS_GAUGE,
                "What the present view is given.",
                (double)status.timeout_ms / 1000.0);
}

static const struct metrics_field signer_fields[] = {
    METRICS_FIELD("pot_signer_up", METRICS_GAUGE, remote_signer_stats, is_up,
                  "Whether pot-signer answers."),
    METRICS_FIELD("pot_signer_signatures_total", METRICS_COUNTER,
                  remote_signer_stats, signatures,
                  "Signatures that pot-signer made."),
    METRICS_FIELD("pot_signer_refused_total", METRICS_COUNTER,
                  remote_signer_stats, refused,
                  "Those it refused by its rules."),
    METRICS_FIELD("pot_signer_failed_total", METRICS_COUNTER,
                  remote_signer_stats, failed, "Those it did not answer."),
    METRICS_RATIO("pot_signer_wait_seconds_total", METRICS_COUNTER,
                  remote_signer_stats, waited_us, 1e6,
                  "What the node waited for its answers."),
};

static void write_signer(struct buf *out, const struct remote_signer *signer)
{
    struct remote_signer_stats stats;
    remote_signer_stats(signer, &stats);
    metrics_table(out, signer_fields, &stats);
}

static const struct metrics_field evidence_fields[] = {
    METRICS_FIELD("pot_consensus_evidence_total", METRICS_COUNTER,
                  evidence_pool_stats, found,
                  "Proofs that this replica found against validators."),
    METRICS_FIELD("pot_consensus_evidence_received_total", METRICS_COUNTER,
                  evidence_pool_stats, received, "Proofs that peers sent."),
    METRICS_FIELD("pot_consensus_evidence_refused_total", METRICS_COUNTER,
                  evidence_pool_stats, refused,
                  "Proofs that were wrong, too old or known."),
    METRICS_FIELD("pot_consensus_evidence_dropped_total", METRICS_COUNTER,
                  evidence_pool_stats, dropped,
                  "Proofs dropped because too many came at once."),
};

static void write_evidence(struct buf *out, const struct evidence_pool *pool)
{
    struct evidence_pool_stats stats;
    evidence_pool_stats(pool, &stats);
    metrics_table(out, evidence_fields, &stats);
    metrics_one(out, "pot_consensus_evidence_pending", METRICS_GAUGE,
                "Proofs that wait for a block.",
                (double)evidence_pool_count(pool));
}

static const struct metrics_field history_fields[] = {
    METRICS_FIELD("pot_consensus_blocks_total", METRICS_COUNTER, api_history,
                  blocks, "Blocks stored since the start."),
    METRICS_FIELD("pot_consensus_txs_total", METRICS_COUNTER, api_history, txs,
                  "Transactions in them."),
    METRICS_FIELD("pot_consensus_round_updates_total", METRICS_COUNTER,
                  api_history, round_updates, "Round updates in them."),
};

static void write_consensus(struct buf *out, const struct api_config *c,
                            const struct api_history *history)
{
    uint32_t validators;
    const struct chain_tip *tip = chain_tip(c->chain);
    uint32_t connected = api_health_connected(c, &validators);
    uint64_t view =
        c->replica != NULL ? replica_status(c->replica).view : tip->view;
    metrics_one(out, "pot_consensus_height", METRICS_GAUGE,
                "Height of the tip.", (double)tip->height);
    metrics_one(out, "pot_consensus_view", METRICS_GAUGE, "The present view.",
                (double)view);
    metrics_one(out, "pot_consensus_validators", METRICS_GAUGE,
                "Validators of the next height.", (double)validators);
    metrics_one(out, "pot_consensus_missing_validators", METRICS_GAUGE,
                "Those of them that are out of reach.",
                (double)(validators - connected));
    metrics_one(out, "pot_consensus_latest_block_seconds", METRICS_GAUGE,
                "Time of the tip, since the epoch.",
                (double)tip->time_ms / 1000.0);
    metrics_one(out, "pot_consensus_latest_block_age_seconds", METRICS_GAUGE,
                "Since the time of the tip, by this node's clock.",
                (double)api_history_age_ms(tip->time_ms) / 1000.0);
    metrics_histogram_write(out, "pot_consensus_block_interval_seconds",
                            "From a block's time to the next one's.",
                            &history->interval);
    metrics_histogram_write(out, "pot_consensus_commit_seconds",
                            "From a block's time until it was stored here.",
                            &history->commit);
    metrics_table(out, history_fields, history);
    write_evidence(out, c->evidence);
    if (c->replica != NULL) {
        write_replica(out, c->replica);
    }
    if (c->signer != NULL) {
        write_signer(out, c->signer);
    }
}

static const struct metrics_field sync_fields[] = {
    METRICS_FIELD("pot_sync_target_height", METRICS_GAUGE, sync_progress,
                  target, "The greatest height that a peer claims."),
    METRICS_RATIO("pot_sync_blocks_per_second", METRICS_GAUGE, sync_progress,
                  rate, 1000, "How fast the chain grows here, of late."),
    METRICS_FIELD("pot_sync_peers_asked", METRICS_GAUGE, sync_progress,
                  peers_asked, "Peers that are asked for blocks right now."),
    METRICS_FIELD("pot_sync_requests_total", METRICS_COUNTER, sync_progress,
                  asked, "Questions for blocks."),
    METRICS_FIELD("pot_sync_timeouts_total", METRICS_COUNTER, sync_progress,
                  timeouts,
                  "Questions for blocks that were not answered in time."),
    METRICS_FIELD("pot_sync_refused_blocks_total", METRICS_COUNTER,
                  sync_progress, refused,
                  "Blocks of block sync that did not hold."),
};

static void write_sync(struct buf *out, const struct sync *sync)
{
    struct sync_progress p;
    sync_progress(sync, &p);
    metrics_table(out, sync_fields, &p);
    metrics_one(out, "pot_sync_behind", METRICS_GAUGE,
                "Whether others are known to be ahead.",
                sync_is_behind(sync) ? 1 : 0);
}

static const struct metrics_field made_fields[] = {
    METRICS_FIELD("pot_snapshot_height", METRICS_GAUGE, snapshots_stats, newest,
                  "Height of the newest snapshot that is kept; 0: none."),
    METRICS_FIELD("pot_snapshots_made_total", METRICS_COUNTER, snapshots_stats,
                  made, "Snapshots made."),
    METRICS_FIELD("pot_snapshots_given_up_total", METRICS_COUNTER,
                  snapshots_stats, given_up,
                  "Snapshots that were begun and not finished."),
    METRICS_FIELD("pot_snapshot_bytes_total", METRICS_COUNTER, snapshots_stats,
                  chunk_bytes, "Bytes of state written for snapshots."),
};

static const struct metrics_field taken_fields[] = {
    METRICS_FIELD("pot_snapshot_taking", METRICS_GAUGE, arrival_progress,
                  is_under_way,
                  "Whether this node is getting in by a snapshot."),
    METRICS_FIELD("pot_snapshot_parts_done", METRICS_GAUGE, arrival_progress,
                  done, "Headers, chunks or blobs of it that are there."),
    METRICS_FIELD("pot_snapshot_parts", METRICS_GAUGE, arrival_progress, all,
                  "Those that it takes in all."),
};

static void write_snapshots(struct buf *out, const struct api_config *c)
{
    struct snapshots_stats made;
    struct arrival_progress taken;
    snapshots_stats(c->holdings->snapshots, &made);
    arrival_progress(c->arrival, &taken);
    metrics_table(out, made_fields, &made);
    metrics_table(out, taken_fields, &taken);
}

void metrics_chain_write(struct buf *out, const struct api_config *config,
                         const struct api_history *history)
{
    write_consensus(out, config, history);
    write_sync(out, config->sync);
    write_snapshots(out, config);
}
