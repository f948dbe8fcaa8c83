/* worker_sandbox: what keeps pot-worker in, whatever a task, a model or a data
 * set makes of it: no network, no other process, no program, no file but the
 * data sets, and those for reading.  What is forbidden ends the process.
 *
 * In a build with sanitizers, which need more than this, only limits hold. */
#ifndef POT_TRAINING_WORKER_SANDBOX_H
#define POT_TRAINING_WORKER_SANDBOX_H

#include "base/err.h"

/* worker_sandbox_limit: first thing: resource limits, no privileges to gain,
 * no memory dumps; it ends with its parent. */
void worker_sandbox_limit(void);

/* worker_sandbox_enter: once, when all libraries are set up and before a data
 * set is opened: from now on only what is below folder can be opened.
 *
 * Errors: POT_EIO  there is no filter of system calls: do not go on
 * A kernel without Landlock takes nothing but the files' folder from it: what
 * this user can read can be read then; a line on stderr says so. */
POT_MUST_USE enum pot_err worker_sandbox_enter(const char *folder);

#endif
