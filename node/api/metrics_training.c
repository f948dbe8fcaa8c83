#include "config.h"

#include "node/api/metrics_parts.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "ledger/ledger.h"
#include "node/api/api_config.h"
#include "node/api/api_workers.h"
#include "node/api/metrics_text.h"
#include "node/hold/chunk_cache.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/aggregator.h"
#include "node/round/miner.h"
#include "node/round/rounds.h"
#include "proto/codec.h"

#include <stdlib.h>

static const struct metrics_label no_label = {NULL, NULL};

static const struct metrics_field worker_fields[] = {
    METRICS_FIELD("pot_worker_running", METRICS_GAUGE, workers_stats, running,
                  "Training processes."),
    METRICS_FIELD("pot_worker_restarts_total", METRICS_COUNTER, workers_stats,
                  restarts, "Training processes started again."),
    METRICS_FIELD("pot_worker_jobs_total", METRICS_COUNTER, workers_stats, jobs,
                  "Gradients computed."),
    METRICS_FIELD("pot_worker_rows_total", METRICS_COUNTER, workers_stats, rows,
                  "Rows that they were computed on."),
    METRICS_FIELD("pot_worker_queued_jobs", METRICS_GAUGE, workers_stats,
                  queued, "Jobs that wait."),
    METRICS_RATIO("pot_worker_busy_seconds_total", METRICS_COUNTER,
                  workers_stats, busy_us, 1e6,
                  "Time in jobs, summed over the processes."),
};

static const struct metrics_field miner_fields[] = {
    METRICS_FIELD("pot_miner_submitted_total", METRICS_COUNTER, miner_stats,
                  submitted, "Gradients submitted."),
    METRICS_FIELD("pot_miner_diverged_total", METRICS_COUNTER, miner_stats,
                  diverged, "Gradients that are no finite number."),
    METRICS_FIELD("pot_miner_discarded_total", METRICS_COUNTER, miner_stats,
                  discarded, "Gradients that came too late for their round."),
};

static const struct metrics_field cache_fields[] = {
    METRICS_FIELD("pot_data_cache_max_bytes", METRICS_GAUGE, chunk_cache_stats,
                  bytes_max, "What may be kept of data sets; 0: all of them."),
    METRICS_FIELD("pot_data_cache_bytes", METRICS_GAUGE, chunk_cache_stats,
                  bytes, "Kept now."),
    METRICS_FIELD("pot_data_cache_hits_total", METRICS_COUNTER,
                  chunk_cache_stats, hits, "Chunks that were there."),
    METRICS_FIELD("pot_data_cache_misses_total", METRICS_COUNTER,
                  chunk_cache_stats, misses, "Chunks that were fetched."),
    METRICS_FIELD("pot_data_cache_fetched_bytes_total", METRICS_COUNTER,
                  chunk_cache_stats, fetched_bytes, "Bytes of those."),
    METRICS_FIELD("pot_data_cache_evictions_total", METRICS_COUNTER,
                  chunk_cache_stats, evictions,
                  "Chunks that made room for others."),
    METRICS_FIELD("pot_data_cache_damaged_total", METRICS_COUNTER,
                  chunk_cache_stats, damaged,
                  "Chunks whose file was not right any more."),
};

static void write_cache(struct buf *out, struct chunk_cache *cache)
{
    struct chunk_cache_stats stats;
    chunk_cache_stats(cache, &stats);
    metrics_table(out, cache_fields, &stats);
}

static void write_workers(struct buf *out, const struct api_config *config)
{
    struct workers_stats stats;
    api_workers_stats(config, &stats);
    metrics_table(out, worker_fields, &stats);
}

static void write_miner(struct buf *out, const struct miner *miner)
{
    struct miner_stats stats = {0};
    if (miner != NULL) {
        miner_stats(miner, &stats);
    }
    metrics_table(out, miner_fields, &stats);
}

static const struct metrics_field aggregator_fields[] = {
    METRICS_FIELD("pot_aggregator_waiting", METRICS_GAUGE, aggregator_stats,
                  waiting, "Submissions whose payload is being fetched."),
    METRICS_FIELD("pot_aggregator_passed_on_total", METRICS_COUNTER,
                  aggregator_stats, passed_on,
                  "Submissions passed on, their payloads being held."),
    METRICS_FIELD("pot_aggregator_refused_total", METRICS_COUNTER,
                  aggregator_stats, refused,
                  "Submissions whose payload is no gradient."),
    METRICS_FIELD("pot_aggregator_groups_total", METRICS_COUNTER,
                  aggregator_stats, groups, "Sums of groups published."),
};

static void write_aggregator(struct buf *out,
                             const struct aggregator *aggregator)
{
    struct aggregator_stats stats = {0};
    if (aggregator != NULL) {
        aggregator_stats(aggregator, &stats);
    }
    metrics_table(out, aggregator_fields, &stats);
}

static const struct metrics_field round_fields[] = {
    METRICS_FIELD("pot_rounds_open", METRICS_GAUGE, rounds_stats, open,
                  "Rounds open now."),
    METRICS_FIELD("pot_rounds_submissions_total", METRICS_COUNTER, rounds_stats,
                  submissions, "Submissions received."),
    METRICS_FIELD("pot_rounds_attestations_total", METRICS_COUNTER,
                  rounds_stats, attestations, "Attestations received."),
    METRICS_FIELD("pot_rounds_words_late_total", METRICS_COUNTER, rounds_stats,
                  words_late,
                  "Words of validators that had pledged none in time, counted"
                  " when the round is over."),
    METRICS_FIELD("pot_rounds_words_broken_total", METRICS_COUNTER,
                  rounds_stats, words_broken,
                  "Words of validators that had pledged others."),
    METRICS_FIELD("pot_groups_opened_total", METRICS_COUNTER, rounds_stats,
                  groups_opened,
                  "Groups that this validator opened and found right."),
    METRICS_FIELD("pot_groups_taken_total", METRICS_COUNTER, rounds_stats,
                  groups_taken,
                  "Groups taken by their sum, on the word of others."),
    METRICS_FIELD("pot_groups_spared_total", METRICS_COUNTER, rounds_stats,
                  payloads_spared, "Their members, not fetched."),
    METRICS_FIELD("pot_groups_given_up_total", METRICS_COUNTER, rounds_stats,
                  groups_given_up, "Groups that were waited for in vain."),
    METRICS_FIELD("pot_groups_wrong_total", METRICS_COUNTER, rounds_stats,
                  groups_wrong, "Groups that were found to be wrong."),
    METRICS_FIELD("pot_audits_dropped_total", METRICS_COUNTER, rounds_stats,
                  dropped,
                  "Drawn audits that were not made while they mattered."),
};

static void write_rounds(struct buf *out, const struct rounds *rounds)
{
    struct rounds_stats stats;
    rounds_stats(rounds, &stats);
    metrics_table(out, round_fields, &stats);
    metrics_family(out, "pot_verify_total", METRICS_COUNTER,
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
    metrics_one(out, "pot_tasks_running", METRICS_GAUGE, "Tasks that run.",
                (double)running->n_hashes);
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
        metrics_family(out, families[f].name, METRICS_GAUGE, families[f].help);
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

void metrics_training_write(struct buf *out, const struct api_config *config)
{
    write_workers(out, config);
    write_miner(out, config->miner);
    write_aggregator(out, config->aggregator);
    write_cache(out, config->holdings->chunks);
    write_rounds(out, config->rounds);
    write_tasks(out, config->holdings->store);
}
