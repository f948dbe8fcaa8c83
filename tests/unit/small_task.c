#include "config.h"

#include "tests/unit/small_task.h"

#include "base/check.h"
#include "proto/codec.h"
#include "proto/gradient.h"
#include "proto/model.h"
#include "proto/signed.h"

#include <stdlib.h>

#define ROWS 2

static uint32_t layers[] = {3, 2};

static void init_model(Pot__ModelSpec *model)
{
    pot__model_spec__init(model);
    model->n_layers = sizeof(layers) / sizeof(*layers);
    model->layers = layers;
    model->activation = POT__ACTIVATION__ACTIVATION_RELU;
    model->loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
}

Pot__TaskRecord *small_task_record(const struct hash *task,
                                   const struct public_key *miners,
                                   size_t count)
{
    size_t size;
    Pot__ModelSpec model;
    Pot__TaskSpec spec = POT__TASK_SPEC__INIT;
    Pot__TaskRecord record = POT__TASK_RECORD__INIT;
    Pot__RosterEntry entries[SMALL_TASK_ROSTER_MAX];
    Pot__RosterEntry *list[SMALL_TASK_ROSTER_MAX];
    Pot__TaskRecord *copy;
    POT_ASSERT(count <= SMALL_TASK_ROSTER_MAX);
    for (size_t i = 0; i < count; i++) {
        pot__roster_entry__init(&entries[i]);
        entries[i].miner = codec_bytes(miners[i].b, PUBLIC_KEY_SIZE);
        list[i] = &entries[i];
    }
    init_model(&model);
    spec.model = &model;
    spec.rows_per_miner = ROWS;
    spec.min_submissions = 1;
    spec.compression = POT__COMPRESSION__COMPRESSION_INT8;
    spec.aggregation = POT__AGGREGATION__AGGREGATION_MEAN;
    spec.round_timeout_ms = SMALL_TASK_TIMEOUT_MS;
    record.task = codec_bytes(task->b, HASH_SIZE);
    record.spec = &spec;
    record.status = POT__TASK_STATUS__TASK_RUNNING;
    record.parameters_hash = record.task;
    record.n_roster = count;
    record.roster = list;
    uint8_t *data = codec_encode(&size, &record);
    enum pot_err err = CODEC_DECODE(&copy, pot__task_record, data, size);
    POT_ASSERT(err == POT_OK);
    free(data);
    return copy;
}

size_t small_task_payload(uint8_t out[static SMALL_TASK_PAYLOAD_MAX],
                          int32_t fifth)
{
    const int8_t exponents[TENSORS_MAX] = {-10, -11};
    const int32_t values[SMALL_TASK_PARAMETERS] = {1,     -2, 3, -4,
                                                   fifth, -6, 7, -8};
    struct model_shape shape;
    Pot__ModelSpec model;
    init_model(&model);
    enum pot_err err = model_shape_from_spec(&shape, &model);
    POT_ASSERT(err == POT_OK);
    POT_ASSERT(shape.parameter_count == SMALL_TASK_PARAMETERS);
    POT_ASSERT(gradient_bytes(&shape, 1) <= SMALL_TASK_PAYLOAD_MAX);
    gradient_encode(out, &shape, 1, 1, exponents, values);
    return gradient_bytes(&shape, 1);
}

Pot__Signed *small_task_submission(const struct small_task_answer *answer,
                                   const struct key *miner)
{
    static char core[] = "Haswell";
    Pot__SubmissionBody body = POT__SUBMISSION_BODY__INIT;
    body.task = codec_bytes(answer->task->b, HASH_SIZE);
    body.parameters_hash = body.task;
    body.payload_hash = codec_bytes(answer->payload->b, HASH_SIZE);
    body.payload_bytes = answer->payload_bytes;
    body.salt = codec_bytes(answer->salt->b, HASH_SIZE);
    body.rows = ROWS;
    body.workers = 1;
    body.blas_core = core;
    return signed_make(SIGNED_SUBMISSION, answer->chain, miner, &body);
}
