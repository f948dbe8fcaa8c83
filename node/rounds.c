#include "config.h"

#include "node/rounds.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "node/auditor.h"
#include "node/blob_pool.h"
#include "node/chain.h"
#include "node/execution.h"
#include "node/needs.h"
#include "node/round_job.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/gradient.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_MS 10
/* Verdicts wait this long for others to be attested together with. */
#define ATTEST_TOGETHER_MS 150
/* Once a round could be closed, those who are missing get as long again as
 * it took so far, and no less than this. */
#define GRACE_MIN_MS 300
/* Messages of a round that this node's tip has not opened yet. */
#define EARLY_MAX 8192

#define FETCH_AGAIN_MS 1000

enum submission_state {
    FETCHING, /* its payload */
    LOST,     /* the payload was not to be had: asked for again later */
    WAITING,  /* for what the audit needs */
    JUDGING,
    JUDGED,
};

struct submission {
    struct round *round;
    struct round_submission opened;
    Pot__Signed *message;
    enum submission_state state;
    uint64_t lost_ms;     /* LOST: since when */
    Pot__Verdict verdict; /* JUDGED */
};

struct attestation {
    struct round_attestation opened;
    Pot__Signed *message;
};

struct round {
    struct rounds *rounds;
    Pot__TaskRecord *task;
    struct hash name;
    struct model_shape shape;
    uint64_t opened_ms;      /* on the loop's clock */
    uint64_t closable_ms;    /* since when it could be closed; 0: cannot yet */
    struct map submissions;  /* hash -> struct submission */
    struct map miners;       /* key -> struct submission: the first one */
    struct map attestations; /* validator key -> struct attestation */
    bool is_dirty;           /* something came since the last tally */
    bool has_news;           /* verdicts not attested yet */
    uint64_t news_ms;
    bool is_full; /* every member of the roster is accounted for */
    bool is_gone; /* closed; waits for its last callback */
    struct round *next_gone;
    size_t callbacks;
};

struct early {
    struct early *next;
    Pot__Signed *message;
    struct hash hash;
    uint64_t peer_id;
    bool is_submission;
};

struct rounds {
    struct rounds_config config;
    struct map open; /* task -> struct round */
    struct round *gone;
    struct auditor *auditor;
    uint8_t secret[32]; /* of the audit lottery */
    uint32_t sequence;
    struct early *early;
    size_t early_count;
    uv_timer_t timer;
    bool timer_is_open;
    bool is_stopped;
    struct rounds_stats stats;
};

/* ---- rounds come and go */

static void submission_free(struct submission *s)
{
    round_submission_close(&s->opened);
    codec_free(s->message);
    free(s);
}

static void attestation_free(struct attestation *a)
{
    round_attestation_close(&a->opened);
    codec_free(a->message);
    free(a);
}

static void round_free(struct round *round)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        submission_free(slot->value);
    }
    cursor = 0;
    while ((slot = map_next(&round->attestations, &cursor)) != NULL) {
        attestation_free(slot->value);
    }
    map_fini(&round->submissions);
    map_fini(&round->miners);
    map_fini(&round->attestations);
    codec_free(round->task);
    free(round);
}

static void round_release(struct round *round)
{
    struct round **at = &round->rounds->gone;
    if (round->callbacks > 0) {
        return;
    }
    while (*at != round) {
        at = &(*at)->next_gone;
    }
    *at = round->next_gone;
    round_free(round);
}

/* Payloads that no block counted are of no use any more. */
static void drop_payloads(struct round *round)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        const struct submission *s = slot->value;
        blob_pool_del(round->rounds->config.env->pool, &s->opened.payload);
    }
}

static void round_close(struct rounds *rounds, struct round *round)
{
    (void)map_remove(&rounds->open, round->name.b);
    drop_payloads(round);
    round->is_gone = true;
    round->next_gone = rounds->gone;
    rounds->gone = round;
    round_release(round);
}

static void round_open(struct rounds *rounds, const struct hash *name,
                       Pot__TaskRecord *task)
{
    struct round *round = pot_calloc(1, sizeof(*round));
    round->rounds = rounds;
    round->task = task;
    round->name = *name;
    round->opened_ms = uv_now(rounds->config.loop);
    round->is_dirty = true;
    enum pot_err err = model_shape_from_spec(&round->shape, task->spec->model);
    POT_ASSERT(err == POT_OK); /* the ledger took the task */
    (void)map_put(&rounds->open, name->b, round);
    if (rounds->config.key != NULL) {
        needs_task_data(rounds->config.needs, task->spec, NULL, NULL);
    }
}

static struct state tip_state(struct execution_tip_context *context,
                              const struct rounds *rounds)
{
    context->store = rounds->config.env->store;
    return execution_tip_state(context);
}

/* Closes the round if the tip has closed it. */
static void close_if_old(struct rounds *rounds, struct round *round,
                         const Pot__TaskRecord *task)
{
    if (task != NULL && task->status == POT__TASK_STATUS__TASK_RUNNING &&
        task->round == round->task->round &&
        task->opened_height == round->task->opened_height) {
        round->is_dirty = true; /* whether it is overdue may have changed */
        return;
    }
    round_close(rounds, round);
}

static void close_old(struct rounds *rounds, const struct state *state)
{
    size_t count = rounds->open.count;
    size_t cursor = 0;
    const struct map_slot *slot;
    struct round **all = pot_calloc(count, sizeof(*all));
    for (size_t i = 0; (slot = map_next(&rounds->open, &cursor)) != NULL; i++) {
        all[i] = slot->value;
    }
    for (size_t i = 0; i < count; i++) {
        Pot__TaskRecord *task = ledger_task(state, &all[i]->name);
        close_if_old(rounds, all[i], task);
        codec_free(task);
    }
    free(all);
}

static void open_new(struct rounds *rounds, const struct state *state)
{
    Pot__HashList *running = ledger_running(state);
    for (size_t i = 0; i < running->n_hashes; i++) {
        struct hash name;
        if (!codec_hash(&name, running->hashes[i]) ||
            map_get(&rounds->open, name.b) != NULL) {
            continue;
        }
        Pot__TaskRecord *task = ledger_task(state, &name);
        POT_ASSERT(task != NULL);
        round_open(rounds, &name, task);
    }
    codec_free(running);
}

static void replay_early(struct rounds *rounds);

void rounds_refresh(struct rounds *rounds)
{
    struct execution_tip_context context;
    const struct state state = tip_state(&context, rounds);
    close_old(rounds, &state);
    open_new(rounds, &state);
    rounds->stats.open = rounds->open.count;
    replay_early(rounds);
}

/* ---- judging */

static void mark_judged(struct submission *s, Pot__Verdict verdict,
                        const char *why)
{
    struct round *round = s->round;
    char miner[ADDRESS_TEXT_SIZE];
    s->state = JUDGED;
    s->verdict = verdict;
    round->is_dirty = true;
    if (!round->has_news) {
        round->has_news = true;
        round->news_ms = uv_now(round->rounds->config.loop);
    }
    if (verdict == POT__VERDICT__VERDICT_REFUSE) {
        round->rounds->stats.refused++;
        LOG(LOG_WARN, "node", "submission refused",
            log_u64("round", round->task->round),
            log_text("miner", address_format(&s->opened.miner, miner)),
            log_text("why", why));
    } else {
        round->rounds->stats.accepted++;
    }
}

static void on_audited(void *context, enum pot_err err,
                       const struct audit_result *result)
{
    struct submission *s = context;
    struct round *round = s->round;
    round->callbacks--;
    if (round->is_gone) {
        round_release(round);
        return;
    }
    if (err != POT_OK) { /* could not compute it: no word on it */
        s->state = WAITING;
        LOG(LOG_WARN, "node", "audit failed", log_text("why", err_text(err)));
        return;
    }
    round->rounds->stats.audited++;
    switch (result->verdict) {
    case AUDIT_EQUAL:
    case AUDIT_WITHIN:
        mark_judged(s, POT__VERDICT__VERDICT_ACCEPT_AUDITED, "");
        break;
    case AUDIT_UNDECIDED:
        round->rounds->stats.undecided++;
        mark_judged(s, POT__VERDICT__VERDICT_ACCEPT, "");
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
    struct round *round = s->round;
    struct rounds *rounds = round->rounds;
    struct auditor_case audit = {
        .core = s->opened.body->blas_core,
        .payload = payload->data,
        .payload_size = payload->size,
    };
    s->state = WAITING;
    if (round_job_make(&audit.job, rounds->config.env, round->task,
                       &s->opened.miner) != POT_OK) {
        return;
    }
    if (auditor_judge(rounds->auditor, &audit, on_audited, s) == POT_OK) {
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
    struct round *round = s->round;
    struct rounds *rounds = round->rounds;
    struct gradient gradient;
    struct buf payload;
    buf_init(&payload, s->opened.body->payload_bytes);
    bool is_held =
        blob_pool_get(rounds->config.env->pool, &s->opened.payload, &payload);
    if (!is_held) {
        s->state = LOST; /* the pool made room for others */
        s->lost_ms = uv_now(rounds->config.loop);
    } else if (payload.size != s->opened.body->payload_bytes ||
               gradient_open(&gradient, &round->shape, payload.data,
                             payload.size) != POT_OK ||
               gradient.width != width_of(round->task->spec) ||
               gradient.addends != 1) {
        mark_judged(s, POT__VERDICT__VERDICT_REFUSE,
                    "its payload is no gradient of this model");
    } else if (audit_is_drawn(rounds->secret, &s->opened.hash,
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
    struct round *round = s->round;
    (void)hash;
    round->callbacks--;
    if (round->is_gone) {
        round_release(round);
    } else if (is_held) {
        judge(s);
    } else {
        s->state = LOST;
        s->lost_ms = uv_now(round->rounds->config.loop);
    }
}

static void fetch(struct submission *s, uint64_t peer_id)
{
    s->state = FETCHING;
    s->round->callbacks++;
    needs_blob(s->round->rounds->config.needs, &s->opened.payload,
               s->opened.body->payload_bytes, peer_id, on_payload, s);
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

static bool fits_round(const struct round *round,
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
static bool take_submission(struct round *round,
                            struct round_submission *opened,
                            const Pot__Signed *message, uint64_t peer_id)
{
    struct rounds *rounds = round->rounds;
    if (!fits_round(round, opened) ||
        map_get(&round->miners, opened->miner.b) != NULL) {
        round_submission_close(opened);
        return false;
    }
    struct submission *s = pot_calloc(1, sizeof(*s));
    s->round = round;
    s->opened = *opened;
    s->message = signed_copy(message);
    (void)map_put(&round->submissions, s->opened.hash.b, s);
    (void)map_put(&round->miners, s->opened.miner.b, s);
    rounds->stats.submissions++;
    if (rounds->config.key != NULL) {
        fetch(s, peer_id);
    }
    return true;
}

static void keep_early(struct rounds *rounds, const Pot__Signed *message,
                       const struct hash *hash, uint64_t peer_id,
                       bool is_submission)
{
    if (rounds->early_count >= EARLY_MAX) {
        return;
    }
    struct early *early = pot_calloc(1, sizeof(*early));
    early->message = signed_copy(message);
    early->hash = *hash;
    early->peer_id = peer_id;
    early->is_submission = is_submission;
    early->next = rounds->early;
    rounds->early = early;
    rounds->early_count++;
}

enum place { PLACE_OPEN, PLACE_EARLY, PLACE_NONE };

/* Where a message about a round belongs: the open one, one that a block on
 * its way will open, or nowhere. */
static enum place place_of(struct rounds *rounds, const struct hash *task,
                           uint32_t number, struct round **out)
{
    *out = map_get(&rounds->open, task->b);
    if (*out == NULL) {
        return PLACE_EARLY;
    }
    uint32_t open = (*out)->task->round;
    return number == open       ? PLACE_OPEN
           : number == open + 1 ? PLACE_EARLY
                                : PLACE_NONE;
}

bool rounds_submission(struct rounds *rounds, const Pot__Signed *message,
                       const struct hash *hash, uint64_t peer_id)
{
    struct round_submission opened;
    struct round *round;
    if (rounds->is_stopped ||
        round_submission_open(&opened, message) != POT_OK) {
        return false;
    }
    switch (place_of(rounds, &opened.task, opened.body->round, &round)) {
    case PLACE_OPEN:
        if (codec_bytes_equal(round->task->parameters_hash, opened.parameters.b,
                              HASH_SIZE)) {
            return take_submission(round, &opened, message, peer_id);
        }
        break;
    case PLACE_EARLY:
        keep_early(rounds, message, hash, peer_id, true);
        round_submission_close(&opened);
        return true;
    case PLACE_NONE:
        break;
    }
    round_submission_close(&opened);
    return false;
}

/* ---- attesting */

static bool is_validator(const struct rounds *rounds,
                         const struct public_key *key)
{
    struct execution_tip_context context;
    const struct state state = tip_state(&context, rounds);
    struct public_key keys[VALIDATORS_MAX];
    size_t count = ledger_validators(&state, keys);
    for (size_t i = 0; i < count; i++) {
        if (public_key_equal(&keys[i], key)) {
            return true;
        }
    }
    return false;
}

static bool take_attestation(struct round *round,
                             struct round_attestation *opened,
                             const Pot__Signed *message)
{
    struct attestation *old =
        map_get(&round->attestations, opened->validator.b);
    bool is_newer =
        old == NULL || old->opened.body->sequence < opened->body->sequence;
    if (!is_newer || !is_validator(round->rounds, &opened->validator)) {
        round_attestation_close(opened);
        return false;
    }
    struct attestation *a = pot_calloc(1, sizeof(*a));
    a->opened = *opened;
    a->message = signed_copy(message);
    (void)map_put(&round->attestations, a->opened.validator.b, a);
    if (old != NULL) {
        attestation_free(old);
    }
    round->is_dirty = true;
    round->rounds->stats.attestations++;
    return true;
}

bool rounds_attestation(struct rounds *rounds, const Pot__Signed *message,
                        const struct hash *hash)
{
    struct round_attestation opened;
    struct round *round;
    if (rounds->is_stopped ||
        round_attestation_open(&opened, message) != POT_OK) {
        return false;
    }
    switch (place_of(rounds, &opened.task, opened.body->round, &round)) {
    case PLACE_OPEN:
        return take_attestation(round, &opened, message);
    case PLACE_EARLY:
        keep_early(rounds, message, hash, 0, false);
        round_attestation_close(&opened);
        return true;
    case PLACE_NONE:
        break;
    }
    round_attestation_close(&opened);
    return false;
}

/* What came too early is looked at again, once; what is still too early is
 * kept again. */
static void replay_early(struct rounds *rounds)
{
    struct early *early = rounds->early;
    rounds->early = NULL;
    rounds->early_count = 0;
    while (early != NULL) {
        struct early *next = early->next;
        if (early->is_submission) {
            (void)rounds_submission(rounds, early->message, &early->hash,
                                    early->peer_id);
        } else {
            (void)rounds_attestation(rounds, early->message, &early->hash);
        }
        codec_free(early->message);
        free(early);
        early = next;
    }
}

/* Later attestations have higher numbers, also across a restart: the number
 * follows the clock. */
static uint32_t next_sequence(struct rounds *rounds)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint32_t from_clock = (uint32_t)((uint64_t)now.tv_sec * 10 +
                                     (uint64_t)now.tv_nsec / 100000000);
    rounds->sequence =
        rounds->sequence + 1 > from_clock ? rounds->sequence + 1 : from_clock;
    return rounds->sequence;
}

static int compare_judgements(const void *a, const void *b)
{
    const Pot__Judgement *const *x = a;
    const Pot__Judgement *const *y = b;
    return memcmp((*x)->submission.data, (*y)->submission.data, HASH_SIZE);
}

static void fill_judgements(struct round *round, Pot__AttestationBody *body)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    body->judgements =
        pot_calloc(round->submissions.count, sizeof(*body->judgements));
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        const struct submission *s = slot->value;
        if (s->state == JUDGED) {
            Pot__Judgement *j = pot_alloc(sizeof(*j));
            pot__judgement__init(j);
            j->submission = codec_copy_bytes(s->opened.hash.b, HASH_SIZE);
            j->verdict = s->verdict;
            body->judgements[body->n_judgements++] = j;
        }
    }
    if (body->n_judgements > 0) {
        qsort(body->judgements, body->n_judgements, sizeof(*body->judgements),
              compare_judgements);
    }
}

static void attest(struct round *round)
{
    struct rounds *rounds = round->rounds;
    struct round_attestation opened;
    size_t size;
    Pot__AttestationBody *body = pot_alloc(sizeof(*body));
    pot__attestation_body__init(body);
    body->task = codec_copy_bytes(round->name.b, HASH_SIZE);
    body->round = round->task->round;
    body->sequence = next_sequence(rounds);
    fill_judgements(round, body);
    Pot__Signed *message =
        signed_make(SIGNED_ATTESTATION, &rounds->config.env->chain,
                    rounds->config.key, body);
    uint8_t *data = codec_encode(&size, message);
    gossip_publish(rounds->config.gossip, MESSAGE_ATTESTATION, data, size);
    enum pot_err err = round_attestation_open(&opened, message);
    POT_ASSERT(err == POT_OK);
    (void)take_attestation(round, &opened, message);
    round->has_news = false;
    free(data);
    codec_free(message);
    codec_free(body);
}

/* ---- closing */

struct candidate {
    const Pot__Signed **submissions;
    const Pot__Signed **attestations;
    struct round_candidate what;
};

static void candidate_init(struct candidate *c, const struct round *round)
{
    size_t cursor = 0;
    size_t count = 0;
    const struct map_slot *slot;
    c->submissions =
        pot_calloc(round->submissions.count, sizeof(*c->submissions));
    c->attestations =
        pot_calloc(round->attestations.count, sizeof(*c->attestations));
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        c->submissions[count++] = ((struct submission *)slot->value)->message;
    }
    c->what.submission_count = count;
    cursor = 0;
    count = 0;
    while ((slot = map_next(&round->attestations, &cursor)) != NULL) {
        c->attestations[count++] = ((struct attestation *)slot->value)->message;
    }
    c->what.attestation_count = count;
    c->what.task = round->name;
    c->what.submissions = c->submissions;
    c->what.attestations = c->attestations;
}

static void candidate_fini(struct candidate *c)
{
    free(c->submissions);
    free(c->attestations);
}

static void tally(struct round *round)
{
    struct rounds *rounds = round->rounds;
    struct execution_tip_context context;
    const struct ledger_env env = {
        .chain = rounds->config.env->chain,
        .state = tip_state(&context, rounds),
    };
    uint64_t next_height = chain_tip(rounds->config.chain)->height + 1;
    struct round_tally found = {0};
    struct candidate candidate;
    candidate_init(&candidate, round);
    enum round_verdict verdict =
        ledger_tally_round(&found, &env, next_height, &candidate.what);
    candidate_fini(&candidate);
    round->is_dirty = false;
    round->is_full = found.counted + found.refused >= found.roster;
    if (verdict != ROUND_ACCEPTED || !found.is_closable) {
        round->closable_ms = 0;
    } else if (round->closable_ms == 0) {
        round->closable_ms = uv_now(rounds->config.loop);
    }
}

static bool should_close(struct round *round)
{
    uint64_t now = uv_now(round->rounds->config.loop);
    if (round->is_dirty) {
        tally(round);
    }
    if (round->closable_ms == 0) {
        return false;
    }
    uint64_t taken = round->closable_ms - round->opened_ms;
    uint64_t grace = taken > GRACE_MIN_MS ? taken : GRACE_MIN_MS;
    return round->is_full || now >= round->closable_ms + grace ||
           now >= round->opened_ms + round->task->spec->round_timeout_ms;
}

bool rounds_has_work(struct rounds *rounds)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
        if (should_close(slot->value)) {
            return true;
        }
    }
    return false;
}

static Pot__Signed **copy_list(const Pot__Signed *const *list, size_t count)
{
    Pot__Signed **copy = pot_calloc(count, sizeof(*copy));
    for (size_t i = 0; i < count; i++) {
        copy[i] = signed_copy(list[i]);
    }
    return copy;
}

static int compare_rounds(const void *a, const void *b)
{
    const struct execution_round *x = a;
    const struct execution_round *y = b;
    return hash_compare(&x->task, &y->task);
}

void rounds_collect(struct rounds *rounds, struct execution_request *request)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    request->rounds = pot_calloc(rounds->open.count, sizeof(*request->rounds));
    while ((slot = map_next(&rounds->open, &cursor)) != NULL &&
           request->round_count < ROUND_UPDATES_MAX) {
        struct candidate c;
        if (!should_close(slot->value)) {
            continue;
        }
        candidate_init(&c, slot->value);
        request->rounds[request->round_count++] = (struct execution_round){
            .task = c.what.task,
            .submissions =
                copy_list(c.what.submissions, c.what.submission_count),
            .submission_count = c.what.submission_count,
            .attestations =
                copy_list(c.what.attestations, c.what.attestation_count),
            .attestation_count = c.what.attestation_count,
        };
        candidate_fini(&c);
    }
    if (request->round_count > 0) {
        qsort(request->rounds, request->round_count, sizeof(*request->rounds),
              compare_rounds);
    }
}

/* ---- as time passes */

static void tick_round(struct round *round, uint64_t now)
{
    bool is_pending = false;
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        struct submission *s = slot->value;
        if (s->state == WAITING) {
            judge(s);
        } else if (s->state == LOST && now >= s->lost_ms + FETCH_AGAIN_MS) {
            fetch(s, 0);
        }
        is_pending |= s->state != JUDGED;
    }
    if (round->has_news &&
        (!is_pending || now >= round->news_ms + ATTEST_TOGETHER_MS)) {
        attest(round);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct rounds *rounds = timer->data;
    size_t cursor = 0;
    const struct map_slot *slot;
    if (rounds->config.key != NULL) {
        uint64_t now = uv_now(rounds->config.loop);
        while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
            tick_round(slot->value, now);
        }
        if (rounds_has_work(rounds)) {
            rounds->config.on_work(rounds->config.context);
        }
    }
}

struct rounds *rounds_new(const struct rounds_config *config)
{
    struct rounds *rounds = pot_calloc(1, sizeof(*rounds));
    rounds->config = *config;
    randombytes_buf(rounds->secret, sizeof(rounds->secret));
    rounds->auditor = auditor_new(config->loop, config->worker_program);
    (void)uv_timer_init(config->loop, &rounds->timer);
    rounds->timer.data = rounds;
    rounds->timer_is_open = true;
    (void)uv_timer_start(&rounds->timer, on_tick, TICK_MS, TICK_MS);
    return rounds;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct rounds *rounds = handle->data;
    rounds->timer_is_open = false;
}

void rounds_stop(struct rounds *rounds)
{
    rounds->is_stopped = true;
    auditor_free(rounds->auditor);
    rounds->auditor = NULL;
    uv_close((uv_handle_t *)&rounds->timer, on_timer_closed);
}

void rounds_free(struct rounds *rounds)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    if (rounds == NULL) {
        return;
    }
    POT_ASSERT(!rounds->timer_is_open);
    while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
        round_free(slot->value);
    }
    map_fini(&rounds->open);
    while (rounds->gone != NULL) {
        struct round *next = rounds->gone->next_gone;
        round_free(rounds->gone);
        rounds->gone = next;
    }
    while (rounds->early != NULL) {
        struct early *next = rounds->early->next;
        codec_free(rounds->early->message);
        free(rounds->early);
        rounds->early = next;
    }
    free(rounds);
}

void rounds_stats(const struct rounds *rounds, struct rounds_stats *out)
{
    *out = rounds->stats;
}
