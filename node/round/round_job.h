/* round_job: what a miner computes in a round, from the chain alone: the
 * same for the miner and for whoever audits it. */
#ifndef POT_NODE_ROUND_ROUND_JOB_H
#define POT_NODE_ROUND_ROUND_JOB_H

#include "base/err.h"
#include "base/key.h"
#include "node/round/workers.h"
#include "proto/state.pb-c.h"

struct holdings;

/* round_job_make: rows by assignment, theta from its blob, the training set's
 * file.
 *
 * Owns:   out's arrays; workers_job_fini frees them
 * Errors: POT_ENOENT the data set or the parameters are not held;
 *         POT_ECORRUPT; nothing to free then */
POT_MUST_USE enum pot_err round_job_make(struct workers_job *out,
                                         const struct holdings *env,
                                         const Pot__TaskRecord *task,
                                         const struct public_key *miner);

#endif
