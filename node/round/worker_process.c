/* A worker's life, with the function on each edge:
 *
 *               start                 HELLO: on_message
 *   STOPPED ----------------> STARTING ----------------> IDLE
 *      ^                         |                      |   ^
 *      | on_closed               |  worker_process_give |   | DONE, ERROR:
 *      |   (back-off timer)      |                      v   | on_message
 *   CLOSING <--------------------+-------------------- BUSY
 *             stop: exit, end of its pipe, deadline, bad message
 *
 * All its handles are closed before it is started again, and its process not
 * before it was reaped. */
#include "config.h"

#include "node/round/worker_process.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "node/round/round_input.h"
#include "node/round/worker_words.h"
#include "training/assign.h"
#include "training/worker_shm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 5000
#define FAILING_MS     (BACKOFF_MIN_MS << 4) /* the back-off of four losses */
#define READ_BYTES     4096

extern char **environ;

enum process_state {
    PROCESS_STOPPED,
    PROCESS_STARTING,
    PROCESS_IDLE,
    PROCESS_BUSY,
    PROCESS_CLOSING,
};

struct worker_process {
    struct worker_process_config config;
    enum process_state state;
    uv_process_t process;
    uv_pipe_t in;  /* its standard input */
    uv_pipe_t out; /* its standard output */
    struct worker_words words;
    uv_timer_t timer;      /* deadline of a hello or a reply, or back-off */
    bool is_running;       /* the process has not been reaped */
    bool is_ending;        /* worker_process_close was called */
    bool is_unexplained;   /* why it was lost: its exit will tell */
    unsigned handles_open; /* of process, in, out, words */
    bool timer_is_open;
    uint64_t backoff_ms;
    enum worker_loss loss; /* CLOSING: what its owner will be told */
    struct worker_shm shm;
    struct worker_layout layout;
    struct buf inbox;
    char read_buffer[READ_BYTES];
    uint64_t job;         /* BUSY: its number */
    uint64_t asked_ms;    /* STARTING, BUSY: when, on the loop's clock */
    uint64_t patience_ms; /* the same: until the deadline */
};

struct write_request {
    uv_write_t request;
    uint8_t data[WORKER_MESSAGE_BYTES_MAX];
};

static void start(struct worker_process *w);

/* ---- ending */

static void free_if_closed(struct worker_process *w)
{
    if (w->handles_open > 0 || w->timer_is_open) {
        return;
    }
    const struct worker_process_config config = w->config;
    worker_shm_close(&w->shm);
    buf_fini(&w->inbox);
    free(w);
    config.events->closed(config.context);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct worker_process *w = handle->data;
    w->timer_is_open = false;
    free_if_closed(w);
}

static void on_backoff(uv_timer_t *timer)
{
    start(timer->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct worker_process *w = handle->data;
    if (--w->handles_open > 0) {
        return;
    }
    w->state = PROCESS_STOPPED;
    buf_clear(&w->inbox);
    if (w->is_ending) {
        free_if_closed(w);
        return;
    }
    (void)uv_timer_start(&w->timer, on_backoff, w->backoff_ms, 0);
    w->backoff_ms *= 2;
    if (w->backoff_ms > BACKOFF_MAX_MS) {
        w->backoff_ms = BACKOFF_MAX_MS;
    }
    w->config.events->lost(w->config.context, w->loss);
}

static void tell_loss(const struct worker_process *w, const char *why)
{
    if (!w->is_ending) {
        LOG(LOG_WARN, "node", "worker lost", log_u64("worker", w->config.index),
            log_text("why", why));
    }
}

static void close_reaped(struct worker_process *w)
{
    worker_words_end(&w->words, on_closed);
    uv_close((uv_handle_t *)&w->process, on_closed);
}

/* The process goes with the pipes if it was reaped, and else when it is: one
 * whose handle is gone stays a zombie.  why is NULL if its end says why. */
static void stop(struct worker_process *w, const char *why)
{
    if (w->state == PROCESS_CLOSING || w->state == PROCESS_STOPPED) {
        return;
    }
    w->loss = w->state == PROCESS_STARTING ? LOST_STARTING
              : w->state == PROCESS_BUSY   ? LOST_BUSY
                                           : LOST_IDLE;
    w->state = PROCESS_CLOSING;
    (void)uv_timer_stop(&w->timer);
    uv_close((uv_handle_t *)&w->in, on_closed);
    uv_close((uv_handle_t *)&w->out, on_closed);
    w->is_unexplained = why == NULL;
    if (w->is_running) {
        (void)uv_process_kill(&w->process, SIGKILL);
    } else {
        close_reaped(w);
    }
    if (why != NULL) {
        tell_loss(w, why);
    }
}

/* It ends its output before itself, and is killed then, which changes nothing
 * for one that ends. */
static void describe_end(char *out, size_t size, int64_t status,
                         int signal_number)
{
    if (signal_number != 0) {
        (void)snprintf(out, size, "ended by signal %d, %s", signal_number,
                       strsignal(signal_number));
    } else {
        (void)snprintf(out, size, "ended with exit code %d", (int)status);
    }
}

static void on_process_exit(uv_process_t *process, int64_t status,
                            int signal_number)
{
    struct worker_process *w = process->data;
    char why[96];
    w->is_running = false;
    describe_end(why, sizeof(why), status, signal_number);
    if (w->state != PROCESS_CLOSING) {
        stop(w, why);
        return;
    }
    if (w->is_unexplained) {
        tell_loss(w, why);
    }
    close_reaped(w);
}

static void on_deadline(uv_timer_t *timer)
{
    stop(timer->data, "no reply before the deadline");
}

static void expect_word(struct worker_process *w, uint64_t patience_ms)
{
    w->asked_ms = uv_now(w->config.loop);
    w->patience_ms = patience_ms;
    (void)uv_timer_start(&w->timer, on_deadline, patience_ms, 0);
}

void worker_process_close(struct worker_process *w)
{
    w->is_ending = true;
    stop(w, "");
    uv_close((uv_handle_t *)&w->timer, on_timer_closed);
}

/* ---- what it says */

static void become_idle(struct worker_process *w)
{
    w->state = PROCESS_IDLE;
    (void)uv_timer_stop(&w->timer);
}

static void on_hello(struct worker_process *w, const struct worker_hello *hello)
{
    if (hello->version != WORKER_VERSION) {
        stop(w,
             "it is of another version: install potd and pot-worker together");
        return;
    }
    LOG(LOG_DEBUG, "node", "worker ready", log_u64("worker", w->config.index),
        log_text("core", hello->core), log_text("exact", hello->exact),
        log_text("config", hello->config));
    become_idle(w);
    w->config.events->ready(w->config.context, hello->core);
}

static void on_done(struct worker_process *w, const struct worker_done *done)
{
    const uint8_t *shared = w->shm.data;
    const void *sums = shared + w->layout.sums_offset;
    become_idle(w);
    w->backoff_ms = BACKOFF_MIN_MS;
    w->config.events->done(w->config.context, done, sums);
}

static void on_message(struct worker_process *w,
                       const struct worker_message *message)
{
    bool is_busy = w->state == PROCESS_BUSY;
    if (message->type == WORKER_HELLO && w->state == PROCESS_STARTING) {
        on_hello(w, &message->hello);
    } else if (message->type == WORKER_DONE && is_busy &&
               message->done.job == w->job) {
        on_done(w, &message->done);
    } else if (message->type == WORKER_ERROR && is_busy &&
               message->error.job == w->job) {
        become_idle(w);
        w->config.events->refused(w->config.context, message->error.text);
    } else if (message->type == WORKER_DIVERGED && is_busy &&
               message->diverged.job == w->job) {
        become_idle(w);
        w->config.events->diverged(w->config.context);
    } else {
        stop(w, "unexpected message");
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct worker_process *w = handle->data;
    (void)suggested;
    *out = uv_buf_init(w->read_buffer, sizeof(w->read_buffer));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct worker_process *w = stream->data;
    struct worker_message message;
    if (count < 0) {
        stop(w, NULL);
        return;
    }
    buf_append(&w->inbox, buffer->base, (size_t)count);
    while (w->state != PROCESS_CLOSING) {
        enum worker_take taken = worker_take(&message, &w->inbox);
        if (taken == WORKER_TAKE_MORE) {
            return;
        }
        if (taken == WORKER_TAKE_BROKEN || w->inbox.is_overflown) {
            stop(w, "malformed message");
            return;
        }
        on_message(w, &message);
    }
}

/* ---- what it is told */

static void on_written(uv_write_t *request, int status)
{
    /* A failure shows as the end of its output too. */
    (void)status;
    free(request->data);
}

static void send_message(struct worker_process *w,
                         const struct worker_message *message)
{
    struct write_request *write = pot_alloc(sizeof(*write));
    size_t size = worker_encode(write->data, message);
    uv_buf_t buffer = uv_buf_init((char *)write->data, (unsigned)size);
    write->request.data = write;
    int rc = uv_write(&write->request, (uv_stream_t *)&w->in, &buffer, 1,
                      on_written);
    if (rc != 0) {
        free(write);
        stop(w, uv_strerror(rc));
    }
}

static void fill_part(struct worker_part *out,
                      const struct worker_process_part *part,
                      const struct worker_layout *layout)
{
    const struct round_input *input = part->input;
    *out = (struct worker_part){
        .job = part->job,
        .shared_bytes = layout->size,
        .theta_offset = layout->theta_offset,
        .rows_offset = layout->rows_offset,
        .sums_offset = layout->sums_offset,
        .row_count = part->row_count,
        .block_rows = (uint32_t)round_input_block_rows(input),
        .activation = (uint32_t)input->activation,
        .loss = (uint32_t)input->loss,
        .numerics = (uint32_t)input->numerics,
        .local_steps = input->local_steps,
        .local_rate = input->local_rate,
        .width_count = (uint32_t)input->shape.width_count,
    };
    memcpy(out->widths, input->shape.widths, sizeof(out->widths));
    (void)snprintf(out->path, sizeof(out->path), "%s", part->dataset);
}

/* Puts theta and the part's rows where the worker will read them. */
static enum pot_err fill_shared(struct worker_process *w,
                                const struct worker_process_part *part)
{
    size_t parameters = part->input->shape.parameter_count;
    enum pot_err err =
        worker_layout_init(&w->layout, parameters, part->row_count);
    if (err == POT_OK) {
        err = worker_shm_grow(&w->shm, w->layout.size);
    }
    if (err == POT_OK) {
        uint8_t *shared = w->shm.data;
        memcpy(shared + w->layout.theta_offset, part->input->theta,
               parameters * sizeof(int32_t));
        memcpy(shared + w->layout.rows_offset, part->rows,
               part->row_count * sizeof(uint64_t));
    }
    return err;
}

bool worker_process_is_idle(const struct worker_process *w)
{
    return w->state == PROCESS_IDLE;
}

bool worker_process_is_silent(const struct worker_process *w)
{
    bool is_asked = w->state == PROCESS_STARTING || w->state == PROCESS_BUSY;
    return is_asked &&
           uv_now(w->config.loop) >= w->asked_ms + w->patience_ms / 4;
}

bool worker_process_is_failing(const struct worker_process *w)
{
    return w->state != PROCESS_IDLE && w->backoff_ms >= FAILING_MS;
}

void worker_process_give(struct worker_process *w,
                         const struct worker_process_part *part)
{
    struct worker_message message = {.type = WORKER_PART};
    POT_ASSERT(w->state == PROCESS_IDLE);
    POT_ASSERT(part->row_count > 0);
    w->state = PROCESS_BUSY;
    w->job = part->job;
    expect_word(w, worker_process_deadline_ms(
                       w->config.deadline_ms,
                       part->input->shape.parameter_count, part->row_count));
    if (fill_shared(w, part) != POT_OK) {
        stop(w, "not enough shared memory");
        return;
    }
    fill_part(&message.part, part, &w->layout);
    send_message(w, &message);
}

/* ---- starting */

static bool is_kept(const char *variable)
{
    static const char *const removed[] = {"OPENBLAS_", "OMP_", "GOTO_", "MKL_"};
    for (size_t i = 0; i < sizeof(removed) / sizeof(*removed); i++) {
        if (strncmp(variable, removed[i], strlen(removed[i])) == 0) {
            return false;
        }
    }
    return true;
}

#define EXACT_VARIABLE "POT_EXACT_KERNEL="

/* The environment decides OpenBLAS's kernel before main() runs: what was
 * inherited goes, what the config says comes in. */
static char **make_environment(const char *core, const char *exact)
{
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **made = pot_calloc(count + 4, sizeof(*made));
    size_t kept = 0;
    bool is_named = strcmp(exact, "auto") != 0;
    for (size_t i = 0; i < count; i++) {
        bool is_other = is_named && strncmp(environ[i], EXACT_VARIABLE,
                                            sizeof(EXACT_VARIABLE) - 1) == 0;
        if (is_kept(environ[i]) && !is_other) {
            made[kept++] = pot_strdup(environ[i]);
        }
    }
    made[kept++] = pot_strdup("OPENBLAS_NUM_THREADS=1");
    if (strcmp(core, "auto") != 0) {
        char text[64];
        (void)snprintf(text, sizeof(text), "OPENBLAS_CORETYPE=%.32s", core);
        made[kept++] = pot_strdup(text);
    }
    if (is_named) {
        char text[64];
        (void)snprintf(text, sizeof(text), EXACT_VARIABLE "%.32s", exact);
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

static int spawn(struct worker_process *w)
{
    char **environment = make_environment(w->config.core, w->config.exact);
    char *program = pot_strdup(w->config.program);
    char *arguments[] = {program, NULL};
    uv_stdio_container_t stdio[4] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
         .data.stream = (uv_stream_t *)&w->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&w->out},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&w->words.pipe},
        {.flags = UV_INHERIT_FD, .data.fd = w->shm.fd},
    };
    uv_process_options_t options = {
        .exit_cb = on_process_exit,
        .file = program,
        .args = arguments,
        .env = environment,
        .stdio_count = 4,
        .stdio = stdio,
    };
    int rc = uv_spawn(w->config.loop, &w->process, &options);
    free(program);
    free_environment(environment);
    return rc;
}

static void start(struct worker_process *w)
{
    POT_ASSERT(w->state == PROCESS_STOPPED);
    (void)uv_pipe_init(w->config.loop, &w->in, 0);
    (void)uv_pipe_init(w->config.loop, &w->out, 0);
    w->process.data = w;
    w->in.data = w;
    w->out.data = w;
    worker_words_init(&w->words, w->config.loop, w->config.index);
    w->words.pipe.data = w;
    w->handles_open = 4;
    w->state = PROCESS_STARTING;
    enum pot_err err = w->shm.fd < 0 ? worker_shm_open(&w->shm, 0) : POT_OK;
    int rc = spawn(w); /* refused without shared memory */
    w->is_running = rc == 0;
    if (rc == 0) {
        worker_words_hear(&w->words);
        rc = uv_read_start((uv_stream_t *)&w->out, on_alloc, on_read);
    }
    if (rc != 0) {
        stop(w, err != POT_OK ? err_text(err) : uv_strerror(rc));
        return;
    }
    expect_word(w, w->config.deadline_ms);
}

struct worker_process *worker_process_new(
    const struct worker_process_config *config)
{
    struct worker_process *w = pot_calloc(1, sizeof(*w));
    w->config = *config;
    w->backoff_ms = BACKOFF_MIN_MS;
    w->shm.fd = -1;
    buf_init(&w->inbox, 2 * WORKER_MESSAGE_BYTES_MAX);
    (void)uv_timer_init(config->loop, &w->timer);
    w->timer.data = w;
    w->timer_is_open = true;
    start(w);
    return w;
}
