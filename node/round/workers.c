#include "config.h"

#include "node/round/workers.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "node/round/round_input.h"
#include "node/round/row_gather.h"
#include "node/round/worker_process.h"
#include "training/assign.h"
#include "training/quantise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_MAX    256
#define ATTEMPTS_MAX 4

struct worker {
    struct workers *pool;
    struct worker_process *process;
    uint64_t job; /* that it was given last; it may have failed meanwhile */
    size_t part;  /* of that job */
};

enum part_state { PART_WAITING, PART_RUNNING, PART_DONE };

struct job {
    struct job *next;
    struct workers *pool;
    struct round_input *input;
    struct row_gather *gather; /* of a job that is gathering */
    char *gathered;            /* the file it came to; NULL: the whole set */
    uint64_t *rows;
    workers_done_fn *done;
    void *context;
    uint64_t number;
    unsigned attempts;
    enum part_state *parts; /* one a worker */
    int64_t *sums;          /* of the parts that are done; NULL: it waits */
    int64_t loss_sum;
};

struct workers {
    struct row_gather_config gather;
    char *program;
    char *core;
    char *exact;
    unsigned count;
    unsigned closed; /* of them, since workers_free */
    struct worker *workers;
    struct job *first;     /* the current one, then those that wait */
    struct job *gathering; /* their rows are not here yet */
    uint64_t next_number;
    unsigned failed_starts; /* in a row */
    bool is_closing;
    struct workers_stats stats;
};

/* ---- jobs */

/* Local steps follow one another: all of them are one worker's. */
static struct assign_part part_of(const struct workers *pool,
                                  const struct job *job, size_t index)
{
    size_t rows = job->input->row_count;
    if (job->input->local_steps > 1) {
        return (struct assign_part){.count = index == 0 ? rows : 0};
    }
    return assign_part(rows, pool->count, index);
}

static void job_free(struct job *job)
{
    row_gather_forget(job->gather);
    if (job->gathered != NULL) {
        (void)unlink(job->gathered);
    }
    free(job->gathered);
    round_input_unref(job->input);
    free(job->rows);
    free(job->parts);
    free(job->sums);
    free(job);
}

static struct job *job_new(struct workers *pool, struct round_input *input,
                           uint64_t *rows, workers_done_fn *done, void *context)
{
    struct job *job = pot_calloc(1, sizeof(*job));
    job->pool = pool;
    job->input = round_input_ref(input);
    job->rows = rows;
    job->done = done;
    job->context = context;
    job->number = ++pool->next_number;
    job->parts = pot_calloc(pool->count, sizeof(*job->parts));
    for (size_t i = 0; i < pool->count; i++) { /* few rows, many workers */
        bool is_empty = part_of(pool, job, i).count == 0;
        job->parts[i] = is_empty ? PART_DONE : PART_WAITING;
    }
    return job;
}

static bool job_is_done(const struct workers *pool, const struct job *job)
{
    for (unsigned i = 0; i < pool->count; i++) {
        if (job->parts[i] != PART_DONE) {
            return false;
        }
    }
    return true;
}

static void give_part(struct worker *w, struct job *job, size_t index)
{
    struct assign_part assigned = part_of(w->pool, job, index);
    const struct worker_process_part part = {
        .job = job->number,
        .input = job->input,
        .dataset = job->gathered != NULL ? job->gathered : job->input->dataset,
        .rows = job->rows + assigned.first,
        .row_count = assigned.count,
    };
    job->parts[index] = PART_RUNNING;
    w->job = job->number;
    w->part = index;
    worker_process_give(w->process, &part);
}

/* Parts that wait go to workers that are idle. */
static void schedule(struct workers *pool)
{
    struct job *job = pool->first;
    size_t part = 0;
    if (job == NULL || pool->is_closing) {
        return;
    }
    if (job->sums == NULL) {
        job->sums =
            pot_calloc(job->input->shape.parameter_count, sizeof(*job->sums));
    }
    for (unsigned i = 0; i < pool->count; i++) {
        while (part < pool->count && job->parts[part] != PART_WAITING) {
            part++;
        }
        struct worker *w = &pool->workers[i];
        if (part < pool->count && worker_process_is_idle(w->process)) {
            give_part(w, job, part);
        }
    }
}

static void job_finish(struct workers *pool, enum pot_err err, const char *why)
{
    struct job *job = pool->first;
    int64_t *sums = NULL;
    pool->first = job->next;
    pool->stats.queued--;
    if (err == POT_OK) {
        pool->stats.jobs++;
        pool->stats.rows += job->input->row_count;
        sums = job->sums;
        job->sums = NULL;
    }
    pool->stats.failed += err == POT_EIO || err == POT_EFORMAT;
    job->done(job->context, err, why, sums, job->loss_sum);
    job_free(job);
    schedule(pool);
}

static void list_append(struct job **list, struct job *job)
{
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = job;
}

static void list_remove(struct job **list, struct job *job)
{
    while (*list != job) {
        list = &(*list)->next;
    }
    *list = job->next;
    job->next = NULL;
}

static void on_gathered(void *context, enum pot_err err, char *path,
                        const char *why)
{
    struct job *job = context;
    struct workers *pool = job->pool;
    job->gather = NULL;
    job->gathered = path;
    list_remove(&pool->gathering, job);
    if (err == POT_OK) {
        list_append(&pool->first, job);
        schedule(pool);
        return;
    }
    pool->stats.queued--;
    job->done(job->context, err, why, NULL, 0);
    job_free(job);
}

/* The file holds the rows in their order. */
static void gather(struct workers *pool, struct job *job)
{
    uint64_t *rows = job->rows;
    job->rows = pot_calloc(job->input->row_count, sizeof(*job->rows));
    for (size_t i = 0; i < job->input->row_count; i++) {
        job->rows[i] = i;
    }
    list_append(&pool->gathering, job);
    job->gather =
        row_gather_start(&pool->gather, job->input, rows, on_gathered, job);
}

enum pot_err workers_submit(struct workers *workers, struct round_input *input,
                            uint64_t *rows, workers_done_fn *done,
                            void *context)
{
    POT_ASSERT(input->row_count > 0);
    bool is_whole = input->dataset != NULL;
    if (workers->stats.queued >= QUEUE_MAX ||
        (is_whole && strlen(input->dataset) >= WORKER_PATH_SIZE)) {
        free(rows);
        return POT_ELIMIT;
    }
    struct job *job = job_new(workers, input, rows, done, context);
    workers->stats.queued++;
    if (is_whole) {
        list_append(&workers->first, job);
        schedule(workers);
    } else {
        gather(workers, job);
    }
    return POT_OK;
}

static void forget_in(struct workers *pool, struct job **list,
                      const void *context)
{
    for (struct job *job = *list; job != NULL;) {
        struct job *next = job->next;
        if (job->context == context) {
            list_remove(list, job);
            pool->stats.queued--;
            pool->stats.failed += job->attempts > 0;
            job_free(job);
        }
        job = next;
    }
}

void workers_forget(struct workers *workers, const void *context)
{
    forget_in(workers, &workers->first, context);
    forget_in(workers, &workers->gathering, context);
    schedule(workers);
}

/* ---- what the processes tell */

/* The job that the worker's part is of; NULL: it is over. */
static struct job *job_of(const struct worker *w)
{
    struct job *job = w->pool->first;
    return job != NULL && job->number == w->job ? job : NULL;
}

static void on_ready(void *context, const char *core)
{
    struct worker *w = context;
    struct workers *pool = w->pool;
    if (strcmp(pool->stats.core, core) != 0) {
        LOG(LOG_INFO, "node", "OpenBLAS core", log_text("core", core),
            log_text("blas_core", pool->core));
    }
    (void)snprintf(pool->stats.core, sizeof(pool->stats.core), "%s", core);
    pool->failed_starts = 0;
    pool->stats.running++;
    schedule(pool);
}

static void on_done(void *context, const struct worker_done *done,
                    const int64_t *sums)
{
    struct worker *w = context;
    struct job *job = job_of(w);
    if (job != NULL) {
        w->pool->stats.busy_us += done->elapsed_us;
        quantise_add(job->sums, sums, job->input->shape.parameter_count);
        quantise_add(&job->loss_sum, &done->loss_sum, 1);
        job->parts[w->part] = PART_DONE;
    }
    if (job != NULL && job_is_done(w->pool, job)) {
        job_finish(w->pool, POT_OK, "");
    } else {
        schedule(w->pool);
    }
}

static void on_refused(void *context, const char *why)
{
    struct worker *w = context;
    if (job_of(w) != NULL) {
        job_finish(w->pool, POT_EFORMAT, why);
    } else {
        schedule(w->pool);
    }
}

static void on_diverged(void *context)
{
    struct worker *w = context;
    if (job_of(w) != NULL) {
        job_finish(w->pool, POT_ERANGE,
                   "the loss or the gradient is not a finite number");
    } else {
        schedule(w->pool);
    }
}

/* The part goes back to those that wait; too many deaths fail the job. */
static void give_part_back(struct worker *w)
{
    struct job *job = job_of(w);
    if (job == NULL) { /* it was too slow for that one, and hung perhaps */
        w->pool->stats.failed++;
        return;
    }
    job->parts[w->part] = PART_WAITING;
    if (++job->attempts >= ATTEMPTS_MAX) {
        job_finish(w->pool, POT_EIO, "its workers died again and again");
    }
}

/* A kernel that this processor lacks ends a worker before it says hello:
 * whoever waits for it is told. */
static void count_failed_start(struct workers *pool)
{
    if (++pool->failed_starts < ATTEMPTS_MAX || pool->first == NULL) {
        return;
    }
    pool->failed_starts = 0;
    job_finish(pool, POT_EIO, "its workers do not start");
}

static void on_lost(void *context, enum worker_loss loss)
{
    struct worker *w = context;
    struct workers *pool = w->pool;
    pool->stats.restarts++;
    if (loss == LOST_STARTING) {
        count_failed_start(pool);
        return;
    }
    pool->stats.running--;
    if (loss == LOST_BUSY) {
        give_part_back(w);
    }
}

static void free_jobs(struct job **list)
{
    while (*list != NULL) {
        struct job *job = *list;
        *list = job->next;
        job_free(job);
    }
}

static void on_closed(void *context)
{
    struct worker *w = context;
    struct workers *pool = w->pool;
    if (++pool->closed < pool->count) {
        return;
    }
    free_jobs(&pool->first);
    free(pool->workers);
    free(pool->program);
    free(pool->core);
    free(pool->exact);
    free(pool);
}

/* ---- the pool */

static void tell_inherited(const char *core)
{
    const char *inherited = getenv("OPENBLAS_CORETYPE");
    if (inherited != NULL) {
        LOG(LOG_INFO, "node", "inherited OPENBLAS_CORETYPE does not decide",
            log_text("inherited", inherited), log_text("blas_core", core));
    }
}

struct workers *workers_new(const struct workers_config *config)
{
    static const struct worker_events events = {
        .ready = on_ready,
        .done = on_done,
        .refused = on_refused,
        .diverged = on_diverged,
        .lost = on_lost,
        .closed = on_closed,
    };
    POT_ASSERT(config->count > 0);
    tell_inherited(config->core);
    struct workers *pool = pot_calloc(1, sizeof(*pool));
    pool->program = pot_strdup(config->program);
    pool->core = pot_strdup(config->core);
    pool->exact = pot_strdup(config->exact);
    pool->count = config->count;
    pool->gather = (struct row_gather_config){config->loop, config->holdings,
                                              config->needs};
    pool->workers = pot_calloc(config->count, sizeof(*pool->workers));
    for (unsigned i = 0; i < pool->count; i++) {
        const struct worker_process_config process = {
            .loop = config->loop,
            .program = pool->program,
            .core = pool->core,
            .exact = pool->exact,
            .index = i,
            .deadline_ms = config->deadline_ms,
            .events = &events,
            .context = &pool->workers[i],
        };
        pool->workers[i].pool = pool;
        pool->workers[i].process = worker_process_new(&process);
    }
    return pool;
}

void workers_free(struct workers *workers)
{
    if (workers == NULL) {
        return;
    }
    workers->is_closing = true;
    free_jobs(&workers->gathering); /* while there are needs to forget them */
    for (unsigned i = 0; i < workers->count; i++) {
        worker_process_close(workers->workers[i].process);
    }
}

bool workers_is_able(const struct workers *workers)
{
    for (unsigned i = 0; i < workers->count; i++) {
        const struct worker *w = &workers->workers[i];
        if (worker_process_is_idle(w->process) || job_of(w) != NULL) {
            return true;
        }
    }
    return false;
}

void workers_stats(const struct workers *workers, struct workers_stats *out)
{
    *out = workers->stats;
    for (unsigned i = 0; i < workers->count; i++) {
        const struct worker_process *process = workers->workers[i].process;
        out->silent += worker_process_is_silent(process) ? 1 : 0;
        out->failing += worker_process_is_failing(process) ? 1 : 0;
    }
}

void workers_stats_add(struct workers_stats *sum,
                       const struct workers_stats *other)
{
    if (sum->core[0] == '\0') {
        memcpy(sum->core, other->core, sizeof(sum->core));
    }
    sum->running += other->running;
    sum->silent += other->silent;
    sum->failing += other->failing;
    sum->jobs += other->jobs;
    sum->rows += other->rows;
    sum->failed += other->failed;
    sum->restarts += other->restarts;
    sum->queued += other->queued;
    sum->busy_us += other->busy_us;
}

const char *workers_core(const struct workers *workers)
{
    return workers->stats.core;
}
