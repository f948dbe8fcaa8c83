/* workers: gradients computed by a pool of pot-worker processes.
 *
 * A job is a gradient: each of them computes a part, some of its rows, and
 * their integer gradients are added.  Local steps are one worker's, so that
 * the number of workers leaves no trace there either.  The part of a worker
 * that ended is done again.  The loop's thread only. */
#ifndef POT_NODE_ROUND_WORKERS_H
#define POT_NODE_ROUND_WORKERS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "training/worker_protocol.h"

struct holdings;
struct needs;
struct round_input;
struct workers; /* opaque: node/round/workers.c */

/* How long a worker may take for a part that is little work. */
#define WORKERS_DEADLINE_MS 120000

struct workers_config {
    uv_loop_t *loop;
    const char *program; /* path of pot-worker */
    const char *core;    /* "auto": OpenBLAS chooses */
    const char *exact;   /* kernel of the other lane; "auto": the fastest */
    unsigned count;      /* > 0 */
    uint64_t deadline_ms;
    /* For inputs whose data set is not held whole; NULL: there are none. */
    const struct holdings *holdings;
    struct needs *needs;
};

struct workers *workers_new(const struct workers_config *config);

/* workers_free: ends the processes and, once the loop has closed them, frees
 * the pool.  Jobs that wait are dropped without a word.  NULL is none. */
void workers_free(struct workers *workers);

/* workers_done_fn: sums (training/quantise.h's grid, one a parameter) are the
 * callee's to free, loss_sum is Q40.24, both over the job's rows.  err not
 * POT_OK: sums is NULL; POT_EIO: the job failed on every attempt, POT_EFORMAT:
 * a worker refused it, or as row_gather_start says; POT_ERANGE: the loss or the
 * gradient is no finite number, in the exact lane on no other machine either;
 * why says more. */
typedef void workers_done_fn(void *context, enum pot_err err, const char *why,
                             int64_t *sums, int64_t loss_sum);

/* workers_submit: queues the gradient over the rows, input->row_count of
 * them.  Takes the rows, on failure too, and holds the input.  done is called
 * later.  Errors: POT_ELIMIT the queue is full, or a path too long. */
POT_MUST_USE enum pot_err workers_submit(struct workers *workers,
                                         struct round_input *input,
                                         uint64_t *rows, workers_done_fn *done,
                                         void *context);

/* workers_forget: jobs of this context are over, whether they wait or are
 * under way: done will not be called.  A process that is at one goes on. */
void workers_forget(struct workers *workers, const void *context);

/* workers_is_able: a process is there for the next job: idle, or at one that
 * is not over.  Not so before the first has started, nor while all are at jobs
 * that are over: too slow for them, or hung. */
bool workers_is_able(const struct workers *workers);

struct workers_stats {
    /* That the processes run, as OpenBLAS names it; "" until one said so. */
    char core[WORKER_CORE_SIZE];
    unsigned running; /* now, as the next two */
    unsigned silent;  /* have not answered for a quarter of their deadline */
    unsigned failing; /* are lost again and again */
    uint64_t jobs;
    uint64_t rows;
    uint64_t failed; /* jobs, at which workers died, or which they refused */
    uint64_t restarts;
    uint64_t queued;  /* now */
    uint64_t busy_us; /* computing parts, summed over the processes */
};

void workers_stats(const struct workers *workers, struct workers_stats *out);

/* workers_stats_add: adds another pool's to sum, which keeps its core if it
 * has one. */
void workers_stats_add(struct workers_stats *sum,
                       const struct workers_stats *other);

/* workers_core: that of the stats. */
const char *workers_core(const struct workers *workers);

#endif
