#include "config.h"

#include "node/block/chain.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "node/hold/stored.h"
#include "proto/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Write sets of checked blocks that may yet be committed at this height. */
#define KEPT_MAX 4
/* Held blobs of no more use are let go so many at a time: it costs a write. */
#define RELEASED_MAX 64

enum job_type { JOB_PROPOSE, JOB_CHECK, JOB_APPLY };

struct job {
    uv_work_t work;
    struct chain *chain;
    struct job *next;
    enum job_type type;

    struct execution_request *request; /* JOB_PROPOSE */
    uint8_t *data;                     /* JOB_CHECK, JOB_APPLY */
    size_t size;
    struct hash digest;
    uint64_t height; /* JOB_CHECK */
    uint64_t now_ms;
    uint8_t *certificate; /* JOB_APPLY */
    size_t certificate_size;
    struct hash *released; /* JOB_APPLY: let go of these too */
    size_t released_count;

    struct chain_tip parent; /* the tip when it began */
    struct executed *executed;
    enum pot_err err;
    char why[256];

    void (*propose_done)(void *, enum pot_err, const struct executed *);
    void (*check_done)(void *, enum pot_err, bool, const char *);
    void (*apply_done)(void *, enum pot_err, const char *);
    void *context;
};

struct chain {
    uv_loop_t *loop;
    struct holdings env;
    struct chain_tip tip;
    struct executed *kept; /* the newest first */
    struct hash *released; /* blobs that need not be held any more */
    size_t released_count;
    struct job *first; /* the one at work, then those that wait */
    bool is_working;   /* the first is off the loop, or is being finished */
    chain_applied_fn *applied;
    void *context;
    bool is_stopped;
};

static void start_next(struct chain *chain);

/* ---- the tip */

static enum pot_err read_tip(struct chain *chain, const Pot__Genesis *genesis)
{
    struct store *store = chain->env.store;
    struct chain_tip *tip = &chain->tip;
    bool has_tip = store_tip(store, &tip->height, &tip->hash, &tip->state_root);
    POT_ASSERT(has_tip);
    if (tip->height == 0) {
        tip->time_ms = genesis->time_ms;
        return POT_OK;
    }
    struct block *block;
    Pot__CommitCertificate *certificate = NULL;
    enum pot_err err = stored_block(&block, store, tip->height);
    if (err == POT_OK) {
        tip->time_ms = block->header->time_ms;
        err = stored_certificate(&certificate, store, tip->height);
    }
    if (err == POT_OK) {
        tip->view = certificate->view;
    }
    block_free(block);
    codec_free(certificate);
    return err;
}

/* The genesis of the store is this one: its hash stands at height 0. */
static enum pot_err check_genesis(const struct holdings *env)
{
    uint64_t height;
    enum pot_err err =
        store_get_block_height(env->store, &env->genesis_hash, &height);
    return err == POT_ENOENT ? POT_EGUARD : err;
}

enum pot_err chain_open(struct chain **out, uv_loop_t *loop,
                        const struct holdings *env, const Pot__Genesis *genesis,
                        chain_applied_fn *applied, void *context)
{
    enum pot_err err = POT_OK;
    struct chain *chain = pot_calloc(1, sizeof(*chain));
    chain->loop = loop;
    chain->env = *env;
    chain->applied = applied;
    chain->context = context;
    if (!store_tip(env->store, NULL, NULL, NULL)) {
        err = execution_genesis(env, genesis);
    }
    if (err == POT_OK) {
        err = check_genesis(env);
    }
    if (err == POT_OK) {
        err = read_tip(chain, genesis);
    }
    if (err != POT_OK) {
        free(chain);
        chain = NULL;
    }
    *out = chain;
    return err;
}

const struct chain_tip *chain_tip(const struct chain *chain)
{
    return &chain->tip;
}

/* ---- checked blocks */

static struct executed *find_kept(struct chain *chain, const struct hash *hash)
{
    struct executed *at = chain->kept;
    while (at != NULL && !hash_equal(&at->block->hash, hash)) {
        at = at->next;
    }
    return at;
}

static void release(struct chain *chain, const struct executed *executed)
{
    if (executed->held_count > 0) {
        size_t count = chain->released_count + executed->held_count;
        chain->released =
            pot_realloc(chain->released, count, sizeof(*chain->released));
        memcpy(chain->released + chain->released_count, executed->held,
               executed->held_count * sizeof(*executed->held));
        chain->released_count = count;
    }
}

static void drop_kept(struct chain *chain, size_t keep)
{
    struct executed **at = &chain->kept;
    for (; *at != NULL && keep > 0; keep--) {
        at = &(*at)->next;
    }
    while (*at != NULL) {
        struct executed *gone = *at;
        *at = gone->next;
        release(chain, gone);
        executed_free(gone);
    }
}

static void keep(struct chain *chain, struct executed *executed)
{
    executed->next = chain->kept;
    chain->kept = executed;
    drop_kept(chain, KEPT_MAX);
}

static bool name_of(struct hash *hash, uint64_t *height, const void *data,
                    size_t size)
{
    struct block *block = NULL;
    bool is_block = block_open(&block, data, size) == POT_OK;
    if (is_block) {
        *hash = block->hash;
        *height = block->header->height;
        block_free(block);
    }
    return is_block;
}

bool chain_has_checked(struct chain *chain, const void *data, size_t size)
{
    struct hash digest;
    uint64_t height;
    return name_of(&digest, &height, data, size) &&
           find_kept(chain, &digest) != NULL;
}

static struct executed *take_kept(struct chain *chain, const struct hash *hash)
{
    struct executed **at = &chain->kept;
    while (*at != NULL && !hash_equal(&(*at)->block->hash, hash)) {
        at = &(*at)->next;
    }
    struct executed *taken = *at;
    if (taken != NULL) {
        *at = taken->next;
        taken->next = NULL;
    }
    return taken;
}

/* ---- jobs, off the loop */

/* What is found valid may be voted for: what it takes is stored first. */
static void hold(struct job *job, const struct holdings *env)
{
    if (job->executed == NULL) {
        return;
    }
    job->err = execution_hold(env, job->executed);
    if (job->err != POT_OK) {
        (void)snprintf(job->why, sizeof(job->why), "its blobs: %s",
                       err_text(job->err));
        executed_free(job->executed);
        job->executed = NULL;
    }
}

static void let_go(struct job *job, const struct holdings *env)
{
    /* A failure leaves them held a little longer. */
    if (job->released != NULL &&
        store_blobs_release(env->store, job->released, job->released_count) !=
            POT_OK) {
        return;
    }
}

static void work_apply(struct job *job, const struct holdings *env)
{
    if (job->executed == NULL) {
        job->executed = execution_check(env, &job->parent, job->data, job->size,
                                        0, true, job->why);
    }
    job->err = job->executed == NULL
                   ? POT_EFORMAT
                   : execution_commit(env, &job->parent, job->executed,
                                      job->certificate, job->certificate_size);
}

static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    const struct holdings *env = &job->chain->env;
    switch (job->type) {
    case JOB_PROPOSE:
        job->err = execution_propose(&job->executed, env, job->request);
        hold(job, env);
        break;
    case JOB_CHECK:
        job->executed = execution_check(env, &job->parent, job->data, job->size,
                                        job->now_ms, false, job->why);
        hold(job, env);
        break;
    case JOB_APPLY:
        work_apply(job, env);
        let_go(job, env);
        break;
    }
}

/* ---- jobs, on the loop */

static void job_free(struct job *job)
{
    execution_request_free(job->request);
    executed_free(job->executed);
    free(job->data);
    free(job->released);
    free(job->certificate);
    free(job);
}

static void finish_propose(struct chain *chain, struct job *job)
{
    const struct executed *made = job->executed;
    job->propose_done(job->context, job->err, made);
    if (made != NULL && find_kept(chain, &made->block->hash) == NULL) {
        keep(chain, job->executed);
        job->executed = NULL;
    }
}

static void finish_check(struct chain *chain, struct job *job)
{
    bool is_valid = job->executed != NULL;
    if (is_valid) {
        keep(chain, job->executed);
        job->executed = NULL;
    }
    job->check_done(job->context, POT_OK, is_valid, job->why);
}

static void finish_apply(struct chain *chain, struct job *job)
{
    if (job->err == POT_OK) {
        const struct executed *e = job->executed;
        struct chain_tip *tip = &chain->tip;
        Pot__CommitCertificate *certificate = NULL;
        enum pot_err err =
            CODEC_DECODE(&certificate, pot__commit_certificate,
                         job->certificate, job->certificate_size);
        POT_ASSERT(err == POT_OK); /* it was verified */
        tip->height = e->block->header->height;
        tip->time_ms = e->block->header->time_ms;
        tip->hash = e->block->hash;
        tip->view = certificate->view;
        bool is_right =
            codec_hash(&tip->state_root, e->block->header->state_root);
        POT_ASSERT(is_right);
        codec_free(certificate);
        release(chain, e);
        drop_kept(chain, 0); /* they stood on the old tip */
        chain->applied(chain->context, e);
    }
    job->apply_done(job->context, job->err, job->why);
}

static void finish(struct chain *chain, struct job *job)
{
    switch (job->type) {
    case JOB_PROPOSE:
        finish_propose(chain, job);
        break;
    case JOB_CHECK:
        finish_check(chain, job);
        break;
    case JOB_APPLY:
        finish_apply(chain, job);
        break;
    }
}

static void on_worked(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct chain *chain = job->chain;
    POT_ASSERT(status == 0); /* nobody cancels */
    finish(chain, job);
    chain->first = job->next;
    chain->is_working = false;
    job_free(job);
    start_next(chain);
}

/* Why an apply cannot begin, POT_OK if it can. */
static enum pot_err apply_obstacle(struct chain *chain, struct job *job)
{
    struct block *block = NULL;
    uint64_t next = chain->tip.height + 1;
    enum pot_err err = block_open(&block, job->data, job->size);
    if (err == POT_OK && block->header->height != next) {
        err = block->header->height < next ? POT_EEXIST : POT_ERANGE;
    }
    if (err == POT_OK) {
        job->executed = take_kept(chain, &block->hash);
    }
    block_free(block);
    return err;
}

/* Answers a job that needs no work, or cannot be done; true if it did. */
static bool settle(struct chain *chain, struct job *job)
{
    enum pot_err stopped = chain->is_stopped ? POT_ECANCELLED : POT_OK;
    enum pot_err err = stopped;
    bool is_kept = false;
    switch (job->type) {
    case JOB_PROPOSE:
        if (job->request->parent.height != chain->tip.height) {
            err = POT_ECANCELLED;
        }
        if (err != POT_OK) {
            job->propose_done(job->context, err, NULL);
        }
        break;
    case JOB_CHECK:
        is_kept = find_kept(chain, &job->digest) != NULL;
        if (job->height != 0 && job->height != chain->tip.height + 1) {
            err = POT_ECANCELLED; /* the tip moved meanwhile */
        }
        if (err != POT_OK || is_kept) {
            job->check_done(job->context, err, is_kept, err_text(err));
        }
        break;
    case JOB_APPLY:
        err = err == POT_OK ? apply_obstacle(chain, job) : err;
        if (err != POT_OK) {
            job->apply_done(job->context, err, err_text(err));
        }
        break;
    }
    return err != POT_OK || is_kept;
}

static void take_released(struct chain *chain, struct job *job)
{
    if (job->type == JOB_APPLY && chain->released_count >= RELEASED_MAX) {
        job->released = chain->released;
        job->released_count = chain->released_count;
        chain->released = NULL;
        chain->released_count = 0;
    }
}

static void start_next(struct chain *chain)
{
    if (chain->is_working) {
        return;
    }
    chain->is_working = true;
    while (chain->first != NULL) {
        struct job *job = chain->first;
        job->parent = chain->tip;
        if (!settle(chain, job)) {
            take_released(chain, job);
            int rc = uv_queue_work(chain->loop, &job->work, on_work, on_worked);
            POT_ASSERT(rc == 0);
            return;
        }
        chain->first = job->next;
        job_free(job);
    }
    chain->is_working = false;
}

static struct job *job_new(struct chain *chain, enum job_type type,
                           void *context)
{
    struct job *job = pot_calloc(1, sizeof(*job));
    job->chain = chain;
    job->work.data = job;
    job->type = type;
    job->context = context;
    return job;
}

static void enqueue(struct chain *chain, struct job *job)
{
    struct job **end = &chain->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = job;
    start_next(chain);
}

void chain_propose(struct chain *chain, struct execution_request *request,
                   void (*done)(void *, enum pot_err, const struct executed *),
                   void *context)
{
    struct job *job = job_new(chain, JOB_PROPOSE, context);
    job->request = request;
    job->request->parent = chain->tip;
    job->propose_done = done;
    enqueue(chain, job);
}

void chain_check(struct chain *chain, const void *data, size_t size,
                 uint64_t now_ms,
                 void (*done)(void *, enum pot_err, bool, const char *),
                 void *context)
{
    struct job *job = job_new(chain, JOB_CHECK, context);
    job->data = pot_memdup(data, size);
    job->size = size;
    job->now_ms = now_ms;
    job->check_done = done;
    /* Height 0: no block, which the check will say. */
    (void)name_of(&job->digest, &job->height, data, size);
    enqueue(chain, job);
}

void chain_apply(struct chain *chain, const void *data, size_t size,
                 const void *certificate, size_t certificate_size,
                 void (*done)(void *, enum pot_err, const char *),
                 void *context)
{
    struct job *job = job_new(chain, JOB_APPLY, context);
    job->data = pot_memdup(data, size);
    job->size = size;
    job->certificate = pot_memdup(certificate, certificate_size);
    job->certificate_size = certificate_size;
    job->apply_done = done;
    enqueue(chain, job);
}

void chain_stop(struct chain *chain)
{
    chain->is_stopped = true;
    start_next(chain);
}

void chain_free(struct chain *chain)
{
    if (chain == NULL) {
        return;
    }
    POT_ASSERT(!chain->is_working && chain->first == NULL);
    drop_kept(chain, 0);
    free(chain->released);
    free(chain);
}
