#include "config.h"

#include "tests/bench/worker_trainer.h"

#include "base/alloc.h"
#include "base/check.h"
#include "tests/bench/bench_util.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* One worker; a job of its own has its rows of each step. */
struct share {
    struct worker_driver driver;
    struct worker_task task;
    int64_t *sums;
    pthread_t thread;
    double budget_s;
    double rate;
};

struct worker_trainer {
    const struct worker_task *task;
    unsigned threads;
    struct share *shares;
};

static void run_job(struct share *s, const struct worker_task *task)
{
    struct worker_done done;
    bool is_done = worker_driver_sums(s->sums, &done, &s->driver, task, 0,
                                      task->row_count);
    POT_ASSERT(is_done && done.rows == task->row_count);
}

/* Makes room for the model; two steps are enough for that. */
static void run_first(struct share *s)
{
    struct worker_task task = s->task;
    if (task.local_steps > 2) {
        task.row_count = task.row_count / task.local_steps * 2;
        task.local_steps = 2;
    }
    run_job(s, &task);
}

static void *run_share(void *context)
{
    struct share *s = context;
    clockid_t clock;
    uint64_t rows = 0;
    int rc = clock_getcpuclockid(s->driver.pid, &clock);
    POT_ASSERT(rc == 0);
    run_first(s);
    double start = bench_used_s(clock);
    double used = 0.0;
    while (rows == 0 || used < s->budget_s) {
        run_job(s, &s->task);
        rows += s->task.row_count;
        used = bench_used_s(clock) - start;
    }
    s->rate = (double)rows / used;
    return NULL;
}

double worker_trainer_run(struct worker_trainer *t, double seconds)
{
    double rate = 0.0;
    for (unsigned i = 0; i < t->threads; i++) {
        struct share *s = &t->shares[i];
        s->budget_s = seconds;
        s->task.numerics = t->task->numerics;
        int rc = pthread_create(&s->thread, NULL, run_share, s);
        POT_ASSERT(rc == 0);
    }
    for (unsigned i = 0; i < t->threads; i++) {
        int rc = pthread_join(t->shares[i].thread, NULL);
        POT_ASSERT(rc == 0);
        rate += t->shares[i].rate;
    }
    return rate;
}

/* Rows of the task's first to end of each step: which ones does not matter. */
static bool share_open(struct share *s, const struct worker_task *task,
                       unsigned index, unsigned threads)
{
    size_t steps = task->local_steps;
    size_t batch = task->row_count / steps;
    size_t first = batch * index / threads;
    size_t end = batch * (index + 1) / threads;
    s->task = *task;
    s->task.rows += first * steps;
    s->task.row_count = (end - first) * steps;
    s->sums = pot_calloc(task->shape->parameter_count, sizeof(*s->sums));
    return worker_driver_open(&s->driver, "./pot-worker", NULL);
}

struct worker_trainer *worker_trainer_new(const struct worker_task *task,
                                          unsigned threads)
{
    struct worker_trainer *t = pot_calloc(1, sizeof(*t));
    bool is_open = true;
    t->task = task;
    t->threads = threads;
    t->shares = pot_calloc(threads, sizeof(*t->shares));
    for (unsigned i = 0; i < threads; i++) {
        is_open = share_open(&t->shares[i], task, i, threads) && is_open;
    }
    if (!is_open) {
        worker_trainer_free(t);
        return NULL;
    }
    return t;
}

void worker_trainer_free(struct worker_trainer *t)
{
    if (t == NULL) {
        return;
    }
    for (unsigned i = 0; i < t->threads; i++) {
        (void)worker_driver_close(&t->shares[i].driver);
        free(t->shares[i].sums);
    }
    free(t->shares);
    free(t);
}
