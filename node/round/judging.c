/* A submission's way, with the function on each edge; of one in a group that is
 * waited for it begins with
 *
 *   judging_take -> GROUPED --judging_vouched--> audit, or JUDGED
 *                      '------judging_lone-----> FETCHING
 *
 * and is for all others
 *
 *   judging_take -> FETCHING --on_payload--> judge ------------.
 *                   |     ^                    |               v
 *    on_payload,    |     | judging_tick       | drawn       JUDGED
 *    judge,         v     |                    v               ^
 *    on_audited    LOST --'                  audit             | on_audited
 *                                            |   |             |
 *                               full queue   |   '-> JUDGING --'
 *                                            v          ^
 *                                         WAITING ------'
 *                                               judging_tick
 */
#include "config.h"

#include "node/round/judging.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "ledger/roster.h"
#include "ledger/submission.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/audits.h"
#include "node/round/groups.h"
#include "node/round/own_links.h"
#include "node/round/rounds_shared.h"
#include "proto/codec.h"
#include "proto/draw.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>

#define FETCH_AGAIN_MS 1000
#define AUDIT_AGAIN_MS 200

enum submission_state {
    GROUPED,  /* others open it (node/round/groups.h) */
    FETCHING, /* its payload */
    LOST,     /* the payload was not to be had: asked for again later */
    WAITING,  /* for a place among the audits */
    JUDGING,
    JUDGED,
};

struct submission {
    struct judging *judging;
    struct candidate_submission held;
    uint64_t peer_id; /* who brought it, and may be alone to have its payload */
    enum submission_state state;
    uint64_t retry_ms;    /* LOST, WAITING: not before */
    bool is_open;         /* its payload was here, and is a gradient */
    bool is_vouched;      /* its payload was not here, and needs not be */
    bool is_lacking;      /* vouched for, and fetched all the same */
    uint64_t lacking_ms;  /* when it is asked for again; 0: it is fetched now */
    Pot__Verdict verdict; /* JUDGED; none: left undecided */
};

struct judging {
    struct rounds_shared *shared;
    const Pot__TaskRecord *task;
    const struct model_shape *shape;
    struct groups *groups; /* NULL: there are none */
    bool has_link;
    struct hash link; /* this validator's of the round */
    void (*on_verdict)(void *context);
    void *context;
    struct map submissions; /* hash -> struct submission */
    struct map names;       /* the same, as groups name them */
    struct map miners;      /* key -> struct submission: the first one */
};

static const struct round_submission *opened_of(const struct submission *s)
{
    return &s->held.opened;
}

static uint64_t in_ms(const struct submission *s, uint64_t delay_ms)
{
    return uv_now(s->judging->shared->loop) + delay_ms;
}

static void lose(struct submission *s)
{
    s->state = LOST;
    s->retry_ms = in_ms(s, FETCH_AGAIN_MS);
}

static void mark_judged(struct submission *s, Pot__Verdict verdict)
{
    s->state = JUDGED;
    s->verdict = verdict;
    s->judging->on_verdict(s->judging->context);
}

static void mark_accepted(struct submission *s, Pot__Verdict verdict)
{
    s->judging->shared->stats.accepted++;
    mark_judged(s, verdict);
}

static void mark_refused(struct submission *s, const char *why)
{
    char miner[ADDRESS_TEXT_SIZE];
    s->judging->shared->stats.refused++;
    LOG(LOG_WARN, "node", "submission refused",
        log_u64("round", s->judging->task->round),
        log_text("miner", address_format(&opened_of(s)->miner, miner)),
        log_text("why", why));
    mark_judged(s, POT__VERDICT__VERDICT_REFUSE);
}

static bool read_payload(const struct submission *s, struct buf *out)
{
    buf_init(out, opened_of(s)->body->payload_bytes);
    return holdings_get_blob(s->judging->shared->holdings,
                             &opened_of(s)->payload, out);
}

/* ---- the audit */

static void on_audited(void *context, enum pot_err err,
                       const struct audit_result *result)
{
    struct submission *s = context;
    if (err == POT_ENOENT) {
        lose(s);
        return;
    }
    if (err != POT_OK) {
        s->state = JUDGED; /* and no word on it */
        return;
    }
    switch (result->verdict) {
    case AUDIT_EQUAL:
    case AUDIT_WITHIN:
        mark_accepted(s, POT__VERDICT__VERDICT_ACCEPT_AUDITED);
        break;
    case AUDIT_UNDECIDED:
        s->judging->shared->stats.undecided++;
        s->state = JUDGED; /* nor here */
        break;
    case AUDIT_PLANTED: /* nobody has told a secret yet */
    case AUDIT_REFUSED:
        mark_refused(s, "its gradient is not the one of its rows");
        break;
    }
}

/* False: the key did not sign; later, perhaps. */
static bool find_link(struct judging *judging)
{
    struct hash task;
    if (!judging->has_link) {
        bool is_hash = codec_hash(&task, judging->task->task);
        POT_ASSERT(is_hash);
        judging->has_link = own_links_get(judging->shared->links, &task,
                                          judging->task->spec->rounds,
                                          judging->task->round, &judging->link);
    }
    return judging->has_link;
}

/* In: the link was found. */
static bool is_drawn(const struct submission *s)
{
    const struct round_submission *opened = opened_of(s);
    return draw_names(&s->judging->link, &opened->parameters, &opened->miner,
                      s->judging->task->draw_rate_ppm);
}

/* True: on_audited will tell. */
static bool ask(struct submission *s)
{
    const struct round_submission *opened = opened_of(s);
    const struct audits_case asked = {
        .name = opened->hash,
        .task = opened->task,
        .round = opened->body->round,
        .miner = opened->miner,
        .payload = opened->payload,
        .payload_bytes = opened->body->payload_bytes,
        .loss = opened->body->loss,
        .core = opened->body->blas_core,
        .submission = s->held.message,
    };
    return audits_ask(s->judging->shared->audits, &asked, on_audited, s) ==
           POT_OK;
}

/* Of a drawn submission, which waits when the queue is full. */
static void audit(struct submission *s)
{
    s->state = ask(s) ? JUDGING : WAITING;
    s->retry_ms = in_ms(s, AUDIT_AGAIN_MS);
}

/* ---- form, and the lottery */

static void draw(struct submission *s)
{
    if (is_drawn(s)) {
        audit(s);
    } else {
        mark_accepted(s, POT__VERDICT__VERDICT_ACCEPT);
    }
}

static void mark_malformed(struct submission *s, const char *why)
{
    mark_refused(s, why);
    if (s->judging->groups != NULL) {
        groups_malformed(s->judging->groups, &opened_of(s)->name);
    }
}

static void mark_open(struct submission *s)
{
    s->is_open = true;
    draw(s);
    if (s->judging->groups != NULL) {
        groups_opened(s->judging->groups, &opened_of(s)->name);
    }
}

static void judge(struct submission *s)
{
    struct judging *judging = s->judging;
    const struct round_submission *opened = opened_of(s);
    struct gradient gradient;
    struct buf payload;
    int8_t *room = pot_alloc(judging->shape->parameter_count);
    if (!read_payload(s, &payload) || !find_link(judging)) {
        lose(s); /* the pool made room for others, or the key is away */
    } else if (ledger_open_payload(&gradient, room, judging->task,
                                   judging->shape, opened, payload.data,
                                   payload.size) != POT_OK) {
        mark_malformed(s, "its payload is no gradient of this model");
    } else {
        mark_open(s);
    }
    free(room);
    buf_fini(&payload);
}

/* ---- the payload */

static void on_payload(void *context, bool is_held)
{
    struct submission *s = context;
    const struct needs *needs = s->judging->shared->needs;
    if (!is_held && needs_is_strange(needs, &opened_of(s)->payload)) {
        mark_refused(s, "its payload's hash is of something else");
    } else if (!is_held) {
        lose(s);
    } else if (holdings_has_another(s->judging->shared->holdings,
                                    &opened_of(s)->payload,
                                    opened_of(s)->body->payload_bytes)) {
        mark_malformed(s, "its payload has another size");
    } else {
        judge(s);
    }
}

static void fetch(struct submission *s)
{
    s->state = FETCHING;
    needs_blob(s->judging->shared->needs, &opened_of(s)->payload,
               opened_of(s)->body->payload_bytes, s->peer_id, on_payload, s);
}

/* ---- in a group */

/* An audit that compares gradients asks for the payload all the same. */
static bool may_wait(const struct submission *s)
{
    struct judging *judging = s->judging;
    bool is_exact =
        judging->task->spec->numerics == POT__NUMERICS__NUMERICS_EXACT;
    return judging->groups != NULL &&
           (is_exact || (find_link(judging) && !is_drawn(s))) &&
           groups_waits(judging->groups, &opened_of(s)->name);
}

static void begin(struct submission *s)
{
    if (may_wait(s)) {
        s->state = GROUPED;
    } else {
        fetch(s);
    }
}

/* Its payload is fetched behind its verdict, which stays. */
static void on_lacking(void *context, bool is_held)
{
    struct submission *s = context;
    s->is_lacking = !is_held;
    s->lacking_ms = is_held ? 0 : in_ms(s, FETCH_AGAIN_MS);
    s->judging->on_verdict(s->judging->context);
}

static void fetch_lacking(struct submission *s)
{
    s->is_lacking = true;
    s->lacking_ms = 0;
    needs_blob(s->judging->shared->needs, &opened_of(s)->payload,
               opened_of(s)->body->payload_bytes, s->peer_id, on_lacking, s);
}

void judging_vouched(void *judging, const struct hash *member)
{
    struct judging *j = judging;
    struct submission *s = map_get(&j->names, member->b);
    if (s == NULL || s->state != GROUPED) {
        return;
    }
    s->is_vouched = true;
    if (find_link(j)) {
        draw(s);
    } else {
        lose(s); /* the key is away */
    }
}

void judging_lone(void *judging, const struct hash *member)
{
    struct judging *j = judging;
    struct submission *s = map_get(&j->names, member->b);
    if (s != NULL && s->state == GROUPED) {
        fetch(s);
    } else if (s != NULL && s->is_vouched && !s->is_lacking) {
        s->is_vouched = false;
        fetch_lacking(s);
    }
}

const struct round_submission *judging_find(void *judging,
                                            const struct hash *member,
                                            bool *is_open)
{
    const struct judging *j = judging;
    const struct submission *s = map_get(&j->names, member->b);
    *is_open = s != NULL && s->is_open;
    return s != NULL ? opened_of(s) : NULL;
}

bool judging_is_lacking(const struct judging *judging)
{
    bool is_lacking = false;
    size_t cursor = 0;
    const struct map_slot *slot;
    while (!is_lacking &&
           (slot = map_next(&judging->submissions, &cursor)) != NULL) {
        is_lacking = ((const struct submission *)slot->value)->is_lacking;
    }
    return is_lacking;
}

/* ---- all of them */

void judging_set_groups(struct judging *judging, struct groups *groups)
{
    judging->groups = groups;
}

struct judging *judging_new(struct rounds_shared *shared,
                            const Pot__TaskRecord *task,
                            const struct model_shape *shape,
                            void (*on_verdict)(void *context), void *context)
{
    struct judging *judging = pot_calloc(1, sizeof(*judging));
    judging->shared = shared;
    judging->task = task;
    judging->shape = shape;
    judging->on_verdict = on_verdict;
    judging->context = context;
    return judging;
}

static void submission_free(struct submission *s)
{
    struct rounds_shared *shared = s->judging->shared;
    if (s->state == FETCHING || s->is_lacking) {
        needs_forget(shared->needs, s);
    }
    if (s->state == JUDGING) {
        audits_forget(shared->audits, s);
    }
    blob_pool_release(shared->holdings->pool, &opened_of(s)->payload);
    round_submission_fini(&s->held.opened);
    codec_free(s->held.message);
    free(s);
}

void judging_free(struct judging *judging)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&judging->submissions, &cursor)) != NULL) {
        submission_free(slot->value);
    }
    map_fini(&judging->submissions);
    map_fini(&judging->names);
    map_fini(&judging->miners);
    free(judging);
}

/* The exact lane needs no payload: one that never came is audited too. */
static void outlive(struct submission *s)
{
    struct rounds_shared *shared = s->judging->shared;
    if (s->state == FETCHING) {
        needs_forget(shared->needs, s);
    }
    if (s->state == JUDGING || ask(s)) {
        audits_outlive(shared->audits, s);
    }
    s->state = JUDGED;
}

static void outlive_counted(struct judging *judging)
{
    const struct state state = stored_state(judging->shared->holdings->store);
    struct hash task;
    size_t cursor = 0;
    const struct map_slot *slot;
    bool is_hash = codec_hash(&task, judging->task->task);
    POT_ASSERT(is_hash);
    Pot__ClosedRecord *closed =
        ledger_closed(&state, &task, judging->task->round);
    while (closed != NULL &&
           (slot = map_next(&judging->submissions, &cursor)) != NULL) {
        struct submission *s = slot->value;
        if (s->state != JUDGED && judging->has_link && is_drawn(s) &&
            ledger_is_counted(closed, &opened_of(s)->hash)) {
            outlive(s);
        }
    }
    codec_free(closed);
}

void judging_close(struct judging *judging)
{
    if (judging->shared->accuser != NULL) {
        outlive_counted(judging);
    }
}

bool judging_take(struct judging *judging, struct round_submission *opened,
                  const Pot__Signed *message, uint64_t peer_id)
{
    struct submission *s = map_get(&judging->miners, opened->miner.b);
    if (s != NULL) {
        bool is_same = hash_equal(&opened_of(s)->hash, &opened->hash);
        round_submission_fini(opened);
        return is_same;
    }
    s = pot_calloc(1, sizeof(*s));
    s->judging = judging;
    s->peer_id = peer_id;
    s->held.opened = *opened;
    s->held.message = signed_copy(message);
    (void)map_put(&judging->submissions, s->held.opened.hash.b, s);
    (void)map_put(&judging->names, s->held.opened.name.b, s);
    (void)map_put(&judging->miners, s->held.opened.miner.b, s);
    blob_pool_claim(judging->shared->holdings->pool, &s->held.opened.payload);
    judging->shared->stats.submissions++;
    if (judging->shared->key != NULL) {
        begin(s);
    }
    return true;
}

bool judging_tick(struct judging *judging, uint64_t now_ms)
{
    bool is_pending = false;
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&judging->submissions, &cursor)) != NULL) {
        struct submission *s = slot->value;
        bool is_due = now_ms >= s->retry_ms;
        if (s->state == WAITING && is_due) {
            audit(s);
        } else if (s->state == LOST && is_due) {
            fetch(s);
        } else if (s->lacking_ms != 0 && now_ms >= s->lacking_ms) {
            fetch_lacking(s);
        }
        is_pending |= s->state != JUDGED;
    }
    return is_pending;
}

/* Its payload is, or a sum in which it is. */
static bool is_here(const struct submission *s)
{
    return s->state != FETCHING && s->state != LOST && s->state != GROUPED &&
           !s->is_lacking;
}

void judging_list(const struct judging *judging,
                  struct round_candidate *candidate)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    candidate->submissions =
        pot_calloc(judging->submissions.count, sizeof(*candidate->submissions));
    while ((slot = map_next(&judging->submissions, &cursor)) != NULL) {
        const struct submission *s = slot->value;
        if (is_here(s)) {
            candidate->submissions[candidate->submission_count++] = s->held;
        }
    }
}

static Pot__Judgement *make_judgement(const struct submission *s)
{
    Pot__Judgement *judgement = pot_alloc(sizeof(*judgement));
    pot__judgement__init(judgement);
    judgement->submission = codec_copy_bytes(opened_of(s)->hash.b, HASH_SIZE);
    judgement->verdict = s->verdict;
    return judgement;
}

static int compare_judgements(const void *a, const void *b)
{
    const Pot__Judgement *const *x = a;
    const Pot__Judgement *const *y = b;
    return memcmp((*x)->submission.data, (*y)->submission.data, HASH_SIZE);
}

static bool has_word(const struct submission *s)
{
    return s->state == JUDGED && s->verdict != POT__VERDICT__VERDICT_NONE;
}

bool judging_verdicts(struct judging *judging, Pot__AttestationBody *body)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    if (!find_link(judging)) {
        return false;
    }
    body->draw = codec_copy_bytes(judging->link.b, HASH_SIZE);
    body->judgements =
        pot_calloc(judging->submissions.count, sizeof(*body->judgements));
    while ((slot = map_next(&judging->submissions, &cursor)) != NULL) {
        const struct submission *s = slot->value;
        if (has_word(s)) {
            body->judgements[body->n_judgements++] = make_judgement(s);
        }
    }
    if (body->n_judgements > 0) {
        qsort(body->judgements, body->n_judgements, sizeof(*body->judgements),
              compare_judgements);
    }
    return true;
}

size_t judging_covers(const struct judging *judging,
                      uint8_t out[static ROUND_COVERS_MAX])
{
    size_t cursor = 0;
    size_t size = 0;
    const struct map_slot *slot;
    struct roster roster = roster_of_round(judging->task);
    memset(out, 0, ROUND_COVERS_MAX);
    while ((slot = map_next(&judging->submissions, &cursor)) != NULL) {
        const struct submission *s = slot->value;
        size_t place;
        if (has_word(s) && roster_find(roster, &opened_of(s)->miner, &place)) {
            out[place / 8] |= (uint8_t)(1 << place % 8);
            size = place / 8 + 1 > size ? place / 8 + 1 : size;
        }
    }
    return size;
}
