#include "config.h"

#include "node/round/miner.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "node/block/chain.h"
#include "node/block/execution.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/hold/stored.h"
#include "node/round/round_job.h"
#include "node/tx/intake.h"
#include "p2p/gossip.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/fee.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "training/quantise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS   120000
#define TICK_MS       500
#define RESEND_MS     3000
#define JOIN_AGAIN_MS 5000
/* A join that no block took by then may be sent again. */
#define JOIN_EXPIRY_BLOCKS 20

enum task_state {
    TASK_IDLE,    /* nothing to do in the open round */
    TASK_LACKING, /* data or parameters are not there yet */
    TASK_COMPUTING,
    TASK_SUBMITTED,
};

struct mined { /* a running task */
    struct miner *miner;
    Pot__TaskRecord *task;
    struct hash name;
    struct model_shape shape;
    enum task_state state;
    uint8_t *message; /* TASK_SUBMITTED: its encoding, to be sent again */
    size_t message_size;
    uint64_t sent_ms;
    uint64_t join_ms; /* when a join was sent; 0: never */
    bool wants_data;
};

struct miner {
    struct miner_config config;
    struct workers *workers;
    struct map tasks; /* task -> struct mined */
    uv_timer_t timer;
    bool timer_is_open;
    bool is_stopped;
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

static bool is_in(Pot__RosterEntry *const *entries, size_t count,
                  const struct public_key *key)
{
    for (size_t i = 0; i < count; i++) {
        if (codec_bytes_equal(entries[i]->miner, key->b, PUBLIC_KEY_SIZE)) {
            return true;
        }
    }
    return false;
}

static void on_joined(void *context, const struct intake_receipt *receipt)
{
    struct mined *mined = context;
    char text[HASH_TEXT_SIZE];
    bool is_taken = intake_is_taken(receipt);
    LOG(is_taken ? LOG_INFO : LOG_WARN, "node",
        is_taken ? "joining task" : "cannot join task",
        log_text("task", hash_format(&mined->name, text)),
        log_text("why", is_taken ? "" : intake_text(receipt)));
}

static void send_join(struct mined *mined)
{
    struct miner *miner = mined->miner;
    const struct state state = stored_state(miner->config.env->store);
    struct account account;
    size_t size;
    Pot__SupplyRecord *supply = ledger_supply(&state);
    Pot__JoinTask join = POT__JOIN_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    (void)ledger_account(&state, own_key(miner), &account);
    join.task = codec_bytes(mined->name.b, HASH_SIZE);
    body.chain_id = codec_bytes(miner->config.env->chain.b, HASH_SIZE);
    body.nonce = account.nonce;
    body.expiry_height =
        chain_tip(miner->config.chain)->height + JOIN_EXPIRY_BLOCKS;
    body.action_case = POT__TX_BODY__ACTION_JOIN_TASK;
    body.join_task = &join;
    body.fee = fee_estimate(supply->params, &body).units;
    Pot__Signed *tx = signed_make(SIGNED_TX, &miner->config.env->chain,
                                  miner->config.key, &body);
    uint8_t *data = codec_encode(&size, tx);
    intake_submit(miner->config.intake, data, size, on_joined, mined);
    mined->join_ms = uv_now(miner->config.loop);
    free(data);
    codec_free(tx);
    codec_free(supply);
}

static void join_if_wanted(struct mined *mined)
{
    uint64_t now = uv_now(mined->miner->config.loop);
    bool is_member = is_in(mined->task->members, mined->task->n_members,
                           own_key(mined->miner));
    bool was_sent = mined->join_ms != 0 && now < mined->join_ms + JOIN_AGAIN_MS;
    if (!is_member && !was_sent && is_wanted(mined->miner, &mined->name)) {
        send_join(mined);
    }
}

/* ---- submitting */

static void send_own(struct mined *mined, Pot__Signed *message)
{
    struct miner *miner = mined->miner;
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    free(mined->message);
    mined->message = data;
    mined->message_size = size;
    mined->state = TASK_SUBMITTED;
    mined->sent_ms = uv_now(miner->config.loop);
    miner->stats.submitted++;
    gossip_publish(miner->config.gossip, MESSAGE_SUBMISSION, data, size);
    miner->config.on_submission(miner->config.context, message);
}

static void submit(struct mined *mined, const int64_t *sums, int64_t loss_sum)
{
    struct miner *miner = mined->miner;
    const Pot__TaskSpec *spec = mined->task->spec;
    unsigned width =
        spec->compression == POT__COMPRESSION__COMPRESSION_INT16 ? 2 : 1;
    size_t size = gradient_bytes(&mined->shape, width);
    uint8_t *payload = pot_alloc(size);
    struct hash hash;
    Pot__SubmissionBody body = POT__SUBMISSION_BODY__INIT;
    quantise_gradient(payload, &mined->shape, width, sums,
                      spec->rows_per_miner);
    blob_hash(&hash, payload, size);
    (void)blob_pool_put(miner->config.env->pool, &hash, payload, size);
    free(payload);
    char core[33];
    (void)snprintf(core, sizeof(core), "%s", workers_core(miner->workers));
    body.task = mined->task->task;
    body.round = mined->task->round;
    body.parameters_hash = mined->task->parameters_hash;
    body.rows = spec->rows_per_miner;
    body.payload_hash = codec_bytes(hash.b, HASH_SIZE);
    body.payload_bytes = size;
    body.loss = fixed_divide(loss_sum, spec->rows_per_miner);
    body.blas_core = core;
    body.workers = miner->config.workers;
    Pot__Signed *message = signed_make(
        SIGNED_SUBMISSION, &miner->config.env->chain, miner->config.key, &body);
    send_own(mined, message);
    codec_free(message);
}

static void on_computed(void *context, enum pot_err err, const char *why,
                        const int64_t *sums, int64_t loss_sum)
{
    struct mined *mined = context;
    struct miner *miner = mined->miner;
    if (err != POT_OK) {
        LOG(LOG_ERROR, "node", "gradient not computed",
            log_u64("round", mined->task->round), log_text("why", why));
        mined->state = TASK_LACKING; /* the next tick tries again */
        return;
    }
    miner->stats.computed++;
    submit(mined, sums, loss_sum);
}

static void compute(struct mined *mined)
{
    struct miner *miner = mined->miner;
    struct workers_job job;
    enum pot_err err =
        round_job_make(&job, miner->config.env, mined->task, own_key(miner));
    mined->state = TASK_LACKING;
    if (err == POT_OK) {
        if (workers_submit(miner->workers, &job, on_computed, mined) ==
            POT_OK) {
            mined->state = TASK_COMPUTING;
        }
        workers_job_fini(&job);
    } else if (!mined->wants_data) {
        mined->wants_data = true;
        needs_task_data(miner->config.needs, mined->task->spec, NULL, NULL);
    }
}

/* ---- tasks come and go */

static void mined_free(struct mined *mined)
{
    codec_free(mined->task);
    free(mined->message);
    free(mined);
}

static void forget(struct mined *mined)
{
    struct miner *miner = mined->miner;
    workers_forget(miner->workers, mined);
    intake_forget(miner->config.intake, mined);
    if (mined->state == TASK_COMPUTING) {
        miner->stats.discarded++;
    }
}

static bool is_same_round(const Pot__TaskRecord *a, const Pot__TaskRecord *b)
{
    return a->round == b->round && a->opened_height == b->opened_height;
}

/* The task's record at the new tip; takes it. */
static void update(struct mined *mined, Pot__TaskRecord *task)
{
    bool is_new_round =
        mined->task == NULL || !is_same_round(mined->task, task);
    if (is_new_round && mined->state == TASK_COMPUTING) {
        forget(mined);
    }
    codec_free(mined->task);
    mined->task = task;
    if (is_new_round) {
        mined->state = TASK_IDLE;
        if (is_in(task->roster, task->n_roster, own_key(mined->miner))) {
            compute(mined);
        }
    }
    join_if_wanted(mined);
}

static void drop_ended(struct miner *miner, const struct state *state)
{
    size_t count = miner->tasks.count;
    size_t cursor = 0;
    const struct map_slot *slot;
    struct mined **all = pot_calloc(count, sizeof(*all));
    for (size_t i = 0; (slot = map_next(&miner->tasks, &cursor)) != NULL; i++) {
        all[i] = slot->value;
    }
    for (size_t i = 0; i < count; i++) {
        Pot__TaskRecord *task = ledger_task(state, &all[i]->name);
        if (task == NULL || task->status != POT__TASK_STATUS__TASK_RUNNING) {
            (void)map_remove(&miner->tasks, all[i]->name.b);
            forget(all[i]);
            mined_free(all[i]);
        }
        codec_free(task);
    }
    free(all);
}

static struct mined *mined_of(struct miner *miner, const struct hash *name,
                              const Pot__TaskRecord *task)
{
    struct mined *mined = map_get(&miner->tasks, name->b);
    if (mined == NULL) {
        mined = pot_calloc(1, sizeof(*mined));
        mined->miner = miner;
        mined->name = *name;
        enum pot_err err =
            model_shape_from_spec(&mined->shape, task->spec->model);
        POT_ASSERT(err == POT_OK); /* the ledger took the task */
        (void)map_put(&miner->tasks, name->b, mined);
        if (is_wanted(miner, name)) {
            mined->wants_data = true;
            needs_task_data(miner->config.needs, task->spec, NULL, NULL);
        }
    }
    return mined;
}

void miner_refresh(struct miner *miner)
{
    const struct state state = stored_state(miner->config.env->store);
    if (miner->is_stopped) {
        return;
    }
    drop_ended(miner, &state);
    Pot__HashList *running = ledger_running(&state);
    for (size_t i = 0; i < running->n_hashes; i++) {
        struct hash name;
        Pot__TaskRecord *task = NULL;
        if (codec_hash(&name, running->hashes[i])) {
            task = ledger_task(&state, &name);
        }
        if (task != NULL) {
            update(mined_of(miner, &name, task), task);
        }
    }
    codec_free(running);
}

static void on_tick(uv_timer_t *timer)
{
    struct miner *miner = timer->data;
    uint64_t now = uv_now(miner->config.loop);
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&miner->tasks, &cursor)) != NULL) {
        struct mined *mined = slot->value;
        if (mined->state == TASK_LACKING) {
            mined->wants_data = false;
            compute(mined);
        } else if (mined->state == TASK_SUBMITTED &&
                   now >= mined->sent_ms + RESEND_MS) {
            mined->sent_ms = now;
            gossip_publish(miner->config.gossip, MESSAGE_SUBMISSION,
                           mined->message, mined->message_size);
        }
        join_if_wanted(mined);
    }
}

struct miner *miner_new(const struct miner_config *config)
{
    struct miner *miner = pot_calloc(1, sizeof(*miner));
    miner->config = *config;
    const struct workers_config workers = {
        .loop = config->loop,
        .program = config->worker_program,
        .core = config->blas_core,
        .count = config->workers,
        .deadline_ms = DEADLINE_MS,
    };
    miner->workers = workers_new(&workers);
    (void)uv_timer_init(config->loop, &miner->timer);
    miner->timer.data = miner;
    miner->timer_is_open = true;
    (void)uv_timer_start(&miner->timer, on_tick, TICK_MS, TICK_MS);
    return miner;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct miner *miner = handle->data;
    miner->timer_is_open = false;
}

void miner_stop(struct miner *miner)
{
    miner->is_stopped = true;
    workers_free(miner->workers);
    miner->workers = NULL;
    uv_close((uv_handle_t *)&miner->timer, on_timer_closed);
}

void miner_free(struct miner *miner)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    if (miner == NULL) {
        return;
    }
    POT_ASSERT(!miner->timer_is_open);
    while ((slot = map_next(&miner->tasks, &cursor)) != NULL) {
        mined_free(slot->value);
    }
    map_fini(&miner->tasks);
    free(miner);
}

void miner_stats(const struct miner *miner, struct miner_stats *out)
{
    *out = miner->stats;
    if (miner->workers != NULL) {
        workers_stats(miner->workers, &out->workers);
    }
}

const char *miner_core(const struct miner *miner)
{
    return miner->workers != NULL ? workers_core(miner->workers) : "";
}
