#include "config.h"

#include "node/round/open_round.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "ledger/ledger.h"
#include "ledger/roster.h"
#include "ledger/submission.h"
#include "node/block/needs.h"
#include "node/block/owed.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/attesting.h"
#include "node/round/committing.h"
#include "node/round/judging.h"
#include "node/round/rounds_shared.h"
#include "proto/codec.h"

#include <stdlib.h>

/* Verdicts wait this long for others to be attested together with. */
#define ATTEST_TOGETHER_MS 150
/* Once a round could be closed, those who are missing get as long again as
 * it took so far, and no less than this. */
#define GRACE_MIN_MS 300

struct open_round {
    struct rounds_shared *shared;
    Pot__TaskRecord *record;
    struct hash task;
    struct model_shape shape;
    Pot__DrawsRecord *draws; /* as the round began */
    struct committing *committing;
    uint64_t revealing_ms; /* since when a quorum takes no more commitments;
                              0: it does */
    struct judging *judging;
    struct attesting *attesting;
    uint64_t opened_ms;    /* on the loop's clock */
    uint64_t closable_ms;  /* since when it could be closed; 0: cannot yet */
    bool would_be_empty;   /* if it were closed now */
    bool is_dirty;         /* something came since the last tally */
    uint64_t tally_height; /* for which it was made: time may be up later */
    bool has_news;         /* verdicts not attested yet */
    uint64_t news_ms;
    bool is_full;        /* nobody is worth waiting for */
    uint64_t due_height; /* of the block that was to close it */
    struct owed owed;
};

static void note_change(struct open_round *round)
{
    round->is_dirty = true;
    round->shared->on_news(round->shared->context);
}

/* It counts once it is attested: until then there is nothing new to tally,
 * which would cost the square of the submissions. */
static void on_verdict(void *context)
{
    struct open_round *round = context;
    if (!round->has_news) {
        round->has_news = true;
        round->news_ms = uv_now(round->shared->loop);
    }
    round->shared->on_news(round->shared->context);
}

static Pot__DrawsRecord *load_draws(const struct rounds_shared *shared,
                                    const struct hash *task)
{
    const struct state state = stored_state(shared->holdings->store);
    return ledger_draws(&state, task);
}

struct open_round *open_round_new(struct rounds_shared *shared,
                                  const struct hash *task,
                                  Pot__TaskRecord *record, uint64_t pace_ms)
{
    struct open_round *round = pot_calloc(1, sizeof(*round));
    round->shared = shared;
    round->record = record;
    round->task = *task;
    round->opened_ms = uv_now(shared->loop);
    round->is_dirty = true;
    enum pot_err err =
        model_shape_from_spec(&round->shape, record->spec->model);
    POT_ASSERT(err == POT_OK); /* the ledger took the task */
    round->committing = committing_new(record, pace_ms, round->opened_ms);
    round->judging =
        judging_new(shared, record, &round->shape, on_verdict, round);
    round->attesting = attesting_new(shared);
    round->draws = load_draws(shared, task);
    if (shared->key != NULL) {
        needs_task_data(shared->needs, record->spec, NULL, NULL);
    }
    return round;
}

void open_round_free(struct open_round *round)
{
    committing_free(round->committing);
    judging_free(round->judging);
    attesting_free(round->attesting);
    codec_free(round->record);
    codec_free(round->draws);
    free(round);
}

uint64_t open_round_pace(const struct open_round *round,
                         const Pot__TaskRecord *record)
{
    return committing_pace(round->committing, record);
}

void open_round_close(struct open_round *round)
{
    judging_close(round->judging);
    open_round_free(round);
}

const struct hash *open_round_task(const struct open_round *round)
{
    return &round->task;
}

uint32_t open_round_number(const struct open_round *round)
{
    return round->record->round;
}

bool open_round_is_of(const struct open_round *round,
                      const Pot__TaskRecord *record)
{
    return record != NULL && record->status == POT__TASK_STATUS__TASK_RUNNING &&
           record->round == round->record->round &&
           record->opened_height == round->record->opened_height;
}

bool open_round_fits(const struct open_round *round,
                     const struct round_submission *submission)
{
    return ledger_check_submission(round->record, &round->shape, submission) ==
           ROUND_ACCEPTED;
}

bool open_round_has(const struct open_round *round,
                    const struct public_key *miner)
{
    size_t index;
    return roster_find(roster_of_round(round->record), miner, &index);
}

bool open_round_commitment(struct open_round *round,
                           const struct round_commitment *opened)
{
    bool is_taken =
        committing_take(round->committing, opened, uv_now(round->shared->loop));
    if (is_taken) {
        note_change(round);
    }
    return is_taken;
}

bool open_round_may_reveal(const struct open_round *round)
{
    return round->revealing_ms != 0;
}

static bool hear_closing(struct open_round *round,
                         const struct public_key *validator)
{
    struct validator_set set;
    const struct state state = stored_state(round->shared->holdings->store);
    ledger_validators(&state, &set);
    bool is_first = committing_closes(round->committing, &set, validator);
    if (round->revealing_ms == 0 &&
        committing_is_over(round->committing, &set)) {
        round->revealing_ms = uv_now(round->shared->loop);
        round->shared->on_reveal(round->shared->context, &round->task);
    }
    return is_first;
}

static void close_if_due(struct open_round *round, uint64_t now_ms)
{
    if (committing_is_due(round->committing, now_ms) &&
        attesting_close(round->attesting, round->record)) {
        committing_close(round->committing, now_ms);
        (void)hear_closing(round, key_public(round->shared->key));
    }
}

bool open_round_submission(struct open_round *round,
                           struct round_submission *opened,
                           const Pot__Signed *message, uint64_t peer_id)
{
    if (round->shared->key != NULL &&
        !committing_holds(round->committing, opened)) {
        round_submission_fini(opened);
        return false;
    }
    return judging_take(round->judging, opened, message, peer_id);
}

bool open_round_attestation(struct open_round *round,
                            struct round_attestation *opened,
                            const Pot__Signed *message)
{
    bool is_taken;
    if (opened->body->closes) {
        is_taken = hear_closing(round, &opened->validator);
        round_attestation_fini(opened);
    } else if (opened->body->n_judgements > round->record->n_roster) {
        round_attestation_fini(opened); /* padded: a miner is judged once */
        is_taken = false;
    } else if (!ledger_draw_fits(round->draws, opened)) {
        round_attestation_fini(opened);
        is_taken = false;
    } else {
        is_taken = attesting_take(round->attesting, opened, message);
    }
    if (is_taken) {
        note_change(round);
    }
    return is_taken;
}

/* ---- as time passes */

static void attest(struct open_round *round)
{
    Pot__AttestationBody *body = pot_alloc(sizeof(*body));
    pot__attestation_body__init(body);
    body->task = codec_copy_bytes(round->task.b, HASH_SIZE);
    body->round = round->record->round;
    round->has_news = !judging_verdicts(round->judging, body) ||
                      !attesting_say(round->attesting, body);
    codec_free(body);
    note_change(round);
}

/* What is said shows what this validator has drawn: not before it is too late
 * for another miner to commit. */
void open_round_tick(struct open_round *round, uint64_t now_ms)
{
    bool is_pending = judging_tick(round->judging, now_ms);
    close_if_due(round, now_ms);
    if (round->has_news && open_round_may_reveal(round) &&
        (!is_pending || now_ms >= round->news_ms + ATTEST_TOGETHER_MS)) {
        attest(round);
    }
}

/* ---- closing it */

/* Fresh lists of what the round keeps. */
static void list(struct round_candidate *out, const struct open_round *round)
{
    *out = (struct round_candidate){.task = round->task};
    judging_list(round->judging, out);
    attesting_list(round->attesting, out);
}

static void free_lists(struct round_candidate *candidate)
{
    free(candidate->submissions);
    free(candidate->attestations);
}

void open_round_collect(const struct open_round *round,
                        struct round_candidate *out)
{
    struct round_candidate candidate;
    list(&candidate, round);
    round_candidate_copy(out, &candidate);
    free_lists(&candidate);
}

static void tally(struct open_round *round, uint64_t height)
{
    struct round_candidate candidate;
    struct round_tally found = {0};
    const struct ledger_env env = {
        .chain = round->shared->holdings->chain,
        .state = stored_state(round->shared->holdings->store),
    };
    const struct ledger_block block = {.height = height,
                                       .time_ms = clock_wall_ms()};
    list(&candidate, round);
    enum round_verdict verdict =
        ledger_tally_round(&found, &env, &block, &candidate);
    free_lists(&candidate);
    round->is_dirty = false;
    round->tally_height = height;
    round->is_full =
        found.is_hopeless ||
        found.counted + found.refused >= committing_expected(round->committing);
    round->would_be_empty = found.counted < found.min_submissions;
    if (verdict != ROUND_ACCEPTED || !found.is_closable) {
        round->closable_ms = 0;
    } else if (round->closable_ms == 0) {
        round->closable_ms = uv_now(round->shared->loop);
    }
}

/* When nobody is waited for any more: at the task's time-out; but as long as it
 * takes to commit may be all of that, and what was committed to is revealed and
 * judged behind it. */
static uint64_t deadline_ms(const struct open_round *round)
{
    uint64_t timeout = round->record->spec->round_timeout_ms;
    uint64_t end = round->opened_ms + timeout;
    uint64_t from = round->revealing_ms != 0 ? round->revealing_ms : end;
    bool is_any =
        round->revealing_ms != 0 || committing_is_enough(round->committing);
    return is_any && from + timeout / 2 > end ? from + timeout / 2 : end;
}

bool open_round_should_close(struct open_round *round, uint64_t height)
{
    uint64_t now = uv_now(round->shared->loop);
    if (round->is_dirty || round->tally_height != height) {
        tally(round, height);
    }
    if (round->closable_ms == 0) {
        return false;
    }
    uint64_t taken = round->closable_ms - round->opened_ms;
    uint64_t grace = taken > GRACE_MIN_MS ? taken : GRACE_MIN_MS;
    bool is_due = round->is_full || now >= deadline_ms(round) ||
                  (!round->would_be_empty && now >= round->closable_ms + grace);
    round->due_height = is_due ? height : 0;
    return is_due;
}

bool open_round_is_overdue(struct open_round *round, uint64_t height,
                           const struct owed_rule *rule)
{
    return round->due_height == height && rule->has_room &&
           owed_pass(&round->owed, rule);
}
