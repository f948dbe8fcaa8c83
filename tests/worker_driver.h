/* worker_driver: starts real pot-worker processes and talks to them, one
 * blocking call at a time.  For tests and benchmarks; potd has its own way,
 * on its loop. */
#ifndef POT_TESTS_WORKER_DRIVER_H
#define POT_TESTS_WORKER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "training/worker_protocol.h"
#include "training/worker_shm.h"

struct worker_driver {
    pid_t pid;
    int to;   /* the worker's standard input */
    int from; /* its standard output */
    struct worker_shm shm;
    struct buf in;
    struct worker_hello hello;
};

/* What to compute, for worker_driver_sums. */
struct worker_task {
    const struct model_shape *shape;
    uint32_t activation;
    uint32_t loss;
    Pot__Numerics numerics;
    const char *path; /* .pds */
    const int32_t *theta;
    const uint64_t *rows;
    size_t row_count;
    uint32_t local_steps; /* as struct worker_part has them */
    uint32_t local_rate;
};

/* worker_driver_open: starts the program at path with OPENBLAS_CORETYPE set
 * to core, or unset when it is NULL, and waits for its hello. */
bool worker_driver_open(struct worker_driver *d, const char *path,
                        const char *core);

/* worker_driver_close: ends its input; returns what waitpid told. */
int worker_driver_close(struct worker_driver *d);

/* worker_driver_run: a part as it stands, and its reply; false: none came. */
bool worker_driver_run(struct worker_message *reply, struct worker_driver *d,
                       const struct worker_part *part);

/* worker_driver_sums: the gradient sums of a part of the task's rows, first
 * to first + count; false: the worker said error or nothing. */
bool worker_driver_sums(int64_t *sums, struct worker_done *done,
                        struct worker_driver *d, const struct worker_task *task,
                        size_t first, size_t count);

#endif
