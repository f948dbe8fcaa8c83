/* task_data: the two data sets of a task: imported from its files, or known
 * to the chain by their addresses. */
#ifndef POT_CTL_TASK_DATA_H
#define POT_CTL_TASK_DATA_H

#include "base/buf.h"
#include "base/limits.h"
#include "ctl/publish.h"
#include "ctl/task_file.h"
#include "proto/spec.h"

struct task_part {
    struct hash address;
    struct spec_data facts;
    bool is_ours; /* made here; the rest is of use only then */
    struct buf bytes;
    struct publish publish; /* views bytes */
};

struct task_data {
    struct task_part train;
    struct task_part test;
};

/* task_data_get: imports or asks the node, as file says.
 *
 * Owns:   task_data_fini releases it, on failure too; it stays where it is
 * Errors: EXIT_CODE_REJECTED a file or an address; those of client_get */
POT_MUST_USE enum exit_code task_data_get(struct task_data *out,
                                          struct ctl *ctl,
                                          const struct task_file *file);
void task_data_fini(struct task_data *data);

#endif
