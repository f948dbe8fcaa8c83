/* round_load: reads what a round is computed from out of what the node
 * holds, off the loop. */
#ifndef POT_NODE_ROUND_ROUND_LOAD_H
#define POT_NODE_ROUND_ROUND_LOAD_H

#include <uv.h>

#include "base/err.h"
#include "node/round/round_input.h"
#include "proto/state.pb-c.h"

struct holdings;
struct round_load; /* opaque: node/round/round_load.c */

/* round_load_fn: input is the callee's to drop, and NULL unless err is
 * POT_OK; POT_ENOENT: the data set or the parameters are not held. */
typedef void round_load_fn(void *context, enum pot_err err,
                           struct round_input *input);

/* round_load_start: of the round that the task has open; done is called
 * later, and the result is good until then.  Borrows the task for the call. */
struct round_load *round_load_start(uv_loop_t *loop,
                                    const struct holdings *holdings,
                                    const Pot__TaskRecord *task,
                                    round_load_fn *done, void *context);

/* round_load_forget: done is not called any more; NULL is none. */
void round_load_forget(struct round_load *load);

#endif
