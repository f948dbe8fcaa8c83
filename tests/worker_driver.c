#include "config.h"

#include "tests/worker_driver.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "training/assign.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define REPLY_DEADLINE_MS 120000

/* The environment without OPENBLAS_*, and with the core if there is one. */
static char **make_environment(const char *core)
{
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **copy = pot_calloc(count + 2, sizeof(*copy));
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], "OPENBLAS_", 9) != 0) {
            copy[at++] = environ[i];
        }
    }
    if (core != NULL) {
        size_t size = strlen(core) + sizeof("OPENBLAS_CORETYPE=");
        copy[at] = pot_alloc(size);
        (void)snprintf(copy[at], size, "OPENBLAS_CORETYPE=%s", core);
    }
    return copy;
}

static void free_environment(char **copy, const char *core)
{
    size_t last = 0;
    while (copy[last] != NULL) {
        last++;
    }
    if (core != NULL) {
        free(copy[last - 1]);
    }
    free(copy);
}

static bool spawn(struct worker_driver *d, const char *path, const char *core,
                  int in, int out)
{
    posix_spawn_file_actions_t actions;
    char name[] = "pot-worker";
    char *argv[] = {name, NULL};
    char **env = make_environment(core);
    int rc = posix_spawn_file_actions_init(&actions);
    POT_ASSERT(rc == 0);
    rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    POT_ASSERT(rc == 0);
    rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    POT_ASSERT(rc == 0);
    rc =
        posix_spawn_file_actions_adddup2(&actions, d->shm.fd, WORKER_SHARED_FD);
    POT_ASSERT(rc == 0);
    rc = posix_spawn(&d->pid, path, &actions, NULL, argv, env);
    (void)posix_spawn_file_actions_destroy(&actions);
    free_environment(env, core);
    return rc == 0;
}

/* The next message, or false: the worker ended, broke off or hangs. */
static bool receive(struct worker_message *message, struct worker_driver *d)
{
    for (;;) {
        uint8_t bytes[4096];
        enum worker_take taken = worker_take(message, &d->in);
        if (taken != WORKER_TAKE_MORE) {
            return taken == WORKER_TAKE_MESSAGE;
        }
        struct pollfd poll_fd = {.fd = d->from, .events = POLLIN};
        if (poll(&poll_fd, 1, REPLY_DEADLINE_MS) <= 0) {
            return false;
        }
        ssize_t n = read(d->from, bytes, sizeof(bytes));
        if (n <= 0) {
            return false;
        }
        buf_append(&d->in, bytes, (size_t)n);
    }
}

bool worker_driver_open(struct worker_driver *d, const char *path,
                        const char *core)
{
    int in[2];
    int out[2];
    struct worker_message message;
    *d = (struct worker_driver){.to = -1, .from = -1};
    buf_init(&d->in, 2 * WORKER_MESSAGE_BYTES_MAX + 4096);
    if (worker_shm_open(&d->shm, 0) != POT_OK) {
        return false;
    }
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        return false;
    }
    bool is_started = spawn(d, path, core, in[0], out[1]);
    (void)close(in[0]);
    (void)close(out[1]);
    d->to = in[1];
    d->from = out[0];
    if (!is_started || !receive(&message, d) || message.type != WORKER_HELLO) {
        return false;
    }
    d->hello = message.hello;
    return true;
}

int worker_driver_close(struct worker_driver *d)
{
    int status = -1;
    if (d->to >= 0) {
        (void)close(d->to);
        (void)close(d->from);
    }
    if (d->pid > 0) {
        while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    worker_shm_close(&d->shm);
    buf_fini(&d->in);
    return status;
}

bool worker_driver_run(struct worker_message *reply, struct worker_driver *d,
                       const struct worker_part *part)
{
    uint8_t bytes[WORKER_MESSAGE_BYTES_MAX];
    struct worker_message message = {.type = WORKER_PART};
    message.part = *part;
    size_t size = worker_encode(bytes, &message);
    return file_write_all(d->to, bytes, size) == POT_OK && receive(reply, d);
}

bool worker_driver_sums(int64_t *sums, struct worker_done *done,
                        struct worker_driver *d, const struct worker_task *task,
                        size_t first, size_t count)
{
    struct worker_layout layout;
    struct worker_message reply;
    size_t parameters = task->shape->parameter_count;
    if (worker_layout_init(&layout, parameters, count) != POT_OK ||
        worker_shm_grow(&d->shm, (size_t)layout.size) != POT_OK) {
        return false;
    }
    struct worker_part part = {
        .job = 1,
        .shared_bytes = d->shm.size,
        .theta_offset = layout.theta_offset,
        .rows_offset = layout.rows_offset,
        .sums_offset = layout.sums_offset,
        .row_count = count,
        .block_rows = (uint32_t)(task->local_steps > 1
                                     ? task->row_count / task->local_steps
                                     : assign_block_rows(task->row_count)),
        .activation = task->activation,
        .loss = task->loss,
        .numerics = (uint32_t)task->numerics,
        .local_steps = task->local_steps,
        .local_rate = task->local_rate,
        .width_count = (uint32_t)task->shape->width_count,
    };
    char *shared = d->shm.data;
    memcpy(part.widths, task->shape->widths, sizeof(part.widths));
    (void)snprintf(part.path, sizeof(part.path), "%s", task->path);
    memcpy(shared + layout.theta_offset, task->theta,
           parameters * sizeof(int32_t));
    memcpy(shared + layout.rows_offset, task->rows + first,
           count * sizeof(uint64_t));
    if (!worker_driver_run(&reply, d, &part) || reply.type != WORKER_DONE) {
        return false;
    }
    memcpy(sums, shared + layout.sums_offset, parameters * sizeof(int64_t));
    *done = reply.done;
    return true;
}
