/* A task in a round whose roster names this miner, with the function on each
 * edge; a new round begins anew, from any state:
 *
 *                          on_loaded              on_computed
 *   begin --> MINED_LOADING ---------> COMPUTING -------------> PACKING
 *                ^     |                  |                        |
 *        on_tick |     | on_loaded        | on_computed: failed    | on_packed
 *                |     v                  |                        v
 *             MINED_LACKING <-------------'   SUBMITTED <----- COMMITTED
 *                                                 miner_reveal
 *
 * In other rounds it is MINED_IDLE, and in one whose gradient is no finite
 * number. */
#include "config.h"

#include "node/round/miner.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/key.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "ledger/roster.h"
#include "node/block/chain.h"
#include "node/block/needs.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/loop/loop_timer.h"
#include "node/round/hearsay.h"
#include "node/round/join_pause.h"
#include "node/round/joining.h"
#include "node/round/payload.h"
#include "node/round/planter.h"
#include "node/round/round_load.h"
#include "node/round/rounds.h"
#include "node/tx/own_tx.h"
#include "p2p/gossip.h"
#include "p2p/sync.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS       500
#define RESEND_MS     3000
#define JOIN_AGAIN_MS 5000

enum mined_state {
    MINED_IDLE,
    MINED_LACKING, /* data or parameters are not here, or a worker failed */
    MINED_LOADING,
    MINED_COMPUTING,
    MINED_PACKING,
    MINED_COMMITTED, /* the submission is fixed, and nobody has seen it */
    MINED_SUBMITTED,
};

struct mined_task { /* a running task */
    struct miner *miner;
    Pot__TaskRecord *record;
    struct hash task;
    enum mined_state state;
    struct round_load *load;   /* MINED_LOADING */
    struct round_input *input; /* MINED_COMPUTING, MINED_PACKING */
    struct payload *payload;   /* MINED_PACKING */
    int64_t loss;              /* MINED_PACKING: Q40.24, the mean */
    bool has_link;             /* MINED_PACKING: the task has plants */
    struct hash link;          /* has_link: of the round */
    struct hash secret;        /* has_link: behind it */
    Pot__Signed *commitment;   /* MINED_COMMITTED, MINED_SUBMITTED */
    Pot__Signed *submission;   /* the same */
    uint64_t sent_ms;
    uint64_t join_ms; /* when a join was sent; 0: never */
    struct hash join; /* that transaction */
};

struct miner {
    struct miner_config config;
    struct joining *joining;
    struct planter *planter;
    struct workers *workers;
    struct map tasks; /* task -> struct mined_task */
    struct loop_timer timer;
    bool is_stopped;
    struct hearsay hearsay;
    struct join_pause pause;
    uint64_t failed; /* jobs, that the pause knows of */
    struct miner_stats stats;
};

static const struct public_key *own_key(const struct miner *miner)
{
    return key_public(miner->config.key);
}

/* ---- joining */

static bool is_wanted(const struct miner *miner, const struct hash *task)
{
    char text[HASH_TEXT_SIZE];
    (void)hash_format(task, text);
    for (size_t i = 0; i < miner->config.task_count; i++) {
        const char *wanted = miner->config.tasks[i];
        if (strcmp(wanted, "any") == 0 || strcmp(wanted, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_in(const struct miner *miner, struct roster roster)
{
    size_t index;
    return roster_find(roster, own_key(miner), &index);
}

static void look_at_workers(struct miner *miner, uint64_t now_ms)
{
    struct workers_stats stats;
    workers_stats(miner->workers, &stats);
    if (stats.failed == miner->failed) {
        return;
    }
    miner->failed = stats.failed;
    if (join_pause_failed(&miner->pause, now_ms)) {
        LOG(LOG_WARN, "node", "workers fail: joining no task for a while",
            log_u64("seconds", miner->pause.wait_ms / 1000));
    }
}

/* A join costs a fee: who cannot compute now would only miss the round. */
static void join_if_wanted(struct mined_task *mined)
{
    struct miner *miner = mined->miner;
    uint64_t now = uv_now(miner->config.loop);
    bool has_to_wait = hearsay_is_behind(&miner->hearsay,
                                         chain_tip(miner->config.chain)->height,
                                         sync_target(miner->config.sync), now);
    look_at_workers(miner, now);
    bool was_sent =
        mined->join_ms != 0 && (now < mined->join_ms + JOIN_AGAIN_MS ||
                                joining_waits(miner->joining, &mined->join));
    if (!was_sent && !has_to_wait && workers_is_able(miner->workers) &&
        join_pause_is_over(&miner->pause, now) &&
        !is_in(miner, roster_of_members(mined->record)) &&
        is_wanted(miner, &mined->task) &&
        joining_ask(miner->joining, &mined->task, &mined->join)) {
        mined->join_ms = now;
        join_pause_joined(&miner->pause);
    }
}

/* ---- submitting */

static void publish(const struct mined_task *mined, uint8_t type,
                    const Pot__Signed *message)
{
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    gossip_publish(mined->miner->config.gossip, type, data, size);
    free(data);
}

/* Whoever has restarted since needs the commitment too. */
static void publish_own(struct mined_task *mined)
{
    mined->sent_ms = uv_now(mined->miner->config.loop);
    publish(mined, MESSAGE_COMMITMENT, mined->commitment);
    if (mined->state == MINED_SUBMITTED) {
        publish(mined, MESSAGE_SUBMISSION, mined->submission);
    }
}

static void reveal(struct mined_task *mined)
{
    struct miner *miner = mined->miner;
    mined->state = MINED_SUBMITTED;
    mined->sent_ms = uv_now(miner->config.loop);
    miner->stats.submitted++;
    publish(mined, MESSAGE_SUBMISSION, mined->submission);
    (void)rounds_submission(miner->config.rounds, mined->submission, 0);
}

static void commit(struct mined_task *mined)
{
    const struct miner_config *c = &mined->miner->config;
    struct hash digest;
    Pot__CommitmentBody body = POT__COMMITMENT_BODY__INIT;
    round_commitment_digest(&digest, mined->submission);
    body.task = mined->record->task;
    body.round = mined->record->round;
    body.digest = codec_bytes(digest.b, HASH_SIZE);
    mined->commitment =
        signed_make(SIGNED_COMMITMENT, &c->holdings->chain, c->key, &body);
    mined->state = MINED_COMMITTED;
    publish_own(mined);
    (void)rounds_commitment(c->rounds, mined->commitment, 0);
    if (rounds_may_reveal(c->rounds, &mined->task, mined->record->round)) {
        reveal(mined);
    }
}

void miner_reveal(struct miner *miner, const struct hash *task)
{
    struct mined_task *mined = map_get(&miner->tasks, task->b);
    if (mined != NULL && mined->state == MINED_COMMITTED &&
        rounds_may_reveal(miner->config.rounds, task, mined->record->round)) {
        reveal(mined);
    }
}

/* The same after a restart, so that the submission is the one that was
 * committed to; a signature is what nobody else can make. */
static void make_salt(struct hash *out, const struct mined_task *mined)
{
    const struct miner_config *c = &mined->miner->config;
    struct signature signature;
    struct hash round;
    round_seed(&round, &mined->task, mined->record->round, &mined->task);
    bool is_signed = key_sign(&signature, c->key, "salt", &c->holdings->chain,
                              round.b, HASH_SIZE);
    POT_ASSERT(is_signed); /* a miner's key is in memory */
    hash_bytes(out, "salt", signature.b, SIGNATURE_SIZE);
}

static void on_packed(void *context, const struct hash *hash, size_t size,
                      bool is_planted)
{
    struct mined_task *mined = context;
    const struct miner *miner = mined->miner;
    const struct miner_config *c = &miner->config;
    char core[ROUND_BLAS_CORE_MAX + 1];
    struct hash salt;
    Pot__SubmissionBody body = POT__SUBMISSION_BODY__INIT;
    mined->payload = NULL;
    (void)snprintf(core, sizeof(core), "%s", workers_core(miner->workers));
    body.task = mined->record->task;
    body.round = mined->record->round;
    body.parameters_hash = mined->record->parameters_hash;
    body.rows = mined->record->spec->rows_per_miner;
    body.payload_hash = codec_bytes(hash->b, HASH_SIZE);
    body.payload_bytes = size;
    body.loss = mined->loss;
    body.blas_core = core;
    body.workers = c->workers;
    make_salt(&salt, mined);
    body.salt = codec_bytes(salt.b, HASH_SIZE);
    if (mined->has_link) {
        body.link = codec_bytes(mined->link.b, HASH_SIZE);
    }
    mined->submission =
        signed_make(SIGNED_SUBMISSION, &c->holdings->chain, c->key, &body);
    if (is_planted) {
        planter_note(miner->planter, mined->submission, &mined->secret);
    }
    commit(mined);
}

static void on_computed(void *context, enum pot_err err, const char *why,
                        int64_t *sums, int64_t loss_sum)
{
    struct mined_task *mined = context;
    struct miner *miner = mined->miner;
    const Pot__TaskSpec *spec = mined->record->spec;
    bool is_plant;
    if (err == POT_OK || err == POT_ERANGE) {
        look_at_workers(miner, uv_now(miner->config.loop));
        join_pause_done(&miner->pause);
    }
    if (err == POT_ERANGE) { /* which it will be again, for these rows */
        miner->stats.diverged++;
        LOG(LOG_ERROR, "node", "gradient not finite: nothing is submitted",
            log_u64("round", mined->record->round),
            log_text("why", "the task diverges: its learning_rate or "
                            "local_rate is too high"));
        mined->state = MINED_IDLE;
        return;
    }
    if (err != POT_OK) {
        LOG(LOG_ERROR, "node", "gradient not computed",
            log_u64("round", mined->record->round), log_text("why", why));
        mined->state = MINED_LACKING; /* the next tick tries again */
        return;
    }
    miner->stats.computed++;
    mined->state = MINED_PACKING;
    mined->loss = fixed_divide(loss_sum, spec->rows_per_miner);
    mined->has_link = planter_plan(miner->planter, mined->record, &mined->link,
                                   &is_plant, &mined->secret);
    mined->payload = payload_start(
        miner->config.loop, miner->config.holdings->pool, mined->input, sums,
        is_plant ? &mined->secret : NULL, on_packed, mined);
}

/* What is not to be held whole comes with the rows of each round. */
static void want_data(struct mined_task *mined)
{
    const struct miner_config *c = &mined->miner->config;
    if (c->holdings->chunks == NULL) {
        needs_task_data(c->needs, mined->record->spec, NULL, NULL);
    }
}

static void on_loaded(void *context, enum pot_err err,
                      struct round_input *input)
{
    struct mined_task *mined = context;
    struct miner *miner = mined->miner;
    mined->load = NULL;
    mined->state = MINED_LACKING;
    if (err != POT_OK) {
        want_data(mined);
        return;
    }
    round_input_unref(mined->input);
    mined->input = input;
    if (workers_submit(miner->workers, input,
                       round_input_rows(input, own_key(miner)), on_computed,
                       mined) == POT_OK) {
        mined->state = MINED_COMPUTING;
    }
}

static void begin(struct mined_task *mined)
{
    const struct miner_config *c = &mined->miner->config;
    mined->state = MINED_LOADING;
    mined->load =
        round_load_start(c->loop, c->holdings, mined->record, on_loaded, mined);
}

/* The round is over, or the task: what is under way is of no use. */
static void give_up(struct mined_task *mined)
{
    struct miner *miner = mined->miner;
    if (mined->state == MINED_COMPUTING || mined->state == MINED_PACKING) {
        miner->stats.discarded++;
    }
    workers_forget(miner->workers, mined);
    round_load_forget(mined->load);
    payload_forget(mined->payload);
    round_input_unref(mined->input);
    codec_free(mined->commitment);
    codec_free(mined->submission);
    mined->load = NULL;
    mined->payload = NULL;
    mined->input = NULL;
    mined->commitment = NULL;
    mined->submission = NULL;
    mined->state = MINED_IDLE;
}

/* ---- tasks come and go */

static struct mined_task *mined_new(struct miner *miner,
                                    const struct hash *task,
                                    Pot__TaskRecord *record)
{
    struct mined_task *mined = pot_calloc(1, sizeof(*mined));
    mined->miner = miner;
    mined->task = *task;
    mined->record = record;
    if (is_wanted(miner, task)) {
        want_data(mined);
    }
    return mined;
}

static void mined_free(struct mined_task *mined)
{
    give_up(mined);
    codec_free(mined->record);
    free(mined);
}

static void begin_round(struct mined_task *mined)
{
    if (is_in(mined->miner, roster_of_round(mined->record))) {
        begin(mined);
    }
}

/* The task's record at the new tip; takes it. */
static void update(struct mined_task *mined, Pot__TaskRecord *record)
{
    bool is_same = mined->record->round == record->round &&
                   mined->record->opened_height == record->opened_height;
    codec_free(mined->record);
    mined->record = record;
    if (!is_same) {
        give_up(mined);
        begin_round(mined);
    }
}

static void refresh_task(struct miner *miner, const struct hash *task,
                         Pot__TaskRecord *record)
{
    struct mined_task *mined = map_get(&miner->tasks, task->b);
    if (mined != NULL) {
        update(mined, record);
    } else {
        mined = mined_new(miner, task, record);
        (void)map_put(&miner->tasks, task->b, mined);
        begin_round(mined);
    }
    join_if_wanted(mined);
}

static void drop_ended(struct miner *miner, const struct state *state)
{
    size_t count = miner->tasks.count;
    void **all = map_values(&miner->tasks);
    for (size_t i = 0; i < count; i++) {
        struct mined_task *mined = all[i];
        Pot__TaskRecord *record = ledger_task(state, &mined->task);
        if (record == NULL ||
            record->status != POT__TASK_STATUS__TASK_RUNNING) {
            (void)map_remove(&miner->tasks, mined->task.b);
            mined_free(mined);
        }
        codec_free(record);
    }
    free(all);
}

void miner_refresh(struct miner *miner)
{
    const struct state state = stored_state(miner->config.holdings->store);
    if (miner->is_stopped) {
        return;
    }
    drop_ended(miner, &state);
    Pot__HashList *running = ledger_running(&state);
    for (size_t i = 0; i < running->n_hashes; i++) {
        struct hash task;
        Pot__TaskRecord *record = NULL;
        if (codec_hash(&task, running->hashes[i])) {
            record = ledger_task(&state, &task);
        }
        if (record != NULL) {
            refresh_task(miner, &task, record);
        }
    }
    codec_free(running);
    planter_refresh(miner->planter, &state);
}

static void on_tick(void *context)
{
    struct miner *miner = context;
    uint64_t now = uv_now(miner->config.loop);
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&miner->tasks, &cursor)) != NULL) {
        struct mined_task *mined = slot->value;
        if (mined->state == MINED_LACKING) {
            begin(mined);
        } else if (mined->commitment != NULL &&
                   now >= mined->sent_ms + RESEND_MS) {
            publish_own(mined);
        }
        join_if_wanted(mined);
    }
}

/* ---- the miner */

static struct workers *open_workers(const struct miner_config *config)
{
    const struct workers_config workers = {
        .loop = config->loop,
        .program = config->worker_program,
        .core = config->blas_core,
        .exact = config->exact_kernel,
        .count = config->workers,
        .deadline_ms = WORKERS_DEADLINE_MS,
        .holdings = config->holdings,
        .needs = config->needs,
    };
    return workers_new(&workers);
}

struct miner *miner_new(const struct miner_config *config)
{
    struct miner *miner = pot_calloc(1, sizeof(*miner));
    const struct own_tx_config own = {
        .holdings = config->holdings,
        .chain = config->chain,
        .mempool = config->mempool,
        .intake = config->intake,
        .key = config->key,
    };
    miner->config = *config;
    miner->joining = joining_new(&own);
    miner->planter = planter_new(&own);
    miner->workers = open_workers(config);
    loop_timer_open(&miner->timer, config->loop, on_tick, miner);
    loop_timer_start(&miner->timer, TICK_MS, TICK_MS);
    return miner;
}

void miner_stop(struct miner *miner)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    miner->is_stopped = true;
    while ((slot = map_next(&miner->tasks, &cursor)) != NULL) {
        mined_free(slot->value);
    }
    map_fini(&miner->tasks);
    joining_free(miner->joining);
    planter_free(miner->planter);
    workers_free(miner->workers);
    miner->workers = NULL;
    loop_timer_close(&miner->timer);
}

void miner_free(struct miner *miner)
{
    if (miner != NULL) {
        POT_ASSERT(!miner->timer.is_open);
        free(miner);
    }
}

void miner_stats(const struct miner *miner, struct miner_stats *out)
{
    *out = miner->stats;
    if (miner->workers != NULL) {
        workers_stats(miner->workers, &out->workers);
    }
}
