#include "config.h"

#include "node/round/open_round.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/hold/stored.h"
#include "proto/codec.h"

#include <stdlib.h>

/* Verdicts wait this long for others to be attested together with. */
#define ATTEST_TOGETHER_MS 150
/* Once a round could be closed, those who are missing get as long again as
 * it took so far, and no less than this. */
#define GRACE_MIN_MS 300

void open_round_free(struct open_round *round)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        judging_free(slot->value);
    }
    cursor = 0;
    while ((slot = map_next(&round->attestations, &cursor)) != NULL) {
        attesting_free(slot->value);
    }
    map_fini(&round->submissions);
    map_fini(&round->miners);
    map_fini(&round->attestations);
    codec_free(round->task);
    free(round);
}

void open_round_release(struct open_round *round)
{
    struct open_round **at = &round->duty->gone;
    if (round->callbacks > 0) {
        return;
    }
    while (*at != round) {
        at = &(*at)->next_gone;
    }
    *at = round->next_gone;
    open_round_free(round);
}

/* Payloads that no block counted are of no use any more. */
static void drop_payloads(struct open_round *round)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        const struct submission *s = slot->value;
        blob_pool_del(round->duty->config->env->pool, &s->held.opened.payload);
    }
}

void open_round_close(struct open_round *round)
{
    drop_payloads(round);
    round->is_gone = true;
    round->next_gone = round->duty->gone;
    round->duty->gone = round;
    open_round_release(round);
}

struct open_round *open_round_new(struct round_duty *duty,
                                  const struct hash *name,
                                  Pot__TaskRecord *task)
{
    struct open_round *round = pot_calloc(1, sizeof(*round));
    round->duty = duty;
    round->task = task;
    round->name = *name;
    round->opened_ms = uv_now(duty->config->loop);
    round->is_dirty = true;
    enum pot_err err = model_shape_from_spec(&round->shape, task->spec->model);
    POT_ASSERT(err == POT_OK); /* the ledger took the task */
    if (duty->config->key != NULL) {
        needs_task_data(duty->config->needs, task->spec, NULL, NULL);
    }
    return round;
}

void open_round_candidate(struct round_candidate *out,
                          const struct open_round *round)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    *out = (struct round_candidate){.task = round->name};
    out->submissions =
        pot_calloc(round->submissions.count, sizeof(*out->submissions));
    out->attestations =
        pot_calloc(round->attestations.count, sizeof(*out->attestations));
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        const struct submission *s = slot->value;
        if (s->state != FETCHING && s->state != LOST) {
            out->submissions[out->submission_count++] = s->held;
        }
    }
    cursor = 0;
    while ((slot = map_next(&round->attestations, &cursor)) != NULL) {
        const struct held_attestation *held = slot->value;
        out->attestations[out->attestation_count++] = *held;
    }
}

static void tally(struct open_round *round, uint64_t height)
{
    struct round_candidate candidate;
    struct round_tally found = {0};
    const struct ledger_env env = {
        .chain = round->duty->config->env->chain,
        .state = stored_state(round->duty->config->env->store),
    };
    open_round_candidate(&candidate, round);
    enum round_verdict verdict =
        ledger_tally_round(&found, &env, height, &candidate);
    free(candidate.submissions);
    free(candidate.attestations);
    round->is_dirty = false;
    round->tally_height = height;
    round->is_full = found.counted + found.refused >= found.roster;
    if (verdict != ROUND_ACCEPTED || !found.is_closable) {
        round->closable_ms = 0;
    } else if (round->closable_ms == 0) {
        round->closable_ms = uv_now(round->duty->config->loop);
    }
}

void open_round_kick(const struct round_duty *duty)
{
    if (duty->timer != NULL && !uv_is_closing((uv_handle_t *)duty->timer)) {
        (void)uv_timer_start(duty->timer, duty->on_tick, 0,
                             uv_timer_get_repeat(duty->timer));
    }
}

bool open_round_should_close(struct open_round *round, uint64_t height)
{
    uint64_t now = uv_now(round->duty->config->loop);
    if (round->is_dirty || round->tally_height != height) {
        tally(round, height);
    }
    if (round->closable_ms == 0) {
        return false;
    }
    uint64_t taken = round->closable_ms - round->opened_ms;
    uint64_t grace = taken > GRACE_MIN_MS ? taken : GRACE_MIN_MS;
    return round->is_full || now >= round->closable_ms + grace ||
           now >= round->opened_ms + round->task->spec->round_timeout_ms;
}

void open_round_tick(struct open_round *round, uint64_t now_ms)
{
    bool is_pending = judging_tick(round, now_ms);
    if (round->has_news &&
        (!is_pending || now_ms >= round->news_ms + ATTEST_TOGETHER_MS)) {
        attesting_say(round);
    }
}
