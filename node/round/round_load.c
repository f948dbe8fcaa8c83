#include "config.h"

#include "node/round/round_load.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/ledger.h"
#include "ledger/optimizer_rate.h"
#include "ledger/parameters.h"
#include "node/hold/datasets.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"
#include "proto/codec.h"
#include "proto/round.h"

#include <stdlib.h>

struct round_load {
    struct offload offload;
    const struct holdings *holdings;
    struct hash task;
    struct hash parameters;
    struct hash train;
    uint32_t round;
    uint64_t opened_height;
    struct round_input *input;
    enum pot_err err;
    round_load_fn *done; /* NULL: forgotten */
    void *context;
};

/* Not held whole, and need not be. */
static enum pot_err find_published(struct round_load *load)
{
    const struct state state = stored_state(load->holdings->store);
    Pot__DatasetRecord *record = ledger_dataset(&state, &load->train);
    if (record == NULL) {
        return POT_ENOENT;
    }
    const Pot__PublishDataset *set = record->dataset;
    load->input->published = record;
    load->input->from.rows = set->rows;
    load->input->from.shard_rows =
        dataset_shard_rows(set->size_bytes, set->rows);
    return POT_OK;
}

static enum pot_err find_dataset(struct round_load *load)
{
    struct datasets_book *book = load->holdings->datasets;
    const struct dataset *dataset = datasets_find(book, &load->train);
    if (dataset == NULL) {
        return load->holdings->chunks != NULL ? find_published(load)
                                              : POT_ENOENT;
    }
    load->input->dataset = pot_strdup(datasets_path(book, &load->train));
    load->input->from.rows = dataset->rows;
    load->input->from.shard_rows =
        dataset_shard_rows(dataset->size, dataset->rows);
    return POT_OK;
}

static enum pot_err read_seed(struct round_load *load)
{
    struct stored_mark block;
    enum pot_err err =
        stored_block_mark(&block, load->holdings->store, load->opened_height);
    if (err == POT_OK) {
        round_seed(&load->input->seed, &load->task, load->round, &block.hash);
    }
    return err;
}

static enum pot_err read_theta(struct round_load *load)
{
    struct buf data;
    enum pot_err err = POT_OK;
    size_t count = load->input->shape.parameter_count;
    buf_init(&data, count * sizeof(int32_t));
    if (!holdings_get_blob(load->holdings, &load->parameters, &data)) {
        err = POT_ENOENT;
    } else if (data.size != count * sizeof(int32_t)) {
        err = POT_ECORRUPT;
    } else {
        load->input->theta = parameters_decode(data.data, count);
    }
    buf_fini(&data);
    return err;
}

static void run(void *context)
{
    struct round_load *load = context;
    load->err = find_dataset(load);
    if (load->err == POT_OK) {
        load->err = read_seed(load);
    }
    if (load->err == POT_OK) {
        load->err = read_theta(load);
    }
}

static void on_loaded(void *context)
{
    struct round_load *load = context;
    if (load->err != POT_OK || load->done == NULL) {
        round_input_unref(load->input);
        load->input = NULL;
    }
    if (load->done != NULL) {
        load->done(load->context, load->err, load->input);
    }
    free(load);
}

/* A record of the ledger's state is whole. */
static void take_hash(struct hash *out, ProtobufCBinaryData field)
{
    bool is_hash = codec_hash(out, field);
    POT_ASSERT(is_hash);
}

static struct round_input *input_of(const Pot__TaskSpec *spec, uint32_t round)
{
    struct round_input *input = pot_calloc(1, sizeof(*input));
    input->holders = 1;
    input->activation = spec->model->activation;
    input->loss = spec->model->loss;
    input->numerics = spec->numerics;
    input->row_count = spec->rows_per_miner;
    input->from.shards = spec->shards_per_round;
    input->local_steps = spec->local_steps;
    input->local_rate =
        optimizer_local_rate(spec->optimizer, round, spec->rounds);
    enum pot_err err = model_shape_from_spec(&input->shape, spec->model);
    POT_ASSERT(err == POT_OK); /* the ledger took the task */
    packed_form_init(&input->form, spec, &input->shape);
    return input;
}

struct round_load *round_load_start(uv_loop_t *loop,
                                    const struct holdings *holdings,
                                    const Pot__TaskRecord *task,
                                    round_load_fn *done, void *context)
{
    struct round_load *load = pot_calloc(1, sizeof(*load));
    load->holdings = holdings;
    take_hash(&load->task, task->task);
    take_hash(&load->parameters, task->parameters_hash);
    take_hash(&load->train, task->spec->train);
    load->round = task->round;
    load->opened_height = task->opened_height;
    load->input = input_of(task->spec, task->round);
    load->done = done;
    load->context = context;
    offload_start(&load->offload, loop, run, on_loaded, load);
    return load;
}

void round_load_forget(struct round_load *load)
{
    if (load != NULL) {
        load->done = NULL;
    }
}
