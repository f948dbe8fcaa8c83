/* task_warn: what a task can say, and most likely does not mean.  Nothing is
 * refused for it. */
#ifndef POT_CTL_TASK_WARN_H
#define POT_CTL_TASK_WARN_H

#include <jansson.h>

#include "ctl/task_data.h"

/* task_warn_alone: appends a text for each of them, by the chain's params. */
void task_warn_alone(json_t *list, const struct task_file *file,
                     const struct task_data *data,
                     const Pot__GenesisParams *params);

/* task_warn_miners: likewise, if fewer miners than it waits for have the stake
 * that it asks of them.  Errors: those of client_get */
POT_MUST_USE enum exit_code task_warn_miners(json_t *list, struct ctl *ctl,
                                             const struct task_file *file,
                                             const Pot__GenesisParams *params);

#endif
