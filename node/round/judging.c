#include "config.h"

#include "node/round/open_round.h"

#include "base/alloc.h"
#include "base/log.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/round/auditor.h"
#include "node/round/round_job.h"
#include "proto/codec.h"
#include "proto/gradient.h"
#include "proto/signed.h"

#include <stdlib.h>

#define FETCH_AGAIN_MS 1000

void judging_free(struct submission *s)
{
    round_submission_close(&s->held.opened);
    codec_free(s->held.message);
    free(s);
}

static void mark_judged(struct submission *s, Pot__Verdict verdict,
                        const char *why)
{
    struct open_round *round = s->round;
    char miner[ADDRESS_TEXT_SIZE];
    s->state = JUDGED;
    s->verdict = verdict;
    round->is_dirty = true;
    open_round_kick(round->duty);
    if (!round->has_news) {
        round->has_news = true;
        round->news_ms = uv_now(round->duty->config->loop);
    }
    if (verdict == POT__VERDICT__VERDICT_REFUSE) {
        round->duty->stats.refused++;
        LOG(LOG_WARN, "node", "submission refused",
            log_u64("round", round->task->round),
            log_text("miner", address_format(&s->held.opened.miner, miner)),
            log_text("why", why));
    } else {
        round->duty->stats.accepted++;
    }
}

static void on_audited(void *context, enum pot_err err,
                       const struct audit_result *result)
{
    struct submission *s = context;
    struct open_round *round = s->round;
    round->callbacks--;
    if (round->is_gone) {
        open_round_release(round);
        return;
    }
    if (err != POT_OK) { /* could not compute it: no word on it */
        s->state = WAITING;
        LOG(LOG_WARN, "node", "audit failed", log_text("why", err_text(err)));
        return;
    }
    round->duty->stats.audited++;
    switch (result->verdict) {
    case AUDIT_EQUAL:
    case AUDIT_WITHIN:
        mark_judged(s, POT__VERDICT__VERDICT_ACCEPT_AUDITED, "");
        break;
    case AUDIT_UNDECIDED:
        round->duty->stats.undecided++;
        s->state = JUDGED; /* and no word on it */
        break;
    case AUDIT_REFUSED:
        mark_judged(s, POT__VERDICT__VERDICT_REFUSE,
                    "its gradient is not the one of its rows");
        break;
    }
}

/* WAITING: the payload is there, but not what the audit needs. */
static void start_audit(struct submission *s, const struct buf *payload)
{
    struct open_round *round = s->round;
    struct round_duty *duty = round->duty;
    struct auditor_case audit = {
        .core = s->held.opened.body->blas_core,
        .payload = payload->data,
        .payload_size = payload->size,
        .loss = s->held.opened.body->loss,
    };
    s->state = WAITING;
    if (round_job_make(&audit.job, duty->config->env, round->task,
                       &s->held.opened.miner) != POT_OK) {
        return;
    }
    if (auditor_judge(duty->auditor, &audit, on_audited, s) == POT_OK) {
        s->state = JUDGING;
        round->callbacks++;
    }
    workers_job_fini(&audit.job);
}

static unsigned width_of(const Pot__TaskSpec *spec)
{
    return spec->compression == POT__COMPRESSION__COMPRESSION_INT16 ? 2 : 1;
}

static void judge(struct submission *s)
{
    struct open_round *round = s->round;
    struct round_duty *duty = round->duty;
    struct gradient gradient;
    struct buf payload;
    buf_init(&payload, s->held.opened.body->payload_bytes);
    bool is_held = blob_pool_get(duty->config->env->pool,
                                 &s->held.opened.payload, &payload);
    if (!is_held) {
        s->state = LOST; /* the pool made room for others */
        s->lost_ms = uv_now(duty->config->loop);
    } else if (payload.size != s->held.opened.body->payload_bytes ||
               gradient_open(&gradient, &round->shape, payload.data,
                             payload.size) != POT_OK ||
               gradient.width != width_of(round->task->spec) ||
               gradient.addends != 1) {
        mark_judged(s, POT__VERDICT__VERDICT_REFUSE,
                    "its payload is no gradient of this model");
    } else if (audit_is_drawn(duty->secret, &s->held.opened.hash,
                              round->task->spec->audit_rate_ppm)) {
        start_audit(s, &payload);
    } else {
        mark_judged(s, POT__VERDICT__VERDICT_ACCEPT, "");
    }
    buf_fini(&payload);
}

static void on_payload(void *context, const struct hash *hash, bool is_held)
{
    struct submission *s = context;
    struct open_round *round = s->round;
    (void)hash;
    round->callbacks--;
    if (round->is_gone) {
        open_round_release(round);
    } else if (is_held) {
        judge(s);
    } else {
        s->state = LOST;
        s->lost_ms = uv_now(round->duty->config->loop);
    }
}

static void fetch(struct submission *s, uint64_t peer_id)
{
    s->state = FETCHING;
    s->round->callbacks++;
    needs_blob(s->round->duty->config->needs, &s->held.opened.payload,
               s->held.opened.body->payload_bytes, peer_id, on_payload, s);
}

static bool is_in_roster(const Pot__TaskRecord *task,
                         const struct public_key *miner)
{
    for (size_t i = 0; i < task->n_roster; i++) {
        if (codec_bytes_equal(task->roster[i]->miner, miner->b,
                              PUBLIC_KEY_SIZE)) {
            return true;
        }
    }
    return false;
}

bool judging_fits(const struct open_round *round,
                  const struct round_submission *s)
{
    const Pot__TaskRecord *task = round->task;
    return s->body->rows == task->spec->rows_per_miner &&
           codec_bytes_equal(task->parameters_hash, s->parameters.b,
                             HASH_SIZE) &&
           s->body->payload_bytes ==
               gradient_bytes(&round->shape, width_of(task->spec)) &&
           is_in_roster(task, &s->miner);
}

/* The first submission of a miner counts; others of it are not looked at. */
bool judging_take(struct open_round *round, struct round_submission *opened,
                  const Pot__Signed *message, uint64_t peer_id)
{
    struct round_duty *duty = round->duty;
    if (!judging_fits(round, opened) ||
        map_get(&round->miners, opened->miner.b) != NULL) {
        round_submission_close(opened);
        return false;
    }
    struct submission *s = pot_calloc(1, sizeof(*s));
    s->round = round;
    s->held.opened = *opened;
    s->held.message = signed_copy(message);
    (void)map_put(&round->submissions, s->held.opened.hash.b, s);
    (void)map_put(&round->miners, s->held.opened.miner.b, s);
    duty->stats.submissions++;
    if (duty->config->key != NULL) {
        fetch(s, peer_id);
    }
    return true;
}

bool judging_tick(struct open_round *round, uint64_t now_ms)
{
    bool is_pending = false;
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        struct submission *s = slot->value;
        if (s->state == WAITING) {
            judge(s);
        } else if (s->state == LOST && now_ms >= s->lost_ms + FETCH_AGAIN_MS) {
            fetch(s, 0);
        }
        is_pending |= s->state != JUDGED;
    }
    return is_pending;
}
