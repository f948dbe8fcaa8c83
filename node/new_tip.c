#include "config.h"

#include "node/new_tip.h"

#include "base/log.h"
#include "node/api/api.h"
#include "node/block/catch_up.h"
#include "node/block/chain.h"
#include "node/block/owed.h"
#include "node/block/pruning.h"
#include "node/block/replica.h"
#include "node/block/validator_sets.h"
#include "node/hold/snapshots.h"
#include "node/network.h"
#include "node/node_parts.h"
#include "node/round/aggregator.h"
#include "node/round/miner.h"
#include "node/round/rounds.h"
#include "node/tx/evidence_pool.h"
#include "node/tx/intake.h"
#include "node/tx/pending.h"
#include "p2p/sync.h"

uint64_t new_tip_bytes_max(const struct node *node)
{
    uint64_t own = node->config->max_block_bytes;
    uint64_t chain = node->genesis->params->max_block_bytes;
    return own < chain ? own : chain;
}

static void log_block(const struct node *node, const struct shared_block *block)
{
    char text[HASH_TEXT_SIZE];
    const struct chain_tip *tip = chain_tip(node->chain);
    const Pot__Block *body = block->block->body;
    LOG(LOG_INFO, "consensus", "committed", log_u64("height", tip->height),
        log_u64("view", tip->view),
        log_text("block", hash_format(&tip->hash, text)),
        log_u64("txs", body->n_txs), log_u64("rounds", body->n_round_updates),
        log_u64("bytes", block->size));
}

/* Half of what it would make itself, and a node does not say that another's
 * block was full. */
static bool had_room(const struct node *node, const struct shared_block *block)
{
    struct replica_stats stats;
    const Pot__Block *body = block->block->body;
    replica_stats(node->replica, &stats);
    return block->size < new_tip_bytes_max(node) / 2 &&
           body->n_txs < PENDING_TXS_MAX / 2 &&
           body->n_round_updates < ROUND_UPDATES_MAX / 2 &&
           stats.check_ms < NEW_TIP_WORK_MS / 2;
}

/* By what block's primary is judged: one that proposed it in the view that we
 * are in.  False: it is not. */
static bool rule_of(const struct node *node, const struct shared_block *block,
                    struct owed_rule *out)
{
    if (node->replica == NULL) {
        return false;
    }
    const struct pbft_status status = replica_status(node->replica);
    *out = (struct owed_rule){
        .has_room = had_room(node, block),
        .view = chain_tip(node->chain)->view,
        .now_ms = uv_now(&node->loop),
        .timeout_ms = node->config->propose_timeout_ms,
        .faults = validator_set_faults(status.count),
    };
    return block->block->header->view == out->view &&
           status.view == out->view && status.replica != PBFT_NO_REPLICA &&
           status.replica != status.primary;
}

/* What the primary has left out for too long; NULL: nothing of the kind. */
static void suspect(const struct node *node, const char *what,
                    const struct hash *hash)
{
    if (hash != NULL) {
        replica_suspect(node->replica, what, hash);
    }
}

void new_tip_tell_sync(struct node *node)
{
    const struct claim status = network_claim(node);
    sync_set_status(node->sync, &status);
}

static void tell_replica(struct node *node, const struct shared_block *block)
{
    struct validator_set set;
    const struct chain_tip *tip = chain_tip(node->chain);
    if (node->replica == NULL) {
        return;
    }
    enum pot_err err =
        validator_sets_read(&node->holdings, &tip->next_signers, &set);
    if (err != POT_OK) {
        mending_failed(&node->mending, err, "validator set");
        return;
    }
    replica_certified(node->replica, block->block->body->last_commit);
    replica_applied(node->replica, tip, &set);
}

/* Whoever begins with a snapshot needs the blocks above it; before the first
 * snapshot, with the genesis. */
static void prune(struct node *node)
{
    struct snapshots *snapshots = node->holdings.snapshots;
    pruning_go_on(node->pruning, chain_tip(node->chain)->height,
                  snapshots != NULL ? snapshots_oldest(snapshots) : UINT64_MAX);
}

void new_tip_applied(void *context, const struct shared_block *block)
{
    struct node *node = context;
    log_block(node, block);
    if (node->is_stopping) {
        return;
    }
    struct owed_rule rule;
    const struct hash *tx;
    const struct hash *evidence;
    const struct owed_rule *judged = rule_of(node, block, &rule) ? &rule : NULL;
    bool has_txs = pending_applied(node->pending, block, judged, &tx);
    bool has_evidence = evidence_pool_applied(
        node->evidence, block->block->body, judged, &evidence);
    intake_applied(node->intake);
    rounds_refresh(node->rounds);
    const struct hash *task =
        judged != NULL ? rounds_overdue(node->rounds, judged) : NULL;
    new_tip_tell_sync(node);
    prune(node);
    catch_up_applied(node->catch_up);
    tell_replica(node, block);
    suspect(node, "tx", tx);
    suspect(node, "task", task);
    suspect(node, "evidence", evidence);
    if (node->replica != NULL &&
        (has_txs || has_evidence || rounds_has_work(node->rounds))) {
        replica_work(node->replica);
    }
    if (node->miner != NULL) {
        miner_refresh(node->miner);
    }
    if (node->aggregator != NULL) {
        aggregator_refresh(node->aggregator);
    }
    if (node->api != NULL) {
        api_block_applied(node->api, block->block);
    }
}

/* While the store ails it stays silent until that is cured. */
void new_tip_wake(void *context)
{
    struct node *node = context;
    struct validator_set set;
    const struct chain_tip *tip = chain_tip(node->chain);
    if (node->replica == NULL || mending_is_ailing(&node->mending)) {
        return;
    }
    enum pot_err err =
        validator_sets_read(&node->holdings, &tip->next_signers, &set);
    if (err == POT_OK) {
        err = replica_resume(node->replica, &set);
    }
    if (err != POT_OK) {
        mending_failed(&node->mending, err, "beginning with a snapshot");
    }
}

void new_tip_installed(void *context)
{
    struct node *node = context;
    const struct hash *overdue;
    pruning_reload(node->pruning);
    rounds_refresh(node->rounds);
    (void)evidence_pool_applied(node->evidence, NULL, NULL, &overdue);
    new_tip_tell_sync(node);
    catch_up_applied(node->catch_up);
    new_tip_wake(node);
    if (node->miner != NULL) {
        miner_refresh(node->miner);
    }
    if (node->aggregator != NULL) {
        aggregator_refresh(node->aggregator);
    }
}
