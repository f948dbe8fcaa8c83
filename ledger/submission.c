#include "config.h"

#include "ledger/submission.h"

#include "ledger/plants.h"
#include "ledger/roster.h"
#include "proto/codec.h"
#include "proto/packed.h"

static bool is_for_open_round(const Pot__TaskRecord *task,
                              const struct model_shape *shape,
                              const struct round_submission *submission)
{
    const Pot__SubmissionBody *body = submission->body;
    struct packed_form form;
    packed_form_init(&form, task->spec, shape);
    return codec_bytes_equal(task->task, submission->task.b, HASH_SIZE) &&
           body->round == task->round &&
           body->rows == task->spec->rows_per_miner &&
           plants_fit(task, submission) &&
           body->payload_bytes == packed_bytes(shape, &form) &&
           codec_bytes_equal(task->parameters_hash, submission->parameters.b,
                             HASH_SIZE);
}

enum round_verdict ledger_check_submission(
    const Pot__TaskRecord *task, const struct model_shape *shape,
    const struct round_submission *submission)
{
    size_t index;
    if (!roster_find(roster_of_round(task), &submission->miner, &index)) {
        return ROUND_NOT_IN_ROSTER;
    }
    return is_for_open_round(task, shape, submission) ? ROUND_ACCEPTED
                                                      : ROUND_SUBMISSION;
}

enum pot_err ledger_open_payload(struct gradient *out, int8_t *room,
                                 const Pot__TaskRecord *task,
                                 const struct model_shape *shape,
                                 const struct round_submission *submission,
                                 const void *data, size_t size)
{
    struct packed_form form;
    packed_form_init(&form, task->spec, shape);
    if (size != submission->body->payload_bytes ||
        packed_open(out, room, shape, &form, data, size) != POT_OK) {
        return POT_EFORMAT;
    }
    return POT_OK;
}
