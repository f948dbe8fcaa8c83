/* task_check: what a task must keep beyond the range of each value; found
 * here, before anything is sent or paid. */
#ifndef POT_CTL_TASK_CHECK_H
#define POT_CTL_TASK_CHECK_H

#include "ctl/task_file.h"
#include "proto/spec.h"

/* task_check_alone: rules between the values of a file that was read, and the
 * chain's own for a task (spec_check).  Errors: EXIT_CODE_REJECTED. */
POT_MUST_USE enum exit_code task_check_alone(struct ctl *ctl,
                                             struct task_file *file);

/* task_check_data: the task against its data sets (spec_fits_data, and rows
 * enough for a miner).  Errors: EXIT_CODE_REJECTED. */
POT_MUST_USE enum exit_code task_check_data(struct ctl *ctl,
                                            const struct task_file *file,
                                            const Pot__TaskSpec *spec,
                                            const struct spec_data *train,
                                            const struct spec_data *test);

/* task_check_stake: S >= R (1 - p) / p, with S the stake a miner must hold, R
 * the most it can earn in a round and p the audit rate.  Where the chain can
 * slash (exact numerics) a task that breaks this is refused, where it cannot
 * a note says so. */
POT_MUST_USE enum exit_code task_check_stake(struct ctl *ctl,
                                             const struct task_file *file,
                                             const Pot__GenesisParams *params);

#endif
