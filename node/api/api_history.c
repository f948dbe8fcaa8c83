#include "config.h"

#include "node/api/api_history.h"

#include "base/clock.h"
#include "proto/block.h"

/* Older blocks were brought by block sync: they say nothing of commits. */
#define LIVE_MS 60000

static const double second_bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                       1,    2.5,   5,    10,  30,   60};

static const struct metrics_histogram empty = {
    .bounds = second_bounds,
    .bound_count = sizeof(second_bounds) / sizeof(*second_bounds),
};

void api_history_init(struct api_history *history, uint64_t now_ms)
{
    *history = (struct api_history){
        .opened_ms = now_ms,
        .applied_ms = now_ms,
        .interval = empty,
        .commit = empty,
    };
}

uint64_t api_history_age_ms(uint64_t time_ms)
{
    uint64_t now = clock_wall_ms();
    return now > time_ms ? now - time_ms : 0;
}

void api_history_block(struct api_history *history, const struct block *block,
                       uint64_t now_ms)
{
    uint64_t time_ms = block->header->time_ms;
    uint64_t age_ms = api_history_age_ms(time_ms);
    if (history->last_time_ms > 0 && time_ms > history->last_time_ms) {
        metrics_observe(&history->interval,
                        (double)(time_ms - history->last_time_ms) / 1000.0);
    }
    if (age_ms < LIVE_MS) {
        metrics_observe(&history->commit, (double)age_ms / 1000.0);
    }
    history->applied_ms = now_ms;
    history->last_time_ms = time_ms;
    history->txs += block->body->n_txs;
    history->round_updates += block->body->n_round_updates;
    history->blocks++;
}
