/* An audit's way, with the function on each edge:
 *
 *   audits_ask --> waits --go_on--> load --on_loaded--> waits --start--.
 *                  ^   |                                               v
 *        try_again |   | go_on: too late                           computed
 *                  |   v                                               |
 *                  |  end <-----------------on_judged------------------+
 *                  '------------------------on_judged: failed----------'
 *
 * One round's input is kept while its audits go on: several of them need it
 * one after the other. */
#include "config.h"

#include "node/round/audits.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "node/block/needs.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/accuser.h"
#include "node/round/auditor.h"
#include "node/round/round_input.h"
#include "node/round/round_load.h"
#include "node/round/rounds_shared.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS  1000
#define TRIES_MAX 3
/* So many at once, while all of them together are no larger than this in
 * parameters and rows. */
#define AT_ONCE_MAX 8
#define SMALL       ((size_t)1 << 20)

enum rank { FORGOTTEN, OF_CLOSED, OF_OPEN, CHALLENGED };

struct audit {
    struct audit *next;
    struct audits *audits;
    struct audits_case asked; /* what it names: below */
    char core[ROUND_BLAS_CORE_MAX + 1];
    struct hash plant;
    Pot__Signed *submission;
    enum rank rank;
    uint64_t number;   /* the larger, the later it was asked for */
    uint64_t retry_ms; /* waits: not before */
    unsigned tries;    /* that failed */
    bool is_exact;     /* once it was started */
    size_t weight;     /* 0: waits */
    audits_done_fn *done;
    void *context;
};

struct audits {
    struct rounds_shared *shared;
    struct auditor *auditor;
    struct audit *all;
    size_t submissions; /* of all; the others are challenges' */
    size_t challenges;
    size_t started;
    size_t weight; /* of those that are started */
    uint64_t next_number;
    /* Of the round that is loaded or being loaded. */
    struct hash task;
    uint32_t round;
    struct round_load *load;   /* NULL: not being loaded */
    struct round_input *input; /* NULL: none */
};

struct audits *audits_new(struct rounds_shared *shared,
                          const char *worker_program)
{
    struct audits *audits = pot_calloc(1, sizeof(*audits));
    audits->shared = shared;
    audits->auditor = auditor_new(shared->loop, worker_program,
                                  shared->holdings, shared->needs);
    return audits;
}

/* How many there are of its kind. */
static size_t *count_of(struct audits *audits, const Pot__Signed *submission)
{
    return submission != NULL ? &audits->submissions : &audits->challenges;
}

static void audit_free(struct audit *audit)
{
    struct audits *audits = audit->audits;
    struct audit **at = &audits->all;
    POT_ASSERT(audit->weight == 0);
    while (*at != audit) {
        at = &(*at)->next;
    }
    *at = audit->next;
    --*count_of(audits, audit->submission);
    codec_free(audit->submission);
    free(audit);
}

void audits_free(struct audits *audits)
{
    if (audits == NULL) {
        return;
    }
    auditor_free(audits->auditor);
    round_load_forget(audits->load);
    round_input_unref(audits->input);
    while (audits->all != NULL) {
        audits->all->weight = 0;
        audit_free(audits->all);
    }
    free(audits);
}

static uint64_t now_ms(const struct audits *audits)
{
    return uv_now(audits->shared->loop);
}

/* ---- how one ends */

static void end(struct audit *audit, enum pot_err err,
                const struct audit_result *result)
{
    audits_done_fn *done = audit->done;
    void *context = audit->context;
    audit_free(audit);
    if (done != NULL) {
        done(context, err, result);
    }
}

/* Of a submission that nobody else might accuse. */
static void drop(struct audit *audit, enum pot_err err, const char *why)
{
    char miner[ADDRESS_TEXT_SIZE];
    if (audit->submission != NULL) {
        audit->audits->shared->stats.dropped++;
    }
    LOG(LOG_WARN, "node", "audit dropped", log_u64("round", audit->asked.round),
        log_text("miner", address_format(&audit->asked.miner, miner)),
        log_text("why", why));
    end(audit, err, NULL);
}

static void try_again(struct audit *audit, enum pot_err err)
{
    audit->retry_ms = now_ms(audit->audits) + AGAIN_MS;
    if (++audit->tries == TRIES_MAX) {
        drop(audit, err, "its gradient cannot be computed here");
    }
}

static void accuse(const struct audit *audit)
{
    struct accuser *accuser = audit->audits->shared->accuser;
    if (accuser != NULL && audit->submission != NULL) {
        accuser_note(accuser, audit->submission);
    }
}

static void on_judged(void *context, enum pot_err err,
                      const struct audit_result *result)
{
    struct audit *audit = context;
    struct audits *audits = audit->audits;
    audits->started--;
    audits->weight -= audit->weight;
    audit->weight = 0;
    if (audit->rank == FORGOTTEN) {
        audit_free(audit);
    } else if (err != POT_OK) {
        try_again(audit, err);
    } else {
        audits->shared->stats.audited += audit->submission != NULL ? 1 : 0;
        if (result->verdict == AUDIT_REFUSED && audit->is_exact) {
            accuse(audit);
        }
        end(audit, POT_OK, result);
    }
    audits->shared->on_news(audits->shared->context);
}

/* ---- how one begins */

static bool is_of_round(const struct audit *audit, const struct hash *task,
                        uint32_t round)
{
    return audit->asked.round == round && hash_equal(&audit->asked.task, task);
}

/* The blas lane alone has two kernels' elements to compare. */
static bool read_payload(struct buf *out, const struct audit *audit)
{
    const struct audits *audits = audit->audits;
    buf_init(out, audit->asked.payload_bytes);
    return audits->input->numerics == POT__NUMERICS__NUMERICS_EXACT ||
           holdings_get_blob(audits->shared->holdings, &audit->asked.payload,
                             out);
}

/* Its round's input is here. */
static void start(struct audit *audit)
{
    struct audits *audits = audit->audits;
    struct round_input *input = audits->input;
    struct buf payload;
    if (!read_payload(&payload, audit)) {
        buf_fini(&payload);
        end(audit, POT_ENOENT, NULL);
        return;
    }
    const struct auditor_case judged = {
        .input = input,
        .miner = &audit->asked.miner,
        .core = audit->core,
        .payload = payload.data,
        .payload_size = payload.size,
        .payload_hash = &audit->asked.payload,
        .loss = audit->asked.loss,
        .plant = audit->asked.plant,
    };
    if (auditor_judge(audits->auditor, &judged, on_judged, audit) == POT_OK) {
        audit->is_exact = input->numerics == POT__NUMERICS__NUMERICS_EXACT;
        audit->weight = input->shape.parameter_count + input->row_count;
        audits->weight += audit->weight;
        audits->started++;
    } else {
        audit->retry_ms = now_ms(audits) + AGAIN_MS;
    }
    buf_fini(&payload);
}

/* The task as it was while the round was open; NULL: the ledger knows nothing
 * of that round any more. */
static Pot__TaskRecord *task_of(const struct audit *audit)
{
    const struct holdings *holdings = audit->audits->shared->holdings;
    const struct state state = stored_state(holdings->store);
    const struct audits_case *asked = &audit->asked;
    Pot__TaskRecord *task = ledger_task(&state, &asked->task);
    Pot__ClosedRecord *closed =
        ledger_closed(&state, &asked->task, asked->round);
    if (task != NULL && closed != NULL) {
        task->round = closed->round;
        task->opened_height = closed->opened_height;
        POT_ASSERT(task->parameters_hash.len == HASH_SIZE &&
                   closed->parameters_hash.len == HASH_SIZE);
        memcpy(task->parameters_hash.data, closed->parameters_hash.data,
               HASH_SIZE);
    } else if (task != NULL &&
               (task->status != POT__TASK_STATUS__TASK_RUNNING ||
                task->round != asked->round)) {
        codec_free(task);
        task = NULL;
    }
    codec_free(closed);
    return task;
}

static void on_loaded(void *context, enum pot_err err,
                      struct round_input *input)
{
    struct audits *audits = context;
    audits->load = NULL;
    audits->input = input;
    for (struct audit *a = audits->all; a != NULL && err != POT_OK;
         a = a->next) {
        if (is_of_round(a, &audits->task, audits->round)) {
            a->retry_ms = now_ms(audits) + AGAIN_MS;
        }
    }
    audits->shared->on_news(audits->shared->context);
}

static void load(struct audit *audit)
{
    struct audits *audits = audit->audits;
    const struct rounds_shared *shared = audits->shared;
    Pot__TaskRecord *task = task_of(audit);
    round_input_unref(audits->input);
    audits->input = NULL;
    if (task == NULL) {
        end(audit, POT_ENOENT, NULL); /* its owner is about to hear of it */
        return;
    }
    audits->task = audit->asked.task;
    audits->round = audit->asked.round;
    needs_task_data(shared->needs, task->spec, NULL, NULL);
    audits->load = round_load_start(shared->loop, shared->holdings, task,
                                    on_loaded, audits);
    codec_free(task);
}

/* ---- whose turn it is */

static bool is_before(const struct audit *a, const struct audit *b)
{
    if (a->rank != b->rank) {
        return a->rank > b->rank;
    }
    return a->rank == OF_CLOSED ? a->number > b->number : a->number < b->number;
}

/* NULL: nobody's. */
static struct audit *next_of(const struct audits *audits)
{
    struct audit *next = NULL;
    uint64_t now = now_ms(audits);
    for (struct audit *a = audits->all; a != NULL; a = a->next) {
        if (a->weight == 0 && now >= a->retry_ms &&
            (next == NULL || is_before(a, next))) {
            next = a;
        }
    }
    return next;
}

/* Somebody else was quicker, or the ledger has forgotten the round. */
static bool is_needless(const struct audit *audit, bool *is_late)
{
    const struct holdings *holdings = audit->audits->shared->holdings;
    const struct state state = stored_state(holdings->store);
    Pot__ChallengeRecord *challenge =
        ledger_challenge(&state, &audit->asked.name);
    Pot__ClosedRecord *closed =
        ledger_closed(&state, &audit->asked.task, audit->asked.round);
    bool is_challenged = challenge != NULL;
    *is_late = closed == NULL;
    codec_free(challenge);
    codec_free(closed);
    return is_challenged || *is_late;
}

static void take_turn(struct audit *audit)
{
    struct audits *audits = audit->audits;
    bool is_late;
    if (audit->rank == OF_CLOSED && is_needless(audit, &is_late)) {
        if (is_late) {
            drop(audit, POT_EPRUNED, "its round can be challenged no more");
        } else {
            end(audit, POT_ECANCELLED, NULL);
        }
    } else if (audits->input != NULL &&
               is_of_round(audit, &audits->task, audits->round)) {
        start(audit);
    } else {
        load(audit);
    }
}

void audits_tick(struct audits *audits)
{
    struct audit *next;
    while (audits->load == NULL && audits->started < AT_ONCE_MAX &&
           audits->weight < SMALL && (next = next_of(audits)) != NULL) {
        take_turn(next);
    }
    if (audits->all == NULL) {
        round_input_unref(audits->input);
        audits->input = NULL;
    }
}

/* ---- what is asked */

static bool make_room(struct audits *audits)
{
    struct audit *oldest = NULL;
    for (struct audit *a = audits->all; a != NULL; a = a->next) {
        if (a->rank == OF_CLOSED && a->weight == 0 &&
            (oldest == NULL || a->number < oldest->number)) {
            oldest = a;
        }
    }
    if (oldest != NULL) {
        drop(oldest, POT_ELIMIT, "too many others wait");
    }
    return oldest != NULL;
}

enum pot_err audits_ask(struct audits *audits, const struct audits_case *asked,
                        audits_done_fn *done, void *context)
{
    size_t *count = count_of(audits, asked->submission);
    if (*count == AUDITS_MAX &&
        (asked->submission == NULL || !make_room(audits))) {
        return POT_ELIMIT;
    }
    struct audit *audit = pot_calloc(1, sizeof(*audit));
    audit->audits = audits;
    audit->asked = *asked;
    (void)snprintf(audit->core, sizeof(audit->core), "%s", asked->core);
    audit->asked.core = audit->core;
    if (asked->plant != NULL) {
        audit->plant = *asked->plant;
        audit->asked.plant = &audit->plant;
    }
    audit->rank = CHALLENGED;
    if (asked->submission != NULL) {
        audit->submission = signed_copy(asked->submission);
        audit->asked.submission = audit->submission;
        audit->rank = OF_OPEN;
    }
    audit->number = audits->next_number++;
    audit->done = done;
    audit->context = context;
    audit->next = audits->all;
    audits->all = audit;
    ++*count;
    audits->shared->on_news(audits->shared->context);
    return POT_OK;
}

static struct audit *find(const struct audits *audits, const void *context)
{
    struct audit *audit = audits->all;
    while (audit != NULL && audit->context != context) {
        audit = audit->next;
    }
    POT_ASSERT(audit != NULL);
    return audit;
}

static void part(struct audit *audit, enum rank rank)
{
    audit->done = NULL;
    audit->context = NULL;
    audit->rank = rank;
}

void audits_outlive(struct audits *audits, const void *context)
{
    part(find(audits, context), OF_CLOSED);
}

/* What is being computed has its room until that is done. */
void audits_forget(struct audits *audits, const void *context)
{
    struct audit *audit = find(audits, context);
    part(audit, FORGOTTEN);
    if (audit->weight == 0) {
        audit_free(audit);
    }
}

void audits_workers(const struct audits *audits, struct workers_stats *out)
{
    auditor_workers(audits->auditor, out);
}
