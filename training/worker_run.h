/* worker_run: what pot-worker does with a part.  Nothing in it is trusted:
 * every number is checked before it is used. */
#ifndef POT_TRAINING_WORKER_RUN_H
#define POT_TRAINING_WORKER_RUN_H

#include "training/product.h"
#include "training/worker_protocol.h"
#include "training/worker_shm.h"

struct worker_run; /* the data set and the model of the last part, kept */

/* worker_run_new: for one shared memory, borrowed; exact multiplies for tasks
 * of that lane. */
struct worker_run *worker_run_new(struct worker_shm *shm,
                                  const struct product *exact);
void worker_run_free(struct worker_run *run);

/* worker_run_part: computes; *reply is a DONE or an ERROR. */
void worker_run_part(struct worker_message *reply, struct worker_run *run,
                     const struct worker_part *part);

#endif
