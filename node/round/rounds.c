#include "config.h"

#include "node/round/rounds.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "node/block/chain.h"
#include "node/hold/stored.h"
#include "node/round/auditor.h"
#include "node/round/open_round.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <sodium.h>
#include <stdlib.h>

#define TICK_MS 10
/* Messages of a round that this node's tip has not opened yet. */
#define EARLY_MAX 8192
/* So many of one author, and for so many blocks. */
#define EARLY_AUTHOR_MAX 4
#define EARLY_BLOCKS     2

struct early {
    struct early *next;
    Pot__Signed *message;
    uint64_t peer_id;
    uint64_t height; /* of the tip when it came */
    struct public_key author;
    bool is_submission;
};

struct rounds {
    struct rounds_config config;
    struct round_duty duty;
    struct map open; /* task -> struct open_round */
    struct early *early;
    size_t early_count;
    uv_timer_t timer;
    bool timer_is_open;
    bool is_stopped;
};

/* Closes the round if the tip has closed it. */
static void close_if_old(struct rounds *rounds, struct open_round *round,
                         const Pot__TaskRecord *task)
{
    if (task != NULL && task->status == POT__TASK_STATUS__TASK_RUNNING &&
        task->round == round->task->round &&
        task->opened_height == round->task->opened_height) {
        round->is_dirty = true; /* whether it is overdue may have changed */
        return;
    }
    (void)map_remove(&rounds->open, round->name.b);
    open_round_close(round);
}

static void close_old(struct rounds *rounds, const struct state *state)
{
    size_t count = rounds->open.count;
    size_t cursor = 0;
    const struct map_slot *slot;
    struct open_round **all = pot_calloc(count, sizeof(*all));
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
        (void)map_put(&rounds->open, name.b,
                      open_round_new(&rounds->duty, &name, task));
    }
    codec_free(running);
}

static void replay_early(struct rounds *rounds);

void rounds_refresh(struct rounds *rounds)
{
    const struct state state = stored_state(rounds->config.env->store);
    close_old(rounds, &state);
    open_new(rounds, &state);
    rounds->duty.stats.open = rounds->open.count;
    replay_early(rounds);
}

/* Whether the tip knows the author as one who may take part. */
static bool may_take_part(const struct rounds *rounds,
                          const struct public_key *author, bool is_submission)
{
    const struct state state = stored_state(rounds->config.env->store);
    struct account account;
    return ledger_account(&state, author, &account) &&
           (is_submission ? account.stake_miner : account.stake_validator) > 0;
}

static bool has_room(const struct rounds *rounds,
                     const struct public_key *author)
{
    size_t count = 0;
    for (const struct early *e = rounds->early; e != NULL; e = e->next) {
        count += public_key_equal(&e->author, author) ? 1 : 0;
    }
    return count < EARLY_AUTHOR_MAX && rounds->early_count < EARLY_MAX;
}

/* True: it is kept, for the blocks that are on their way. */
static bool keep_early(struct rounds *rounds, const struct early *from)
{
    uint64_t height = chain_tip(rounds->config.chain)->height;
    if (height > from->height + EARLY_BLOCKS ||
        !has_room(rounds, &from->author) ||
        !may_take_part(rounds, &from->author, from->is_submission)) {
        return false;
    }
    struct early *early = pot_memdup(from, sizeof(*from));
    early->message = signed_copy(from->message);
    early->next = rounds->early;
    rounds->early = early;
    rounds->early_count++;
    return true;
}

enum place { PLACE_OPEN, PLACE_EARLY, PLACE_NONE };

/* Where a message about a round belongs: the open one, one that a block on
 * its way will open, or nowhere. */
static enum place place_of(struct rounds *rounds, const struct hash *task,
                           uint32_t number, struct open_round **out)
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

static bool take_submission(struct rounds *rounds, struct early *early)
{
    struct round_submission opened;
    struct open_round *round;
    if (rounds->is_stopped ||
        round_submission_open(&opened, early->message) != POT_OK) {
        return false;
    }
    enum place place =
        place_of(rounds, &opened.task, opened.body->round, &round);
    if (place == PLACE_OPEN && judging_fits(round, &opened)) {
        return judging_take(round, &opened, early->message, early->peer_id);
    }
    early->author = opened.miner;
    round_submission_close(&opened);
    /* One that does not fit the open round may fit it after the next block,
     * which opens it anew with its author in the roster. */
    return place != PLACE_NONE && keep_early(rounds, early);
}

static bool take_attestation(struct rounds *rounds, struct early *early)
{
    struct round_attestation opened;
    struct open_round *round;
    if (rounds->is_stopped ||
        round_attestation_open(&opened, early->message) != POT_OK) {
        return false;
    }
    enum place place =
        place_of(rounds, &opened.task, opened.body->round, &round);
    if (place == PLACE_OPEN) {
        return attesting_take(round, &opened, early->message);
    }
    early->author = opened.validator;
    round_attestation_close(&opened);
    return place == PLACE_EARLY && keep_early(rounds, early);
}

static bool take(struct rounds *rounds, struct early *early)
{
    return early->is_submission ? take_submission(rounds, early)
                                : take_attestation(rounds, early);
}

bool rounds_submission(struct rounds *rounds, Pot__Signed *message,
                       uint64_t peer_id)
{
    struct early fresh = {
        .message = message,
        .peer_id = peer_id,
        .height = chain_tip(rounds->config.chain)->height,
        .is_submission = true,
    };
    return take(rounds, &fresh);
}

bool rounds_attestation(struct rounds *rounds, Pot__Signed *message)
{
    struct early fresh = {
        .message = message,
        .height = chain_tip(rounds->config.chain)->height,
    };
    return take(rounds, &fresh);
}

/* What came too early is looked at again; what is still too early is kept
 * again. */
static void replay_early(struct rounds *rounds)
{
    struct early *early = rounds->early;
    rounds->early = NULL;
    rounds->early_count = 0;
    while (early != NULL) {
        struct early *next = early->next;
        (void)take(rounds, early);
        codec_free(early->message);
        free(early);
        early = next;
    }
}

static uint64_t next_height(const struct rounds *rounds)
{
    return chain_tip(rounds->config.chain)->height + 1;
}

bool rounds_has_work(struct rounds *rounds)
{
    uint64_t height = next_height(rounds);
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
        if (open_round_should_close(slot->value, height)) {
            return true;
        }
    }
    return false;
}

static int compare_rounds(const void *a, const void *b)
{
    const struct round_candidate *x = a;
    const struct round_candidate *y = b;
    return hash_compare(&x->task, &y->task);
}

void rounds_collect(struct rounds *rounds, struct execution_request *request)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    uint64_t height = next_height(rounds);
    request->rounds = pot_calloc(rounds->open.count, sizeof(*request->rounds));
    while ((slot = map_next(&rounds->open, &cursor)) != NULL &&
           request->round_count < ROUND_UPDATES_MAX) {
        struct round_candidate c;
        if (!open_round_should_close(slot->value, height)) {
            continue;
        }
        open_round_candidate(&c, slot->value);
        round_candidate_copy(&request->rounds[request->round_count++], &c);
        free(c.submissions);
        free(c.attestations);
    }
    if (request->round_count > 0) {
        qsort(request->rounds, request->round_count, sizeof(*request->rounds),
              compare_rounds);
    }
}

/* ---- as time passes */

static void on_tick(uv_timer_t *timer)
{
    struct rounds *rounds = timer->data;
    size_t cursor = 0;
    const struct map_slot *slot;
    if (rounds->config.key != NULL) {
        uint64_t now = uv_now(rounds->config.loop);
        while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
            open_round_tick(slot->value, now);
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
    rounds->duty.config = &rounds->config;
    randombytes_buf(rounds->duty.secret, sizeof(rounds->duty.secret));
    rounds->duty.auditor = auditor_new(config->loop, config->worker_program);
    (void)uv_timer_init(config->loop, &rounds->timer);
    rounds->timer.data = rounds;
    rounds->timer_is_open = true;
    (void)uv_timer_start(&rounds->timer, on_tick, TICK_MS, TICK_MS);
    rounds->duty.timer = &rounds->timer;
    rounds->duty.on_tick = on_tick;
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
    auditor_free(rounds->duty.auditor);
    rounds->duty.auditor = NULL;
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
        open_round_free(slot->value);
    }
    map_fini(&rounds->open);
    while (rounds->duty.gone != NULL) {
        struct open_round *next = rounds->duty.gone->next_gone;
        open_round_free(rounds->duty.gone);
        rounds->duty.gone = next;
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
    *out = rounds->duty.stats;
}
