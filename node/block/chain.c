/* What is held for votes is released some blocks later: a write costs.  What
 * was still held when the node ended is released behind the first block that
 * it applies when it runs again: until then a vote that was given counts on
 * it.  So is what a snapshot that was fetched left behind.  What was promised
 * to others for a round stays until that is over, whoever else held it. */
#include "config.h"

#include "node/block/chain.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "base/limits.h"
#include "base/log.h"
#include "node/block/block_check.h"
#include "node/block/block_commit.h"
#include "node/block/brief_work.h"
#include "node/block/certified.h"
#include "node/block/decided.h"
#include "node/block/executed.h"
#include "node/block/held_blobs.h"
#include "node/block/proposal.h"
#include "node/block/settling.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "node/hold/snapshots.h"
#include "node/hold/state_blobs.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"
#include "proto/codec.h"
#include "storage/store.h"
#include "storage/store_install.h"

#include <stdio.h>
#include <stdlib.h>

/* Write sets of checked blocks that may yet be committed at this height. */
#define KEPT_MAX 4
/* Held blobs of no more use are released so many at a time: it costs a
 * write. */
#define HELD_MAX 64

enum job_type { JOB_PROPOSE, JOB_CHECK, JOB_APPLY, JOB_INSTALL };

struct job {
    struct chain *chain;
    struct job *next;
    enum job_type type;

    struct proposal_request *request; /* JOB_PROPOSE */
    struct shared_block *block;       /* JOB_CHECK */
    uint64_t now_ms;
    const struct certified *certified; /* JOB_APPLY */
    struct store_install install;      /* JOB_INSTALL */
    struct chain_tip fresh;            /* likewise: the tip behind it */
    struct held_blobs held; /* by it, or JOB_APPLY: to be released behind it */
    bool releases_all;      /* JOB_APPLY: not only those */
    bool may_wait;          /* likewise: for the disk, and other writers */

    struct chain_tip parent; /* the tip when it began */
    struct executed *executed;
    enum pot_err err;
    char why[BLOCK_WHY_SIZE];

    chain_propose_fn *propose_done;
    chain_done_fn *done;
    void *context;
};

struct chain {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct chain_tip tip;
    struct executed *kept;  /* the newest first */
    struct held_blobs held; /* for votes, since the last release */
    bool must_release_all;  /* others than votes have held something */
    struct job *first;      /* the one at work, then those that wait */
    bool is_working; /* the first is off the loop, or is being finished */
    struct offload offload; /* of it */
    struct settling settling;
    bool is_held; /* chain_hold */
    chain_applied_fn *applied;
    void *context;
    bool is_stopped;
};

/* ---- the tip */

static enum pot_err read_tip(struct chain_tip *tip,
                             const struct holdings *holdings,
                             uint64_t genesis_time_ms)
{
    uint64_t height;
    struct hash hash;
    Pot__BlockHeader *header = NULL;
    Pot__CommitCertificate *certificate = NULL;
    *tip = (struct chain_tip){.time_ms = genesis_time_ms};
    bool has_tip =
        store_tip(holdings->store, &height, &tip->hash, &tip->state_root);
    POT_ASSERT(has_tip);
    if (height == 0) {
        tip->next_signers = holdings->genesis_hash;
        return POT_OK;
    }
    enum pot_err err = stored_header(&header, &hash, holdings->store, height);
    if (err == POT_OK) {
        err = stored_certificate(&certificate, holdings->store, height);
    }
    if (err == POT_OK) {
        err = validator_sets_key(holdings, height, &tip->next_signers);
    }
    if (err == POT_OK) {
        chain_tip_follow(tip, header, &hash, certificate->view);
    }
    codec_free(header);
    codec_free(certificate);
    return err;
}

/* The genesis of the store is this one: its hash stands at height 0. */
static enum pot_err check_genesis(const struct holdings *holdings)
{
    uint64_t height;
    enum pot_err err = store_get_block_height(holdings->store,
                                              &holdings->genesis_hash, &height);
    return err == POT_ENOENT ? POT_EGUARD : err;
}

static enum pot_err open_tip(struct chain *chain, const Pot__Genesis *genesis)
{
    enum pot_err err = POT_OK;
    if (!store_tip(chain->holdings->store, NULL, NULL, NULL)) {
        err = block_commit_genesis(chain->holdings, genesis);
    }
    if (err == POT_OK) {
        err = check_genesis(chain->holdings);
    }
    return err == POT_OK
               ? read_tip(&chain->tip, chain->holdings, genesis->time_ms)
               : err;
}

enum pot_err chain_new(struct chain **out, uv_loop_t *loop,
                       const struct holdings *holdings,
                       const Pot__Genesis *genesis, chain_applied_fn *applied,
                       void *context)
{
    struct chain *chain = pot_calloc(1, sizeof(*chain));
    chain->loop = loop;
    chain->holdings = holdings;
    chain->applied = applied;
    chain->context = context;
    chain->must_release_all = true;
    enum pot_err err = open_tip(chain, genesis);
    if (err == POT_OK) {
        settling_open(&chain->settling, loop, holdings->store);
    } else {
        free(chain);
        chain = NULL;
    }
    *out = chain;
    return err;
}

enum pot_err chain_restore(struct chain *chain, const void *record, size_t size)
{
    return decided_restore(&chain->tip, chain->holdings, record, size);
}

const struct chain_tip *chain_tip(const struct chain *chain)
{
    return &chain->tip;
}

/* ---- checked blocks */

static struct executed **find_kept(struct chain *chain, const struct hash *hash)
{
    struct executed **at = &chain->kept;
    while (*at != NULL && !hash_equal(&(*at)->block->block->hash, hash)) {
        at = &(*at)->next;
    }
    return at;
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
        executed_free(gone);
    }
}

static void keep(struct chain *chain, struct executed *executed)
{
    executed->next = chain->kept;
    chain->kept = executed;
    drop_kept(chain, KEPT_MAX);
}

struct shared_block *chain_find_kept(struct chain *chain,
                                     const struct hash *hash)
{
    const struct executed *kept = *find_kept(chain, hash);
    return kept != NULL ? kept->block : NULL;
}

static struct executed *take_kept(struct chain *chain, const struct hash *hash)
{
    struct executed **at = find_kept(chain, hash);
    struct executed *taken = *at;
    if (taken != NULL) {
        *at = taken->next;
        taken->next = NULL;
    }
    return taken;
}

/* ---- jobs, off the loop */

/* What is found valid may be voted for: what it takes is stored first. */
static void hold(struct job *job)
{
    if (job->err != POT_OK) {
        return;
    }
    job->err = held_blobs_hold(&job->held, job->chain->holdings, job->executed);
    if (job->err != POT_OK) {
        (void)snprintf(job->why, sizeof(job->why), "its blobs: %s",
                       err_text(job->err));
        executed_free(job->executed);
        job->executed = NULL;
    }
}

static void apply(struct job *job)
{
    const struct holdings *holdings = job->chain->holdings;
    if (job->executed == NULL) {
        job->err = block_check(&job->executed, holdings, &job->parent,
                               job->certified->block, 0, true, job->why);
    }
    if (job->err == POT_OK) {
        (void)cpu_time_enter(CPU_STORAGE);
        snapshots_before(holdings->snapshots, job->executed->overlay);
        job->err = block_commit(holdings, &job->parent, job->executed,
                                job->certified, job->may_wait);
    }
}

/* Behind a block nobody counts any more on what is held: it was for blocks of
 * that height.  What cannot be released now will be behind a later one. */
static void release(struct job *job)
{
    struct store *store = job->chain->holdings->store;
    enum pot_err err = POT_OK;
    if (job->err != POT_OK) {
        return;
    }
    if (job->releases_all) {
        err = store_blobs_release_all(store);
    } else if (job->held.count > 0) {
        err = store_blobs_release(store, job->held.hashes, job->held.count);
    }
    if (err == POT_OK) {
        held_blobs_fini(&job->held);
        job->releases_all = false;
        err = held_blobs_end_promises(job->chain->holdings);
    }
    if (err != POT_OK) {
        LOG(LOG_DEBUG, "node", "blobs are held still",
            log_text("why", err_text(err)));
    }
}

static void install(struct job *job)
{
    struct state_blobs old = {.count = 0};
    const struct holdings *holdings = job->chain->holdings;
    job->err = state_blobs_of_tip(&old, holdings->store);
    if (job->err == POT_OK) {
        job->install.old_blobs = old.list;
        job->install.old_blob_count = old.count;
        job->err = store_install(holdings->store, &job->install);
    }
    if (job->err == POT_OK) {
        job->err = read_tip(&job->fresh, holdings, 0);
    }
    state_blobs_fini(&old);
}

static void on_work(void *context)
{
    struct job *job = context;
    const struct holdings *holdings = job->chain->holdings;
    enum cpu_part before = cpu_time_enter(CPU_LEDGER);
    switch (job->type) {
    case JOB_PROPOSE:
        job->err = proposal_make(&job->executed, holdings, job->request);
        hold(job);
        break;
    case JOB_CHECK:
        job->err = block_check(&job->executed, holdings, &job->parent,
                               job->block, job->now_ms, false, job->why);
        hold(job);
        break;
    case JOB_APPLY:
        apply(job);
        if (job->may_wait) {
            release(job);
        }
        if (job->err == POT_OK && !job->releases_all) {
            snapshots_after(holdings->snapshots);
        }
        break;
    case JOB_INSTALL:
        install(job);
        break;
    }
    (void)cpu_time_enter(before);
}

/* A certified block that is wrong here is not its sender's fault. */
static void tell_divergence(const struct job *job)
{
    if (job->type == JOB_APPLY && job->err == POT_EFORMAT) {
        LOG(LOG_ERROR, "consensus", "a certified block is wrong here",
            log_u64("height", job->parent.height + 1),
            log_text("why", job->why),
            log_text("next", "`potctl debug compare` this home with another"
                             " one at its height, and `potctl debug dump`"));
        store_ail(job->chain->holdings->store, STORE_DIVERGED);
    }
}

/* ---- jobs, on the loop */

static struct job *job_new(struct chain *chain, enum job_type type,
                           void *context)
{
    struct job *job = pot_calloc(1, sizeof(*job));
    job->chain = chain;
    job->type = type;
    job->context = context;
    return job;
}

static void job_free(struct job *job)
{
    proposal_request_free(job->request);
    executed_free(job->executed);
    shared_block_unref(job->block);
    held_blobs_fini(&job->held);
    free(job);
}

/* block: of a JOB_PROPOSE that went well. */
static void answer(struct job *job, enum pot_err err, const char *why,
                   const struct shared_block *block)
{
    if (job->type == JOB_PROPOSE) {
        job->propose_done(job->context, err, block, job->request);
    } else {
        job->done(job->context, err, why);
    }
}

/* Executed and held: kept until a block of its height is the tip, and from
 * before the answer on: who hears it may ask for it. */
static void finish_executed(struct chain *chain, struct job *job)
{
    struct executed *made = job->executed;
    const struct shared_block *block = made != NULL ? made->block : NULL;
    held_blobs_move(&chain->held, &job->held);
    if (made != NULL && *find_kept(chain, &block->block->hash) == NULL) {
        keep(chain, made);
        job->executed = NULL;
    }
    answer(job, job->err, job->why, block);
}

static void finish_apply(struct chain *chain, struct job *job)
{
    const struct executed *made = job->executed;
    held_blobs_move(&chain->held, &job->held);    /* not released yet */
    chain->must_release_all |= job->releases_all; /* nor these */
    tell_divergence(job);
    if (job->err == POT_OK) {
        const struct block *block = made->block->block;
        chain_tip_follow(&chain->tip, block->header, &block->hash,
                         job->certified->certificate->view);
        drop_kept(chain, 0); /* they stood on the old tip */
        settling_applied(&chain->settling, made->block->size);
        chain->applied(chain->context, made->block);
    }
    answer(job, job->err, job->why, NULL);
}

static void finish_install(struct chain *chain, struct job *job)
{
    if (job->err == POT_OK) {
        chain->tip = job->fresh;
        drop_kept(chain, 0);
        snapshots_reload(chain->holdings->snapshots);
    }
    answer(job, job->err, err_text(job->err), NULL);
}

/* Why a job cannot begin, POT_OK if it can. */
static enum pot_err obstacle(const struct chain *chain, const struct job *job)
{
    uint64_t height;
    uint64_t next = chain->tip.height + 1;
    if (chain->is_stopped) {
        return POT_ECANCELLED;
    }
    switch (job->type) {
    case JOB_PROPOSE:
        return job->request->parent.height + 1 == next ? POT_OK
                                                       : POT_ECANCELLED;
    case JOB_CHECK:
        return job->block->block->header->height == next ? POT_OK
                                                         : POT_ECANCELLED;
    case JOB_APPLY:
        height = job->certified->block->block->header->height;
        return height == next  ? POT_OK
               : height < next ? POT_EEXIST
                               : POT_ERANGE;
    case JOB_INSTALL:
        return chain->tip.height < job->install.snapshot.height ? POT_OK
                                                                : POT_EBUSY;
    }
    return POT_ECANCELLED;
}

/* Answers a job that needs no work, or cannot be done; true if it did. */
static bool settle(struct chain *chain, struct job *job)
{
    enum pot_err err = obstacle(chain, job);
    bool is_known = err == POT_OK && job->type == JOB_CHECK &&
                    chain_find_kept(chain, &job->block->block->hash) != NULL;
    if (err != POT_OK || is_known) {
        answer(job, err, err_text(err), NULL);
        return true;
    }
    return false;
}

static void prepare(struct chain *chain, struct job *job)
{
    job->parent = chain->tip;
    if (job->type == JOB_APPLY) {
        job->executed = take_kept(chain, &job->certified->block->block->hash);
        job->releases_all = chain->must_release_all;
        chain->must_release_all = false;
        if (job->releases_all || chain->held.count >= HELD_MAX) {
            held_blobs_move(&job->held, &chain->held);
        }
    }
}

/* It reads the store, as the loop does anyway, and waits for no disk.  Another
 * validator set is a blob, and goes to LMDB. */
static bool is_brief_apply(const struct job *job)
{
    if (job->may_wait || job->executed == NULL || job->releases_all ||
        job->held.count > 0) {
        return false;
    }
    const struct block *block = job->executed->block->block;
    return codec_bytes_equal(block->header->validators_hash,
                             job->parent.next_signers.b, HASH_SIZE) &&
           snapshots_are_idle(job->chain->holdings->snapshots,
                              block->header->height) &&
           brief_work_block(block->body);
}

static bool is_brief(const struct job *job)
{
    switch (job->type) {
    case JOB_PROPOSE:
        return brief_work_request(job->request);
    case JOB_CHECK:
        return brief_work_block(job->block->block->body);
    case JOB_APPLY:
        return is_brief_apply(job);
    case JOB_INSTALL:
        return false;
    }
    return false;
}

static void on_worked(void *context);

static void start(struct job *job)
{
    struct chain *chain = job->chain;
    bool is = is_brief(job);
    job->may_wait = !is;
    (is ? offload_brief : offload_start)(&chain->offload, chain->loop, on_work,
                                         on_worked, job);
}

static void start_next(struct chain *chain)
{
    if (chain->is_working || (chain->is_held && !chain->is_stopped)) {
        return;
    }
    chain->is_working = true;
    while (chain->first != NULL) {
        struct job *job = chain->first;
        if (!settle(chain, job)) {
            prepare(chain, job);
            start(job);
            return;
        }
        chain->first = job->next;
        job_free(job);
    }
    chain->is_working = false;
}

static void on_worked(void *context)
{
    struct job *job = context;
    struct chain *chain = job->chain;
    if (job->type == JOB_APPLY && job->err == POT_EAGAIN) {
        job->may_wait = true;
        job->err = POT_OK;
        start(job);
        return;
    }
    if (job->type == JOB_APPLY) {
        finish_apply(chain, job);
    } else if (job->type == JOB_INSTALL) {
        finish_install(chain, job);
    } else {
        finish_executed(chain, job);
    }
    chain->first = job->next;
    chain->is_working = false;
    job_free(job);
    start_next(chain);
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

void chain_propose(struct chain *chain, struct proposal_request *request,
                   chain_propose_fn *done, void *context)
{
    struct job *job = job_new(chain, JOB_PROPOSE, context);
    job->request = request;
    job->request->parent = chain->tip;
    job->propose_done = done;
    enqueue(chain, job);
}

void chain_check(struct chain *chain, struct shared_block *block,
                 uint64_t now_ms, chain_done_fn *done, void *context)
{
    struct job *job = job_new(chain, JOB_CHECK, context);
    job->block = shared_block_ref(block);
    job->now_ms = now_ms;
    job->done = done;
    enqueue(chain, job);
}

void chain_apply(struct chain *chain, const struct certified *certified,
                 chain_done_fn *done, void *context)
{
    struct job *job = job_new(chain, JOB_APPLY, context);
    job->certified = certified;
    job->done = done;
    enqueue(chain, job);
}

void chain_install(struct chain *chain, const struct store_install *install,
                   chain_done_fn *done, void *context)
{
    struct job *job = job_new(chain, JOB_INSTALL, context);
    job->install = *install;
    job->done = done;
    enqueue(chain, job);
}

bool chain_is_installing(const struct chain *chain)
{
    const struct job *job = chain->first;
    while (job != NULL && job->type != JOB_INSTALL) {
        job = job->next;
    }
    return job != NULL;
}

bool chain_is_idle(const struct chain *chain)
{
    return !chain->is_working;
}

/* The block that the store has at its tip, as it would have been told. */
static enum pot_err apply_stored(struct chain *chain, uint64_t height)
{
    struct buf data;
    Pot__CommitCertificate *certificate = NULL;
    struct shared_block *block = NULL;
    struct store *store = chain->holdings->store;
    buf_init(&data, BLOCK_BYTES_MAX);
    enum pot_err err = store_get_block(store, height, &data);
    if (err == POT_OK) {
        err = shared_block_take(&block, pot_memdup(data.data, data.size),
                                data.size);
    }
    if (err == POT_OK) {
        err = stored_certificate(&certificate, store, height);
    }
    if (err == POT_OK) {
        chain_tip_follow(&chain->tip, block->block->header, &block->block->hash,
                         certificate->view);
        drop_kept(chain, 0);
        chain->applied(chain->context, block);
    }
    shared_block_unref(block);
    codec_free(certificate);
    buf_fini(&data);
    return err;
}

void chain_release_all(struct chain *chain)
{
    chain->must_release_all = true;
}

void chain_hold(struct chain *chain)
{
    chain->is_held = true;
}

enum pot_err chain_resume(struct chain *chain)
{
    uint64_t height = 0;
    struct hash hash;
    enum pot_err err = POT_OK;
    POT_ASSERT(chain->is_held && chain_is_idle(chain));
    bool has_tip = store_tip(chain->holdings->store, &height, &hash, NULL);
    POT_ASSERT(has_tip);
    if (height == chain->tip.height + 1) {
        err = apply_stored(chain, height);
    } else if (!hash_equal(&hash, &chain->tip.hash)) {
        err = POT_EGUARD;
    }
    if (err == POT_OK) {
        chain->is_held = false;
        start_next(chain);
    }
    return err;
}

void chain_stop(struct chain *chain)
{
    if (!chain->is_stopped) {
        settling_stop(&chain->settling);
    }
    chain->is_stopped = true;
    start_next(chain);
}

void chain_free(struct chain *chain)
{
    if (chain == NULL) {
        return;
    }
    POT_ASSERT(!chain->is_working && chain->first == NULL);
    POT_ASSERT(!chain->settling.is_working);
    drop_kept(chain, 0);
    held_blobs_fini(&chain->held);
    free(chain);
}
