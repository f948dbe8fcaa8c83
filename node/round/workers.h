/* workers: pot-worker processes, started, fed, watched and restarted.
 *
 * A pool holds `count` single-threaded processes with one OpenBLAS core.  A
 * job is shared out among all of them by rows; their integer gradients are
 * added.  A worker that dies is started again and its part is done again; a
 * worker that keeps a part longer than the deadline is killed first. */
#ifndef POT_NODE_ROUND_WORKERS_H
#define POT_NODE_ROUND_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "proto/model.h"

struct workers; /* opaque: node/round/workers.c */

struct workers_config {
    uv_loop_t *loop;
    const char *program; /* path of pot-worker */
    const char *core;    /* "auto": OpenBLAS chooses */
    unsigned count;      /* > 0 */
    uint64_t deadline_ms;
};

struct workers *workers_new(const struct workers_config *config);

/* workers_free: ends the processes and, once their handles are closed, frees
 * the pool.  Jobs that wait are dropped without a word. */
void workers_free(struct workers *workers);

/* What a job computes: the gradient's sum over rows, and the loss's. */
struct workers_job {
    struct model_shape shape;
    Pot__Activation activation;
    Pot__Loss loss;
    char *dataset;  /* path of a .pds file */
    int32_t *theta; /* Q8.24, shape.parameter_count */
    uint64_t *rows;
    size_t row_count; /* > 0 */
};

/* workers_job_copy: a copy that owns its arrays; workers_job_fini frees
 * them. */
void workers_job_copy(struct workers_job *out, const struct workers_job *from);
void workers_job_fini(struct workers_job *job);

/* workers_done_fn: sums (training/quantise.h's grid) and loss_sum (Q40.24)
 * are there when err is POT_OK; POT_EIO: the job failed on every attempt,
 * POT_EFORMAT: the worker refused it, why says more.  sums is borrowed. */
typedef void workers_done_fn(void *context, enum pot_err err, const char *why,
                             const int64_t *sums, int64_t loss_sum);

/* workers_submit: queues a copy of the job.  Errors: POT_ELIMIT the queue is
 * full, or the job too large. */
POT_MUST_USE enum pot_err workers_submit(struct workers *workers,
                                         const struct workers_job *job,
                                         workers_done_fn *done, void *context);

/* workers_forget: done will not be called for jobs of this context. */
void workers_forget(struct workers *workers, const void *context);

/* workers_core: the core that the processes run, as OpenBLAS names it; ""
 * until the first of them said so. */
const char *workers_core(const struct workers *workers);

struct workers_stats {
    unsigned running;
    uint64_t jobs;
    uint64_t rows;
    uint64_t restarts;
    uint64_t queued;
    uint64_t busy_us; /* in jobs, summed over the processes */
};

void workers_stats(const struct workers *workers, struct workers_stats *out);

#endif
