/* A worker's life, with the function on each edge:
 *
 *              worker_start           HELLO: on_message
 *   STOPPED ----------------> STARTING ----------------> IDLE
 *      ^                         |                      |   ^
 *      | on_closed               |       worker_assign  |   | DONE, ERROR:
 *      |   (back-off timer)      |                      v   | on_message
 *   CLOSING <--------------------+-------------------- BUSY
 *             worker_stop: exit, end of its pipe, deadline, bad message
 *
 * All handles of a worker are closed before it is started again. */
#include "config.h"

#include "node/round/workers.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "training/assign.h"
#include "training/quantise.h"
#include "training/worker_protocol.h"
#include "training/worker_shm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX      256
#define ATTEMPTS_MAX   4
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 5000
#define READ_BYTES     4096

extern char **environ;

enum worker_state {
    WORKER_STOPPED,
    WORKER_STARTING,
    WORKER_IDLE,
    WORKER_BUSY,
    WORKER_CLOSING,
};

struct worker {
    struct workers *pool;
    unsigned index;
    enum worker_state state;
    uv_process_t process;
    uv_pipe_t in;          /* its standard input */
    uv_pipe_t out;         /* its standard output */
    uv_timer_t timer;      /* deadline of a part, or back-off */
    bool is_running;       /* the process has not been reaped */
    unsigned handles_open; /* of process, in, out */
    bool timer_is_open;
    uint64_t backoff_ms;
    struct worker_shm shm;
    struct worker_layout layout;
    struct buf inbox;
    char read_buffer[READ_BYTES];
    uint64_t job; /* BUSY: its number; it may have failed meanwhile */
    size_t part;  /* BUSY: of that job */
};

enum part_state { PART_WAITING, PART_RUNNING, PART_DONE };

struct job {
    struct job *next;
    struct workers_job what; /* its arrays are the job's own */
    workers_done_fn *done;
    void *context;
    uint64_t number;
    unsigned attempts;
    enum part_state *parts; /* one a worker */
    int64_t *sums;
    int64_t loss_sum;
};

struct workers {
    uv_loop_t *loop;
    char *program;
    char *core;
    unsigned count;
    uint64_t deadline_ms;
    struct worker *workers;
    struct job *first; /* the current one, then those that wait */
    uint64_t next_number;
    unsigned failed_starts; /* in a row */
    bool is_closing;
    char actual_core[WORKER_CORE_SIZE];
    struct workers_stats stats;
};

struct write_request {
    uv_write_t request;
    uint8_t data[WORKER_MESSAGE_BYTES_MAX];
};

static void worker_start(struct worker *w);
static void worker_stop(struct worker *w, const char *why);
static void schedule(struct workers *pool);

/* ---- jobs */

void workers_job_copy(struct workers_job *out, const struct workers_job *from)
{
    *out = *from;
    out->dataset = pot_strdup(from->dataset);
    out->theta =
        pot_memdup(from->theta, from->shape.parameter_count * sizeof(int32_t));
    out->rows = pot_memdup(from->rows, from->row_count * sizeof(uint64_t));
}

void workers_job_fini(struct workers_job *job)
{
    free(job->dataset);
    free(job->theta);
    free(job->rows);
}

static void job_free(struct job *job)
{
    workers_job_fini(&job->what);
    free(job->parts);
    free(job->sums);
    free(job);
}

static struct job *job_new(struct workers *pool, const struct workers_job *from,
                           workers_done_fn *done, void *context)
{
    struct job *job = pot_calloc(1, sizeof(*job));
    workers_job_copy(&job->what, from);
    job->done = done;
    job->context = context;
    job->number = ++pool->next_number;
    job->parts = pot_calloc(pool->count, sizeof(*job->parts));
    job->sums = pot_calloc(from->shape.parameter_count, sizeof(*job->sums));
    return job;
}

static void job_finish(struct workers *pool, enum pot_err err, const char *why)
{
    struct job *job = pool->first;
    pool->first = job->next;
    pool->stats.queued--;
    if (err == POT_OK) {
        pool->stats.jobs++;
        pool->stats.rows += job->what.row_count;
    }
    if (job->done != NULL) {
        job->done(job->context, err, why, job->sums, job->loss_sum);
    }
    job_free(job);
    schedule(pool);
}

static bool job_is_done(const struct workers *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        if (pool->first->parts[i] != PART_DONE) {
            return false;
        }
    }
    return true;
}

enum pot_err workers_submit(struct workers *workers,
                            const struct workers_job *job,
                            workers_done_fn *done, void *context)
{
    POT_ASSERT(job->row_count > 0);
    if (workers->stats.queued >= QUEUE_MAX ||
        strlen(job->dataset) >= WORKER_PATH_SIZE) {
        return POT_ELIMIT;
    }
    struct job **end = &workers->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = job_new(workers, job, done, context);
    workers->stats.queued++;
    schedule(workers);
    return POT_OK;
}

void workers_forget(struct workers *workers, const void *context)
{
    for (struct job *job = workers->first; job != NULL; job = job->next) {
        if (job->context == context) {
            job->done = NULL;
        }
    }
}

/* ---- one worker's messages */

static void on_written(uv_write_t *request, int status)
{
    /* A failure shows as the end of its output too. */
    (void)status;
    free(request->data);
}

static void worker_send(struct worker *w, const struct worker_message *message)
{
    struct write_request *write = pot_alloc(sizeof(*write));
    size_t size = worker_encode(write->data, message);
    uv_buf_t buffer = uv_buf_init((char *)write->data, (unsigned)size);
    write->request.data = write;
    int rc = uv_write(&write->request, (uv_stream_t *)&w->in, &buffer, 1,
                      on_written);
    if (rc != 0) {
        free(write);
        worker_stop(w, uv_strerror(rc));
    }
}

static void on_deadline(uv_timer_t *timer)
{
    worker_stop(timer->data, "no reply before the deadline");
}

static void fill_job(struct worker_job *out, const struct job *job,
                     const struct worker_layout *layout, size_t row_count)
{
    const struct model_shape *shape = &job->what.shape;
    *out = (struct worker_job){
        .job = job->number,
        .shared_bytes = layout->size,
        .theta_offset = layout->theta_offset,
        .rows_offset = layout->rows_offset,
        .sums_offset = layout->sums_offset,
        .row_count = row_count,
        .block_rows = (uint32_t)assign_block_rows(job->what.row_count),
        .activation = (uint32_t)job->what.activation,
        .loss = (uint32_t)job->what.loss,
        .width_count = (uint32_t)shape->width_count,
    };
    memcpy(out->widths, shape->widths, sizeof(out->widths));
    (void)snprintf(out->path, sizeof(out->path), "%s", job->what.dataset);
}

/* Puts theta and the part's rows where the worker will read them. */
static enum pot_err fill_shared(struct worker *w, const struct job *job,
                                struct assign_part part)
{
    size_t parameters = job->what.shape.parameter_count;
    enum pot_err err = worker_layout_init(&w->layout, parameters, part.count);
    if (err == POT_OK) {
        err = worker_shm_grow(&w->shm, w->layout.size);
    }
    if (err == POT_OK) {
        uint8_t *shared = w->shm.data;
        memcpy(shared + w->layout.theta_offset, job->what.theta,
               parameters * sizeof(int32_t));
        memcpy(shared + w->layout.rows_offset, job->what.rows + part.first,
               part.count * sizeof(uint64_t));
    }
    return err;
}

static void worker_assign(struct worker *w, size_t index)
{
    struct job *job = w->pool->first;
    struct assign_part part =
        assign_part(job->what.row_count, w->pool->count, index);
    if (part.count == 0) {
        job->parts[index] = PART_DONE;
        return;
    }
    if (fill_shared(w, job, part) != POT_OK) {
        job_finish(w->pool, POT_ELIMIT, "not enough shared memory");
        return;
    }
    struct worker_message message = {.type = WORKER_JOB};
    fill_job(&message.job, job, &w->layout, part.count);
    job->parts[index] = PART_RUNNING;
    w->job = job->number;
    w->part = index;
    w->state = WORKER_BUSY;
    (void)uv_timer_start(&w->timer, on_deadline, w->pool->deadline_ms, 0);
    worker_send(w, &message);
}

static void schedule(struct workers *pool)
{
    struct job *job = pool->first;
    if (job == NULL || pool->is_closing) {
        return;
    }
    size_t part = 0;
    for (unsigned i = 0; i < pool->count && pool->first == job; i++) {
        while (part < pool->count && job->parts[part] != PART_WAITING) {
            part++;
        }
        if (part < pool->count && pool->workers[i].state == WORKER_IDLE) {
            worker_assign(&pool->workers[i], part);
        }
    }
    if (pool->first == job && job_is_done(pool)) {
        job_finish(pool, POT_OK, "");
    }
}

static void on_done(struct worker *w, const struct worker_done *done)
{
    struct job *job = w->pool->first;
    const uint8_t *shared = w->shm.data;
    (void)uv_timer_stop(&w->timer);
    w->state = WORKER_IDLE;
    w->backoff_ms = BACKOFF_MIN_MS;
    w->pool->stats.busy_us += done->elapsed_us;
    const void *sums = shared + w->layout.sums_offset;
    quantise_add(job->sums, sums, job->what.shape.parameter_count);
    job->loss_sum += done->loss_sum;
    job->parts[w->part] = PART_DONE;
    if (job_is_done(w->pool)) {
        job_finish(w->pool, POT_OK, "");
    } else {
        schedule(w->pool);
    }
}

static void on_message(struct worker *w, const struct worker_message *message)
{
    struct workers *pool = w->pool;
    uint64_t current = pool->first != NULL ? pool->first->number : 0;
    bool is_busy = w->state == WORKER_BUSY;
    if (message->type == WORKER_HELLO && w->state == WORKER_STARTING) {
        memcpy(pool->actual_core, message->hello.core,
               sizeof(pool->actual_core));
        LOG(LOG_DEBUG, "node", "worker ready", log_u64("worker", w->index),
            log_text("core", message->hello.core),
            log_text("config", message->hello.config));
        w->state = WORKER_IDLE;
        pool->failed_starts = 0;
        pool->stats.running++;
        (void)uv_timer_stop(&w->timer);
        schedule(pool);
    } else if (message->type == WORKER_DONE && is_busy &&
               message->done.job == current) {
        on_done(w, &message->done);
    } else if (message->type == WORKER_ERROR && is_busy &&
               message->error.job == current) {
        (void)uv_timer_stop(&w->timer);
        w->state = WORKER_IDLE;
        job_finish(pool, POT_EFORMAT, message->error.text);
    } else if (message->type == WORKER_DONE || message->type == WORKER_ERROR) {
        w->state = WORKER_IDLE; /* of a job that failed meanwhile */
        (void)uv_timer_stop(&w->timer);
        schedule(pool);
    } else {
        worker_stop(w, "unexpected message");
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct worker *w = handle->data;
    (void)suggested;
    *out = uv_buf_init(w->read_buffer, sizeof(w->read_buffer));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct worker *w = stream->data;
    struct worker_message message;
    if (count < 0) {
        worker_stop(w, "its output ended");
        return;
    }
    buf_append(&w->inbox, buffer->base, (size_t)count);
    while (w->state != WORKER_CLOSING) {
        enum worker_take taken = worker_take(&message, &w->inbox);
        if (taken == WORKER_TAKE_MORE) {
            return;
        }
        if (taken == WORKER_TAKE_BROKEN || w->inbox.is_overflown) {
            worker_stop(w, "malformed message");
            return;
        }
        on_message(w, &message);
    }
}

/* ---- starting and stopping */

static void maybe_free(struct workers *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        struct worker *w = &pool->workers[i];
        if (w->handles_open > 0 || w->timer_is_open) {
            return;
        }
    }
    while (pool->first != NULL) {
        struct job *job = pool->first;
        pool->first = job->next;
        job_free(job);
    }
    for (unsigned i = 0; i < pool->count; i++) {
        worker_shm_close(&pool->workers[i].shm);
        buf_fini(&pool->workers[i].inbox);
    }
    free(pool->workers);
    free(pool->program);
    free(pool->core);
    free(pool);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct worker *w = handle->data;
    w->timer_is_open = false;
    maybe_free(w->pool);
}

static void on_backoff(uv_timer_t *timer)
{
    worker_start(timer->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct worker *w = handle->data;
    if (--w->handles_open > 0) {
        return;
    }
    w->state = WORKER_STOPPED;
    buf_clear(&w->inbox);
    if (w->pool->is_closing) {
        maybe_free(w->pool);
        return;
    }
    (void)uv_timer_start(&w->timer, on_backoff, w->backoff_ms, 0);
    w->backoff_ms *= 2;
    if (w->backoff_ms > BACKOFF_MAX_MS) {
        w->backoff_ms = BACKOFF_MAX_MS;
    }
}

static void on_process_exit(uv_process_t *process, int64_t status,
                            int signal_number)
{
    struct worker *w = process->data;
    char why[64];
    w->is_running = false;
    (void)snprintf(why, sizeof(why), "exit %d, signal %d", (int)status,
                   signal_number);
    worker_stop(w, why);
}

/* The part goes back to those that wait; too many deaths fail the job. */
static void give_part_back(struct worker *w)
{
    struct job *job = w->pool->first;
    if (job == NULL || job->number != w->job) {
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

static void close_handles(struct worker *w)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&w->process, (uv_handle_t *)&w->in,
                              (uv_handle_t *)&w->out};
    for (size_t i = 0; i < sizeof(handles) / sizeof(*handles); i++) {
        if (!uv_is_closing(handles[i])) {
            uv_close(handles[i], on_closed);
        }
    }
}

static void worker_stop(struct worker *w, const char *why)
{
    if (w->state == WORKER_CLOSING || w->state == WORKER_STOPPED) {
        return;
    }
    enum worker_state was = w->state;
    w->state = WORKER_CLOSING;
    (void)uv_timer_stop(&w->timer);
    if (w->is_running) {
        (void)uv_process_kill(&w->process, SIGKILL);
    }
    close_handles(w);
    if (w->pool->is_closing) {
        return;
    }
    LOG(LOG_WARN, "node", "worker lost", log_u64("worker", w->index),
        log_text("why", why));
    w->pool->stats.restarts++;
    if (was == WORKER_IDLE || was == WORKER_BUSY) {
        w->pool->stats.running--;
    }
    if (was == WORKER_BUSY) {
        give_part_back(w);
    } else if (was == WORKER_STARTING) {
        count_failed_start(w->pool);
    }
}

/* The environment decides OpenBLAS's kernel before main() runs: what was
 * inherited goes, what the config says comes in. */
static char **make_environment(const struct workers *pool)
{
    static const char *const removed[] = {"OPENBLAS_", "OMP_", "GOTO_", "MKL_"};
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **made = pot_calloc(count + 3, sizeof(*made));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_removed = false;
        for (size_t j = 0; j < sizeof(removed) / sizeof(*removed); j++) {
            is_removed |=
                strncmp(environ[i], removed[j], strlen(removed[j])) == 0;
        }
        if (!is_removed) {
            made[kept++] = pot_strdup(environ[i]);
        }
    }
    made[kept++] = pot_strdup("OPENBLAS_NUM_THREADS=1");
    if (strcmp(pool->core, "auto") != 0) {
        char text[64];
        (void)snprintf(text, sizeof(text), "OPENBLAS_CORETYPE=%.32s",
                       pool->core);
        made[kept++] = pot_strdup(text);
    }
    return made;
}

static void free_environment(char **made)
{
    for (size_t i = 0; made[i] != NULL; i++) {
        free(made[i]);
    }
    free(made);
}

static int spawn(struct worker *w)
{
    struct workers *pool = w->pool;
    char **environment = make_environment(pool);
    char *arguments[] = {pool->program, NULL};
    uv_stdio_container_t stdio[4] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
         .data.stream = (uv_stream_t *)&w->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&w->out},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
        {.flags = UV_INHERIT_FD, .data.fd = w->shm.fd},
    };
    uv_process_options_t options = {
        .exit_cb = on_process_exit,
        .file = pool->program,
        .args = arguments,
        .env = environment,
        .stdio_count = 4,
        .stdio = stdio,
    };
    int rc = uv_spawn(pool->loop, &w->process, &options);
    free_environment(environment);
    return rc;
}

static void worker_start(struct worker *w)
{
    POT_ASSERT(w->state == WORKER_STOPPED);
    (void)uv_pipe_init(w->pool->loop, &w->in, 0);
    (void)uv_pipe_init(w->pool->loop, &w->out, 0);
    w->process.data = w;
    w->in.data = w;
    w->out.data = w;
    w->handles_open = 3;
    w->state = WORKER_STARTING;
    int rc = spawn(w);
    w->is_running = rc == 0;
    if (rc == 0) {
        rc = uv_read_start((uv_stream_t *)&w->out, on_alloc, on_read);
    }
    if (rc != 0) {
        worker_stop(w, uv_strerror(rc));
        return;
    }
    (void)uv_timer_start(&w->timer, on_deadline, w->pool->deadline_ms, 0);
}

struct workers *workers_new(const struct workers_config *config)
{
    POT_ASSERT(config->count > 0);
    const char *inherited = getenv("OPENBLAS_CORETYPE");
    if (inherited != NULL) {
        LOG(LOG_INFO, "node", "inherited OPENBLAS_CORETYPE does not decide",
            log_text("inherited", inherited),
            log_text("blas_core", config->core));
    }
    struct workers *pool = pot_calloc(1, sizeof(*pool));
    pool->loop = config->loop;
    pool->program = pot_strdup(config->program);
    pool->core = pot_strdup(config->core);
    pool->count = config->count;
    pool->deadline_ms = config->deadline_ms;
    pool->workers = pot_calloc(config->count, sizeof(*pool->workers));
    for (unsigned i = 0; i < pool->count; i++) {
        struct worker *w = &pool->workers[i];
        w->pool = pool;
        w->index = i;
        w->backoff_ms = BACKOFF_MIN_MS;
        w->shm.fd = -1;
        enum pot_err err = worker_shm_open(&w->shm, 0);
        POT_ASSERT(err == POT_OK); /* memory, or descriptors at start */
        buf_init(&w->inbox, 2 * WORKER_MESSAGE_BYTES_MAX);
        (void)uv_timer_init(pool->loop, &w->timer);
        w->timer.data = w;
        w->timer_is_open = true;
        worker_start(w);
    }
    return pool;
}

void workers_free(struct workers *workers)
{
    if (workers == NULL) {
        return;
    }
    workers->is_closing = true;
    for (unsigned i = 0; i < workers->count; i++) {
        struct worker *w = &workers->workers[i];
        worker_stop(w, "the node stops");
        uv_close((uv_handle_t *)&w->timer, on_timer_closed);
    }
}

const char *workers_core(const struct workers *workers)
{
    return workers->actual_core;
}

void workers_stats(const struct workers *workers, struct workers_stats *out)
{
    *out = workers->stats;
}
