/* task_print: a task's object for people, field by field. */
#ifndef POT_CTL_TASK_PRINT_H
#define POT_CTL_TASK_PRINT_H

#include <jansson.h>

#include "ctl/ctl.h"

void task_print(const struct ctl *ctl, const json_t *task);

#endif
