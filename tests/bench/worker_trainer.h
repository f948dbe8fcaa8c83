/* worker_trainer: rows a second of pot-worker, one process a thread, job by
 * job from the message to the reply: parameters come in as integers of 32 bits,
 * and the gradient, or the way of the local steps, goes out as integers of 64
 * bits. */
#ifndef POT_TESTS_BENCH_WORKER_TRAINER_H
#define POT_TESTS_BENCH_WORKER_TRAINER_H

#include "tests/worker_driver.h"

struct worker_trainer; /* one: tests/bench/worker_trainer.c */

/* worker_trainer_new: starts ./pot-worker for each thread.  The task, borrowed,
 * says what a job is, and its lane may change between runs; of each step's rows
 * every worker has its share.  NULL: the worker does not start.
 * worker_trainer_free: NULL is fine. */
struct worker_trainer *worker_trainer_new(const struct worker_task *task,
                                          unsigned threads);
void worker_trainer_free(struct worker_trainer *t);

/* worker_trainer_run: jobs for so many seconds, one at least; rows a second of
 * processor time, all workers together. */
double worker_trainer_run(struct worker_trainer *t, double seconds);

#endif
