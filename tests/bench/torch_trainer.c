#include "config.h"

#include "tests/bench/torch_trainer.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define SCRIPT BENCH_SOURCE "/tests/bench/torch_trainer.py"

static pid_t spawn(int in, int out, const char *layers, unsigned threads,
                   size_t data_rows)
{
    const char *python = getenv("POT_BENCH_PYTHON");
    posix_spawn_file_actions_t actions;
    char program[4096];
    char script[] = SCRIPT;
    char model[256];
    char thread_text[16];
    char row_text[32];
    pid_t pid = 0;
    (void)snprintf(program, sizeof(program), "%s",
                   python != NULL ? python : "/usr/bin/python3");
    (void)snprintf(model, sizeof(model), "%s", layers);
    (void)snprintf(thread_text, sizeof(thread_text), "%u", threads);
    (void)snprintf(row_text, sizeof(row_text), "%zu", data_rows);
    char *argv[] = {program, script, model, thread_text, row_text, NULL};
    int rc = posix_spawn_file_actions_init(&actions);
    POT_ASSERT(rc == 0);
    rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    POT_ASSERT(rc == 0);
    rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    POT_ASSERT(rc == 0);
    rc = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc == 0 ? pid : 0;
}

void torch_trainer_open(struct torch_trainer *t, const char *layers,
                        unsigned threads, size_t data_rows)
{
    int in[2];
    int out[2];
    *t = (struct torch_trainer){.version = "not installed"};
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        return;
    }
    t->pid = spawn(in[0], out[1], layers, threads, data_rows);
    (void)close(in[0]);
    (void)close(out[1]);
    t->to = fdopen(in[1], "w");
    t->from = fdopen(out[0], "r");
    POT_ASSERT(t->to != NULL && t->from != NULL);
    if (t->pid == 0 || fscanf(t->from, "%63s", t->version) != 1) {
        torch_trainer_close(t);
    }
}

void torch_trainer_close(struct torch_trainer *t)
{
    if (t->to != NULL) {
        (void)fclose(t->to);
        (void)fclose(t->from);
    }
    if (t->pid > 0) {
        while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    t->pid = 0;
    t->to = NULL;
    t->from = NULL;
}

double torch_trainer_run(struct torch_trainer *t, size_t rows, size_t steps,
                         double seconds)
{
    double rate = 0.0;
    if (t->pid == 0) {
        return 0.0;
    }
    (void)fprintf(t->to, "%zu %zu %f\n", rows, steps, seconds);
    (void)fflush(t->to);
    return fscanf(t->from, "%lf", &rate) == 1 ? rate : 0.0;
}
