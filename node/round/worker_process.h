/* worker_process: one pot-worker: started, given work, watched, and started
 * again, after a while, whenever it ended.
 *
 * It is single-threaded, with one OpenBLAS core.  One that keeps its owner
 * waiting longer than the deadline, or talks nonsense, is killed. */
#ifndef POT_NODE_ROUND_WORKER_PROCESS_H
#define POT_NODE_ROUND_WORKER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "training/worker_protocol.h"

struct round_input;
struct worker_process; /* opaque: node/round/worker_process.c */

enum worker_loss {
    LOST_STARTING, /* it never said hello */
    LOST_IDLE,
    LOST_BUSY,
};

/* What its owner is told, always from the loop and never from within a call
 * of its own. */
struct worker_events {
    /* It said hello and can be given work; core as OpenBLAS names it. */
    void (*ready)(void *context, const char *core);
    /* It did what it was given, and is idle again.  sums are borrowed:
     * int64_t, one a parameter, in training/quantise.h's grid. */
    void (*done)(void *context, const struct worker_done *done,
                 const int64_t *sums);
    /* It will not do what it was given, and is idle again. */
    void (*refused)(void *context, const char *why);
    /* What it was given comes to no finite number; it is idle again. */
    void (*diverged)(void *context);
    /* It ended; it will be ready again. */
    void (*lost)(void *context, enum worker_loss loss);
    /* The last word, after worker_process_close. */
    void (*closed)(void *context);
};

struct worker_process_config {
    uv_loop_t *loop;
    const char *program;  /* path of pot-worker; outlives the process */
    const char *core;     /* "auto": OpenBLAS chooses; outlives it too */
    const char *exact;    /* "auto": the worker chooses; outlives it too */
    unsigned index;       /* for the log */
    uint64_t deadline_ms; /* to start, or for a part that is little work */
    const struct worker_events *events; /* outlives it too */
    void *context;
};

/* worker_process_deadline_ms: how long a part may take, of so many rows and
 * parameters: the config's deadline, and what plain C, which does more than
 * 100,000 of their products a millisecond, needs for them. */
static inline uint64_t worker_process_deadline_ms(uint64_t deadline_ms,
                                                  uint64_t parameters,
                                                  uint64_t rows)
{
    return deadline_ms + parameters * rows / 100000;
}

/* worker_process_new: begins to start it. */
struct worker_process *worker_process_new(
    const struct worker_process_config *config);

/* worker_process_close: kills it; freed once the loop has closed its handles,
 * of which `closed` tells. */
void worker_process_close(struct worker_process *process);

/* worker_process_is_idle: it can be given work now. */
bool worker_process_is_idle(const struct worker_process *process);

/* worker_process_is_silent: it has kept its owner waiting for a quarter of the
 * deadline.  worker_process_is_failing: it was lost several times since it last
 * did what it was given, and is not idle. */
bool worker_process_is_silent(const struct worker_process *process);
bool worker_process_is_failing(const struct worker_process *process);

/* A part of a job: some of a miner's rows. */
struct worker_process_part {
    uint64_t job; /* its number, which comes back with the reply */
    const struct round_input *input;
    const char *dataset;  /* path of the file that holds the rows */
    const uint64_t *rows; /* of the part, in that file */
    size_t row_count;     /* > 0 */
};

/* worker_process_give: to one that is idle; the part is borrowed for the
 * call. */
void worker_process_give(struct worker_process *process,
                         const struct worker_process_part *part);

#endif
