#include "config.h"

#include "node/round/round_job.h"

#include "base/alloc.h"
#include "node/block/execution.h"
#include "node/hold/blob_pool.h"
#include "node/hold/datasets.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "storage/store.h"
#include "training/assign.h"

#include <stdlib.h>

static enum pot_err read_theta(struct workers_job *job,
                               const struct holdings *env,
                               ProtobufCBinaryData field)
{
    struct hash hash;
    struct buf data;
    size_t count = job->shape.parameter_count;
    if (!codec_hash(&hash, field)) {
        return POT_ECORRUPT;
    }
    buf_init(&data, count * sizeof(int32_t));
    enum pot_err err = POT_OK;
    if (env->recent == NULL || !blob_pool_get(env->recent, &hash, &data)) {
        err = store_blob_get(env->store, &hash, &data);
    }
    if (err == POT_OK && data.size != count * sizeof(int32_t)) {
        err = POT_ECORRUPT;
    }
    if (err == POT_OK) {
        job->theta = pot_calloc(count, sizeof(*job->theta));
        for (size_t i = 0; i < count; i++) {
            const uint8_t *at = data.data + 4 * i;
            job->theta[i] =
                (int32_t)((uint32_t)at[0] | (uint32_t)at[1] << 8 |
                          (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        }
    }
    buf_fini(&data);
    return err;
}

static enum pot_err read_seed(struct hash *seed, struct store *store,
                              const Pot__TaskRecord *task)
{
    struct hash block;
    struct hash name;
    enum pot_err err = stored_block_hash(&block, store, task->opened_height);
    if (err == POT_OK && !codec_hash(&name, task->task)) {
        err = POT_ECORRUPT;
    }
    if (err == POT_OK) {
        round_seed(seed, &name, task->round, &block);
    }
    return err;
}

enum pot_err round_job_make(struct workers_job *out, const struct holdings *env,
                            const Pot__TaskRecord *task,
                            const struct public_key *miner)
{
    struct hash address;
    struct hash seed;
    struct workers_job job = {
        .activation = task->spec->model->activation,
        .loss = task->spec->model->loss,
        .row_count = task->spec->rows_per_miner,
    };
    if (!codec_hash(&address, task->spec->train)) {
        return POT_ECORRUPT;
    }
    const struct dataset *dataset = datasets_find(env->datasets, &address);
    if (dataset == NULL) {
        return POT_ENOENT;
    }
    enum pot_err err = model_shape_from_spec(&job.shape, task->spec->model);
    if (err == POT_OK) {
        err = read_seed(&seed, env->store, task);
    }
    if (err == POT_OK) {
        err = read_theta(&job, env, task->parameters_hash);
    }
    if (err != POT_OK) {
        return err;
    }
    job.dataset = pot_strdup(datasets_path(env->datasets, &address));
    job.rows = pot_calloc(job.row_count, sizeof(*job.rows));
    assign_rows(job.rows, job.row_count, dataset->rows, &seed, miner);
    *out = job;
    return POT_OK;
}
