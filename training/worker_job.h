/* worker_job: what pot-worker does with a job.  Nothing in a job is trusted:
 * every number is checked before it is used. */
#ifndef POT_TRAINING_WORKER_JOB_H
#define POT_TRAINING_WORKER_JOB_H

#include "training/worker_protocol.h"
#include "training/worker_shm.h"

struct worker_state; /* the data set and the model of the last job, kept */

/* worker_state_new: for one shared memory, borrowed. */
struct worker_state *worker_state_new(struct worker_shm *shm);
void worker_state_free(struct worker_state *s);

/* worker_state_run: computes; *reply is a DONE or an ERROR. */
void worker_state_run(struct worker_message *reply, struct worker_state *s,
                      const struct worker_job *job);

#endif
