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
#include "node/round/groups.h"
#include "node/round/held_back.h"
#include "node/round/judging.h"
#include "node/round/own_words.h"
#include "node/round/pledges.h"
#include "node/round/rounds_shared.h"
#include "proto/codec.h"
#include "proto/group.h"

#include <stdlib.h>

/* Verdicts wait this long for others to be attested together with. */
#define ATTEST_TOGETHER_MS 150
/* So often split groups are waited for; after the last time there are none. */
#define MENDS_MAX 2

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
    struct groups *groups; /* NULL: nothing is judged here */
    struct attesting *attesting;
    struct own_words *own; /* NULL without a key */
    struct held_back held_back;
    uint64_t opened_ms; /* on the loop's clock */
    bool is_closable;
    uint64_t closable_ms; /* when it could be closed first; 0: never yet */
    bool is_split;        /* it counts some members of a group only */
    unsigned mends;
    uint64_t mending_ms;   /* until then payloads are waited for; 0: never */
    bool would_be_empty;   /* if it were closed now */
    bool is_dirty;         /* something came since the last tally */
    uint64_t tally_height; /* for which it was made: time may be up later */
    enum attesting_reach tally_reach; /* the same */
    bool has_news;                    /* verdicts not attested yet */
    uint64_t news_ms;
    bool are_words_shown; /* ours, or pledged no more */
    bool is_full;         /* nobody is worth waiting for */
    uint64_t due_height;  /* of the block that was to close it */
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

static void load_validators(const struct open_round *round,
                            struct validator_set *out)
{
    const struct state state = stored_state(round->shared->holdings->store);
    ledger_validators(&state, out);
}

static bool is_validator(const struct open_round *round,
                         const struct public_key *key)
{
    struct validator_set set;
    uint32_t index;
    load_validators(round, &set);
    return validator_set_find(&index, &set, key);
}

static bool take_own(void *context, struct round_attestation *opened,
                     const Pot__Signed *message)
{
    return open_round_attestation(context, opened, message);
}

static Pot__DrawsRecord *load_draws(const struct rounds_shared *shared,
                                    const struct hash *task)
{
    const struct state state = stored_state(shared->holdings->store);
    return ledger_draws(&state, task);
}

static void open_groups(struct open_round *round)
{
    const struct groups_calls calls = {
        .context = round->judging,
        .find = judging_find,
        .vouched = judging_vouched,
        .lone = judging_lone,
    };
    round->groups =
        groups_new(round->shared, round->record, &round->shape, &calls);
    judging_set_groups(round->judging, round->groups);
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
    if (shared->key != NULL) {
        open_groups(round);
    }
    round->attesting = attesting_new(record, round->opened_ms);
    round->draws = load_draws(shared, task);
    if (shared->key != NULL) {
        round->own = own_words_new(shared, take_own, round);
        needs_task_data(shared->needs, record->spec, NULL, NULL);
    }
    return round;
}

void open_round_free(struct open_round *round)
{
    struct attesting_unkept unkept = attesting_unkept(round->attesting);
    round->shared->stats.words_late += unkept.late;
    round->shared->stats.words_broken += unkept.broken;
    committing_free(round->committing);
    groups_free(round->groups);
    judging_free(round->judging);
    attesting_free(round->attesting);
    own_words_free(round->own);
    held_back_fini(&round->held_back);
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

void open_round_hold_back(struct open_round *round, uint8_t type,
                          const Pot__Signed *message)
{
    held_back_add(&round->held_back, round->shared->gossip, type, message,
                  uv_now(round->shared->loop));
}

bool open_round_is_promised(const struct open_round *round,
                            const struct round_submission *submission)
{
    return committing_holds(round->committing, submission);
}

bool open_round_may_reveal(const struct open_round *round)
{
    return round->revealing_ms != 0;
}

static bool hear_closing(struct open_round *round,
                         const struct public_key *validator)
{
    struct validator_set set;
    load_validators(round, &set);
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
        own_words_close(round->own, round->record)) {
        committing_close(round->committing);
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

/* Not padded: a miner is judged once.  A pledge has nothing of this. */
static bool is_well_made(const struct open_round *round,
                         const struct round_attestation *opened)
{
    return round_is_pledge(opened) ||
           (opened->body->n_judgements <= round->record->n_roster &&
            ledger_draw_fits(round->draws, opened));
}

bool open_round_attestation(struct open_round *round,
                            struct round_attestation *opened,
                            const Pot__Signed *message)
{
    bool is_taken = false;
    bool is_pledge = round_is_pledge(opened);
    if (opened->body->closes) {
        is_taken = hear_closing(round, &opened->validator);
        round_attestation_fini(opened);
    } else if (!is_validator(round, &opened->validator) ||
               !is_well_made(round, opened)) {
        round_attestation_fini(opened);
    } else {
        is_taken = attesting_take(round->attesting, opened, message);
        round->shared->stats.attestations += is_taken && !is_pledge ? 1 : 0;
    }
    if (is_taken && is_pledge) { /* nothing to tally before it is kept */
        round->shared->on_news(round->shared->context);
    } else if (is_taken) {
        note_change(round);
    }
    return is_taken;
}

bool open_round_group(struct open_round *round, struct group *group)
{
    if (round->groups == NULL) {
        group_fini(group);
        return false;
    }
    return groups_take(round->groups, group);
}

void open_round_group_word(struct open_round *round,
                           const struct group_word *word, uint64_t peer_id)
{
    if (round->groups != NULL) {
        groups_word(round->groups, word, peer_id);
    }
}

void open_round_refresh(struct open_round *round)
{
    if (round->groups != NULL) {
        groups_refresh(round->groups);
    }
}

/* ---- as time passes */

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

/* The last half of the time is for the words themselves. */
static void show_if_due(struct open_round *round, uint64_t now_ms)
{
    struct validator_set set;
    load_validators(round, &set);
    uint64_t left = deadline_ms(round) - round->revealing_ms;
    if (attesting_look(round->attesting, set.count,
                       committing_expected(round->committing),
                       round->revealing_ms + left / 2, now_ms)) {
        own_words_show(round->own);
        round->are_words_shown = true;
    }
}

/* What is said shows what this validator has drawn, and a pledge how much it
 * has judged: not before it is too late for another miner to commit. */
void open_round_tick(struct open_round *round, uint64_t now_ms)
{
    bool is_pending = judging_tick(round->judging, now_ms);
    close_if_due(round, now_ms);
    own_words_tick(round->own, now_ms);
    held_back_tick(&round->held_back, round->shared->gossip, now_ms);
    groups_tick(round->groups, now_ms);
    if (!open_round_may_reveal(round)) {
        return;
    }
    if (round->has_news &&
        (!is_pending || now_ms >= round->news_ms + ATTEST_TOGETHER_MS)) {
        round->has_news = !own_words_speak(
            round->own, round->record, round->judging, round->are_words_shown);
    }
    if (!round->are_words_shown) {
        show_if_due(round, now_ms);
    }
}

void open_round_tell(const struct open_round *round, uint64_t peer_id)
{
    if (round->own != NULL) {
        own_words_tell(round->own, peer_id);
    }
}

/* ---- closing it */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Fresh lists of what the round keeps. */
static void list(struct round_candidate *out, const struct open_round *round)
{
    struct validator_set set;
    load_validators(round, &set);
    *out = (struct round_candidate){.task = round->task};
    judging_list(round->judging, out);
    attesting_list(round->attesting, set.count, round->tally_reach, out);
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

static bool splits_groups(const struct open_round *round,
                          const struct round_tally *found)
{
    if (round->groups == NULL) {
        return false;
    }
    groups_count(round->groups, found->submissions, found->counted);
    return groups_are_split(round->groups);
}

static void tally(struct open_round *round, uint64_t height,
                  enum attesting_reach reach)
{
    struct round_candidate candidate;
    struct round_tally found = {0};
    const struct ledger_env env = {
        .chain = round->shared->holdings->chain,
        .state = stored_state(round->shared->holdings->store),
    };
    const struct ledger_block block = {.height = height,
                                       .time_ms = clock_wall_ms()};
    round->tally_reach = reach;
    list(&candidate, round);
    enum round_verdict verdict =
        ledger_tally_round(&found, &env, &block, &candidate);
    free_lists(&candidate);
    round->is_dirty = false;
    round->tally_height = height;
    round->is_full =
        found.is_hopeless ||
        found.counted + found.refused >= committing_expected(round->committing);
    round->is_split = splits_groups(round, &found);
    round->would_be_empty = found.counted < found.min_submissions;
    round->is_closable = verdict == ROUND_ACCEPTED && found.is_closable;
    if (round->is_closable && round->closable_ms == 0) {
        round->closable_ms = uv_now(round->shared->loop);
    }
    round_tally_fini(&found);
}

static uint64_t since_ms(const struct open_round *round)
{
    return attesting_since_ms(round->attesting, round->closable_ms);
}

static uint64_t grace_ms(const struct open_round *round)
{
    return pledges_grace_ms(round->opened_ms, since_ms(round));
}

/* Until when the missing have it: as long as members of groups were waited for,
 * these were not missing.  However many groups there are, they have it twice at
 * most. */
static uint64_t grace_end_ms(const struct open_round *round)
{
    uint64_t grace = grace_ms(round);
    uint64_t waited =
        round->groups != NULL ? groups_waited_ms(round->groups) : 0;
    return since_ms(round) + grace + sooner(waited, grace);
}

static bool had_their_time(const struct open_round *round, uint64_t now_ms)
{
    return round->is_closable && now_ms >= grace_end_ms(round);
}

static enum attesting_reach reach_of(const struct open_round *round,
                                     uint64_t now_ms)
{
    return now_ms >= deadline_ms(round) || had_their_time(round, now_ms)
               ? REACH_BROKEN
               : attesting_reach(round->attesting, now_ms);
}

/* ---- what split groups lack */

/* Once half of the time of the missing is over, so that the rest of it is for
 * payloads; or nobody is missing. */
static bool is_to_mend(const struct open_round *round, uint64_t now_ms)
{
    uint64_t since = since_ms(round);
    uint64_t end = sooner(grace_end_ms(round), deadline_ms(round));
    return round->is_split &&
           (round->is_full || now_ms + now_ms >= since + end);
}

/* A group's sum is of no use where not all of it is counted: payloads are
 * fetched, and given the time that they would have had without it.  What is
 * counted may change meanwhile, and split another one: then all are fetched. */
static void mend(struct open_round *round, uint64_t now_ms)
{
    if (round->mends < MENDS_MAX) {
        round->mends++;
        round->mending_ms =
            sooner(now_ms + grace_ms(round), deadline_ms(round));
    }
    groups_dissolve(round->groups, round->mends == MENDS_MAX);
    note_change(round);
}

static bool is_mending(const struct open_round *round, uint64_t now_ms)
{
    return now_ms < round->mending_ms && judging_is_lacking(round->judging);
}

bool open_round_should_close(struct open_round *round, uint64_t height)
{
    uint64_t now = uv_now(round->shared->loop);
    enum attesting_reach reach = reach_of(round, now);
    if (round->is_dirty || round->tally_height != height ||
        round->tally_reach != reach) {
        tally(round, height, reach);
    }
    if (!round->is_closable || is_mending(round, now)) {
        return false;
    }
    bool is_due = round->is_full || now >= deadline_ms(round) ||
                  (!round->would_be_empty && had_their_time(round, now));
    if (is_to_mend(round, now)) {
        mend(round, now);
        is_due = false;
    }
    /* Others may still mend. */
    round->due_height = is_due && now >= round->mending_ms ? height : 0;
    return is_due;
}

bool open_round_is_overdue(struct open_round *round, uint64_t height,
                           const struct owed_rule *rule)
{
    return round->due_height == height && rule->has_room &&
           owed_pass(&round->owed, rule);
}
