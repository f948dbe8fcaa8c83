#include "config.h"

#include "node/round/rounds.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "node/block/chain.h"
#include "node/block/proposal.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/loop/loop_timer.h"
#include "node/round/accuser.h"
#include "node/round/audits.h"
#include "node/round/newcomers.h"
#include "node/round/open_round.h"
#include "node/round/own_links.h"
#include "node/round/referee.h"
#include "node/round/round_early.h"
#include "node/round/rounds_shared.h"
#include "node/round/workers.h"
#include "node/tx/intake.h"
#include "node/tx/own_tx.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/group.h"

#include <stdlib.h>

/* News has a tick at once; this is for what only waits, 150 ms at least. */
#define TICK_MS 50
/* Whoever has come may be a block behind, and drop what it is told at once. */
#define GREET_MS 1000

struct rounds {
    struct rounds_config config;
    struct rounds_shared shared;
    struct map open; /* task -> struct open_round */
    struct round_early early;
    struct own_tx *sender; /* NULL: nothing is sent */
    struct referee *referee;
    struct newcomers validators; /* that came lately... */
    struct newcomers others;     /* ...who are never so many that those are not
                                    told */
    struct loop_timer timer;
    bool is_stopped;
};

static uint64_t tip_height(const struct rounds *rounds)
{
    return chain_tip(rounds->config.chain)->height;
}

static struct state tip_state(const struct rounds *rounds)
{
    return stored_state(rounds->config.holdings->store);
}

/* ---- a new tip */

static void open_one(struct rounds *rounds, const struct hash *task,
                     Pot__TaskRecord *record, uint64_t pace_ms)
{
    (void)map_put(&rounds->open, task->b,
                  open_round_new(&rounds->shared, task, record, pace_ms));
}

/* What the task has open instead, if it is running still, takes its place;
 * takes the record. */
static void follow(struct rounds *rounds, struct open_round *round,
                   Pot__TaskRecord *record)
{
    const struct hash task = *open_round_task(round);
    (void)map_remove(&rounds->open, task.b);
    if (record != NULL && record->status == POT__TASK_STATUS__TASK_RUNNING) {
        open_one(rounds, &task, record, open_round_pace(round, record));
    } else {
        codec_free(record);
    }
    open_round_close(round);
}

static void follow_all(struct rounds *rounds, const struct state *state)
{
    size_t count = rounds->open.count;
    void **all = map_values(&rounds->open);
    for (size_t i = 0; i < count; i++) {
        Pot__TaskRecord *record = ledger_task(state, open_round_task(all[i]));
        if (open_round_is_of(all[i], record)) {
            open_round_refresh(all[i]);
            codec_free(record);
        } else {
            follow(rounds, all[i], record);
        }
    }
    free(all);
}

static void open_new(struct rounds *rounds, const struct state *state)
{
    Pot__HashList *running = ledger_running(state);
    for (size_t i = 0; i < running->n_hashes; i++) {
        struct hash task;
        if (!codec_hash(&task, running->hashes[i]) ||
            map_get(&rounds->open, task.b) != NULL) {
            continue;
        }
        Pot__TaskRecord *record = ledger_task(state, &task);
        POT_ASSERT(record != NULL);
        open_one(rounds, &task, record, 0);
    }
    codec_free(running);
}

static bool take(void *context, const struct arrival *arrival);

static void accuse(struct rounds *rounds, const struct state *state)
{
    if (rounds->shared.accuser != NULL) {
        accuser_refresh(rounds->shared.accuser, state, tip_height(rounds));
    }
}

void rounds_refresh(struct rounds *rounds)
{
    const struct state state = tip_state(rounds);
    if (rounds->is_stopped) {
        return;
    }
    follow_all(rounds, &state);
    open_new(rounds, &state);
    rounds->shared.stats.open = rounds->open.count;
    round_early_replay(&rounds->early, take, rounds);
    accuse(rounds, &state);
    referee_refresh(rounds->referee, tip_height(rounds),
                    chain_tip(rounds->config.chain)->time_ms);
}

/* ---- messages */

static bool keep_early(struct rounds *rounds, const struct arrival *arrival,
                       const struct public_key *author)
{
    const struct state state = tip_state(rounds);
    return round_early_keep(&rounds->early, arrival, author, &state,
                            tip_height(rounds));
}

enum place { PLACE_OPEN, PLACE_EARLY, PLACE_NONE };

/* Where a message about a round belongs: the open one, one that a block on
 * its way will open, or nowhere. */
static enum place place_of(const struct rounds *rounds, const struct hash *task,
                           uint32_t number, struct open_round **out)
{
    *out = map_get(&rounds->open, task->b);
    if (*out == NULL) {
        return PLACE_EARLY;
    }
    uint32_t open = open_round_number(*out);
    return number == open       ? PLACE_OPEN
           : number == open + 1 ? PLACE_EARLY
                                : PLACE_NONE;
}

/* It was not passed on to validators: whoever brought it tells them all. */
static void hold_back(const struct rounds *rounds, struct open_round *round,
                      uint8_t type, const struct arrival *arrival)
{
    const struct gossip *gossip = rounds->config.gossip;
    if (rounds->config.key != NULL &&
        gossip_is_teller(gossip, arrival->peer_id) &&
        !gossip_is_fellow(gossip, arrival->peer_id)) {
        open_round_hold_back(round, type, arrival->message);
    }
}

static bool take_submission(struct rounds *rounds,
                            const struct arrival *arrival)
{
    struct round_submission opened;
    struct open_round *round;
    if (round_submission_decode(&opened, arrival->message) != POT_OK) {
        return false;
    }
    enum place place =
        place_of(rounds, &opened.task, opened.body->round, &round);
    if (place == PLACE_OPEN && open_round_fits(round, &opened)) {
        bool is_taken = open_round_submission(round, &opened, arrival->message,
                                              arrival->peer_id);
        if (is_taken) {
            hold_back(rounds, round, MESSAGE_SUBMISSION, arrival);
        }
        return is_taken;
    }
    const struct public_key author = opened.miner;
    round_submission_fini(&opened);
    /* One that does not fit the open round may fit it after the next block,
     * which opens it anew with its author in the roster. */
    return place != PLACE_NONE && keep_early(rounds, arrival, &author);
}

static bool take_commitment(struct rounds *rounds,
                            const struct arrival *arrival)
{
    struct round_commitment opened;
    struct open_round *round;
    if (round_commitment_decode(&opened, arrival->message) != POT_OK) {
        return false;
    }
    enum place place = place_of(rounds, &opened.task, opened.round, &round);
    if (place == PLACE_OPEN && open_round_has(round, &opened.miner)) {
        bool is_taken = open_round_commitment(round, &opened);
        if (is_taken) {
            hold_back(rounds, round, MESSAGE_COMMITMENT, arrival);
        }
        return is_taken;
    }
    return place != PLACE_NONE && keep_early(rounds, arrival, &opened.miner);
}

static bool take_attestation(struct rounds *rounds,
                             const struct arrival *arrival)
{
    struct round_attestation opened;
    struct open_round *round;
    if (round_attestation_decode(&opened, arrival->message) != POT_OK) {
        return false;
    }
    enum place place =
        place_of(rounds, &opened.task, opened.body->round, &round);
    if (place == PLACE_OPEN) {
        return open_round_attestation(round, &opened, arrival->message);
    }
    if (referee_is_asked(rounds->referee, &opened)) {
        return referee_take(rounds->referee, &opened, arrival->message);
    }
    const struct public_key author = opened.validator;
    round_attestation_fini(&opened);
    return place == PLACE_EARLY && keep_early(rounds, arrival, &author);
}

static bool take(void *context, const struct arrival *arrival)
{
    struct rounds *rounds = context;
    if (rounds->is_stopped) {
        return false;
    }
    switch (arrival->kind) {
    case ARRIVAL_SUBMISSION:
        return take_submission(rounds, arrival);
    case ARRIVAL_COMMITMENT:
        return take_commitment(rounds, arrival);
    case ARRIVAL_ATTESTATION:
        return take_attestation(rounds, arrival);
    }
    return false;
}

static bool take_new(struct rounds *rounds, enum arrival_kind kind,
                     const Pot__Signed *message, uint64_t peer_id)
{
    const struct arrival arrival = {
        .message = message,
        .peer_id = peer_id,
        .height = tip_height(rounds),
        .kind = kind,
    };
    return take(rounds, &arrival);
}

bool rounds_submission(struct rounds *rounds, const Pot__Signed *message,
                       uint64_t peer_id)
{
    return take_new(rounds, ARRIVAL_SUBMISSION, message, peer_id);
}

bool rounds_commitment(struct rounds *rounds, const Pot__Signed *message,
                       uint64_t peer_id)
{
    return take_new(rounds, ARRIVAL_COMMITMENT, message, peer_id);
}

bool rounds_attestation(struct rounds *rounds, const Pot__Signed *message)
{
    return take_new(rounds, ARRIVAL_ATTESTATION, message, 0);
}

/* What comes too early saves nothing, and harms nothing either. */
bool rounds_group(struct rounds *rounds, const Pot__Signed *message)
{
    struct group group;
    struct open_round *round;
    if (rounds->is_stopped || group_decode(&group, message) != POT_OK) {
        return false;
    }
    if (place_of(rounds, &group.task, group.round, &round) == PLACE_OPEN) {
        return open_round_group(round, &group);
    }
    group_fini(&group);
    return false;
}

bool rounds_group_word(struct rounds *rounds, const Pot__Signed *message,
                       uint64_t peer_id)
{
    struct group_word word;
    struct open_round *round;
    if (rounds->is_stopped || group_word_decode(&word, message) != POT_OK ||
        place_of(rounds, &word.task, word.round, &round) != PLACE_OPEN) {
        return false;
    }
    open_round_group_word(round, &word, peer_id);
    return true;
}

bool rounds_is_teller(const struct rounds *rounds, const struct public_key *key)
{
    return tellers_has(&rounds->shared.tellers, key,
                       uv_now(rounds->config.loop));
}

bool rounds_may_reveal(const struct rounds *rounds, const struct hash *task,
                       uint32_t number)
{
    const struct open_round *round = map_get(&rounds->open, task->b);
    return round != NULL && open_round_number(round) == number &&
           open_round_may_reveal(round);
}

bool rounds_is_promised(const struct rounds *rounds,
                        const struct round_submission *submission)
{
    const struct open_round *round = map_get(&rounds->open, submission->task.b);
    return round != NULL &&
           open_round_number(round) == submission->body->round &&
           open_round_is_promised(round, submission);
}

/* ---- closing */

bool rounds_has_work(struct rounds *rounds)
{
    uint64_t height = tip_height(rounds) + 1;
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
        if (open_round_should_close(slot->value, height)) {
            return true;
        }
    }
    return false;
}

const struct hash *rounds_overdue(struct rounds *rounds,
                                  const struct owed_rule *rule)
{
    const struct hash *overdue = NULL;
    uint64_t height = tip_height(rounds);
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
        if (open_round_is_overdue(slot->value, height, rule)) {
            overdue = open_round_task(slot->value);
        }
    }
    return overdue;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct round_candidate *x = a;
    const struct round_candidate *y = b;
    return hash_compare(&x->task, &y->task);
}

void rounds_collect(struct rounds *rounds, struct proposal_request *request)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    uint64_t height = tip_height(rounds) + 1;
    request->rounds = pot_calloc(rounds->open.count, sizeof(*request->rounds));
    while ((slot = map_next(&rounds->open, &cursor)) != NULL &&
           request->round_count < ROUND_UPDATES_MAX) {
        if (open_round_should_close(slot->value, height)) {
            open_round_collect(slot->value,
                               &request->rounds[request->round_count++]);
        }
    }
    if (request->round_count > 0) {
        qsort(request->rounds, request->round_count, sizeof(*request->rounds),
              compare_candidates);
    }
}

/* ---- as time passes */

static void tell(void *context, uint64_t peer_id)
{
    const struct rounds *rounds = context;
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
        open_round_tell(slot->value, peer_id);
    }
}

static void on_tick(void *context)
{
    struct rounds *rounds = context;
    size_t cursor = 0;
    const struct map_slot *slot;
    uint64_t now = uv_now(rounds->config.loop);
    while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
        open_round_tick(slot->value, now);
    }
    newcomers_tick(&rounds->validators, now, tell, rounds);
    newcomers_tick(&rounds->others, now, tell, rounds);
    audits_tick(rounds->shared.audits);
    if (rounds_has_work(rounds)) {
        rounds->config.on_work(rounds->config.context);
    }
}

void rounds_greet(struct rounds *rounds, const struct public_key *key,
                  uint64_t peer_id)
{
    struct newcomers *newcomers =
        gossip_is_fellow(rounds->config.gossip, peer_id) ? &rounds->validators
                                                         : &rounds->others;
    if (rounds->config.key != NULL) {
        newcomers_add(newcomers, key, peer_id, uv_now(rounds->config.loop));
    }
}

/* The next tick is due at once, one for all that comes in this turn of the
 * loop. */
static void on_news(void *context)
{
    struct rounds *rounds = context;
    if (rounds->config.key != NULL) {
        loop_timer_start(&rounds->timer, 0, TICK_MS);
    }
}

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    (void)context;
    if (!intake_is_taken(receipt)) {
        LOG(LOG_WARN, "node", "challenge not taken",
            log_text("why", intake_text(receipt)));
    }
}

static struct own_tx *open_sender(const struct rounds_config *config)
{
    const struct own_tx_config own = {
        .holdings = config->holdings,
        .chain = config->chain,
        .mempool = config->mempool,
        .intake = config->intake,
        .key = config->payer,
    };
    return own_tx_new(&own, on_receipt, NULL);
}

static void on_liar(void *context, const struct public_key *aggregator)
{
    struct rounds *rounds = context;
    if (rounds->config.on_liar != NULL) {
        rounds->config.on_liar(rounds->config.context, aggregator);
    }
}

static void on_reveal(void *context, const struct hash *task)
{
    struct rounds *rounds = context;
    if (rounds->config.on_reveal != NULL) {
        rounds->config.on_reveal(rounds->config.context, task);
    }
}

struct rounds *rounds_new(const struct rounds_config *config)
{
    struct rounds *rounds = pot_calloc(1, sizeof(*rounds));
    rounds->config = *config;
    rounds->shared = (struct rounds_shared){
        .loop = config->loop,
        .holdings = config->holdings,
        .needs = config->needs,
        .gossip = config->gossip,
        .key = config->key,
        .context = rounds,
        .on_news = on_news,
        .on_liar = on_liar,
        .on_reveal = on_reveal,
    };
    group_trust_init(&rounds->shared.trust);
    newcomers_init(&rounds->validators, GREET_MS);
    newcomers_init(&rounds->others, GREET_MS);
    rounds->shared.audits = audits_new(&rounds->shared, config->worker_program);
    if (config->key != NULL) {
        rounds->shared.links =
            own_links_new(config->key, &config->holdings->chain, "draws");
    }
    if (config->payer != NULL) {
        rounds->sender = open_sender(config);
        rounds->shared.accuser = accuser_new(rounds->sender);
    }
    rounds->referee = referee_new(&rounds->shared, rounds->sender);
    loop_timer_open(&rounds->timer, config->loop, on_tick, rounds);
    if (config->key != NULL) { /* others close no round and audit nothing */
        loop_timer_start(&rounds->timer, TICK_MS, TICK_MS);
    }
    return rounds;
}

void rounds_stop(struct rounds *rounds)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    rounds->is_stopped = true;
    while ((slot = map_next(&rounds->open, &cursor)) != NULL) {
        open_round_free(slot->value);
    }
    map_fini(&rounds->open);
    round_early_fini(&rounds->early);
    referee_free(rounds->referee);
    audits_free(rounds->shared.audits);
    own_links_free(rounds->shared.links);
    accuser_free(rounds->shared.accuser);
    own_tx_free(rounds->sender);
    loop_timer_close(&rounds->timer);
}

void rounds_free(struct rounds *rounds)
{
    if (rounds != NULL) {
        POT_ASSERT(!rounds->timer.is_open);
        group_trust_fini(&rounds->shared.trust);
        tellers_fini(&rounds->shared.tellers);
        newcomers_fini(&rounds->validators);
        newcomers_fini(&rounds->others);
        free(rounds);
    }
}

void rounds_stats(const struct rounds *rounds, struct rounds_stats *out)
{
    *out = rounds->shared.stats;
}

void rounds_workers(const struct rounds *rounds, struct workers_stats *out)
{
    *out = (struct workers_stats){0};
    if (!rounds->is_stopped) {
        audits_workers(rounds->shared.audits, out);
    }
}
