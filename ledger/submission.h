/* submission: what a miner's word must be to be listed in the round that its
 * task has open.  The ledger asks it of what stands in a block, a validator
 * of what it is told before. */
#ifndef POT_LEDGER_SUBMISSION_H
#define POT_LEDGER_SUBMISSION_H

#include <stddef.h>

#include "base/err.h"
#include "ledger/round_update.h"
#include "proto/gradient.h"
#include "proto/model.h"
#include "proto/round.h"
#include "proto/state.pb-c.h"

/* ledger_check_submission: whether it is of a miner in the roster, and for
 * the task's open round, its parameters and rows, with a payload of the one
 * size that a gradient of the model has.
 *
 * In:     shape is that of task's model
 * Errors: ROUND_NOT_IN_ROSTER, ROUND_SUBMISSION */
POT_MUST_USE enum round_verdict ledger_check_submission(
    const Pot__TaskRecord *task, const struct model_shape *shape,
    const struct round_submission *submission);

/* ledger_open_payload: a view into the bytes of a submission's payload and
 * into room, an element a parameter: both must outlive it.
 *
 * In:     the submission passed ledger_check_submission; that data has its
 *         payload's hash is the caller's to know
 * Errors: POT_EFORMAT not one miner's gradient as the task asks for it; *out
 *         is worthless then */
POT_MUST_USE enum pot_err ledger_open_payload(
    struct gradient *out, int8_t *room, const Pot__TaskRecord *task,
    const struct model_shape *shape, const struct round_submission *submission,
    const void *data, size_t size);

#endif
